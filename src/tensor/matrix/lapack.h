/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lapack.h (private): spectra and linear algebra in double precision, since the singular values from a Gram matrix in
 * float32 have only half of the digits.  Matrices are row-major.
 */
#ifndef BARLOW_TENSOR_MATRIX_LAPACK_H
#define BARLOW_TENSOR_MATRIX_LAPACK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * g (m,m) = sum over k = 0..count-1 of v_k v_k^T, where element i of v_k is x[k * step_k + i * step_i] - shift[i];
 * shift NULL: nothing is subtracted.  Both triangles of g are filled.  Runs on the thread pool; the result is
 * bit-identical for any number of threads.  0, or -1 with bl_error: no memory.
 */
int bl_gram(int64_t m, int64_t count, const float *x, int64_t step_k, int64_t step_i, const double *shift, double *g);

/*
 * Writes the eigenvalues of the symmetric a (n,n), descending, to w (n).  a is overwritten.  0, or negative with
 * bl_error.
 */
int bl_eigh(int64_t n, double *a, double *w);

/* As bl_eigh, but with eigenvectors: row k of a becomes the eigenvector of w[k], of length 1. */
int bl_eigh_vectors(int64_t n, double *a, double *w);

/*
 * Solves a x = b or, if transposed, a^T x = b, for `right` right-hand sides, which are the rows of b (right,n); x
 * replaces b.  a (n,n) is overwritten.  Returns 0; k > 0 if a is singular and its k-th pivot is 0; negative with
 * bl_error.
 */
int64_t bl_lu_solve(int64_t n, int64_t right, double *a, bool transposed, double *b);

/*
 * Replaces a (n,n), of which only the lower triangle is read, by the lower triangular L with a = L L^T.  Returns 0;
 * k > 0 if the leading k x k part of a is not positive definite; negative with bl_error.
 */
int64_t bl_cholesky_factor(int64_t n, double *a);

/*
 * Singular value decomposition a (m,n) = u diag(s) vt with u (m,k), s (k) descending, vt (k,n), k = min(m,n).  a is
 * overwritten.  0, or negative with bl_error.
 */
int bl_svd(int64_t m, int64_t n, double *a, double *s, double *u, double *vt);

#endif
