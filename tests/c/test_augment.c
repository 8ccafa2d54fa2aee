/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_augment.c: image operators, compared with torchvision and PIL, and pipelines of operators. */
#include "support.h"

#include "augment/operator.h"
#include "augment/warp.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/random.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Unlike barlow, PIL converts to bytes after each step, by rounding or by truncating, which may cost one grey level per step. */
#define BYTE_TOLERANCE (1.5 / 255)
/* torchvision does not round values of float tensors. */
#define FLOAT_TOLERANCE 2e-4

enum { HEIGHT = 37, WIDTH = 41, MOST = 64 * 64 * 3 };

/* The reference of that name in augment/, or in another folder if the name contains one. */
static bl_tensor *reference(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "tests/reference/%s%s.npy", strchr(name, '/') ? "" : "augment/", name);
	bl_tensor *t = bl_npy_load(support_source(path));
	if (!t)
		fail_msg("%s", bl_error());
	return t;
}

/* The input image as bytes; with `grey` only its first channel. */
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

/* Copies of the structs of draws that the operators' files declare; tests compare their sizes. */
struct crop_draws {
	struct {
		int top, left, height, width;
	} box;
	bool mirrored;
};
struct jitter_draws {
	int order[4];
	float factor[4];
};
struct blur_draws {
	float sigma;
};
struct affine_draws {
	float angle, dx, dy, scale;
};

static size_t draws_of(const char *name)
{
	bl_aug *a = bl_aug_new(name);
	size_t n = a->op->draws;
	bl_aug_unref(a);
	return n;
}

/* Makes an operator and sets some fields; the arguments are pairs of a field's name and a number, ended by NULL. */
static bl_aug *operator_with(const char *name, const char *const *fields, const double *v)
{
	bl_aug *a = bl_aug_new(name);
	assert_non_null(a);
	for (int i = 0; fields && fields[i]; i++)
		if (bl_aug_set(a, fields[i], &v[i], 1) < 0)
			fail_msg("%s", bl_error());
	return a;
}
#define WITH(name, field, value) operator_with(name, (const char *const[]){ field, NULL }, (double[]){ value })

static bl_pipeline *parse(const char *text)
{
	bl_pipeline *p = bl_pipeline_parse(text);
	if (!p)
		fail_msg("%s", bl_error());
	return p;
}

/* Makes a view of the image by the pipeline, with the random stream of that key. */
static int make_view(const bl_pipeline *p, const bl_image *in, bl_view_key key, float *out)
{
	bl_plan plan;
	bl_pipeline_plan(p, &key, in->height, in->width, in->channels, &plan);
	return bl_pipeline_apply(p, &plan, in, out);
}

/* Draws for an image of that size, with the random stream of that key; asserts that the operator applies. */
static void draw_with(const bl_aug *a, bl_view_key key, int height, int width, void *d)
{
	drawing w = { .key = &key, .height = height, .width = width, .channels = 3 };
	bl_rng_init(&w.rng, key.seed, key.epoch, key.sample, key.view);
	assert_true(a->op->draw(a->parameters, &w, d));
}

/* Applies one operator with these draws, to planes if `loaded`, otherwise to bytes. */
static void apply(const bl_aug *a, const void *d, bool grey, bool loaded, float *out)
{
	const float one[] = { 1, 1, 1 }, zero[] = { 0, 0, 0 };
	static float planes[2][3 * (MOST)];
	bl_image in = input(grey);
	float_image c;
	bl_float_image_open(&c, &in);
	c.data = planes[0];
	c.spare = planes[1];
	if (loaded)
		bl_float_image_load(&c);
	assert_int_equal(a->op->apply(a->parameters, d, &c), 0);
	bl_float_image_load(&c);
	bl_float_image_store(&c, one, zero, out);
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

/* Tests the picture in colour, and its first channel as a grey picture. */
static void check_both(const bl_aug *a, const void *d, const char *name)
{
	static float out[MOST];
	for (int grey = 0; grey < 2; grey++)
		for (int loaded = 0; loaded < 2; loaded++) {
			char file[64];
			snprintf(file, sizeof file, "%s_%s", grey ? "grey" : "colour", name);
			apply(a, d, grey, loaded, out);
			check_bytes(out, file, 1);
		}
}

static void crops_agree_with_pil(void **state)
{
	static const struct {
		const char *name;
		struct crop_draws d;
		int size;
	} cases[] = {
		{ "same", { { 3, 5, 29, 31 }, false }, 30 },
		{ "down", { { 1, 2, 34, 39 }, false }, 11 },
		{ "up", { { 6, 10, 7, 9 }, false }, 32 },
		{ "mirror", { { 6, 4, 20, 25 }, true }, 16 },
	};
	(void)state;
	assert_int_equal(sizeof(struct crop_draws), draws_of("crop"));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bl_aug *a = WITH("crop", "size", cases[i].size);
		check_both(a, &cases[i].d, cases[i].name);
		bl_aug_unref(a);
	}
}

enum { BRIGHTNESS, CONTRAST, SATURATION, HUE };

/* A jitter operator with only one of its four changes, and a draw for it. */
static bl_aug *one_part(int part, double factor, struct jitter_draws *d)
{
	static const char *const names[] = { "brightness", "contrast", "saturation", "hue", NULL };
	double strength[4] = { 0 };
	assert_int_equal(sizeof *d, draws_of("jitter"));
	strength[part] = 0.4;
	*d = (struct jitter_draws){ .order = { part, (part + 1) % 4, (part + 2) % 4, (part + 3) % 4 } };
	d->factor[part] = (float)factor;
	return operator_with("jitter", names, strength);
}

static void apply_part(int part, double factor, float *out)
{
	struct jitter_draws d;
	bl_aug *a = one_part(part, factor, &d);
	apply(a, &d, false, false, out);
	bl_aug_unref(a);
}

