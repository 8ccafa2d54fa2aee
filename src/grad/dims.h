/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dims.h (private): indices of dimensions, broadcasting, and sums over dimensions. */
#ifndef BARLOW_GRAD_DIMS_H
#define BARLOW_GRAD_DIMS_H

#include "tensor/tensor.h"

/* dim (negative ones count from the end) as 0..ndim-1, or -1 with a message that names op and t's shape. */
int bl_dim_index(const char *op, const bl_tensor *t, int dim);
/* "1st" for dimension 0, for messages: correct for callers that count from 0 and for those that count from 1. */
const char *bl_dim_ordinal(int dim);

/*
 * The shape that a and b broadcast to, as in NumPy.  Returns its ndim, or -1 with a message that names op and both
 * shapes.
 */
int bl_broadcast_shape(const char *op, const bl_tensor *a, const bl_tensor *b, int64_t shape[BL_MAXDIM]);

/* t broadcast to the shape, by strides of 0.  Only for bl_walk and the like: it holds no reference. */
bl_tensor bl_broadcast_view(const bl_tensor *t, int ndim, const int64_t *shape);

/* Adds scale * g to t's gradient, summed over the dimensions along which t was broadcast to g's shape. */
int bl_broadcast_grad(bl_tensor *t, const bl_tensor *g, float scale);

/*
 * out = scale * sum of term over the dimensions of x whose bits are set in
 * mask; added to out when `add`.  term is x, or (x - mean)^2 with a mean.  out
 * has x's ndim and size 1 where the mask is set; any strides.  mean has out's
 * shape and strides.  Sums are in double, in an order that depends on the shape alone.
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
