/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_pad.c: copies an image with few channels, and surrounds the copy with the padding, which is 0. */
#include "tensor/conv/conv_pad.h"

#include <string.h>

enum { SLACK = 4 };

int64_t bl_conv_pad_pitch(const bl_conv *g)
{
	return (g->w + 2 * g->padding) * (g->c / g->groups);
}

int64_t bl_conv_pad_size(const bl_conv *g)
{
	return (g->h + 2 * g->padding) * bl_conv_pad_pitch(g) + SLACK;
}

/* Copies c channels of n pixels, which are `pitch` floats apart. */
static void copy_pixels(const float *x, int64_t n, int64_t pitch, int64_t c, float *to)
{
	if (pitch == c) {
		memcpy(to, x, (size_t)(n * c) * sizeof *to);
		return;
	}
	for (int64_t j = 0; j < n; j++)
		for (int64_t k = 0; k < c; k++)
			to[j * c + k] = x[j * pitch + k];
}

void bl_conv_pad(const bl_conv *g, const float *x, float *to)
{
	int64_t c = g->c / g->groups;
	memset(to, 0, (size_t)bl_conv_pad_size(g) * sizeof *to);
	for (int64_t i = 0; i < g->h; i++) {
		float *row = to + (i + g->padding) * bl_conv_pad_pitch(g) + g->padding * c;
		copy_pixels(x, g->w, g->c, c, row);
		x += g->w * g->c;
	}
}

const float *bl_conv_pad_at(const bl_conv *g, const float *padded, int64_t p, int64_t q)
{
	return padded + p * g->stride * bl_conv_pad_pitch(g) + q * g->stride * (g->c / g->groups);
}
