/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare.c: comparisons, whose results are 1 (true) and 0, and selection by such a mask. */
#include "grad/dims.h"
#include "grad/node.h"

/* X(name, result of a and b), in the order of bl_comparison */
#define COMPARISONS(X) \
	X(lt, a < b) \
	X(le, a <= b) \
	X(gt, a > b) \
	X(ge, a >= b) \
	X(eq, a == b) \
	X(ne, a != b) \
	X(logical_and, a != 0 && b != 0) \
	X(logical_or, a != 0 || b != 0) \
	X(logical_xor, (a != 0) != (b != 0))

#define DEFINE(name, result) \
	static void name##_run(void *ctx, int64_t n, float *const *v, const int64_t *s) \
	{ \
		(void)ctx; \
		for (int64_t i = 0; i < n; i++) { \
			float a = v[1][i * s[1]], b = v[2][i * s[2]]; \
			v[0][i * s[0]] = (result) ? 1 : 0; \
		} \
	}
COMPARISONS(DEFINE)

#define ROW(name, result) { #name, name##_run },
static const struct {
	const char *name;
	bl_walk_fn *run;
} comparisons[] = { COMPARISONS(ROW) };

bl_tensor *bl_compare(bl_comparison how, bl_tensor *a, bl_tensor *b)
{
	int64_t shape[BL_MAXDIM] = { 0 };
	int ndim = bl_broadcast_shape(comparisons[how].name, a, b, shape);
	bl_tensor *y = ndim < 0 ? NULL : bl_tensor_new(ndim, shape);
	bl_walk w;
	if (!y)
		return NULL;
	bl_tensor x = bl_broadcast_view(a, ndim, shape), z = bl_broadcast_view(b, ndim, shape);
	bl_walk_init(&w, 3, (bl_tensor *[]){ y, &x, &z });
	bl_walk_run(&w, comparisons[how].run, NULL);
	return y;
}

/* --- where --- */

static void where_run(void *ctx, int64_t n, float *const *v, const int64_t *s)
{
	(void)ctx;
	for (int64_t i = 0; i < n; i++)
		v[0][i * s[0]] = v[1][i * s[1]] != 0 ? v[2][i * s[2]] : v[3][i * s[3]];
}

/* y = a where mask is not 0, and y = b elsewhere; mask, a and b are broadcast to y's shape. */
static void choose(bl_tensor *y, const bl_tensor *mask, const bl_tensor *a, const bl_tensor *b)
{
	bl_tensor m = bl_broadcast_view(mask, y->ndim, y->shape), x = bl_broadcast_view(a, y->ndim, y->shape);
	bl_tensor z = bl_broadcast_view(b, y->ndim, y->shape);
	bl_walk w;
	bl_walk_init(&w, 4, (bl_tensor *[]){ y, &m, &x, &z });
	bl_walk_run(&w, where_run, NULL);
}

/*
 * in: mask, a, b.  da is dout where the mask is not 0, and 0 elsewhere; db is dout where the mask is 0, and 0
 * elsewhere.
 */
static int where_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	bl_tensor *zero = bl_tensor_scalar(0), *g = zero ? bl_tensor_like(dout) : NULL;
	int rc = g ? 0 : -1;
	(void)ctx, (void)out;
	if (!rc && bl_grad_wants(in[1])) {
		choose(g, in[0], dout, zero);
		rc = bl_broadcast_grad(in[1], g, 1);
	}
	if (!rc && bl_grad_wants(in[2])) {
		choose(g, in[0], zero, dout);
		rc = bl_broadcast_grad(in[2], g, 1);
	}
	bl_tensor_unref(g);
	bl_tensor_unref(zero);
	return rc;
}

bl_tensor *bl_where(bl_tensor *mask, bl_tensor *a, bl_tensor *b)
{
	int64_t shape[BL_MAXDIM] = { 0 };
	bl_tensor both = { .ndim = bl_broadcast_shape("where", a, b, both.shape) };
	int ndim = both.ndim < 0 ? -1 : bl_broadcast_shape("where", mask, &both, shape);
	bl_tensor *y = ndim < 0 ? NULL : bl_tensor_new(ndim, shape);
	if (!y)
		return NULL;
	choose(y, mask, a, b);
	return bl_node_attach(y, BL_OP_where, 3, (bl_tensor *[]){ mask, a, b }, where_back, NULL, 0, NULL);
}
