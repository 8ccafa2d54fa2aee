/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_eval.c: kNN, linear probe and spectra, compared with NumPy's numbers (tests/reference/make_eval.py). */
#include "support.h"

#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/parallel.h>
#include <barlow/random.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 4 };
enum { LINEAR_TRAIN, LINEAR_TEST, KNN, RANKME }; /* the indices in eval_numbers.npy */

static struct {
	bl_tensor *train, *test, *numbers;
	int32_t *train_labels, *test_labels;
} data;

static bl_tensor *reference(const char *name)
{
	char path[128];
	bl_tensor *t;

	snprintf(path, sizeof(path), "tests/reference/eval_%s.npy", name);
	t = bl_npy_load(support_source(path));
	if (!t)
		print_error("%s\n", bl_error());
	assert_non_null(t);
	return t;
}

static int32_t *labels_of(const char *name)
{
	bl_tensor *t = reference(name);
	int32_t *labels = calloc((size_t)bl_tensor_count(t), sizeof(*labels));

	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		labels[i] = (int32_t)bl_tensor_data(t)[i];
	bl_tensor_unref(t);
	return labels;
}

static int load(void **state)
{
	(void)state;
	data.train = reference("train");
	data.test = reference("test");
	data.numbers = reference("numbers");
	data.train_labels = labels_of("train_labels");
	data.test_labels = labels_of("test_labels");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	bl_tensor_unref(data.train);
	bl_tensor_unref(data.test);
	bl_tensor_unref(data.numbers);
	free(data.train_labels);
	free(data.test_labels);
	return 0;
}

static double number(int which)
{
	return bl_tensor_data(data.numbers)[which];
}

static double knn(int k, double temperature)
{
	return bl_eval_knn(&(bl_knn_config){ k, temperature, NULL }, data.train, data.train_labels, data.test, data.test_labels,
	                   CLASSES);
}

static void knn_is_numpys(void **state)
{
	(void)state;
	assert_close(knn(15, .1), number(KNN), 1e-6);
}

/* Is the query classified as 0 with these references? */
static bool is_first(const float *refs, const int32_t *labels, int n, int k, double temperature, const float *query)
{
	static const int32_t zero[] = { 0 };
	bl_tensor *r = bl_tensor_from(2, (int64_t[]){ n, 2 }, refs), *q = bl_tensor_from(2, (int64_t[]){ 1, 2 }, query);
	double accuracy = bl_eval_knn(&(bl_knn_config){ k, temperature, NULL }, r, labels, q, zero, 3);

	bl_tensor_unref(r);
	bl_tensor_unref(q);
	assert_true(accuracy == 0 || accuracy == 1);
	return accuracy == 1;
}

/* References at increasing angles from the x axis: the nearest to the axis has class 0, the next two have class 1. */
static bool fan(int k, double temperature, const float *query)
{
	return is_first((float[]){ 9, .9f, 1, .5f, 3, 1.6f, 0, 1 }, (int32_t[]){ 0, 1, 1, 2 }, 4, k, temperature, query);
}

static void temperature_weighs_the_votes(void **state)
{
	const float x[] = { 5, 0 };

	(void)state;
	assert_true(fan(1, 1, x));
	assert_false(fan(3, 1, x));
	assert_true(fan(3, .1, x));
	assert_true(fan(99, .1, x)); /* k is larger than the number of references */
}

/* exp(1 / 1e-5) overflows, but the nearest reference still decides. */
static void low_temperatures_do_not_overflow(void **state)
{
	const float refs[] = { 1, 1, 2, 1 }, x[] = { 1, 0 };

	(void)state;
	assert_true(is_first(refs, (int32_t[]){ 1, 0 }, 2, 2, 1e-5, x));
	assert_false(is_first(refs, (int32_t[]){ 0, 1 }, 2, 2, 1e-5, x));
}

static void equal_neighbours_rank_by_their_order(void **state)
{
	const float pairs[] = { 1, 1, 1, 1, 2, 1, 2, 1 }, x[] = { 1, 0 }, nowhere[] = { 0, 0 };

	(void)state;
	assert_true(fan(1, 1, nowhere));
	assert_false(fan(3, 1, nowhere));
	/* The last two references are nearer, and replace the second of the first two. */
	assert_true(is_first(pairs, (int32_t[]){ 0, 1, 0, 1 }, 4, 3, 1, x));
	assert_false(is_first(pairs, (int32_t[]){ 1, 0, 0, 1 }, 4, 3, 1, x));
}

