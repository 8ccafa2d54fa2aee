/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_augment.c: image operators against torchvision and PIL, and pipelines of them. */
#include "support.h"

#include "augment/operator.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/random.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PIL goes back to bytes after each step, by rounding or by cutting off, and we do not: up to a grey level a step. */
#define BYTE_TOLERANCE (1.5 / 255)
/* Against torchvision on float tensors nothing is rounded. */
#define FLOAT_TOLERANCE 2e-4

enum { HEIGHT = 37, WIDTH = 41, MOST = 64 * 64 * 3 };

static bl_tensor *reference(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "tests/reference/augment/%s.npy", name);
	bl_tensor *t = bl_npy_load(support_source(path));
	if (!t)
		fail_msg("%s", bl_error());
	return t;
}

/* The input as bytes; `grey`: its first channel alone. */
static bl_image input(bool grey)
{
	static uint8_t pixels[2][HEIGHT * WIDTH * 3];
	bl_tensor *t = reference("input");
	int channels = grey ? 1 : 3;
	assert_int_equal(bl_tensor_count(t), HEIGHT * WIDTH * 3);
	for (int i = 0; i < HEIGHT * WIDTH; i++)
		for (int c = 0; c < channels; c++)
			pixels[grey][i * channels + c] = (uint8_t)bl_tensor_data(t)[3 * i + c];
	bl_tensor_unref(t);
	return (bl_image){ .pixels = pixels[grey], .height = HEIGHT, .width = WIDTH, .channels = channels };
}

/* One operator with what it would have drawn; `loaded`: from planes, not from bytes. */
static void apply(const operator *op, const bl_aug *a, const draw *d, bool grey, bool loaded, float *out)
{
	const float one[] = { 1, 1, 1 }, zero[] = { 0, 0, 0 };
	static float planes[2][3 * (MOST)];
	bl_image in = input(grey);
	canvas c;
	bl_canvas_open(&c, &in);
	c.data = planes[0];
	c.spare = planes[1];
	if (loaded)
		bl_canvas_load(&c);
	assert_int_equal(op->apply(a, d, &c), 0);
	bl_canvas_load(&c);
	bl_canvas_store(&c, one, zero, out);
}

/* The largest difference from a reference of bytes or of floats. */
static double difference(const float *out, const char *name, double unit)
{
	double most = 0;
	bl_tensor *t = reference(name);
	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		most = fmax(most, fabs(out[i] - bl_tensor_data(t)[i] * unit));
	bl_tensor_unref(t);
	return most;
}

static void check_bytes(const float *out, const char *name, int steps)
{
	double d = difference(out, name, 1.0 / 255);
	if (!(d <= steps * BYTE_TOLERANCE))
		fail_msg("%s: differs by %.2f of 255", name, d * 255);
}

static void check_floats(const float *out, const char *name)
{
	double d = difference(out, name, 1);
	if (!(d <= FLOAT_TOLERANCE))
		fail_msg("%s: differs by %g", name, d);
}

/* Both the picture in colour and its first channel as a grey picture. */
static void check_both(const operator *op, const bl_aug *a, const draw *d, const char *name)
{
	static float out[MOST];
	for (int grey = 0; grey < 2; grey++)
		for (int loaded = 0; loaded < 2; loaded++) {
			char file[64];
			snprintf(file, sizeof file, "%s_%s", grey ? "grey" : "colour", name);
			apply(op, a, d, grey, loaded, out);
			check_bytes(out, file, 1);
		}
}

