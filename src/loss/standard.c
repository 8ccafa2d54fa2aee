/* SPDX-License-Identifier: GPL-3.0-or-later */
/* standard.c: standardises each dimension of embeddings over the batch, and computes the gradient. */
#include "loss/standard.h"

#include "base/clones.h"
#include "tensor/matrix/panel.h"

#include <barlow/memory.h>

#include <math.h>
#include <stdatomic.h>
#include <string.h>

static int check(const bl_tensor *za, const bl_tensor *zb)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];
	if (za->ndim != 2 || zb->ndim != 2)
		return bl_fail("barlow loss: expected embeddings (N, D) of two views, got %s and %s", bl_tensor_text(za, a),
		               bl_tensor_text(zb, b));
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

/* Allocates all arrays except z in one block; each begins at a new cache line. */
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
	float *turned;
	int64_t pitch; /* floats from one row of `turned` to the next */
	int64_t chunks;
	atomic_bool failed;
} job;

/*
 * Rows that are far apart in memory are prefetched AHEAD rows before they are used, since the CPU cannot predict them.
 */
enum { AHEAD = 8 };

static inline __attribute__((always_inline)) void expect(const float *p, int64_t width)
{
	for (int64_t j = 0; j < width; j += LINE)
		__builtin_prefetch(p + j);
}

static inline __attribute__((always_inline)) void expect_writing(float *p, int64_t width)
{
	for (int64_t j = 0; j < width; j += LINE)
		__builtin_prefetch(p + j, 1);
}

static void clear_tail(int64_t n, int64_t width, int64_t pitch, float *copy)
{
	for (int64_t i = 0; width < pitch && i < n; i++)
		memset(copy + i * pitch + width, 0, (size_t)(pitch - width) * sizeof *copy);
}

/*
 * Copies rows of x, which are d floats apart, to a dense array.  If d is a power of two, rows of x evict each other
 * from the cache.
 */
BL_CLONES_EXACT static void load(int64_t n, int64_t d, int64_t width, const float *restrict x, int64_t pitch, float *restrict copy)
{
	for (int64_t i = 0; i < n; i++, x += d, copy += pitch) {
		if (i + AHEAD < n)
			expect(x + AHEAD * d, width);
		for (int64_t j = 0; j < width; j++)
			copy[j] = x[j];
	}
}

/*
 * For sums over rows, RUN rows are summed in float, and these partial sums are added in double.  This is as exact as
 * sums in double, and twice as fast.
 */
enum { RUN = 8 };
#define EACH_OF(rows) _Pragma("GCC unroll 8") for (int r = 0; r < (rows); r++)

static inline __attribute__((always_inline)) void add_moments(int rows, int64_t pitch, const float *x, const float *first,
                                                              double *restrict sum, double *restrict square)
{
	for (int64_t j = 0; j < pitch; j++) {
		float a = 0, b = 0;
		EACH_OF(rows)
		{
			float c = x[r * pitch + j] - first[j];
			a += c;
			b += c * c;
		}
		sum[j] += (double)a;
		square[j] += (double)b;
	}
}

/*
 * Computes the mean of each column and the sum of squared deviations from the mean.  Both follow from deviations from
 * the first row, so that the sum of squares is exactly 0 if all rows are equal.
 */
BL_CLONES_EXACT static void moments(int64_t n, int64_t pitch, const float *copy, double *mean, double *square)
{
	int64_t i = 1;
	memset(mean, 0, (size_t)pitch * sizeof *mean);
	memset(square, 0, (size_t)pitch * sizeof *square);
	for (; i + RUN <= n; i += RUN)
		add_moments(RUN, pitch, copy + i * pitch, copy, mean, square);
	for (; i < n; i++)
		add_moments(1, pitch, copy + i * pitch, copy, mean, square);
	for (int64_t j = 0; j < pitch; j++) {
		square[j] -= mean[j] * mean[j] / (double)n;
		mean[j] = (double)copy[j] + mean[j] / (double)n;
	}
}