/* The sizes are not multiples of the block size; the result has to equal that of brute force. */
static void results_do_not_depend_on_blocks(void **state)
{
	enum { N = 2500, M = 300, F = 5 };
	bl_tensor *refs = bl_tensor_new(2, (int64_t[]){ N, F }), *queries = bl_tensor_new(2, (int64_t[]){ M, F });
	int32_t ref_labels[N], query_labels[M];
	int correct = 0;

	(void)state;
	bl_tensor_normal(refs, 1, BL_STREAM_USER, 0, 1);
	bl_tensor_normal(queries, 2, BL_STREAM_USER, 0, 1);
	for (int i = 0; i < N; i++)
		ref_labels[i] = i % 7;
	for (int q = 0; q < M; q++) {
		const float *a = bl_tensor_data(queries) + q * F;
		double best = -2;
		int at = 0;

		for (int i = 0; i < N; i++) {
			const float *b = bl_tensor_data(refs) + i * F;
			double ab = 0, aa = 0, bb = 0;

			for (int j = 0; j < F; j++) {
				ab += (double)a[j] * b[j];
				aa += (double)a[j] * a[j];
				bb += (double)b[j] * b[j];
			}
			if (ab / sqrt(aa * bb) > best) {
				best = ab / sqrt(aa * bb);
				at = i;
			}
		}
		query_labels[q] = q % 3 ? at % 7 : (at + 1) % 7;
		correct += q % 3 != 0;
	}
	assert_close(bl_eval_knn(&(bl_knn_config){ 1, 1, NULL }, refs, ref_labels, queries, query_labels, 7), correct / (double)M,
	             1e-12);
	bl_tensor_unref(refs);
	bl_tensor_unref(queries);
}

static int linear(const bl_linear_config *c, bl_linear_result *out)
{
	return bl_eval_linear(c, data.train, data.train_labels, data.test, data.test_labels, CLASSES, out);
}

/* Features have different scales, and one is constant; NumPy computed the optimum by Newton's method in double precision. */
static void linear_reaches_the_optimum(void **state)
{
	const double l2 = 10;
	bl_linear_result r;

	(void)state;
	assert_int_equal(linear(&(bl_linear_config){ .l2 = &l2, .n_l2 = 1, .tolerance = 1e-6 }, &r), 0);
	assert_close(r.train_accuracy, number(LINEAR_TRAIN), 1e-6);
	assert_close(r.accuracy, number(LINEAR_TEST), 1e-6);
	assert_close(r.l2, 10, 0);
	assert_in_range(r.iterations, 1, 100);
}

static void l2_comes_from_the_grid(void **state)
{
	const double grid[] = { .01, 1e9, 5 };
	bl_linear_result r;

	(void)state;
	assert_int_equal(linear(&(bl_linear_config){ .l2 = grid, .n_l2 = 3, .held_out = .2, .seed = 3 }, &r), 0);
	assert_true(r.l2 == grid[0] || r.l2 == grid[2]);
	assert_true(fabs(r.accuracy - number(LINEAR_TEST)) < .03);
	assert_true(r.held_out_accuracy > .5);
}

/* Labels do not depend on the features, so the largest penalty is the best. */
static void random_labels_need_a_strong_penalty(void **state)
{
	enum { N = 200, F = 50 };
	const double grid[] = { 1e-3, 1e5, 1 };
	bl_tensor *x = bl_tensor_new(2, (int64_t[]){ N, F });
	int32_t labels[N];
	bl_linear_result r;

	(void)state;
	bl_tensor_normal(x, 1, BL_STREAM_USER, 0, 1);
	for (int i = 0; i < N; i++)
		labels[i] = i / 3 % 2;
	assert_int_equal(bl_eval_linear(&(bl_linear_config){ .l2 = grid, .n_l2 = 3 }, x, labels, x, labels, 2, &r), 0);
	assert_close(r.l2, 1e5, 0);
	bl_tensor_unref(x);
}

static void threads_do_not_change_results(void **state)
{
	bl_linear_result r[3];
	double k[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		bl_threads_set(i + 1);
		memset(&r[i], 0, sizeof(r[i]));
		assert_int_equal(linear(&(bl_linear_config){ 0 }, &r[i]), 0);
		k[i] = knn(5, .07);
	}
	bl_threads_set(0);
	for (int i = 1; i < 3; i++) {
		assert_memory_equal(&r[0], &r[i], sizeof(r[0]));
		assert_true(k[0] == k[i]);
	}
}

