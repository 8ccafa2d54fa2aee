/* SPDX-License-Identifier: GPL-3.0-or-later */
/* picture.c: the cross-correlation matrix to look at, whole or pooled. */
#include "base/clones.h"
#include "loss/barlow/standard.h"
#include "tensor/blas.h"

#include <barlow/memory.h>

#include <math.h>
#include <stdatomic.h>
#include <string.h>

bl_tensor *bl_loss_correlation(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb)
{
	bl_standard s;
	if (bl_standard_make(&s, dialect, za, zb))
		return NULL;
	bl_tensor *c = bl_tensor_new(2, (int64_t[]){ s.d, s.d });
	if (c)
		bl_gemm_parallel(true, false, s.d, s.d, s.n, (float)(1 / (double)s.n), s.z[0], s.d, s.z[1], s.d, 0,
		                 c->data, s.d);
	bl_standard_free(&s);
	return c;
}

/* --- Pooled ------------------------------------------------------------------ */

/* Rows of the matrix that are made at once; a chunk is one row of cells, or some where cells are low. */
enum { STRIP = 32 };

/* u^T v / n, u (n,rows), v (n,cols), in (gr,gc) cells. */
typedef struct picture {
	const float *u, *v;
	int64_t n, rows, cols, chunks;
	int gr, gc;
	float *mean, *extreme;
	atomic_bool failed;
} picture;

/* One row of the matrix, to what is above it in the same cells: column by column, as they lie in memory. */
BL_CLONES_EXACT static void add_row(const float *restrict c, int64_t n, float *restrict sum, float *restrict extreme)
{
	for (int64_t j = 0; j < n; j++) {
		sum[j] += c[j];
		extreme[j] = fabsf(c[j]) > fabsf(extreme[j]) ? c[j] : extreme[j];
	}
}

/* A row of cells from its columns, which are cleared for the next. */
static void finish(const picture *p, int64_t row, int64_t height, float *sum, float *extreme)
{
	int64_t from, to;
	for (int cell = 0; cell < p->gc; cell++) {
		double all = 0;
		float most = 0;
		bl_chunk_range(p->cols, p->gc, cell, &from, &to);
		for (int64_t j = from; j < to; j++) {
			all += (double)sum[j];
			most = fabsf(extreme[j]) > fabsf(most) ? extreme[j] : most;
		}
		p->mean[row * p->gc + cell] = (float)(all / (double)(height * (to - from)));
		p->extreme[row * p->gc + cell] = most;
	}
	memset(sum, 0, (size_t)p->cols * sizeof *sum);
	memset(extreme, 0, (size_t)p->cols * sizeof *extreme);
}

/* Rows from..end of the matrix, which rows of cells from `cell` on begin and end with. */
static void pool_rows(const picture *p, int64_t cell, int64_t from, int64_t end, float *strip, float *sum)
{
	int64_t top, next;
	bl_chunk_range(p->rows, p->gr, cell, &top, &next);
	for (int64_t i = from; i < end; i += STRIP) {
		int64_t rows = end - i < STRIP ? end - i : STRIP;
		bl_gemm(true, false, rows, p->cols, p->n, (float)(1 / (double)p->n), p->u + i, p->rows, p->v, p->cols, 0,
		        strip, p->cols);
		for (int64_t k = 0; k < rows; k++) {
			add_row(strip + k * p->cols, p->cols, sum, sum + p->cols);
			if (i + k + 1 < next)
				continue;
			finish(p, cell++, next - top, sum, sum + p->cols);
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
	float *sum = bl_scratch(1, (size_t)(2 * p->cols) * sizeof *sum);
	if (!strip || !sum) {
		atomic_store(&p->failed, true);
		return;
	}
	memset(sum, 0, (size_t)(2 * p->cols) * sizeof *sum);
	bl_chunk_range(p->gr, p->chunks, chunk, &first, &last);
	bl_chunk_range(p->rows, p->gr, first, &from, &to);
	bl_chunk_range(p->rows, p->gr, last - 1, &to, &end);
	pool_rows(p, first, from, end, strip, sum);
}

static int check_cells(int64_t dims, int cells)
{
	if (cells >= 1 && cells <= dims)
		return 0;
	return bl_fail("picture of C: expected 1 to %lld cells a side, got %d", (long long)dims, cells);
}

static int draw(picture *p)
{
	p->chunks = (p->rows + STRIP - 1) / STRIP < p->gr ? (p->rows + STRIP - 1) / STRIP : p->gr;
	bl_parallel(p->chunks, cell_rows, p);
	return atomic_load(&p->failed) ? bl_fail("picture of C: out of memory") : 0;
}

int bl_loss_picture(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int g, float *mean,
                    float *extreme, float *diag)
{
	bl_standard s;
	if (bl_standard_make(&s, dialect, za, zb))
		return -1;
	int rc = check_cells(s.d, g);
	picture p = { .u = s.z[0], .v = s.z[1], .n = s.n, .rows = s.d, .cols = s.d, .gr = g, .gc = g, .mean = mean,
	              .extreme = extreme };
	for (int64_t i = 0; diag && i < s.d; i++)
		diag[i] = (float)s.diag[i];
	rc = rc == 0 ? draw(&p) : rc;
	bl_standard_free(&s);
	return rc;
}

int bl_loss_region(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                   const bl_loss_side *cols, float *mean, float *extreme)
{
	if (check_cells(rows->n, rows->cells) || check_cells(cols->n, cols->cells))
		return -1;
	int64_t n = bl_tensor_size(za, 0);
	float *u = bl_block_take((size_t)(n * (rows->n + cols->n)) * sizeof *u), *v = u ? u + n * rows->n : NULL;
	picture p = { .u = u, .v = v, .n = n, .rows = rows->n, .cols = cols->n, .gr = rows->cells, .gc = cols->cells,
	              .mean = mean, .extreme = extreme };
	int rc = u && bl_standard_pick(dialect, za, rows->dims, rows->n, u) == 0 &&
	         bl_standard_pick(dialect, zb, cols->dims, cols->n, v) == 0 ? draw(&p) : -1;
	bl_block_give(u);
	return rc;
}
