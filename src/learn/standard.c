/* SPDX-License-Identifier: GPL-3.0-or-later */
/* standard.c: embeddings standardised per dimension over the batch. */
#include "learn/standard.h"

#include "base/clones.h"

#include <barlow/memory.h>

#include <math.h>
#include <stdatomic.h>
#include <string.h>

static int check(const bl_tensor *za, const bl_tensor *zb)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];
	if (za->ndim != 2 || zb->ndim != 2)
		return bl_fail("barlow loss: expected embeddings (N, D) of two views, got %s and %s",
		               bl_tensor_text(za, a), bl_tensor_text(zb, b));
	if (!bl_tensor_same_shape(za, zb))
		return bl_fail("barlow loss: the views' embeddings differ in shape: %s and %s", bl_tensor_text(za, a),
		               bl_tensor_text(zb, b));
	if (za->shape[0] < 2)
		return bl_fail("barlow loss: a batch of %lld has no variance: expected (N, D) with N >= 2, got %s",
		               (long long)za->shape[0], bl_tensor_text(za, a));
	if (za->shape[1] < 1)
		return bl_fail("barlow loss: expected (N, D) with D >= 1, got %s", bl_tensor_text(za, a));
	return 0;
}

int64_t bl_standard_chunks(int64_t n, int64_t d, int64_t at_least)
{
	enum { CACHE = 1 << 16, PIECES = 8, NARROW = 64 };
	int64_t width = CACHE / n;
	width = width < at_least ? at_least : width > BL_STANDARD_COLUMNS ? BL_STANDARD_COLUMNS : width;
	int64_t chunks = (d + width - 1) / width, spread = d / NARROW < PIECES ? d / NARROW : PIECES;
	return chunks < spread ? spread : chunks;
}

/* All in one block, each part on a cache line of its own. */
static int take_memory(bl_standard *s)
{
	enum { LINE = 16 };
	int64_t nd = (s->n * s->d + LINE - 1) / LINE * LINE, d = (s->d + LINE - 1) / LINE * LINE;
	float *p = s->block = bl_block_take((size_t)(2 * nd + 4 * d) * sizeof *p);
	if (!p)
		return -1;
	for (int v = 0; v < 2; v++, p += nd)
		s->z[v] = p;
	for (int v = 0; v < 2; v++, p += d)
		s->inv[v] = p;
	s->diag = (double *)(void *)p;
	return 0;
}

typedef struct job {
	bl_standard *s;
	const float *x[2];
	int64_t chunks;
	atomic_bool failed;
} job;

/* Rows of x, D apart, into a dense copy: strides of a power of two would make rows evict each other from the cache. */
BL_CLONES_EXACT static void gather(int64_t n, int64_t d, int64_t width, const float *x, float *copy, double *mean)
{
	memset(mean, 0, (size_t)width * sizeof *mean);
	for (int64_t i = 0; i < n; i++, x += d, copy += width)
		for (int64_t j = 0; j < width; j++) {
			copy[j] = x[j];
			mean[j] += (double)x[j];
		}
	for (int64_t j = 0; j < width; j++)
		mean[j] /= (double)n;
}

BL_CLONES_EXACT static void find_inv(const bl_standard *s, int64_t width, const float *copy, const double *mean,
                                     float *inv)
{
	double var[BL_STANDARD_COLUMNS] = { 0 };
	for (int64_t i = 0; i < s->n; i++, copy += width)
		for (int64_t j = 0; j < width; j++) {
			double c = (double)copy[j] - mean[j];
			var[j] += c * c;
		}
	for (int64_t j = 0; j < width; j++)
		inv[j] = var[j] == 0 ? 0 : (float)(1 / sqrt(var[j] / s->divisor + s->eps)); /* NaN goes through */
}

/* z (rows `pitch` apart) and the copy itself = (copy - mean) * inv */
BL_CLONES_EXACT static void scale(int64_t n, int64_t pitch, int64_t width, float *copy, const double *mean,
                                  const float *inv, float *z)
{
	for (int64_t i = 0; i < n; i++, copy += width, z += pitch)
		for (int64_t j = 0; j < width; j++)
			z[j] = copy[j] = (float)((double)copy[j] - mean[j]) * inv[j];
}