/* Each mean as the sum of two floats, so that the subtraction of a large mean loses no digits. */
typedef struct means {
	float high[BL_STANDARD_COLUMNS], low[BL_STANDARD_COLUMNS];
} means;

static void split(int64_t width, const double *mean, means *m)
{
	for (int64_t j = 0; j < width; j++) {
		m->high[j] = (float)mean[j];
		m->low[j] = (float)(mean[j] - (double)m->high[j]);
	}
}

BL_CLONES_EXACT static void scale(int64_t n, int64_t pitch, float *copy, const means *m, const float *inv)
{
	for (int64_t i = 0; i < n; i++, copy += pitch)
		for (int64_t j = 0; j < pitch; j++)
			copy[j] = ((copy[j] - m->high[j]) - m->low[j]) * inv[j];
}

/* As `scale`, but reads rows of x, which are d floats apart, and writes the result to z. */
BL_CLONES_EXACT static void load_scaled(int64_t n, int64_t d, int64_t width, const float *restrict x, const means *m,
                                        const float *restrict inv, int64_t pitch, float *restrict z)
{
	for (int64_t i = 0; i < n; i++, x += d, z += pitch) {
		if (i + AHEAD < n)
			expect(x + AHEAD * d, width);
		for (int64_t j = 0; j < width; j++)
			z[j] = ((x[j] - m->high[j]) - m->low[j]) * inv[j];
	}
}

/* Computes the moments of one column in double, for values whose squares are out of the range of float. */
static void moments_again(int64_t n, int64_t pitch, const float *copy, double *mean, double *square)
{
	double sum = 0, about = 0, first = (double)copy[0];
	for (int64_t i = 0; i < n; i++)
		sum += (double)copy[i * pitch] - first;
	*mean = first + sum / (double)n;
	for (int64_t i = 0; i < n; i++)
		about += ((double)copy[i * pitch] - *mean) * ((double)copy[i * pitch] - *mean);
	*square = about;
}

/*
 * Computes the moments.  In float, squares of numbers above 1e19 are infinite, and squares of tiny numbers become 0,
 * which matters if there is no eps; such columns are computed again in double.
 */
static void measure(const bl_standard *s, int64_t pitch, const float *copy, double *mean, double *square)
{
	const double tiny = 1e-30;
	moments(s->n, pitch, copy, mean, square);
	for (int64_t j = 0; j < pitch; j++)
		if (!isfinite(square[j]) || (s->eps == 0 && square[j] < tiny))
			moments_again(s->n, pitch, copy + j, mean + j, square + j);
}

/*
 * The factor inv.  Without an eps, inv is infinite for a unit without variance.  Then z = 0 * inf is NaN, which is
 * propagated.
 */
static float inverse(const bl_standard *s, double square)
{
	return (float)(1 / sqrt(square / s->divisor + s->eps));
}

/* Standardises the columns of one view in place, for display.  A unit without variance becomes 0. */
static void standardise(const bl_standard *s, int64_t pitch, float *copy)
{
	double mean[BL_STANDARD_COLUMNS], square[BL_STANDARD_COLUMNS];
	float inv[BL_STANDARD_COLUMNS];
	means m;
	measure(s, pitch, copy, mean, square);
	split(pitch, mean, &m);
	for (int64_t j = 0; j < pitch; j++)
		inv[j] = square[j] == 0 ? 0 : inverse(s, square[j]);
	scale(s->n, pitch, copy, &m, inv);
}

static inline __attribute__((always_inline)) void add_products(int rows, int64_t pitch, const float *za, const float *zb,
                                                               double *sum)
{
	for (int64_t j = 0; j < pitch; j++) {
		float a = 0;
		EACH_OF(rows) a += za[r * pitch + j] * zb[r * pitch + j];
		sum[j] += (double)a;
	}
}

BL_CLONES_EXACT static void correlate(int64_t n, int64_t pitch, const float *za, const float *zb, double *diag)
{
	int64_t i = 0;
	memset(diag, 0, (size_t)pitch * sizeof *diag);
	for (; i + RUN <= n; i += RUN)
		add_products(RUN, pitch, za + i * pitch, zb + i * pitch, diag);
	for (; i < n; i++)
		add_products(1, pitch, za + i * pitch, zb + i * pitch, diag);
	for (int64_t j = 0; j < pitch; j++)
		diag[j] /= (double)n;
}