static void crops_agree_with_pil(void **state)
{
	static const struct {
		const char *name;
		struct box box;
		int size;
		bool mirror;
	} cases[] = {
		{ "same", { 3, 5, 29, 31 }, 30, false },
		{ "down", { 1, 2, 34, 39 }, 11, false },
		{ "up", { 6, 10, 7, 9 }, 32, false },
		{ "mirror", { 6, 4, 20, 25 }, 16, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bl_aug a = { .kind = BL_AUG_CROP, .size = cases[i].size };
		draw d = { .fires = true, .box = cases[i].box, .mirror = cases[i].mirror };
		check_both(&bl_op_crop, &a, &d, cases[i].name);
	}
}

enum { BRIGHTNESS, CONTRAST, SATURATION, HUE };

/* A draw of one part of jitter alone, with an operator that has that part only. */
static draw one_part(int part, float factor, bl_aug *a)
{
	draw d = { .fires = true, .jitter = { .order = { part, (part + 1) % 4, (part + 2) % 4, (part + 3) % 4 } } };
	float *const strength[] = { &a->brightness, &a->contrast, &a->saturation, &a->hue };
	*a = (bl_aug){ .kind = BL_AUG_JITTER };
	*strength[part] = 0.4f;
	d.jitter.factor[part] = factor;
	return d;
}

static void jitter_agrees_with_pil(void **state)
{
	static const struct {
		const char *name;
		int part;
		float factor;
	} cases[] = {
		{ "dark", BRIGHTNESS, 0.65f }, { "bright", BRIGHTNESS, 1.4f },
		{ "flat", CONTRAST, 0.6f }, { "steep", CONTRAST, 1.4f },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bl_aug a;
		draw d = one_part(cases[i].part, cases[i].factor, &a);
		check_both(&bl_op_jitter, &a, &d, cases[i].name);
	}
}

static void saturation_agrees_with_pil(void **state)
{
	static float out[MOST];
	bl_aug a;
	(void)state;
	draw d = one_part(SATURATION, 0.3f, &a);
	apply(&bl_op_jitter, &a, &d, false, false, out);
	check_bytes(out, "pale", 1);
	d = one_part(SATURATION, 1.2f, &a);
	apply(&bl_op_jitter, &a, &d, false, false, out);
	check_bytes(out, "vivid", 1);
}

/* PIL's hue is a byte, which moves a saturated colour by up to 6 levels of its 256: close on average is what can be. */
static void hue_agrees_with_torchvision(void **state)
{
	static float out[MOST];
	bl_aug a;
	double sum = 0;
	(void)state;
	draw d = one_part(HUE, -0.37f, &a);
	apply(&bl_op_jitter, &a, &d, false, false, out);
	check_floats(out, "hue_back");
	d = one_part(HUE, 0.1f, &a);
	apply(&bl_op_jitter, &a, &d, false, false, out);
	check_floats(out, "hue_forward");
	assert_true(difference(out, "hue_pil", 1.0 / 255) < 12.0 / 255);
	bl_tensor *t = reference("hue_pil");
	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		sum += fabs(out[i] - bl_tensor_data(t)[i] / 255);
	assert_true(sum / (double)bl_tensor_count(t) < 1.5 / 255);
	bl_tensor_unref(t);
}

static void jitter_works_in_the_order_drawn(void **state)
{
	static float out[MOST];
	bl_aug a = { .kind = BL_AUG_JITTER, .brightness = 0.4f, .contrast = 0.4f, .saturation = 0.2f };
	draw d = { .fires = true, .jitter = { .order = { SATURATION, HUE, BRIGHTNESS, CONTRAST },
					      .factor = { 0.8f, 1.3f, 1.15f, 0 } } };
	(void)state;
	apply(&bl_op_jitter, &a, &d, false, false, out);
	check_bytes(out, "jitter", 3);
	d.jitter.order[2] = CONTRAST;
	d.jitter.order[3] = BRIGHTNESS;
	apply(&bl_op_jitter, &a, &d, false, false, out);
	assert_true(difference(out, "jitter", 1.0 / 255) > 3 * BYTE_TOLERANCE);
}

static void one_channel_has_no_saturation_and_no_hue(void **state)
{
	static float out[MOST], plain[MOST];
	bl_aug a = bl_aug_default(BL_AUG_JITTER);
	draw d = { .fires = true, .jitter = { .order = { SATURATION, HUE, BRIGHTNESS, CONTRAST },
					      .factor = { 1, 1, 0.5f, 0.3f } } };
	(void)state;
	apply(&bl_op_jitter, &a, &d, true, false, out);
	bl_image in = input(true);
	for (int i = 0; i < HEIGHT * WIDTH; i++)
		plain[i] = in.pixels[i] / 255.0f;
	assert_all_close(out, plain, HEIGHT * WIDTH, 1e-6);
}

static void grayscale_agrees_with_pil(void **state)
{
	static float out[MOST];
	const draw d = { .fires = true };
	bl_tensor *t = reference("grayscale");
	(void)state;
	apply(&bl_op_grayscale, &bl_op_grayscale.defaults, &d, false, false, out);
	for (int i = 0; i < HEIGHT * WIDTH; i++)
		for (int c = 0; c < 3; c++)
			assert_true(fabs(out[3 * i + c] - bl_tensor_data(t)[i] / 255) <= BYTE_TOLERANCE);
	bl_tensor_unref(t);
}

static void blur_agrees_with_torchvision(void **state)
{
	static float out[MOST];
	static const float sigmas[] = { 0.4f, 1, 2 };
	(void)state;
	for (int i = 0; i < 3; i++) {
		char name[32];
		draw d = { .fires = true, .sigma = sigmas[i] };
		snprintf(name, sizeof name, "blur_%g", sigmas[i]);
		apply(&bl_op_blur, &bl_op_blur.defaults, &d, false, false, out);
		check_floats(out, name);
	}
}

static void solarize_and_affine_agree_with_pil(void **state)
{
	const draw d = { .fires = true };
	const draw turn = { .fires = true, .affine = { 13 * 3.14159265f / 180, 3, -2, 0.9f } };
	(void)state;
	check_both(&bl_op_solarize, &bl_op_solarize.defaults, &d, "solarize");
	check_both(&bl_op_affine, &bl_op_affine.defaults, &turn, "affine");
}

/* --- drawing --- */

static void drawn_boxes_fit_and_cover_the_range(void **state)
{
	bl_aug a = bl_aug_default(BL_AUG_CROP);
	double least = 1, most = 0, sum = 0, tops = 0, lefts = 0;
	enum { TURNS = 4000 };
	(void)state;
	for (uint32_t i = 0; i < TURNS; i++) {
		bl_rng r;
		draw d;
		bl_rng_init(&r, 5, 0, i, 0);
		bl_op_crop.draw(&a, &r, 60, 80, &d);
		assert_true(d.box.top >= 0 && d.box.left >= 0 && d.box.height > 0 && d.box.width > 0);
		assert_true(d.box.top + d.box.height <= 60 && d.box.left + d.box.width <= 80);
		double area = d.box.height * (double)d.box.width / 4800;
		double ratio = d.box.width / (double)d.box.height;
		assert_true(ratio > 0.7 && ratio < 1.45);
		least = fmin(least, area);
		most = fmax(most, area);
		sum += area;
		tops += d.box.top;
		lefts += d.box.left;
	}
	assert_true(least > 0.07 && least < 0.1 && most > 0.9);
	/* The means of 20,000 boxes by torchvision's RandomResizedCrop.get_params. */
	assert_true(fabs(sum / TURNS - 0.4354) < 0.015);
	assert_true(fabs(tops / TURNS - 8.25) < 0.6);
	assert_true(fabs(lefts / TURNS - 17.44) < 0.8);
}

/* No box of ratio 1 and full area fits in 10 x 40: the largest centred one is taken. */
static void box_that_cannot_fit_is_centred(void **state)
{
	bl_aug a = { .kind = BL_AUG_CROP, .size = 8, .scale = { 1, 1 }, .ratio = { 1, 1 } };
	bl_rng r;
	draw d;
	(void)state;
	bl_rng_init(&r, 1, 0, 0, 0);
	bl_op_crop.draw(&a, &r, 10, 40, &d);
	assert_int_equal(d.box.top, 0);
	assert_int_equal(d.box.left, 15);
	assert_int_equal(d.box.height, 10);
	assert_int_equal(d.box.width, 10);
}

static void jitter_draws_every_order_within_its_range(void **state)
{
	bl_aug a = bl_aug_default(BL_AUG_JITTER);
	int first[4] = { 0 };
	(void)state;
	for (uint32_t i = 0; i < 400; i++) {
		bl_rng r;
		draw d;
		bl_rng_init(&r, 9, 0, i, 1);
		bl_op_jitter.draw(&a, &r, 8, 8, &d);
		first[d.jitter.order[0]]++;
		assert_true(d.jitter.factor[BRIGHTNESS] >= 0.6f && d.jitter.factor[BRIGHTNESS] <= 1.4f);
		assert_true(d.jitter.factor[SATURATION] >= 0.8f && d.jitter.factor[SATURATION] <= 1.2f);
		assert_true(d.jitter.factor[HUE] >= -0.1f && d.jitter.factor[HUE] <= 0.1f);
	}
	for (int k = 0; k < 4; k++)
		assert_in_range(first[k], 60, 140);
}

/* --- pipelines --- */

static bl_pipeline *paper(int size)
{
	bl_aug ops[] = {
		bl_aug_default(BL_AUG_CROP), bl_aug_default(BL_AUG_FLIP), bl_aug_default(BL_AUG_JITTER),
		bl_aug_default(BL_AUG_GRAYSCALE), bl_aug_default(BL_AUG_BLUR), bl_aug_default(BL_AUG_SOLARIZE),
		bl_aug_default(BL_AUG_NORMALIZE),
	};
	ops[0].size = size;
	bl_pipeline *p = bl_pipeline_new(ops, 7);
	assert_non_null(p);
	return p;
}

static void same_stream_makes_the_same_view(void **state)
{
	static float a[MOST], b[MOST];
	bl_pipeline *p = paper(24);
	bl_image in = input(false);
	bl_rng r;
	int h, w;
	(void)state;
	bl_pipeline_output(p, in.height, in.width, &h, &w);
	assert_int_equal(h, 24);
	assert_int_equal(w, 24);
	bl_rng_init(&r, 3, 1, 2, 0);
	assert_int_equal(bl_pipeline_apply(p, &in, &r, a), 0);
	bl_rng_init(&r, 3, 1, 2, 0);
	assert_int_equal(bl_pipeline_apply(p, &in, &r, b), 0);
	assert_memory_equal(a, b, 24 * 24 * 3 * sizeof *a);
	bl_rng_init(&r, 3, 1, 2, 1);
	assert_int_equal(bl_pipeline_apply(p, &in, &r, b), 0);
	assert_memory_not_equal(a, b, 24 * 24 * 3 * sizeof *a);
	bl_pipeline_unref(p);
}

/* Folded into the crop, alone on bytes, twice, normalised at the end or on the way: the pixels say the same. */
static void folding_changes_no_pixel(void **state)
{
	static float folded[MOST], apart[MOST];
	bl_aug ops[] = { bl_aug_default(BL_AUG_RESIZE), bl_aug_default(BL_AUG_FLIP), bl_aug_default(BL_AUG_NORMALIZE) };
	bl_aug turned[] = { ops[0], ops[2], ops[1] };
	bl_image in = input(false);
	bl_rng r;
	(void)state;
	ops[0].size = turned[0].size = 20;
	ops[1].p = turned[2].p = 1;
	bl_pipeline *p = bl_pipeline_new(ops, 3), *q = bl_pipeline_new(turned, 3);
	bl_rng_init(&r, 1, 0, 0, 0);
	assert_int_equal(bl_pipeline_apply(p, &in, &r, folded), 0);
	assert_int_equal(bl_pipeline_apply(q, &in, &r, apart), 0);
	assert_all_close(folded, apart, 20 * 20 * 3, 1e-5);
	bl_pipeline_unref(p);
	bl_pipeline_unref(q);
}

static void empty_pipeline_gives_the_image(void **state)
{
	static float out[MOST];
	bl_pipeline *p = bl_pipeline_new(NULL, 0);
	bl_image in = input(false);
	bl_rng r;
	(void)state;
	bl_rng_init(&r, 1, 0, 0, 0);
	assert_int_equal(bl_pipeline_apply(p, &in, &r, out), 0);
	for (int i = 0; i < HEIGHT * WIDTH * 3; i++)
		assert_close(out[i], in.pixels[i] / 255.0, 1e-6);
	bl_pipeline_unref(p);
}

/* Every operator on every small size, one and three channels: in range, and nothing out of bounds (sanitizers). */
static void small_images_are_fine(void **state)
{
	static uint8_t pixels[20 * 20 * 3];
	float *out = malloc(33 * 33 * 3 * sizeof *out);
	(void)state;
	memset(pixels, 200, sizeof pixels);
	for (int kind = BL_AUG_CROP; kind <= BL_AUG_CUTOUT; kind++)
		for (int side = 1; side <= 20; side += side < 6 ? 1 : 7)
			for (int channels = 1; channels <= 3; channels += 2) {
				bl_aug a = bl_aug_default((bl_aug_kind)kind);
				const uint8_t *last = pixels + sizeof pixels - (size_t)(side * side * channels);
				bl_image in = { .pixels = last, .height = side, .width = side, .channels = channels };
				int h, w;
				bl_rng r;
				a.p = 1;
				a.size = 33;
				bl_pipeline *p = bl_pipeline_new(&a, 1);
				assert_non_null(p);
				bl_pipeline_output(p, side, side, &h, &w);
				bl_rng_init(&r, 2, 0, (uint32_t)side, 0);
				assert_int_equal(bl_pipeline_apply(p, &in, &r, out), 0);
				for (int i = 0; i < h * w * channels; i++)
					assert_true(kind == BL_AUG_NORMALIZE || (out[i] >= 0 && out[i] <= 1.00001f));
				bl_pipeline_unref(p);
			}
	free(out);
}

static void noise_and_cutout_do_what_they_say(void **state)
{
	static uint8_t pixels[40 * 40];
	static float out[40 * 40];
	bl_image in = { .pixels = pixels, .height = 40, .width = 40, .channels = 1 };
	bl_aug a = bl_aug_default(BL_AUG_NOISE);
	double sum = 0, squares = 0;
	bl_rng r;
	(void)state;
	memset(pixels, 128, sizeof pixels);
	a.p = 1;
	bl_pipeline *p = bl_pipeline_new(&a, 1);
	bl_rng_init(&r, 4, 0, 0, 0);
	assert_int_equal(bl_pipeline_apply(p, &in, &r, out), 0);
	for (int i = 0; i < 1600; i++) {
		sum += out[i] - 128.0 / 255;
		squares += pow(out[i] - 128.0 / 255, 2);
	}
	assert_true(fabs(sum / 1600) < 0.005);
	assert_true(fabs(sqrt(squares / 1600) - 0.05) < 0.005);
	bl_pipeline_unref(p);

	a = bl_aug_default(BL_AUG_CUTOUT);
	a.p = 1;
	a.hole = 0.5f;
	p = bl_pipeline_new(&a, 1);
	int largest = 0;
	for (uint32_t i = 0; i < 50; i++) {
		int holes = 0;
		bl_rng_init(&r, 4, 0, i, 0);
		assert_int_equal(bl_pipeline_apply(p, &in, &r, out), 0);
		for (int k = 0; k < 1600; k++)
			holes += out[k] == 0;
		assert_in_range(holes, 100, 400);
		largest = holes > largest ? holes : largest;
	}
	assert_int_equal(largest, 400);
	bl_pipeline_unref(p);
}

static void steady_state_takes_no_memory(void **state)
{
	static float out[MOST];
	bl_pipeline *p = paper(32);
	bl_image in = input(false);
	bl_memory_stats before, after;
	bl_rng r;
	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		bl_rng_init(&r, 1, 0, i, 0);
		assert_int_equal(bl_pipeline_apply(p, &in, &r, out), 0);
		if (i == 99)
			bl_memory(&before);
	}
	bl_memory(&after);
	assert_int_equal(before.system_calls, after.system_calls);
	bl_pipeline_unref(p);
}

