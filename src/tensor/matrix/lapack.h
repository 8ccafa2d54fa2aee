/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lapack.h (private): spectra and linear algebra, in double precision, since a Gram matrix in float32 loses the smaller
 * half of the singular values.  Matrices are row-major.
 */
#ifndef BARLOW_TENSOR_MATRIX_LAPACK_H
#define BARLOW_TENSOR_MATRIX_LAPACK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * g (m,m) = sum over k = 0..count-1 of v_k v_k^T, with both triangles filled, where v_k has
 * the elements x[k * step_k + i * step_i] - shift[i]; shift NULL: nothing is
 * subtracted.  Runs on the thread pool; the result is bit-identical at any number of threads.  0, or -1: no memory.
 */
int bl_gram(int64_t m, int64_t count, const float *x, int64_t step_k, int64_t step_i, const double *shift, double *g);

/* Eigenvalues of the symmetric a (n,n), descending, into w (n).  a is destroyed.  0, or negative with bl_error. */
int bl_eigh(int64_t n, double *a, double *w);

/* The same with eigenvectors: row k of a becomes the eigenvector of w[k], of length 1. */
int bl_eigh_vectors(int64_t n, double *a, double *w);

/*
 * Solves a x = b, or a^T x = b, for `right` right-hand sides, each a row of b (right,n), which becomes x.  a (n,n) is
 * destroyed.  Returns 0; k > 0: a is singular, its kth pivot is 0; negative with bl_error.
 */
int64_t bl_lu_solve(int64_t n, int64_t right, double *a, bool transposed, double *b);

/*
 * a (n,n), of which only the lower triangle is read, is replaced by L, with a = L L^T.  0; k > 0: the leading k x k part
 * is not positive definite; negative with bl_error.
 */
int64_t bl_cholesky_factor(int64_t n, double *a);

/* a (m,n) = u diag(s) vt, u (m,k), s (k) descending, vt (k,n), k = min(m,n).  a is destroyed.  0, or negative. */
int bl_svd(int64_t m, int64_t n, double *a, double *s, double *u, double *vt);

#endif
