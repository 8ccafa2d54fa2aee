/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * winograd_tiles.h (private to winograd*.c): divides images into tiles, and finds the pixels of a tile.
 */
#ifndef BARLOW_TENSOR_WINOGRAD_WINOGRAD_TILES_H
#define BARLOW_TENSOR_WINOGRAD_WINOGRAD_TILES_H

#include <stdint.h>

typedef struct bl_tiles {
	float *data;        /* (n, h, w, channels) */
	const float *zeros; /* a pixel of zeros, used outside of the image */
	int64_t h, w, channels;
	int64_t side, padding; /* width of a tile in pixels; the first tile begins `padding` pixels left of the image */
	int64_t down, across;  /* tiles per image, vertically and horizontally */
} bl_tiles;

bl_tiles bl_tiles_of(float *data, int64_t h, int64_t w, int64_t channels, int64_t side, int64_t padding, int64_t out_h,
                     int64_t out_w);
/* Sets side x side pointers to the pixels of a tile; pixels outside of the image are `zeros`. */
void bl_tiles_read(const bl_tiles *t, int64_t tile, const float **pixel);
/* As bl_tiles_read, but the pointers of pixels outside of the image are NULL. */
void bl_tiles_write(const bl_tiles *t, int64_t tile, float **pixel);
/* A new pixel of zeros, which the caller frees with bl_block_give; NULL: no memory. */
float *bl_tiles_zeros(int64_t channels);

#endif
