/* SPDX-License-Identifier: GPL-3.0-or-later */
/* winograd_tiles.h (private to winograd*.c): the pixels of the tiles that outputs of `height` x `width` are cut in. */
#ifndef BARLOW_TENSOR_WINOGRAD_WINOGRAD_TILES_H
#define BARLOW_TENSOR_WINOGRAD_WINOGRAD_TILES_H

#include <stdint.h>

typedef struct bl_tiles {
	float *data;        /* (n, h, w, channels) */
	const float *zeros; /* a pixel of zeros, for what lies outside */
	int64_t h, w, channels;
	int64_t side, padding; /* pixels of a tile; where tile 0 starts, to the left of pixel 0 */
	int64_t down, across;  /* tiles of an image */
} bl_tiles;

bl_tiles bl_tiles_of(float *data, int64_t h, int64_t w, int64_t channels, int64_t side, int64_t padding, int64_t out_h,
                     int64_t out_w);
/* side x side pointers; outside the image they point to zeros. */
void bl_tiles_read(const bl_tiles *t, int64_t tile, const float **pixel);
/* The same; outside they are NULL. */
void bl_tiles_write(const bl_tiles *t, int64_t tile, float **pixel);
/* A pixel of zeros; the caller gives the block back. */
float *bl_tiles_zeros(int64_t channels);

#endif