static void jitter_agrees_with_pil(void **state)
{
	static const struct {
		const char *name;
		int part;
		double factor;
	} cases[] = {
		{ "dark", BRIGHTNESS, 0.65 },
		{ "bright", BRIGHTNESS, 1.4 },
		{ "flat", CONTRAST, 0.6 },
		{ "steep", CONTRAST, 1.4 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct jitter_draws d;
		bl_aug *a = one_part(cases[i].part, cases[i].factor, &d);
		check_both(a, &d, cases[i].name);
		bl_aug_unref(a);
	}
}

static void saturation_agrees_with_pil(void **state)
{
	static float out[MOST];
	(void)state;
	apply_part(SATURATION, 0.3, out);
	check_bytes(out, "pale", 1);
	apply_part(SATURATION, 1.2, out);
	check_bytes(out, "vivid", 1);
}

/* PIL stores hue in a byte, which changes a saturated colour by up to 6 of 256 levels, so only the mean difference is small. */
static void hue_agrees_with_torchvision(void **state)
{
	static float out[MOST];
	double sum = 0;
	(void)state;
	apply_part(HUE, -0.37, out);
	check_floats(out, "hue_back");
	apply_part(HUE, 0.1, out);
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
	bl_aug *a = WITH("jitter", "hue", 0);
	struct jitter_draws d = { .order = { SATURATION, HUE, BRIGHTNESS, CONTRAST }, .factor = { 0.8f, 1.3f, 1.15f, 0 } };
	(void)state;
	apply(a, &d, false, false, out);
	check_bytes(out, "jitter", 3);
	d.order[2] = CONTRAST;
	d.order[3] = BRIGHTNESS;
	apply(a, &d, false, false, out);
	assert_true(difference(out, "jitter", 1.0 / 255) > 3 * BYTE_TOLERANCE);
	bl_aug_unref(a);
}

static void one_channel_has_no_saturation_and_no_hue(void **state)
{
	static float out[MOST], plain[MOST];
	bl_aug *a = bl_aug_new("jitter");
	struct jitter_draws d = { .order = { SATURATION, HUE, BRIGHTNESS, CONTRAST }, .factor = { 1, 1, 0.5f, 0.3f } };
	(void)state;
	apply(a, &d, true, false, out);
	bl_image in = input(true);
	for (int i = 0; i < HEIGHT * WIDTH; i++)
		plain[i] = in.pixels[i] / 255.0f;
	assert_all_close(out, plain, HEIGHT * WIDTH, 1e-6);
	bl_aug_unref(a);
}

static void grayscale_agrees_with_pil(void **state)
{
	static float out[MOST];
	bl_aug *a = bl_aug_new("grayscale");
	bl_tensor *t = reference("grayscale");
	(void)state;
	apply(a, NULL, false, false, out);
	for (int i = 0; i < HEIGHT * WIDTH; i++)
		for (int c = 0; c < 3; c++)
			assert_true(fabs(out[3 * i + c] - bl_tensor_data(t)[i] / 255) <= BYTE_TOLERANCE);
	bl_tensor_unref(t);
	bl_aug_unref(a);
}

static void blur_agrees_with_torchvision(void **state)
{
	static float out[MOST];
	static const struct blur_draws draws[] = { { 0.4f }, { 1 }, { 2 } };
	bl_aug *a = bl_aug_new("blur");
	(void)state;
	assert_int_equal(sizeof *draws, draws_of("blur"));
	for (int i = 0; i < 3; i++) {
		char name[32];
		snprintf(name, sizeof name, "blur_%g", (double)draws[i].sigma);
		apply(a, &draws[i], false, false, out);
		check_floats(out, name);
	}
	bl_aug_unref(a);
}

static void solarize_agrees_with_pil(void **state)
{
	bl_aug *solarize = bl_aug_new("solarize");
	(void)state;
	check_both(solarize, NULL, "solarize");
	bl_aug_unref(solarize);
}

/* --- torchvision on tensors --- */

/*
 * Compares the operator with these draws, on bytes and on planes: levels are exact, or differ by at most one after a conversion to
 * bytes.
 */
static void check_levels(bl_aug *a, const void *d, const char *name, double levels)
{
	static float out[MOST];
	for (int loaded = 0; loaded < 2; loaded++) {
		apply(a, d, false, loaded, out);
		double most = difference(out, name, 1. / 255) * 255;
		if (!(most <= levels + 1e-3))
			fail_msg("%s: differs by %.3f levels", name, most);
		if (loaded)
			print_message("%-28s within %.3f levels of 255\n", name, most);
	}
	bl_aug_unref(a);
}

static void levels_are_torchvisions(void **state)
{
	const struct {
		int dx, dy;
	} window = { 2, -3 }, other = { -4, 3 };
	(void)state;
	check_levels(bl_aug_new("vflip"), NULL, "operators/vflip", 0);
	check_levels(bl_aug_new("pad_crop"), &window, "operators/pad_crop", 0);
	check_levels(WITH("pad_crop", "mode", 1), &other, "operators/pad_reflect", 0);
	check_levels(bl_aug_new("invert"), NULL, "operators/invert", 0);
	check_levels(WITH("posterize", "bits", 3), NULL, "operators/posterize", 0);
	check_levels(bl_aug_new("equalize"), NULL, "operators/equalize", 0);
	check_levels(WITH("sharpness", "factor", 2), NULL, "operators/sharpness_2", 1);
	check_levels(WITH("sharpness", "factor", .3), NULL, "operators/sharpness_0.3", 1.3);
}

/* Uses an image that does not have all levels; torchvision truncates fractions. */
static void autocontrast_is_torchvisions(void **state)
{
	static float planes[2][HEIGHT * WIDTH * 3];
	bl_aug *a = bl_aug_new("autocontrast");
	bl_tensor *in = reference("input"), *t = reference("operators/autocontrast");
	float_image c = {
		.channels = 3, .height = HEIGHT, .width = WIDTH, .plane = HEIGHT * WIDTH, .data = planes[0], .spare = planes[1]
	};
	(void)state;
	for (int i = 0; i < HEIGHT * WIDTH; i++)
		for (int k = 0; k < 3; k++)
			c.data[k * HEIGHT * WIDTH + i] = (float)((int)bl_tensor_data(in)[3 * i + k] / 2 + 20) / 255;
	assert_int_equal(a->op->apply(a->parameters, NULL, &c), 0);
	for (int i = 0; i < HEIGHT * WIDTH; i++)
		for (int k = 0; k < 3; k++) {
			float above = c.data[k * HEIGHT * WIDTH + i] * 255 - bl_tensor_data(t)[3 * i + k];
			assert_true(above > -1e-3f && above < 1.001f);
		}
	bl_tensor_unref(in);
	bl_tensor_unref(t);
	bl_aug_unref(a);
}

static void check_grey(bl_aug *a, const void *d, const char *name)
{
	static float out[MOST];
	apply(a, d, true, true, out);
	check_floats(out, name);
	print_message("%-28s within %.1e\n", name, difference(out, name, 1));
	bl_aug_unref(a);
}

/* On floats torchvision does not round. */
static void sharpness_is_torchvisions(void **state)
{
	(void)state;
	check_grey(WITH("sharpness", "factor", 2), NULL, "operators/sharpness_2_float");
	check_grey(WITH("sharpness", "factor", .3), NULL, "operators/sharpness_0.3_float");
}

static void warps_are_torchvisions(void **state)
{
	const struct {
		float angle, x, y;
	} turn = { 25, 0, 0 }, lean = { 0, 12, -7 };
	const struct {
		int x[4], y[4];
	} corners = { { 5, WIDTH - 8, WIDTH - 2, 3 }, { 2, 9, HEIGHT - 4, HEIGHT - 11 } };
	static float planes[2][MOST], dx[MOST], dy[MOST];
	const struct affine_draws affine = { 13 * 3.14159265f / 180, 3, -2, 0.9f };
	(void)state;
	assert_int_equal(sizeof affine, draws_of("affine"));
	check_grey(bl_aug_new("affine"), &affine, "operators/affine");
	check_grey(bl_aug_new("rotate"), &turn, "operators/rotate");
	check_grey(bl_aug_new("shear"), &lean, "operators/shear");
	check_grey(bl_aug_new("perspective"), &corners, "operators/perspective");
	bl_image in = input(true);
	float_image c;
	bl_float_image_open(&c, &in);
	c.data = planes[0];
	c.spare = planes[1];
	bl_float_image_load(&c);
	for (int i = 0; i < HEIGHT * WIDTH; i++) {
		dx[i] = 3 * sinf((float)(i / WIDTH) / 5);
		dy[i] = 2.5f * cosf((float)(i % WIDTH) / 4);
	}
	bl_warp_by(&c, dx, dy);
	check_floats(c.data, "operators/elastic");
}

/* Tests all 14 operations with the strength of bin 17; operations with a sign also with the opposite sign. */
static void trivial_is_torchvisions(void **state)
{
	static float out[MOST];
	struct {
		int operation, bin;
		bool negative;
	} d = { 0, 17, true };
	bl_aug *a = bl_aug_new("trivial");
	(void)state;
	assert_int_equal(sizeof d, draws_of("trivial"));
	for (d.operation = 1; d.operation < 14; d.operation++) {
		char name[32];
		int moved = 0, wrong = 0;
		snprintf(name, sizeof name, "operators/trivial_%d", d.operation);
		bl_tensor *t = reference(name);
		apply(a, &d, false, true, out);
		for (int i = 0; i < HEIGHT * WIDTH * 3; i++) {
			wrong += fabsf(out[i] * 255 - bl_tensor_data(t)[i]) > 2.001f;
			moved += fabsf(out[i] * 255 - bl_tensor_data(t)[i]) > 0.5f;
		}
		print_message("%-28s %d of %d values more than 2 levels off, %d not the same\n", name, wrong, HEIGHT * WIDTH * 3,
		              moved);
		/* Geometry and levels are exact, but if two pixels are equally near, either may be the nearest. */
		assert_true(wrong <= (d.operation <= 5 ? 15 : 0));
		assert_true(d.operation > 5 || moved <= 15);
		bl_tensor_unref(t);
	}
	bl_aug_unref(a);
}

/* --- random draws --- */

/* Every image is mirrored in every other epoch, half of them in the first. */
static void alternating_flips_alternate(void **state)
{
	enum { IMAGES = 400 };
	const uint8_t pixels[2] = { 0, 255 };
	bl_image in = { .pixels = pixels, .height = 1, .width = 2, .channels = 1 };
	bl_pipeline *p = parse("alternating_flip");
	int first = 0;
	(void)state;
	for (uint32_t i = 0; i < IMAGES; i++) {
		float before[2], after[2];
		for (uint32_t epoch = 0; epoch < 5; epoch++, memcpy(before, after, sizeof before)) {
			assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 3, .epoch = epoch, .sample = i }, after), 0);
			assert_true(epoch == 0 || before[0] == after[1]);
			first += epoch == 0 && after[0] > 0;
		}
	}
	assert_true(first > IMAGES / 2 - 60 && first < IMAGES / 2 + 60);
	bl_pipeline_unref(p);
}

