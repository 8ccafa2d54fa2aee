/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_pil.c: operators with backend = "pil" give the bytes of torchvision on PIL images; some values of warps differ by one level.
 */
#include "support.h"

#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/warp.h"
#include "augment/window.h"

#include <barlow/error.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 20000, ODD = 4 }; /* numbers of values */

/* Copies of the structs of draws that the operators' files declare. */
struct crop_draws {
	int top, left, height, width;
	bool mirrored;
};
struct jitter_draws {
	int order[4];
	float factor[4];
};
struct turn_draws {
	float angle, x, y;
};
struct affine_draws {
	float angle, dx, dy, scale;
};
struct corner_draws {
	int x[4], y[4];
};
struct trivial_draws {
	int operation, bin;
	bool negative;
};
enum { BRIGHTNESS, CONTRAST, SATURATION, HUE };

static bl_tensor *reference(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "tests/reference/%s%s.npy", strchr(name, '/') ? "" : "pil/", name);
	bl_tensor *t = bl_npy_load(support_source(path));
	if (!t)
		fail_msg("%s", bl_error());
	return t;
}

/* An image of bytes from a file; with `grey` only its first channel. */
static bl_image image_of(const char *name, bool grey, uint8_t *pixels)
{
	bl_tensor *t = reference(name);
	int channels = grey ? 1 : 3, height = (int)bl_tensor_size(t, 0), width = (int)bl_tensor_size(t, 1);
	assert_true(bl_tensor_count(t) <= MOST);
	for (int i = 0; i < height * width; i++)
		for (int k = 0; k < channels; k++)
			pixels[i * channels + k] = (uint8_t)bl_tensor_data(t)[3 * i + k];
	bl_tensor_unref(t);
	return (bl_image){ .pixels = pixels, .height = height, .width = width, .channels = channels };
}

/*
 * Asserts that every value is a whole level, and that all values equal the file's, except at most `odd`, which differ by one level.
 */
static void check_but(const float *out, const char *name, int64_t odd)
{
	bl_tensor *t = reference(name);
	double worst = 0;
	int64_t others = 0;
	for (int64_t i = 0; i < bl_tensor_count(t); i++) {
		double off = fabs((double)out[i] * 255 - (double)bl_tensor_data(t)[i]);
		others += off >= 1e-3;
		worst = fmax(worst, off);
		assert_true(fabs((double)out[i] * 255 - rint((double)out[i] * 255)) < 1e-3);
	}
	print_message("# %s: %.4f levels, %d of %d values differ\n", name, worst, (int)others, (int)bl_tensor_count(t));
	bl_tensor_unref(t);
	if (!(worst < 1 + 1e-3) || others > odd)
		fail_msg("%s differs by %.2f levels, in %d values", name, worst, (int)others);
}

static void check_same(const float *out, const char *name)
{
	check_but(out, name, 0);
}

/* Applies a pipeline whose operators have these draws, in this order. */
static void apply(const char *text, const void *const *draws, const size_t *sizes, const bl_image *in, float *out)
{
	bl_pipeline *p = bl_pipeline_parse(text);
	if (!p)
		fail_msg("%s", bl_error());
	bl_plan plan;
	size_t at = 0;
	bl_pipeline_plan(p, &(bl_view_key){ .seed = 1 }, in->height, in->width, in->channels, &plan);
	for (int i = 0; i < bl_pipeline_length(p); i++) {
		if (sizes[i])
			memcpy(plan.draws + at, draws[i], sizes[i]);
		at += (bl_pipeline_op(p, i)->op->draws + 15) / 16 * 16;
	}
	if (bl_pipeline_apply(p, &plan, in, out) < 0)
		fail_msg("%s", bl_error());
	bl_pipeline_unref(p);
}

static void apply_one(const char *text, const void *draws, size_t size, const bl_image *in, float *out)
{
	apply(text, &draws, &size, in, out);
}

/* Tests an operator on images of bytes and of floats, in colour and grey. */
static void check_all_but(const char *text, const void *draws, size_t size, const char *name, int64_t odd)
{
	static uint8_t pixels[MOST];
	static float values[MOST], out[MOST];
	for (int grey = 0; grey < 2; grey++) {
		char file[64];
		bl_image in = image_of("augment/input", grey, pixels);
		snprintf(file, sizeof file, "%s_%s", grey ? "grey" : "colour", name);
		apply_one(text, draws, size, &in, out);
		check_but(out, file, odd);
		for (int i = 0; i < in.height * in.width * in.channels; i++)
			values[i] = (float)pixels[i] / 255;
		in.type = BL_PIXEL_FLOAT32;
		in.values = values;
		apply_one(text, draws, size, &in, out);
		check_but(out, file, odd);
	}
}

static void check_all(const char *text, const void *draws, size_t size, const char *name)
{
	check_all_but(text, draws, size, name, 0);
}

