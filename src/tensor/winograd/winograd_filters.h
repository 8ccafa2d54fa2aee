/* SPDX-License-Identifier: GPL-3.0-or-later */
/* winograd_filters.h (private to winograd*.c): transforms filters to Winograd's 36 points. */
#ifndef BARLOW_TENSOR_WINOGRAD_WINOGRAD_FILTERS_H
#define BARLOW_TENSOR_WINOGRAD_WINOGRAD_FILTERS_H

#include "tensor/kernel/kernel.h"

enum { BL_WINOGRAD_POINTS = 36 };

/*
 * The filters.  Tap t of output column j and input channel c is w[j * column + c * channel + t] or, if `turned`,
 * w[j * column + c * channel + 8 - t].
 */
typedef struct bl_winograd_filters {
	const bl_kernels *k;
	const float *w;
	int64_t channels; /* a multiple of 16 */
	int64_t column, channel;
	bool turned;
} bl_winograd_filters;

/* Transforms all channels of the k->lanes columns from `column` on, to u[point * pitch + c * width + lane]. */
void bl_winograd_filter_columns(const bl_winograd_filters *f, int64_t column, float *u, int64_t width, int64_t pitch);

/*
 * Are there so many filters that their transforms do not fit in a core's cache?  If so, a few columns are computed at a
 * time, and their filters are transformed just before they are used.
 */
bool bl_winograd_by_columns(int64_t channels, int64_t columns);
/* The number of columns computed at a time. */
int64_t bl_winograd_width(const bl_kernels *k);

#endif
