/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_tape.c: recording, backward, accumulation of gradients, and release of the graph. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/grad.h>
#include <barlow/memory.h>

#include <pthread.h>

#define SHAPE(...) \
	(int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) \
	{ \
		__VA_ARGS__ \
	}

static bl_tensor *leaf(float value)
{
	bl_tensor *t = bl_tensor_full(SHAPE(2), value);
	assert_non_null(t);
	bl_tensor_set_requires_grad(t, true);
	return t;
}

/* Asserts that all numbers of t's gradient are `value`. */
static void expect_grad(const bl_tensor *t, float value)
{
	const bl_tensor *g = bl_tensor_grad(t);
	assert_non_null(g);
	assert_true(bl_tensor_same_shape(g, t));
	bl_tensor *rows = bl_tensor_contiguous((bl_tensor *)g);
	for (int64_t i = 0; i < bl_tensor_count(g); i++)
		assert_close(bl_tensor_data(rows)[i], value, 1e-6);
	bl_tensor_unref(rows);
}

/* Calls backward for the sum of t, and releases t. */
static int backward_of_sum(bl_tensor *t)
{
	bl_tensor *sum = bl_sum(t, BL_ALL, false);
	int rc = bl_backward(sum, NULL);
	bl_tensor_unref(sum);
	bl_tensor_unref(t);
	return rc;
}

static void a_leaf_gets_its_gradient(void **state)
{
	(void)state;
	bl_tensor *x = leaf(3);
	assert_true(bl_tensor_requires_grad(x) && bl_tensor_is_leaf(x));
	assert_null(bl_tensor_grad(x));
	assert_int_equal(backward_of_sum(bl_mul(x, x)), 0);
	expect_grad(x, 6);
	bl_tensor_unref(x);
}

static void gradients_of_leaves_are_added_until_zeroed(void **state)
{
	(void)state;
	bl_tensor *x = leaf(3);
	assert_int_equal(backward_of_sum(bl_mul(x, x)), 0);
	assert_int_equal(backward_of_sum(bl_affine(x, 2, 1)), 0);
	expect_grad(x, 8);
	bl_tensor_zero_grad(x);
	assert_null(bl_tensor_grad(x));
	assert_int_equal(backward_of_sum(bl_affine(x, 2, 1)), 0);
	expect_grad(x, 2);
	bl_tensor_unref(x);
}

/* Two branches use y = x^2, one of them twice: d(y^2 + y + y)/dx = (2 y + 2) 2 x. */
static void gradients_of_branches_are_added_first(void **state)
{
	(void)state;
	bl_tensor *x = leaf(3), *y = bl_pow(x, 2), *square = bl_mul(y, y), *both = bl_add(y, y);
	bl_tensor *all = bl_add(square, both);
	bl_tensor_unref(y);
	bl_tensor_unref(square);
	bl_tensor_unref(both);
	assert_int_equal(backward_of_sum(all), 0);
	expect_grad(x, 120);
	bl_tensor_unref(x);
}

/*
 * An addition passes the gradient of its result to both operands without a copy, and a reshape passes it on as a view.  Adding
 * to one of these gradients must not change the others.
 */
static void a_passed_gradient_is_not_written_to(void **state)
{
	(void)state;
	bl_tensor *x = leaf(1), *p = bl_affine(x, 3, 0), *q = bl_affine(x, 5, 0), *more = bl_mul(q, q);
	bl_tensor *r = bl_reshape(q, SHAPE(2)), *s = bl_add(p, r), *all = bl_add(s, more); /* order of backward: s, r, more, q, p */
	assert_int_equal(backward_of_sum(all), 0);
	expect_grad(x, 3 + 5 + 50); /* q gets the gradient 1 from r and then 2 q from more */
	bl_tensor_unref(p);
	bl_tensor_unref(q);
	bl_tensor_unref(r);
	bl_tensor_unref(s);
	bl_tensor_unref(more);
	bl_tensor_unref(x);
}

