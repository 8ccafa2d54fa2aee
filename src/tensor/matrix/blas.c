/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blas.c: matrix products by OpenBLAS, which uses one thread per call; several calls run in parallel on the thread
 * pool.
 */
#define _GNU_SOURCE
#include "tensor/matrix/blas.h"

#include "tensor/matrix/blas_core.h"

#include <barlow/parallel.h>
#include <barlow/tensor.h>

#include <cblas.h>
#include <dlfcn.h>

/*
 * Runs when the library is loaded and there is no other thread yet.  If OpenBLAS used several threads, its results
 * would depend on their number.
 */
__attribute__((constructor)) static void prepare(void)
{
	bl_blas_core_mend(openblas_get_corename());
	openblas_set_num_threads(1);
}

void bl_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b,
             int64_t ldb, float beta, float *c, int64_t ldc)
{
	cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha, a,
	            (int)lda, b, (int)ldb, beta, c, (int)ldc);
}

typedef struct tiles {
	bool ta, tb;
	int64_t m, n, k, lda, ldb, ldc, rows, cols; /* rows x cols tiles of c */
	float alpha, beta;
	const float *a, *b;
	float *c;
} tiles;

static void tile(void *ctx, int64_t chunk)
{
	const tiles *t = ctx;
	int64_t i, i2, j, j2;
	bl_chunk_range(t->m, t->rows, chunk / t->cols, &i, &i2);
	bl_chunk_range(t->n, t->cols, chunk % t->cols, &j, &j2);
	const float *a = t->a + (t->ta ? i : i * t->lda), *b = t->b + (t->tb ? j * t->ldb : j);
	bl_gemm(t->ta, t->tb, i2 - i, j2 - j, t->k, t->alpha, a, t->lda, b, t->ldb, t->beta, t->c + i * t->ldc + j, t->ldc);
}

/*
 * The number of tiles of about `side` rows or columns; `side` is large enough that packing the operands costs little.
 */
static int64_t pieces(int64_t n, int64_t side)
{
	int64_t p = (n + side / 2) / side;
	return p < 1 ? 1 : p;
}

void bl_gemm_parallel(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b,
                      int64_t ldb, float beta, float *c, int64_t ldc)
{
	enum { SIDE = 512, SMALL = 1 << 18 };
	tiles t = { ta, tb, m, n, k, lda, ldb, ldc, pieces(m, SIDE), pieces(n, SIDE), alpha, beta, a, b, c };
	if (m <= 0 || n <= 0)
		return;
	if (t.rows * t.cols < 4 && m * n * k > SMALL) { /* few tiles would leave threads idle */
		if (m >= n)
			t.rows = m >= 64 ? 4 : 1;
		else
			t.cols = n >= 64 ? 4 : 1;
	}
	bl_parallel(t.rows * t.cols, tile, &t);
}

typedef struct triangles {
	int64_t n, k, lda, ldc, side; /* of side x side tiles, those on and below the diagonal are computed */
	float *const *a, *const *c;
} triangles;

static void mirror(const triangles *t, float *c, int64_t i, int64_t i2, int64_t j, int64_t j2)
{
	for (int64_t q = j; q < j2; q++)
		for (int64_t p = i; p < i2; p++)
			c[q * t->ldc + p] = c[p * t->ldc + q];
}

static void triangle_tile(void *ctx, int64_t chunk)
{
	const triangles *t = ctx;
	const float *a = t->a[chunk % 2];
	float *c = t->c[chunk % 2];
	int64_t row = 0, i, i2, j, j2;
	if (!c)
		return;
	for (chunk /= 2; chunk > row; row++)
		chunk -= row + 1;
	bl_chunk_range(t->n, t->side, row, &i, &i2);
	bl_chunk_range(t->n, t->side, chunk, &j, &j2);
	bl_gemm(false, true, i2 - i, j2 - j, t->k, 1, a + i * t->lda, t->lda, a + j * t->lda, t->lda, 0, c + i * t->ldc + j,
	        t->ldc);
	mirror(t, c, i, i2, j, j2);
}

void bl_syrk_pair_parallel(int64_t n, int64_t k, float *const a[2], int64_t lda, float *const c[2], int64_t ldc)
{
	triangles t = { n, k, lda, ldc, pieces(n, n > 512 ? 256 : 128), a, c };
	bl_parallel(t.side * (t.side + 1), triangle_tile, &t);
}

const char *bl_blas_library(void)
{
	Dl_info file;
	return dladdr((void *)(uintptr_t)openblas_get_corename, &file) && file.dli_fname ? file.dli_fname : "";
}

const char *bl_blas_core(void)
{
	return openblas_get_corename();
}
