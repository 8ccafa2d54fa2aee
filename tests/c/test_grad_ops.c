/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_grad_ops.c: results of operations, compared with plain loops; the memory order of results; refused arguments.
 *
 * test_gradcheck.c tests gradients, except at kinks and for sizes at which work is divided, which are tested here.
 */
#include "support.h"

#include <barlow/error.h>
#include <barlow/grad.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHAPE(...) \
	(int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) \
	{ \
		__VA_ARGS__ \
	}
#define OF(...) \
	(float[]) \
	{ \
		__VA_ARGS__ \
	}

static bl_tensor *of(int ndim, const int64_t *shape, const float *v)
{
	bl_tensor *t = bl_tensor_from(ndim, shape, v);
	assert_non_null(t);
	return t;
}

static bl_tensor *random_of(int ndim, const int64_t *shape, uint32_t stream)
{
	bl_tensor *t = bl_tensor_new(ndim, shape);
	assert_non_null(t);
	bl_tensor_uniform(t, 11, stream, -1, 1);
	return t;
}

static bl_tensor *leaf(bl_tensor *t)
{
	bl_tensor_set_requires_grad(t, true);
	return t;
}

/* Asserts the shape and the numbers of t, and releases t. */
static void expect(bl_tensor *t, int ndim, const int64_t *shape, const float *v, double tolerance)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];
	assert_non_null(t);
	assert_string_equal(bl_tensor_text(t, a), bl_shape_text(ndim, shape, b));
	bl_tensor *rows = bl_tensor_contiguous(t);
	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		assert_close(bl_tensor_data(rows)[i], v[i], tolerance);
	bl_tensor_unref(rows);
	bl_tensor_unref(t);
}

static void expect_error(const bl_tensor *t, const char *message)
{
	assert_null(t);
	assert_string_equal(bl_error(), message);
}

/* Asserts the gradient of sum(t) with respect to x, and releases t. */
static void expect_grad(bl_tensor *t, bl_tensor *x, const float *v)
{
	bl_tensor *sum = bl_sum(t, BL_ALL, false);
	assert_int_equal(bl_backward(sum, NULL), 0);
	bl_tensor_unref(sum);
	bl_tensor_unref(t);
	expect(bl_tensor_ref(bl_tensor_grad(x)), bl_tensor_ndim(x), bl_tensor_shape(x), v, 1e-6);
	bl_tensor_zero_grad(x);
}

/* Elementwise. */
static void each_element_is_computed(void **state)
{
	(void)state;
	bl_tensor *x = of(SHAPE(4), OF(-2, -.5f, 0, 1.5f)), *p = of(SHAPE(3), OF(.25f, 1, 4));
	expect(bl_affine(x, 2, -1), SHAPE(4), OF(-5, -2, -1, 2), 0);
	expect(bl_pow(x, 2), SHAPE(4), OF(4, .25f, 0, 2.25f), 0);
	expect(bl_pow(x, 3), SHAPE(4), OF(-8, -.125f, 0, 3.375f), 1e-6);
	expect(bl_pow(p, -1), SHAPE(3), OF(4, 1, .25f), 0);
	expect(bl_pow(p, .5f), SHAPE(3), OF(.5f, 1, 2), 1e-6);
	expect(bl_exp(x), SHAPE(4), OF(.1353353f, .6065307f, 1, 4.481689f), 1e-6);
	expect(bl_log(p), SHAPE(3), OF(-1.386294f, 0, 1.386294f), 1e-6);
	expect(bl_sqrt(p), SHAPE(3), OF(.5f, 1, 2), 1e-6);
	expect(bl_abs(x), SHAPE(4), OF(2, .5f, 0, 1.5f), 0);
	expect(bl_tanh(x), SHAPE(4), OF(-.9640276f, -.4621172f, 0, .9051483f), 1e-6);
	expect(bl_sigmoid(x), SHAPE(4), OF(.1192029f, .3775407f, .5f, .8175745f), 1e-6);
	expect(bl_relu(x), SHAPE(4), OF(0, 0, 0, 1.5f), 0);
	expect(bl_clamp(x, -1, .5f), SHAPE(4), OF(-1, -.5f, 0, .5f), 0);
	bl_tensor_unref(x);
	bl_tensor_unref(p);
}

static void a_nan_stays_a_nan(void **state)
{
	(void)state;
	bl_tensor *x = of(SHAPE(1), OF(NAN)), *one = of(SHAPE(1), OF(1));
	bl_tensor *results[] = { bl_relu(x),          bl_clamp(x, 0, 1),         bl_maximum(x, one),  bl_maximum(one, x),
		                 bl_minimum(x, one),  bl_minimum(one, x),        bl_max(x, 0, false), bl_min(x, 0, false),
		                 bl_sum(x, 0, false), bl_std(x, 0, false, false) };
	for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
		assert_int_equal(bl_tensor_find_nonfinite(results[i]), 0);
		bl_tensor_unref(results[i]);
	}
	bl_tensor *among = of(SHAPE(3), OF(5, NAN, 7)), *most = bl_max(among, 0, false), *least = bl_min(among, 0, false);
	assert_true(isnan(bl_tensor_data(most)[0]) && isnan(bl_tensor_data(least)[0]));
	bl_tensor_unref(least);
	bl_tensor_unref(most);
	bl_tensor_unref(among);
	bl_tensor_unref(x);
	bl_tensor_unref(one);
}

