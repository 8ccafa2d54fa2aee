/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * statistics.h: what a few repetitions say of a mean: intervals and tests, as a table of results states them.
 *
 * Student, "The probable error of a mean", 1908; Holm, "A simple sequentially rejective multiple test procedure", 1979; Efron and
 * Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals).
 */
#ifndef BARLOW_STATISTICS_H
#define BARLOW_STATISTICS_H

#include <stdint.h>

/* P(T <= t) of Student's distribution with nu > 0 degrees of freedom, and the t of which that is p, 0 < p < 1. */
double bl_student_cdf(double t, double nu);
double bl_student_quantile(double p, double nu);

/* n values: their mean, and the interval that holds the true mean with probability `level`. */
typedef struct bl_interval {
	int64_t n;
	double mean, sd;  /* sd: of the values, by n - 1; NaN below two */
	double low, high; /* NaN below two */
	double p;         /* two-sided, of the true mean being 0; NaN below two, and where equal values give no spread to test by; 1: all are 0 */
} bl_interval;

/* By Student's distribution. */
bl_interval bl_interval_of(const double *x, int64_t n, double level);
/* By the percentiles of the means of `draws` resamples, keyed by seed: what to use from about 8 values on.  p stays Student's. */
bl_interval bl_interval_bootstrap(const double *x, int64_t n, double level, int64_t draws, uint64_t seed);
/* p (n of them) become Holm's: below a where they are significant at a, all n together.  NaN stays, and does not count. */
void bl_holm(double *p, int64_t n);

#endif
