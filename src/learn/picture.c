/* SPDX-License-Identifier: GPL-3.0-or-later */
/* picture.c: the cross-correlation matrix to look at, whole or pooled. */
#include "learn/standard.h"
#include "tensor/blas.h"

#include <barlow/memory.h>

#include <math.h>
#include <stdatomic.h>

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

/* One row of cells is a chunk; it makes the matrix a few rows at a time. */
enum { STRIP = 32 };

/* u^T v / n, u (n,rows), v (n,cols), in (gr,gc) cells. */
typedef struct picture {
	const float *u, *v;
	int64_t n, rows, cols;
	int gr, gc;
	float *mean, *extreme;
	atomic_bool failed;
} picture;

/* One row of the matrix, the columns of one cell. */
static void add_run(const float *c, int64_t n, double *sum, float *extreme)
{
	for (int64_t j = 0; j < n; j++) {
		*sum += (double)c[j];
		*extreme = fabsf(c[j]) > fabsf(*extreme) ? c[j] : *extreme;
	}
}

static void add_strip(const picture *p, const float *strip, int64_t rows, double *sum, float *extreme)
{
	int64_t from, to;
	for (int64_t i = 0; i < rows; i++, strip += p->cols)
		for (int cell = 0; cell < p->gc; cell++) {
			bl_chunk_range(p->cols, p->gc, cell, &from, &to);
			add_run(strip + from, to - from, sum + cell, extreme + cell);
		}
}

static void finish(const picture *p, int64_t row, int64_t height, const double *sum, const float *extreme)
{
	int64_t from, to;
	for (int cell = 0; cell < p->gc; cell++) {
		bl_chunk_range(p->cols, p->gc, cell, &from, &to);
		p->mean[row * p->gc + cell] = (float)(sum[cell] / (double)(height * (to - from)));
		p->extreme[row * p->gc + cell] = extreme[cell];
	}
}

static void cell_row(void *ctx, int64_t row)
{
	picture *p = ctx;
	int64_t from, to;
	float *strip = bl_scratch(0, (size_t)(STRIP * p->cols) * sizeof *strip);
	double *sum = bl_scratch(1, (size_t)p->gc * (sizeof *sum + sizeof(float)));
	if (!strip || !sum) {
		atomic_store(&p->failed, true);
		return;
	}
	float *extreme = (float *)(void *)(sum + p->gc);
	for (int cell = 0; cell < p->gc; cell++) {
		sum[cell] = 0;
		extreme[cell] = 0;
	}
	bl_chunk_range(p->rows, p->gr, row, &from, &to);
	for (int64_t i = from; i < to; i += STRIP) {
		int64_t rows = to - i < STRIP ? to - i : STRIP;
		bl_gemm(true, false, rows, p->cols, p->n, (float)(1 / (double)p->n), p->u + i, p->rows, p->v, p->cols, 0,
		        strip, p->cols);
		add_strip(p, strip, rows, sum, extreme);
	}
	finish(p, row, to - from, sum, extreme);
}

static int check_cells(int64_t dims, int cells)
{
	if (cells >= 1 && cells <= dims)
		return 0;
	return bl_fail("picture of C: expected 1 to %lld cells a side, got %d", (long long)dims, cells);
}

static int draw(picture *p)
{
	bl_parallel(p->gr, cell_row, p);
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
