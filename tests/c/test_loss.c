/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_loss.c: the Barlow Twins loss: comparison of its two forms, edge cases, pictures of C, messages. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/loss.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct views {
	bl_tensor *z[2];
} views;

/* Two correlated views whose columns have different offsets and scales. */
static views make_views(int64_t n, int64_t d, float noise)
{
	int64_t shape[2] = { n, d };
	views v = { { bl_tensor_new(2, shape), bl_tensor_new(2, shape) } };
	bl_tensor *own = bl_tensor_new(2, shape);
	bl_tensor_normal(v.z[0], 7, 0, 0, 1);
	bl_tensor_normal(own, 7, 1, 0, noise);
	for (int64_t i = 0; i < n * d; i++) {
		float shared = bl_tensor_data(v.z[0])[i];
		bl_tensor_data(v.z[0])[i] = 3 + shared * (1 + (float)(i % d % 5));
		bl_tensor_data(v.z[1])[i] = shared + bl_tensor_data(own)[i] - (float)(i % d % 3);
	}
	bl_tensor_unref(own);
	for (int k = 0; k < 2; k++)
		bl_tensor_set_requires_grad(v.z[k], true);
	return v;
}

static void drop(views v)
{
	bl_tensor_unref(v.z[0]);
	bl_tensor_unref(v.z[1]);
}

/* Computes the loss and both gradients. */
static bl_barlow_terms run(const bl_barlow_config *c, views v)
{
	bl_barlow_terms t;
	for (int k = 0; k < 2; k++)
		bl_tensor_zero_grad(v.z[k]);
	bl_tensor *y = bl_barlow(c, v.z[0], v.z[1], &t);
	if (!y)
		fail_msg("%s", bl_error());
	assert_close((double)*bl_tensor_data(y), t.total, 1e-6);
	assert_int_equal(bl_backward(y, NULL), 0);
	bl_tensor_unref(y);
	return t;
}

static float *copy_grad(const bl_tensor *t)
{
	size_t bytes = (size_t)bl_tensor_count(t) * sizeof(float);
	float *copy = malloc(bytes);
	assert_non_null(copy);
	memcpy(copy, bl_tensor_data(bl_tensor_grad(t)), bytes);
	return copy;
}

static void assert_relative(double a, double b, double tolerance)
{
	if (!(fabs(a - b) <= tolerance * fabs(b)))
		fail_msg("%.9g is off %.9g by %.2g, allowed %.2g", a, b, fabs(a - b) / fabs(b), tolerance);
}

static void forms_agree(bl_barlow_config c, views v)
{
	int64_t n = bl_tensor_count(v.z[0]);
	c.form = BL_FORM_DIRECT;
	bl_barlow_terms direct = run(&c, v);
	float *grad[2] = { copy_grad(v.z[0]), copy_grad(v.z[1]) };
	c.form = BL_FORM_GRAM;
	bl_barlow_terms gram = run(&c, v);
	assert_relative(gram.invariance, direct.invariance, 1e-5);
	assert_relative(gram.redundancy, direct.redundancy, 1e-5);
	assert_relative(gram.total, direct.total, 1e-5);
	for (int k = 0; k < 2; k++) {
		assert_all_close(bl_tensor_data(bl_tensor_grad(v.z[k])), grad[k], n, 1e-5);
		free(grad[k]);
	}
}

static void gram_is_direct_for_n_below_at_and_above_d(void **state)
{
	static const int64_t sizes[][2] = { { 2, 5 },    { 3, 70 },  { 64, 200 },  { 96, 96 },   { 300, 65 },
		                            { 513, 40 }, { 7, 600 }, { 40, 1100 }, { 130, 2100 } };
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (bl_loss_dialect d = BL_DIALECT_PAPER; d <= BL_DIALECT_HSIC; d++) {
			views v = make_views(sizes[i][0], sizes[i][1], .5f);
			forms_agree((bl_barlow_config){ .05, 2, BL_FORM_AUTO, d, 1 }, v);
			drop(v);
		}
}

