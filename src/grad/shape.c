/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shape.c: operations that change shapes (by views if the strides allow it), rows by index, and concatenation. */
#include "grad/dims.h"
#include "grad/node.h"

#include <barlow/memory.h>

#include <string.h>

/* A view of a's storage with the shape, strides and data of v, which holds no reference to it. */
static bl_tensor *view(const bl_tensor *a, const bl_tensor *v)
{
	return bl_tensor_view_of(a, v->ndim, v->shape, v->stride, v->data);
}

/* The order of dimensions in transpose and permute: dimension d of the result is dimension of[d] of the input. */
typedef struct order {
	int of[BL_MAXDIM];
} order;

static bl_tensor permuted(const bl_tensor *t, const order *o)
{
	bl_tensor v = { .ndim = t->ndim, .data = t->data };
	for (int d = 0; d < t->ndim; d++) {
		v.shape[d] = t->shape[o->of[d]];
		v.stride[d] = t->stride[o->of[d]];
	}
	return v;
}

static int permute_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const order *o = ctx;
	order back;
	(void)out;
	for (int d = 0; d < dout->ndim; d++)
		back.of[o->of[d]] = d;
	bl_tensor g = permuted(dout, &back);
	return bl_grad_add(in[0], &g);
}

static bl_tensor *permute_new(bl_tensor *a, const order *o)
{
	bl_tensor v = permuted(a, o);
	return bl_node_attach(view(a, &v), BL_OP_view, 1, &a, permute_back, o, sizeof *o, NULL);
}

bl_tensor *bl_transpose(bl_tensor *a, int d0, int d1)
{
	order o = { { 0, 1, 2, 3, 4, 5 } };
	d0 = bl_dim_index("transpose", a, d0);
	d1 = d0 < 0 ? -1 : bl_dim_index("transpose", a, d1);
	if (d1 < 0)
		return NULL;
	o.of[d0] = d1;
	o.of[d1] = d0;
	return permute_new(a, &o);
}

bl_tensor *bl_permute(bl_tensor *a, const int *wanted)
{
	char text[BL_SHAPE_TEXT];
	unsigned seen = 0;
	order o = { { 0 } };
	for (int d = 0; d < a->ndim; d++) {
		o.of[d] = bl_dim_index("permute", a, wanted[d]);
		if (o.of[d] < 0)
			return NULL;
		if (seen >> o.of[d] & 1)
			return bl_fail_null("permute: the %s dimension of shape %s is named twice", bl_dim_ordinal(o.of[d]),
			                    bl_tensor_text(a, text));
		seen |= 1u << o.of[d];
	}
	return permute_new(a, &o);
}

/*
 * A view of a part of a tensor: narrow, select, or the diagonal.  The gradient is added to the same part of the input's
 * gradient.
 */
typedef struct part {
	bl_tensor (*of)(const bl_tensor *t, const struct part *p);
	int dim;
	int64_t start, length;
} part;

static void add_run(void *ctx, int64_t n, float *const *v, const int64_t *s)
{
	(void)ctx;
	for (int64_t i = 0; i < n; i++)
		v[0][i * s[0]] += v[1][i * s[1]];
}

static int part_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const part *p = ctx;
	bool add;
	bl_walk w;
	(void)out;
	bl_tensor *sink = bl_grad_sink(in[0], &add);
	if (!sink)
		return -1;
	if (!add)
		bl_tensor_fill(sink, 0);
	bl_tensor into = p->of(sink, p);
	bl_walk_init(&w, 2, (bl_tensor *[]){ &into, (bl_tensor *)dout });
	bl_walk_run(&w, add_run, NULL);
	return 0;
}

static bl_tensor *part_new(enum bl_op op, bl_tensor *a, const part *p)
{
	bl_tensor v = p->of(a, p);
	return bl_node_attach(view(a, &v), op, 1, &a, part_back, p, sizeof *p, NULL);
}

static bl_tensor narrowed(const bl_tensor *t, const part *p)
{
	bl_tensor v = { .ndim = t->ndim, .data = t->data + p->start * t->stride[p->dim] };
	memcpy(v.shape, t->shape, sizeof v.shape);
	memcpy(v.stride, t->stride, sizeof v.stride);
	v.shape[p->dim] = p->length;
	return v;
}

static bl_tensor selected(const bl_tensor *t, const part *p)
{
	bl_tensor v = narrowed(t, p);
	v.ndim--;
	for (int d = p->dim; d < v.ndim; d++) {
		v.shape[d] = t->shape[d + 1];
		v.stride[d] = t->stride[d + 1];
	}
	return v;
}