static void standardise(const bl_standard *s, int view, const float *x, int64_t from, int64_t width, float *copy)
{
	double mean[BL_STANDARD_COLUMNS];
	float *inv = s->inv[view] + from;
	gather(s->n, s->d, width, x + from, copy, mean);
	find_inv(s, width, copy, mean, inv);
	scale(s->n, s->d, width, copy, mean, inv, s->z[view] + from);
}

BL_CLONES_EXACT static void correlate(const bl_standard *s, int64_t from, int64_t width, const float *za,
                                      const float *zb)
{
	double *diag = s->diag + from;
	memset(diag, 0, (size_t)width * sizeof *diag);
	for (int64_t i = 0; i < s->n; i++, za += width, zb += width)
		for (int64_t j = 0; j < width; j++)
			diag[j] += (double)za[j] * (double)zb[j];
	for (int64_t j = 0; j < width; j++)
		diag[j] /= (double)s->n;
}

static void columns(void *ctx, int64_t chunk)
{
	job *b = ctx;
	bl_standard *s = b->s;
	int64_t from, to;
	bl_chunk_range(s->d, b->chunks, chunk, &from, &to);
	float *copy = bl_scratch(0, (size_t)(2 * s->n * (to - from)) * sizeof *copy);
	if (!copy) {
		atomic_store(&b->failed, true);
		return;
	}
	float *other = copy + s->n * (to - from);
	standardise(s, 0, b->x[0], from, to - from, copy);
	standardise(s, 1, b->x[1], from, to - from, other);
	correlate(s, from, to - from, copy, other);
}

static int run(bl_standard *s, bl_tensor *za, bl_tensor *zb)
{
	job b = { .s = s };
	if (!za || !zb)
		return -1;
	b.x[0] = za->data;
	b.x[1] = zb->data;
	b.chunks = bl_standard_chunks(s->n, s->d, 16);
	bl_parallel(b.chunks, columns, &b);
	return atomic_load(&b.failed) ? bl_fail("barlow loss: out of memory") : 0;
}

static bl_standard measures(bl_loss_dialect dialect, const bl_tensor *z)
{
	bool printed = dialect == BL_DIALECT_ALGORITHM1;
	int64_t n = z->shape[0];
	return (bl_standard){ .n = n, .d = z->shape[1], .divisor = (double)(printed ? n - 1 : n), .eps = printed ? 0 : 1e-5 };
}

int bl_standard_make(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb)
{
	*s = (bl_standard){ 0 };
	if (check(za, zb))
		return -1;
	*s = measures(dialect, za);
	if (take_memory(s))
		return -1;
	bl_tensor *a = bl_tensor_contiguous((bl_tensor *)za), *b = bl_tensor_contiguous((bl_tensor *)zb);
	int rc = run(s, a, b);
	bl_tensor_unref(a);
	bl_tensor_unref(b);
	if (rc)
		bl_standard_free(s);
	return rc;
}

/* --- Some columns of one view ------------------------------------------- */

typedef struct pick {
	bl_standard s; /* n, d, divisor and eps of it */
	const float *x;
	const int32_t *dims;
	int64_t count, chunks;
	float *out;
	atomic_bool failed;
} pick;

BL_CLONES_EXACT static void gather_dims(const bl_standard *s, const float *x, const int32_t *dims, int64_t width,
                                        float *copy, double *mean)
{
	memset(mean, 0, (size_t)width * sizeof *mean);
	for (int64_t i = 0; i < s->n; i++, x += s->d, copy += width)
		for (int64_t j = 0; j < width; j++) {
			copy[j] = x[dims[j]];
			mean[j] += (double)copy[j];
		}
	for (int64_t j = 0; j < width; j++)
		mean[j] /= (double)s->n;
}

static void pick_columns(void *ctx, int64_t chunk)
{
	pick *p = ctx;
	double mean[BL_STANDARD_COLUMNS];
	float inv[BL_STANDARD_COLUMNS];
	int64_t from, to;
	bl_chunk_range(p->count, p->chunks, chunk, &from, &to);
	int64_t width = to - from;
	float *copy = bl_scratch(0, (size_t)(p->s.n * width) * sizeof *copy), *out = p->out + from;
	if (!copy) {
		atomic_store(&p->failed, true);
		return;
	}
	gather_dims(&p->s, p->x, p->dims + from, width, copy, mean);
	find_inv(&p->s, width, copy, mean, inv);
	scale(p->s.n, p->count, width, copy, mean, inv, out);
}