/* ||C||^2 and the sum of squares on its diagonal are nearly equal here, and the gram form computes their difference. */
static void gram_is_direct_near_the_identity(void **state)
{
	enum { N = 256, D = 32 };
	(void)state;
	views v = make_views(N, D, .1f);
	for (int k = 0; k < 2; k++)
		for (int64_t i = 0; i < N * D; i++) {
			double wave = cos(M_PI * ((double)(i / D) + .5) * (double)(i % D + 1) / N);
			float *z = bl_tensor_data(v.z[k]) + i;
			*z = (float)wave + .02f * *z;
		}
	bl_barlow_config c = BL_BARLOW_DEFAULT;
	bl_barlow_terms t = run(&c, v);
	assert_true(t.redundancy < .02 * D);
	forms_agree(c, v);
	drop(v);
}

/* The loss by its definition, in double precision. */
static double by_definition(const views *v, double lambda)
{
	int64_t n = bl_tensor_size(v->z[0], 0), d = bl_tensor_size(v->z[0], 1);
	double *z[2], loss = 0;
	for (int k = 0; k < 2; k++) {
		const float *x = bl_tensor_data(v->z[k]);
		z[k] = malloc((size_t)(n * d) * sizeof *z[k]);
		assert_non_null(z[k]);
		for (int64_t j = 0; j < d; j++) {
			double mean = 0, var = 0;
			for (int64_t i = 0; i < n; i++)
				mean += (double)x[i * d + j] / (double)n;
			for (int64_t i = 0; i < n; i++)
				var += ((double)x[i * d + j] - mean) * ((double)x[i * d + j] - mean) / (double)n;
			for (int64_t i = 0; i < n; i++)
				z[k][i * d + j] = ((double)x[i * d + j] - mean) / sqrt(var + 1e-5);
		}
	}
	for (int64_t i = 0; i < d; i++)
		for (int64_t j = 0; j < d; j++) {
			double c = 0;
			for (int64_t b = 0; b < n; b++)
				c += z[0][b * d + i] * z[1][b * d + j] / (double)n;
			loss += i == j ? (1 - c) * (1 - c) : lambda * c * c;
		}
	free(z[0]);
	free(z[1]);
	return loss;
}

static void loss_is_what_the_paper_defines(void **state)
{
	(void)state;
	views v = make_views(20, 33, .5f);
	bl_barlow_config c = BL_BARLOW_DEFAULT;
	assert_relative(run(&c, v).total, by_definition(&v, c.lambda), 1e-6);
	c.scale = .024;
	assert_relative(run(&c, v).total, .024 * by_definition(&v, c.lambda), 1e-6);
	drop(v);
}

/* The loss by its definition after a change of one element of zA. */
static double moved(const views *v, double lambda, int64_t at, double by)
{
	float *x = bl_tensor_data(v->z[0]) + at, kept = *x;
	*x = (float)((double)*x + by);
	double loss = by_definition(v, lambda);
	*x = kept;
	return loss;
}

/*
 * As in batch norm, the derivative of a unit that is constant in one view is 1/sqrt(eps).  The gradient is compared with the
 * definition.  If one element changes minimally, neither value nor gradient may jump.
 */
static void constant_in_one_view_has_the_gradient_of_batch_norm(void **state)
{
	enum { N = 12, D = 5, DEAD = 3 };
	const double lambda = .1, step = 1e-5;
	(void)state;
	for (int f = 0; f < 2; f++) {
		views v = make_views(N, D, .5f);
		for (int i = 0; i < N; i++)
			bl_tensor_data(v.z[0])[i * D + DEAD] = .5f;
		bl_barlow_config c = { lambda, 1, f ? BL_FORM_GRAM : BL_FORM_DIRECT, BL_DIALECT_PAPER, 1 };
		bl_barlow_terms t = run(&c, v);
		assert_relative(t.total, by_definition(&v, lambda), 1e-5);
		float *grad = copy_grad(v.z[0]), column[N], expected[N];
		for (int i = 0; i < N; i++) {
			column[i] = grad[i * D + DEAD];
			expected[i] = (float)((moved(&v, lambda, i * D + DEAD, step) - moved(&v, lambda, i * D + DEAD, -step)) /
			                      (2 * step));
		}
		assert_true(fabsf(column[0]) > 10);
		assert_all_close(column, expected, N, 1e-2);
		bl_tensor_data(v.z[0])[DEAD] += 1e-7f;
		assert_relative(run(&c, v).total, t.total, 1e-4);
		assert_all_close(bl_tensor_data(bl_tensor_grad(v.z[0])), grad, N * D, 1e-3);
		free(grad);
		drop(v);
	}
}

