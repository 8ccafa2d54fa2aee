/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * squares.c: root mean squares over blocks of C, without computing C.
 *
 * Let A_I (N,|I|) be the standardised columns that belong to a block I of rows of C, and B_J (N,|J|) those that belong
 * to a block J of columns of C.  Then
 *
 *     C_IJ = A_I^T B_J / N,    ||C_IJ||_F^2 = <A_I A_I^T, B_J B_J^T> / N^2,
 *
 * so that all g x g blocks need g Gram matrices (N,N) of each view and one product (g,N^2) x (N^2,g): O(N^2 (D + g^2)).
 * Since Gram matrices are symmetric, only the elements (n,m) with n >= m, which are pairs of samples, are computed, a
 * few rows n at a time.
 *
 * If only s < N samples are used, the sum over their pairs n != m, scaled, is an unbiased estimate of the sum over all
 * such pairs.  The pairs n = m, which are most of the sum for independent embeddings, are always computed for all
 * samples.
 */
#include "loss/squares.h"

#include "loss/standard.h"
#include "tensor/matrix/blas.h"

#include <barlow/memory.h>
#include <barlow/parallel.h>
#include <barlow/random.h>

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { ROWS = 16, ROOM = 1 << 20 /* floats of Gram matrices per thread */, LEAST = 8, PROBES = 32 };

/* The standardised columns that belong to the rows (or to the columns) of C, divided into cells. */
typedef struct side {
	const float *x; /* (samples,n) */
	int64_t n;
	int cells;
} side;

typedef struct job {
	side a, b;
	int64_t samples, rows, chunks; /* rows: of the Gram matrices in a chunk */
	float *part;                   /* (chunks, a.cells, b.cells) */
	atomic_bool failed;
} job;

/* --- Pairs of samples n != m ---------------------------------------------------- */

/*
 * Computes rows from..to-1, columns 0..to-1, of the Gram matrix of each cell.  twice: elements that stand for two
 * pairs, (n,m) and (m,n), are doubled, and those with n = m are set to 0.
 */
static void gram_rows(const side *s, int64_t from, int64_t to, bool twice, float *out)
{
	int64_t h = to - from, first, last;
	for (int cell = 0; cell < s->cells; cell++, out += h * to) {
		bl_chunk_range(s->n, s->cells, cell, &first, &last);
		bl_gemm(false, true, h, to, last - first, 1, s->x + from * s->n + first, s->n, s->x + first, s->n, 0, out, to);
		for (int64_t i = 0; twice && i < h; i++) {
			for (int64_t j = 0; j < from; j++)
				out[i * to + j] *= 2;
			out[i * to + from + i] = 0;
		}
	}
}

static void pair_chunk(void *ctx, int64_t chunk)
{
	job *p = ctx;
	int64_t from = chunk * p->rows, to = from + p->rows < p->samples ? from + p->rows : p->samples, k = (to - from) * to;
	float *a = bl_scratch(0, (size_t)(p->a.cells * k) * sizeof *a), *b = bl_scratch(1, (size_t)(p->b.cells * k) * sizeof *b);
	if (!a || !b) {
		atomic_store(&p->failed, true);
		return;
	}
	gram_rows(&p->a, from, to, true, a);
	gram_rows(&p->b, from, to, false, b);
	bl_gemm(false, true, p->a.cells, p->b.cells, k, 1, a, k, b, k, 0, p->part + chunk * p->a.cells * p->b.cells, p->b.cells);
}

/* Sets sum (a.cells,b.cells) to the sums of <a_n, a_m> <b_n, b_m> over the pairs n != m. */
static int sum_pairs(job *p, double *sum)
{
	int64_t cells = (int64_t)p->a.cells * p->b.cells,
		most = ROOM / (p->samples * (p->a.cells > p->b.cells ? p->a.cells : p->b.cells));
	p->rows = most < 4 ? 4 : most < ROWS ? most : ROWS;
	p->chunks = (p->samples + p->rows - 1) / p->rows;
	p->part = bl_block_take((size_t)(p->chunks * cells) * sizeof *p->part);
	if (!p->part)
		return -1;
	bl_parallel(p->chunks, pair_chunk, p);
	memset(sum, 0, (size_t)cells * sizeof *sum);
	for (int64_t c = 0; c < p->chunks; c++)
		for (int64_t k = 0; k < cells; k++)
			sum[k] += (double)p->part[c * cells + k];
	bl_block_give(p->part);
	return atomic_load(&p->failed) ? bl_fail("squares of C: no memory") : 0;
}