static void gradients_at_kinks(void **state)
{
	(void)state;
	bl_tensor *x = leaf(of(SHAPE(3), OF(-1, 0, 1))), *y = leaf(of(SHAPE(3), OF(0, 0, 0)));
	expect_grad(bl_relu(x), x, OF(0, 0, 1));
	expect_grad(bl_abs(x), x, OF(-1, 0, 1));
	expect_grad(bl_clamp(x, -1, 0), x, OF(1, 1, 0));
	expect_grad(bl_pow(x, 0), x, OF(0, 0, 0));
	expect_grad(bl_maximum(x, y), x, OF(0, 1, 1)); /* if both are equal, the first one gets the gradient */
	bl_tensor_zero_grad(y);
	expect_grad(bl_maximum(x, y), y, OF(1, 0, 0));
	bl_tensor_zero_grad(x);
	expect_grad(bl_minimum(x, y), x, OF(1, 1, 0));
	bl_tensor_zero_grad(y);
	expect_grad(bl_minimum(x, y), y, OF(0, 0, 1));
	bl_tensor_unref(x);
	bl_tensor_unref(y);
}

static void shapes_are_broadcast(void **state)
{
	(void)state;
	bl_tensor *m = of(SHAPE(2, 3), OF(1, 2, 3, 4, 5, 6)), *row = of(SHAPE(3), OF(10, 20, 30));
	bl_tensor *column = of(SHAPE(2, 1), OF(2, 4)), *scalar = bl_tensor_scalar(7), *pair = of(SHAPE(2), OF(0, 100));
	expect(bl_add(m, row), SHAPE(2, 3), OF(11, 22, 33, 14, 25, 36), 0);
	expect(bl_sub(row, m), SHAPE(2, 3), OF(9, 18, 27, 6, 15, 24), 0);
	expect(bl_div(m, column), SHAPE(2, 3), OF(.5f, 1, 1.5f, 1, 1.25f, 1.5f), 0);
	expect(bl_mul(column, row), SHAPE(2, 3), OF(20, 40, 60, 40, 80, 120), 0);
	expect(bl_maximum(scalar, row), SHAPE(3), OF(10, 20, 30), 0);
	expect(bl_sub(scalar, scalar), 0, NULL, OF(0), 0);
	bl_tensor *turned = bl_transpose(m, 0, 1), *thick = bl_reshape(m, SHAPE(2, 1, 3));
	expect(bl_add(turned, pair), SHAPE(3, 2), OF(1, 104, 2, 105, 3, 106), 0);
	expect(bl_add(thick, column), SHAPE(2, 2, 3), OF(3, 4, 5, 5, 6, 7, 6, 7, 8, 8, 9, 10), 0);
	bl_tensor_unref(turned);
	bl_tensor_unref(thick);
	bl_tensor_unref(pair);
	bl_tensor_unref(m);
	bl_tensor_unref(row);
	bl_tensor_unref(column);
	bl_tensor_unref(scalar);
}

/* The result has the memory order of the first operand that is dense and has the result's shape. */
static void results_have_the_memory_order_of_their_operands(void **state)
{
	(void)state;
	bl_tensor *image = bl_tensor_new_image(2, 3, 4, 4), *rows = bl_tensor_full(SHAPE(2, 3, 4, 4), 1);
	bl_tensor *channel = bl_tensor_full(SHAPE(1, 3, 1, 1), 1), *turned = bl_transpose(image, 2, 3);
	bl_tensor_fill(image, 1);
	bl_tensor *r[] = { bl_add(image, rows), bl_mul(channel, image), bl_relu(image),
		           bl_add(rows, image), bl_relu(turned),        bl_add(turned, rows) };
	for (int i = 0; i < 6; i++) {
		assert_int_equal(bl_tensor_is_channels_last(r[i]), i < 3);
		assert_int_equal(bl_tensor_is_contiguous(r[i]), i >= 3);
		bl_tensor_unref(r[i]);
	}
	bl_tensor_unref(image);
	bl_tensor_unref(rows);
	bl_tensor_unref(channel);
	bl_tensor_unref(turned);
}

static void elementwise_refusals(void **state)
{
	(void)state;
	bl_tensor *a = bl_tensor_full(SHAPE(3, 4), 1), *b = bl_tensor_full(SHAPE(2, 4), 1);
	expect_error(bl_add(a, b), "add: shapes (3, 4) and (2, 4) do not fit: 3 against 2 in the 1st dimension");
	expect_error(bl_maximum(b, a), "maximum: shapes (2, 4) and (3, 4) do not fit: 2 against 3 in the 1st dimension");
	expect_error(bl_clamp(a, 1, 0), "clamp: the lower bound 1 is not at most the upper bound 0");
	bl_tensor_unref(a);
	bl_tensor_unref(b);
}

/* Products. */
static void naive_product(const bl_tensor *a, const bl_tensor *b, float *out)
{
	int64_t m = bl_tensor_size(a, 0), k = bl_tensor_size(a, 1), n = bl_tensor_size(b, 1);
	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++) {
			double sum = 0;
			for (int64_t l = 0; l < k; l++)
				sum += (double)bl_tensor_at(a, (int64_t[]){ i, l }) * bl_tensor_at(b, (int64_t[]){ l, j });
			out[i * n + j] = (float)sum;
		}
}

static void check_product(bl_tensor *a, bl_tensor *b)
{
	int64_t m = bl_tensor_size(a, 0), n = bl_tensor_size(b, 1);
	float *want = malloc((size_t)(m * n + 1) * sizeof *want);
	assert_non_null(want);
	naive_product(a, b, want);
	expect(bl_mm(a, b), SHAPE(m, n), want, 1e-5);
	free(want);
}