static int check_dims(const bl_standard *s, const int32_t *dims, int64_t count)
{
	for (int64_t j = 0; j < count; j++)
		if (dims[j] < 0 || dims[j] >= s->d)
			return bl_fail("dim %d of embeddings: expected 0 to %lld", (int)dims[j], (long long)s->d - 1);
	return 0;
}

int bl_standard_pick(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, float *out)
{
	if (check(x, x))
		return -1;
	pick p = { .s = measures(dialect, x), .dims = dims, .count = count, .out = out };
	p.chunks = bl_standard_chunks(p.s.n, count, 16);
	if (check_dims(&p.s, dims, count))
		return -1;
	bl_tensor *whole = bl_tensor_contiguous((bl_tensor *)x);
	if (!whole)
		return -1;
	p.x = whole->data;
	bl_parallel(p.chunks, pick_columns, &p);
	bl_tensor_unref(whole);
	return atomic_load(&p.failed) ? bl_fail("barlow loss: out of memory") : 0;
}

/* --- Means over cells of columns ------------------------------------------ */

typedef struct grid {
	bl_standard s;       /* n, d, divisor, eps and diag of it */
	const float *x[2];   /* the second NULL: one view, no diagonal */
	const int32_t *dims; /* NULL: as they are */
	int64_t count, chunks;
	int cells;
	float *out[2]; /* (N,cells) */
	atomic_bool failed;
} grid;

static void standardise_strip(const grid *g, int view, int64_t from, int64_t width, float *copy)
{
	double mean[BL_STANDARD_COLUMNS];
	float inv[BL_STANDARD_COLUMNS];
	if (g->dims)
		gather_dims(&g->s, g->x[view], g->dims + from, width, copy, mean);
	else
		gather(g->s.n, g->s.d, width, g->x[view] + from, copy, mean);
	find_inv(&g->s, width, copy, mean, inv);
	scale(g->s.n, width, width, copy, mean, inv, copy);
}

/* To out (N rows `pitch` apart) the sums of `count` columns of a strip of `width`, times `share`. */
BL_CLONES_EXACT static void add_columns(int64_t n, int64_t width, int64_t count, const float *strip, float share,
                                        float *out, int64_t pitch)
{
	enum { LANES = 8 };
	for (int64_t i = 0; i < n; i++, strip += width, out += pitch) {
		float lane[LANES] = { 0 }, sum = 0;
		int64_t j = 0;
		for (; j + LANES <= count; j += LANES)
			for (int k = 0; k < LANES; k++)
				lane[k] += strip[j + k];
		for (; j < count; j++)
			sum += strip[j];
		for (int k = 0; k < LANES; k++)
			sum += lane[k];
		*out += share * sum;
	}
}

/* A cell may be wider than the strip, which then has a part of it. */
static void add_strip(const grid *g, int view, int cell, int64_t from, int64_t width, const float *strip)
{
	int64_t start, end;
	bl_chunk_range(g->count, g->cells, cell, &start, &end);
	float share = 1 / (float)(end - start);
	start = start > from ? start : from;
	end = end < from + width ? end : from + width;
	if (start < end)
		add_columns(g->s.n, width, end - start, strip + start - from, share, g->out[view] + cell, g->cells);
}

static void strip_of_cells(const grid *g, int64_t first, int64_t last, int64_t from, int64_t width, float *copy)
{
	float *of[2] = { copy, copy + g->s.n * width };
	for (int v = 0; v < 2 && g->x[v]; v++) {
		standardise_strip(g, v, from, width, of[v]);
		for (int64_t cell = first; cell < last; cell++)
			add_strip(g, v, (int)cell, from, width, of[v]);
	}
	if (g->x[1])
		correlate(&g->s, from, width, of[0], of[1]);
}

static void clear_cells(const grid *g, int64_t first, int64_t last)
{
	for (int v = 0; v < 2 && g->x[v]; v++)
		for (int64_t i = 0; i < g->s.n; i++)
			memset(g->out[v] + i * g->cells + first, 0, (size_t)(last - first) * sizeof(float));
}