bl_tensor *bl_narrow(bl_tensor *a, int dim, int64_t start, int64_t length)
{
	char text[BL_SHAPE_TEXT];
	part p = { narrowed, bl_dim_index("narrow", a, dim), start, length };
	if (p.dim < 0)
		return NULL;
	if (start < 0 || length < 0 || start > a->shape[p.dim] - length)
		return bl_fail_null("narrow: %lld elements behind the first %lld do not lie within the %s dimension of shape %s",
		                    (long long)length, (long long)start, bl_dim_ordinal(p.dim), bl_tensor_text(a, text));
	return part_new(BL_OP_view, a, &p);
}

bl_tensor *bl_select(bl_tensor *a, int dim, int64_t index)
{
	char text[BL_SHAPE_TEXT];
	part p = { selected, bl_dim_index("select", a, dim), index, 1 };
	if (p.dim < 0)
		return NULL;
	if (index < 0 || index >= a->shape[p.dim])
		return bl_fail_null("select: index %lld is outside the %s dimension of shape %s", (long long)index,
		                    bl_dim_ordinal(p.dim), bl_tensor_text(a, text));
	return part_new(BL_OP_view, a, &p);
}

/* A view of the diagonal of a matrix. */
static bl_tensor diagonal(const bl_tensor *t, const part *p)
{
	(void)p;
	int64_t step = t->stride[0] + t->stride[1];
	return (bl_tensor){ .ndim = 1, .shape = { t->shape[0] }, .stride = { step }, .data = t->data };
}

static int from_diagonal_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	(void)ctx, (void)out;
	bl_tensor g = diagonal(dout, NULL);
	return bl_grad_add(in[0], &g);
}

static bl_tensor *from_diagonal(bl_tensor *a)
{
	bl_tensor *y = bl_tensor_full(2, (int64_t[]){ a->shape[0], a->shape[0] }, 0);
	if (!y)
		return NULL;
	bl_tensor d = diagonal(y, NULL);
	bl_tensor_copy(&d, a);
	return bl_node_attach(y, BL_OP_diag, 1, &a, from_diagonal_back, NULL, 0, NULL);
}

bl_tensor *bl_diag(bl_tensor *a)
{
	char text[BL_SHAPE_TEXT];
	if (a->ndim == 1)
		return from_diagonal(a);
	if (a->ndim != 2 || a->shape[0] != a->shape[1])
		return bl_fail_null("diag: expected a square matrix or a vector, got shape %s", bl_tensor_text(a, text));
	return part_new(BL_OP_diag, a, &(part){ .of = diagonal });
}

static int expand_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	(void)ctx, (void)out;
	return bl_broadcast_grad(in[0], dout, 1);
}

static bool expandable(const bl_tensor *a, int ndim, const int64_t *shape)
{
	bool fits = ndim >= a->ndim && ndim <= BL_MAXDIM;
	for (int d = 0; fits && d < a->ndim; d++)
		fits = a->shape[d] == 1 || a->shape[d] == shape[d + ndim - a->ndim];
	for (int d = 0; fits && d < ndim; d++)
		fits = shape[d] >= 0;
	return fits;
}

bl_tensor *bl_expand(bl_tensor *a, int ndim, const int64_t *shape)
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	if (!expandable(a, ndim, shape))
		return bl_fail_null("expand: shape %s cannot be stretched to %s", bl_tensor_text(a, at),
		                    bl_shape_text(ndim, shape, bt));
	bl_tensor v = bl_broadcast_view(a, ndim, shape);
	return bl_node_attach(view(a, &v), BL_OP_expand, 1, &a, expand_back, NULL, 0, NULL);
}

/*
 * Copies `shape` to out, and computes the size that is -1.  Returns -1 if the shape does not have a's number of
 * elements.
 */
static int fill_in(const bl_tensor *a, int ndim, const int64_t *shape, int64_t *out)
{
	int64_t count = bl_tensor_count(a), known = 1;
	int open = -1;
	if (ndim < 0 || ndim > BL_MAXDIM)
		return -1;
	for (int d = 0; d < ndim; d++) {
		out[d] = shape[d];
		if (shape[d] == -1 && open < 0)
			open = d;
		else if (shape[d] < 0 || __builtin_mul_overflow(known, shape[d], &known))
			return -1;
	}
	if (open < 0)
		return known == count ? 0 : -1;
	if (known == 0 || count % known)
		return -1;
	out[open] = count / known;
	return 0;
}

