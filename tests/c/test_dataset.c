/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_dataset.c: sets from tensors, subsets, statistics, batches. */
#include "support.h"

#include <barlow/data.h>
#include <barlow/error.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 200, CLASSES = 4, H = 2, W = 3 };

/* All pixels of image i have grey level i.  Its label is class_of(i); classes have 1/8, 1/8, 1/4 and 1/2 of the images. */
static int class_of(int i)
{
	static const int of[8] = { 0, 1, 2, 2, 3, 3, 3, 3 };
	return of[i % 8];
}

static bl_dataset *counted(bool labels)
{
	bl_tensor *t = bl_tensor_new(4, (int64_t[]){ N, 1, H, W });
	int32_t label[N];
	for (int i = 0; i < N; i++) {
		label[i] = class_of(i);
		for (int k = 0; k < H * W; k++)
			bl_tensor_data(t)[i * H * W + k] = (float)i / 255;
	}
	bl_dataset *d = bl_dataset_tensor(t, labels ? label : NULL);
	bl_tensor_unref(t);
	if (!d)
		fail_msg("%s", bl_error());
	return d;
}

static int level(const bl_dataset *d, int64_t i)
{
	bl_image im;
	assert_int_equal(bl_dataset_image(d, i, &im), 0);
	return im.pixels[H * W - 1];
}

static void tensors_become_sets(void **state)
{
	bl_tensor *t = bl_tensor_new(4, (int64_t[]){ 1, 3, 1, 2 });
	bl_image im;
	(void)state;
	for (int i = 0; i < 6; i++)
		bl_tensor_data(t)[i] = (float)i / 5;
	bl_dataset *d = bl_dataset_tensor(t, NULL);
	assert_non_null(d);
	assert_int_equal(bl_dataset_image(d, 0, &im), 0);
	assert_memory_equal(im.pixels, ((uint8_t[]){ 0, 102, 204, 51, 153, 255 }), 6);
	assert_int_equal(bl_dataset_classes(d), 0);
	bl_dataset_unref(d);
	bl_tensor_unref(t);
}

enum { CHANNELS = 5, IMAGES = 40 };

/* A set of five channels with values that do not fit into bytes, which are also stored in `t`. */
static bl_dataset *fractions(bl_tensor **t)
{
	*t = bl_tensor_new(4, (int64_t[]){ IMAGES, CHANNELS, H, W });
	for (int i = 0; i < IMAGES * CHANNELS * H * W; i++)
		bl_tensor_data(*t)[i] = (float)(i % 97) / 97 * (i / (H * W) % CHANNELS == 2 ? .1f : 1);
	bl_dataset *d = bl_dataset_tensor(*t, NULL);
	if (!d)
		fail_msg("%s", bl_error());
	return d;
}

static void values_between_bytes_are_kept(void **state)
{
	bl_tensor *t;
	bl_dataset *d = fractions(&t);
	bl_image im;
	(void)state;
	assert_int_equal(bl_dataset_channels(d), CHANNELS);
	for (int i = 0; i < IMAGES; i++) {
		assert_int_equal(bl_dataset_image(d, i, &im), 0);
		assert_int_equal(im.type, BL_PIXEL_FLOAT32);
		for (int c = 0; c < CHANNELS; c++)
			for (int k = 0; k < H * W; k++)
				assert_true(im.values[k * CHANNELS + c] == bl_tensor_data(t)[(i * CHANNELS + c) * H * W + k]);
	}
	bl_dataset_unref(d);
	bl_tensor_unref(t);
}

/* Tests mean, deviation and normalised images of floats; a subset has the type of its parent. */
static void images_of_floats_are_measured_and_batched(void **state)
{
	float mean[CHANNELS], std[CHANNELS];
	int64_t rows[IMAGES];
	bl_tensor *t;
	bl_dataset *d = fractions(&t);
	(void)state;
	for (int i = 0; i < IMAGES; i++)
		rows[i] = i;
	bl_dataset *part = bl_dataset_select(d, rows, IMAGES);
	assert_int_equal(bl_dataset_statistics(part, mean, std), 0);
	bl_tensor *b = bl_dataset_batch(part, rows, IMAGES, mean, std);
	assert_non_null(b);
	for (int c = 0; c < CHANNELS; c++) {
		double sum = 0, squares = 0, n = IMAGES * H * W;
		for (int i = 0; i < IMAGES; i++)
			for (int k = 0; k < H * W; k++) {
				double v = bl_tensor_data(t)[(i * CHANNELS + c) * H * W + k];
				double x = bl_tensor_data(b)[(i * H * W + k) * CHANNELS + c];
				sum += v;
				squares += v * v;
				assert_close(x, (v - mean[c]) / std[c], 1e-5);
			}
		assert_close(mean[c], sum / n, 1e-6);
		assert_close(std[c], sqrt(squares / n - sum / n * sum / n), 1e-6);
	}
	bl_tensor_unref(b);
	bl_tensor_unref(t);
	bl_dataset_unref(part);
	bl_dataset_unref(d);
}