/* --- words --- */

static void fields_that_make_no_sense_are_named(void **state)
{
	bl_aug ops[3] = {
		bl_aug_default(BL_AUG_CROP), bl_aug_default(BL_AUG_NORMALIZE), bl_aug_default(BL_AUG_JITTER),
	};
	(void)state;
	assert_null(bl_pipeline_new(ops, 3));
	assert_error("operator 3 (jitter) works on values from 0 to 1, so it must come before operator 2 (normalize)");
	ops[0].scale[0] = 0.9f;
	ops[0].scale[1] = 0.2f;
	assert_null(bl_pipeline_new(ops, 1));
	assert_error("operator 1 (crop): scale = {0.9, 0.2}, expected the smaller number first");
	ops[2].hue = 0.7f;
	assert_null(bl_pipeline_new(ops + 2, 1));
	assert_error("operator 1 (jitter): hue = 0.7, expected 0 to 0.5");
	ops[2] = bl_aug_default(BL_AUG_FLIP);
	ops[2].p = NAN;
	assert_null(bl_pipeline_new(ops + 2, 1));
	assert_error("operator 1 (flip): p = nan, expected 0 to 1");
	ops[0] = bl_aug_default(BL_AUG_CROP);
	ops[0].size = 0;
	assert_null(bl_pipeline_new(ops, 1));
	assert_error("operator 1 (crop): size = 0, expected 1 to 16384");
	ops[0].kind = (bl_aug_kind)99;
	assert_null(bl_pipeline_new(ops, 1));
	assert_error("operator 1 is of kind 99");
}

