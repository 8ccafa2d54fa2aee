/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_loader.c: batches that the loader makes in advance: order, random numbers, threads, seeking, errors, freeing. */
#include "support.h"

#include <barlow/data.h>
#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 50, SIZE = 12, BATCH = 8, STEPS = N / BATCH, VIEW = SIZE * SIZE * 3 };

static bl_dataset *data(void)
{
	bl_dataset *d = bl_dataset_shapes(&(bl_shapes_config){ .n = N, .size = 16, .channels = 3, .seed = 1 });
	assert_non_null(d);
	return d;
}

static bl_pipeline *views(int size)
{
	char text[64];
	snprintf(text, sizeof text, "crop{size = %d}, flip, jitter, blur", size);
	bl_pipeline *p = bl_pipeline_parse(text);
	assert_non_null(p);
	return p;
}

static bl_loader *loader(int threads, int ahead, uint64_t seed)
{
	bl_dataset *d = data();
	bl_pipeline *p = views(SIZE);
	bl_loader *l = bl_loader_new(&(bl_loader_config){
		.data = d, .views = { p, p }, .n_views = 2, .batch = BATCH, .seed = seed, .threads = threads, .ahead = ahead });
	if (!l)
		fail_msg("%s", bl_error());
	bl_pipeline_unref(p);
	bl_dataset_unref(d);
	return l;
}

typedef struct batch {
	float view[2][BATCH * VIEW];
	int64_t rows[BATCH];
} batch;

static void next(bl_loader *l, batch *b)
{
	bl_tensor *t[2];
	if (bl_loader_next(l, t, b->rows) < 0)
		fail_msg("%s", bl_error());
	for (int v = 0; v < 2; v++) {
		assert_true(bl_tensor_is_channels_last(t[v]));
		assert_memory_equal(bl_tensor_shape(t[v]), ((int64_t[]){ BATCH, 3, SIZE, SIZE }), 4 * sizeof(int64_t));
		memcpy(b->view[v], bl_tensor_data(t[v]), sizeof b->view[v]);
		bl_tensor_unref(t[v]);
	}
}

static batch *run(int threads, int ahead, uint64_t seed, int64_t from, int n)
{
	batch *b = malloc((size_t)n * sizeof *b);
	bl_loader *l = loader(threads, ahead, seed);
	assert_non_null(b);
	if (from)
		bl_loader_seek(l, from);
	for (int i = 0; i < n; i++)
		next(l, &b[i]);
	bl_loader_free(l);
	return b;
}

static void each_epoch_is_a_new_order_without_repeats(void **state)
{
	batch *b = run(2, 0, 4, 0, 2 * STEPS);
	int moved = 0;
	(void)state;
	for (int epoch = 0; epoch < 2; epoch++) {
		bool seen[N] = { false };
		for (int i = 0; i < STEPS * BATCH; i++) {
			int64_t row = b[epoch * STEPS + i / BATCH].rows[i % BATCH];
			assert_true(row >= 0 && row < N);
			assert_false(seen[row]);
			seen[row] = true;
			moved += epoch == 1 && row != b[i / BATCH].rows[i % BATCH];
		}
	}
	assert_true(moved > N / 2);
	assert_memory_not_equal(b[0].view[0], b[0].view[1], sizeof b[0].view[0]);
	free(b);
}

/* Batches do not depend on the number of threads or the size of the ring, but they depend on the seed. */
static void threads_change_no_bit(void **state)
{
	enum { ROUNDS = STEPS + 3 };
	batch *one = run(1, 1, 4, 0, ROUNDS);
	(void)state;
	for (int threads = 2; threads <= 4; threads++) {
		batch *more = run(threads, threads, 4, 0, ROUNDS);
		assert_memory_equal(one, more, ROUNDS * sizeof *one);
		free(more);
	}
	batch *other = run(1, 1, 5, 0, 1);
	assert_memory_not_equal(one->rows, other->rows, sizeof one->rows);
	free(other);
	free(one);
}