/* Every position of the window has the same probability: chi-square of 24 degrees of freedom, 1e-6 at 73. */
static void pad_crops_are_uniform(void **state)
{
	enum { PLACES = 25, DRAWS = 5000 };
	int count[PLACES] = { 0 };
	struct {
		int dx, dy;
	} d;
	bl_aug *a = WITH("pad_crop", "padding", 2);
	double chi = 0;
	(void)state;
	for (uint32_t i = 0; i < DRAWS; i++) {
		draw_with(a, (bl_view_key){ .seed = 4, .sample = i }, 8, 8, &d);
		assert_true(abs(d.dx) <= 2 && abs(d.dy) <= 2);
		count[5 * (d.dy + 2) + d.dx + 2]++;
	}
	for (int k = 0; k < PLACES; k++)
		chi += pow(count[k] - DRAWS / PLACES, 2) / (DRAWS / PLACES);
	assert_true(chi < 73);
	bl_aug_unref(a);
}

/* TrivialAugment: operations, strengths and signs have the same probability. */
static void trivial_draws_are_uniform(void **state)
{
	enum { DRAWS = 14000 };
	int count[14] = { 0 }, bins[31] = { 0 }, negative = 0, left = 0;
	struct {
		int operation, bin;
		bool negative;
	} d;
	bl_aug *a = bl_aug_new("trivial");
	double chi = 0;
	(void)state;
	for (uint32_t i = 0; i < DRAWS; i++) {
		bl_view_key key = { .seed = 4, .sample = i };
		drawing w = { .key = &key, .height = 8, .width = 8, .channels = 3 };
		bl_rng_init(&w.rng, key.seed, key.epoch, key.sample, key.view);
		left += !a->op->draw(a->parameters, &w, &d);
		count[d.operation]++;
		bins[d.bin]++;
		negative += d.negative;
		assert_true(!d.negative || (d.operation >= 1 && d.operation <= 9));
	}
	assert_int_equal(left, count[0]);
	for (int k = 0; k < 14; k++)
		chi += pow(count[k] - DRAWS / 14, 2) / (DRAWS / 14.);
	for (int k = 0; k < 31; k++)
		chi += pow(bins[k] - DRAWS / 31., 2) / (DRAWS / 31.);
	assert_true(chi < 110); /* 43 degrees of freedom, 1e-6 at 103 */
	assert_true(abs(negative - DRAWS * 9 / 28) < 300);
	bl_aug_unref(a);
}