static void products_take_any_strides(void **state)
{
	static const int64_t sizes[][3] = { { 3, 4, 5 }, { 1, 7, 1 }, { 70, 33, 130 }, { 6, 1, 4 }, { 1, 1, 1 } };
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		int64_t m = sizes[i][0], k = sizes[i][1], n = sizes[i][2];
		bl_tensor *a = random_of(SHAPE(m, k), 1), *b = random_of(SHAPE(k, n), 2);
		bl_tensor *c = random_of(SHAPE(k, m), 3), *d = random_of(SHAPE(n, k), 4);
		bl_tensor *wide = random_of(SHAPE(2, k, 3 * n), 5), *slab = bl_select(wide, 0, 1);
		bl_tensor *at = bl_transpose(c, 0, 1), *bt = bl_transpose(d, 0, 1), *part = bl_narrow(slab, 1, n, n);
		bl_tensor *deep = bl_permute(wide, (int[]){ 1, 2, 0 }), *every_other = bl_select(deep, 2, 0);
		bl_tensor *apart = bl_narrow(every_other, 1, 0, n);
		check_product(a, b);
		check_product(at, b);
		check_product(a, bt);
		check_product(at, bt);
		check_product(at, part);
		check_product(a, apart);
		bl_tensor *all[] = { a, b, c, d, wide, slab, at, bt, part, deep, every_other, apart };
		for (size_t t = 0; t < sizeof all / sizeof *all; t++)
			bl_tensor_unref(all[t]);
	}
}

static void stretched_matrices_are_multiplied(void **state)
{
	(void)state;
	bl_tensor *row = random_of(SHAPE(1, 5), 1), *column = random_of(SHAPE(5, 1), 2);
	bl_tensor *rows = bl_expand(row, SHAPE(4, 5)), *columns = bl_expand(column, SHAPE(5, 3));
	check_product(rows, columns);
	check_product(row, columns);
	bl_tensor_unref(rows);
	bl_tensor_unref(columns);
	bl_tensor_unref(row);
	bl_tensor_unref(column);
}

/* Forward and backward with transposed operands allocate only the result and the gradients. */
static void turned_matrices_are_not_copied(void **state)
{
	enum { N = 300, BYTES = N * N * 4 };
	(void)state;
	bl_memory_stats before, after;
	bl_tensor *x = leaf(random_of(SHAPE(N, N), 1)), *w = leaf(random_of(SHAPE(N, N), 2));
	bl_tensor *xt = bl_transpose(x, 0, 1), *wt = bl_transpose(w, 0, 1), *seed = bl_tensor_full(SHAPE(N, N), 1);
	bl_memory_trim();
	bl_memory(&before);
	bl_tensor *y = bl_mm(xt, wt);
	bl_memory(&after);
	assert_in_range(after.held - before.held, BYTES, 2 * BYTES - 1);
	bl_tensor_unref(y);
	y = bl_linear(x, w, NULL);
	assert_int_equal(bl_backward(y, seed), 0);
	bl_memory(&after);
	assert_in_range(after.held - before.held, 4 * BYTES, 5 * BYTES - 1); /* y, its gradient, dx and dw */
	bl_tensor *all[] = { x, w, xt, wt, seed, y };
	for (int i = 0; i < 6; i++)
		bl_tensor_unref(all[i]);
}

static void a_product_over_nothing_is_zero(void **state)
{
	(void)state;
	bl_tensor *a = bl_tensor_full(SHAPE(2, 0), 1), *b = bl_tensor_full(SHAPE(0, 3), 1);
	expect(bl_mm(a, b), SHAPE(2, 3), OF(0, 0, 0, 0, 0, 0), 0);
	bl_tensor *none = bl_transpose(a, 0, 1);
	expect(bl_mm(none, a), SHAPE(0, 0), NULL, 0);
	bl_tensor_unref(none);
	bl_tensor_unref(a);
	bl_tensor_unref(b);
}

static void linear_is_a_product_and_a_bias(void **state)
{
	(void)state;
	bl_tensor *x = of(SHAPE(2, 3), OF(1, 2, 3, 4, 5, 6)), *w = of(SHAPE(2, 3), OF(1, 0, -1, 2, 2, 2));
	bl_tensor *b = of(SHAPE(2), OF(10, 20));
	expect(bl_linear(x, w, NULL), SHAPE(2, 2), OF(-2, 12, -2, 30), 1e-6);
	expect(bl_linear(x, w, b), SHAPE(2, 2), OF(8, 32, 8, 50), 1e-6);
	bl_tensor_unref(x);
	bl_tensor_unref(w);
	bl_tensor_unref(b);
}

static void product_refusals(void **state)
{
	(void)state;
	bl_tensor *a = bl_tensor_full(SHAPE(3, 4), 1), *b = bl_tensor_full(SHAPE(5, 6), 1);
	bl_tensor *v = bl_tensor_full(SHAPE(4), 1);
	expect_error(bl_mm(a, b), "mm: shapes (3, 4) and (5, 6) do not fit: 4 columns against 5 rows");
	expect_error(bl_mm(a, v), "mm: expected two matrices, got shape (3, 4) and shape (4,)");
	expect_error(bl_linear(a, b, NULL), "linear: input (3, 4) and weight (5, 6) do not fit: 4 features against 6");
	expect_error(bl_linear(v, a, NULL), "linear: expected two matrices, got shape (4,) and a weight of shape (3, 4)");
	expect_error(bl_linear(a, a, v), "linear: bias (4,) and weight (3, 4) do not fit: expected a bias of 3");
	bl_tensor_unref(a);
	bl_tensor_unref(b);
	bl_tensor_unref(v);
}

/* Reductions, compared with loops in double precision over the logical order. */
typedef struct naive {
	double sum, squares, max;
	int64_t n;
} naive;

