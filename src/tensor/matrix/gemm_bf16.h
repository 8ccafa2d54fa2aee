/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm_bf16.h (private): products of row-major matrices whose elements are rounded to bfloat16. */
#ifndef BARLOW_TENSOR_MATRIX_GEMM_BF16_H
#define BARLOW_TENSOR_MATRIX_GEMM_BF16_H

#include <stdbool.h>
#include <stdint.h>

/*
 * c (m,n) = op(a) op(b) or, with `add`, c += op(a) op(b), where op(a) is (m,k) and op(b) is (k,n).  op transposes a if
 * ta, and b if tb.  The elements of a and b are rounded to the nearest bfloat16, ties to even; products and sums are
 * computed in float.  Runs on the thread pool in tiles that depend on the shape alone, so that the result is
 * bit-identical for any number of threads.  Allocates memory for a rounded copy of op(a), so a should be the smaller
 * matrix.  0, or negative with bl_error: no memory.
 */
int bl_gemm_bf16_parallel(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                          int64_t ldb, bool add, float *c, int64_t ldc);

#endif
