/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blas.h (private): matrix products, row-major.  blas.c is the only file that sees cblas.h. */
#ifndef BARLOW_TENSOR_MATRIX_BLAS_H
#define BARLOW_TENSOR_MATRIX_BLAS_H

#include <stdbool.h>
#include <stdint.h>

/* c (m,n) = alpha op(a) op(b) + beta c, op(a) (m,k), op(b) (k,n), in the calling thread alone. */
void bl_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b,
             int64_t ldb, float beta, float *c, int64_t ldc);

/* The same on the thread pool, in tiles that depend on the shape alone: same bits at any number of threads. */
void bl_gemm_parallel(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b,
                      int64_t ldb, float beta, float *c, int64_t ldc);

/* c (n,n) = a a^T, a (n,k), for two matrices at once, at half the work of bl_gemm; the result is exactly symmetric.
   Where c is NULL the product is skipped. */
void bl_syrk_pair_parallel(int64_t n, int64_t k, float *const a[2], int64_t lda, float *const c[2], int64_t ldc);

#endif