/* Views of five channels of floats are the same at any number of threads. */
static void images_of_floats_are_loaded(void **state)
{
	enum { BATCH = 8, SIZE = 5 };
	bl_tensor *t, *one, *more;
	bl_dataset *d = fractions(&t);
	bl_pipeline *p = bl_pipeline_parse(
		"crop{size = 5}, flip, jitter{saturation = 0, hue = 0}, noise, cutout, normalize{mean = 0.5, std = 0.2}");
	bl_loader_config c = { .data = d, .views = { p }, .n_views = 1, .batch = BATCH, .seed = 3, .threads = 1 };
	(void)state;
	assert_non_null(p);
	bl_loader *a = bl_loader_new(&c), *b = (c.threads = 3, bl_loader_new(&c));
	for (int i = 0; i < 10; i++) {
		assert_int_equal(bl_loader_next(a, &one, NULL), 0);
		assert_int_equal(bl_loader_next(b, &more, NULL), 0);
		assert_int_equal(bl_tensor_size(one, 1), CHANNELS);
		assert_memory_equal(bl_tensor_data(one), bl_tensor_data(more), BATCH * SIZE * SIZE * CHANNELS * sizeof(float));
		bl_tensor_unref(one);
		bl_tensor_unref(more);
	}
	bl_loader_free(a);
	bl_loader_free(b);
	bl_pipeline_unref(p);
	bl_tensor_unref(t);
	bl_dataset_unref(d);
}

static void tensors_that_are_no_images_are_refused(void **state)
{
	bl_tensor *flat = bl_tensor_full(2, (int64_t[]){ 3, 4 }, 0);
	bl_tensor *many = bl_tensor_full(4, (int64_t[]){ 3, 65, 4, 4 }, 0);
	bl_tensor *large = bl_tensor_full(4, (int64_t[]){ 2, 1, 2, 2 }, 0);
	(void)state;
	assert_null(bl_dataset_tensor(flat, NULL));
	assert_error("shape (3, 4), expected (N, C, H, W)");
	assert_null(bl_dataset_tensor(many, NULL));
	assert_error("shape (3, 65, 4, 4), expected (N, 1 to 64, H, W)");
	bl_tensor_data(large)[6] = 1.5f;
	assert_null(bl_dataset_tensor(large, NULL));
	assert_error("element (1, 0, 1, 0) (counted from 0) is 1.5, expected 0 to 1");
	bl_tensor_data(large)[6] = NAN;
	assert_null(bl_dataset_tensor(large, NULL));
	assert_error("is nan");
	bl_tensor_data(large)[6] = 0;
	assert_null(bl_dataset_tensor(large, (int32_t[]){ 0, -2 }));
	assert_error("label 1 is -2, expected 0 or more");
	bl_tensor_unref(flat);
	bl_tensor_unref(many);
	bl_tensor_unref(large);
}

/* A subset of a subset has the right images, also after the sets from which it was made are released. */
static void parts_of_parts(void **state)
{
	bl_dataset *d = counted(true);
	(void)state;
	bl_dataset *part = bl_dataset_select(d, (int64_t[]){ 7, 7, 199, 20 }, 4);
	bl_dataset_unref(d);
	bl_dataset *again = bl_dataset_select(part, (int64_t[]){ 3, 2 }, 2);
	bl_dataset_unref(part);
	assert_int_equal(bl_dataset_length(again), 2);
	assert_int_equal(level(again, 0), 20);
	assert_int_equal(level(again, 1), 199);
	assert_int_equal(bl_dataset_label(again, 0), class_of(20));
	assert_int_equal(bl_dataset_label(again, 1), class_of(199));
	assert_int_equal(bl_dataset_classes(again), CLASSES);
	assert_string_equal(bl_dataset_name(again), "tensor, 2 of 200");
	bl_dataset_unref(again);
}

