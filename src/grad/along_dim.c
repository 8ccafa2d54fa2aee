/* SPDX-License-Identifier: GPL-3.0-or-later */
/* along_dim.c: operations on each line along a dimension: sort, cumulative sum, norm. */
#include "grad/dims.h"
#include "grad/node.h"

#include <barlow/memory.h>

#include <math.h>
#include <stdlib.h>

/* The number of lines along `dim`: the product of the other sizes.  Lines are numbered in row-major order. */
static int64_t lines_of(const bl_tensor *t, int dim)
{
	int64_t n = 1;
	for (int d = 0; d < t->ndim; d++)
		n *= d == dim ? 1 : t->shape[d];
	return n;
}

static float *line_at(const bl_tensor *t, int dim, int64_t line)
{
	float *p = t->data;
	for (int d = t->ndim - 1; d >= 0; d--) {
		if (d == dim)
			continue;
		p += line % t->shape[d] * t->stride[d];
		line /= t->shape[d];
	}
	return p;
}

typedef struct job {
	const bl_tensor *x, *g;
	bl_tensor *y;
	int dim;
	bool flag;
	atomic_bool failed;
} job;

/* --- sort --- */

enum { PLACES_MOST = 1 << 24 }; /* indices are stored as float32, which is exact up to this number */

typedef struct keyed {
	float value;
	int32_t place;
} keyed;

/* NaN is the largest value, as in PyTorch.  Equal elements have the order of their indices, also if sign is -1. */
static int by_value(const keyed *a, const keyed *b, int sign)
{
	bool less = a->value < b->value || (b->value != b->value && a->value == a->value);
	bool more = b->value < a->value || (a->value != a->value && b->value == b->value);
	return less ? -sign : more ? sign : a->place < b->place ? -1 : 1;
}

static int ascending(const void *a, const void *b)
{
	return by_value(a, b, 1);
}

static int descending(const void *a, const void *b)
{
	return by_value(a, b, -1);
}

/* Writes the indices of the elements of a line of x, in sorted order, to that line of y. */
static void sort_line(void *ctx, int64_t line)
{
	job *j = ctx;
	int64_t n = j->x->shape[j->dim];
	const float *x = line_at(j->x, j->dim, line);
	float *y = line_at(j->y, j->dim, line);
	keyed *k = bl_block_take((size_t)n * sizeof *k);
	if (!k) {
		atomic_store(&j->failed, true);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		k[i] = (keyed){ x[i * j->x->stride[j->dim]], (int32_t)i };
	qsort(k, (size_t)n, sizeof *k, j->flag ? descending : ascending);
	for (int64_t i = 0; i < n; i++)
		y[i * j->y->stride[j->dim]] = (float)k[i].place;
	bl_block_give(k);
}

/* A new tensor with the first k indices of each line along dim (0..ndim-1) in sorted order. */
static bl_tensor *sorted_places(const char *op, const bl_tensor *a, int64_t k, int dim, bool descend)
{
	char text[BL_SHAPE_TEXT];
	if (a->shape[dim] > PLACES_MOST)
		return bl_fail_null("%s: %lld elements along the %s dimension, expected at most %d", op, (long long)a->shape[dim],
		                    bl_dim_ordinal(dim), PLACES_MOST);
	if (k < 0 || k > a->shape[dim])
		return bl_fail_null("%s: %lld of the elements along the %s dimension of shape %s, expected 0 to %lld", op,
		                    (long long)k, bl_dim_ordinal(dim), bl_tensor_text(a, text), (long long)a->shape[dim]);
	bl_tensor *all = bl_tensor_new(a->ndim, a->shape);
	if (!all)
		return NULL;
	job j = { .x = a, .y = all, .dim = dim, .flag = descend };
	if (bl_tensor_count(a) > 0)
		bl_parallel(lines_of(a, dim), sort_line, &j);
	bl_tensor *first = atomic_load(&j.failed) ? bl_fail_null("%s: no memory", op) : bl_narrow(all, dim, 0, k);
	bl_tensor *places = first ? bl_tensor_contiguous(first) : NULL;
	bl_tensor_unref(first);
	bl_tensor_unref(all);
	return places;
}

static bl_tensor *sorted(const char *op, bl_tensor *a, int64_t k, int dim, bool descend, bl_tensor **places)
{
	*places = sorted_places(op, a, k, dim, descend);
	bl_tensor *y = *places ? bl_gather(a, dim, *places) : NULL;
	if (!y) {
		bl_tensor_unref(*places);
		*places = NULL;
	}
	return y;
}

bl_tensor *bl_sort(bl_tensor *a, int dim, bool descend, bl_tensor **places)
{
	dim = bl_dim_index("sort", a, dim);
	return dim < 0 ? NULL : sorted("sort", a, a->shape[dim], dim, descend, places);
}

bl_tensor *bl_topk(bl_tensor *a, int64_t k, int dim, bool largest, bl_tensor **places)
{
	dim = bl_dim_index("topk", a, dim);
	return dim < 0 ? NULL : sorted("topk", a, k, dim, largest, places);
}

/* --- cumulative sum: y_i = x_0 + ... + x_i;  dx_i = dy_i + ... + dy_n --- */

/* Writes the cumulative sums of a line of x to that line of y.  flag: sums from the end.  g not NULL: adds to y. */
static void sum_line(void *ctx, int64_t line)
{
	const job *j = ctx;
	int64_t n = j->x->shape[j->dim], from = j->x->stride[j->dim], to = j->y->stride[j->dim];
	const float *x = line_at(j->x, j->dim, line);
	float *y = line_at(j->y, j->dim, line);
	double sum = 0;
	for (int64_t i = 0; i < n; i++) {
		int64_t at = j->flag ? n - 1 - i : i;
		sum += x[at * from];
		y[at * to] = (float)(j->g ? y[at * to] + sum : sum);
	}
}

static void sum_lines(job *j)
{
	if (bl_tensor_count(j->x) > 0)
		bl_parallel(lines_of(j->x, j->dim), sum_line, j);
}

static int cumsum_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	bool add;
	(void)out;
	bl_tensor *sink = bl_grad_sink(in[0], &add);
	if (!sink)
		return -1;
	sum_lines(&(job){ .x = dout, .y = sink, .g = add ? sink : NULL, .dim = *(int *)ctx, .flag = true });
	return 0;
}