static void constant_in_both_views_is_counted_without_a_gradient(void **state)
{
	enum { N = 12, D = 5, DEAD = 3 };
	(void)state;
	for (int f = 0; f < 2; f++)
		for (bl_loss_dialect d = BL_DIALECT_PAPER; d <= BL_DIALECT_HSIC; d++) {
			views v = make_views(N, D, .5f);
			for (int i = 0; i < 2 * N; i++)
				bl_tensor_data(v.z[i / N])[i % N * D + DEAD] = .1f;
			bl_barlow_config c = { .1, 1, f ? BL_FORM_GRAM : BL_FORM_DIRECT, d, 1 };
			bl_barlow_terms t = run(&c, v);
			assert_true(isfinite(t.total) && t.invariance >= 1);
			for (int k = 0; k < 2; k++)
				assert_int_equal(bl_tensor_find_nonfinite(bl_tensor_grad(v.z[k])), -1);
			for (int i = 0; d != BL_DIALECT_HSIC && i < N; i++) /* not for hsic, whose target off the diagonal is -1 */
				assert_true(bl_tensor_data(bl_tensor_grad(v.z[0]))[i * D + DEAD] == 0);
			drop(v);
		}
}

/* The paper's listing has no eps, so the result is 0/0. */
static void constant_in_one_view_is_nan_without_an_eps(void **state)
{
	enum { N = 12, D = 5, DEAD = 3 };
	(void)state;
	for (int f = 0; f < 2; f++) {
		views v = make_views(N, D, .5f);
		for (int i = 0; i < N; i++)
			bl_tensor_data(v.z[1])[i * D + DEAD] = 2;
		bl_barlow_config c = { .1, 1, f ? BL_FORM_GRAM : BL_FORM_DIRECT, BL_DIALECT_ALGORITHM1, 1 };
		bl_tensor *y = bl_barlow(&c, v.z[0], v.z[1], NULL);
		assert_true(isnan(*bl_tensor_data(y)));
		bl_tensor_unref(y);
		drop(v);
	}
}

/* Squares of floats overflow at 1e19 and underflow at 1e-23. */
static void scale_of_embeddings_does_not_matter(void **state)
{
	static const float scales[] = { 1e25f, 1e19f, 1e-15f, 1e-28f };
	(void)state;
	for (int f = 0; f < 2; f++)
		for (int i = 0; i < 4; i++) {
			views v = make_views(20, 9, .5f), w = make_views(20, 9, .5f);
			bl_barlow_config c = { .1, 1, f ? BL_FORM_GRAM : BL_FORM_DIRECT, BL_DIALECT_ALGORITHM1, 1 };
			for (int64_t k = 0; k < 2 * 20 * 9; k++)
				bl_tensor_data(w.z[k % 2])[k / 2] *= scales[i];
			assert_relative(run(&c, w).total, run(&c, v).total, 1e-5);
			drop(v);
			drop(w);
		}
}

static void nan_goes_through(void **state)
{
	(void)state;
	views v = make_views(8, 4, .5f);
	bl_tensor_data(v.z[0])[5] = NAN;
	bl_tensor *y = bl_barlow(&BL_BARLOW_DEFAULT, v.z[0], v.z[1], NULL);
	assert_true(isnan(*bl_tensor_data(y)));
	bl_tensor_unref(y);
	drop(v);
}

