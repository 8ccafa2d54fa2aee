/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lapack.h (private): spectra, in double precision: a float32 Gram matrix loses the small half of its singular values.
 */
#ifndef BL_TENSOR_LAPACK_H
#define BL_TENSOR_LAPACK_H

#include <stdint.h>

/*
 * g (m,m) = sum over k of v_k v_k^T, whole (both triangles), where v_k has the
 * elements x[k * step_k + i * step_i] - shift[i]; shift NULL: nothing is
 * subtracted.  Over the pool; same bits at any number of threads.
 */
int bl_gram(int64_t m, int64_t count, const float *x, int64_t step_k, int64_t step_i, const double *shift, double *g);

/* Eigenvalues of the symmetric a (n,n), descending, into w (n).  a is destroyed. */
int bl_eigh(int64_t n, double *a, double *w);

/* The same with eigenvectors: row k of a becomes that of w[k], of length 1. */
int bl_eigh_vectors(int64_t n, double *a, double *w);

#endif
