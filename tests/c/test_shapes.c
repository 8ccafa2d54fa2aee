/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_shapes.c: the generated set: its images and factors; only the shape distinguishes the classes. */
#include "support.h"

#include "data/figures.h"

#include <barlow/data.h>
#include <barlow/error.h>
#include <barlow/parallel.h>

#include <math.h>
#include <string.h>

enum { SIZE = 32, CLASSES = 10 };

static bl_dataset *shapes(int64_t n, int channels, uint64_t seed)
{
	const bl_shapes_config c = { .n = n, .size = SIZE, .channels = channels, .seed = seed };
	bl_dataset *d = bl_dataset_shapes(&c);
	if (!d)
		fail_msg("%s", bl_error());
	return d;
}

static const uint8_t *pixels(const bl_dataset *d, int64_t i)
{
	bl_image im;
	assert_int_equal(bl_dataset_image(d, i, &im), 0);
	return im.pixels;
}

/* Image i depends only on (seed, i), neither on the number of images nor on threads. */
static void images_depend_on_seed_and_number_alone(void **state)
{
	enum { BYTES = SIZE * SIZE * 3 };
	(void)state;
	bl_dataset *few = shapes(70, 3, 5), *many, *other = shapes(70, 3, 6);
	assert_int_equal(bl_threads_set(3), 0);
	many = shapes(300, 3, 5);
	bl_threads_set(0);
	for (int64_t i = 0; i < 70; i++) {
		assert_memory_equal(pixels(few, i), pixels(many, i), BYTES);
		assert_memory_not_equal(pixels(few, i), pixels(other, i), BYTES);
		assert_memory_not_equal(pixels(many, i), pixels(many, i + 70), BYTES);
	}
	bl_dataset_unref(few);
	bl_dataset_unref(many);
	bl_dataset_unref(other);
}

static int factor_number(const bl_dataset *d, const char *name)
{
	const char *const *names = bl_dataset_factor_names(d);
	for (int k = 0; names[k]; k++)
		if (strcmp(names[k], name) == 0)
			return k;
	fail_msg("no factor %s", name);
	return -1;
}

static void factors_are_known(void **state)
{
	static const char *const names[] = { "x", "y", "size", "hue", "rotation", "class" };
	bl_dataset *d = shapes(1000, 1, 3);
	int count[CLASSES] = { 0 };
	(void)state;
	assert_int_equal(bl_dataset_classes(d), CLASSES);
	assert_string_equal(bl_dataset_class_name(d, 0), "disc");
	for (int k = 0; k < 6; k++)
		assert_int_equal(factor_number(d, names[k]), k);
	for (int64_t i = 0; i < 1000; i++) {
		assert_int_equal((int)bl_dataset_factor(d, i, 5), bl_dataset_label(d, i));
		count[bl_dataset_label(d, i)]++;
		for (int k = 0; k < 5; k++)
			assert_true(bl_dataset_factor(d, i, k) >= 0 && bl_dataset_factor(d, i, k) <= 1);
	}
	for (int k = 0; k < CLASSES; k++)
		assert_in_range(count[k], 60, 140);
	bl_dataset_unref(d);
}

/* The factors give the position of the shape: the pixels there differ from the background. */
static void the_shape_is_at_the_position_of_its_factors(void **state)
{
	bl_dataset *d = shapes(400, 1, 8);
	int tested = 0;
	(void)state;
	for (int64_t i = 0; i < 400; i++) {
		if (bl_dataset_label(d, i) > 1) /* only discs and squares, which cover their centre and its surroundings */
			continue;
		const uint8_t *p = pixels(d, i);
		float x = bl_dataset_factor(d, i, 0) * SIZE, y = bl_dataset_factor(d, i, 1) * SIZE;
		float size = bl_dataset_factor(d, i, 2) * SIZE;
		double inside = 0, outside = 0;
		int n_in = 0, n_out = 0;
		for (int k = 0; k < SIZE * SIZE; k++) {
			float r = hypotf((float)(k % SIZE) + 0.5f - x, (float)(k / SIZE) + 0.5f - y) / size;
			if (r < 0.5f) {
				inside += p[k];
				n_in++;
			} else if (r > 1.1f) {
				outside += p[k];
				n_out++;
			}
		}
		assert_true(fabs(inside / n_in - outside / n_out) > 0.1 * 255);
		tested++;
	}
	assert_true(tested > 40);
	bl_dataset_unref(d);
}