/* Adjacent dimensions from..to-1, and the product of their sizes. */
typedef struct group {
	int from, to;
	int64_t count;
} group;

static void group_take(group *g, const int64_t *shape)
{
	g->count *= shape[g->to++];
}

/* Are the elements of the group evenly spaced in memory? */
static bool group_is_even(const group *g, const int64_t *shape, const int64_t *stride)
{
	for (int d = g->from; d + 1 < g->to; d++)
		if (stride[d] != shape[d + 1] * stride[d + 1])
			return false;
	return true;
}

static void group_strides(const group *g, const int64_t *shape, int64_t step, int64_t *stride)
{
	for (int d = g->to - 1; d >= g->from; d--) {
		stride[d] = step;
		step *= shape[d];
	}
}

/*
 * Copies a's dimensions except those of size 1, whose strides have no meaning; returns the number of dimensions copied.
 */
static int solid_dims(const bl_tensor *a, int64_t *shape, int64_t *stride)
{
	int n = 0;
	for (int d = 0; d < a->ndim; d++) {
		if (a->shape[d] == 1)
			continue;
		shape[n] = a->shape[d];
		stride[n++] = a->stride[d];
	}
	return n;
}

/*
 * Computes the strides of a view of a that has this shape; false: there is no such view.  Both shapes are divided into
 * groups of dimensions, so that corresponding groups have equal numbers of elements.  The elements of each group of a
 * have to be evenly spaced in memory.
 */
static bool restride(const bl_tensor *a, int ndim, const int64_t *shape, int64_t *stride)
{
	int64_t old[BL_MAXDIM], old_stride[BL_MAXDIM];
	int n = solid_dims(a, old, old_stride);
	bl_strides_row_major(ndim, shape, stride);
	if (bl_tensor_count(a) == 0 || bl_tensor_is_contiguous(a))
		return true;
	for (group g = { 0, 0, 1 }, o = { 0, 0, 1 }; g.to < ndim && o.to < n;
	     g = (group){ g.to, g.to, 1 }, o = (group){ o.to, o.to, 1 }) {
		group_take(&g, shape);
		if (g.count == 1) { /* a dimension of size 1 is in no group */
			o.to = o.from;
			continue;
		}
		group_take(&o, old);
		while (g.count != o.count)
			g.count < o.count ? group_take(&g, shape) : group_take(&o, old);
		if (!group_is_even(&o, old, old_stride))
			return false;
		group_strides(&g, shape, old_stride[o.to - 1], stride);
	}
	return true;
}

/* A view of t, or of a row-major copy of t, with this shape, which has the same number of elements. */
static bl_tensor *reshaped(bl_tensor *t, int ndim, const int64_t *shape)
{
	int64_t stride[BL_MAXDIM] = { 0 };
	if (restride(t, ndim, shape, stride))
		return bl_tensor_view_of(t, ndim, shape, stride, t->data);
	bl_tensor *copy = bl_tensor_contiguous(t);
	if (!copy)
		return NULL;
	bl_strides_row_major(ndim, shape, stride);
	bl_tensor *y = bl_tensor_view_of(copy, ndim, shape, stride, copy->data);
	bl_tensor_unref(copy);
	return y;
}

static int reshape_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	(void)ctx, (void)out;
	bl_tensor *g = reshaped((bl_tensor *)dout, in[0]->ndim, in[0]->shape);
	int rc = g ? bl_grad_pass(in[0], g) : -1;
	bl_tensor_unref(g);
	return rc;
}

bl_tensor *bl_reshape(bl_tensor *a, int ndim, const int64_t *shape)
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	int64_t filled[BL_MAXDIM] = { 0 };
	if (fill_in(a, ndim, shape, filled))
		return bl_fail_null("reshape: shape %s does not hold the %lld elements of %s", bl_shape_text(ndim, shape, bt),
		                    (long long)bl_tensor_count(a), bl_tensor_text(a, at));
	return bl_node_attach(reshaped(a, ndim, filled), BL_OP_reshape, 1, &a, reshape_back, NULL, 0, NULL);
}

/*
 * Channels-last images are flattened by transposing (H W, C) of each image, in tiles that stay in the first-level
 * cache.
 */
enum { TILE = 16 };

typedef struct repack {
	const float *from;
	float *to;
	int64_t rows, cols, bands; /* size of an image in `from`; number of bands into which its rows are divided */
	bool add;
} repack;