/* --- Pairs n = m ------------------------------------------------------------------ */

/* Sets out (samples,cells) to |a_n|^2, where a_n is row n of the columns of a cell. */
static void square_rows(const side *s, int64_t samples, float *out)
{
	int64_t from, to;
	for (int64_t i = 0; i < samples; i++)
		for (int cell = 0; cell < s->cells; cell++) {
			float sum = 0;
			bl_chunk_range(s->n, s->cells, cell, &from, &to);
			for (int64_t j = from; j < to; j++)
				sum += s->x[i * s->n + j] * s->x[i * s->n + j];
			*out++ = sum;
		}
}

/* Sets same (a.cells,b.cells) to the sums of |a_n|^2 |b_n|^2 over n. */
static int sum_same(const side *a, const side *b, int64_t samples, float *same)
{
	float *u = bl_block_take((size_t)(samples * (a->cells + b->cells)) * sizeof *u), *v = u ? u + samples * a->cells : NULL;
	if (!u)
		return -1;
	square_rows(a, samples, u);
	square_rows(b, samples, v);
	bl_gemm(true, false, a->cells, b->cells, samples, 1, u, a->cells, v, b->cells, 0, same, b->cells);
	bl_block_give(u);
	return 0;
}

/* --- Standard error -------------------------------------------------------------------- */

/*
 * For the cell (ca,cb), with p_nm = <a_n, a_m> <b_n, b_m>: sets h_n to the sum of p_nm over m != n, and returns the sum
 * of p_nm^2 over n != m.
 */
static double row_sums(const side *a, int64_t ca, const side *b, int64_t cb, int64_t s, float *gram, double *h)
{
	const side *of[2] = { a, b };
	int64_t cell[2] = { ca, cb }, from, to;
	double square = 0;
	for (int v = 0; v < 2; v++) {
		bl_chunk_range(of[v]->n, of[v]->cells, cell[v], &from, &to);
		bl_gemm(false, true, s, s, to - from, 1, of[v]->x + from, of[v]->n, of[v]->x + from, of[v]->n, 0, gram + v * s * s,
		        s);
	}
	memset(h, 0, (size_t)s * sizeof *h);
	for (int64_t n = 0; n < s; n++)
		for (int64_t m = 0; m < s; m++) {
			double p = n == m ? 0 : (double)gram[n * s + m] * (double)gram[s * s + n * s + m];
			h[n] += p;
			square += p * p;
		}
	return square;
}

/*
 * The variance of the mean of p_nm over the pairs of s of N samples (a U-statistic, Hoeffding 1948) is
 *
 *   4 z1 / s + 2 z2 / (s (s-1))
 *
 * z1 is the variance of the part of p_nm that depends on one sample, and z2 that of the part that depends on the pair.
 * Both terms are multiplied by a correction for finite N.
 */
static double mean_variance(const double *h, double square, int64_t s, int64_t n)
{
	double k = (double)s, N = (double)n, all = 0, spread = 0;
	double left = (N - k) / (N - 1), pairs_left = (N - k) * (N - k - 1) / ((N - 2) * (N - 3));
	for (int64_t i = 0; i < s; i++)
		all += h[i];
	double mean = all / (k * (k - 1)), pair = fmax(square / (k * (k - 1)) - mean * mean, 0);
	for (int64_t i = 0; i < s; i++)
		spread += pow(h[i] / (k - 1) - mean, 2) / (k - 1);
	/* `spread`, the variance of the means of rows, also contains the pair's part / (s - 1); this solves for z1. */
	double one = fmin(fmax((spread - pair / (k - 1)) / (1 - 4 / (k - 1)), 0), pair / 2);
	return 4 * one / k * left + 2 * (pair - 2 * one) / (k * (k - 1)) * pairs_left;
}

/*
 * The relative standard error of rms in a typical cell.  It is se(x) / (2 x), where x is the square of rms; se(x)^2 and
 * x are means over some random cells.
 */
