/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rearrange.c: the same numbers at other places: flip. */
#include "grad/dims.h"
#include "grad/node.h"

/* t with its elements along dim in reverse.  For walks only: holds no reference. */
static bl_tensor reversed(const bl_tensor *t, int dim)
{
	bl_tensor v = *t;
	if (t->shape[dim] > 0)
		v.data += (t->shape[dim] - 1) * t->stride[dim];
	v.stride[dim] = -t->stride[dim];
	return v;
}

static int flip_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	bl_tensor g = reversed(dout, *(int *)ctx);
	(void)out;
	return bl_grad_add(in[0], &g);
}

bl_tensor *bl_flip(bl_tensor *a, int dim)
{
	dim = bl_dim_index("flip", a, dim);
	bl_tensor *y = dim < 0 ? NULL : bl_tensor_like(a);
	if (!y)
		return NULL;
	bl_tensor from = reversed(a, dim);
	bl_tensor_copy(y, &from);
	return bl_node_attach(y, BL_OP_flip, 1, &a, flip_back, &dim, sizeof dim, NULL);
}