static inline __attribute__((always_inline)) void tile(const repack *r, const float *from, float *to, int64_t rows, int64_t cols)
{
	for (int64_t j = 0; j < cols; j++)
		for (int64_t i = 0; i < rows; i++) {
			float *t = to + j * r->rows + i;
			*t = r->add ? *t + from[i * r->cols + j] : from[i * r->cols + j];
		}
}

static void repack_band(void *ctx, int64_t chunk)
{
	const repack *r = ctx;
	int64_t image = chunk / r->bands * r->rows * r->cols, i, end;
	bl_chunk_range(r->rows, r->bands, chunk % r->bands, &i, &end);
	for (; i < end; i += TILE) {
		int64_t rows = end - i < TILE ? end - i : TILE;
		for (int64_t j = 0; j < r->cols; j += TILE) {
			int64_t cols = r->cols - j < TILE ? r->cols - j : TILE;
			const float *from = r->from + image + i * r->cols + j;
			float *to = r->to + image + j * r->rows + i;
			if (rows == TILE && cols == TILE)
				tile(r, from, to, TILE, TILE);
			else
				tile(r, from, to, rows, cols);
		}
	}
}

static void repack_images(int64_t images, repack r)
{
	r.bands = r.rows * r.cols / (1 << 15) + 1;
	bl_parallel(images * r.bands, repack_band, &r);
}

static int flatten_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const int64_t *s = in[0]->shape;
	bool add;
	(void)ctx, (void)out;
	bl_tensor *sink = bl_grad_sink(in[0], &add);
	if (!sink)
		return -1;
	repack_images(s[0], (repack){ dout->data, sink->data, s[1], s[2] * s[3], 0, add });
	return 0;
}

static bl_tensor *flatten_images(bl_tensor *a)
{
	const int64_t *s = a->shape;
	bl_tensor *y = bl_tensor_new(2, (int64_t[]){ s[0], s[1] * s[2] * s[3] });
	if (y)
		repack_images(s[0], (repack){ a->data, y->data, s[2] * s[3], s[1], 0, false });
	return bl_node_attach(y, BL_OP_reshape, 1, &a, flatten_back, NULL, 0, NULL);
}

bl_tensor *bl_flatten(bl_tensor *a)
{
	int64_t rest = 1;
	if (a->ndim == 0)
		return bl_fail_null("flatten: expected (N, ...), got a scalar");
	for (int d = 1; d < a->ndim; d++)
		rest *= a->shape[d];
	if (bl_tensor_is_channels_last(a) && !bl_tensor_is_contiguous(a))
		return flatten_images(a);
	return bl_reshape(a, 2, (int64_t[]){ a->shape[0], rest });
}

typedef struct rows_node {
	int64_t *rows;
	int64_t n;
} rows_node;

static void rows_release(void *ctx)
{
	bl_block_give(((rows_node *)ctx)->rows);
}

typedef struct rows_job {
	const rows_node *nd;
	float *to;
	const float *from;
	int64_t row, cuts; /* number of elements in a row; number of pieces into which rows are divided */
} rows_job;

static void gather_row(void *ctx, int64_t i)
{
	const rows_job *j = ctx;
	memcpy(j->to + i * j->row, j->from + j->nd->rows[i] * j->row, (size_t)j->row * sizeof *j->to);
}

/* Adds one piece of the gradients of all rows, in order, since a row that was selected twice gets two gradients. */
static void scatter_piece(void *ctx, int64_t piece)
{
	const rows_job *j = ctx;
	int64_t from, to;
	bl_chunk_range(j->row, j->cuts, piece, &from, &to);
	for (int64_t i = 0; i < j->nd->n; i++) {
		float *restrict into = j->to + j->nd->rows[i] * j->row;
		const float *g = j->from + i * j->row;
		for (int64_t k = from; k < to; k++)
			into[k] += g[k];
	}
}

/* The number of elements in a row of a dense tensor. */
static int64_t row_length(const bl_tensor *t)
{
	int64_t n = 1;
	for (int d = 1; d < t->ndim; d++)
		n *= t->shape[d];
	return n;
}

static int rows_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	bool add;
	(void)out;
	bl_tensor *sink = bl_grad_sink(in[0], &add), *g = NULL;
	if (!sink)
		return -1;
	if (!add)
		bl_tensor_fill(sink, 0);
	bool row_major = bl_tensor_is_contiguous(sink);
	g = row_major ? bl_tensor_contiguous((bl_tensor *)dout) : bl_tensor_channels_last((bl_tensor *)dout);
	if (!g)
		return -1;
	rows_job j = { ctx, sink->data, g->data, row_length(sink), 1 };
	j.cuts = j.row / 1024 + 1;
	bl_parallel(j.cuts, scatter_piece, &j);
	bl_tensor_unref(g);
	return 0;
}