static naive naive_line(const bl_tensor *t, int64_t *at, int dim)
{
	naive r = { 0, 0, -INFINITY, bl_tensor_size(t, dim) };
	for (at[dim] = 0; at[dim] < r.n; at[dim]++) {
		r.sum += bl_tensor_at(t, at);
		r.max = fmax(r.max, bl_tensor_at(t, at));
	}
	for (at[dim] = 0; at[dim] < r.n; at[dim]++)
		r.squares += pow(bl_tensor_at(t, at) - r.sum / (double)r.n, 2);
	at[dim] = 0;
	return r;
}

/* Advances the index over all dimensions except dim. */
static void advance(const bl_tensor *t, int64_t *at, int dim)
{
	for (int d = bl_tensor_ndim(t) - 1; d >= 0; d--) {
		if (d == dim)
			continue;
		if (++at[d] < bl_tensor_size(t, d))
			return;
		at[d] = 0;
	}
}

static void check_along(bl_tensor *t, int dim)
{
	int64_t at[BL_MAXDIM] = { 0 };
	bl_tensor *sum = bl_sum(t, dim, false), *mean = bl_mean(t, dim, true), *var = bl_var(t, dim, true, true);
	bl_tensor *std = bl_std(t, dim, true, false), *max = bl_max(t, dim, true), *rows = bl_tensor_contiguous(sum);
	assert_int_equal(bl_tensor_ndim(sum), bl_tensor_ndim(t) - 1);
	for (int64_t i = 0; i < bl_tensor_count(sum); i++, advance(t, at, dim)) {
		naive r = naive_line(t, at, dim);
		assert_close(bl_tensor_data(rows)[i], r.sum, 1e-5);
		assert_close(bl_tensor_at(mean, at), r.sum / (double)r.n, 1e-6);
		assert_close(bl_tensor_at(var, at), r.squares / (double)(r.n - 1), 1e-6);
		assert_close(bl_tensor_at(std, at), sqrt(r.squares / (double)r.n), 1e-6);
		assert_true(bl_tensor_at(max, at) == (float)r.max);
	}
	bl_tensor *all[] = { sum, mean, var, std, max, rows };
	for (int i = 0; i < 6; i++)
		bl_tensor_unref(all[i]);
}

static void reductions_along_any_dimension_and_stride(void **state)
{
	(void)state;
	bl_tensor *t = random_of(SHAPE(5, 6, 7, 3), 1), *image = bl_tensor_channels_last(t);
	bl_tensor *turned = bl_permute(t, (int[]){ 2, 0, 3, 1 }), *part = bl_narrow(t, 3, 1, 2);
	bl_tensor *deep = bl_reshape(t, SHAPE(5, 3, 2, 7, 3, 1));
	for (int dim = 0; dim < 4; dim++) {
		check_along(t, dim);
		check_along(image, dim);
		check_along(turned, dim);
		check_along(part, dim);
	}
	check_along(deep, 1);
	bl_tensor_unref(deep);
	bl_tensor_unref(part);
	bl_tensor_unref(turned);
	bl_tensor_unref(image);
	bl_tensor_unref(t);
}

/* These tensors are so large that work is divided: few long lines, many short lines, and rows side by side. */
static void large_reductions(void **state)
{
	(void)state;
	bl_tensor *a = random_of(SHAPE(3, 100003), 1), *b = random_of(SHAPE(100003, 5), 2);
	bl_tensor *c = random_of(SHAPE(90, 1030), 3);
	for (int dim = 0; dim < 2; dim++) {
		check_along(a, dim);
		check_along(b, dim);
		check_along(c, dim);
	}
	bl_tensor_unref(a);
	bl_tensor_unref(b);
	bl_tensor_unref(c);
}

static void reductions_over_everything(void **state)
{
	(void)state;
	bl_tensor *t = random_of(SHAPE(40, 50, 60), 1), *turned = bl_transpose(t, 0, 2);
	bl_tensor *flat = bl_reshape(t, SHAPE(-1));
	naive r = naive_line(flat, (int64_t[]){ 0 }, 0);
	for (int keep = 0; keep < 2; keep++) {
		int ndim = keep ? 3 : 0;
		const int64_t ones[3] = { 1, 1, 1 };
		double n = (double)r.n;
		expect(bl_sum(turned, BL_ALL, keep), ndim, ones, OF((float)r.sum), 1e-6);
		expect(bl_mean(turned, BL_ALL, keep), ndim, ones, OF((float)(r.sum / n)), 1e-6);
		expect(bl_var(turned, BL_ALL, keep, true), ndim, ones, OF((float)(r.squares / (n - 1))), 1e-6);
		expect(bl_std(t, BL_ALL, keep, false), ndim, ones, OF((float)sqrt(r.squares / n)), 1e-6);
		expect(bl_max(turned, BL_ALL, keep), ndim, ones, OF((float)r.max), 0);
	}
	bl_tensor_unref(flat);
	bl_tensor_unref(turned);
	bl_tensor_unref(t);
}

static void sums_keep_what_float_would_lose(void **state)
{
	(void)state;
	bl_tensor *t = bl_tensor_full(SHAPE(1 << 20), .1f), *far = of(SHAPE(4), OF(10000, 10001, 10002, 10003));
	expect(bl_sum(t, BL_ALL, false), 0, NULL, OF(.1f * (1 << 20)), 1e-6);
	expect(bl_var(far, 0, false, false), 0, NULL, OF(1.25f), 1e-6);
	bl_tensor_unref(t);
	bl_tensor_unref(far);
}