static void rows_out_of_the_set_are_named(void **state)
{
	bl_dataset *d = counted(true);
	bl_image im;
	(void)state;
	assert_null(bl_dataset_select(d, (int64_t[]){ 0, 200 }, 2));
	assert_error("tensor: row 200 (counted from 0) of a set of 200");
	assert_null(bl_dataset_select(d, NULL, 0));
	assert_error("selecting 0 rows, expected at least 1");
	assert_int_equal(bl_dataset_image(d, -1, &im), -1);
	assert_error("row -1");
	assert_null(bl_dataset_batch(d, (int64_t[]){ 1, 2000 }, 2, NULL, NULL));
	assert_error("row 2000");
	assert_int_equal(bl_dataset_label(d, 200), -1);
	bl_dataset_unref(d);
}

static void count_classes(const bl_dataset *d, int count[CLASSES], bool seen[N])
{
	memset(count, 0, CLASSES * sizeof *count);
	for (int64_t i = 0; i < bl_dataset_length(d); i++) {
		count[bl_dataset_label(d, i)]++;
		assert_false(seen[level(d, i)]);
		seen[level(d, i)] = true;
	}
}

static void splits_keep_the_proportions(void **state)
{
	bl_dataset *d = counted(true), *a, *b, *c, *e;
	int count[CLASSES];
	bool seen[N] = { false };
	(void)state;
	assert_int_equal(bl_dataset_split(d, 0.2, 11, &a, &b), 0);
	count_classes(a, count, seen);
	assert_memory_equal(count, ((int[]){ 5, 5, 10, 20 }), sizeof count);
	count_classes(b, count, seen);
	assert_memory_equal(count, ((int[]){ 20, 20, 40, 80 }), sizeof count);
	assert_int_equal(bl_dataset_split(d, 0.2, 11, &c, &e), 0);
	for (int64_t i = 0; i < bl_dataset_length(a); i++)
		assert_int_equal(level(a, i), level(c, i));
	bl_dataset_unref(c);
	bl_dataset_unref(e);
	assert_int_equal(bl_dataset_split(d, 0.2, 12, &c, &e), 0);
	int same = 0;
	for (int64_t i = 0; i < bl_dataset_length(a); i++)
		same += level(a, i) == level(c, i);
	assert_true(same < 20);
	bl_dataset *all[] = { a, b, c, e, d };
	for (int i = 0; i < 5; i++)
		bl_dataset_unref(all[i]);
}

/* A share is rounded to the nearest integer: .29 of 100 is 29, though .29 * 100 is slightly less in binary. */
static void shares_are_rounded(void **state)
{
	bl_tensor *t = bl_tensor_full(4, (int64_t[]){ 100, 1, 1, 1 }, 0);
	bl_dataset *d = bl_dataset_tensor(t, NULL), *a, *b;
	(void)state;
	assert_int_equal(bl_dataset_split(d, 0.29, 1, &a, &b), 0);
	assert_int_equal(bl_dataset_length(a), 29);
	assert_int_equal(bl_dataset_length(b), 71);
	bl_dataset_unref(a);
	bl_dataset_unref(b);
	bl_dataset_unref(d);
	bl_tensor_unref(t);
}

static void splits_without_labels(void **state)
{
	bl_dataset *d = counted(false), *a, *b;
	(void)state;
	assert_int_equal(bl_dataset_split(d, 0.25, 1, &a, &b), 0);
	assert_int_equal(bl_dataset_length(a), 50);
	assert_int_equal(bl_dataset_length(b), 150);
	bl_dataset_unref(a);
	bl_dataset_unref(b);
	assert_int_equal(bl_dataset_split(d, 1.5, 1, &a, &b), -1);
	assert_error("split at a fraction of 1.5, expected more than 0 and less than 1");
	assert_int_equal(bl_dataset_split(d, 0.001, 1, &a, &b), -1);
	assert_error("a fraction of 0.001 leaves one part empty: 0 and 200 images");
	bl_dataset_unref(d);
}