static void images_that_make_no_sense_are_refused(void **state)
{
	uint8_t pixels[8] = { 0 };
	float out[8];
	bl_aug a = bl_aug_default(BL_AUG_NORMALIZE);
	bl_image two = { .pixels = pixels, .height = 2, .width = 2, .channels = 2 };
	bl_image none = { .pixels = pixels, .height = 0, .width = 2, .channels = 1 };
	bl_image rgb = { .pixels = pixels, .height = 1, .width = 2, .channels = 3 };
	bl_rng r;
	(void)state;
	bl_rng_init(&r, 1, 0, 0, 0);
	a.stddev[2] = 0;
	bl_pipeline *p = bl_pipeline_new(&a, 1);
	assert_non_null(p);
	assert_int_equal(bl_pipeline_apply(p, &two, &r, out), -1);
	assert_error("an image of 2 channels, expected 1 or 3");
	assert_int_equal(bl_pipeline_apply(p, &none, &r, out), -1);
	assert_error("an image of 0 x 2 pixels");
	assert_int_equal(bl_pipeline_apply(p, &rgb, &r, out), -1);
	assert_error("normalize: std of channel 3 is 0, expected more than 0");
	bl_pipeline_unref(p);
}

static void operators_are_written_as_lua(void **state)
{
	bl_aug a = bl_aug_default(BL_AUG_CROP);
	char buf[256];
	(void)state;
	a.size = 28;
	assert_string_equal(bl_aug_text(&a, buf, sizeof buf),
			    "crop{size = 28, scale = {0.08, 1}, ratio = {0.75, 1.3333334}}");
	a = bl_aug_default(BL_AUG_NORMALIZE);
	assert_string_equal(bl_aug_text(&a, buf, sizeof buf),
			    "normalize{mean = {0.485, 0.456, 0.406}, std = {0.229, 0.224, 0.225}}");
	a = bl_aug_default(BL_AUG_FLIP);
	assert_string_equal(bl_aug_text(&a, buf, sizeof buf), "flip{p = 0.5}");
	assert_string_equal(bl_aug_text(&a, buf, 6), "flip{");
}

