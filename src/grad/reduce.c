/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reduce.c: sums, means, variances, maxima and minima along one dimension or over all dimensions. */
#include "grad/dims.h"
#include "grad/node.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline))

/* The dimensions that are reduced, as bits, and the product of their sizes. */
typedef struct extent {
	unsigned mask;
	int64_t count;
} extent;

static int extent_of(const char *op, const bl_tensor *a, int dim, extent *e)
{
	if (dim == BL_ALL) {
		*e = (extent){ (1u << a->ndim) - 1, bl_tensor_count(a) };
		return 0;
	}
	dim = bl_dim_index(op, a, dim);
	if (dim < 0)
		return -1;
	*e = (extent){ 1u << dim, a->shape[dim] };
	return 0;
}

static int extent_filled(const char *op, const bl_tensor *a, int dim, extent *e)
{
	char text[BL_SHAPE_TEXT];
	if (extent_of(op, a, dim, e))
		return -1;
	if (e->count > 0)
		return 0;
	bl_tensor_text(a, text);
	if (dim == BL_ALL)
		return bl_fail("%s: shape %s has no elements", op, text);
	return bl_fail("%s: shape %s has no elements along the %s dimension", op, text,
	               bl_dim_ordinal(dim < 0 ? dim + a->ndim : dim));
}

/* A new tensor of a's shape, but with size 1 along the dimensions of the mask. */
static bl_tensor *kept_new(const bl_tensor *a, unsigned mask)
{
	int64_t shape[BL_MAXDIM] = { 0 };
	for (int d = 0; d < a->ndim; d++)
		shape[d] = mask >> d & 1 ? 1 : a->shape[d];
	return bl_tensor_new(a->ndim, shape);
}

/*
 * Returns t if keepdim, otherwise a view without the dimensions of the mask, which have size 1.  Takes ownership of t.
 */
static bl_tensor *without(bl_tensor *t, unsigned mask, bool keepdim)
{
	int64_t shape[BL_MAXDIM], stride[BL_MAXDIM];
	int n = 0;
	if (!t || keepdim)
		return t;
	for (int d = 0; d < t->ndim; d++) {
		if (mask >> d & 1)
			continue;
		shape[n] = t->shape[d];
		stride[n++] = t->stride[d];
	}
	bl_tensor *view = bl_tensor_view_of(t, n, shape, stride, t->data);
	bl_tensor_unref(t);
	return view;
}

/*
 * A view of g that is broadcast to x's shape.  g may lack the dimensions of the mask.  The view holds no reference to
 * the storage and is used only by bl_walk.
 */
static bl_tensor stretched(const bl_tensor *g, const bl_tensor *x, unsigned mask)
{
	bl_tensor v = { .ndim = x->ndim, .data = g->data };
	bool keepdim = g->ndim == x->ndim;
	for (int d = 0, from = 0; d < x->ndim; d++) {
		bool summed = mask >> d & 1;
		v.shape[d] = x->shape[d];
		v.stride[d] = summed ? 0 : g->stride[from];
		from += keepdim || !summed;
	}
	return v;
}

/* scale times the sum of a, or of (a - mean)^2, over the dimensions of the mask. */
static bl_tensor *sums(const bl_tensor *a, const bl_tensor *mean, unsigned mask, double scale)
{
	bl_tensor *y = kept_new(a, mask);
	if (!y)
		return NULL;
	if (bl_sum_dims(&(bl_sum_args){ .x = a, .mean = mean, .mask = mask, .scale = scale, .out = y })) {
		bl_tensor_unref(y);
		return NULL;
	}
	return y;
}

/* The node of sum and mean: the derivative with respect to every element is `scale`. */
typedef struct sum_node {
	unsigned mask;
	float scale;
} sum_node;

static void scale_run(void *ctx, int64_t n, float *const *v, const int64_t *s)
{
	float scale = *(const float *)ctx;
	for (int64_t i = 0; i < n; i++)
		v[0][i * s[0]] = scale * v[1][i * s[1]];
}

