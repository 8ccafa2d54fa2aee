/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm_bf16.h (private): matrix products, row-major, of numbers rounded to bfloat16. */
#ifndef BARLOW_TENSOR_MATRIX_GEMM_BF16_H
#define BARLOW_TENSOR_MATRIX_GEMM_BF16_H

#include <stdbool.h>
#include <stdint.h>

/*
 * c (m,n) = op(a) op(b), or c += it, op(a) (m,k), op(b) (k,n): both rounded to bfloat16 (to the nearest, ties to even),
 * products and sums in float.  Cut over the pool in tiles that depend on the shape alone: same bits at any number of
 * threads.  Keeps a rounded copy of op(a) meanwhile, so the smaller matrix should be a.  Negative: no memory, see bl_error.
 */
int bl_gemm_bf16_parallel(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                          int64_t ldb, bool add, float *c, int64_t ldc);

#endif