static void statistics_are_of_the_part(void **state)
{
	bl_dataset *d = counted(true);
	float mean, std;
	(void)state;
	bl_dataset_statistics(d, &mean, &std);
	assert_close(mean, 99.5 / 255, 1e-6);
	assert_close(std, sqrt((N * (double)N - 1) / 12) / 255, 1e-6);
	bl_dataset *part = bl_dataset_select(d, (int64_t[]){ 10, 30 }, 2);
	bl_dataset_statistics(part, &mean, &std);
	assert_close(mean, 20.0 / 255, 1e-6);
	assert_close(std, 10.0 / 255, 1e-6);
	bl_dataset_unref(part);
	part = bl_dataset_select(d, (int64_t[]){ 10 }, 1);
	bl_dataset_statistics(part, &mean, &std);
	assert_close(std, 0.5 / 255, 1e-7); /* the deviation is never 0 */
	bl_dataset_unref(part);
	bl_dataset_unref(d);
}

static void batches_are_normalised(void **state)
{
	bl_dataset *d = counted(true);
	const float mean = 0.25f, std = 0.5f, none = 0;
	(void)state;
	bl_tensor *t = bl_dataset_batch(d, (int64_t[]){ 51, 0 }, 2, &mean, &std);
	assert_non_null(t);
	assert_int_equal(bl_tensor_ndim(t), 4);
	assert_true(bl_tensor_is_channels_last(t));
	assert_memory_equal(bl_tensor_shape(t), ((int64_t[]){ 2, 1, H, W }), 4 * sizeof(int64_t));
	assert_close(bl_tensor_data(t)[0], (0.2 - 0.25) / 0.5, 1e-6);
	assert_close(bl_tensor_data(t)[H * W], -0.5, 1e-6);
	bl_tensor_unref(t);
	t = bl_dataset_batch(d, (int64_t[]){ 51 }, 1, NULL, NULL);
	assert_close(bl_tensor_data(t)[0], 0.2, 1e-6);
	bl_tensor_unref(t);
	assert_null(bl_dataset_batch(d, (int64_t[]){ 51 }, 1, &mean, &none));
	assert_error("standard deviation 0 of channel 1, expected more than 0");
	bl_dataset_unref(d);
}

static void sets_are_made_of_texts(void **state)
{
	(void)state;
	bl_dataset *d = bl_dataset_of("shapes", (const char *[]){ "n", "5", "size", "9", NULL });
	assert_non_null(d);
	assert_int_equal(bl_dataset_length(d), 5);
	assert_int_equal(bl_dataset_width(d), 9);
	assert_int_equal(bl_dataset_channels(d), 3);
	bl_dataset_unref(d);
	static const struct {
		const char *kind, *settings[5], *message;
	} refused[] = {
		{ "shape", { NULL }, "no kind of data set 'shape' (did you mean 'shapes'?)" },
		{ "shapes", { "sise", "9" }, "shapes: there is no setting 'sise' (did you mean 'size'?)" },
		{ "shapes", { "size", "wide" }, "got 'wide'" },
		{ "idx", { NULL }, "idx: 'images' is missing" },
		{ "folder", { "path", "/nonexistent", "labels", "perhaps" }, "'labels' must be " },
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_null(bl_dataset_of(refused[i].kind, refused[i].settings));
		assert_error(refused[i].message);
	}
}

static void settings_of_every_kind_fit(void **state)
{
	const bl_data_kind *k;
	(void)state;
	for (int i = 0; (k = bl_data_kind_at(i)) != NULL; i++) {
		for (const bl_field *f = k->fields; f->name; f++)
			assert_true(f->offset + sizeof(double) <= BL_DATA_ROOM * sizeof(double));
		for (int j = 0; j < 2 && k->paths[j]; j++)
			assert_int_equal(bl_field_find(k->fields, k->paths[j])->kind, BL_FIELD_TEXT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensors_become_sets),
		cmocka_unit_test(values_between_bytes_are_kept),
		cmocka_unit_test(images_of_floats_are_measured_and_batched),
		cmocka_unit_test(images_of_floats_are_loaded),
		cmocka_unit_test(tensors_that_are_no_images_are_refused),
		cmocka_unit_test(parts_of_parts),
		cmocka_unit_test(rows_out_of_the_set_are_named),
		cmocka_unit_test(splits_keep_the_proportions),
		cmocka_unit_test(shares_are_rounded),
		cmocka_unit_test(splits_without_labels),
		cmocka_unit_test(statistics_are_of_the_part),
		cmocka_unit_test(batches_are_normalised),
		cmocka_unit_test(sets_are_made_of_texts),
		cmocka_unit_test(settings_of_every_kind_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