/* If both views are the same tensor, the gradient of L(z, z) is the sum of the gradients for the two views. */
static void one_tensor_may_be_both_views(void **state)
{
	enum { N = 10, D = 6 };
	(void)state;
	views v = make_views(N, D, .5f);
	bl_barlow_config c = { .3, 1, BL_FORM_AUTO, BL_DIALECT_PAPER, 1 };
	bl_tensor_copy(v.z[1], v.z[0]);
	run(&c, v);
	float sum[N * D];
	for (int i = 0; i < N * D; i++)
		sum[i] = bl_tensor_data(bl_tensor_grad(v.z[0]))[i] + bl_tensor_data(bl_tensor_grad(v.z[1]))[i];
	run(&c, (views){ { v.z[0], v.z[0] } });
	assert_all_close(bl_tensor_data(bl_tensor_grad(v.z[0])), sum, N * D, 1e-6);
	drop(v);
}

static void views_in_any_memory_order(void **state)
{
	(void)state;
	views v = make_views(9, 14, .5f);
	double expected = run(&BL_BARLOW_DEFAULT, v).total;
	bl_tensor *turned = bl_transpose(v.z[0], 0, 1);
	bl_tensor *dense = bl_tensor_contiguous(turned), *back = bl_transpose(dense, 0, 1);
	assert_false(bl_tensor_is_contiguous(back));
	bl_tensor *y = bl_barlow(&BL_BARLOW_DEFAULT, back, v.z[1], NULL);
	assert_close((double)*bl_tensor_data(y), expected, 1e-6);
	bl_tensor_unref(y);
	bl_tensor_unref(back);
	bl_tensor_unref(dense);
	bl_tensor_unref(turned);
	drop(v);
}

static void bits_do_not_depend_on_threads(void **state)
{
	(void)state;
	for (int form = BL_FORM_DIRECT; form <= BL_FORM_GRAM; form++) {
		views v = make_views(130, 700, .5f);
		bl_barlow_config c = { .0051, 1, (bl_barlow_form)form, BL_DIALECT_HSIC, 1 };
		size_t bytes = (size_t)bl_tensor_count(v.z[0]) * sizeof(float);
		bl_threads_set(1);
		bl_barlow_terms first = run(&c, v);
		float *grad = copy_grad(v.z[1]);
		for (int threads = 2; threads <= 3; threads++) {
			bl_threads_set(threads);
			bl_barlow_terms t = run(&c, v);
			assert_memory_equal(&t, &first, sizeof t);
			assert_memory_equal(bl_tensor_data(bl_tensor_grad(v.z[1])), grad, bytes);
		}
		bl_threads_set(0);
		free(grad);
		drop(v);
	}
}

static void steady_state_allocates_nothing(void **state)
{
	(void)state;
	views v = make_views(40, 300, .5f);
	bl_memory_stats before, after;
	bl_threads_set(1); /* each thread has its own scratch memory, and it is random which threads are used */
	run(&BL_BARLOW_DEFAULT, v);
	bl_memory(&before);
	run(&BL_BARLOW_DEFAULT, v);
	bl_memory(&after);
	assert_int_equal(after.system_calls, before.system_calls);
	assert_int_equal(after.used, before.used);
	bl_threads_set(0);
	drop(v);
}

static void nothing_is_kept_without_a_gradient(void **state)
{
	(void)state;
	views v = make_views(8, 8, .5f);
	bl_memory_stats before, after;
	bl_memory(&before);
	bool was = bl_grad_enable(false);
	bl_tensor *y = bl_barlow(&BL_BARLOW_DEFAULT, v.z[0], v.z[1], NULL);
	bl_grad_enable(was);
	bl_tensor_unref(y);
	bl_memory(&after);
	assert_int_equal(after.used, before.used);
	drop(v);
}

