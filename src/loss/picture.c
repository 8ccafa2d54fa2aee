/* SPDX-License-Identifier: GPL-3.0-or-later */
/* picture.c: computes the cross-correlation matrix for display, whole or pooled to cells. */
#include "base/clones.h"
#include "loss/squares.h"
#include "loss/standard.h"
#include "tensor/matrix/blas.h"

#include <barlow/memory.h>

#include <math.h>
#include <stdatomic.h>
#include <string.h>

bl_tensor *bl_loss_correlation(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb)
{
	bl_standard s;
	if (bl_standard_make(&s, dialect, za, zb) != 0)
		return NULL;
	bl_tensor *c = bl_tensor_new(2, (int64_t[]){ s.d, s.d });
	if (c)
		bl_gemm_parallel(true, false, s.d, s.d, s.n, (float)(1 / (double)s.n), s.z[0], s.d, s.z[1], s.d, 0, c->data, s.d);
	bl_standard_free(&s);
	return c;
}

/* --- Pooling ----------------------------------------------------------------- */

/*
 * The number of rows of the matrix that are computed at once.  A chunk is one row of cells, or several rows of cells if
 * a cell has fewer rows than this.
 */
enum { STRIP = 32 };

/* The matrix u^T v / n, where u is (n,rows) and v is (n,cols), pooled to (gr,gc) cells. */
typedef struct picture {
	const float *u, *v;
	int64_t n, rows, cols, chunks;
	int gr, gc;
	float *mean, *extreme;
	double *square;       /* (gr,gc): sums of squares off C's diagonal; NULL: this and the following are not used */
	const int32_t *cross; /* (rows): the column whose element is on C's diagonal; -1: none */
	float *diag;          /* (rows): the element in that column */
	bl_loss_pair *pair;   /* (chunks,pairs): the largest elements; i and j are indices of rows and columns */
	int *found, pairs;    /* found (chunks): number of pairs found; pairs: the largest number in a chunk */
	atomic_bool failed;
} picture;

/* Adds one row of the matrix to the sums and extremes of its columns, over the current row of cells. */
BL_CLONES_EXACT static void add_row(const float *restrict c, int64_t n, float *restrict sum, float *restrict extreme)
{
	for (int64_t j = 0; j < n; j++) {
		sum[j] += c[j];
		extreme[j] = fabsf(c[j]) > fabsf(extreme[j]) ? c[j] : extreme[j];
	}
}

BL_CLONES_EXACT static void add_squares(const float *restrict c, int64_t n, float *restrict square)
{
	for (int64_t j = 0; j < n; j++)
		square[j] += c[j] * c[j];
}

/* The largest magnitude in a row.  Most rows can be skipped by it, since they contain none of the largest pairs. */
BL_CLONES_EXACT static float largest(const float *restrict c, int64_t n)
{
	enum { LANES = 16 };
	float lane[LANES] = { 0 }, most = 0;
	int64_t j = 0;
	for (; j + LANES <= n; j += LANES)
		for (int k = 0; k < LANES; k++)
			lane[k] = fabsf(c[j + k]) > lane[k] ? fabsf(c[j + k]) : lane[k];
	for (; j < n; j++)
		most = fmaxf(most, fabsf(c[j]));
	for (int k = 0; k < LANES; k++)
		most = fmaxf(most, lane[k]);
	return most;
}

/*
 * Inserts a pair into a list of n pairs, sorted by descending magnitude, of at most `room` pairs.  Returns the new n.
 */
static int insert(bl_loss_pair *pair, int n, int room, bl_loss_pair one)
{
	int at = n;
	while (at > 0 && fabsf(pair[at - 1].value) < fabsf(one.value))
		at--;
	if (at == room)
		return n;
	n += n < room;
	memmove(pair + at + 1, pair + at, (size_t)(n - at - 1) * sizeof *pair);
	pair[at] = one;
	return n;
}