static void drawn_boxes_fit_and_cover_the_range(void **state)
{
	bl_aug *a = bl_aug_new("crop");
	double least = 1, most = 0, sum = 0, tops = 0, lefts = 0;
	enum { TURNS = 4000 };
	(void)state;
	for (uint32_t i = 0; i < TURNS; i++) {
		struct crop_draws d;
		draw_with(a, (bl_view_key){ .seed = 5, .sample = i }, 60, 80, &d);
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
	bl_aug_unref(a);
}

/* No box of ratio 1 and full area fits into 10 x 40, so the largest centred box is used. */
static void box_that_cannot_fit_is_centred(void **state)
{
	bl_aug *a = operator_with("crop", (const char *const[]){ "size", "scale", "ratio", NULL }, (double[]){ 8, 1, 1 });
	struct crop_draws d;
	(void)state;
	draw_with(a, (bl_view_key){ .seed = 1 }, 10, 40, &d);
	assert_int_equal(d.box.top, 0);
	assert_int_equal(d.box.left, 15);
	assert_int_equal(d.box.height, 10);
	assert_int_equal(d.box.width, 10);
	bl_aug_unref(a);
}

static void jitter_draws_every_order_within_its_range(void **state)
{
	bl_aug *a = WITH("jitter", "p", 1);
	int first[4] = { 0 };
	(void)state;
	for (uint32_t i = 0; i < 400; i++) {
		struct jitter_draws d;
		draw_with(a, (bl_view_key){ .seed = 9, .sample = i, .view = 1 }, 8, 8, &d);
		first[d.order[0]]++;
		assert_true(d.factor[BRIGHTNESS] >= 0.6f && d.factor[BRIGHTNESS] <= 1.4f);
		assert_true(d.factor[SATURATION] >= 0.8f && d.factor[SATURATION] <= 1.2f);
		assert_true(d.factor[HUE] >= -0.1f && d.factor[HUE] <= 0.1f);
	}
	for (int k = 0; k < 4; k++)
		assert_in_range(first[k], 60, 140);
	bl_aug_unref(a);
}

/* As in torchvision, factors are uniform from max(0, 1 - strength) to 1 + strength, and hue from -strength to strength. */
static void strong_jitter_has_no_factor_below_zero(void **state)
{
	bl_aug *a = operator_with("jitter", (const char *const[]){ "brightness", "contrast", "saturation", "p", NULL },
	                          (double[]){ 1.5, 1.5, 1.5, 1 });
	double sum = 0, least = 3, most = 0;
	enum { TURNS = 2000 };
	(void)state;
	for (uint32_t i = 0; i < TURNS; i++) {
		struct jitter_draws d;
		draw_with(a, (bl_view_key){ .seed = 9, .sample = i }, 8, 8, &d);
		for (int k = 0; k < HUE; k++) {
			sum += (double)d.factor[k] / (3 * TURNS);
			least = fmin(least, (double)d.factor[k]);
			most = fmax(most, (double)d.factor[k]);
		}
	}
	assert_true(least >= 0 && least < .01 && most < 2.5 && most > 2.49);
	assert_close(sum, 1.25, .03);
	bl_aug_unref(a);
}

/*
 * In an image of 40 x 20, rows move by a share of the height and columns by a share of the width; the hole is a share of the
 * shorter side.
 */
static void sides_are_not_confused(void **state)
{
	bl_aug *affine = operator_with("affine", (const char *const[]){ "translate", "p", NULL }, (double[]){ .5, 1 });
	bl_aug *cutout = operator_with("cutout", (const char *const[]){ "size", "p", NULL }, (double[]){ .4, 1 });
	float across = 0, down = 0;
	int bottom = 0, right = 0, side = 0;
	(void)state;
	for (uint32_t i = 0; i < 400; i++) {
		struct affine_draws move;
		struct crop_draws hole; /* the draws of cutout begin with the same four numbers as those of crop */
		draw_with(affine, (bl_view_key){ .seed = 2, .sample = i }, 40, 20, &move);
		across = fmaxf(across, fabsf(move.dx));
		down = fmaxf(down, fabsf(move.dy));
		draw_with(cutout, (bl_view_key){ .seed = 2, .sample = i }, 40, 20, &hole);
		assert_true(hole.box.top >= 0 && hole.box.left >= 0);
		bottom = hole.box.top + hole.box.height > bottom ? hole.box.top + hole.box.height : bottom;
		right = hole.box.left + hole.box.width > right ? hole.box.left + hole.box.width : right;
		side = hole.box.height > side ? hole.box.height : side;
	}
	assert_true(across == 10 && down == 20);
	assert_true(bottom == 40 && right == 20 && side == 8);
	bl_aug_unref(affine);
	bl_aug_unref(cutout);
}

/* --- pipelines --- */

static const char *const paper_operators[] = {
	"crop{size = 24}", "flip", "jitter", "grayscale", "blur{p = 0.5}", "solarize", "normalize",
};
enum { PAPER = sizeof paper_operators / sizeof *paper_operators };

/*
 * The paper's pipeline without one of its operators (-1: with all), with probabilities at which each operator applies to some
 * views.
 */
static bl_pipeline *paper_without(int left_out)
{
	char text[256] = "";
	for (int i = 0; i < PAPER; i++)
		if (i != left_out) {
			strcat(text, text[0] ? ", " : "");
			strcat(text, paper_operators[i]);
		}
	return parse(text);
}

static void same_key_makes_the_same_view(void **state)
{
	static float a[MOST], b[MOST];
	bl_pipeline *p = paper_without(-1);
	bl_image in = input(false);
	int h, w;
	(void)state;
	bl_pipeline_output(p, in.height, in.width, &h, &w);
	assert_int_equal(h, 24);
	assert_int_equal(w, 24);
	assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 3, .epoch = 1, .sample = 2 }, a), 0);
	assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 3, .epoch = 1, .sample = 2 }, b), 0);
	assert_memory_equal(a, b, 24 * 24 * 3 * sizeof *a);
	const bl_view_key others[] = {
		{ .seed = 4, .epoch = 1, .sample = 2 },
		{ .seed = 3, .epoch = 2, .sample = 2 },
		{ .seed = 3, .epoch = 1, .sample = 3 },
		{ .seed = 3, .epoch = 1, .sample = 2, .view = 1 },
	};
	for (int i = 0; i < 4; i++) {
		assert_int_equal(make_view(p, &in, others[i], b), 0);
		assert_memory_not_equal(a, b, 24 * 24 * 3 * sizeof *a);
	}
	bl_pipeline_unref(p);
}

/* If one operator's part is removed from the description of `all`, the result is the description of the pipeline without it. */
static void check_words(const char *all, const char *without, const char *name)
{
	char kept[1024] = "", copy[1024];
	static const char *const of_jitter[] = { "brightness", "contrast", "saturation", "hue" };
	snprintf(copy, sizeof copy, "%s", all);
	for (char *part = strtok(copy, ","); part; part = strtok(NULL, ",")) {
		part += *part == ' ';
		bool its = strncmp(part, name, strlen(name)) == 0;
		for (int k = 0; k < 4; k++)
			its |= strcmp(name, "jitter") == 0 && strncmp(part, of_jitter[k], strlen(of_jitter[k])) == 0;
		/* the description "crop 3,4 20x22" contains a comma itself */
		bool rest = part[0] >= '0' && part[0] <= '9';
		if (rest && strcmp(name, "crop") == 0)
			continue;
		if (!its)
			snprintf(kept + strlen(kept), sizeof kept - strlen(kept), "%s%s", kept[0] ? rest ? "," : ", " : "", part);
	}
	assert_string_equal(kept, without);
}

/* Removing an operator does not change the draws of the others, in any view. */
static void operators_have_independent_draws(void **state)
{
	bl_pipeline *all = paper_without(-1);
	(void)state;
	for (int left_out = 0; left_out < PAPER; left_out++) {
		bl_pipeline *p = paper_without(left_out);
		char name[16];
		int cases = 0;
		sscanf(paper_operators[left_out], "%15[a-z]", name);
		for (uint32_t i = 0; i < 200; i++) {
			bl_view_key key = { .seed = 11, .epoch = 2, .sample = i, .view = i % 2 };
			char with[512], without[512];
			bl_plan plan;
			bl_pipeline_plan(all, &key, 60, 80, 3, &plan);
			bl_pipeline_describe(all, &plan, with, sizeof with);
			bl_pipeline_plan(p, &key, 60, 80, 3, &plan);
			bl_pipeline_describe(p, &plan, without, sizeof without);
			check_words(with, without, name);
			cases += strcmp(with, without) != 0;
		}
		assert_true(cases > 20 || strcmp(name, "normalize") == 0);
		bl_pipeline_unref(p);
	}
	bl_pipeline_unref(all);
}

