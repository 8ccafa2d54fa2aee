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

/* P(T <= t) of Student's distribution with nu > 0 degrees of freedom; and its inverse, the t of a p, 0 < p < 1. */
double bl_student_cdf(double t, double nu);
double bl_student_quantile(double p, double nu);

/* The mean of n values, and the interval that contains the true mean with probability `level`. */
typedef struct bl_interval {
	int64_t n;
	double mean, sd;  /* sd: standard deviation of the values, divisor n - 1; NaN if n < 2 */
	double low, high; /* NaN if n < 2 */
	double p;         /* two-sided, for a true mean of 0; NaN if n < 2 or all values are equal, but 1 if all are 0 */
} bl_interval;

/* The interval by Student's distribution. */
bl_interval bl_interval_of(const double *x, int64_t n, double level);
/*
 * By percentiles of the means of `draws` resamples, keyed by seed: recommended from about 8 values on.  p is
 * Student's.
 */
bl_interval bl_interval_bootstrap(const double *x, int64_t n, double level, int64_t draws, uint64_t seed);
/* Adjusts n p-values in place by Holm's method: those below a are significant at level a for the whole family.  NaN is
   kept, and does not count. */
void bl_holm(double *p, int64_t n);

#endif