static void find_pairs(const picture *p, int64_t chunk, int64_t row, const float *c)
{
	bl_loss_pair *pair = p->pair + chunk * p->pairs;
	int n = p->found[chunk];
	float least = n < p->pairs ? 0 : fabsf(pair[n - 1].value);
	if (largest(c, p->cols) <= least)
		return;
	for (int64_t j = 0; j < p->cols; j++)
		if (fabsf(c[j]) > least) {
			n = insert(pair, n, p->pairs, (bl_loss_pair){ (int32_t)row, (int32_t)j, c[j] });
			least = n < p->pairs ? 0 : fabsf(pair[n - 1].value);
		}
	p->found[chunk] = n;
}

/* Adds a row to the sums of squares and to the pairs.  The row's element on C's diagonal is moved to p->diag first. */
static void add_off_diagonal(const picture *p, int64_t chunk, int64_t row, float *c, float *square)
{
	int32_t on = p->cross[row];
	if (on >= 0) {
		p->diag[row] = c[on];
		c[on] = 0;
	}
	add_squares(c, p->cols, square);
	if (p->pairs > 0)
		find_pairs(p, chunk, row, c);
}

/* For each column of a row of cells: the sum, the element of largest magnitude, and the sum of squares. */
typedef struct columns {
	float *sum, *extreme, *square;
} columns;

/* Computes a row of cells from the sums of its columns, and clears the sums for the next row of cells. */
static void finish(const picture *p, int64_t row, int64_t height, const columns *s)
{
	int64_t from, to;
	for (int cell = 0; cell < p->gc; cell++) {
		double all = 0, square = 0;
		float most = 0;
		bl_chunk_range(p->cols, p->gc, cell, &from, &to);
		for (int64_t j = from; j < to; j++) {
			all += (double)s->sum[j];
			square += (double)s->square[j];
			most = fabsf(s->extreme[j]) > fabsf(most) ? s->extreme[j] : most;
		}
		p->mean[row * p->gc + cell] = (float)(all / (double)(height * (to - from)));
		p->extreme[row * p->gc + cell] = most;
		if (p->square)
			p->square[row * p->gc + cell] = square;
	}
	memset(s->sum, 0, (size_t)(3 * p->cols) * sizeof *s->sum);
}

/*
 * Pools rows from..end-1 of the matrix, which make up whole rows of cells.  `cell` is the number of the first row of
 * cells.
 */
static void pool_rows(const picture *p, int64_t chunk, int64_t cell, int64_t from, int64_t end, float *strip, const columns *s)
{
	int64_t top, next;
	bl_chunk_range(p->rows, p->gr, cell, &top, &next);
	for (int64_t i = from; i < end; i += STRIP) {
		int64_t rows = end - i < STRIP ? end - i : STRIP;
		bl_gemm(true, false, rows, p->cols, p->n, (float)(1 / (double)p->n), p->u + i, p->rows, p->v, p->cols, 0, strip,
		        p->cols);
		for (int64_t k = 0; k < rows; k++) {
			add_row(strip + k * p->cols, p->cols, s->sum, s->extreme);
			if (p->square)
				add_off_diagonal(p, chunk, i + k, strip + k * p->cols, s->square);
			if (i + k + 1 < next)
				continue;
			finish(p, cell++, next - top, s);
			if (cell < p->gr)
				bl_chunk_range(p->rows, p->gr, cell, &top, &next);
		}
	}
}

static void cell_rows(void *ctx, int64_t chunk)
{
	picture *p = ctx;
	int64_t first, last, from, to, end;
	float *strip = bl_scratch(0, (size_t)(STRIP * p->cols) * sizeof *strip);
	float *sum = bl_scratch(1, (size_t)(3 * p->cols) * sizeof *sum);
	if (!strip || !sum) {
		atomic_store(&p->failed, true);
		return;
	}
	memset(sum, 0, (size_t)(3 * p->cols) * sizeof *sum);
	bl_chunk_range(p->gr, p->chunks, chunk, &first, &last);
	bl_chunk_range(p->rows, p->gr, first, &from, &to);
	bl_chunk_range(p->rows, p->gr, last - 1, &to, &end);
	pool_rows(p, chunk, first, from, end, strip, &(columns){ sum, sum + p->cols, sum + 2 * p->cols });
}

static int check_cells(int64_t dims, int cells)
{
	if (cells >= 1 && cells <= dims)
		return 0;
	return bl_fail("picture of C: expected 1 to %lld cells a side, got %d", (long long)dims, cells);
}

