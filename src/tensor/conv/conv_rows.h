/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_rows.h (private to conv_outer.c): the factors of the weight gradient's outer products: for each output pixel, the
 * input's channels under some taps, next to each other, and the output gradient's channels.
 */
#ifndef BARLOW_TENSOR_CONV_CONV_ROWS_H
#define BARLOW_TENSOR_CONV_CONV_ROWS_H

#include "tensor/conv/conv_plan.h"

#include <stdbool.h>

/*
 * The taps that one product combines: one tap; a row of the filter, if one pixel's channels are too few to fill a tile;
 * or, for very few channels, the whole filter.
 */
typedef enum bl_together { BL_ONE_TAP, BL_ROW, BL_FILTER } bl_together;

typedef struct bl_conv_rows {
	const bl_conv *g;
	const bl_conv_class *class; /* the forward one */
	const float *x, *dy;        /* of this group's first channel */
	int64_t channels;           /* of one group */
	int64_t block;              /* the largest number of pixels in a block */
	bl_together together;
} bl_conv_rows;

/* The pixels of a block that the taps cover; in the thread's scratch, slots 0 to 2. */
typedef struct bl_rows_block {
	int64_t n, channels;
	const float **x, **y; /* at x[i], `channels` floats, or a tile's height if that is more, can be read */
	float *rows, *padded;
	int64_t image; /* the one in `padded`; -1: none */
} bl_rows_block;

bl_together bl_rows_together(const bl_conv *g);
int64_t bl_rows_taps(const bl_conv_rows *r);

/* Allocates b's scratch; false: no memory. */
bool bl_rows_room(const bl_conv_rows *r, bl_rows_block *b);
/*
 * Fills b with those of output pixels m..m2-1 (at most `block`, counted over all images) that part `part` of the filter
 * covers.
 */
void bl_rows_fill(const bl_conv_rows *r, bl_rows_block *b, int64_t m, int64_t m2, int64_t part);

#endif
