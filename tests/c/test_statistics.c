/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_statistics.c: Student's distribution, compared with published values and SciPy's; intervals; Holm's correction. */
#include "support.h"

#include <barlow/statistics.h>

#include <math.h>

#define near(got, expected, within) assert_true(fabs((got) - (expected)) <= (within))

/* Values from the t table, and from scipy.stats.t.ppf to 15 digits. */
static void quantiles(void **state)
{
	static const struct {
		double p, nu, t;
	} of[] = {
		{ .975, 1, 12.706204736174707 }, { .975, 2, 4.302652729749464 },
		{ .975, 4, 2.776445105197791 },  { .995, 9, 3.2498355415921254 },
		{ .95, 30, 1.697260886593958 },  { .975, 1000, 1.9623390808264074 },
		{ .025, 4, -2.776445105197791 }, { .5, 7, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		near(bl_student_quantile(of[i].p, of[i].nu), of[i].t, 1e-11 * fmax(1, fabs(of[i].t)));
		near(bl_student_cdf(of[i].t, of[i].nu), of[i].p, 1e-12);
	}
	assert_true(isnan(bl_student_quantile(0, 3)) && isnan(bl_student_quantile(1, 3)));
	/* For nu = 1 the distribution is Cauchy's, which has a closed form. */
	for (int i = -40; i <= 40; i++) {
		double t = sinh(i / 3.);
		near(bl_student_cdf(t, 1), .5 + atan(t) / acos(-1), 1e-13);
	}
}

/* values from scipy.stats: t.interval(.95, 3, 2.5, sem) and ttest_1samp */
static void intervals(void **state)
{
	const double x[] = { 1, 2, 3, 4 }, same[] = { .25, .25, .25 }, zero[] = { 0, 0 };
	(void)state;
	bl_interval v = bl_interval_of(x, 4, .95);
	near(v.mean, 2.5, 0);
	near(v.sd, sqrt(5. / 3), 1e-15);
	near(v.low, 0.445739743239121, 1e-12);
	near(v.high, 4.5542602567608785, 1e-12);
	near(v.p, 0.030466291662170977, 1e-12);
	v = bl_interval_of(x, 1, .95);
	assert_true(v.mean == 1 && isnan(v.low) && isnan(v.sd) && isnan(v.p));
	assert_true(isnan(bl_interval_of(x, 0, .95).mean));
	v = bl_interval_of(same, 3, .95);
	assert_true(v.low == .25 && v.high == .25 && isnan(v.p));
	assert_true(bl_interval_of(zero, 2, .95).p == 1);
}

/* For many values the percentiles approach the normal interval; the same seed gives the same interval. */
static void bootstrap(void **state)
{
	double x[400];
	(void)state;
	for (int i = 0; i < 400; i++)
		x[i] = sin(i * 12.9898) * 43758.5453 - floor(sin(i * 12.9898) * 43758.5453);
	bl_interval t = bl_interval_of(x, 400, .95), b = bl_interval_bootstrap(x, 400, .95, 4000, 1);
	double reach = t.high - t.mean;
	near(b.low, t.low, .1 * reach);
	near(b.high, t.high, .1 * reach);
	assert_true(b.low == bl_interval_bootstrap(x, 400, .95, 4000, 1).low);
	assert_true(b.low != bl_interval_bootstrap(x, 400, .95, 4000, 2).low);
	near(b.p, t.p, 0);
}

/* Values from R: p.adjust(c(.01, .04, .03, .005), "holm"); also ties, and values limited to 1. */
static void holm(void **state)
{
	double p[] = { .01, .04, .03, .005 }, ties[] = { .5, .02, .5, .02 }, missing[] = { .01, NAN, .04 };
	const double expected[] = { .03, .06, .06, .02 }, of_ties[] = { 1, .08, 1, .08 };
	(void)state;
	bl_holm(p, 4);
	bl_holm(ties, 4);
	bl_holm(missing, 3);
	for (int i = 0; i < 4; i++) {
		near(p[i], expected[i], 1e-15);
		near(ties[i], of_ties[i], 1e-15);
	}
	near(missing[0], .02, 1e-15);
	assert_true(isnan(missing[1]));
	near(missing[2], .04, 1e-15);
	bl_holm(p, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles),
		cmocka_unit_test(intervals),
		cmocka_unit_test(bootstrap),
		cmocka_unit_test(holm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