static void crops(void **state)
{
	static const struct {
		const char *name;
		int size;
		struct crop_draws draws;
	} cases[] = {
		{ "same", 30, { 3, 5, 29, 31, false } },
		{ "down", 11, { 1, 2, 34, 39, false } },
		{ "up", 32, { 6, 10, 7, 9, false } },
		{ "mirror", 16, { 6, 4, 20, 25, true } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[64];
		snprintf(text, sizeof text, "crop{size = %d, backend = \"pil\"}", cases[i].size);
		check_all(text, &cases[i].draws, sizeof cases[i].draws, cases[i].name);
	}
	check_all("resize{size = 19, backend = \"pil\"}", NULL, 0, "whole");
}

static void tones(void **state)
{
	static const char *const names[] = { "brightness", "contrast" };
	(void)state;
	for (int part = BRIGHTNESS; part <= CONTRAST; part++)
		for (int strong = 0; strong < 2; strong++) {
			struct jitter_draws d = { { part, HUE, SATURATION, !part }, { 1, 1, 1, 0 } };
			char name[32], text[128];
			d.factor[part] = strong ? 1.4f : .65f;
			snprintf(name, sizeof name, "%s_%g", names[part], strong ? 1.4 : .65);
			snprintf(text, sizeof text,
			         "jitter{brightness = %d, contrast = %d, saturation = 0, hue = 0, p = 1, backend = \"pil\"}",
			         part == BRIGHTNESS, part == CONTRAST);
			check_all(text, &d, sizeof d, name);
		}
	check_all("solarize{p = 1, backend = \"pil\"}", NULL, 0, "solarize");
}

/* Values are truncated, so the last bit of a position may change a level; on another machine a few values may differ. */
static void warps(void **state)
{
	const struct turn_draws turn = { 25, 0, 0 }, lean = { 0, 12, -7 };
	const struct affine_draws affine = { 13 * 3.14159265f / 180, 3, -2, .9f };
	(void)state;
	check_all_but("rotate{p = 1, backend = \"pil\"}", &turn, sizeof turn, "rotate", ODD);
	check_all_but("shear{p = 1, backend = \"pil\"}", &lean, sizeof lean, "shear", ODD);
	check_all_but("affine{p = 1, backend = \"pil\"}", &affine, sizeof affine, "affine", ODD);
	bl_tensor *t = reference("augment/input");
	int h = (int)bl_tensor_size(t, 0), w = (int)bl_tensor_size(t, 1);
	const struct corner_draws corners = { { 5, w - 8, w - 2, 3 }, { 2, 9, h - 4, h - 11 } };
	check_all_but("perspective{p = 1, backend = \"pil\"}", &corners, sizeof corners, "perspective", ODD);
	bl_tensor_unref(t);
}

static void details(void **state)
{
	(void)state;
	check_all("sharpness{factor = 2, p = 1, backend = \"pil\"}", NULL, 0, "sharpness_2");
	check_all("sharpness{factor = 0.3, p = 1, backend = \"pil\"}", NULL, 0, "sharpness_0.3");
}

/* Uses an image that does not have all levels. */
static void autocontrast(void **state)
{
	static uint8_t pixels[MOST];
	static float out[MOST];
	const struct jitter_draws d = { { CONTRAST, BRIGHTNESS, SATURATION, HUE }, { 1, .65f, 1, 0 } };
	(void)state;
	for (int grey = 0; grey < 2; grey++) {
		bl_image in = image_of("augment/input", grey, pixels);
		apply("jitter{brightness = 0, contrast = 1, saturation = 0, hue = 0, p = 1, backend = \"pil\"}, "
		      "autocontrast{p = 1, backend = \"pil\"}",
		      (const void *const[]){ &d, NULL }, (const size_t[]){ sizeof d, 0 }, &in, out);
		check_same(out, grey ? "grey_autocontrast" : "colour_autocontrast");
	}
}

/* The displacements are drawn when the operator is applied, so its functions are tested with fixed displacements. */
static void elastic(void **state)
{
	static uint8_t pixels[MOST];
	static float planes[2][MOST], dx[MOST], dy[MOST], out[MOST];
	const float one[] = { 1, 1, 1 }, zero[] = { 0, 0, 0 };
	(void)state;
	bl_image in = image_of("augment/input", false, pixels);
	float_image c;
	bl_float_image_open(&c, &in);
	c.data = planes[0];
	c.spare = planes[1];
	bl_float_image_load(&c);
	for (int i = 0; i < in.height * in.width; i++) {
		dx[i] = 3 * sinf((float)(i / in.width) / 5);
		dy[i] = 2.5f * cosf((float)(i % in.width) / 4);
	}
	bl_warp_by(&c, dx, dy);
	bl_pil_round(&c);
	bl_float_image_store(&c, one, zero, out);
	check_but(out, "colour_elastic", 4);
	/* The results of the operator are whole levels. */
	apply("elastic{p = 1, backend = \"pil\"}", (const void *const[]){ NULL }, (const size_t[]){ 0 }, &in, out);
	for (int i = 0; i < in.height * in.width * 3; i++)
		assert_true(fabsf(out[i] * 255 - rintf(out[i] * 255)) < 1e-3f);
}

/* Tests all operations, with the strengths of two bins. */
static void trivial(void **state)
{
	(void)state;
	for (struct trivial_draws d = { 1, 17, true }; d.operation < 14; d.negative = !d.negative) {
		char name[32];
		d.bin = d.negative ? 17 : 29;
		snprintf(name, sizeof name, "trivial_%d_%d", d.operation, d.bin);
		check_all("trivial{backend = \"pil\"}", &d, sizeof d, name);
		d.operation += !d.negative;
	}
}

/* Uses colours from the whole range. */
static void colours(void **state)
{
	static uint8_t pixels[MOST];
	static float out[MOST];
	static const struct {
		const char *name, *part;
		struct jitter_draws draws;
	} cases[] = {
		{ "wheel_saturation_0.3", "saturation = 1, hue = 0", { { 0, 1, 2, 3 }, { 1, 1, .3f, 0 } } },
		{ "wheel_saturation_1.2", "saturation = 1, hue = 0", { { 0, 1, 2, 3 }, { 1, 1, 1.2f, 0 } } },
		{ "wheel_hue_0.1", "saturation = 0, hue = 0.5", { { 0, 1, 2, 3 }, { 1, 1, 1, .1f } } },
		{ "wheel_hue_-0.07", "saturation = 0, hue = 0.5", { { 0, 1, 2, 3 }, { 1, 1, 1, -.07f } } },
		{ "wheel_hue_0.5", "saturation = 0, hue = 0.5", { { 0, 1, 2, 3 }, { 1, 1, 1, .5f } } },
		{ "wheel_hue_-0.5", "saturation = 0, hue = 0.5", { { 0, 1, 2, 3 }, { 1, 1, 1, -.5f } } },
	};
	(void)state;
	bl_image in = image_of("wheel", false, pixels);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[128];
		snprintf(text, sizeof text, "jitter{brightness = 0, contrast = 0, %s, p = 1, backend = \"pil\"}", cases[i].part);
		apply_one(text, &cases[i].draws, sizeof cases[i].draws, &in, out);
		check_same(out, cases[i].name);
	}
	apply_one("grayscale{p = 1, backend = \"pil\"}", NULL, 0, &in, out);
	check_same(out, "wheel_grayscale");
}

