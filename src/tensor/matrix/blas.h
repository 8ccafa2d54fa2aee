/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blas.h (private): products of row-major float32 matrices.  blas.c is the only file that includes cblas.h.
 *
 * lda, ldb and ldc are leading dimensions: the number of floats from one row to the next.
 */
#ifndef BARLOW_TENSOR_MATRIX_BLAS_H
#define BARLOW_TENSOR_MATRIX_BLAS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * c (m,n) = alpha op(a) op(b) + beta c, with op(a) (m,k) and op(b) (k,n), computed by the calling thread alone.  op
 * transposes a if ta, and b if tb.
 */
void bl_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b,
             int64_t ldb, float beta, float *c, int64_t ldc);

/*
 * As bl_gemm, but on the thread pool.  The tiles depend on the shape alone, so that the result is bit-identical at any
 * number of threads.
 */
void bl_gemm_parallel(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b,
                      int64_t ldb, float beta, float *c, int64_t ldc);

/*
 * c[i] (n,n) = a[i] a[i]^T with a[i] (n,k), for i = 0 and 1, with half of bl_gemm's work; the results are exactly
 * symmetric.  A product whose c[i] is NULL is skipped.
 */
void bl_syrk_pair_parallel(int64_t n, int64_t k, float *const a[2], int64_t lda, float *const c[2], int64_t ldc);

#endif
