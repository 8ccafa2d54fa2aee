/* SPDX-License-Identifier: GPL-3.0-or-later */
/* statistics.c: Student's distribution, intervals of means, Holm's correction. */
#include <barlow/random.h>
#include <barlow/statistics.h>

#include <math.h>
#include <stdlib.h>

/* --- Student's distribution by the incomplete beta function --- */

/*
 * The continued fraction of I_x(a, b) by Lentz's method (Abramowitz and Stegun 26.5.8; Thompson and Barnett 1986); it
 * converges quickly for x < (a + 1) / (a + b + 2).
 */
static double beta_fraction(double x, double a, double b)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1);
	d = 1 / (fabs(d) < tiny ? tiny : d);
	double f = d;
	for (int m = 1; m <= 10000; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double change = 1;
		for (int k = 0; k < 2; k++) {
			double term = k == 0 ? even : odd;
			d = 1 + term * d;
			c = 1 + term / c;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = fabs(c) < tiny ? tiny : c;
			f *= d * c;
			change = d * c;
		}
		if (fabs(change - 1) < 1e-15)
			break;
	}
	return f;
}

/* I_x(a, b).  y = 1 - x is a separate argument, because the difference has few digits if x is near 1. */
static double beta_incomplete(double x, double y, double a, double b)
{
	if (x <= 0)
		return 0;
	if (y <= 0)
		return 1;
	double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(x, a, b) / a;
	return 1 - front * beta_fraction(y, b, a) / b;
}

/* P(|T| > |t|) with nu degrees of freedom. */
static double two_sided(double t, double nu)
{
	double s = t * t;
	return isinf(s) ? 0 : beta_incomplete(nu / (nu + s), s / (nu + s), nu / 2, .5);
}

double bl_student_cdf(double t, double nu)
{
	double tail = two_sided(t, nu) / 2;
	return t < 0 ? tail : 1 - tail;
}

/* Bisects on t, as the tail probability falls monotonically with it; 200 halvings are more than the digits of a double. */
double bl_student_quantile(double p, double nu)
{
	double tail = p < .5 ? p : 1 - p, low = 0, high = 1;
	if (!(p > 0 && p < 1))
		return NAN;
	while (two_sided(high, nu) / 2 > tail && high < 1e300)
		high *= 2;
	for (int i = 0; i < 200; i++) {
		double middle = low + (high - low) / 2;
		if (two_sided(middle, nu) / 2 > tail)
			low = middle;
		else
			high = middle;
	}
	return p < .5 ? -high : high;
}

/* --- intervals --- */

static double mean_of(const double *x, int64_t n)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += x[i];
	return sum / (double)n;
}

bl_interval bl_interval_of(const double *x, int64_t n, double level)
{
	bl_interval v = { .n = n, .mean = n > 0 ? mean_of(x, n) : NAN, .sd = NAN, .low = NAN, .high = NAN, .p = NAN };
	double squares = 0;
	if (n < 2)
		return v;
	for (int64_t i = 0; i < n; i++)
		squares += (x[i] - v.mean) * (x[i] - v.mean);
	v.sd = sqrt(squares / (double)(n - 1));
	double error = v.sd / sqrt((double)n), nu = (double)(n - 1);
	double reach = error * bl_student_quantile(.5 + level / 2, nu);
	v.low = v.mean - reach;
	v.high = v.mean + reach;
	v.p = error > 0 ? two_sided(v.mean / error, nu) : v.mean != 0 ? NAN : 1;
	return v;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Returns the value below which `share` of the n sorted numbers lies, interpolated linearly. */
static double percentile(const double *sorted, int64_t n, double share)
{
	double at = share * (double)(n - 1);
	int64_t i = (int64_t)at;
	if (i >= n - 1)
		return sorted[n - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

bl_interval bl_interval_bootstrap(const double *x, int64_t n, double level, int64_t draws, uint64_t seed)
{
	bl_interval v = bl_interval_of(x, n, level);
	double *means = n >= 2 && n <= UINT32_MAX && draws >= 1 ? malloc((size_t)draws * sizeof *means) : NULL;
	if (!means)
		return v;
	for (int64_t k = 0; k < draws; k++) {
		bl_rng r;
		double sum = 0;
		bl_rng_init(&r, seed, 0, (uint32_t)k, BL_STREAM_EVAL);
		bl_rng_narrow(&r, "bootstrap", 0);
		for (int64_t i = 0; i < n; i++)
			sum += x[bl_rng_below(&r, (uint32_t)n)];
		means[k] = sum / (double)n;
	}
	qsort(means, (size_t)draws, sizeof *means, by_value);
	v.low = percentile(means, draws, (1 - level) / 2);
	v.high = percentile(means, draws, (1 + level) / 2);
	free(means);
	return v;
}

/* --- many tests --- */

/*
 * Step-down procedure: the i-th smallest of m values is multiplied by m - i + 1 and limited to 1.  If this is less than the
 * result for the value before, that result is used.  NaN values are not counted, and stay NaN.
 */
void bl_holm(double *p, int64_t n)
{
	int64_t left = 0;
	double floor = 0;
	for (int64_t i = 0; i < n; i++)
		left += !isnan(p[i]);
	for (; left > 0; left--) {
		int64_t best = -1;
		for (int64_t i = 0; i < n; i++) /* the smallest that is left; finished values are negative */
			if (p[i] >= 0 && (best < 0 || p[i] < p[best]))
				best = i;
		floor = fmax(floor, fmin(1, p[best] * (double)left));
		p[best] = -1 - floor;
	}
	for (int64_t i = 0; i < n; i++)
		if (p[i] < 0)
			p[i] = -1 - p[i];
}