static void stop_ends_the_probe(void **state)
{
	volatile int stop = 1;
	bl_linear_result r;

	(void)state;
	assert_int_equal(linear(&(bl_linear_config){ .stop = &stop }, &r), -1);
	assert_string_equal(bl_error(), "stopped");
}

static void senseless_arguments_are_named(void **state)
{
	const int32_t low[] = { 0, 1 }, high[] = { 0, 4 };
	bl_tensor *two = bl_tensor_full(2, (int64_t[]){ 2, 6 }, 1), *narrow = bl_tensor_full(2, (int64_t[]){ 2, 5 }, 1);
	bl_linear_result r;
	const double bad = -1;

	(void)state;
	assert_true(knn(0, 1) < 0);
	assert_error("kNN: k = 0 and temperature = 1, expected both above 0");
	assert_true(bl_eval_knn(&(bl_knn_config){ 1, 1, NULL }, data.train, data.train_labels, narrow, low, CLASSES) < 0);
	assert_error("references are (300, 6) and queries (2, 5)");
	assert_true(bl_eval_knn(&(bl_knn_config){ 1, 1, NULL }, data.train, data.train_labels, two, high, CLASSES) < 0);
	assert_error("kNN: query row 2 (counted from 1): label 4, expected 0 to 3");
	const int32_t same[] = { 0, 0 };
	assert_close(bl_eval_knn(&(bl_knn_config){ 1, 1, NULL }, two, same, two, same, 1), 1, 0);
	assert_true(bl_eval_knn(&(bl_knn_config){ 1, 1, NULL }, two, same, two, same, 0) < 0);
	assert_error("0 classes, expected at least 1");
	assert_int_equal(bl_eval_linear(&(bl_linear_config){ 0 }, two, low, narrow, low, CLASSES, &r), -1);
	assert_error("training rows are (2, 6) and test rows (2, 5)");
	assert_int_equal(bl_eval_linear(&(bl_linear_config){ 0 }, two, low, two, low, CLASSES, &r), -1);
	assert_error("linear probe: no training row can be held out to choose L2: ");
	assert_error("Give more rows, a larger held_out, or one number as l2");
	assert_int_equal(linear(&(bl_linear_config){ .held_out = 1 }, &r), -1);
	assert_error("held_out = 1");
	assert_int_equal(linear(&(bl_linear_config){ .l2 = &bad, .n_l2 = 1 }, &r), -1);
	assert_error("L2 strength -1");
	bl_tensor_data(two)[8] = NAN;
	assert_true(bl_eval_knn(&(bl_knn_config){ 1, 1, NULL }, data.train, data.train_labels, two, low, CLASSES) < 0);
	assert_error("kNN: query row 2: feature 3 is not finite (both counted from 1)");
	assert_true(bl_eval_rankme(two) < 0);
	assert_error("feature 3 of row 2 is not finite (both counted from 1)");
	bl_tensor_unref(two);
	bl_tensor_unref(narrow);
}

/* --- standardised and whitened features --- */