static double typical_error(const job *p, int64_t n, const double *square, bl_rng *r)
{
	int64_t s = p->samples;
	float *gram = bl_block_take((size_t)(2 * s * s) * sizeof *gram);
	double *h = bl_block_take((size_t)s * sizeof *h), variance = 0, sum = 0;
	for (int k = 0; gram && h && k < PROBES; k++) {
		int64_t i = bl_rng_below(r, (uint32_t)p->a.cells), j = bl_rng_below(r, (uint32_t)p->b.cells);
		sum += square[i * p->b.cells + j] * (double)n / (double)(n - 1) / PROBES;
		variance += mean_variance(h, row_sums(&p->a, i, &p->b, j, s, gram, h), s, n) / PROBES;
	}
	bl_block_give(gram);
	bl_block_give(h);
	return sum > 0 ? sqrt(variance) / (2 * sum) : 0;
}

/* --- All pairs, or pairs of a part of the samples ---------------------------------------- */

/* Copies `samples` rows of both sides, drawn by r, to x.  A larger number of rows would include the same rows. */
static int choose_rows(job *p, int64_t n, bl_rng *r, float *x)
{
	int64_t *order = bl_block_take((size_t)n * sizeof *order);
	if (!order)
		return -1;
	for (int64_t i = 0; i < n; i++)
		order[i] = i;
	bl_rng_shuffle(r, order, n);
	side *of[2] = { &p->a, &p->b };
	for (int v = 0; v < 2; v++) {
		for (int64_t i = 0; i < p->samples; i++)
			memcpy(x + i * of[v]->n, of[v]->x + order[i] * of[v]->n, (size_t)of[v]->n * sizeof *x);
		of[v]->x = x;
		x += p->samples * of[v]->n;
	}
	bl_block_give(order);
	return 0;
}

static int sum_squares(job *p, int64_t n, bl_rng *r, float *x, float *same, double *square, double *error)
{
	*error = 0;
	if (sum_same(&p->a, &p->b, n, same) != 0 || (x && choose_rows(p, n, r, x) != 0) || sum_pairs(p, square) != 0)
		return -1;
	/* Adds the pairs n = m, so that square becomes ||C_IJ||_F^2. */
	double s = (double)p->samples, all = (double)n, scale = p->samples < n ? all * (all - 1) / (s * (s - 1)) : 1;
	for (int64_t k = 0; k < (int64_t)p->a.cells * p->b.cells; k++)
		square[k] = ((double)same[k] + scale * square[k]) / (all * all);
	if (x)
		*error = typical_error(p, n, square, r);
	return 0;
}

/* Sets square (rows->cells,cols->cells) to ||C_IJ||_F^2 for the standardised u (n,rows->n) and v (n,cols->n). */
static int all_squares(const float *u, const float *v, int64_t n, const bl_loss_side *rows, const bl_loss_side *cols,
                       int64_t samples, uint64_t key, double *square, double *error)
{
	job p = { .a = { u, rows->n, rows->cells }, .b = { v, cols->n, cols->cells }, .samples = samples };
	bool part = samples < n;
	float *same = bl_block_take((size_t)rows->cells * (size_t)cols->cells * sizeof *same);
	float *x = part ? bl_block_take((size_t)(samples * (rows->n + cols->n)) * sizeof *x) : NULL;
	bl_rng r;
	bl_rng_init(&r, key, 0, 0, BL_STREAM_EVAL);
	int rc = same && (x || !part) ? sum_squares(&p, n, &r, x, same, square, error) : -1;
	bl_block_give(same);
	bl_block_give(x);
	return rc;
}

/* --- The diagonal ------------------------------------------------------------------------ */

int bl_squares_cross(const bl_loss_side *rows, const bl_loss_side *cols, int64_t d, int32_t *cross)
{
	int32_t *column = bl_block_take((size_t)d * sizeof *column);
	if (!column)
		return -1;
	memset(column, -1, (size_t)d * sizeof *column);
	for (int64_t j = 0; j < cols->n; j++)
		column[cols->dims[j]] = (int32_t)j;
	for (int64_t i = 0; i < rows->n; i++)
		cross[i] = column[rows->dims[i]];
	bl_block_give(column);
	return 0;
}

static int cell_of(const bl_loss_side *s, int64_t i)
{
	int64_t size = s->n / s->cells, rest = s->n % s->cells, wide = rest * (size + 1); /* as in bl_chunk_range */
	return (int)(i < wide ? i / (size + 1) : rest + (i - wide) / size);
}