/* Two operators of the same name in a pipeline have different random streams and different draws. */
static void repeated_operators_have_streams_of_their_own(void **state)
{
	bl_pipeline *p = parse("jitter{p = 1}, blur{sigma = {1, 2}}, blur{sigma = {1, 2}}"), *once = parse("blur{sigma = {1, 2}}");
	bl_view_key key = { .seed = 1, .sample = 7 };
	float first = 0, second = 0;
	bl_plan plan;
	char text[256], alone[256];
	(void)state;
	bl_pipeline_plan(p, &key, 30, 30, 1, &plan);
	bl_pipeline_describe(p, &plan, text, sizeof text);
	assert_int_equal(sscanf(strstr(text, "blur"), "blur %f, blur %f", &first, &second), 2);
	assert_true(first != second);
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++) {
			bl_rng a = bl_plan_stream(p, &plan, i), b = bl_plan_stream(p, &plan, k);
			assert_true((bl_rng_u32(&a) == bl_rng_u32(&b)) == (i == k));
		}
	bl_pipeline_plan(once, &key, 30, 30, 1, &plan);
	bl_pipeline_describe(once, &plan, alone, sizeof alone);
	assert_memory_equal(alone, strstr(text, "blur"), strlen(alone));
	bl_pipeline_unref(once);
	bl_pipeline_unref(p);
}

/* Operators of different names have different random streams. */
static void names_have_streams_of_their_own(void **state)
{
	(void)state;
	for (int i = 0; bl_aug_name_at(i); i++)
		for (int k = 0; k < i; k++) {
			bl_rng a, b;
			bl_rng_init(&a, 1, 2, 3, 0);
			b = a;
			bl_rng_narrow(&a, bl_aug_name_at(i), 0);
			bl_rng_narrow(&b, bl_aug_name_at(k), 0);
			assert_true(bl_rng_u32(&a) != bl_rng_u32(&b));
		}
}

/* Merging a flip into the resampling before it changes no pixel, whether it is alone, applied twice, or beside a normalisation. */
static void merging_operators_changes_no_pixel(void **state)
{
	static float folded[MOST], apart[MOST];
	bl_image in = input(false);
	bl_pipeline *p = parse("resize{size = 20}, flip{p = 1}, normalize"),
		    *q = parse("resize{size = 20}, normalize, flip{p = 1}");
	(void)state;
	assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 1 }, folded), 0);
	assert_int_equal(make_view(q, &in, (bl_view_key){ .seed = 1 }, apart), 0);
	assert_all_close(folded, apart, 20 * 20 * 3, 1e-5);
	bl_pipeline_unref(p);
	bl_pipeline_unref(q);
}

static void empty_pipeline_gives_the_image(void **state)
{
	static float out[MOST];
	bl_pipeline *p = parse("");
	bl_image in = input(false);
	(void)state;
	assert_int_equal(bl_pipeline_length(p), 0);
	assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 1 }, out), 0);
	for (int i = 0; i < HEIGHT * WIDTH * 3; i++)
		assert_close(out[i], in.pixels[i] / 255.0, 1e-6);
	bl_pipeline_unref(p);
}

/* The operator of that name with p = 1; if it has a size in pixels, its result has 33 pixels a side. */
static bl_pipeline *always(const char *name)
{
	bl_aug *a = bl_aug_new(name);
	assert_non_null(a);
	if (bl_field_find(bl_aug_fields(name), "p"))
		bl_aug_set(a, "p", (double[]){ 1 }, 1);
	if (a->op->size)
		bl_aug_set(a, "size", (double[]){ 33 }, 1);
	if (strcmp(name, "normalize") == 0) {
		bl_aug_set(a, "mean", (double[]){ .5 }, 1);
		bl_aug_set(a, "std", (double[]){ .25 }, 1);
	}
	bl_pipeline *p = bl_pipeline_new(&a, 1);
	bl_aug_unref(a);
	assert_non_null(p);
	return p;
}

/* Frees the pipeline if it refuses the image, as channel_dropout refuses images of one channel. */
static bool refuses(bl_pipeline *p, const char *name, int channels)
{
	bool refused = bl_pipeline_check(p, channels) < 0;
	assert_int_equal(refused, strcmp(name, "channel_dropout") == 0 && channels == 1);
	if (refused)
		bl_pipeline_unref(p);
	return refused;
}

/*
 * Applies every operator to small images of all sizes, with one and three channels: values stay in range, and sanitizers detect any
 * access out of bounds.
 */
static void small_images_are_fine(void **state)
{
	static uint8_t pixels[20 * 20 * 3];
	float *out = malloc(33 * 33 * 3 * sizeof *out);
	(void)state;
	memset(pixels, 200, sizeof pixels);
	for (int k = 0; bl_aug_name_at(k); k++)
		for (int side = 1; side <= 20; side += side < 6 ? 1 : 7)
			for (int channels = 1; channels <= 3; channels += 2) {
				const char *name = bl_aug_name_at(k);
				const uint8_t *last = pixels + sizeof pixels - (size_t)(side * side * channels);
				bl_image in = { .pixels = last, .height = side, .width = side, .channels = channels };
				bl_pipeline *p = always(name);
				bool any = strcmp(name, "normalize") == 0 || strncmp(name, "feature_", 8) == 0;
				int h, w;
				if (refuses(p, name, channels))
					continue;
				bl_pipeline_output(p, side, side, &h, &w);
				assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 2, .sample = (uint32_t)side }, out), 0);
				for (int i = 0; i < h * w * channels; i++)
					assert_true(any || (out[i] >= 0 && out[i] <= 1.00001f));
				bl_pipeline_unref(p);
			}
	free(out);
}

static void noise_and_cutout_do_what_they_say(void **state)
{
	static uint8_t pixels[40 * 40];
	static float out[40 * 40];
	bl_image in = { .pixels = pixels, .height = 40, .width = 40, .channels = 1 };
	double sum = 0, squares = 0;
	(void)state;
	memset(pixels, 128, sizeof pixels);
	bl_pipeline *p = parse("noise{p = 1}");
	assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 4 }, out), 0);
	for (int i = 0; i < 1600; i++) {
		sum += out[i] - 128.0 / 255;
		squares += pow(out[i] - 128.0 / 255, 2);
	}
	assert_true(fabs(sum / 1600) < 0.005);
	assert_true(fabs(sqrt(squares / 1600) - 0.05) < 0.005);
	bl_pipeline_unref(p);

	p = parse("cutout{size = 0.5, p = 1}");
	int largest = 0;
	for (uint32_t i = 0; i < 50; i++) {
		int holes = 0;
		assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 4, .sample = i }, out), 0);
		for (int k = 0; k < 1600; k++)
			holes += out[k] == 0;
		assert_in_range(holes, 100, 400);
		largest = holes > largest ? holes : largest;
	}
	assert_int_equal(largest, 400);
	bl_pipeline_unref(p);
}