static void the_seed_is_left_alone(void **state)
{
	(void)state;
	bl_tensor *x = leaf(3), *y = bl_add(x, x), *z = bl_add(y, x), *seed = bl_tensor_full(SHAPE(2), .5f);
	assert_int_equal(bl_backward(z, seed), 0);
	expect_grad(x, 1.5f);
	assert_true(bl_tensor_data(seed)[0] == .5f && bl_tensor_data(seed)[1] == .5f);
	bl_tensor_unref(seed);
	bl_tensor_unref(z);
	bl_tensor_unref(y);
	bl_tensor_unref(x);
}

static void a_second_backward_fails(void **state)
{
	(void)state;
	bl_tensor *x = leaf(3), *y = bl_mul(x, x), *a = bl_sum(y, BL_ALL, false), *b = bl_mean(y, BL_ALL, false);
	assert_int_equal(bl_backward(a, NULL), 0);
	assert_int_equal(bl_backward(a, NULL), -1);
	assert_error("the graph was freed by an earlier backward pass");
	assert_int_equal(bl_backward(b, NULL), -1);
	assert_error("a part of the graph was freed");
	bl_tensor_unref(a);
	bl_tensor_unref(b);
	bl_tensor_unref(y);
	bl_tensor_unref(x);
}

static void backward_needs_a_scalar_or_a_gradient(void **state)
{
	(void)state;
	bl_tensor *x = leaf(3), *y = bl_mul(x, x), *seed = bl_tensor_full(SHAPE(3), 1), *plain = bl_tensor_scalar(1);
	assert_int_equal(bl_backward(y, NULL), -1);
	assert_error("expected a scalar, got shape (2,)");
	assert_int_equal(bl_backward(y, seed), -1);
	assert_error("seed of shape (3,) for a tensor of shape (2,)");
	assert_int_equal(bl_backward(plain, NULL), -1);
	assert_error("nothing that this tensor was computed from requires a gradient");
	bl_tensor_unref(plain);
	bl_tensor_unref(seed);
	bl_tensor_unref(y);
	bl_tensor_unref(x);
}

static void nothing_is_recorded_without_need(void **state)
{
	(void)state;
	bl_tensor *plain = bl_tensor_full(SHAPE(2), 1), *x = leaf(3), *sum = bl_add(plain, plain);
	assert_false(bl_tensor_requires_grad(sum));
	assert_true(bl_grad_enable(false));
	bl_tensor *off = bl_mul(x, x);
	assert_false(bl_grad_wanted(&x, 1));
	assert_false(bl_grad_enable(true));
	assert_true(bl_grad_wanted(&x, 1));
	assert_false(bl_tensor_requires_grad(off));
	assert_true(bl_tensor_is_leaf(off));
	bl_tensor *on = bl_mul(x, x);
	assert_true(bl_tensor_requires_grad(on));
	assert_false(bl_tensor_is_leaf(on));
	bl_tensor_unref(on);
	bl_tensor_unref(off);
	bl_tensor_unref(sum);
	bl_tensor_unref(x);
	bl_tensor_unref(plain);
}

static void detached_tensors_pass_no_gradient(void **state)
{
	(void)state;
	bl_tensor *x = leaf(3), *y = bl_mul(x, x), *cut = bl_tensor_detach(y);
	assert_false(bl_tensor_requires_grad(cut));
	assert_ptr_equal(bl_tensor_data(cut), bl_tensor_data(y));
	assert_int_equal(backward_of_sum(bl_mul(cut, x)), 0);
	expect_grad(x, 9);
	bl_tensor_unref(cut);
	bl_tensor_unref(y);
	bl_tensor_unref(x);
}

static void inputs_without_requires_grad_get_no_gradient(void **state)
{
	(void)state;
	bl_tensor *x = leaf(3), *w = bl_tensor_full(SHAPE(2), 5);
	assert_int_equal(backward_of_sum(bl_div(x, w)), 0);
	assert_int_equal(backward_of_sum(bl_mul(w, x)), 0);
	assert_int_equal(backward_of_sum(bl_maximum(w, x)), 0);
	assert_null(bl_tensor_grad(w));
	expect_grad(x, 5.2f);
	bl_tensor_unref(w);
	bl_tensor_unref(x);
}