static void a_constant_has_no_deviation_and_no_gradient(void **state)
{
	(void)state;
	bl_tensor *x = leaf(of(SHAPE(3, 2), OF(5, 1, 5, 2, 5, 3)));
	expect(bl_std(x, 0, false, true), SHAPE(2), OF(0, 1), 1e-6);
	expect_grad(bl_std(x, 0, false, true), x, OF(0, -.5f, 0, 0, 0, .5f));
	bl_tensor_unref(x);
}

static void the_first_of_equal_elements_gets_the_gradient(void **state)
{
	(void)state;
	bl_tensor *x = leaf(of(SHAPE(2, 3), OF(1, 7, 7, 7, 0, 7))), *image = bl_tensor_new_image(1, 2, 1, 2);
	expect_grad(bl_max(x, 1, false), x, OF(0, 1, 0, 1, 0, 0));
	expect_grad(bl_max(x, 0, true), x, OF(0, 1, 1, 1, 0, 0));
	expect_grad(bl_max(x, BL_ALL, false), x, OF(0, 1, 0, 0, 0, 0));
	expect_grad(bl_min(x, 0, false), x, OF(1, 0, 1, 0, 1, 0));
	expect_grad(bl_min(x, BL_ALL, false), x, OF(0, 0, 0, 0, 1, 0));
	bl_tensor_fill(image, 3); /* of equal elements, the first in logical order counts, whatever the memory order */
	expect_grad(bl_max(leaf(image), BL_ALL, false), image, OF(1, 0, 0, 0));
	expect_grad(bl_min(leaf(image), BL_ALL, false), image, OF(1, 0, 0, 0));
	bl_tensor_unref(image);
	bl_tensor_unref(x);
}

static void reduction_refusals(void **state)
{
	(void)state;
	bl_tensor *t = bl_tensor_full(SHAPE(1, 5), 1), *none = bl_tensor_full(SHAPE(0, 3), 1), *s = bl_tensor_scalar(1);
	expect_error(bl_var(t, 0, false, true), "var: unbiased over 1 element of shape (1, 5): expected 2 or more");
	expect_error(bl_std(s, BL_ALL, false, true), "std: unbiased over 1 element of shape (): expected 2 or more");
	expect_error(bl_sum(t, 2, false), "sum: dimension 2 of shape (1, 5), expected -2 to 1");
	expect_error(bl_sum(t, -3, false), "sum: dimension -3 of shape (1, 5), expected -2 to 1");
	expect_error(bl_mean(s, 0, false), "mean: dimension 0 of a scalar, which has none");
	expect_error(bl_mean(none, 0, false), "mean: shape (0, 3) has no elements along the 1st dimension");
	expect_error(bl_max(none, BL_ALL, false), "max: shape (0, 3) has no elements");
	expect_error(bl_min(none, BL_ALL, false), "min: shape (0, 3) has no elements");
	expect(bl_sum(none, 0, false), SHAPE(3), OF(0, 0, 0), 0);
	expect(bl_var(t, 0, false, false), SHAPE(5), OF(0, 0, 0, 0, 0), 0);
	bl_tensor_unref(t);
	bl_tensor_unref(none);
	bl_tensor_unref(s);
}

/* Shapes. */
static bool shares(const bl_tensor *view, const bl_tensor *base)
{
	const float *v = bl_tensor_data(view), *b = bl_tensor_data(base);
	return v >= b && v < b + bl_tensor_count(base);
}

static void views_share_their_numbers(void **state)
{
	(void)state;
	bl_tensor *t = of(SHAPE(2, 3), OF(1, 2, 3, 4, 5, 6)), *square = of(SHAPE(2, 2), OF(1, 2, 3, 4));
	bl_tensor *v[] = { bl_transpose(t, 0, 1),       bl_permute(t, (int[]){ -1, 0 }), bl_narrow(t, -1, 1, 2),
		           bl_select(t, 0, 1),          bl_reshape(t, SHAPE(3, 2)),      bl_flatten(t),
		           bl_expand(t, SHAPE(4, 2, 3)) };
	for (int i = 0; i < 7; i++)
		assert_true(shares(v[i], t));
	expect(v[0], SHAPE(3, 2), OF(1, 4, 2, 5, 3, 6), 0);
	expect(v[1], SHAPE(3, 2), OF(1, 4, 2, 5, 3, 6), 0);
	expect(v[2], SHAPE(2, 2), OF(2, 3, 5, 6), 0);
	expect(v[3], SHAPE(3), OF(4, 5, 6), 0);
	expect(v[4], SHAPE(3, 2), OF(1, 2, 3, 4, 5, 6), 0);
	expect(v[5], SHAPE(2, 3), OF(1, 2, 3, 4, 5, 6), 0);
	expect(bl_sum(v[6], 0, false), SHAPE(2, 3), OF(4, 8, 12, 16, 20, 24), 0);
	bl_tensor_unref(v[6]);
	bl_tensor *d = bl_diag(square);
	assert_true(shares(d, square));
	expect(bl_diag(d), SHAPE(2, 2), OF(1, 0, 0, 4), 0);
	bl_tensor_unref(d);
	bl_tensor_unref(square);
	bl_tensor_unref(t);
}

/* Reshapes a tensor of `shape`, permuted by `order`, to `to`; asserts whether the result is a view, and its logical order. */
static void check_reshape(bl_tensor *t, int ndim, const int64_t *to, bool view)
{
	bl_tensor *y = bl_reshape(t, ndim, to);
	assert_non_null(y);
	assert_int_equal(shares(y, t), view);
	float *want = malloc((size_t)bl_tensor_count(t) * sizeof *want);
	assert_non_null(want);
	bl_tensor_read(t, want);
	expect(y, bl_tensor_ndim(y), bl_tensor_shape(y), want, 0);
	free(want);
}