static void steady_state_allocates_nothing(void **state)
{
	static float out[MOST];
	bl_pipeline *p = paper_without(-1);
	bl_image in = input(false);
	bl_memory_stats before, after;
	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 1, .sample = i }, out), 0);
		if (i == 99)
			bl_memory(&before);
	}
	bl_memory(&after);
	assert_int_equal(before.system_calls, after.system_calls);
	bl_pipeline_unref(p);
}

/* --- types and channels --- */

enum { LOW = 19, LONG = 23 };

/* The same picture as bytes and as floats, with this number of different channels. */
static void fill(uint8_t *bytes, float *floats, int channels)
{
	for (int i = 0; i < LOW * LONG; i++)
		for (int c = 0; c < channels; c++) {
			bytes[i * channels + c] = (uint8_t)(i * 7 + i / LONG * 31 + c * 53);
			floats[i * channels + c] = bytes[i * channels + c] / 255.0f;
		}
}

static bl_image image_of(const uint8_t *bytes, int channels)
{
	return (bl_image){ .pixels = bytes, .height = LOW, .width = LONG, .channels = channels };
}

static bl_image floats_of(const float *floats, int channels)
{
	return (bl_image){ .type = BL_PIXEL_FLOAT32, .values = floats, .height = LOW, .width = LONG, .channels = channels };
}

/* Views of a float32 image equal those of bytes, whichever operator comes first. */
static void floats_make_the_same_views(void **state)
{
	static uint8_t bytes[LOW * LONG * 3];
	static float floats[LOW * LONG * 3], a[33 * 33 * 3], b[33 * 33 * 3];
	(void)state;
	for (int k = 0; bl_aug_name_at(k); k++)
		for (int channels = 1; channels <= 3; channels += 2) {
			bl_pipeline *p = always(bl_aug_name_at(k));
			int h, w;
			if (refuses(p, bl_aug_name_at(k), channels))
				continue;
			fill(bytes, floats, channels);
			bl_image in = image_of(bytes, channels), same = floats_of(floats, channels);
			bl_pipeline_output(p, LOW, LONG, &h, &w);
			assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 8 }, a), 0);
			assert_int_equal(make_view(p, &same, (bl_view_key){ .seed = 8 }, b), 0);
			assert_all_close(a, b, h * w * channels, 2e-6);
			bl_pipeline_unref(p);
		}
}

/* A value between two levels of a byte is preserved. */
static void floats_are_not_rounded(void **state)
{
	float in[4] = { .1234f, .5001f, 1, 0 }, out[4];
	bl_image im = { .type = BL_PIXEL_FLOAT32, .values = in, .height = 1, .width = 4, .channels = 1 };
	bl_pipeline *p = parse("flip{p = 1}");
	(void)state;
	assert_int_equal(make_view(p, &im, (bl_view_key){ .seed = 1 }, out), 0);
	for (int i = 0; i < 4; i++)
		assert_true(out[i] == in[3 - i]);
	bl_pipeline_unref(p);
}

/* Each channel of an image of many channels has the same result as an image of that channel only. */
static void channels_have_equal_results(void **state)
{
	static const char *const texts[] = {
		"crop{size = 11}",
		"resize{size = 30}",
		"flip{p = 1}",
		"blur{sigma = {1, 2}}",
		"affine{p = 1}",
		"solarize{p = 1}",
		"cutout{p = 1}",
		"crop{size = 11}, flip, blur, normalize{mean = 0.5, std = 0.25}",
		"jitter{contrast = 0, saturation = 0, hue = 0, p = 1}",
	};
	static const int counts[] = { 2, 5, 64 };
	static uint8_t bytes[LOW * LONG * 64], one[LOW * LONG];
	static float floats[LOW * LONG * 64], many[30 * 30 * 64], alone[30 * 30];
	(void)state;
	for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
		for (int k = 0; k < 6; k++) {
			int channels = counts[k / 2], h, w;
			bl_pipeline *p = parse(texts[t]);
			fill(bytes, floats, channels);
			bl_image in = k % 2 ? floats_of(floats, channels) : image_of(bytes, channels);
			bl_pipeline_output(p, LOW, LONG, &h, &w);
			assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 6 }, many), 0);
			for (int c = 0; c < channels; c += 3) {
				for (int i = 0; i < LOW * LONG; i++)
					one[i] = bytes[i * channels + c];
				in = image_of(one, 1);
				assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 6 }, alone), 0);
				for (int i = 0; i < h * w; i++)
					if (fabsf(many[i * channels + c] - alone[i]) > 2e-6f)
						fail_msg("%s: channel %d of %d, value %d: %g, alone %g", texts[t], c, channels, i,
						         (double)many[i * channels + c], (double)alone[i]);
			}
			bl_pipeline_unref(p);
		}
}

static void accepts(const char *text, int channels, const char *why)
{
	bl_pipeline *p = parse(text);
	assert_int_equal(bl_pipeline_check(p, channels), why ? -1 : 0);
	if (why)
		assert_error(why);
	bl_pipeline_unref(p);
}

static void what_needs_colour_refuses_other_images(void **state)
{
	(void)state;
	for (int channels = 1; channels <= 3; channels += 2)
		accepts("jitter, grayscale, noise", channels, NULL);
	accepts("flip, jitter", 2,
	        "operator 2 (jitter): saturation and hue need images of 3 channels, these have 2: set both to 0");
	accepts("jitter{hue = 0}", 4, "operator 1 (jitter): saturation and hue");
	accepts("jitter{saturation = 0, hue = 0}", 4, NULL);
	accepts("grayscale", 64, "operator 1 (grayscale): it needs images of 1 or 3 channels, these have 64");
	accepts("normalize", 3, NULL);
	accepts("normalize", 4,
	        "operator 1 (normalize): 3 numbers in mean for images of 4 channels, expected one for each, or 1 for all");
	accepts("normalize{mean = 0, std = {1, 2, 3, 4}}", 4, NULL);
	accepts("normalize{mean = {1, 2}, std = 1}", 3, "2 numbers in mean for images of 3 channels");
	accepts("flip", 65, "an image of 65 channels, expected 1 to 64");
}

/* --- functions of a C program as operators --- */

struct counted {
	int released;
	float seen;
};

/* Adds one random number per view to the first pixel, and reads the last pixel. */
static int touch(void *context, const bl_aug_call *call)
{
	struct counted *c = context;
	int n = call->channels * call->height * call->width;
	c->seen = call->in[n - 1];
	memcpy(call->out, call->in, (size_t)n * sizeof *call->out);
	call->out[0] = bl_rng_uniform(call->rng);
	return call->height == 3 ? bl_fail("three is too few") : 0;
}