/*
 * The mean colour of an image does not reveal its class: classification by the nearest class mean is hardly better than chance (1
 * in 10).
 */
static void colour_does_not_reveal_the_class(void **state)
{
	enum { N = 2000 };
	bl_dataset *d = shapes(N, 3, 21);
	static double mean[N][3], of_class[CLASSES][3];
	int count[CLASSES] = { 0 }, right = 0;
	(void)state;
	for (int64_t i = 0; i < N; i++) {
		const uint8_t *p = pixels(d, i);
		memset(mean[i], 0, sizeof mean[i]);
		for (int k = 0; k < SIZE * SIZE * 3; k++)
			mean[i][k % 3] += p[k];
	}
	memset(of_class, 0, sizeof of_class);
	for (int64_t i = 0; i < N / 2; i++) {
		int c = bl_dataset_label(d, i);
		count[c]++;
		for (int k = 0; k < 3; k++)
			of_class[c][k] += mean[i][k];
	}
	for (int64_t i = N / 2; i < N; i++) {
		int best = 0;
		double least = INFINITY;
		for (int c = 0; c < CLASSES; c++) {
			double far = 0;
			for (int k = 0; k < 3; k++)
				far += pow(mean[i][k] - of_class[c][k] / count[c], 2);
			if (far < least) {
				least = far;
				best = c;
			}
		}
		right += best == bl_dataset_label(d, i);
	}
	assert_in_range(right, 60, 150);
	bl_dataset_unref(d);
}

/* All shapes fit into the unit circle, cover a sufficient part of it, and differ from each other. */
static void the_ten_shapes_differ(void **state)
{
	enum { GRID = 60 };
	static bool covered[CLASSES][GRID * GRID];
	(void)state;
	for (int f = 0; f < CLASSES; f++) {
		int area = 0;
		for (int k = 0; k < GRID * GRID; k++) {
			float x = ((float)(k % GRID) + 0.5f) / GRID * 2.4f - 1.2f;
			float y = ((float)(k / GRID) + 0.5f) / GRID * 2.4f - 1.2f;
			covered[f][k] = bl_figure_distance(f, x, y) < 0;
			area += covered[f][k];
			assert_false(covered[f][k] && hypotf(x, y) > 1.06f);
		}
		assert_in_range(area, GRID * GRID / 10, GRID * GRID * 45 / 100);
	}
	for (int f = 0; f < CLASSES; f++)
		for (int g = 0; g < f; g++) {
			int both = 0, either = 0;
			for (int k = 0; k < GRID * GRID; k++) {
				both += covered[f][k] && covered[g][k];
				either += covered[f][k] || covered[g][k];
			}
			assert_true(both < 0.9 * either);
		}
}

static void sizes_that_make_no_sense_are_named(void **state)
{
	(void)state;
	assert_null(bl_dataset_shapes(&(bl_shapes_config){ .n = 10, .size = 4, .channels = 3 }));
	assert_error("shapes: size = 4, expected 8 to 1024 pixels");
	assert_null(bl_dataset_shapes(&(bl_shapes_config){ .n = 0, .size = 32, .channels = 3 }));
	assert_error("shapes: n = 0, expected 1 to");
	assert_null(bl_dataset_shapes(&(bl_shapes_config){ .n = 10, .size = 32, .channels = 2 }));
	assert_error("shapes: images of 2 channels, expected 1 or 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_depend_on_seed_and_number_alone),
		cmocka_unit_test(factors_are_known),
		cmocka_unit_test(the_shape_is_at_the_position_of_its_factors),
		cmocka_unit_test(colour_does_not_reveal_the_class),
		cmocka_unit_test(the_ten_shapes_differ),
		cmocka_unit_test(sizes_that_make_no_sense_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