/* A view is the result of the pipeline for the row, with the random numbers of (seed, epoch, row, view). */
static void views_are_what_the_pipeline_makes(void **state)
{
	bl_dataset *d = data();
	bl_pipeline *p = views(SIZE);
	batch *b = run(2, 2, 4, STEPS + 1, 1);
	static float out[VIEW];
	(void)state;
	for (int v = 0; v < 2; v++)
		for (int i = 0; i < BATCH; i++) {
			bl_image in;
			bl_plan plan;
			assert_int_equal(bl_dataset_image(d, b->rows[i], &in), 0);
			bl_view_key key = { .seed = 4, .epoch = 1, .sample = (uint32_t)b->rows[i], .view = (uint32_t)v };
			bl_pipeline_plan(p, &key, in.height, in.width, in.channels, &plan);
			assert_int_equal(bl_pipeline_apply(p, &plan, &in, out), 0);
			assert_memory_equal(out, b->view[v] + i * VIEW, sizeof out);
		}
	free(b);
	bl_pipeline_unref(p);
	bl_dataset_unref(d);
}

static void seeking_continues_like_an_uninterrupted_run(void **state)
{
	enum { ROUNDS = 2 * STEPS };
	batch *whole = run(2, 3, 4, 0, ROUNDS), now;
	bl_loader *l = loader(2, 3, 4);
	const int64_t steps[] = { ROUNDS - 1, 0, 3, 3, STEPS };
	(void)state;
	assert_int_equal(bl_loader_steps(l), STEPS);
	for (int i = 0; i < 5; i++) {
		bl_loader_seek(l, steps[i]);
		next(l, &now);
		assert_memory_equal(&now, &whole[steps[i]], sizeof now);
	}
	next(l, &now);
	assert_memory_equal(&now, &whole[STEPS + 1], sizeof now);
	bl_loader_free(l);
	free(whole);
}

/* The state of an operator that does not change the image, counts its calls, and is slow for some images. */
typedef struct pace {
	atomic_int calls;
	bool slow; /* for the images of the epoch's last batch */
} pace;

static int count_images(void *context, const bl_aug_call *call)
{
	pace *p = context;
	atomic_fetch_add(&p->calls, 1);
	memcpy(call->out, call->in, (size_t)(call->channels * call->height * call->width) * sizeof *call->out);
	if (p->slow && call->key->step == STEPS - 1)
		usleep(3000);
	return 0;
}

static bl_loader *paced_loader(pace *p, int threads, int ahead)
{
	bl_aug *ops[] = { bl_aug_new_function(&(bl_aug_function){ .name = "count", .apply = count_images, .context = p }),
		          bl_aug_new("flip") };
	bl_pipeline *v = bl_pipeline_new(ops, 2);
	bl_dataset *d = data();
	bl_loader *l = bl_loader_new(&(bl_loader_config){
		.data = d, .views = { v }, .n_views = 1, .batch = BATCH, .seed = 4, .threads = threads, .ahead = ahead });
	assert_non_null(l);
	bl_dataset_unref(d);
	bl_pipeline_unref(v);
	bl_aug_unref(ops[0]);
	bl_aug_unref(ops[1]);
	return l;
}

static void skip_batch(bl_loader *l)
{
	bl_tensor *t[1];
	assert_int_equal(bl_loader_next(l, t, NULL), 0);
	bl_tensor_unref(t[0]);
}

/*
 * The caller waits for the first batch, but not for batches that are already complete in the ring; one thread makes batches in
 * order.
 */
static void batches_are_made_in_advance(void **state)
{
	enum { AHEAD = 3 };
	pace p = { 0 };
	bl_loader *l = paced_loader(&p, 1, AHEAD);
	(void)state;
	assert_true(bl_loader_waited(l) == 0);
	skip_batch(l);
	double before = bl_loader_waited(l);
	assert_true(before > 0);
	while (atomic_load(&p.calls) < (1 + AHEAD) * BATCH)
		usleep(1000);
	skip_batch(l);
	skip_batch(l);
	assert_true(bl_loader_waited(l) == before);
	bl_loader_free(l);
}