static bl_tensor *scaled(const bl_tensor *t, float scale)
{
	bl_tensor *y = bl_tensor_like(t);
	bl_walk w;
	if (!y)
		return NULL;
	bl_walk_init(&w, 2, (bl_tensor *[]){ y, (bl_tensor *)t });
	bl_walk_run(&w, scale_run, &scale);
	return y;
}

static int sum_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const sum_node *nd = ctx;
	(void)out;
	bl_tensor *g = scaled(dout, nd->scale);
	if (!g)
		return -1;
	bl_tensor all = stretched(g, in[0], nd->mask);
	int rc = bl_grad_add(in[0], &all);
	bl_tensor_unref(g);
	return rc;
}

static bl_tensor *sum_new(enum bl_op op, bl_tensor *a, const extent *e, double scale, bool keepdim)
{
	sum_node nd = { e->mask, (float)scale };
	bl_tensor *y = without(sums(a, NULL, e->mask, scale), e->mask, keepdim);
	return bl_node_attach(y, op, 1, &a, sum_back, &nd, sizeof nd, NULL);
}

bl_tensor *bl_sum(bl_tensor *a, int dim, bool keepdim)
{
	extent e;
	return extent_of("sum", a, dim, &e) ? NULL : sum_new(BL_OP_sum, a, &e, 1, keepdim);
}

bl_tensor *bl_mean(bl_tensor *a, int dim, bool keepdim)
{
	extent e;
	return extent_filled("mean", a, dim, &e) ? NULL : sum_new(BL_OP_mean, a, &e, 1. / (double)e.count, keepdim);
}

/* v = sum (x - m)^2 / f;  dx = dv 2 (x - m) / f.  For s = sqrt(v): dx = ds (x - m) / (f s), or 0 if s is 0. */
typedef struct var_node {
	unsigned mask;
	float freedom;   /* f */
	bool root;       /* s instead of v */
	bl_tensor *mean; /* m, with all dimensions of x */
} var_node;

static void var_release(void *ctx)
{
	bl_tensor_unref(((var_node *)ctx)->mean);
}

static void var_factor_run(void *ctx, int64_t n, float *const *v, const int64_t *s)
{
	const var_node *nd = ctx;
	for (int64_t i = 0; i < n; i++) {
		float g = v[1][i * s[1]] / nd->freedom, y = v[2][i * s[2]];
		v[0][i * s[0]] = !nd->root ? 2 * g : y == 0 ? 0 : g / y;
	}
}

/* The factor of x - m in the gradient. */
static bl_tensor *var_factor(var_node *nd, const bl_tensor *out, const bl_tensor *dout)
{
	bl_tensor *f = bl_tensor_like(dout);
	bl_walk w;
	if (!f)
		return NULL;
	bl_walk_init(&w, 3, (bl_tensor *[]){ f, (bl_tensor *)dout, (bl_tensor *)out });
	bl_walk_run(&w, var_factor_run, nd);
	return f;
}

INLINE void var_slope(int64_t n, float *restrict dx, const float *x, const float *m, const float *f, int64_t sdx, int64_t sx,
                      int64_t sm, int64_t sf, bool add)
{
	for (int64_t i = 0; add && i < n; i++)
		dx[i * sdx] += (x[i * sx] - m[i * sm]) * f[i * sf];
	for (int64_t i = 0; !add && i < n; i++)
		dx[i * sdx] = (x[i * sx] - m[i * sm]) * f[i * sf];
}

static void var_run(void *ctx, int64_t n, float *const *v, const int64_t *s)
{
	bool add = *(const bool *)ctx, unit = s[0] == 1 && s[1] == 1;
	if (unit && s[2] == 1 && s[3] == 1)
		var_slope(n, v[0], v[1], v[2], v[3], 1, 1, 1, 1, add);
	else if (unit && s[2] == 0 && s[3] == 0)
		var_slope(n, v[0], v[1], v[2], v[3], 1, 1, 0, 0, add);
	else
		var_slope(n, v[0], v[1], v[2], v[3], s[0], s[1], s[2], s[3], add);
}