static int rows_check(const bl_tensor *a, const int64_t *rows, int64_t n)
{
	char text[BL_SHAPE_TEXT];
	if (a->ndim == 0 || n < 0)
		return bl_fail("index_rows: expected (R, ...) and a number of rows, got shape %s and %lld rows",
		               bl_tensor_text(a, text), (long long)n);
	for (int64_t i = 0; i < n; i++)
		if (rows[i] < 0 || rows[i] >= a->shape[0])
			return bl_fail("index_rows: row %lld (number %lld of the index) is outside shape %s", (long long)rows[i],
			               (long long)i, bl_tensor_text(a, text));
	return 0;
}

/* A new tensor for n rows of the dense tensor a, in a's memory order. */
static bl_tensor *rows_result(const bl_tensor *a, int64_t n)
{
	int64_t shape[BL_MAXDIM];
	memcpy(shape, a->shape, sizeof shape);
	shape[0] = n;
	if (!bl_tensor_is_contiguous(a))
		return bl_tensor_new_image(n, shape[1], shape[2], shape[3]);
	return bl_tensor_new(a->ndim, shape);
}

bl_tensor *bl_index_rows(bl_tensor *a, const int64_t *rows, int64_t n)
{
	if (rows_check(a, rows, n))
		return NULL;
	rows_node nd = { bl_block_take((size_t)n * sizeof *rows), n };
	bl_tensor *from = !nd.rows ? NULL : bl_tensor_is_dense(a) ? bl_tensor_ref(a) : bl_tensor_contiguous(a);
	bl_tensor *y = from ? rows_result(from, n) : NULL;
	if (y) {
		for (int64_t i = 0; i < n; i++)
			nd.rows[i] = rows[i];
		bl_parallel(n, gather_row, &(rows_job){ &nd, y->data, from->data, row_length(a), 0 });
	}
	bl_tensor_unref(from);
	return bl_node_attach(y, BL_OP_index_rows, 1, &a, rows_back, &nd, sizeof nd, rows_release);
}

static int cat_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	part p = { .dim = *(const int *)ctx };
	int rc = 0;
	(void)out;
	for (int i = 0; !rc && p.start < dout->shape[p.dim]; i++) {
		p.length = in[i]->shape[p.dim];
		bl_tensor g = narrowed(dout, &p);
		rc = bl_grad_add(in[i], &g);
		p.start += p.length;
	}
	return rc;
}

/* Fails unless t and `first` have equal sizes in all dimensions except dim. */
static int cat_check(const bl_tensor *first, const bl_tensor *t, int dim)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];
	bool fits = t->ndim == first->ndim;
	for (int d = 0; fits && d < t->ndim; d++)
		fits = d == dim || t->shape[d] == first->shape[d];
	if (fits)
		return 0;
	return bl_fail("cat: shapes %s and %s do not fit along the %s dimension", bl_tensor_text(first, a), bl_tensor_text(t, b),
	               bl_dim_ordinal(dim));
}

static bl_tensor *cat_result(bl_tensor *const *parts, int n, int dim)
{
	int64_t shape[BL_MAXDIM];
	memcpy(shape, parts[0]->shape, sizeof shape);
	for (int i = 1; i < n; i++) {
		if (cat_check(parts[0], parts[i], dim))
			return NULL;
		shape[dim] += parts[i]->shape[dim];
	}
	if (bl_tensor_is_channels_last(parts[0]) && !bl_tensor_is_contiguous(parts[0]))
		return bl_tensor_new_image(shape[0], shape[1], shape[2], shape[3]);
	return bl_tensor_new(parts[0]->ndim, shape);
}

bl_tensor *bl_cat(bl_tensor *const *parts, int n, int dim)
{
	if (n < 1)
		return bl_fail_null("cat: expected one tensor or more, got none");
	part p = { .dim = bl_dim_index("cat", parts[0], dim) };
	bl_tensor *y = p.dim < 0 ? NULL : cat_result(parts, n, p.dim);
	for (int i = 0; y && i < n; i++) {
		p.length = parts[i]->shape[p.dim];
		bl_tensor into = narrowed(y, &p);
		bl_tensor_copy(&into, parts[i]);
		p.start += p.length;
	}
	return bl_node_attach(y, BL_OP_cat, n, parts, cat_back, &p.dim, sizeof p.dim, NULL);
}