/* Some threads begin the next epoch while others still make the last batch of an epoch; no bit changes. */
static void a_slow_thread_at_an_epochs_end_changes_nothing(void **state)
{
	enum { ROUNDS = STEPS + 4, THREADS = 4 };
	pace quick = { 0 }, slow = { .slow = true };
	bl_loader *a = paced_loader(&quick, 1, 1), *b = paced_loader(&slow, THREADS, THREADS);
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		bl_tensor *x[1], *y[1];
		int64_t rows[BATCH], others[BATCH];
		assert_int_equal(bl_loader_next(a, x, rows), 0);
		assert_int_equal(bl_loader_next(b, y, others), 0);
		assert_memory_equal(rows, others, sizeof rows);
		assert_memory_equal(bl_tensor_data(x[0]), bl_tensor_data(y[0]), (size_t)bl_tensor_count(x[0]) * sizeof(float));
		bl_tensor_unref(x[0]);
		bl_tensor_unref(y[0]);
	}
	bl_loader_free(a);
	bl_loader_free(b);
}

/* Freeing ends all threads, with a full ring, an empty ring, and before the first batch; after a failure the test would hang. */
static void freeing_ends_the_threads(void **state)
{
	batch b;
	(void)state;
	for (int i = 0; i < 20; i++) {
		bl_loader *l = loader(1 + i % 4, 1 + i % 3, 4);
		if (i % 2)
			next(l, &b);
		if (i % 5 == 0)
			usleep(20000);
		bl_loader_free(l);
	}
	bl_loader_free(NULL);
}

static void steady_state_allocates_nothing(void **state)
{
	bl_loader *l = loader(1, 2, 4);
	bl_memory_stats before, after;
	batch b;
	(void)state;
	for (int i = 0; i < 5 * STEPS; i++)
		next(l, &b);
	bl_memory(&before);
	for (int i = 0; i < 5 * STEPS; i++)
		next(l, &b);
	bl_memory(&after);
	assert_int_equal(before.system_calls, after.system_calls);
	bl_loader_free(l);
}

/* Fails for images whose first value is below .5, and waits before that if it is below 5 / 255. */
static int refuse_dark(void *context, const bl_aug_call *call)
{
	float first = call->in[0] * 255;
	memcpy(call->out, call->in, (size_t)(call->channels * call->height * call->width) * sizeof *call->out);
	if (first > 127)
		return 0;
	usleep(first < 5 ? 100000 : 0);
	return bl_fail("%s %.0f is dark", (const char *)context, (double)first);
}

/* Two images of a batch fail.  The image with the higher index fails first in time, but the message is that of the other image. */
static void the_first_failure_of_a_batch_is_reported(void **state)
{
	enum { IMAGES = 40, EARLY = 6, LATE = 36 };
	bl_tensor *t = bl_tensor_full(4, (int64_t[]){ IMAGES, 1, 4, 4 }, 1), *view[1];
	bl_aug *a = bl_aug_new_function(&(bl_aug_function){ .name = "dark", .apply = refuse_dark, .context = (char[]){ "value" } });
	bl_pipeline *p = bl_pipeline_new(&a, 1);
	int64_t rows[IMAGES];
	(void)state;
	/* The order of the rows is that of a loader without failures. */
	bl_dataset *light = bl_dataset_tensor(t, NULL);
	bl_loader_config c = { .data = light, .views = { p }, .n_views = 1, .batch = IMAGES, .seed = 2, .threads = 2 };
	bl_loader *l = bl_loader_new(&c);
	assert_int_equal(bl_loader_next(l, view, rows), 0);
	bl_tensor_unref(view[0]);
	bl_loader_free(l);
	for (int k = 0; k < 16; k++) {
		bl_tensor_data(t)[rows[EARLY] * 16 + k] = 3 / 255.f;
		bl_tensor_data(t)[rows[LATE] * 16 + k] = 30 / 255.f;
	}
	c.data = bl_dataset_tensor(t, NULL);
	for (c.threads = 1; c.threads <= 3; c.threads++) {
		char expected[64];
		l = bl_loader_new(&c);
		assert_int_equal(bl_loader_next(l, view, NULL), -1);
		snprintf(expected, sizeof expected, "row %d: view 1: value 3 is dark", (int)rows[EARLY] + 1);
		assert_error(expected);
		bl_loader_free(l);
	}
	bl_dataset_unref(light);
	bl_dataset_unref(c.data);
	bl_tensor_unref(t);
	bl_pipeline_unref(p);
	bl_aug_unref(a);
}

