/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * statistics.h: confidence intervals and tests for the mean of a few repetitions.
 *
 * Student, "The probable error of a mean", 1908; Holm, "A simple sequentially rejective multiple test procedure",
 * 1979; Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals).
 */
#ifndef BARLOW_STATISTICS_H
#define BARLOW_STATISTICS_H

#include <stdint.h>

/* P(T <= t) for Student's distribution with nu > 0 degrees of freedom. */
double bl_student_cdf(double t, double nu);
/* The inverse of bl_student_cdf: the t with P(T <= t) = p, 0 < p < 1. */
double bl_student_quantile(double p, double nu);

/* The mean of n values, and the interval that contains the true mean with probability `level`. */
typedef struct bl_interval {
	int64_t n;
	double mean, sd;  /* sd: standard deviation of the values, divisor n - 1; NaN if n < 2 */
	double low, high; /* NaN if n < 2 */
	/*
	 * Two-sided p-value of the hypothesis that the true mean is 0; NaN if n < 2.  If all values are equal: 1 if they
	 * are 0, else NaN.
	 */
	double p;
} bl_interval;

/* Computes the interval by Student's distribution. */
bl_interval bl_interval_of(const double *x, int64_t n, double level);
/*
 * Computes the interval by percentiles of the means of `draws` bootstrap resamples, drawn by seed.  Recommended for
 * about 8 values or more.  p is computed by Student's distribution.
 */
bl_interval bl_interval_bootstrap(const double *x, int64_t n, double level, int64_t draws, uint64_t seed);
/*
 * Adjusts n p-values in place by Holm's method.  Adjusted values below a are significant at level a for the whole
 * family. NaNs are left unchanged and are not counted.
 */
void bl_holm(double *p, int64_t n);

#endif
