/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_choice.c: the algorithm of a convolution: priorities, tables of choices, and tuning. */
#include "support.h"

#include "tensor/conv/conv.h"

#include <barlow/error.h>
#include <barlow/nn.h>

#include <stdio.h>
#include <string.h>

/* Winograd is faster for the first shape, slower for the second, and does not support the third. */
static const char *const pays = "64x32x32-64:3x3s1p1", *const fits = "64x1x1-64:3x3s1p1", *const cannot = "64x8x8-64:3x3s2p1";

static bl_choice choice(const char *shape, const char *by)
{
	bl_choice c;
	assert_int_equal(bl_conv_key_parse(shape, &c.key), 0);
	assert_int_equal(bl_choice_parse(by, &c), 0);
	return c;
}

static bl_choices *table(const char *shape, const char *by)
{
	bl_choices *t = bl_choices_new();
	bl_choice c = choice(shape, by);
	assert_int_equal(bl_choices_set(t, &c), 0);
	return t;
}

static void expect(const char *shape, bl_conv_algorithm asked, const char *by)
{
	char text[BL_CHOICE_TEXT];
	bl_choice c = choice(shape, "auto");
	bl_conv g = bl_conv_of_key(&c.key, 5);
	assert_int_equal(bl_conv_choose(&g, asked), 0);
	memcpy(c.by, g.by, sizeof c.by);
	assert_string_equal(bl_choice_text(&c, text), by);
}

static void order(void **state)
{
	(void)state;
	bl_conv_force(BL_CONV_AUTO);
	expect(pays, BL_CONV_AUTO, "winograd");
	expect(fits, BL_CONV_AUTO, "gather");
	expect(cannot, BL_CONV_AUTO, "gather");
	expect("64x32x32-64:3x3s1p2d2", BL_CONV_WINOGRAD, "gather"); /* Winograd needs adjacent taps */
	bl_choices_publish(table(fits, "winograd auto gather"));
	expect(fits, BL_CONV_AUTO, "winograd gather gather");
	bl_choices *run = table(fits, "gather winograd auto");
	bl_choices_use(run);
	expect(fits, BL_CONV_AUTO, "gather winograd gather");
	expect(pays, BL_CONV_AUTO, "winograd");
	expect(fits, BL_CONV_WINOGRAD, "winograd");
	expect(cannot, BL_CONV_WINOGRAD, "gather");
	bl_conv_force(BL_CONV_GATHER);
	expect(fits, BL_CONV_WINOGRAD, "gather");
	expect(pays, BL_CONV_AUTO, "gather");
	bl_conv_force(BL_CONV_AUTO);
	assert_ptr_equal(bl_choices_use(NULL), run);
	bl_choices_publish(NULL);
	expect(fits, BL_CONV_AUTO, "gather");
	bl_choices_free(run);
}

static void recording(void **state)
{
	(void)state;
	bl_choices *t = table(fits, "winograd");
	bl_choices_record(t);
	expect(pays, BL_CONV_AUTO, "winograd");
	expect(cannot, BL_CONV_GATHER, "gather"); /* the layer's own choice */
	expect(fits, BL_CONV_AUTO, "gather");     /* the recorded choice does not change */
	bl_choices_record(NULL);
	expect(cannot, BL_CONV_AUTO, "gather");
	assert_int_equal(bl_choices_count(t), 2);
	assert_int_equal(bl_choices_at(t, 0)->by[0], BL_CONV_WINOGRAD);
	bl_choice wanted = choice(pays, "winograd");
	assert_ptr_equal(bl_choices_find(t, &wanted.key), bl_choices_at(t, 1));
	assert_memory_equal(bl_choices_at(t, 1)->by, wanted.by, sizeof wanted.by);
	wanted = choice(cannot, "gather");
	assert_null(bl_choices_find(t, &wanted.key));
	bl_choices_renew(t);
	assert_int_equal(bl_choices_at(t, 0)->by[0], BL_CONV_GATHER);
	bl_choices_free(t);
}

static void growing(void **state)
{
	bl_choices *t = bl_choices_new();
	bl_choice c = choice(pays, "gather");
	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 1; i <= 100; i++) {
			c.key.h = i;
			c.by[1] = round ? BL_CONV_WINOGRAD : BL_CONV_GATHER;
			assert_int_equal(bl_choices_set(t, &c), 0);
		}
	assert_int_equal(bl_choices_count(t), 100);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(bl_choices_at(t, i)->key.h, i + 1);
		assert_int_equal(bl_choices_at(t, i)->by[1], BL_CONV_WINOGRAD);
	}
	bl_choices_free(t);
}