int64_t bl_standard_pitch(int64_t width)
{
	return whole_lines(width);
}

/*
 * Computes inv of both views.  With an eps, a unit that is constant in a view is 0 in that view, and inv is
 * 1/sqrt(eps), as in batch norm, so that its gradient is large and finite.  Without an eps, a unit that is constant in
 * both views is left out (inv is 0), and a unit that is constant in one view becomes NaN.
 */
static void inverses(const bl_standard *s, int64_t width, double (*square)[BL_STANDARD_COLUMNS], float *const inv[2])
{
	for (int64_t j = 0; j < width; j++) {
		bool dead = s->eps == 0 && square[0][j] == 0 && square[1][j] == 0;
		for (int v = 0; v < 2; v++)
			inv[v][j] = dead ? 0 : inverse(s, square[v][j]);
	}
}

void bl_standard_columns(const bl_standard *s, int64_t from, int64_t width, float *copy)
{
	double mean[2][BL_STANDARD_COLUMNS], square[2][BL_STANDARD_COLUMNS], diag[BL_STANDARD_COLUMNS];
	float inv[2][BL_STANDARD_COLUMNS];
	int64_t pitch = whole_lines(width);
	for (int v = 0; v < 2; v++) {
		float *z = copy + v * s->n * pitch;
		load(s->n, s->d, width, s->x[v]->data + from, pitch, z);
		clear_tail(s->n, width, pitch, z);
		measure(s, pitch, z, mean[v], square[v]);
	}
	inverses(s, pitch, square, (float *[]){ inv[0], inv[1] });
	for (int v = 0; v < 2; v++) {
		means m;
		split(pitch, mean[v], &m);
		scale(s->n, pitch, copy + v * s->n * pitch, &m, inv[v]);
		memcpy(s->mean[v] + from, mean[v], (size_t)width * sizeof *mean[v]);
		memcpy(s->inv[v] + from, inv[v], (size_t)width * sizeof *inv[v]);
	}
	correlate(s->n, pitch, copy, copy + s->n * pitch, diag);
	memcpy(s->diag + from, diag, (size_t)width * sizeof *diag);
}

BL_CLONES_EXACT static void put(int64_t n, int64_t width, const float *restrict copy, int64_t pitch, float *restrict z)
{
	for (int64_t i = 0; i < n; i++, copy += whole_lines(width), z += pitch) {
		if (i + AHEAD < n)
			expect_writing(z + AHEAD * pitch, width);
		for (int64_t j = 0; j < width; j++)
			z[j] = copy[j];
	}
}

static void columns(void *ctx, int64_t chunk)
{
	job *b = ctx;
	const bl_standard *s = b->s;
	int64_t from, to;
	bl_chunk_range(s->d, b->chunks, chunk, &from, &to);
	int64_t pitch = whole_lines(to - from);
	float *copy = bl_scratch(0, (size_t)(2 * s->n * pitch) * sizeof *copy);
	if (!copy) {
		atomic_store(&b->failed, true);
		return;
	}
	bl_standard_columns(s, from, to - from, copy);
	for (int v = 0; v < 2; v++)
		put(s->n, to - from, copy + v * s->n * pitch, s->d, s->z[v] + from);
	if (b->turned)
		bl_turn(s->n, to - from, copy, pitch, b->turned + from * b->pitch, b->pitch);
}

void bl_standard_again(const bl_standard *s, int view, int64_t from, int64_t width, int64_t pitch, float *z)
{
	means m;
	split(width, s->mean[view] + from, &m);
	load_scaled(s->n, s->d, width, s->x[view]->data + from, &m, s->inv[view] + from, pitch, z);
	clear_tail(s->n, width, pitch, z);
}