static void reshapes_are_views_where_strides_allow(void **state)
{
	(void)state;
	bl_tensor *t = random_of(SHAPE(4, 6, 5), 1), *part = bl_narrow(t, 0, 1, 2), *columns = bl_narrow(t, 2, 1, 3);
	bl_tensor *turned = bl_transpose(t, 1, 2), *swapped = bl_permute(t, (int[]){ 2, 0, 1 });
	bl_tensor *image = bl_tensor_new_image(2, 3, 4, 5), *thin = bl_select(t, 2, 3);
	bl_tensor_fill(image, 1);
	check_reshape(t, SHAPE(-1), true);
	check_reshape(t, SHAPE(8, 3, 1, 5), true);
	check_reshape(t, SHAPE(2, 2, 3, 2, 5, 1), true);
	check_reshape(part, SHAPE(12, 5), true);
	check_reshape(columns, SHAPE(24, 3), true);
	check_reshape(columns, SHAPE(2, 12, 1, 3), true);
	check_reshape(columns, SHAPE(4, 18), false);
	check_reshape(turned, SHAPE(2, 2, 5, 6), true);
	check_reshape(turned, SHAPE(4, 30), false);
	check_reshape(swapped, SHAPE(5, 24), true);
	check_reshape(swapped, SHAPE(5, 3, 8), true);
	check_reshape(swapped, SHAPE(20, 6), false);
	check_reshape(image, SHAPE(2, 3, 20), true);
	check_reshape(image, SHAPE(2, 60), false);
	check_reshape(thin, SHAPE(1, 24, 1), true);
	bl_tensor *all[] = { t, part, columns, turned, swapped, image, thin };
	for (int i = 0; i < 7; i++)
		bl_tensor_unref(all[i]);
}

