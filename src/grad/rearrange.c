/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rearrange.c: operations that move elements: flip, gather, selection by a mask, stack. */
#include "grad/dims.h"
#include "grad/node.h"

#include <barlow/memory.h>

/* A view of t in reverse order along dim.  It holds no reference to the storage and is used only by bl_walk. */
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

/* --- gather: elements by their indices along a dimension --- */

typedef void gather_fn(void *ctx, int64_t at, int64_t from);

/*
 * Calls fn(index of an element of the result, offset of the element in t) for all elements in row-major order.  places
 * is row-major and has the result's shape.
 */
static void each_gathered(const bl_tensor *t, int dim, const bl_tensor *places, gather_fn *fn, void *ctx)
{
	int64_t index[BL_MAXDIM] = { 0 }, count = bl_tensor_count(places);
	for (int64_t i = 0; i < count; i++) {
		int64_t from = (int64_t)places->data[i] * t->stride[dim];
		for (int d = 0; d < t->ndim; d++)
			from += d == dim ? 0 : index[d] * t->stride[d];
		fn(ctx, i, from);
		for (int d = t->ndim - 1; d >= 0 && ++index[d] == places->shape[d]; d--)
			index[d] = 0;
	}
}

typedef struct gathered {
	float *to;
	const float *from;
} gathered;

static void take(void *ctx, int64_t at, int64_t from)
{
	const gathered *g = ctx;
	g->to[at] = g->from[from];
}

static void put_back(void *ctx, int64_t at, int64_t from)
{
	const gathered *g = ctx;
	g->to[from] += g->from[at];
}

/* in: a, places (row-major) */
static int gather_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	bool add;
	(void)out;
	bl_tensor *sink = bl_grad_sink(in[0], &add), *g = sink ? bl_tensor_contiguous((bl_tensor *)dout) : NULL;
	if (!g)
		return -1;
	if (!add)
		bl_tensor_fill(sink, 0);
	each_gathered(sink, *(int *)ctx, in[1], put_back, &(gathered){ sink->data, g->data });
	bl_tensor_unref(g);
	return 0;
}

static int gather_check(const bl_tensor *a, int dim, const bl_tensor *places)
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	bool fits = a->ndim == places->ndim;
	for (int d = 0; fits && d < a->ndim; d++)
		fits = d == dim || places->shape[d] <= a->shape[d];
	if (!fits)
		return bl_fail("gather: indices of shape %s do not fit shape %s along the %s dimension", bl_tensor_text(places, bt),
		               bl_tensor_text(a, at), bl_dim_ordinal(dim));
	for (int64_t i = 0; i < bl_tensor_count(places); i++) {
		float p = places->data[i];
		if (!(p >= 0 && p < (float)a->shape[dim]) || p != (float)(int64_t)p)
			return bl_fail("gather: index %g is not one of the %lld along the %s dimension of shape %s", p,
			               (long long)a->shape[dim], bl_dim_ordinal(dim), bl_tensor_text(a, at));
	}
	return 0;
}

bl_tensor *bl_gather(bl_tensor *a, int dim, bl_tensor *places)
{
	bl_tensor *p, *y = NULL;
	dim = bl_dim_index("gather", a, dim);
	p = dim < 0 ? NULL : bl_tensor_contiguous(places);
	if (p && gather_check(a, dim, p) == 0)
		y = bl_tensor_new(p->ndim, p->shape);
	if (y) {
		each_gathered(a, dim, p, take, &(gathered){ y->data, a->data });
		y = bl_node_attach(y, BL_OP_gather, 2, (bl_tensor *[]){ a, p }, gather_back, &dim, sizeof dim, NULL);
	}
	bl_tensor_unref(p);
	return y;
}

/* --- selection by a mask --- */

bl_tensor *bl_masked_select(bl_tensor *a, const bl_tensor *mask)
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	int64_t count = bl_tensor_count(a), n = 0;
	if (!bl_tensor_same_shape(a, mask))
		return bl_fail_null("masked_select: a mask of shape %s for shape %s", bl_tensor_text(mask, bt),
		                    bl_tensor_text(a, at));
	bl_tensor *m = bl_tensor_contiguous((bl_tensor *)mask), *flat = m ? bl_reshape(a, 1, &count) : NULL, *y = NULL;
	int64_t *rows = bl_block_take((size_t)count * sizeof *rows);
	for (int64_t i = 0; flat && rows && i < count; i++)
		if (m->data[i] != 0)
			rows[n++] = i;
	if (flat && rows)
		y = bl_index_rows(flat, rows, n);
	bl_block_give(rows);
	bl_tensor_unref(flat);
	bl_tensor_unref(m);
	return y;
}

/* --- stack: cat along a new dimension --- */

static bl_tensor *with_dim(bl_tensor *t, int dim)
{
	int64_t shape[BL_MAXDIM];
	for (int d = 0; d <= t->ndim; d++)
		shape[d] = d == dim ? 1 : t->shape[d > dim ? d - 1 : d];
	return bl_reshape(t, t->ndim + 1, shape);
}

bl_tensor *bl_stack(bl_tensor *const *parts, int n, int dim)
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	int ndim = n < 1 ? 0 : parts[0]->ndim + 1, made = 0;
	if (n < 1)
		return bl_fail_null("stack: expected one tensor or more, got none");
	if (ndim > BL_MAXDIM || dim < -ndim || dim >= ndim)
		return bl_fail_null("stack: no new dimension %d for shape %s", dim, bl_tensor_text(parts[0], at));
	for (int i = 1; i < n; i++)
		if (!bl_tensor_same_shape(parts[0], parts[i]))
			return bl_fail_null("stack: shapes %s and %s are not the same", bl_tensor_text(parts[0], at),
			                    bl_tensor_text(parts[i], bt));
	dim += dim < 0 ? ndim : 0;
	bl_tensor **v = bl_block_take((size_t)n * sizeof *v), *y = NULL;
	while (v && made < n && (v[made] = with_dim(parts[made], dim)))
		made++;
	if (made == n)
		y = bl_cat(v, n, dim);
	while (made > 0)
		bl_tensor_unref(v[--made]);
	bl_block_give(v);
	return y;
}