bl_tensor *bl_cumsum(bl_tensor *a, int dim)
{
	dim = bl_dim_index("cumsum", a, dim);
	bl_tensor *y = dim < 0 ? NULL : bl_tensor_new(a->ndim, a->shape);
	if (!y)
		return NULL;
	sum_lines(&(job){ .x = a, .y = y, .dim = dim });
	return bl_node_attach(y, BL_OP_cumsum, 1, &a, cumsum_back, &dim, sizeof dim, NULL);
}

/* --- norm: y = sqrt(sum x^2);  dx = dy x / y, or 0 if y is 0 --- */

static void norm_line(void *ctx, int64_t line)
{
	const job *j = ctx;
	int64_t n = j->x->shape[j->dim], step = j->x->stride[j->dim];
	const float *x = line_at(j->x, j->dim, line);
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += (double)x[i * step] * x[i * step];
	j->y->data[line] = (float)sqrt(sum);
}

typedef struct norm_job {
	const bl_tensor *x;
	bl_tensor *dx;
	const float *y, *dy; /* one value per line */
	int dim;
	bool add;
} norm_job;

static void norm_back_line(void *ctx, int64_t line)
{
	const norm_job *j = ctx;
	int64_t n = j->x->shape[j->dim], from = j->x->stride[j->dim], to = j->dx->stride[j->dim];
	const float *x = line_at(j->x, j->dim, line);
	float *dx = line_at(j->dx, j->dim, line), scale = j->y[line] == 0 ? 0 : j->dy[line] / j->y[line];
	for (int64_t i = 0; i < n; i++)
		dx[i * to] = (j->add ? dx[i * to] : 0) + x[i * from] * scale;
}

static int norm_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	norm_job j = { .x = in[0], .y = out->data, .dim = *(int *)ctx };
	bl_tensor *g = bl_tensor_contiguous((bl_tensor *)dout);
	j.dx = g ? bl_grad_sink(in[0], &j.add) : NULL;
	if (j.dx) {
		j.dy = g->data;
		bl_parallel(lines_of(j.x, j.dim), norm_back_line, &j);
	}
	bl_tensor_unref(g);
	return j.dx ? 0 : -1;
}

/* The norm for p = 2; dim is 0..ndim-1. */
static bl_tensor *euclidean(bl_tensor *a, int dim, bool keepdim)
{
	int64_t shape[BL_MAXDIM];
	int ndim = 0;
	for (int d = 0; d < a->ndim; d++)
		if (d != dim || keepdim)
			shape[ndim++] = d == dim ? 1 : a->shape[d];
	bl_tensor *y = bl_tensor_new(ndim, shape);
	if (!y)
		return NULL;
	bl_parallel(lines_of(a, dim), norm_line, &(job){ .x = a, .y = y, .dim = dim });
	return bl_node_attach(y, BL_OP_norm, 1, &a, norm_back, &dim, sizeof dim, NULL);
}

/* Releases t and returns f, which was computed from t. */
static bl_tensor *then(bl_tensor *t, bl_tensor *f)
{
	bl_tensor_unref(t);
	return f;
}

/* (sum |x|^p)^(1/p), composed of other operations; for p = 1 it is a sum, and for p = infinity a maximum. */
static bl_tensor *other_norm(bl_tensor *a, double p, int dim, bool keepdim)
{
	bl_tensor *t = bl_abs(a);
	if (!t || isinf(p))
		return t ? then(t, bl_max(t, dim, keepdim)) : NULL;
	if (p != 1)
		t = then(t, bl_pow(t, (float)p));
	t = t ? then(t, bl_sum(t, dim, keepdim)) : NULL;
	return t && p != 1 ? then(t, bl_pow(t, (float)(1 / p))) : t;
}

/* The norm of all elements, computed along the only dimension of a flat tensor. */
static bl_tensor *norm_of_all(bl_tensor *a, bool keepdim)
{
	static const int64_t ones[BL_MAXDIM] = { 1, 1, 1, 1, 1, 1 };
	bl_tensor *flat = bl_reshape(a, 1, (int64_t[]){ bl_tensor_count(a) });
	bl_tensor *y = flat ? then(flat, euclidean(flat, 0, false)) : NULL;
	return y && keepdim ? then(y, bl_reshape(y, a->ndim, ones)) : y;
}

bl_tensor *bl_norm(bl_tensor *a, double p, int dim, bool keepdim)
{
	if (!(p > 0))
		return bl_fail_null("norm: p = %g, expected a number above 0", p);
	if (p != 2)
		return other_norm(a, p, dim, keepdim);
	if (dim == BL_ALL)
		return norm_of_all(a, keepdim);
	dim = bl_dim_index("norm", a, dim);
	return dim < 0 ? NULL : euclidean(a, dim, keepdim);
}