/* --- In words ---------------------------------------------------------------------------- */

static void words_are_what_is_drawn(void **state)
{
	(void)state;
	enum { SIDE = 16 };
	static uint8_t white[SIDE * SIDE];
	static float out[SIDE * SIDE];
	bl_aug ops[] = { bl_aug_default(BL_AUG_RESIZE), bl_aug_default(BL_AUG_CUTOUT) };
	ops[0].size = SIDE;
	bl_pipeline *p = bl_pipeline_new(ops, 2);
	bl_image in = { .pixels = white, .height = SIDE, .width = SIDE, .channels = 1 };
	int holes = 0;
	memset(white, 255, sizeof white);
	for (uint32_t i = 0; i < 40; i++) {
		bl_rng r;
		char text[100];
		int left = 0, top = 0, width = 0, height = 0, bad = 0;
		bl_rng_init(&r, 5, 0, i, 0);
		bl_pipeline_describe(p, &in, r, text, sizeof text);
		assert_int_equal(bl_pipeline_apply(p, &in, &r, out), 0);
		holes += text[0] != 0;
		if (text[0])
			assert_int_equal(sscanf(text, "cutout %d,%d %dx%d", &left, &top, &width, &height), 4);
		for (int y = 0; y < SIDE; y++)
			for (int x = 0; x < SIDE; x++)
				bad += (out[y * SIDE + x] < .5f) !=
				       (x >= left && x < left + width && y >= top && y < top + height);
		assert_int_equal(bad, 0);
	}
	assert_in_range(holes, 10, 30);
	bl_pipeline_unref(p);
}

