/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spectrum.c: measures how many dimensions features use: RankMe, eigenvalues of the covariance, standard deviations. */
#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include "tensor/matrix/lapack.h"

#include <inttypes.h>
#include <math.h>

/*
 * Returns z as a row-major tensor (N,F), a new reference.  NULL with bl_error unless N and F are at least 1 and all
 * values are finite.
 */
static bl_tensor *features_of(const bl_tensor *z, int64_t *n, int64_t *f)
{
	char buf[BL_SHAPE_TEXT];
	int64_t bad;

	if (bl_tensor_ndim(z) != 2 || bl_tensor_count(z) == 0)
		return bl_fail_null("features are %s, expected (N, F)", bl_tensor_text(z, buf));
	bad = bl_tensor_find_nonfinite(z);
	*n = bl_tensor_size(z, 0);
	*f = bl_tensor_size(z, 1);
	if (bad >= 0)
		return bl_fail_null("feature %" PRId64 " of row %" PRId64 " is not finite (both counted from 1)", bad % *f + 1,
		                    bad / *f + 1);
	return bl_tensor_contiguous((bl_tensor *)z);
}

static void column_means(const float *x, int64_t n, int64_t f, double *mean)
{
	for (int64_t j = 0; j < f; j++)
		mean[j] = 0;
	for (int64_t i = 0; i < n; i++)
		for (int64_t j = 0; j < f; j++)
			mean[j] += x[i * f + j];
	for (int64_t j = 0; j < f; j++)
		mean[j] /= (double)n;
}

/*
 * Computes the `side` largest eigenvalues of x^T x into w, in descending order; all others are 0.  With side =
 * min(N,F), they are computed from the smaller one of x^T x and x x^T.  Centring (mean is not NULL) needs x^T x and
 * side = F, since each feature has its own mean.
 */
static int gram_eigenvalues(const float *x, int64_t n, int64_t f, const double *mean, int64_t side, double *w)
{
	double *g = bl_block_take((size_t)(side * side) * sizeof(*g));
	int rc = g ? 0 : -1;

	if (rc == 0)
		rc = side == f ? bl_gram(f, n, x, f, 1, mean, g) : bl_gram(n, f, x, 1, f, NULL, g);
	if (rc == 0)
		rc = bl_check_given_up();
	if (rc == 0)
		rc = bl_eigh(side, g, w);
	bl_block_give(g);
	for (int64_t i = 0; rc == 0 && i < side; i++)
		w[i] = fmax(w[i], 0); /* rounding can make eigenvalues of 0 negative */
	return rc;
}

/* exp(-sum p log p) with p = s / sum s, where s are the singular values.  If all features are 0, the result is 1. */
static double effective_rank(const double *eigenvalues, int64_t n)
{
	double sum = 0, entropy = 0;

	for (int64_t i = 0; i < n; i++)
		sum += sqrt(eigenvalues[i]);
	for (int64_t i = 0; i < n; i++) {
		double p = sum > 0 ? sqrt(eigenvalues[i]) / sum : 0;

		entropy -= p > 0 ? p * log(p) : 0;
	}
	return exp(entropy);
}

double bl_eval_rankme(const bl_tensor *z)
{
	int64_t n, f, side;
	bl_tensor *x = features_of(z, &n, &f);
	double *w, rank = -1;

	if (!x)
		return -1;
	side = n < f ? n : f;
	w = bl_block_take((size_t)side * sizeof(*w));
	if (w && gram_eigenvalues(bl_tensor_data(x), n, f, NULL, side, w) == 0)
		rank = effective_rank(w, side);
	bl_block_give(w);
	bl_tensor_unref(x);
	return rank;
}

int bl_eval_spectrum(const bl_tensor *z, bool centred, float *out)
{
	int64_t n, f, side;
	bl_tensor *x = features_of(z, &n, &f);
	double *w, *mean;
	int rc;

	if (!x)
		return -1;
	side = n < f && !centred ? n : f;
	w = bl_block_take((size_t)(side + f) * sizeof(*w));
	mean = w ? w + side : NULL;
	if (w && centred)
		column_means(bl_tensor_data(x), n, f, mean);
	rc = w ? gram_eigenvalues(bl_tensor_data(x), n, f, centred ? mean : NULL, side, w) : -1;
	for (int64_t i = 0; rc == 0 && i < f; i++)
		out[i] = i < side ? (float)(w[i] / (double)(n > 1 ? n - 1 : 1)) : 0;
	bl_block_give(w);
	bl_tensor_unref(x);
	return rc;
}

int bl_eval_std(const bl_tensor *z, float *out)
{
	int64_t n, f;
	bl_tensor *x = features_of(z, &n, &f);
	double *mean = x ? bl_block_take((size_t)(2 * f) * sizeof(*mean)) : NULL;
	double *square = mean ? mean + f : NULL;
	const float *v = x ? bl_tensor_data(x) : NULL;

	if (mean) {
		column_means(v, n, f, mean);
		for (int64_t j = 0; j < f; j++)
			square[j] = 0;
		for (int64_t i = 0; i < n; i++)
			for (int64_t j = 0; j < f; j++)
				square[j] += (v[i * f + j] - mean[j]) * (v[i * f + j] - mean[j]);
		for (int64_t j = 0; j < f; j++)
			out[j] = (float)sqrt(square[j] / (double)(n > 1 ? n - 1 : 1));
	}
	bl_block_give(mean);
	bl_tensor_unref(x);
	return mean ? 0 : -1;
}
