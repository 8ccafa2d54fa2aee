/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_rows.h (private to conv_outer.c): the weight gradient is a sum of outer products, one for each output pixel.
 * These functions collect the two factors: the input's channels under some taps, stored next to each other, and the
 * channels of the output gradient.
 */
#ifndef BARLOW_TENSOR_CONV_CONV_ROWS_H
#define BARLOW_TENSOR_CONV_CONV_ROWS_H

#include "tensor/conv/conv_plan.h"

#include <stdbool.h>

/*
 * The part of the filter that one product combines: one tap; a row, if one pixel has too few channels to fill a tile;
 * or, for very few channels, the whole filter.
 */
typedef enum bl_together { BL_ONE_TAP, BL_ROW, BL_FILTER } bl_together;

typedef struct bl_conv_rows {
	const bl_conv *g;
	const bl_conv_class *class; /* the class of the forward direction */
	const float *x, *dy;        /* the first channel of this group */
	int64_t channels;           /* input channels of one group */
	int64_t block;              /* the largest number of pixels in a block */
	bl_together together;
} bl_conv_rows;

/* The factors of n outer products, in the thread's scratch buffers, slots 0 to 2. */
typedef struct bl_rows_block {
	int64_t n, channels;
	const float **x, **y; /* at x[i], at least `channels` floats and at least a tile's height can be read */
	float *rows, *padded;
	int64_t image; /* the image in `padded`; -1: none */
} bl_rows_block;

bl_together bl_rows_together(const bl_conv *g);
int64_t bl_rows_taps(const bl_conv_rows *r);

/* Allocates the scratch buffers of b; false: no memory. */
bool bl_rows_room(const bl_conv_rows *r, bl_rows_block *b);
/*
 * Fills b with the factors for part number `part` of the filter and the output pixels m..m2-1, which are at most
 * `block` and are counted over all images.  Pixels for which the part is in the padding are left out.
 */
void bl_rows_fill(const bl_conv_rows *r, bl_rows_block *b, int64_t m, int64_t m2, int64_t part);

#endif