static void say(bl_aug_kind kind, draw d, int channels, const char *want)
{
	char text[100];
	bl_aug a = bl_aug_default(kind);
	assert_int_equal(bl_draw_text(&a, &d, channels, text, sizeof text), strlen(want));
	assert_string_equal(text, want);
}

static void every_operator_has_words(void **state)
{
	(void)state;
	draw jitter = { .jitter = { { 3, 1, 0, 2 }, { 1.25f, .5f, 1.125f, -.0625f } } };
	say(BL_AUG_CROP, (draw){ .box = { .top = 4, .left = 3, .height = 22, .width = 20 } }, 3, "crop 3,4 20x22");
	say(BL_AUG_FLIP, (draw){ 0 }, 1, "flip");
	say(BL_AUG_JITTER, jitter, 3, "hue -0.06, contrast 0.50, brightness 1.25, saturation 1.12");
	say(BL_AUG_JITTER, jitter, 1, "contrast 0.50, brightness 1.25");
	say(BL_AUG_GRAYSCALE, (draw){ 0 }, 3, "grayscale");
	say(BL_AUG_BLUR, (draw){ .sigma = 1.5f }, 3, "blur 1.50");
	say(BL_AUG_SOLARIZE, (draw){ 0 }, 3, "solarize 0.50");
	say(BL_AUG_AFFINE, (draw){ .affine = { 3.14159265f / 4, 2, -1, .75f } }, 3, "rotate 45.0, shift 2,-1, scale 0.75");
	say(BL_AUG_NOISE, (draw){ 0 }, 3, "noise 0.05");
	say(BL_AUG_RESIZE, (draw){ 0 }, 3, "");
	say(BL_AUG_NORMALIZE, (draw){ 0 }, 3, "");
}

