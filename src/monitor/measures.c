/* SPDX-License-Identifier: GPL-3.0-or-later */
/* measures.c: measures embeddings: dead dims, eigenvalues of their covariance, RankMe, singular values of C. */
#include "monitor/snapshot.h"

#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/memory.h>
#include <math.h>
#include <string.h>

#include "loss/standard.h"
#include "tensor/matrix/blas.h"
#include "tensor/matrix/lapack.h"

/* --- Dead dims ------------------------------------------------------------------------- */

/* Computes the column means of z, reading memory in order. */
static void column_means(const bl_tensor *z, double *mean)
{
	int64_t n = bl_tensor_size(z, 0), d = bl_tensor_size(z, 1);
	const float *x = bl_tensor_data(z);
	memset(mean, 0, (size_t)d * sizeof *mean);
	for (int64_t i = 0; i < n; i++, x += d)
		for (int64_t j = 0; j < d; j++)
			mean[j] += x[j];
	for (int64_t j = 0; j < d; j++)
		mean[j] /= (double)n;
}

/* Marks the dims whose standard deviation is not larger than a rounding error. */
static void find_dead(const bl_tensor *z, double *mean, double *square, uint8_t *dead)
{
	int64_t n = bl_tensor_size(z, 0), d = bl_tensor_size(z, 1);
	const float *x = bl_tensor_data(z);
	column_means(z, mean);
	memset(square, 0, (size_t)d * sizeof *square);
	for (int64_t i = 0; i < n; i++, x += d)
		for (int64_t j = 0; j < d; j++)
			square[j] += (x[j] - mean[j]) * (x[j] - mean[j]);
	for (int64_t j = 0; j < d; j++)
		dead[j] |= sqrt(square[j] / (double)n) <= 1e-6 * fabs(mean[j]);
}

/* Counts the dims that are dead in C: those that are dead in either view. */
int bl_measure_dead(const bl_monitor_input *l, bl_snapshot *s)
{
	size_t d = (size_t)s->d;
	double *mean = bl_block_take(d * (2 * sizeof *mean + 1));
	uint8_t *dead = (uint8_t *)(mean + 2 * d);
	if (!mean)
		return -1;
	memset(dead, 0, d);
	for (int v = 0; v < 2; v++)
		find_dead(l->z[v], mean, mean + d, dead);
	s->dead = 0;
	for (size_t j = 0; j < d; j++)
		s->dead += dead[j];
	bl_block_give(mean);
	return 0;
}

/* --- Eigenvalues --------------------------------------------------------------------------- */

/* Returns a centred copy of z.  With it, bl_eval_spectrum can use the smaller one of the two Gram matrices. */
static bl_tensor *centred(const bl_tensor *z)
{
	int64_t n = bl_tensor_size(z, 0), d = bl_tensor_size(z, 1);
	double *mean = bl_block_take((size_t)d * sizeof *mean);
	bl_tensor *y = mean ? bl_tensor_clone(z) : NULL;
	if (y)
		column_means(z, mean);
	for (int64_t i = 0; y && i < n; i++)
		for (int64_t j = 0; j < d; j++)
			bl_tensor_data(y)[i * d + j] -= (float)mean[j];
	bl_block_give(mean);
	return y;
}

static int eigenvalues(const bl_monitor_input *l, bl_snapshot *s)
{
	float *all = bl_block_take((size_t)s->d * sizeof *all);
	bl_tensor *y = all ? centred(l->z[0]) : NULL;
	int rc = y ? bl_eval_spectrum(y, false, all) : -1;
	if (rc == 0)
		memcpy(s->eigenvalues, all, (size_t)s->spectrum * sizeof *all);
	bl_tensor_unref(y);
	bl_block_give(all);
	return rc;
}

/* --- Singular values of C --------------------------------------------------------------------- */

/*
 * The case D > N.  C C^T = Za^T Gb Za / N^2 has the nonzero eigenvalues of Ga Gb / N^2, where Ga = Za Za^T and Gb = Zb
 * Zb^T are (N,N).  If Ga = S S^T, these are the eigenvalues of the symmetric matrix S^T Gb S / N^2 = (S^T Zb) (S^T
 * Zb)^T / N^2, so Gb is not needed.
 */
static int small_problem(const bl_standard *z, double *g, double *w, float *root, float *t)
{
	int64_t n = z->n;
	if (bl_gram(n, z->d, z->z[0], 1, z->d, NULL, g) != 0 || bl_eigh_vectors(n, g, w) != 0)
		return -1;
	for (int64_t k = 0; k < n; k++)
		for (int64_t i = 0; i < n; i++)
			root[k * n + i] = (float)(sqrt(fmax(w[k], 0)) / (double)n * g[k * n + i]);
	bl_gemm_parallel(false, false, n, z->d, n, 1, root, n, z->z[1], z->d, 0, t, z->d);
	return bl_gram(n, z->d, t, 1, z->d, NULL, g) != 0 ? -1 : bl_eigh(n, g, w);
}

/* The case D <= N, where C itself is the smallest matrix. */
static int direct(const bl_standard *z, double *g, double *w, float *c)
{
	int64_t d = z->d;
	bl_gemm_parallel(true, false, d, d, z->n, (float)(1 / (double)z->n), z->z[0], d, z->z[1], d, 0, c, d);
	return bl_gram(d, d, c, d, 1, NULL, g) != 0 ? -1 : bl_eigh(d, g, w);
}

static int singular_of(const bl_standard *z, int count, float *out)
{
	int64_t side = z->n < z->d ? z->n : z->d;
	double *g = bl_block_take((size_t)(side * side + side) * sizeof *g), *w = g ? g + side * side : NULL;
	float *t = bl_block_take((size_t)(side * side + side * z->d) * sizeof *t);
	int rc = !g || !t ? -1 : side < z->d ? small_problem(z, g, w, t, t + side * side) : direct(z, g, w, t);
	for (int k = 0; rc == 0 && k < count; k++)
		out[k] = k < side ? (float)sqrt(fmax(w[k], 0)) : 0;
	bl_block_give(g);
	bl_block_give(t);
	return rc;
}

int bl_measure_singular(const bl_monitor_input *l, int count, float *out)
{
	bl_standard z;
	if (bl_standard_make(&z, l->dialect, l->z[0], l->z[1]) != 0)
		return -1;
	int rc = singular_of(&z, count, out);
	bl_standard_free(&z);
	return rc;
}

int bl_measure_spectrum(const bl_monitor_input *l, bl_snapshot *s)
{
	s->spectrum = s->d < BL_SPECTRUM_MAX ? s->d : BL_SPECTRUM_MAX;
	s->rankme = bl_eval_rankme(l->z[0]);
	if (s->rankme >= 0 && eigenvalues(l, s) == 0 && bl_measure_singular(l, s->spectrum, s->singular) == 0)
		return bl_measure_dead(l, s);
	s->spectrum = 0;
	s->rankme = NAN;
	return -1;
}
