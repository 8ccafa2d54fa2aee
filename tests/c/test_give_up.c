/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_give_up.c: work that is abandoned (Ctrl-C) fails with a message, and leaves no incomplete result. */
#include "support.h"

#include <barlow/data.h>
#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/nn.h>
#include <barlow/parallel.h>

#include <stdatomic.h>

enum { CHUNKS = 1000, STOP_AT = 5 };

static volatile int flag;
static atomic_int made;

static void count(void *ctx, int64_t chunk)
{
	(void)ctx, (void)chunk;
	made++;
}

static void count_and_stop(void *ctx, int64_t chunk)
{
	count(ctx, chunk);
	if (chunk >= STOP_AT)
		flag = 1;
	if (flag)
		assert_true(bl_given_up());
}

static int chunks_made(bl_parallel_fn *fn)
{
	made = 0;
	bl_parallel(CHUNKS, fn, NULL);
	return made;
}

/* Sets the flag as Ctrl-C does; this thread obeys it if `on`. */
static void ask(bool on)
{
	flag = 1;
	bl_give_up_on(on ? &flag : NULL);
}

static int forget(void **state)
{
	(void)state;
	bl_give_up_on(NULL);
	flag = 0;
	bl_threads_set(0);
	return 0;
}

static void remaining_chunks_are_skipped(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 3; threads++) {
		bl_threads_set(threads);
		flag = 0;
		bl_give_up_on(&flag);
		assert_int_equal(chunks_made(count), CHUNKS);
		assert_false(bl_given_up());
		int n = chunks_made(count_and_stop);
		assert_true(n > STOP_AT && n < CHUNKS);
		assert_true(bl_given_up());
		assert_int_equal(chunks_made(count), 0);
		bl_give_up_on(NULL);
		assert_false(bl_given_up());
		assert_int_equal(chunks_made(count), CHUNKS);
	}
}

static bl_dataset *shapes(void)
{
	return bl_dataset_shapes(&(bl_shapes_config){ .n = 200, .size = 8, .channels = 1, .seed = 1 });
}

static void no_row(void *ctx, int64_t row, const char *why)
{
	(void)ctx;
	fail_msg("row %d: %s", (int)row, why);
}

static void interrupted_sets_are_not_returned(void **state)
{
	float mean, std, mean_after, std_after;
	(void)state;
	ask(true);
	assert_null(shapes());
	assert_true(bl_error_interrupted());
	ask(false);
	bl_dataset *d = shapes(), *other = shapes();
	assert_non_null(d);
	ask(true);
	assert_int_equal(bl_dataset_statistics(d, &mean, &std), -1);
	assert_true(bl_error_interrupted());
	assert_int_equal(bl_dataset_verify(d, no_row, NULL), -1);
	assert_true(bl_error_interrupted());
	ask(false);
	assert_int_equal(bl_dataset_statistics(d, &mean, &std), 0);
	assert_int_equal(bl_dataset_statistics(other, &mean_after, &std_after), 0);
	assert_true(mean == mean_after && std == std_after);
	assert_int_equal(bl_dataset_verify(d, no_row, NULL), 0);
	bl_dataset_unref(d);
	bl_dataset_unref(other);
}

static void interrupted_features_are_not_returned(void **state)
{
	enum { N = 40, F = 6 };
	float w[F];
	int32_t labels[N];
	bl_rng rng;
	bl_tensor *x = bl_tensor_new(2, (int64_t[]){ N, F }), *out[2];
	bl_whiten_result r;
	const bl_whiten_config c = { .knn = { .k = 3, .temperature = .1 } };
	(void)state;
	bl_rng_init(&rng, 1, 0, 0, 0);
	for (int i = 0; i < N * F; i++)
		bl_tensor_data(x)[i] = bl_rng_normal(&rng);
	for (int i = 0; i < N; i++)
		labels[i] = i % 2;
	ask(true);
	assert_int_equal(bl_eval_spectrum(x, true, w), -1);
	assert_true(bl_error_interrupted());
	assert_true(bl_eval_rankme(x) < 0);
	assert_true(bl_error_interrupted());
	assert_int_equal(bl_eval_whiten(&c, x, labels, x, 2, out, &r), -1);
	assert_true(bl_error_interrupted());
	ask(false);
	assert_int_equal(bl_eval_spectrum(x, true, w), 0);
	assert_int_equal(bl_eval_whiten(&c, x, labels, x, 2, out, &r), 0);
	bl_tensor_unref(out[0]);
	bl_tensor_unref(out[1]);
	bl_tensor_unref(x);
}

/* A layer that requests the interruption during its forward pass. */
static bl_tensor *stop_here(void *ctx, bl_tensor *x)
{
	(void)ctx;
	ask(true);
	return bl_tensor_ref(x);
}

static bl_module *before_norm(bl_module *first)
{
	bl_module *net = bl_nn_sequential(), *layers[] = { first, bl_nn_batchnorm(3, true, false, .1f, 1e-5f) };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bl_nn_append(net, NULL, layers[i]), 0);
		bl_module_unref(layers[i]);
	}
	return net;
}

static int add_sum(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	(void)name, (void)kind;
	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		*(double *)ctx += (double)bl_tensor_data(t)[i];
	return 0;
}

static void passes_end_and_leave_running_statistics_alone(void **state)
{
	bl_tensor *x = bl_tensor_full(2, (int64_t[]){ 4, 3 }, 5);
	bl_module *net = before_norm(bl_nn_func("stop", stop_here, NULL, NULL));
	double before = 0, after = 0;
	(void)state;
	bl_module_each(net, add_sum, &before);
	assert_null(bl_module_forward(net, x));
	assert_true(bl_error_interrupted());
	bl_module_each(net, add_sum, &after);
	assert_true(before == after);
	const bl_norm_args args = { .training = true, .eps = 1e-5 };
	assert_null(bl_batchnorm(x, &args)); /* as if the request came during the sums */
	assert_true(bl_error_interrupted());
	ask(false);
	bl_tensor_set_requires_grad(x, true);
	bl_tensor *y = bl_sum(x, BL_ALL, false);
	ask(true);
	assert_int_equal(bl_backward(y, NULL), -1);
	assert_true(bl_error_interrupted());
	assert_null(bl_tensor_grad(x));
	bl_tensor_unref(y);
	bl_tensor_unref(x);
	bl_module_unref(net);
}

static void random_numbers_end(void **state)
{
	enum { MANY = 1 << 18 };
	(void)state;
	bl_tensor *x = bl_tensor_full(1, (int64_t[]){ MANY }, 7);
	ask(true);
	bl_tensor_normal(x, 1, 0, 0, 1);
	bl_tensor_uniform(x, 1, 0, 0, 1);
	assert_true(bl_tensor_data(x)[MANY - 1] == 7);
	ask(false);
	bl_tensor_uniform(x, 1, 0, 0, 1);
	assert_true(bl_tensor_data(x)[MANY - 1] < 1);
	bl_tensor_unref(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(remaining_chunks_are_skipped, forget),
		cmocka_unit_test_teardown(interrupted_sets_are_not_returned, forget),
		cmocka_unit_test_teardown(interrupted_features_are_not_returned, forget),
		cmocka_unit_test_teardown(passes_end_and_leave_running_statistics_alone, forget),
		cmocka_unit_test_teardown(random_numbers_end, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
