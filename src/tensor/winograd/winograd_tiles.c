/* SPDX-License-Identifier: GPL-3.0-or-later */
/* winograd_tiles.c: pointers to the pixels of a tile. */
#include "tensor/winograd/winograd_tiles.h"

#include <barlow/memory.h>

#include <string.h>

enum { STEP = 4 }; /* tiles start every four pixels */

bl_tiles bl_tiles_of(float *data, int64_t h, int64_t w, int64_t channels, int64_t side, int64_t padding, int64_t out_h,
                     int64_t out_w)
{
	return (bl_tiles){ .data = data,
		           .h = h,
		           .w = w,
		           .channels = channels,
		           .side = side,
		           .padding = padding,
		           .down = (out_h + STEP - 1) / STEP,
		           .across = (out_w + STEP - 1) / STEP };
}

void bl_tiles_write(const bl_tiles *t, int64_t tile, float **pixel)
{
	int64_t image = tile / (t->down * t->across), place = tile % (t->down * t->across);
	int64_t i0 = place / t->across * STEP - t->padding, j0 = place % t->across * STEP - t->padding;
	for (int64_t i = i0; i < i0 + t->side; i++)
		for (int64_t j = j0; j < j0 + t->side; j++) {
			int outside = i < 0 || j < 0 || i >= t->h || j >= t->w;
			*pixel++ = outside ? NULL : t->data + ((image * t->h + i) * t->w + j) * t->channels;
		}
}

void bl_tiles_read(const bl_tiles *t, int64_t tile, const float **pixel)
{
	float *found[36];
	bl_tiles_write(t, tile, found);
	for (int64_t i = 0; i < t->side * t->side; i++)
		pixel[i] = found[i] ? found[i] : t->zeros;
}

float *bl_tiles_zeros(int64_t channels)
{
	float *z = bl_block_take((size_t)channels * sizeof *z);
	if (z)
		memset(z, 0, (size_t)channels * sizeof *z);
	return z;
}