static void the_loss_is_not_below_its_floor(void **state)
{
	(void)state;
	bl_barlow_config c = { .005, 1, BL_FORM_AUTO, BL_DIALECT_PAPER, 1 };
	assert_close(bl_barlow_floor(&c, 256, 8192), 1103.2, 1e-3);
	c.scale = .1;
	assert_close(bl_barlow_floor(&c, 256, 8192), 110.32, 1e-3);
	assert_true(bl_barlow_floor(&c, 8192, 256) == 0); /* C can be the identity, since N > D */
	c.lambda = 2;
	assert_true(isnan(bl_barlow_floor(&c, 256, 8192)));
	/* Invariance 2 and lambda .01 give twice the loss of lambda .005. */
	c = (bl_barlow_config){ .01, 1, BL_FORM_AUTO, BL_DIALECT_PAPER, 2 };
	assert_close(bl_barlow_floor(&c, 256, 8192), 2206.4, 1e-3);
	c.invariance = 0;
	c.lambda = 0;
	assert_true(bl_barlow_floor(&c, 256, 8192) == 0);
	c = (bl_barlow_config){ .5, 1, BL_FORM_AUTO, BL_DIALECT_HSIC, 1 };
	assert_true(isnan(bl_barlow_floor(&c, 4, 64)));
	c.dialect = BL_DIALECT_PAPER;
	views v = make_views(4, 64, .1f);
	bl_barlow_terms t = run(&c, v);
	double floor = bl_barlow_floor(&c, 4, 64);
	assert_true(floor > 0 && floor < t.total);
	drop(v);
}

/* Two equal views with uncorrelated units: the diagonal is at its maximum, (N-1)/N, and other elements are 0. */
static void floor_of_algorithm1_is_reached(void **state)
{
	enum { N = 16, D = 3 };
	(void)state;
	bl_tensor *z = bl_tensor_new(2, (int64_t[]){ N, D });
	for (int64_t i = 0; i < N * D; i++)
		bl_tensor_data(z)[i] = (float)cos(M_PI * ((double)(i / D) + .5) * (double)(i % D + 1) / N);
	bl_barlow_config c = { .1, 2, BL_FORM_DIRECT, BL_DIALECT_ALGORITHM1, 1 };
	bl_barlow_terms t;
	bl_tensor_unref(bl_barlow(&c, z, z, &t));
	assert_relative(t.total, bl_barlow_floor(&c, N, D), 1e-4);
	assert_relative(t.total, 2. * D / (N * N), 1e-4);
	bl_tensor_unref(z);
	/* if N < D, the loss of white noise of rank N-1 is not below the floor */
	views v = make_views(4, 64, .01f);
	c.lambda = 1e-4;
	assert_true(run(&c, v).total > bl_barlow_floor(&c, 4, 64));
	assert_true(bl_barlow_floor(&c, 4, 64) > 2. * 64 / 16);
	drop(v);
}

/* All off-diagonal elements are 0, so this holds for any lambda. */
static void one_dimension_has_no_redundancy(void **state)
{
	(void)state;
	views v = make_views(40, 1, .5f);
	bl_barlow_config c = { 1e15, 1, BL_FORM_GRAM, BL_DIALECT_PAPER, 1 };
	bl_barlow_terms t = run(&c, v);
	assert_true(t.redundancy == 0 && t.total == t.invariance);
	float *grad = copy_grad(v.z[0]);
	c.lambda = 0;
	run(&c, v);
	assert_all_close(grad, bl_tensor_data(bl_tensor_grad(v.z[0])), 40, 1e-6);
	free(grad);
	drop(v);
}

static void auto_takes_the_cheaper_form(void **state)
{
	(void)state;
	assert_int_equal(bl_barlow_pick(BL_FORM_AUTO, 256, 8192), BL_FORM_GRAM);
	assert_int_equal(bl_barlow_pick(BL_FORM_AUTO, 2048, 512), BL_FORM_DIRECT);
	assert_int_equal(bl_barlow_pick(BL_FORM_DIRECT, 256, 8192), BL_FORM_DIRECT);
	assert_int_equal(bl_barlow_pick(BL_FORM_GRAM, 2048, 512), BL_FORM_GRAM);
}