/* Some cells, in strips that stay in the cache: nothing standardised is kept. */
static void run_cells(void *ctx, int64_t chunk)
{
	grid *g = ctx;
	int64_t first, last, from, to, end;
	bl_chunk_range(g->cells, g->chunks, chunk, &first, &last);
	bl_chunk_range(g->count, g->cells, first, &from, &to);
	bl_chunk_range(g->count, g->cells, last - 1, &to, &end);
	int64_t most = end - from < BL_STANDARD_COLUMNS ? end - from : BL_STANDARD_COLUMNS;
	float *copy = bl_scratch(0, (size_t)(2 * g->s.n * most) * sizeof *copy);
	if (!copy) {
		atomic_store(&g->failed, true);
		return;
	}
	clear_cells(g, first, last);
	for (; from < end; from += most)
		strip_of_cells(g, first, last, from, end - from < most ? end - from : most, copy);
}

static int run_grid(grid *g, bl_tensor *a, bl_tensor *b)
{
	if (!a || !b)
		return -1;
	g->x[0] = a->data;
	g->x[1] = g->out[1] ? b->data : NULL;
	g->chunks = bl_standard_chunks(g->s.n, g->count, 16);
	g->chunks = g->chunks < g->cells ? g->chunks : g->cells;
	bl_parallel(g->chunks, run_cells, g);
	return atomic_load(&g->failed) ? bl_fail("barlow loss: out of memory") : 0;
}

static int start_grid(grid *g, const bl_tensor *za, const bl_tensor *zb)
{
	bl_tensor *a = bl_tensor_contiguous((bl_tensor *)za), *b = bl_tensor_contiguous((bl_tensor *)zb);
	int rc = run_grid(g, a, b);
	bl_tensor_unref(a);
	bl_tensor_unref(b);
	return rc;
}

int bl_standard_grid(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int cells, float *u, float *v,
                     double *diag)
{
	if (check(za, zb))
		return -1;
	grid g = { .s = measures(dialect, za), .cells = cells, .out = { u, v } };
	g.s.diag = diag;
	g.count = g.s.d;
	return start_grid(&g, za, zb);
}

int bl_standard_cells(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, int cells,
                      float *out)
{
	if (check(x, x))
		return -1;
	grid g = { .s = measures(dialect, x), .dims = dims, .count = count, .cells = cells, .out = { out, NULL } };
	return check_dims(&g.s, dims, count) ? -1 : start_grid(&g, x, x);
}

void bl_standard_free(bl_standard *s)
{
	bl_block_give(s->block);
	s->block = NULL;
}

BL_CLONES_EXACT static void sums(int64_t n, int64_t d, int64_t width, const float *dz, const float *z, double *sum,
                                 double *along)
{
	for (int64_t i = 0; i < n; i++, dz += width, z += d)
		for (int64_t j = 0; j < width; j++) {
			sum[j] += (double)dz[j];
			along[j] += (double)dz[j] * (double)z[j];
		}
}

/* dx (+)= inv (dz - mean - z slope) */
typedef struct slopes {
	float mean[BL_STANDARD_COLUMNS], slope[BL_STANDARD_COLUMNS];
	const float *inv;
} slopes;

BL_CLONES_EXACT static void put_row(int64_t width, const float *dz, const float *z, const slopes *k, float *dx)
{
	for (int64_t j = 0; j < width; j++)
		dx[j] = k->inv[j] * (dz[j] - k->mean[j] - z[j] * k->slope[j]);
}

BL_CLONES_EXACT static void add_row(int64_t width, const float *dz, const float *z, const slopes *k, float *dx)
{
	for (int64_t j = 0; j < width; j++)
		dx[j] += k->inv[j] * (dz[j] - k->mean[j] - z[j] * k->slope[j]);
}

void bl_standard_back(const bl_standard *s, int view, int64_t from, int64_t width, const float *dz, float *dx, bool add)
{
	double sum[BL_STANDARD_COLUMNS] = { 0 }, along[BL_STANDARD_COLUMNS] = { 0 };
	slopes k;
	const float *z = s->z[view] + from;
	sums(s->n, s->d, width, dz, z, sum, along);
	k.inv = s->inv[view] + from;
	for (int64_t j = 0; j < width; j++) {
		k.mean[j] = (float)(sum[j] / (double)s->n);
		k.slope[j] = (float)(along[j] / s->divisor);
	}
	for (int64_t i = 0; i < s->n; i++)
		(add ? add_row : put_row)(width, dz + i * width, z + i * s->d, &k, dx + i * s->d + from);
}