static void blurs(void **state)
{
	static const double sigmas[] = { .1, .26, .5, 1, 1.7, 2, 12 };
	(void)state;
	for (size_t i = 0; i < sizeof sigmas / sizeof *sigmas; i++) {
		char name[32];
		float sigma = (float)sigmas[i];
		snprintf(name, sizeof name, "blur_%g", sigmas[i]);
		check_all("blur{backend = \"pil\"}", &sigma, sizeof sigma, name);
	}
}

/* Tests the authors' sequence of operators. */
static void authors(void **state)
{
	static uint8_t pixels[MOST];
	static float out[MOST];
	const struct crop_draws crop = { 3, 5, 29, 31, true };
	const struct jitter_draws jitter = { { BRIGHTNESS, HUE, CONTRAST, SATURATION }, { 1.3f, .7f, 1.15f, -.08f } };
	const float sigma = .9f;
	(void)state;
	bl_image in = image_of("augment/input", false, pixels);
	apply("crop{size = 24, backend = \"pil\"}, flip{p = 1}, jitter{p = 1, backend = \"pil\"}, blur{backend = \"pil\"}, "
	      "solarize{p = 1, backend = \"pil\"}",
	      (const void *const[]){ &crop, NULL, &jitter, &sigma, NULL },
	      (const size_t[]){ sizeof crop, 0, sizeof jitter, sizeof sigma, 0 }, &in, out);
	check_same(out, "colour_authors");
}

/* Evaluation resizes and crops like Resize(32) and CenterCrop(28). */
static void evaluation(void **state)
{
	static uint8_t pixels[MOST];
	static float out[MOST];
	const float one[] = { 1, 1, 1 }, zero[] = { 0, 0, 0 };
	(void)state;
	bl_image in = image_of("augment/input", false, pixels);
	assert_int_equal(bl_centre_apply_pil(&in, 28, 28, one, zero, out), 0);
	check_same(out, "evaluation");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(crops),   cmocka_unit_test(tones),   cmocka_unit_test(colours),
		                            cmocka_unit_test(blurs),   cmocka_unit_test(authors), cmocka_unit_test(evaluation),
		                            cmocka_unit_test(warps),   cmocka_unit_test(details), cmocka_unit_test(autocontrast),
		                            cmocka_unit_test(elastic), cmocka_unit_test(trivial) };
	return cmocka_run_group_tests_name("pil", tests, NULL, NULL);
}