static int var_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	var_node *nd = ctx;
	bool add;
	bl_tensor *f = var_factor(nd, out, dout), *sink = f ? bl_grad_sink(in[0], &add) : NULL;
	if (sink) {
		bl_tensor m = stretched(nd->mean, in[0], nd->mask), factor = stretched(f, in[0], nd->mask);
		bl_walk w;
		bl_walk_init(&w, 4, (bl_tensor *[]){ sink, in[0], &m, &factor });
		bl_walk_run(&w, var_run, &add);
	}
	bl_tensor_unref(f);
	return sink ? 0 : -1;
}

static int var_extent(const char *op, const bl_tensor *a, int dim, bool unbiased, extent *e)
{
	char text[BL_SHAPE_TEXT];
	if (extent_filled(op, a, dim, e))
		return -1;
	if (e->count > 1 || !unbiased)
		return 0;
	return bl_fail("%s: unbiased over 1 element of shape %s: expected 2 or more", op, bl_tensor_text(a, text));
}

static void sqrt_run(void *ctx, int64_t n, float *const *v, const int64_t *s)
{
	(void)ctx;
	for (int64_t i = 0; i < n; i++)
		v[0][i * s[0]] = sqrtf(v[0][i * s[0]]);
}

static void sqrt_in_place(bl_tensor *t)
{
	bl_walk w;
	bl_walk_init(&w, 1, &t);
	bl_walk_run(&w, sqrt_run, NULL);
}

static bl_tensor *var_new(enum bl_op op, bl_tensor *a, int dim, bool keepdim, bool unbiased)
{
	extent e;
	if (var_extent(bl_op_name(op), a, dim, unbiased, &e))
		return NULL;
	double freedom = (double)(e.count - unbiased);
	var_node nd = { e.mask, (float)freedom, op == BL_OP_std, sums(a, NULL, e.mask, 1. / (double)e.count) };
	bl_tensor *y = nd.mean ? without(sums(a, nd.mean, e.mask, 1. / freedom), e.mask, keepdim) : NULL;
	if (y && nd.root)
		sqrt_in_place(y);
	return bl_node_attach(y, op, 1, &a, var_back, &nd, sizeof nd, var_release);
}

bl_tensor *bl_var(bl_tensor *a, int dim, bool keepdim, bool unbiased)
{
	return var_new(BL_OP_var, a, dim, keepdim, unbiased);
}

bl_tensor *bl_std(bl_tensor *a, int dim, bool keepdim, bool unbiased)
{
	return var_new(BL_OP_std, a, dim, keepdim, unbiased);
}

/*
 * The node of a maximum or minimum along a dimension.  `place` contains the index of the extreme element, as int32, in
 * a tensor of y's shape in which dim has size 1.
 */
typedef struct extreme_node {
	int dim;
	bl_tensor *place;
} extreme_node;

typedef struct line { /* the elements along the dimension */
	int64_t n, stride;
	bool least;
} line;

static bool beats(float a, float b, bool least)
{
	return (least ? a < b : a > b) || (a != a && b == b); /* NaN precedes all numbers */
}

static void extreme_run(void *ctx, int64_t n, float *const *v, const int64_t *s)
{
	const line *c = ctx;
	int32_t *place = (int32_t *)v[2];
	for (int64_t i = 0; i < n; i++) {
		const float *x = v[1] + i * s[1];
		int64_t best = 0;
		for (int64_t k = 1; k < c->n; k++)
			best = beats(x[k * c->stride], x[best * c->stride], c->least) ? k : best;
		v[0][i * s[0]] = x[best * c->stride];
		place[i * s[2]] = (int32_t)best;
	}
}