static void note_release(void *context)
{
	((struct counted *)context)->released++;
}

static void functions_are_operators_too(void **state)
{
	uint8_t pixels[5 * 7 * 3];
	float out[5 * 7 * 3], again[5 * 7 * 3];
	struct counted c = { 0 };
	bl_aug *a =
		bl_aug_new_function(&(bl_aug_function){ .name = "touch", .apply = touch, .release = note_release, .context = &c });
	bl_image in = { .pixels = pixels, .height = 5, .width = 7, .channels = 3 };
	(void)state;
	for (int i = 0; i < 5 * 7 * 3; i++)
		pixels[i] = (uint8_t)(2 * i);
	bl_pipeline *p = bl_pipeline_new(&a, 1), *q = bl_pipeline_new((bl_aug *[]){ a, a }, 2);
	assert_string_equal(bl_aug_name(a), "touch");
	bl_aug_unref(a);
	assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 3 }, out), 0);
	assert_close(c.seen, pixels[5 * 7 * 3 - 1] / 255.0, 1e-6);
	for (int i = 0; i < 5 * 7 * 3; i++)
		assert_true((fabs(out[i] - pixels[i] / 255.0) < 1e-6) == (i != 0));
	assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 3 }, again), 0);
	assert_memory_equal(out, again, sizeof out);
	assert_int_equal(make_view(q, &in, (bl_view_key){ .seed = 3 }, again), 0);
	assert_true(out[0] != again[0]);
	in.height = 3;
	assert_int_equal(make_view(p, &in, (bl_view_key){ .seed = 3 }, out), -1);
	assert_error("three is too few");
	bl_pipeline_unref(p);
	assert_int_equal(c.released, 0);
	bl_pipeline_unref(q);
	assert_int_equal(c.released, 1);
}

/* --- pipelines as text --- */

static void refused(const char *text, const char *why)
{
	bl_pipeline *p = bl_pipeline_parse(text);
	if (p)
		fail_msg("'%s' was taken", text);
	assert_error(why);
}

static void fields_that_make_no_sense_are_named(void **state)
{
	bl_aug *a = bl_aug_new("crop");
	(void)state;
	refused("crop, normalize, jitter",
	        "operator 3 (jitter) works on values from 0 to 1, so it must come before operator 2 (normalize)");
	refused("crop{scale = {0.9, 0.2}}", "crop: 'scale' must be");
	refused("jitter{hue = 0.7}", "jitter: 'hue' must be a number between 0 and 0.5, got 0.7");
	refused("flip{p = nan}", "flip: 'p' must be");
	refused("crop{size = 0}", "crop: 'size' must be an integer between 1 and 16384, got 0");
	refused("crop{size = 2.5}", "crop: 'size' must be an integer");
	refused("normalize{std = {1, 0, 1}}", "normalize: 'std' must be");
	refused("normalize{mean = {1, 2}}", "operator 1 (normalize): 2 numbers in mean and 3 in std");
	refused("crap{size = 8}", "no operator 'crap' (did you mean 'crop'?)");
	refused("crop{sizes = 8}", "crop: no field 'sizes' (did you mean 'size'?)");
	refused("crop{size 8}", "character 11 of 'crop{size 8}': expected '='");
	refused("crop flip", "expected ',' or the end");
	refused("crop{scale = {.1, .2}", "expected ',' or '}'");
	bl_pipeline *p = bl_pipeline_new(&a, 1);
	assert_int_equal(bl_aug_set(a, "size", (double[]){ 8 }, 1), -1);
	assert_error("crop: it is part of a pipeline, and pipelines cannot be changed");
	bl_aug_unref(a);
	bl_pipeline_unref(p);
}

static void images_that_make_no_sense_are_refused(void **state)
{
	uint8_t pixels[8] = { 0 };
	float out[8];
	bl_image none = { .pixels = pixels, .height = 0, .width = 2, .channels = 1 };
	bl_image one = { .pixels = pixels, .height = 2, .width = 2, .channels = 1 };
	bl_pipeline *p = parse("normalize");
	bl_plan plan;
	(void)state;
	assert_int_equal(make_view(p, &none, (bl_view_key){ .seed = 1 }, out), -1);
	assert_error("an image of 0 x 2 pixels");
	assert_int_equal(make_view(p, &one, (bl_view_key){ .seed = 1 }, out), -1);
	assert_error("operator 1 (normalize): 3 numbers in mean for images of 1 channel, expected 1");
	bl_pipeline_plan(p, &(bl_view_key){ .seed = 1 }, 2, 1, 3, &plan);
	assert_int_equal(bl_pipeline_apply(p, &plan, &one, out), -1);
	assert_error("an image of 2 x 2 with 1 channels, but the plan is for one of 2 x 1 with 3");
	bl_pipeline_unref(p);
}

static void operators_are_written_as_lua(void **state)
{
	bl_aug *a = WITH("crop", "size", 28);
	char buf[256];
	(void)state;
	assert_string_equal(bl_aug_text(a, buf, sizeof buf),
	                    "crop{size = 28, scale = {0.08, 1}, ratio = {0.75, 1.3333334}, backend = \"tensor\"}");
	assert_string_equal(bl_aug_text(a, buf, 6), "crop{");
	bl_aug_unref(a);
	a = bl_aug_new("normalize");
	assert_string_equal(bl_aug_text(a, buf, sizeof buf),
	                    "normalize{mean = {0.485, 0.456, 0.406}, std = {0.229, 0.224, 0.225}}");
	bl_aug_unref(a);
}

/* A pipeline of any operator is equal after it was written as text and read again, also in a locale with a decimal comma. */
static void text_is_read_back(void **state)
{
	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		if (turn && !setlocale(LC_NUMERIC, "de_DE.UTF-8"))
			break;
		for (int i = 0; bl_aug_name_at(i); i++) {
			char text[512], again[512];
			bl_aug *a = bl_aug_new(bl_aug_name_at(i));
			bl_aug_text(a, text, sizeof text);
			bl_pipeline *p = parse(text);
			assert_string_equal(bl_aug_text(bl_pipeline_op(p, 0), again, sizeof again), text);
			assert_memory_equal(a->parameters, bl_pipeline_op(p, 0)->parameters, a->op->parameters);
			bl_pipeline_unref(p);
			bl_aug_unref(a);
		}
	}
	setlocale(LC_NUMERIC, "C");
}

/* --- Descriptions of draws ---------------------------------------------------------------------------- */

