/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dims.c: indices of dimensions, and broadcasting. */
#include "grad/dims.h"

#include "grad/node.h"

int bl_dim_index(const char *op, const bl_tensor *t, int dim)
{
	char text[BL_SHAPE_TEXT];
	if (dim >= -t->ndim && dim < t->ndim)
		return dim < 0 ? dim + t->ndim : dim;
	bl_tensor_text(t, text);
	if (t->ndim == 0)
		return bl_fail("%s: dimension %d of a scalar, which has none", op, dim);
	return bl_fail("%s: dimension %d of shape %s, expected %d to %d", op, dim, text, -t->ndim, t->ndim - 1);
}

const char *bl_dim_ordinal(int dim)
{
	static const char *const names[BL_MAXDIM + 1] = { "1st", "2nd", "3rd", "4th", "5th", "6th", "7th" };
	return names[dim];
}

/* The size of t in dimension d of a result with ndim dimensions.  Shapes are aligned at their last dimensions. */
static int64_t size_in(const bl_tensor *t, int ndim, int d)
{
	d -= ndim - t->ndim;
	return d < 0 ? 1 : t->shape[d];
}

int bl_broadcast_shape(const char *op, const bl_tensor *a, const bl_tensor *b, int64_t shape[BL_MAXDIM])
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	int ndim = a->ndim > b->ndim ? a->ndim : b->ndim;
	for (int d = 0; d < ndim; d++) {
		int64_t x = size_in(a, ndim, d), y = size_in(b, ndim, d);
		if (x != y && x != 1 && y != 1)
			return bl_fail("%s: shapes %s and %s do not fit: %lld against %lld in the %s dimension", op,
			               bl_tensor_text(a, at), bl_tensor_text(b, bt), (long long)x, (long long)y, bl_dim_ordinal(d));
		shape[d] = x == 1 ? y : x;
	}
	return ndim;
}

bl_tensor bl_broadcast_view(const bl_tensor *t, int ndim, const int64_t *shape)
{
	bl_tensor v = { .ndim = ndim, .data = t->data };
	for (int d = 0; d < ndim; d++) {
		v.shape[d] = shape[d];
		v.stride[d] = size_in(t, ndim, d) == 1 ? 0 : t->stride[d - (ndim - t->ndim)];
	}
	return v;
}

/* A view of t with leading dimensions of size 1, so that it has ndim dimensions. */
static bl_tensor padded(const bl_tensor *t, int ndim)
{
	bl_tensor v = { .ndim = ndim, .data = t->data };
	for (int d = 0; d < ndim; d++) {
		int own = d - (ndim - t->ndim);
		v.shape[d] = own < 0 ? 1 : t->shape[own];
		v.stride[d] = own < 0 ? 0 : t->stride[own];
	}
	return v;
}

int bl_broadcast_grad(bl_tensor *t, const bl_tensor *g, float scale)
{
	bl_sum_args s = { .x = g, .scale = scale };
	if (!bl_grad_wants(t))
		return 0;
	bl_tensor *sink = bl_grad_sink(t, &s.add);
	if (!sink)
		return -1;
	bl_tensor out = padded(sink, g->ndim);
	for (int d = 0; d < g->ndim; d++)
		s.mask |= (unsigned)(out.shape[d] == 1) << d;
	s.out = &out;
	return bl_sum_dims(&s);
}