/* If an operator fails in a loader thread, this and the next call report the failure. */
static void errors_in_threads_reach_the_caller(void **state)
{
	bl_dataset *d = data();
	bl_tensor *view[2] = { NULL, NULL };
	int64_t rows[BATCH];
	(void)state;
	bl_aug *a = bl_aug_new_function(&(bl_aug_function){ .name = "dark", .apply = refuse_dark, .context = (char[]){ "pixel" } });
	bl_pipeline *good = views(16), *bad = bl_pipeline_new(&a, 1);
	bl_aug_unref(a);
	bl_loader *l = bl_loader_new(&(bl_loader_config){
		.data = d, .views = { good, bad }, .n_views = 2, .batch = BATCH, .seed = 1, .threads = 2 });
	assert_non_null(l);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bl_loader_next(l, view, rows), -1);
		assert_error("row ");
		assert_error(": view 2: pixel ");
	}
	assert_null(view[0]);
	assert_null(view[1]);
	bl_loader_free(l);
	bl_pipeline_unref(good);
	bl_pipeline_unref(bad);
	bl_dataset_unref(d);
}

/* There are as many views as pipelines, and the first two do not depend on the others. */
static void there_are_as_many_views_as_requested(void **state)
{
	bl_dataset *d = data();
	bl_pipeline *p = views(SIZE);
	bl_loader_config c = { .data = d, .views = { p, p, p, p, p, p, p, p }, .batch = BATCH, .seed = 4, .threads = 2 };
	const int counts[] = { 1, 2, 3, 8 };
	batch *two = run(1, 1, 4, 0, 1);
	(void)state;
	for (int k = 0; k < 4; k++) {
		bl_tensor *v[BL_VIEWS_MOST];
		c.n_views = counts[k];
		bl_loader *l = bl_loader_new(&c);
		assert_int_equal(bl_loader_next(l, v, NULL), 0);
		for (int i = 0; i < c.n_views; i++) {
			if (i < 2)
				assert_memory_equal(bl_tensor_data(v[i]), two->view[i], sizeof two->view[i]);
			for (int other = 0; other < i; other++)
				assert_memory_not_equal(bl_tensor_data(v[i]), bl_tensor_data(v[other]), sizeof two->view[0]);
		}
		for (int i = 0; i < c.n_views; i++)
			bl_tensor_unref(v[i]);
		bl_loader_free(l);
	}
	free(two);
	bl_pipeline_unref(p);
	bl_dataset_unref(d);
}

static void views_have_sizes_of_their_own(void **state)
{
	bl_dataset *d = data();
	bl_pipeline *p = views(SIZE), *q = views(SIZE + 1);
	bl_tensor *v[3];
	(void)state;
	bl_loader *l = bl_loader_new(&(bl_loader_config){
		.data = d, .views = { p, q, p }, .n_views = 3, .batch = BATCH, .seed = 4, .threads = 2 });
	batch *two = run(1, 1, 4, 0, 1);
	assert_int_equal(bl_loader_next(l, v, NULL), 0);
	assert_int_equal(bl_tensor_size(v[0], 2), SIZE);
	assert_int_equal(bl_tensor_size(v[1], 2), SIZE + 1);
	assert_int_equal(bl_tensor_size(v[1], 3), SIZE + 1);
	assert_int_equal(bl_tensor_size(v[2], 3), SIZE);
	assert_memory_equal(bl_tensor_data(v[0]), two->view[0], sizeof two->view[0]);
	for (int i = 0; i < 3; i++)
		bl_tensor_unref(v[i]);
	free(two);
	bl_loader_free(l);
	bl_pipeline_unref(p);
	bl_pipeline_unref(q);
	bl_dataset_unref(d);
}

/* Swaps the views, and writes a number that depends on the batch to the first element of the first view. */
static int swap_views(void *context, const bl_batch_call *call)
{
	(void)context;
	bl_tensor *t = call->view[0];
	call->view[0] = call->view[1];
	call->view[1] = t;
	assert_int_equal(call->labels[3], bl_dataset_label(context, call->rows[3]));
	bl_tensor_data(call->view[1])[0] = bl_rng_uniform(call->rng) + (float)call->step;
	return call->step == 4 ? bl_fail("five is too many") : 0;
}

