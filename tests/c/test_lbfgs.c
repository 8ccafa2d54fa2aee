/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_lbfgs.c: the L-BFGS minimiser, with functions whose minima are known. */
#include "support.h"

#include <barlow/error.h>

#include "eval/lbfgs.h"

#include <math.h>
#include <string.h>

/* Rosenbrock's function, sum_i (1 - x_i)^2 + 100 (x_{i+1} - x_i^2)^2 over pairs; its minimum is 0 at (1, ..., 1). */
static int rosenbrock(void *ctx, const double *x, double *f, double *g)
{
	int n = *(int *)ctx;

	*f = 0;
	for (int i = 0; i < n; i += 2) {
		double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];

		*f += a * a + 100 * b * b;
		g[i] = -2 * a - 400 * b * x[i];
		g[i + 1] = 200 * b;
	}
	return 0;
}

static void rosenbrocks_function_is_minimised(void **state)
{
	double x[10];
	int n = 10;
	bl_lbfgs_config c = { .n = 10, .iterations = 400, .tolerance = 1e-8 };
	bl_lbfgs_result r;

	(void)state;
	for (int i = 0; i < n; i++)
		x[i] = i % 2 ? 1 : -1.2 - .05 * i;
	assert_int_equal(bl_lbfgs_minimise(&c, rosenbrock, &n, x, &r), 0);
	assert_true(r.converged);
	assert_true(r.gradient <= 1e-8);
	assert_in_range(r.iterations, 10, 250);
	for (int i = 0; i < n; i++)
		assert_close(x[i], 1, 1e-7);
}

/* sum_i scale_i (x_i - i)^2 / 2 with scales from 1 to 100. */
static int bowl(void *ctx, const double *x, double *f, double *g)
{
	(void)ctx;
	*f = 0;
	for (int i = 0; i < 50; i++) {
		double scale = pow(10, 2. * i / 49), d = x[i] - i;

		*f += scale * d * d / 2;
		g[i] = scale * d;
	}
	return 0;
}

/* As `bowl`, but the minimum is 1 instead of 0. */
static int offset_bowl(void *ctx, const double *x, double *f, double *g)
{
	bowl(ctx, x, f, g);
	*f += 1;
	return 0;
}

static void a_quadratic_function_is_minimised(void **state)
{
	double x[50] = { 0 };
	bl_lbfgs_config c = { .n = 50, .iterations = 500, .tolerance = 1e-9 };
	bl_lbfgs_result r;

	(void)state;
	assert_int_equal(bl_lbfgs_minimise(&c, bowl, NULL, x, &r), 0);
	assert_true(r.gradient <= 1e-9);
	for (int i = 0; i < 50; i++)
		assert_close(x[i], i, 1e-8);
}

/* A smoothed |x| in single precision: near the minimum, rounding dominates its values. */
static int noisy(void *ctx, const double *x, double *f, double *g)
{
	float r = sqrtf(1 + (float)(x[0] * x[0]));

	(void)ctx;
	*f = r;
	g[0] = x[0] / r;
	return 0;
}

static void noise_ends_the_search_without_error(void **state)
{
	double x[1] = { 30 };
	bl_lbfgs_config c = { .n = 1, .iterations = 1000, .tolerance = 0 };
	bl_lbfgs_result r;

	(void)state;
	assert_int_equal(bl_lbfgs_minimise(&c, noisy, NULL, x, &r), 0);
	assert_true(r.converged);
	assert_true(fabs(x[0]) < 1e-2);
}

static void iterations_are_bounded(void **state)
{
	double x[2] = { -1.2, 1 };
	int n = 2;
	bl_lbfgs_config c = { .n = 2, .iterations = 3, .tolerance = 1e-8 };
	bl_lbfgs_result r;

	(void)state;
	assert_int_equal(bl_lbfgs_minimise(&c, rosenbrock, &n, x, &r), 0);
	assert_int_equal(r.iterations, 3);
	assert_false(r.converged);
}

/* Near the minimum, the relative decrease of f is small while the gradient still exceeds the tolerance. */
static void slow_progress_ends_it(void **state)
{
	double x[50] = { 0 };
	bl_lbfgs_config c = { .n = 50, .iterations = 500, .tolerance = 1e-12, .progress = 1e-3 };
	bl_lbfgs_result slow, full;

	(void)state;
	assert_int_equal(bl_lbfgs_minimise(&c, offset_bowl, NULL, x, &slow), 0);
	assert_true(slow.converged);
	memset(x, 0, sizeof(x));
	c.progress = 0;
	assert_int_equal(bl_lbfgs_minimise(&c, offset_bowl, NULL, x, &full), 0);
	assert_true(full.iterations > slow.iterations + 10);
	assert_in_range(slow.iterations, BL_LBFGS_SPAN + 1, 100);
}

static void a_start_at_the_minimum_ends_the_search(void **state)
{
	double x[2] = { 1, 1 };
	int n = 2;
	bl_lbfgs_config c = { .n = 2, .iterations = 3, .tolerance = 1e-8 };
	bl_lbfgs_result r;

	(void)state;
	assert_int_equal(bl_lbfgs_minimise(&c, rosenbrock, &n, x, &r), 0);
	assert_int_equal(r.iterations, 0);
	assert_int_equal(r.evaluations, 1);
	assert_true(r.converged);
}

static void stop_ends_it(void **state)
{
	double x[2] = { -1.2, 1 };
	int n = 2;
	volatile int stop = 1;
	bl_lbfgs_config c = { .n = 2, .iterations = 3, .tolerance = 1e-8, .stop = &stop };
	bl_lbfgs_result r;

	(void)state;
	assert_int_equal(bl_lbfgs_minimise(&c, rosenbrock, &n, x, &r), -1);
	assert_string_equal(bl_error(), "stopped");
}

static int failing(void *ctx, const double *x, double *f, double *g)
{
	int *left = ctx, two = 2;

	return (*left)-- > 0 ? rosenbrock(&two, x, f, g) : bl_fail("no more");
}

static void errors_of_the_function_are_reported(void **state)
{
	bl_lbfgs_config c = { .n = 2, .iterations = 100, .tolerance = 1e-8 };
	bl_lbfgs_result r;

	(void)state;
	for (int calls = 0; calls < 5; calls++) {
		double x[2] = { -1.2, 1 };
		int left = calls;

		assert_int_equal(bl_lbfgs_minimise(&c, failing, &left, x, &r), -1);
		assert_error("no more");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rosenbrocks_function_is_minimised),
		cmocka_unit_test(a_quadratic_function_is_minimised),
		cmocka_unit_test(noise_ends_the_search_without_error),
		cmocka_unit_test(iterations_are_bounded),
		cmocka_unit_test(slow_progress_ends_it),
		cmocka_unit_test(a_start_at_the_minimum_ends_the_search),
		cmocka_unit_test(stop_ends_it),
		cmocka_unit_test(errors_of_the_function_are_reported),
	};
	return cmocka_run_group_tests_name("lbfgs", tests, NULL, NULL);
}