static void extreme_back_run(void *ctx, int64_t n, float *const *v, const int64_t *s)
{
	int64_t stride = *(const int64_t *)ctx;
	const int32_t *place = (const int32_t *)v[2];
	for (int64_t i = 0; i < n; i++)
		v[0][i * s[0] + place[i * s[2]] * stride] += v[1][i * s[1]];
}

/* A view of t's first slice along dim, whose size becomes 1, used only by bl_walk. */
static bl_tensor first_slice(const bl_tensor *t, int dim)
{
	bl_tensor v = { .ndim = t->ndim, .data = t->data };
	for (int d = 0; d < t->ndim; d++) {
		v.shape[d] = d == dim ? 1 : t->shape[d];
		v.stride[d] = t->stride[d];
	}
	return v;
}

static int extreme_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const extreme_node *nd = ctx;
	bool add;
	(void)out;
	bl_tensor *sink = bl_grad_sink(in[0], &add);
	if (!sink)
		return -1;
	if (!add)
		bl_tensor_fill(sink, 0);
	bl_tensor first = first_slice(sink, nd->dim), g = stretched(dout, &first, 1u << nd->dim);
	bl_walk w;
	bl_walk_init(&w, 3, (bl_tensor *[]){ &first, &g, nd->place });
	bl_walk_run(&w, extreme_back_run, &sink->stride[nd->dim]);
	return 0;
}

static void extreme_release(void *ctx)
{
	bl_tensor_unref(((extreme_node *)ctx)->place);
}

static bl_tensor *extreme_along(bl_tensor *a, int dim, bool keepdim, bool least)
{
	unsigned mask = 1u << dim;
	bl_tensor *y = kept_new(a, mask);
	extreme_node nd = { dim, y ? kept_new(a, mask) : NULL };
	if (!nd.place) {
		bl_tensor_unref(y);
		return NULL;
	}
	bl_tensor first = first_slice(a, dim);
	bl_walk w;
	bl_walk_init(&w, 3, (bl_tensor *[]){ y, &first, nd.place });
	bl_walk_run(&w, extreme_run, &(line){ a->shape[dim], a->stride[dim], least });
	return bl_node_attach(without(y, mask, keepdim), least ? BL_OP_min : BL_OP_max, 1, &a, extreme_back, &nd, sizeof nd,
	                      extreme_release);
}

/* The maximum or minimum of all elements, computed along the only dimension of a flat tensor. */
static bl_tensor *extreme_of_all(bl_tensor *a, int64_t count, bool keepdim, bool least)
{
	static const int64_t ones[BL_MAXDIM] = { 1, 1, 1, 1, 1, 1 };
	bl_tensor *flat = bl_reshape(a, 1, &count), *y = flat ? extreme_along(flat, 0, false, least) : NULL;
	bl_tensor_unref(flat);
	if (!y || !keepdim)
		return y;
	bl_tensor *kept = bl_reshape(y, a->ndim, ones);
	bl_tensor_unref(y);
	return kept;
}

static bl_tensor *extreme(bl_tensor *a, int dim, bool keepdim, bool least)
{
	const char *name = least ? "min" : "max";
	extent e;
	if (extent_filled(name, a, dim, &e))
		return NULL;
	if (e.count > INT32_MAX)
		return bl_fail_null("%s: %lld elements, expected at most %d", name, (long long)e.count, INT32_MAX);
	return dim == BL_ALL ? extreme_of_all(a, e.count, keepdim, least)
	                     : extreme_along(a, bl_dim_index(name, a, dim), keepdim, least);
}

bl_tensor *bl_max(bl_tensor *a, int dim, bool keepdim)
{
	return extreme(a, dim, keepdim, false);
}

bl_tensor *bl_min(bl_tensor *a, int dim, bool keepdim)
{
	return extreme(a, dim, keepdim, true);
}