/* The gradient of images in channels-last order has that order as well; the gradient of a strided leaf is row-major. */
static void gradients_have_the_memory_order_of_their_tensors(void **state)
{
	(void)state;
	bl_tensor *image = bl_tensor_new_image(2, 3, 2, 2), *whole = bl_tensor_full(SHAPE(3, 4), 1);
	bl_tensor *turned = bl_transpose(whole, 0, 1);
	bl_tensor_fill(image, 2);
	bl_tensor_set_requires_grad(image, true);
	bl_tensor_set_requires_grad(turned, true);
	assert_int_equal(backward_of_sum(bl_mul(image, image)), 0);
	assert_int_equal(backward_of_sum(bl_mul(turned, turned)), 0);
	assert_true(bl_tensor_is_channels_last(bl_tensor_grad(image)));
	assert_true(bl_tensor_is_contiguous(bl_tensor_grad(turned)));
	expect_grad(image, 4);
	expect_grad(turned, 2);
	bl_tensor_unref(turned);
	bl_tensor_unref(whole);
	bl_tensor_unref(image);
}

/* Custom operations. */
typedef struct probe {
	int backwards, releases;
	bool fail;
} probe;

static int probe_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	probe *p = ctx;
	(void)out;
	p->backwards++;
	if (p->fail)
		return bl_fail("out of order");
	return bl_grad_add(in[0], dout);
}

static void probe_release(void *ctx)
{
	((probe *)ctx)->releases++;
}

static bl_tensor *probed(bl_tensor *x, probe *p)
{
	bl_tensor *y = bl_tensor_clone(x);
	assert_int_equal(bl_grad_record(y, "probe", &x, 1, probe_back, p, probe_release), 0);
	return y;
}

static void a_custom_operation_is_walked_and_released(void **state)
{
	(void)state;
	probe p = { 0 };
	bl_tensor *x = leaf(3);
	assert_int_equal(backward_of_sum(probed(x, &p)), 0);
	expect_grad(x, 1);
	assert_int_equal(p.backwards, 1);
	assert_int_equal(p.releases, 1);
	bl_tensor_unref(probed(x, &p));
	assert_int_equal(p.releases, 2);
	bl_grad_enable(false);
	bl_tensor_unref(probed(x, &p));
	bl_grad_enable(true);
	assert_int_equal(p.releases, 3);
	assert_int_equal(p.backwards, 1);
	bl_tensor_unref(x);
}

static void a_failing_backward_says_which(void **state)
{
	(void)state;
	probe p = { .fail = true };
	bl_tensor *x = leaf(3), *y = bl_exp(x), *z = probed(y, &p);
	bl_tensor_unref(y);
	assert_int_equal(backward_of_sum(z), -1);
	assert_error("backward of probe: out of order");
	assert_int_equal(p.releases, 1);
	bl_tensor_unref(x);
}

static void a_gradient_of_another_shape_is_refused(void **state)
{
	(void)state;
	bl_tensor *x = leaf(3), *g = bl_tensor_full(SHAPE(3), 1), *plain = bl_tensor_full(SHAPE(2), 1);
	assert_int_equal(bl_grad_add(x, g), -1);
	assert_error("gradient of shape (3,) for a tensor of shape (2,)");
	assert_int_equal(bl_grad_add(plain, g), 0);
	bl_tensor_unref(plain);
	bl_tensor_unref(g);
	bl_tensor_unref(x);
}

/* Chains may be as long as those of recurrent networks, so neither backward nor the release may recurse. */
static bl_tensor *chain(const bl_tensor *x, int length)
{
	bl_tensor *y = bl_tensor_ref((bl_tensor *)x);
	for (int i = 0; i < length; i++) {
		bl_tensor *next = bl_affine(y, 1, 1);
		bl_tensor_unref(y);
		y = next;
	}
	return y;
}