static int64_t count_chunks(int64_t rows, int gr)
{
	return (rows + STRIP - 1) / STRIP < gr ? (rows + STRIP - 1) / STRIP : gr;
}

static int draw(picture *p)
{
	p->chunks = count_chunks(p->rows, p->gr);
	bl_parallel(p->chunks, cell_rows, p);
	return atomic_load(&p->failed) ? bl_fail("picture of C: no memory") : 0;
}

int bl_loss_picture(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int g, float *mean, float *extreme,
                    float *diag)
{
	bl_standard s;
	if (bl_standard_make(&s, dialect, za, zb) != 0)
		return -1;
	int rc = check_cells(s.d, g);
	picture p = {
		.u = s.z[0], .v = s.z[1], .n = s.n, .rows = s.d, .cols = s.d, .gr = g, .gc = g, .mean = mean, .extreme = extreme
	};
	for (int64_t i = 0; diag && i < s.d; i++)
		diag[i] = (float)s.diag[i];
	rc = rc == 0 ? draw(&p) : rc;
	bl_standard_free(&s);
	return rc;
}

/* --- A region of any rows and columns --------------------------------------------------------- */

static void gather_pairs(const picture *p, const bl_loss_side *rows, const bl_loss_side *cols, bl_loss_cells *out)
{
	int n = 0;
	for (int64_t chunk = 0; chunk < p->chunks; chunk++)
		for (int k = 0; k < p->found[chunk]; k++) {
			bl_loss_pair one = p->pair[chunk * p->pairs + k];
			n = insert(out->pair, n, p->pairs, (bl_loss_pair){ rows->dims[one.i], cols->dims[one.j], one.value });
		}
	out->pairs = n;
}

/* Also computes rms and diagonal: elements on C's diagonal and other elements are pooled separately. */
static int draw_apart(picture *p, const bl_loss_side *rows, const bl_loss_side *cols, int64_t d, bl_loss_cells *out)
{
	size_t cells = (size_t)p->gr * (size_t)p->gc, r = (size_t)p->rows, chunks = (size_t)count_chunks(p->rows, p->gr);
	size_t found = chunks * (1 + 3 * (size_t)out->pairs);
	double *square = bl_block_take(cells * sizeof *square + (2 * r + found) * sizeof(float));
	int32_t *cross = (int32_t *)(void *)(square + cells);
	if (!square)
		return -1;
	p->square = square;
	p->cross = cross;
	p->diag = (float *)(void *)(cross + r);
	p->found = (int *)(void *)(p->diag + r);
	p->pair = (bl_loss_pair *)(void *)(p->found + chunks);
	p->pairs = out->pairs;
	memset(p->found, 0, chunks * sizeof *p->found);
	int rc = bl_squares_cross(rows, cols, d, cross) != 0 || draw(p) != 0 ? -1 : 0;
	if (rc == 0)
		bl_squares_finish(rows, cols, cross, p->diag, square, out->rms, out->diagonal);
	if (rc == 0)
		gather_pairs(p, rows, cols, out);
	bl_block_give(square);
	return rc;
}

int bl_loss_region(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                   const bl_loss_side *cols, bl_loss_cells *out)
{
	if (check_cells(rows->n, rows->cells) != 0 || check_cells(cols->n, cols->cells) != 0)
		return -1;
	int64_t n = bl_tensor_size(za, 0);
	float *u = bl_block_take((size_t)(n * (rows->n + cols->n)) * sizeof *u), *v = u ? u + n * rows->n : NULL;
	picture p = { .u = u,
		      .v = v,
		      .n = n,
		      .rows = rows->n,
		      .cols = cols->n,
		      .gr = rows->cells,
		      .gc = cols->cells,
		      .mean = out->mean,
		      .extreme = out->extreme };
	int rc = u && bl_standard_pick(dialect, za, rows->dims, rows->n, u) == 0 &&
	                         bl_standard_pick(dialect, zb, cols->dims, cols->n, v) == 0
	                 ? 0
	                 : -1;
	if (rc == 0)
		rc = out->rms ? draw_apart(&p, rows, cols, bl_tensor_size(za, 1), out) : draw(&p);
	bl_block_give(u);
	return rc;
}