static bl_standard measures(bl_loss_dialect dialect, const bl_tensor *z)
{
	bool printed = dialect == BL_DIALECT_ALGORITHM1, unbiased = printed || dialect == BL_DIALECT_UNBIASED;
	int64_t n = z->shape[0];
	return (bl_standard){ .n = n, .d = z->shape[1], .divisor = (double)(unbiased ? n - 1 : n), .eps = printed ? 0 : 1e-5 };
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
	if (check(za, zb) != 0)
		return -1;
	*s = measures(dialect, za);
	s->x[0] = bl_tensor_contiguous((bl_tensor *)za);
	s->x[1] = bl_tensor_contiguous((bl_tensor *)zb);
	if (s->x[0] && s->x[1] && take_memory(s) == 0)
		return 0;
	bl_standard_free(s);
	return -1;
}

static int run(bl_standard *s, float *turned, int64_t pitch)
{
	job b = { .s = s, .turned = turned, .pitch = pitch, .chunks = bl_standard_chunks(s->n, s->d, 16) };
	if (take_z(s) != 0)
		return -1;
	bl_parallel(b.chunks, columns, &b);
	return atomic_load(&b.failed) ? bl_fail("barlow loss: no memory") : 0;
}

int bl_standard_whole(bl_standard *s, float *turned, int64_t pitch)
{
	int rc = run(s, turned, pitch);
	let_go(s);
	if (rc != 0)
		bl_standard_free(s);
	return rc;
}

int bl_standard_make(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb)
{
	return bl_standard_open(s, dialect, za, zb) != 0 ? -1 : bl_standard_whole(s, NULL, 0);
}

/* --- Selected columns of one view --------------------------------------- */

int bl_standard_measure(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb)
{
	if (check(za, zb) != 0)
		return -1;
	*s = measures(dialect, za);
	return 0;
}

int bl_standard_check_dims(const bl_standard *s, const int32_t *dims, int64_t count)
{
	for (int64_t j = 0; j < count; j++)
		if (dims[j] < 0 || dims[j] >= s->d)
			return bl_fail("dim %d of embeddings: expected 0 to %lld", (int)dims[j], (long long)s->d - 1);
	return 0;
}

static void load_dims(const bl_standard *s, const float *x, const int32_t *dims, int64_t width, int64_t pitch, float *copy)
{
	memset(copy, 0, (size_t)(s->n * pitch) * sizeof *copy);
	for (int64_t i = 0; i < s->n; i++, x += s->d, copy += pitch)
		for (int64_t j = 0; j < width; j++)
			copy[j] = x[dims[j]];
}

void bl_standard_some(const bl_standard *s, const float *x, const int32_t *dims, int64_t from, int64_t width, float *copy)
{
	int64_t pitch = whole_lines(width);
	if (dims)
		load_dims(s, x, dims + from, width, pitch, copy);
	else
		load(s->n, s->d, width, x + from, pitch, copy);
	standardise(s, pitch, copy);
}

void bl_standard_correlate(const bl_standard *s, int64_t width, const float *za, const float *zb, double *diag)
{
	double all[BL_STANDARD_COLUMNS];
	correlate(s->n, whole_lines(width), za, zb, all);
	memcpy(diag, all, (size_t)width * sizeof *diag);
}

typedef struct pick {
	bl_standard s; /* only n, d, divisor and eps are used */
	const float *x;
	const int32_t *dims;
	int64_t count, chunks;
	float *out;
	atomic_bool failed;
} pick;

static void pick_columns(void *ctx, int64_t chunk)
{
	pick *p = ctx;
	int64_t from, to;
	bl_chunk_range(p->count, p->chunks, chunk, &from, &to);
	float *copy = bl_scratch(0, (size_t)(p->s.n * whole_lines(to - from)) * sizeof *copy);
	if (!copy) {
		atomic_store(&p->failed, true);
		return;
	}
	bl_standard_some(&p->s, p->x, p->dims, from, to - from, copy);
	put(p->s.n, to - from, copy, p->count, p->out + from);
}