static void texts(void **state)
{
	static const char *const shapes[] = { "3x224x224-64:7x7s2p3", "64x8x8-64:3x3s1p1g64", "1x999999999x1-1:1x1s1p0",
		                              "64x32x32-64:3x3s1p2d2", "32x9x7-16:1x5s1p4g4d3" };
	static const char *const bad[] = { "",
		                           "3",
		                           "3x2x2-1:1x1s1p0 ",
		                           " 3x2x2-1:1x1s1p0",
		                           "+3x2x2-1:1x1s1p0",
		                           "03x2x2-1:1x1s1p0",
		                           "3x2x2-1:1x1s1p0g1",
		                           "3x2x2-2:1x1s1p0g2",
		                           "3x2x2-1:3x3s1p0",
		                           "3x2x2-1:1x1s0p0",
		                           "3x2x2-0:1x1s1p0",
		                           "-3x2x2-1:1x1s1p0",
		                           "9999999999x2x2-1:1x1s1p0",
		                           "64x32x32-64:3x3s1p2d1",
		                           "64x32x32-64:3x3s1p2d0",
		                           "64x32x32-64:3x3s1p2d2g4",
		                           "64x4x4-64:3x3s1p0d2" };
	char text[BL_CONV_KEY_TEXT];
	bl_conv_key k;
	bl_choice c;
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		assert_int_equal(bl_conv_key_parse(shapes[i], &k), 0);
		assert_string_equal(bl_conv_key_text(&k, text), shapes[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (bl_conv_key_parse(bad[i], &k) == 0)
			fail_msg("'%s' is taken for a shape", bad[i]);
	assert_int_equal(bl_choice_parse("gather winograd", &c), -1);
	assert_int_equal(bl_choice_parse("", &c), -1);
	assert_int_equal(bl_choice_parse("gather winograd fft", &c), -1);
	assert_error("there is no convolution algorithm 'fft' here: expected one of auto, gather, winograd");
}

/* A layer runs with its own algorithm: results of Winograd differ in the last digits. */
static void layers(void **state)
{
	bl_module *m = bl_nn_sequential(), *c = bl_nn_conv2d(16, 16, 3, (bl_conv_shape){ 1, 1, 1, 1 }, false);
	bl_tensor *x = bl_tensor_new_image(2, 16, 8, 8), *y[3];
	static const bl_conv_algorithm asked[3] = { BL_CONV_GATHER, BL_CONV_WINOGRAD, BL_CONV_AUTO };
	(void)state;
	bl_nn_append(m, NULL, c);
	for (int i = 0; i < 2 * 16 * 64; i++)
		bl_tensor_data(x)[i] = (float)(i % 17) / 8 - 1;
	for (int i = 0; i < 3; i++) {
		bl_nn_convolve(m, asked[i]);
		y[i] = bl_module_forward(m, x);
		assert_non_null(y[i]);
	}
	size_t bytes = 2 * 16 * 64 * sizeof(float);
	assert_memory_not_equal(bl_tensor_data(y[0]), bl_tensor_data(y[1]), bytes);
	assert_memory_equal(bl_tensor_data(y[1]), bl_tensor_data(y[2]), bytes);
	for (int i = 0; i < 3; i++)
		bl_tensor_unref(y[i]);
	bl_tensor_unref(x);
	bl_module_unref(c);
	bl_module_unref(m);
}

/* Every algorithm that supports the shape is timed, even if one is forced, and the fastest is one of them. */
static void tuning(void **state)
{
	bl_tuning r;
	bl_choice c = choice("16x8x8-16:3x3s1p1", "auto");
	(void)state;
	bl_conv_force(BL_CONV_GATHER);
	assert_int_equal(bl_conv_tune(&c.key, 3, &r), 0);
	bl_conv_force(BL_CONV_AUTO);
	assert_memory_equal(&r.best.key, &c.key, sizeof c.key);
	for (int d = 0; d < BL_CONV_DIRECTIONS; d++) {
		for (int a = 1; bl_conv_algorithms()[a]; a++)
			assert_true(r.ms[d][a] > 0);
		assert_true(r.ms[d][r.best.by[d]] > 0);
	}
	c = choice(cannot, "auto");
	assert_int_equal(bl_conv_tune(&c.key, 1, &r), 0);
	assert_true(r.ms[0][BL_CONV_WINOGRAD] == 0 && r.ms[0][BL_CONV_GATHER] > 0);
}

/* An algorithm that is only slightly faster than the rule's does not replace it. */
static void the_fastest(void **state)
{
	(void)state;
	bl_choice c = choice("64x32x32-64:3x3s1p1", "auto");
	bl_conv g = bl_conv_of_key(&c.key, 1);
	bl_conv_algorithm rule = bl_conv_rule(&g), other = rule == BL_CONV_GATHER ? BL_CONV_WINOGRAD : BL_CONV_GATHER;
	double ms[BL_CONV_ALGORITHMS] = { 0 };
	ms[rule] = 10;
	assert_int_equal(bl_conv_fastest(&g, ms), rule); /* a time of 0 means none */
	ms[other] = 9.8;
	assert_int_equal(bl_conv_fastest(&g, ms), rule);
	ms[other] = 9.6;
	assert_int_equal(bl_conv_fastest(&g, ms), other);
	ms[other] = 20;
	assert_int_equal(bl_conv_fastest(&g, ms), rule);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),  cmocka_unit_test(recording), cmocka_unit_test(growing),     cmocka_unit_test(texts),
		cmocka_unit_test(layers), cmocka_unit_test(tuning),    cmocka_unit_test(the_fastest),
	};
	return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