static void batches_are_changed_as_a_whole(void **state)
{
	bl_dataset *d = data();
	bl_pipeline *p = views(SIZE);
	float drawn[4];
	(void)state;
	for (int threads = 1; threads <= 4; threads *= 2) {
		bl_batch_aug *a = bl_batch_aug_new(swap_views, NULL, d);
		bl_loader *l = bl_loader_new(&(bl_loader_config){ .data = d,
		                                                  .views = { p, p },
		                                                  .n_views = 2,
		                                                  .batch = BATCH,
		                                                  .batch_aug = a,
		                                                  .seed = 4,
		                                                  .threads = threads });
		bl_batch_aug_unref(a);
		for (int step = 0; step < 4; step++) {
			bl_tensor *v[2];
			batch *two = run(1, 1, 4, step, 1);
			assert_int_equal(bl_loader_next(l, v, NULL), 0);
			float first = bl_tensor_data(v[1])[0];
			assert_true(first >= (float)step && first < (float)step + 1);
			if (threads == 1)
				drawn[step] = first;
			assert_true(first == drawn[step]);
			assert_memory_equal(bl_tensor_data(v[0]), two->view[1], sizeof two->view[0]);
			assert_memory_equal(bl_tensor_data(v[1]) + 1, two->view[0] + 1, sizeof two->view[0] - sizeof(float));
			bl_tensor_unref(v[0]);
			bl_tensor_unref(v[1]);
			free(two);
		}
		bl_tensor *v[2];
		assert_int_equal(bl_loader_next(l, v, NULL), -1);
		assert_error("five is too many");
		bl_loader_free(l);
	}
	assert_true(drawn[0] != drawn[1] - 1);
	bl_pipeline_unref(p);
	bl_dataset_unref(d);
}

static void numbers_that_make_no_sense_are_named(void **state)
{
	bl_dataset *d = data();
	bl_pipeline *p = views(SIZE);
	bl_pipeline *grey = bl_pipeline_parse("crop{size = 12}, normalize{mean = {0.1, 0.2}, std = 1}");
	const struct {
		bl_loader_config config;
		const char *message;
	} refused[] = {
		{ { .data = d, .views = { p, p }, .n_views = 2, .batch = N + 1 },
		  "batch of 51 is larger than the set: shapes has 50 images" },
		{ { .data = d, .views = { p, p }, .n_views = 2, .batch = 1 },
		  "batch of 1, expected 2 (statistics over a batch need two) to 50, the number of images in shapes" },
		{ { .data = d, .views = { p, p }, .n_views = 9, .batch = BATCH }, "9 views of an image, expected 1 to 8" },
		{ { .data = d, .views = { p, grey }, .n_views = 2, .batch = BATCH },
		  "shapes, view 2: operator 2 (normalize): 2 numbers in mean for images of 3 channels, expected one for each" },
		{ { .data = d, .views = { p, p }, .n_views = 2, .batch = BATCH, .threads = -1 }, "-1 loader threads" },
		{ { .data = d, .views = { p, p }, .n_views = 2, .batch = BATCH, .ahead = 5000 }, "5000 batches ahead" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_null(bl_loader_new(&refused[i].config));
		assert_error(refused[i].message);
	}
	bl_pipeline_unref(p);
	bl_pipeline_unref(grey);
	bl_dataset_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_epoch_is_a_new_order_without_repeats),
		cmocka_unit_test(threads_change_no_bit),
		cmocka_unit_test(views_are_what_the_pipeline_makes),
		cmocka_unit_test(seeking_continues_like_an_uninterrupted_run),
		cmocka_unit_test(batches_are_made_in_advance),
		cmocka_unit_test(a_slow_thread_at_an_epochs_end_changes_nothing),
		cmocka_unit_test(freeing_ends_the_threads),
		cmocka_unit_test(steady_state_allocates_nothing),
		cmocka_unit_test(errors_in_threads_reach_the_caller),
		cmocka_unit_test(the_first_failure_of_a_batch_is_reported),
		cmocka_unit_test(there_are_as_many_views_as_requested),
		cmocka_unit_test(views_have_sizes_of_their_own),
		cmocka_unit_test(batches_are_changed_as_a_whole),
		cmocka_unit_test(numbers_that_make_no_sense_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