static void flattening_ignores_the_memory_order(void **state)
{
	static const int64_t sizes[][4] = {
		{ 2, 3, 4, 5 }, { 3, 16, 4, 4 }, { 2, 37, 5, 7 }, { 1, 130, 20, 33 }, { 4, 8, 1, 1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		const int64_t *s = sizes[i];
		bl_tensor *t = random_of(4, s, (uint32_t)i), *image = leaf(bl_tensor_channels_last(t));
		bl_tensor *y = bl_flatten(image);
		expect(y, SHAPE(s[0], s[1] * s[2] * s[3]), bl_tensor_data(t), 0);
		bl_tensor *again = bl_flatten(image), *squares = bl_mul(again, again), *twice = bl_affine(t, 2, 0);
		bl_tensor_unref(again);
		expect_grad(squares, image, bl_tensor_data(twice));
		bl_tensor_unref(twice);
		bl_tensor_unref(image);
		bl_tensor_unref(t);
	}
	bl_tensor *v = bl_tensor_full(SHAPE(3), 1);
	expect(bl_flatten(v), SHAPE(3, 1), OF(1, 1, 1), 0);
	bl_tensor_unref(v);
}

static void rows_and_parts_are_put_together(void **state)
{
	(void)state;
	bl_tensor *a = of(SHAPE(2, 2), OF(1, 2, 3, 4)), *b = of(SHAPE(1, 2), OF(5, 6)), *bt = bl_transpose(b, 0, 1);
	expect(bl_cat((bl_tensor *[]){ a, b }, 2, 0), SHAPE(3, 2), OF(1, 2, 3, 4, 5, 6), 0);
	expect(bl_cat((bl_tensor *[]){ bt, a }, 2, -1), SHAPE(2, 3), OF(5, 1, 2, 6, 3, 4), 0);
	expect(bl_index_rows(a, (int64_t[]){ 1, 1, 0 }, 3), SHAPE(3, 2), OF(3, 4, 3, 4, 1, 2), 0);
	expect(bl_index_rows(bt, (int64_t[]){ 1 }, 1), SHAPE(1, 1), OF(6), 0);
	expect(bl_index_rows(a, NULL, 0), SHAPE(0, 2), NULL, 0);
	bl_tensor *image = bl_tensor_new_image(2, 3, 2, 2);
	bl_tensor_fill(image, 1);
	bl_tensor *rows = bl_index_rows(image, (int64_t[]){ 1 }, 1);
	bl_tensor *both = bl_cat((bl_tensor *[]){ image, rows }, 2, 0);
	assert_true(bl_tensor_is_channels_last(rows) && bl_tensor_is_channels_last(both));
	bl_tensor_unref(rows);
	bl_tensor_unref(both);
	bl_tensor_unref(image);
	bl_tensor_unref(bt);
	bl_tensor_unref(b);
	bl_tensor_unref(a);
}

static void shape_refusals(void **state)
{
	(void)state;
	bl_tensor *t = bl_tensor_full(SHAPE(3, 4), 1), *v = bl_tensor_full(SHAPE(4), 1), *s = bl_tensor_scalar(1);
	expect_error(bl_transpose(t, 0, 2), "transpose: dimension 2 of shape (3, 4), expected -2 to 1");
	expect_error(bl_permute(t, (int[]){ 1, -1 }), "permute: the 2nd dimension of shape (3, 4) is named twice");
	expect_error(bl_reshape(t, SHAPE(5, -1)), "reshape: shape (5, -1) does not hold the 12 elements of (3, 4)");
	expect_error(bl_reshape(t, SHAPE(-1, -1)), "reshape: shape (-1, -1) does not hold the 12 elements of (3, 4)");
	expect_error(bl_reshape(t, SHAPE(13)), "reshape: shape (13,) does not hold the 12 elements of (3, 4)");
	expect_error(bl_flatten(s), "flatten: expected (N, ...), got a scalar");
	expect_error(bl_narrow(t, 1, 2, 3),
	             "narrow: 3 elements behind the first 2 do not lie within the 2nd dimension of shape (3, 4)");
	expect_error(bl_narrow(t, 1, -1, 1),
	             "narrow: 1 elements behind the first -1 do not lie within the 2nd dimension of shape (3, 4)");
	expect_error(bl_select(t, 0, 3), "select: index 3 is outside the 1st dimension of shape (3, 4)");
	expect_error(bl_expand(t, SHAPE(3, 5)), "expand: shape (3, 4) cannot be stretched to (3, 5)");
	expect_error(bl_expand(t, SHAPE(4)), "expand: shape (3, 4) cannot be stretched to (4,)");
	expect_error(bl_index_rows(t, (int64_t[]){ 0, 3 }, 2), "index_rows: row 3 (number 1 of the index) is outside shape (3, 4)");
	expect_error(bl_cat((bl_tensor *[]){ t, v }, 2, 0), "cat: shapes (3, 4) and (4,) do not fit along the 1st dimension");
	expect_error(bl_cat(NULL, 0, 0), "cat: expected one tensor or more, got none");
	expect_error(bl_diag(t), "diag: expected a square matrix or a vector, got shape (3, 4)");
	bl_tensor_unref(t);
	bl_tensor_unref(v);
	bl_tensor_unref(s);
}

/* Cross-entropy. */
static void cross_entropy_is_the_mean_negative_log_probability(void **state)
{
	(void)state;
	const int32_t labels[] = { 2, 0 };
	bl_tensor *x = of(SHAPE(2, 3), OF(1, 2, 3, 1, 1, 1));
	bl_tensor *huge = of(SHAPE(2, 3), OF(1e4f, 0, 1e4f, -1e4f, -1e4f, -1e4f));
	expect(bl_cross_entropy(x, labels), 0, NULL, OF((.40760596f + 1.0986123f) / 2), 1e-6);
	expect(bl_cross_entropy(huge, labels), 0, NULL, OF((.6931472f + 1.0986123f) / 2), 1e-6);
	bl_tensor *columns = of(SHAPE(3, 2), OF(0, -1e4f, 1e4f, -1e4f, 1e4f, -1e4f)), *rows = bl_transpose(columns, 0, 1);
	expect(bl_cross_entropy(rows, labels), 0, NULL, OF((.6931472f + 1.0986123f) / 2), 1e-6);
	bl_tensor_unref(rows);
	bl_tensor_unref(columns);
	expect_error(bl_cross_entropy(x, (int32_t[]){ 2, 3 }),
	             "cross_entropy: label 3 of row 1 is outside 0..2: the logits are (2, 3)");
	bl_tensor *v = bl_tensor_full(SHAPE(3), 1);
	expect_error(bl_cross_entropy(v, labels), "cross_entropy: expected logits (N, K), got shape (3,)");
	bl_tensor_unref(v);
	bl_tensor_unref(x);
	bl_tensor_unref(huge);
}

/* All operations and their gradients, at sizes at which work is divided, have the same bits at any number of threads. */
static uint64_t hash_of(uint64_t hash, const bl_tensor *t)
{
	bl_tensor *rows = bl_tensor_contiguous((bl_tensor *)t);
	const uint32_t *bits = (const void *)bl_tensor_data(rows);
	for (int64_t i = 0; i < bl_tensor_count(rows); i++)
		hash = (hash ^ bits[i]) * 1099511628211u;
	bl_tensor_unref(rows);
	return hash;
}

static uint64_t hash_of_a_step(void)
{
	enum { N = 150, D = 700 };
	int32_t labels[N];
	for (int i = 0; i < N; i++)
		labels[i] = i * 37 % D;
	bl_tensor *x = leaf(random_of(SHAPE(N, D), 1)), *w = leaf(random_of(SHAPE(D, D), 2));
	bl_tensor *b = leaf(random_of(SHAPE(D), 3));
	bl_tensor *y = bl_linear(x, w, b), *mean = bl_mean(y, 0, true), *centred = bl_sub(y, mean);
	bl_tensor *std = bl_std(y, 0, true, true), *z = bl_div(centred, std), *zt = bl_transpose(z, 0, 1);
	bl_tensor *c = bl_mm(zt, z), *square = bl_mul(c, c), *sum = bl_mean(square, BL_ALL, false);
	bl_tensor *max = bl_max(y, 1, true), *less = bl_sub(y, max), *ce = bl_cross_entropy(less, labels);
	bl_tensor *loss = bl_add(sum, ce);
	assert_int_equal(bl_backward(loss, NULL), 0);
	uint64_t hash = 14695981039346656037u;
	hash = hash_of(hash, loss);
	hash = hash_of(hash, bl_tensor_grad(x));
	hash = hash_of(hash, bl_tensor_grad(w));
	hash = hash_of(hash, bl_tensor_grad(b));
	bl_tensor *all[] = { x, w, b, y, mean, centred, std, z, zt, c, square, sum, max, less, ce, loss };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		bl_tensor_unref(all[i]);
	return hash;
}

static void threads_do_not_change_the_bits(void **state)
{
	(void)state;
	bl_threads_set(1);
	uint64_t hash = hash_of_a_step();
	for (int threads = 2; threads <= 4; threads++) {
		bl_threads_set(threads);
		assert_true(hash_of_a_step() == hash);
	}
	bl_threads_set(0);
}

/*
 * Normalises one channel of n pixels with stride c in double precision: computes y = (x - mean) / sqrt(var + eps) and the
 * gradient dx of sum y dy, and returns the mean.
 */
static double normalised(int64_t n, int64_t c, const float *x, const float *dy, double eps, float *y, float *dx)
{
	double mean = (double)x[0], var = 0, sum = 0, dot = 0;
	for (int64_t i = 0; i < n; i++)
		sum += ((double)x[i * c] - (double)x[0]) / (double)n;
	mean += sum;
	sum = 0;
	for (int64_t i = 0; i < n; i++)
		var += ((double)x[i * c] - mean) * ((double)x[i * c] - mean) / (double)n;
	double inv = 1 / sqrt(var + eps);
	for (int64_t i = 0; i < n; i++) {
		sum += (double)dy[i * c];
		dot += (double)dy[i * c] * ((double)x[i * c] - mean) * inv;
	}
	for (int64_t i = 0; i < n; i++) {
		double z = ((double)x[i * c] - mean) * inv;
		y[i] = (float)z;
		dx[i] = (float)(inv * ((double)dy[i * c] - (sum + z * dot) / (double)n));
	}
	return mean;
}

/* Compares every channel of x (n pixels, channels-last in memory) with the result in double precision. */
static void check_norm(bl_tensor *x, int64_t n, int64_t c, float eps)
{
	bl_tensor *mean = bl_tensor_full(1, &c, 0), *var = bl_tensor_full(1, &c, 1), *dy = bl_tensor_like(x);
	for (int64_t i = 0; i < n * c; i++)
		bl_tensor_data(dy)[i] = (float)sin((double)i);
	bl_norm_args a = { .running_mean = mean, .running_var = var, .training = true, .momentum = 1, .eps = eps };
	bl_tensor *y = bl_batchnorm(leaf(x), &a);
	assert_int_equal(bl_backward(y, dy), 0);
	float *want = malloc((size_t)(4 * n) * sizeof *want), *dx = want + n, *got = want + 2 * n, *back = want + 3 * n;
	for (int64_t k = 0; k < c; k++) {
		double exact = normalised(n, c, bl_tensor_data(x) + k, bl_tensor_data(dy) + k, (double)eps, want, dx);
		for (int64_t i = 0; i < n; i++) {
			got[i] = bl_tensor_data(y)[i * c + k];
			back[i] = bl_tensor_data(bl_tensor_grad(x))[i * c + k];
			assert_close(got[i], want[i], 1e-6);
		}
		assert_all_close(back, dx, n, 1e-5);
		assert_true(fabs((double)bl_tensor_data(mean)[k] - exact) <= 1.2e-7 * fabs(exact));
	}
	free(want);
	bl_tensor_unref(y);
	bl_tensor_unref(dy);
	bl_tensor_unref(mean);
	bl_tensor_unref(var);
}

/*
 * The mean of a channel that is (almost) constant and far from 0 costs no precision.  37 channels are not a multiple of a vector.
 */
static void batchnorm_of_large_offsets(void **state)
{
	enum { N = 1000, C = 37 };
	static const float offsets[] = { 1, 100, 1e4f }, deviations[] = { 0, 1e-3f, 1 }, eps[] = { 1e-5f, 1e-8f };
	(void)state;
	for (int i = 0; i < 18; i++) {
		bl_tensor *flat = bl_tensor_new(2, (int64_t[]){ N, C }), *image = bl_tensor_new_image(10, C, 20, 5);
		bl_tensor_normal(flat, 3, 0, 0, deviations[i / 3 % 3]);
		for (int64_t k = 0; k < N * C; k++)
			bl_tensor_data(flat)[k] += offsets[i % 3] * (1 + (float)(k % C) / 29);
		memcpy(bl_tensor_data(image), bl_tensor_data(flat), sizeof(float[N * C]));
		check_norm(flat, N, C, eps[i / 9]);
		check_norm(image, N, C, eps[i / 9]);
		bl_tensor_unref(flat);
		bl_tensor_unref(image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_element_is_computed),
		cmocka_unit_test(a_nan_stays_a_nan),
		cmocka_unit_test(gradients_at_kinks),
		cmocka_unit_test(shapes_are_broadcast),
		cmocka_unit_test(results_have_the_memory_order_of_their_operands),
		cmocka_unit_test(elementwise_refusals),
		cmocka_unit_test(products_take_any_strides),
		cmocka_unit_test(stretched_matrices_are_multiplied),
		cmocka_unit_test(turned_matrices_are_not_copied),
		cmocka_unit_test(a_product_over_nothing_is_zero),
		cmocka_unit_test(linear_is_a_product_and_a_bias),
		cmocka_unit_test(product_refusals),
		cmocka_unit_test(reductions_along_any_dimension_and_stride),
		cmocka_unit_test(large_reductions),
		cmocka_unit_test(reductions_over_everything),
		cmocka_unit_test(sums_keep_what_float_would_lose),
		cmocka_unit_test(a_constant_has_no_deviation_and_no_gradient),
		cmocka_unit_test(the_first_of_equal_elements_gets_the_gradient),
		cmocka_unit_test(reduction_refusals),
		cmocka_unit_test(views_share_their_numbers),
		cmocka_unit_test(reshapes_are_views_where_strides_allow),
		cmocka_unit_test(flattening_ignores_the_memory_order),
		cmocka_unit_test(rows_and_parts_are_put_together),
		cmocka_unit_test(shape_refusals),
		cmocka_unit_test(cross_entropy_is_the_mean_negative_log_probability),
		cmocka_unit_test(threads_do_not_change_the_bits),
		cmocka_unit_test(batchnorm_of_large_offsets),
		cmocka_unit_test(support_no_blocks_left),
	};
	return cmocka_run_group_tests_name("grad_ops", tests, NULL, NULL);
}