static double cosine(const float *a, const float *b, int64_t n)
{
	double ab = 0, aa = 0, bb = 0;

	for (int64_t i = 0; i < n; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	return ab / sqrt(aa * bb);
}

static void whitened_features_are_numpys(void **state)
{
	const double ridge = .1;
	bl_whiten_config c = { .ridges = &ridge, .n_ridges = 1 };
	bl_tensor *want = reference("whitened_cosines"), *accuracy = reference("whitened_knn"), *out[2];
	bl_whiten_result r;

	(void)state;
	assert_int_equal(bl_eval_whiten(&c, data.train, data.train_labels, data.test, CLASSES, out, &r), 0);
	assert_close(r.ridge, .1, 0);
	assert_true(isnan(r.held_out_accuracy));
	for (int q = 0; q < 200; q++)
		for (int i = 0; i < 5; i++)
			assert_close(cosine(bl_tensor_data(out[1]) + 6 * q, bl_tensor_data(out[0]) + 6 * i, 6),
			             bl_tensor_data(want)[5 * q + i], 1e-5);
	assert_close(bl_eval_knn(&(bl_knn_config){ 15, .1, NULL }, out[0], data.train_labels, out[1], data.test_labels, CLASSES),
	             bl_tensor_data(accuracy)[0], 1e-6);
	bl_tensor_unref(want);
	bl_tensor_unref(accuracy);
	bl_tensor_unref(out[0]);
	bl_tensor_unref(out[1]);
}

/*
 * The corners of a square, scaled and shifted: after standardising they are (+-1, +-1), with covariance I.  A third feature is
 * constant.
 */
static const float corners[] = { 7, 2, 4, 7, -4, 4, 3, 2, 4, 3, -4, 4 };

static void a_square_is_exact(void **state)
{
	static const float standard[] = { 1, 1, 0, 1, -1, 0, -1, 1, 0, -1, -1, 0 };
	bl_tensor *x = bl_tensor_from(2, (int64_t[]){ 4, 3 }, corners), *out[2];
	const double ridge = 3;
	bl_whiten_config c = { .ridges = &ridge, .n_ridges = 1 };
	bl_whiten_result r;

	(void)state;
	assert_int_equal(bl_eval_standardise(x, x, out), 0);
	for (int i = 0; i < 12; i++) {
		assert_close(bl_tensor_data(out[0])[i], standard[i], 1e-6);
		assert_close(bl_tensor_data(out[1])[i], standard[i], 1e-6);
	}
	bl_tensor_unref(out[0]);
	bl_tensor_unref(out[1]);
	assert_int_equal(bl_eval_whiten(&c, x, NULL, x, 1, out, &r), 0);
	/* (I + 3 I)^-1/2 halves the features, so products are a quarter of those of the standardised features. */
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) {
			const float *a = bl_tensor_data(out[0]) + 3 * i, *b = bl_tensor_data(out[1]) + 3 * j;
			const float *s = standard + 3 * i, *t = standard + 3 * j;

			assert_close(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], (s[0] * t[0] + s[1] * t[1]) / 4, 1e-6);
		}
	bl_tensor_unref(out[0]);
	bl_tensor_unref(out[1]);
	bl_tensor_unref(x);
}

enum { HIDDEN = 1000, WIDTH = 5 };

/* The class determines the small difference of two features, which share large noise; three other features are noise. */
static bl_tensor *hidden_classes(uint32_t stream, int32_t *labels)
{
	bl_tensor *x = bl_tensor_new(2, (int64_t[]){ HIDDEN, WIDTH });
	bl_rng rng;

	bl_rng_init(&rng, 3, 0, stream, BL_STREAM_USER);
	for (int i = 0; i < HIDDEN; i++) {
		float *row = bl_tensor_data(x) + WIDTH * i, sign = i % 2 ? .05f : -.05f;

		labels[i] = i % 2;
		for (int j = 1; j < WIDTH; j++)
			row[j] = bl_rng_normal(&rng);
		row[0] = row[1] + sign + .01f * bl_rng_normal(&rng);
	}
	return x;
}

static void whitening_finds_what_noise_hides(void **state)
{
	static int32_t labels[2][HIDDEN];
	const double ridges[] = { 100, 1e-4, 1e-5 };
	bl_whiten_config c = { .knn = { 5, .1 }, .ridges = ridges, .n_ridges = 3 };
	bl_tensor *refs = hidden_classes(1, labels[0]), *queries = hidden_classes(2, labels[1]), *out[2];
	bl_whiten_result r, again;
	double first = 0;

	(void)state;
	assert_true(bl_eval_knn(&c.knn, refs, labels[0], queries, labels[1], 2) < .7);
	for (int threads = 1; threads < 4; threads++) {
		double accuracy;

		bl_threads_set(threads);
		assert_int_equal(bl_eval_whiten(&c, refs, labels[0], queries, 2, out, &again), 0);
		accuracy = bl_tensor_data(out[1])[17];
		assert_true(threads == 1 || (accuracy == first && again.held_out_accuracy == r.held_out_accuracy));
		first = accuracy;
		r = again;
		assert_true(bl_eval_knn(&c.knn, out[0], labels[0], out[1], labels[1], 2) > .95);
		bl_tensor_unref(out[0]);
		bl_tensor_unref(out[1]);
	}
	bl_threads_set(0);
	assert_close(r.ridge, 1e-4, 0); /* of two ridges with the same accuracy, the first one is chosen */
	assert_true(r.held_out_accuracy > .95);
	bl_tensor_unref(refs);
	bl_tensor_unref(queries);
}