static void descriptions_are_those_of_the_draws(void **state)
{
	(void)state;
	enum { SIDE = 16 };
	static uint8_t white[SIDE * SIDE];
	static float out[SIDE * SIDE];
	bl_pipeline *p = parse("resize{size = 16}, cutout");
	bl_image in = { .pixels = white, .height = SIDE, .width = SIDE, .channels = 1 };
	int holes = 0;
	memset(white, 255, sizeof white);
	for (uint32_t i = 0; i < 40; i++) {
		bl_plan plan;
		char text[100];
		int left = 0, top = 0, width = 0, height = 0, bad = 0;
		bl_pipeline_plan(p, &(bl_view_key){ .seed = 5, .sample = i }, SIDE, SIDE, 1, &plan);
		bl_pipeline_describe(p, &plan, text, sizeof text);
		assert_int_equal(bl_pipeline_apply(p, &plan, &in, out), 0);
		holes += text[0] != 0;
		if (text[0])
			assert_int_equal(sscanf(text, "cutout %d,%d %dx%d", &left, &top, &width, &height), 4);
		for (int y = 0; y < SIDE; y++)
			for (int x = 0; x < SIDE; x++)
				bad += (out[y * SIDE + x] < .5f) != (x >= left && x < left + width && y >= top && y < top + height);
		assert_int_equal(bad, 0);
	}
	assert_in_range(holes, 10, 30);
	bl_pipeline_unref(p);
}

static void say(const char *name, const void *d, int channels, const char *want)
{
	char text[100];
	bl_aug *a = bl_aug_new(name);
	assert_int_equal(a->op->describe(a->parameters, d, channels, text, sizeof text), strlen(want));
	assert_string_equal(text, want);
	bl_aug_unref(a);
}

/* Every operator describes its draws, and truncates the description to the buffer. */
static void every_operator_describes_its_draws(void **state)
{
	bl_image in = input(false);
	const char *name;
	(void)state;
	for (int k = 0; (name = bl_aug_name_at(k)); k++) {
		bl_aug *a = bl_aug_new(name);
		const operator* op = a->op;
		_Alignas(16) unsigned char draws[BL_PLAN_BYTES];
		char text[BL_SHAPE_TEXT], edge[4];
		bool drawn = false;
		if (op->describe) {
			assert_true(op->draws <= sizeof draws);
			for (uint32_t i = 0; i < 1000 && !drawn; i++) {
				bl_view_key key = { .seed = 5, .sample = i };
				drawing w = { .key = &key, .height = in.height, .width = in.width, .channels = 3 };
				bl_rng_init(&w.rng, 5, 0, i, 0);
				drawn = !op->draw || op->draw(a->parameters, &w, draws);
			}
			if (!drawn)
				fail_msg("%s is never applied", name);
			int length = op->describe(a->parameters, draws, 3, text, sizeof text);
			if (length < 3 || length >= (int)sizeof text || (int)strlen(text) != length)
				fail_msg("%s says '%s', of %d bytes", name, text, length);
			op->describe(a->parameters, draws, 3, edge, sizeof edge);
			assert_memory_equal(edge, text, sizeof edge - 1);
			assert_int_equal(edge[sizeof edge - 1], 0);
		}
		bl_aug_unref(a);
	}
}

static void operators_describe_what_was_drawn(void **state)
{
	(void)state;
	struct jitter_draws jitter = { { 3, 1, 0, 2 }, { 1.25f, .5f, 1.125f, -.0625f } };
	struct crop_draws crop = { { .top = 4, .left = 3, .height = 22, .width = 20 }, false };
	say("crop", &crop, 3, "crop 3,4 20x22");
	say("flip", NULL, 1, "flip");
	say("jitter", &jitter, 3, "hue -0.06, contrast 0.50, brightness 1.25, saturation 1.12");
	say("jitter", &jitter, 1, "contrast 0.50, brightness 1.25");
	say("grayscale", NULL, 3, "grayscale");
	say("blur", &(struct blur_draws){ 1.5f }, 3, "blur 1.50");
	say("solarize", NULL, 3, "solarize 0.50");
	say("affine", &(struct affine_draws){ 3.14159265f / 4, 2, -1, .75f }, 3, "rotate 45.0, shift 2,-1, scale 0.75");
	say("noise", NULL, 3, "noise 0.05");
}

/* The description ends with a null character for any length of the pipeline and any size of the buffer. */
static void descriptions_are_truncated_to_the_buffer(void **state)
{
	(void)state;
	bl_aug *ops[40];
	char text[BL_SHAPE_TEXT], edge[9];
	bl_image in = input(false);
	bl_plan plan;
	for (int i = 0; i < 40; i++)
		ops[i] = WITH("jitter", "p", 1);
	bl_pipeline *p = bl_pipeline_new(ops, 40);
	bl_pipeline_plan(p, &(bl_view_key){ .seed = 5 }, in.height, in.width, 3, &plan);
	bl_pipeline_describe(p, &plan, text, sizeof text);
	assert_int_equal(strlen(text), sizeof text - 1);
	bl_pipeline_describe(p, &plan, edge, sizeof edge);
	assert_memory_equal(edge, text, sizeof edge - 1);
	for (int i = 0; i < 40; i++)
		bl_aug_unref(ops[i]);
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
		cmocka_unit_test(solarize_agrees_with_pil),
		cmocka_unit_test(drawn_boxes_fit_and_cover_the_range),
		cmocka_unit_test(box_that_cannot_fit_is_centred),
		cmocka_unit_test(jitter_draws_every_order_within_its_range),
		cmocka_unit_test(strong_jitter_has_no_factor_below_zero),
		cmocka_unit_test(sides_are_not_confused),
		cmocka_unit_test(same_key_makes_the_same_view),
		cmocka_unit_test(operators_have_independent_draws),
		cmocka_unit_test(repeated_operators_have_streams_of_their_own),
		cmocka_unit_test(names_have_streams_of_their_own),
		cmocka_unit_test(floats_make_the_same_views),
		cmocka_unit_test(floats_are_not_rounded),
		cmocka_unit_test(channels_have_equal_results),
		cmocka_unit_test(what_needs_colour_refuses_other_images),
		cmocka_unit_test(functions_are_operators_too),
		cmocka_unit_test(merging_operators_changes_no_pixel),
		cmocka_unit_test(empty_pipeline_gives_the_image),
		cmocka_unit_test(small_images_are_fine),
		cmocka_unit_test(noise_and_cutout_do_what_they_say),
		cmocka_unit_test(steady_state_allocates_nothing),
		cmocka_unit_test(fields_that_make_no_sense_are_named),
		cmocka_unit_test(images_that_make_no_sense_are_refused),
		cmocka_unit_test(operators_are_written_as_lua),
		cmocka_unit_test(text_is_read_back),
		cmocka_unit_test(levels_are_torchvisions),
		cmocka_unit_test(alternating_flips_alternate),
		cmocka_unit_test(pad_crops_are_uniform),
		cmocka_unit_test(trivial_draws_are_uniform),
		cmocka_unit_test(autocontrast_is_torchvisions),
		cmocka_unit_test(warps_are_torchvisions),
		cmocka_unit_test(sharpness_is_torchvisions),
		cmocka_unit_test(trivial_is_torchvisions),
		cmocka_unit_test(descriptions_are_those_of_the_draws),
		cmocka_unit_test(every_operator_describes_its_draws),
		cmocka_unit_test(operators_describe_what_was_drawn),
		cmocka_unit_test(descriptions_are_truncated_to_the_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