enum { LENGTH = 100000 };

/* Returns NULL on success, since cmocka's assertions may be used in the main thread only. */
static void *walk_chains(void *leaf_of_zeros)
{
	bl_tensor *x = leaf_of_zeros, *unused = chain(x, LENGTH);
	bool counted = bl_tensor_data(unused)[1] == LENGTH;
	bl_tensor_unref(unused);
	return !counted || backward_of_sum(chain(x, LENGTH)) ? x : NULL;
}

static void deep_chains_are_walked_and_freed_on_a_small_stack(void **state)
{
	(void)state;
	bl_tensor *x = leaf(0);
	pthread_attr_t attr;
	pthread_t t;
	void *failed;
	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstacksize(&attr, 512 << 10), 0);
	assert_int_equal(pthread_create(&t, &attr, walk_chains, x), 0);
	pthread_join(t, &failed);
	pthread_attr_destroy(&attr);
	assert_null(failed);
	expect_grad(x, 1);
	bl_tensor_unref(x);
}

static void wide_graphs_are_walked(void **state)
{
	enum { WIDTH = 1000 };
	(void)state;
	bl_tensor *x = leaf(1), *part[WIDTH];
	for (int i = 0; i < WIDTH; i++)
		part[i] = bl_affine(x, (float)i, 0);
	bl_tensor *all = bl_cat(part, WIDTH, 0);
	for (int i = 0; i < WIDTH; i++)
		bl_tensor_unref(part[i]);
	assert_int_equal(backward_of_sum(all), 0);
	expect_grad(x, WIDTH * (WIDTH - 1) / 2);
	bl_tensor_unref(x);
}

static void a_repeated_step_takes_no_new_memory(void **state)
{
	(void)state;
	bl_memory_stats before = { 0 }, after;
	bl_tensor *x = bl_tensor_full(SHAPE(64, 32), .01f);
	bl_tensor_set_requires_grad(x, true);
	for (int step = 0; step < 4; step++) {
		if (step == 2)
			bl_memory(&before);
		bl_tensor *y = bl_exp(x), *t = bl_transpose(y, 0, 1), *z = bl_mm(y, t);
		bl_tensor_unref(y);
		bl_tensor_unref(t);
		assert_int_equal(backward_of_sum(z), 0);
		bl_tensor_zero_grad(x);
	}
	bl_memory(&after);
	assert_int_equal(after.system_calls, before.system_calls);
	assert_int_equal(after.used, before.used);
	bl_tensor_unref(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_gets_its_gradient),
		cmocka_unit_test(gradients_of_leaves_are_added_until_zeroed),
		cmocka_unit_test(gradients_of_branches_are_added_first),
		cmocka_unit_test(a_passed_gradient_is_not_written_to),
		cmocka_unit_test(the_seed_is_left_alone),
		cmocka_unit_test(a_second_backward_fails),
		cmocka_unit_test(backward_needs_a_scalar_or_a_gradient),
		cmocka_unit_test(nothing_is_recorded_without_need),
		cmocka_unit_test(detached_tensors_pass_no_gradient),
		cmocka_unit_test(inputs_without_requires_grad_get_no_gradient),
		cmocka_unit_test(gradients_have_the_memory_order_of_their_tensors),
		cmocka_unit_test(a_custom_operation_is_walked_and_released),
		cmocka_unit_test(a_failing_backward_says_which),
		cmocka_unit_test(a_gradient_of_another_shape_is_refused),
		cmocka_unit_test(deep_chains_are_walked_and_freed_on_a_small_stack),
		cmocka_unit_test(wide_graphs_are_walked),
		cmocka_unit_test(a_repeated_step_takes_no_new_memory),
		cmocka_unit_test(support_no_blocks_left),
	};
	return cmocka_run_group_tests_name("tape", tests, NULL, NULL);
}