/* However long the pipeline and small the buffer, a whole string. */
static void words_are_cut_to_the_buffer(void **state)
{
	(void)state;
	bl_aug ops[40];
	char text[BL_SHAPE_TEXT], edge[9];
	bl_image in = input(false);
	bl_rng r;
	for (int i = 0; i < 40; i++) {
		ops[i] = bl_aug_default(BL_AUG_JITTER);
		ops[i].p = 1;
	}
	bl_pipeline *p = bl_pipeline_new(ops, 40);
	bl_rng_init(&r, 5, 0, 0, 0);
	bl_pipeline_describe(p, &in, r, text, sizeof text);
	assert_int_equal(strlen(text), sizeof text - 1);
	bl_pipeline_describe(p, &in, r, edge, sizeof edge);
	assert_memory_equal(edge, text, sizeof edge - 1);
	bl_pipeline_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crops_agree_with_pil),
		cmocka_unit_test(jitter_agrees_with_pil),
		cmocka_unit_test(saturation_agrees_with_pil),
		cmocka_unit_test(hue_agrees_with_torchvision),
		cmocka_unit_test(jitter_works_in_the_order_drawn),
		cmocka_unit_test(one_channel_has_no_saturation_and_no_hue),
		cmocka_unit_test(grayscale_agrees_with_pil),
		cmocka_unit_test(blur_agrees_with_torchvision),
		cmocka_unit_test(solarize_and_affine_agree_with_pil),
		cmocka_unit_test(drawn_boxes_fit_and_cover_the_range),
		cmocka_unit_test(box_that_cannot_fit_is_centred),
		cmocka_unit_test(jitter_draws_every_order_within_its_range),
		cmocka_unit_test(same_stream_makes_the_same_view),
		cmocka_unit_test(folding_changes_no_pixel),
		cmocka_unit_test(empty_pipeline_gives_the_image),
		cmocka_unit_test(small_images_are_fine),
		cmocka_unit_test(noise_and_cutout_do_what_they_say),
		cmocka_unit_test(steady_state_takes_no_memory),
		cmocka_unit_test(fields_that_make_no_sense_are_named),
		cmocka_unit_test(images_that_make_no_sense_are_refused),
		cmocka_unit_test(operators_are_written_as_lua),
		cmocka_unit_test(words_are_what_is_drawn),
		cmocka_unit_test(every_operator_has_words),
		cmocka_unit_test(words_are_cut_to_the_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