/* Pools C by plain loops; 70 columns are divided into 8 cells, which have 9 or 8 columns. */
static void picture_is_c_pooled(void **state)
{
	enum { N = 16, D = 70, G = 8 };
	(void)state;
	views v = make_views(N, D, .5f);
	float mean[G * G], extreme[G * G], diag[D], want_mean[G * G], want_extreme[G * G], want_diag[D];
	assert_int_equal(bl_loss_picture(BL_DIALECT_PAPER, v.z[0], v.z[1], G, mean, extreme, diag), 0);
	bl_tensor *c = bl_loss_correlation(BL_DIALECT_PAPER, v.z[0], v.z[1]);
	for (int cell = 0; cell < G * G; cell++) {
		int64_t i, i2, j, j2;
		double sum = 0, most = 0;
		bl_chunk_range(D, G, cell / G, &i, &i2);
		bl_chunk_range(D, G, cell % G, &j, &j2);
		for (int64_t p = i; p < i2; p++)
			for (int64_t q = j; q < j2; q++) {
				double x = (double)bl_tensor_data(c)[p * D + q];
				sum += x;
				most = fabs(x) > fabs(most) ? x : most;
			}
		want_mean[cell] = (float)(sum / (double)((i2 - i) * (j2 - j)));
		want_extreme[cell] = (float)most;
	}
	for (int i = 0; i < D; i++)
		want_diag[i] = bl_tensor_data(c)[i * D + i];
	assert_all_close(mean, want_mean, G * G, 1e-6);
	assert_all_close(extreme, want_extreme, G * G, 1e-6);
	assert_all_close(diag, want_diag, D, 1e-6);
	bl_tensor_unref(c);
	drop(v);
}

static void refuse(const bl_barlow_config *c, bl_tensor *za, bl_tensor *zb, const char *part)
{
	assert_null(bl_barlow(c, za, zb, NULL));
	assert_error(part);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	views v = make_views(4, 6, .5f), one = make_views(1, 6, .5f), other = make_views(4, 5, .5f);
	bl_tensor *image = bl_tensor_full(4, (int64_t[]){ 4, 6, 1, 1 }, 0);
	bl_barlow_config c = BL_BARLOW_DEFAULT;
	float cells[49];
	refuse(&c, one.z[0], one.z[1], "a batch of 1 has no variance");
	refuse(&c, v.z[0], other.z[0], "(4, 6) and (4, 5)");
	refuse(&c, image, v.z[0], "(4, 6, 1, 1)");
	c.lambda = -.5;
	refuse(&c, v.z[0], v.z[1], "lambda must be a number >= 0, got -0.5");
	c.lambda = NAN;
	refuse(&c, v.z[0], v.z[1], "lambda");
	c.lambda = .1;
	c.invariance = -1;
	refuse(&c, v.z[0], v.z[1], "invariance must be a number >= 0, got -1");
	c = (bl_barlow_config){ .1, 0, BL_FORM_AUTO, BL_DIALECT_PAPER, 1 };
	refuse(&c, v.z[0], v.z[1], "scale must be a number > 0, got 0");
	assert_int_equal(bl_loss_picture(BL_DIALECT_PAPER, v.z[0], v.z[1], 7, cells, cells, NULL), -1);
	assert_error("expected 1 to 6 cells a side, got 7");
	assert_null(bl_loss_correlation(BL_DIALECT_PAPER, v.z[0], other.z[0]));
	assert_error("(4, 6) and (4, 5)");
	bl_tensor_unref(image);
	drop(v);
	drop(one);
	drop(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gram_is_direct_for_n_below_at_and_above_d),
		cmocka_unit_test(gram_is_direct_near_the_identity),
		cmocka_unit_test(loss_is_what_the_paper_defines),
		cmocka_unit_test(constant_in_one_view_has_the_gradient_of_batch_norm),
		cmocka_unit_test(constant_in_both_views_is_counted_without_a_gradient),
		cmocka_unit_test(constant_in_one_view_is_nan_without_an_eps),
		cmocka_unit_test(scale_of_embeddings_does_not_matter),
		cmocka_unit_test(nan_goes_through),
		cmocka_unit_test(one_tensor_may_be_both_views),
		cmocka_unit_test(views_in_any_memory_order),
		cmocka_unit_test(bits_do_not_depend_on_threads),
		cmocka_unit_test(steady_state_allocates_nothing),
		cmocka_unit_test(nothing_is_kept_without_a_gradient),
		cmocka_unit_test(the_loss_is_not_below_its_floor),
		cmocka_unit_test(floor_of_algorithm1_is_reached),
		cmocka_unit_test(one_dimension_has_no_redundancy),
		cmocka_unit_test(auto_takes_the_cheaper_form),
		cmocka_unit_test(picture_is_c_pooled),
		cmocka_unit_test(mistakes_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