static void whitening_names_what_is_wrong(void **state)
{
	volatile int stop = 1;
	const double bad = -1;
	bl_tensor *one = bl_tensor_full(2, (int64_t[]){ 1, 6 }, 1), *narrow = bl_tensor_full(2, (int64_t[]){ 2, 5 }, 1);
	bl_tensor *out[2] = { one, one };
	const int32_t high[] = { 4 };
	bl_whiten_result r;

	(void)state;
	assert_int_equal(bl_eval_whiten(&(bl_whiten_config){ 0 }, one, high, one, CLASSES, out, &r), -1);
	assert_error("whitening: reference row 1 (counted from 1): label 4");
	assert_null(out[0]);
	assert_int_equal(bl_eval_whiten(&(bl_whiten_config){ 0 }, one, (int32_t[]){ 0 }, one, CLASSES, out, &r), -1);
	assert_error("1 reference is too few to choose a ridge on a part of them: give one number as ridge, or more references");
	assert_int_equal(bl_eval_whiten(&(bl_whiten_config){ .ridges = &bad, .n_ridges = 1 }, one, high, one, CLASSES, out, &r),
	                 -1);
	assert_error("ridge -1");
	assert_int_equal(bl_eval_whiten(&(bl_whiten_config){ .stop = &stop }, data.train, data.train_labels, data.test, CLASSES,
	                                out, &r),
	                 -1);
	assert_string_equal(bl_error(), "stopped");
	assert_int_equal(bl_eval_standardise(data.train, narrow, out), -1);
	assert_error("references are (300, 6) and queries (2, 5)");
	bl_tensor_data(one)[3] = INFINITY;
	assert_int_equal(bl_eval_standardise(data.train, one, out), -1);
	assert_error("query row 1: feature 4 is not finite (both counted from 1)");
	bl_tensor_unref(one);
	bl_tensor_unref(narrow);
}

static void spectra_are_numpys(void **state)
{
	bl_tensor *plain = reference("spectrum"), *centred = reference("spectrum_centred"), *std = reference("std");
	float out[6];

	(void)state;
	assert_close(bl_eval_rankme(data.train), number(RANKME), 1e-6);
	assert_int_equal(bl_eval_spectrum(data.train, false, out), 0);
	assert_all_close(out, bl_tensor_data(plain), 6, 1e-6);
	assert_int_equal(bl_eval_spectrum(data.train, true, out), 0);
	assert_all_close(out, bl_tensor_data(centred), 6, 1e-6);
	assert_int_equal(bl_eval_std(data.train, out), 0);
	assert_all_close(out, bl_tensor_data(std), 6, 1e-6);
	bl_tensor_unref(plain);
	bl_tensor_unref(centred);
	bl_tensor_unref(std);
}

/* The two elements share neither row nor column, so the singular values are `first`, `second` and 0. */
static bl_tensor *two_ranks(int64_t n, int64_t f, float first, float second)
{
	bl_tensor *z = bl_tensor_full(2, (int64_t[]){ n, f }, 0);

	bl_tensor_data(z)[0] = first;
	bl_tensor_data(z)[2 * f + 1] = second;
	return z;
}

static void rankme_of_known_ranks(void **state)
{
	bl_tensor *wide = two_ranks(5, 400, 3, 3), *tall = two_ranks(400, 5, 3, 1), *none = two_ranks(9, 9, 0, 0);
	float out[400];

	(void)state;
	assert_close(bl_eval_rankme(wide), 2, 1e-9);
	assert_close(bl_eval_rankme(tall), exp(-.75 * log(.75) - .25 * log(.25)), 1e-9);
	assert_close(bl_eval_rankme(none), 1, 1e-9);
	assert_int_equal(bl_eval_spectrum(wide, false, out), 0);
	assert_close(out[0], 9. / 4, 1e-6);
	assert_close(out[1], 9. / 4, 1e-6);
	for (int i = 2; i < 400; i++)
		assert_close(out[i], 0, 1e-9);
	bl_tensor_unref(wide);
	bl_tensor_unref(tall);
	bl_tensor_unref(none);
}

