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

enum { LINE = 16 };

static int64_t whole_lines(int64_t n)
{
	return (n + LINE - 1) / LINE * LINE;
}

/* All in one block, each part on cache lines of its own. */
static int take_memory(bl_standard *s)
{
	int64_t d = whole_lines(s->d);
	float *p = s->block = bl_block_take((size_t)(8 * d) * sizeof *p);
	if (!p)
		return -1;
	for (int v = 0; v < 2; v++, p += d)
		s->inv[v] = p;
	for (int v = 0; v < 2; v++, p += 2 * d)
		s->mean[v] = (double *)(void *)p;
	s->diag = (double *)(void *)p;
	return 0;
}

static int take_z(bl_standard *s)
{
	int64_t nd = whole_lines(s->n * s->d);
	s->z[0] = bl_block_take((size_t)(2 * nd) * sizeof *s->z[0]);
	if (!s->z[0])
		return -1;
	s->z[1] = s->z[0] + nd;
	return 0;
}

typedef struct job {
	const bl_standard *s;
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

BL_CLONES_EXACT static void scale(int64_t n, int64_t width, float *copy, const double *mean, const float *inv)
{
	for (int64_t i = 0; i < n; i++, copy += width)
		for (int64_t j = 0; j < width; j++)
			copy[j] = (float)((double)copy[j] - mean[j]) * inv[j];
}

static void put(int64_t n, int64_t width, const float *copy, int64_t pitch, float *z)
{
	for (int64_t i = 0; i < n; i++)
		memcpy(z + i * pitch, copy + i * width, (size_t)width * sizeof *z);
}

static void standardise(const bl_standard *s, int view, int64_t from, int64_t width, float *copy)
{
	double *mean = s->mean[view] + from;
	float *inv = s->inv[view] + from;
	gather(s->n, s->d, width, s->x[view]->data + from, copy, mean);
	find_inv(s, width, copy, mean, inv);
	scale(s->n, width, copy, mean, inv);
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

void bl_standard_columns(const bl_standard *s, int64_t from, int64_t width, float *copy)
{
	float *other = copy + s->n * width;
	standardise(s, 0, from, width, copy);
	standardise(s, 1, from, width, other);
	correlate(s, from, width, copy, other);
}

static void columns(void *ctx, int64_t chunk)
{
	job *b = ctx;
	const bl_standard *s = b->s;
	int64_t from, to;
	bl_chunk_range(s->d, b->chunks, chunk, &from, &to);
	float *copy = bl_scratch(0, (size_t)(2 * s->n * (to - from)) * sizeof *copy);
	if (!copy) {
		atomic_store(&b->failed, true);
		return;
	}
	bl_standard_columns(s, from, to - from, copy);
	for (int v = 0; v < 2; v++)
		put(s->n, to - from, copy + v * s->n * (to - from), s->d, s->z[v] + from);
}

BL_CLONES_EXACT static void again_row(int64_t width, const float *x, const double *mean, const float *inv, float *z)
{
	for (int64_t j = 0; j < width; j++)
		z[j] = (float)((double)x[j] - mean[j]) * inv[j];
}

void bl_standard_again(const bl_standard *s, int view, int64_t from, int64_t width, int64_t pitch, float *z)
{
	const float *x = s->x[view]->data + from;
	for (int64_t i = 0; i < s->n; i++, x += s->d, z += pitch) {
		again_row(width, x, s->mean[view] + from, s->inv[view] + from, z);
		memset(z + width, 0, (size_t)(pitch - width) * sizeof *z);
	}
}

static bl_standard measures(bl_loss_dialect dialect, const bl_tensor *z)
{
	bool printed = dialect == BL_DIALECT_ALGORITHM1;
	int64_t n = z->shape[0];
	return (bl_standard){ .n = n, .d = z->shape[1], .divisor = (double)(printed ? n - 1 : n), .eps = printed ? 0 : 1e-5 };
}

static void let_go(bl_standard *s)
{
	for (int v = 0; v < 2; v++) {
		bl_tensor_unref(s->x[v]);
		s->x[v] = NULL;
	}
}

void bl_standard_free(bl_standard *s)
{
	let_go(s);
	bl_block_give(s->z[0]);
	bl_block_give(s->block);
	*s = (bl_standard){ 0 };
}

int bl_standard_open(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb)
{
	*s = (bl_standard){ 0 };
	if (check(za, zb))
		return -1;
	*s = measures(dialect, za);
	s->x[0] = bl_tensor_contiguous((bl_tensor *)za);
	s->x[1] = bl_tensor_contiguous((bl_tensor *)zb);
	if (s->x[0] && s->x[1] && take_memory(s) == 0)
		return 0;
	bl_standard_free(s);
	return -1;
}

static int run(bl_standard *s)
{
	job b = { .s = s, .chunks = bl_standard_chunks(s->n, s->d, 16) };
	if (take_z(s))
		return -1;
	bl_parallel(b.chunks, columns, &b);
	return atomic_load(&b.failed) ? bl_fail("barlow loss: out of memory") : 0;
}

int bl_standard_whole(bl_standard *s)
{
	int rc = run(s);
	let_go(s);
	if (rc)
		bl_standard_free(s);
	return rc;
}

int bl_standard_make(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb)
{
	return bl_standard_open(s, dialect, za, zb) ? -1 : bl_standard_whole(s);
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

BL_CLONES_EXACT static void gather_dims(const pick *p, const int32_t *dims, int64_t width, float *copy, double *mean)
{
	const float *x = p->x;
	memset(mean, 0, (size_t)width * sizeof *mean);
	for (int64_t i = 0; i < p->s.n; i++, x += p->s.d, copy += width)
		for (int64_t j = 0; j < width; j++) {
			copy[j] = x[dims[j]];
			mean[j] += (double)copy[j];
		}
	for (int64_t j = 0; j < width; j++)
		mean[j] /= (double)p->s.n;
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
	gather_dims(p, p->dims + from, width, copy, mean);
	find_inv(&p->s, width, copy, mean, inv);
	scale(p->s.n, width, copy, mean, inv);
	put(p->s.n, width, copy, p->count, out);
}

static int check_dims(const pick *p)
{
	for (int64_t j = 0; j < p->count; j++)
		if (p->dims[j] < 0 || p->dims[j] >= p->s.d)
			return bl_fail("dim %d of embeddings: expected 0 to %lld", (int)p->dims[j], (long long)p->s.d - 1);
	return 0;
}

int bl_standard_pick(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, float *out)
{
	if (check(x, x))
		return -1;
	pick p = { .s = measures(dialect, x), .dims = dims, .count = count, .out = out };
	p.chunks = bl_standard_chunks(p.s.n, count, 16);
	if (check_dims(&p))
		return -1;
	bl_tensor *whole = bl_tensor_contiguous((bl_tensor *)x);
	if (!whole)
		return -1;
	p.x = whole->data;
	bl_parallel(p.chunks, pick_columns, &p);
	bl_tensor_unref(whole);
	return atomic_load(&p.failed) ? bl_fail("barlow loss: out of memory") : 0;
}

BL_CLONES_EXACT static void sums(int64_t n, const bl_standard_part *p, double *sum, double *along)
{
	const float *dz = p->dz, *z = p->z;
	for (int64_t i = 0; i < n; i++, dz += p->pitch, z += p->z_pitch)
		for (int64_t j = 0; j < p->width; j++) {
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

void bl_standard_back(const bl_standard *s, const bl_standard_part *p, float *dx, bool add)
{
	double sum[BL_STANDARD_COLUMNS] = { 0 }, along[BL_STANDARD_COLUMNS] = { 0 };
	slopes k;
	sums(s->n, p, sum, along);
	k.inv = s->inv[p->view] + p->from;
	for (int64_t j = 0; j < p->width; j++) {
		k.mean[j] = (float)(sum[j] / (double)s->n);
		k.slope[j] = (float)(along[j] / s->divisor);
	}
	for (int64_t i = 0; i < s->n; i++)
		(add ? add_row : put_row)(p->width, p->dz + i * p->pitch, p->z + i * p->z_pitch, &k, dx + i * s->d + p->from);
}