static int64_t width_of(const bl_loss_side *s, int64_t cell)
{
	int64_t from, to;
	bl_chunk_range(s->n, s->cells, cell, &from, &to);
	return to - from;
}

/* rms holds the number of off-diagonal elements of each cell until the last loop. */
void bl_squares_finish(const bl_loss_side *rows, const bl_loss_side *cols, const int32_t *cross, const float *diag,
                       const double *square, float *rms, float *diagonal)
{
	int64_t cells = (int64_t)rows->cells * cols->cells;
	for (int64_t k = 0; k < cells; k++) {
		rms[k] = (float)(width_of(rows, k / cols->cells) * width_of(cols, k % cols->cells));
		diagonal[k] = NAN;
	}
	for (int64_t i = 0; i < rows->n; i++) {
		if (cross[i] < 0)
			continue;
		int64_t k = (int64_t)cell_of(rows, i) * cols->cells + cell_of(cols, cross[i]);
		diagonal[k] = (isnan(diagonal[k]) ? 0 : diagonal[k]) + diag[i];
		rms[k]--;
	}
	for (int64_t k = 0; k < cells; k++) {
		double all = (double)(width_of(rows, k / cols->cells) * width_of(cols, k % cols->cells)), off = (double)rms[k];
		diagonal[k] /= (float)(all - off);
		rms[k] = off > 0 ? (float)sqrt(fmax(square[k], 0) / off) : 0;
	}
}

/* Sets diag to the elements of C at `cross`, and subtracts their squares from the sums of their cells. */
static void take_diagonal(const float *u, const float *v, int64_t n, const bl_loss_side *rows, const bl_loss_side *cols,
                          const int32_t *cross, float *diag, double *square)
{
	memset(diag, 0, (size_t)rows->n * sizeof *diag);
	for (int64_t s = 0; s < n; s++)
		for (int64_t i = 0; i < rows->n; i++)
			if (cross[i] >= 0)
				diag[i] += u[s * rows->n + i] * v[s * cols->n + cross[i]];
	for (int64_t i = 0; i < rows->n; i++) {
		diag[i] /= (float)n;
		if (cross[i] >= 0)
			square[(int64_t)cell_of(rows, i) * cols->cells + cell_of(cols, cross[i])] -=
				(double)diag[i] * (double)diag[i];
	}
}

/* --- The whole computation -------------------------------------------------------------- */

/* Memory that is used during the computation. */
typedef struct room {
	float *u, *v, *diag;
	int32_t *cross;
	double *square;
} room;

static int fill(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                const bl_loss_side *cols, bl_loss_rms *out, room *m)
{
	int64_t n = bl_tensor_size(za, 0), samples = out->samples < LEAST ? LEAST : out->samples;
	out->samples = samples < n ? samples : n;
	m->u = bl_block_take((size_t)(n * (rows->n + cols->n) + 2 * rows->n) * sizeof *m->u);
	m->square = bl_block_take((size_t)rows->cells * (size_t)cols->cells * sizeof *m->square);
	if (!m->u || !m->square)
		return -1;
	m->v = m->u + n * rows->n;
	m->diag = m->v + n * cols->n;
	m->cross = (int32_t *)(void *)(m->diag + rows->n);
	if (bl_standard_pick(dialect, za, rows->dims, rows->n, m->u) != 0 ||
	    bl_standard_pick(dialect, zb, cols->dims, cols->n, m->v) != 0 ||
	    bl_squares_cross(rows, cols, bl_tensor_size(za, 1), m->cross) != 0 ||
	    all_squares(m->u, m->v, n, rows, cols, out->samples, out->key, m->square, &out->error) != 0)
		return -1;
	take_diagonal(m->u, m->v, n, rows, cols, m->cross, m->diag, m->square);
	bl_squares_finish(rows, cols, m->cross, m->diag, m->square, out->rms, out->diagonal);
	return 0;
}

int bl_loss_rms_of(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                   const bl_loss_side *cols, bl_loss_rms *out)
{
	room m = { NULL };
	int rc = rows->cells >= 1 && cols->cells >= 1 && rows->cells <= rows->n && cols->cells <= cols->n
	                 ? fill(dialect, za, zb, rows, cols, out, &m)
	                 : bl_fail("rms of C: expected 1 cell or more a side, and no more than dims");
	bl_block_give(m.u);
	bl_block_give(m.square);
	return rc;
}