/* z is larger than the blocks of the Gram matrix.  The trace is the sum of the variances, whether z^T z or z z^T was used. */
static void spectrum_sums_to_the_variance(void **state)
{
	enum { N = 600, F = 300 };
	bl_tensor *z = bl_tensor_new(2, (int64_t[]){ N, F });
	float eigenvalues[F], std[F];
	double trace = 0, variance = 0, last = INFINITY;

	(void)state;
	bl_tensor_normal(z, 1, BL_STREAM_USER, 1, 2);
	assert_int_equal(bl_eval_spectrum(z, true, eigenvalues), 0);
	assert_int_equal(bl_eval_std(z, std), 0);
	for (int i = 0; i < F; i++) {
		assert_true(eigenvalues[i] <= last);
		last = eigenvalues[i];
		trace += eigenvalues[i];
		variance += (double)std[i] * std[i];
	}
	assert_close(trace, variance, 1e-6);
	bl_tensor_unref(z);
}

/* Ten 1x2x2 images; image i has the pixels i/15, (i+1)/15, (i+2)/15 and (i+3)/15. */
static bl_dataset *ten_images(void)
{
	bl_tensor *t = bl_tensor_new(4, (int64_t[]){ 10, 1, 2, 2 });
	int32_t labels[10];
	bl_dataset *d;

	for (int i = 0; i < 40; i++)
		bl_tensor_data(t)[i] = (float)(i / 4 + i % 4) / 15;
	for (int i = 0; i < 10; i++)
		labels[i] = i % 3;
	d = bl_dataset_tensor(t, labels);
	bl_tensor_unref(t);
	assert_non_null(d);
	return d;
}

static const float plain_mean[] = { 0 }, plain_std[] = { 1.f / 15 };

static void raw_pixels_are_features(void **state)
{
	bl_dataset *d = ten_images();
	bl_tensor *f = bl_eval_features(NULL, d, plain_mean, plain_std, 4, NULL);
	int32_t *labels = bl_eval_labels(d);

	(void)state;
	assert_non_null(f);
	assert_int_equal(bl_tensor_ndim(f), 2);
	assert_int_equal(bl_tensor_size(f, 0), 10);
	assert_int_equal(bl_tensor_size(f, 1), 4);
	for (int i = 0; i < 40; i++)
		assert_close(bl_tensor_data(f)[i], i / 4 + i % 4, 1e-5);
	for (int i = 0; i < 10; i++)
		assert_int_equal(labels[i], i % 3);
	free(labels);
	bl_tensor_unref(f);
	bl_dataset_unref(d);
}

static bl_module *chain(bl_module *a, bl_module *b)
{
	bl_module *s = bl_nn_sequential();

	assert_int_equal(bl_nn_append(s, NULL, a), 0);
	assert_int_equal(bl_nn_append(s, NULL, b), 0);
	bl_module_unref(a);
	bl_module_unref(b);
	return s;
}

/* In evaluation mode a norm uses only its stored statistics, so results of a row do not depend on its batch. */
static void features_are_computed_in_evaluation_mode(void **state)
{
	bl_dataset *d = ten_images();
	bl_module *norm = bl_nn_batchnorm(1, true, true, .1f, 1e-12f), *net = chain(norm, bl_nn_flatten());
	bl_tensor *four, *all;

	(void)state;
	norm = bl_module_child(net, 0);
	four = bl_eval_features(net, d, plain_mean, plain_std, 4, NULL);
	all = bl_eval_features(net, d, plain_mean, plain_std, 99, NULL);
	assert_non_null(four);
	assert_non_null(all);
	assert_memory_equal(bl_tensor_data(four), bl_tensor_data(all), 40 * sizeof(float));
	for (int i = 0; i < 40; i++)
		assert_close(bl_tensor_data(all)[i], i / 4 + i % 4, 1e-4);
	assert_false(bl_tensor_requires_grad(all));
	assert_true(bl_module_training(net));
	bl_module_train(norm, false); /* a module in evaluation mode stays in that mode */
	bl_tensor_unref(bl_eval_features(net, d, plain_mean, plain_std, 4, NULL));
	assert_true(bl_module_training(net));
	assert_false(bl_module_training(norm));
	assert_true(bl_grad_enable(true));
	bl_tensor_unref(four);
	bl_tensor_unref(all);
	bl_module_unref(net);
	bl_dataset_unref(d);
}

