/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dims.h (private): indices of dimensions, broadcasting, and sums over dimensions. */
#ifndef BARLOW_GRAD_DIMS_H
#define BARLOW_GRAD_DIMS_H

#include "tensor/tensor.h"

/* dim as 0..ndim-1; a negative dim counts from the end.  -1 with a bl_error that names op and t's shape. */
int bl_dim_index(const char *op, const bl_tensor *t, int dim);
/* "1st" for dimension 0, and so on.  Messages use ordinals because C counts dimensions from 0, and Lua from 1. */
const char *bl_dim_ordinal(int dim);

/*
 * Sets `shape` to the shape to which a and b are broadcast, as in NumPy.  Returns its ndim, or -1 with a bl_error that
 * names op and both shapes.
 */
int bl_broadcast_shape(const char *op, const bl_tensor *a, const bl_tensor *b, int64_t shape[BL_MAXDIM]);

/*
 * A view of t that is broadcast to the shape by strides of 0.  It holds no reference to the storage and is used only by
 * bl_walk.
 */
bl_tensor bl_broadcast_view(const bl_tensor *t, int ndim, const int64_t *shape);

/*
 * Adds scale * g, summed over the dimensions in which t was broadcast to g's shape, to t's gradient.  0, or -1: no
 * memory.
 */
int bl_broadcast_grad(bl_tensor *t, const bl_tensor *g, float scale);

/*
 * Computes out = scale * sum of x or, if mean is not NULL, scale * sum of (x - mean)^2, over the dimensions of x whose
 * bits are set in mask.  With `add`, the result is added to out.  out has x's ndim, size 1 in the dimensions of the
 * mask, and any strides; mean has out's shape and strides.  Sums are in double; their order depends only on shapes and
 * strides.  0, or -1: no memory.
 */
typedef struct bl_sum_args {
	const bl_tensor *x, *mean;
	unsigned mask;
	double scale;
	bool add;
	bl_tensor *out;
} bl_sum_args;
int bl_sum_dims(const bl_sum_args *s);

#endif
