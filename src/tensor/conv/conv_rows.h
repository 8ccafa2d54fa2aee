/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_rows.h (private to conv_outer.c): what the weight gradient's products go over: for each output pixel the input's
 * channels that meet some taps, side by side, and the output's.
 */
#ifndef BARLOW_TENSOR_CONV_CONV_ROWS_H
#define BARLOW_TENSOR_CONV_CONV_ROWS_H

#include "tensor/conv/conv_plan.h"

#include <stdbool.h>

/*
 * What one product takes together: one tap's channels; those of a filter's row, so that tiles are full where a pixel's few
 * channels would not fill them; or, of very few channels, those of the whole filter.
 */
typedef enum bl_together { BL_ONE_TAP, BL_ROW, BL_FILTER } bl_together;

typedef struct bl_conv_rows {
	const bl_conv *g;
	const bl_conv_class *class; /* the forward one */
	const float *x, *dy;        /* of this group's first channel */
	int64_t channels;           /* of one group */
	int64_t block;              /* pixels of the largest block */
	bl_together together;
} bl_conv_rows;

/* A block of pixels that meet the taps taken together; memory is the thread's scratch, slots 0 to 2. */
typedef struct bl_rows_block {
	int64_t n, channels;
	const float **x, **y; /* at x[i] `channels` floats, or a tile's height of them */
	float *rows, *padded;
	int64_t image; /* that lies in `padded`; -1: none */
} bl_rows_block;

bl_together bl_rows_together(const bl_conv *g);
int64_t bl_rows_taps(const bl_conv_rows *r);

/* Room for blocks; false: no memory. */
bool bl_rows_room(const bl_conv_rows *r, bl_rows_block *b);
/* Output pixels m..m2-1 (at most `block`), counted over all images, that meet the taps of part `part` of the filter. */
void bl_rows_fill(const bl_conv_rows *r, bl_rows_block *b, int64_t m, int64_t m2, int64_t part);

#endif