/* 3 x 5 pixels with values 0..14 are averaged to 2 x 2 cells, which share rows and columns, as in PyTorch's adaptive_avg_pool2d. */
static void maps_are_averaged_before_they_are_flattened(void **state)
{
	static const float want[] = { 3.5f, 5.5f, 8.5f, 10.5f };
	static const float mirrored[] = { 4.5f, 4.5f, 9.5f, 9.5f }, pixels[] = { 2, 2, 2, 2, 2, 7 };
	const float zero = 0, scale = 1.f / 255;
	bl_tensor *image = bl_tensor_new(4, (int64_t[]){ 1, 1, 3, 5 }), *f;
	bl_module *inner = chain(bl_nn_identity(), bl_nn_flatten()), *net = chain(bl_nn_identity(), inner);
	bl_dataset *d;

	(void)state;
	for (int i = 0; i < 15; i++)
		bl_tensor_data(image)[i] = (float)i / 255;
	d = bl_dataset_tensor(image, NULL);
	assert_non_null(d);
	f = bl_eval_features_by(net, d, &zero, &scale, &(bl_features_config){ .batch = 1, .pool = 2 });
	assert_non_null(f);
	assert_int_equal(bl_tensor_count(f), 4);
	for (int i = 0; i < 4; i++)
		assert_close(bl_tensor_data(f)[i], want[i], 1e-5);
	bl_tensor_unref(f);
	f = bl_eval_features_by(net, d, &zero, &scale, &(bl_features_config){ .batch = 4, .pool = 2, .flip = true });
	for (int i = 0; i < 4; i++)
		assert_close(bl_tensor_data(f)[i], mirrored[i], 1e-5);
	bl_tensor_unref(f);
	f = bl_eval_features_by(net, d, &zero, &scale, &(bl_features_config){ .batch = 4, .pool = 9 });
	assert_int_equal(bl_tensor_count(f), 15);
	bl_tensor_unref(f);
	f = bl_eval_features_by(NULL, d, &zero, &scale, &(bl_features_config){ .batch = 4, .pool = 2, .flip = true });
	assert_int_equal(bl_tensor_count(f), 15);
	for (int i = 0; i < 6; i++)
		assert_close(bl_tensor_data(f)[i], pixels[i], 1e-5);
	bl_tensor_unref(f);
	bl_tensor_unref(image);
	bl_module_unref(net);
	bl_dataset_unref(d);
}

static void features_stop_and_fail_cleanly(void **state)
{
	bl_dataset *d = ten_images();
	bl_module *net = chain(bl_nn_flatten(), bl_nn_linear(5, 2, true));
	volatile int stop = 1;

	(void)state;
	assert_null(bl_eval_features(NULL, d, plain_mean, plain_std, 4, &stop));
	assert_string_equal(bl_error(), "stopped");
	assert_null(bl_eval_features(net, d, plain_mean, plain_std, 4, NULL));
	assert_error("(4, 4)");
	assert_true(bl_module_training(net));
	assert_null(bl_eval_features(NULL, d, plain_mean, plain_std, 0, NULL));
	assert_error("batch = 0");
	bl_module_unref(net);
	bl_dataset_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knn_is_numpys),
		cmocka_unit_test(temperature_weighs_the_votes),
		cmocka_unit_test(low_temperatures_do_not_overflow),
		cmocka_unit_test(equal_neighbours_rank_by_their_order),
		cmocka_unit_test(results_do_not_depend_on_blocks),
		cmocka_unit_test(linear_reaches_the_optimum),
		cmocka_unit_test(l2_comes_from_the_grid),
		cmocka_unit_test(random_labels_need_a_strong_penalty),
		cmocka_unit_test(threads_do_not_change_results),
		cmocka_unit_test(stop_ends_the_probe),
		cmocka_unit_test(senseless_arguments_are_named),
		cmocka_unit_test(whitened_features_are_numpys),
		cmocka_unit_test(a_square_is_exact),
		cmocka_unit_test(whitening_finds_what_noise_hides),
		cmocka_unit_test(whitening_names_what_is_wrong),
		cmocka_unit_test(spectra_are_numpys),
		cmocka_unit_test(rankme_of_known_ranks),
		cmocka_unit_test(spectrum_sums_to_the_variance),
		cmocka_unit_test(raw_pixels_are_features),
		cmocka_unit_test(features_are_computed_in_evaluation_mode),
		cmocka_unit_test(maps_are_averaged_before_they_are_flattened),
		cmocka_unit_test(features_stop_and_fail_cleanly),
	};
	return cmocka_run_group_tests_name("eval", tests, load, unload);
}