int bl_standard_pick(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, float *out)
{
	pick p = { .dims = dims, .count = count, .out = out };
	if (bl_standard_measure(&p.s, dialect, x, x) != 0 || bl_standard_check_dims(&p.s, dims, count) != 0)
		return -1;
	p.chunks = bl_standard_chunks(p.s.n, count, 16);
	bl_tensor *whole = bl_tensor_contiguous((bl_tensor *)x);
	if (!whole)
		return -1;
	p.x = whole->data;
	bl_parallel(p.chunks, pick_columns, &p);
	bl_tensor_unref(whole);
	return atomic_load(&p.failed) ? bl_fail("barlow loss: no memory") : 0;
}

static inline __attribute__((always_inline)) void finish_row(const bl_standard_part *p, int64_t i)
{
	const float *restrict other = p->other + i * p->pitch, *restrict w = p->w;
	float *restrict dz = p->dz + i * p->pitch, k = p->k, row = p->row ? p->row[i] : 0;
	int64_t width = p->width;
	for (int64_t j = 0; j < width; j++)
		dz[j] = k * dz[j] + (other[j] * w[j] + row);
}

static inline __attribute__((always_inline)) void add_sums(int rows, const bl_standard_part *p, int64_t i, double *restrict sum,
                                                           double *restrict along)
{
	int64_t pitch = p->pitch, width = p->width;
	const float *dz = p->dz + i * pitch, *z = p->z + i * pitch;
	for (int64_t j = 0; j < width; j++) {
		float a = 0, b = 0;
		EACH_OF(rows)
		{
			float d = dz[r * pitch + j];
			a += d;
			b += d * z[r * pitch + j];
		}
		sum[j] += (double)a;
		along[j] += (double)b;
	}
}

/* Computes dz of a part, and the column sums of dz and of dz z, while the rows are in the cache. */
BL_CLONES_EXACT static void finish(int64_t n, const bl_standard_part *p, double *sum, double *along)
{
	int64_t i = 0;
	for (; i + RUN <= n; i += RUN) {
		EACH_OF(RUN) finish_row(p, i + r);
		add_sums(RUN, p, i, sum, along);
	}
	for (; i < n; i++) {
		finish_row(p, i);
		add_sums(1, p, i, sum, along);
	}
}

/* dx (+)= inv (dz - mean - z slope) */
typedef struct slopes {
	float mean[BL_STANDARD_COLUMNS], slope[BL_STANDARD_COLUMNS];
	const float *inv;
} slopes;

BL_CLONES_EXACT static void put_rows(int64_t n, int64_t d, const bl_standard_part *p, const slopes *k, float *dx)
{
	const float *dz = p->dz, *z = p->z;
	for (int64_t i = 0; i < n; i++, dx += d, dz += p->pitch, z += p->pitch) {
		if (i + AHEAD < n)
			expect_writing(dx + AHEAD * d, p->width);
		for (int64_t j = 0; j < p->width; j++)
			dx[j] = k->inv[j] * (dz[j] - k->mean[j] - z[j] * k->slope[j]);
	}
}

BL_CLONES_EXACT static void add_rows(int64_t n, int64_t d, const bl_standard_part *p, const slopes *k, float *dx)
{
	const float *dz = p->dz, *z = p->z;
	for (int64_t i = 0; i < n; i++, dx += d, dz += p->pitch, z += p->pitch) {
		if (i + AHEAD < n)
			expect_writing(dx + AHEAD * d, p->width);
		for (int64_t j = 0; j < p->width; j++)
			dx[j] += k->inv[j] * (dz[j] - k->mean[j] - z[j] * k->slope[j]);
	}
}

void bl_standard_back(const bl_standard *s, const bl_standard_part *p, float *dx, bool add)
{
	double sum[BL_STANDARD_COLUMNS] = { 0 }, along[BL_STANDARD_COLUMNS] = { 0 };
	slopes k;
	finish(s->n, p, sum, along);
	k.inv = s->inv[p->view] + p->from;
	for (int64_t j = 0; j < p->width; j++) {
		k.mean[j] = (float)(sum[j] / (double)s->n);
		k.slope[j] = (float)(along[j] / s->divisor);
	}
	(add ? add_rows : put_rows)(s->n, s->d, p, &k, dx + p->from);
}
