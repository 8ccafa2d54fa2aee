/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trivial.c: TrivialAugment wide (Mueller and Hutter 2021, arXiv 2103.10158), as torchvision has it on tensors: one of 14
 * operations, each as likely, with one of 31 strengths; geometry by the nearest pixel, black outside.
 */
#include "augment/operator.h"
#include "augment/tone.h"
#include "augment/warp.h"

#include <barlow/error.h>

#include <math.h>
#include <stdio.h>

enum { BINS = 31 };
enum {
	IDENTITY, SHEAR_X, SHEAR_Y, TRANSLATE_X, TRANSLATE_Y, ROTATE, BRIGHTNESS, COLOUR, CONTRAST, SHARPNESS, POSTERIZE,
	SOLARIZE, AUTOCONTRAST, EQUALIZE, OPERATIONS
};

/* What the strongest of them does, the weakest doing least; of posterize and solarize see below. */
static const struct {
	const char *name;
	double most;
	bool sign; /* either way */
} operations[OPERATIONS] = {
	{ "identity", 0, false },   { "shear x", .99, true },   { "shear y", .99, true },   { "translate x", 32, true },
	{ "translate y", 32, true }, { "rotate", 135, true },   { "brightness", .99, true }, { "colour", .99, true },
	{ "contrast", .99, true },  { "sharpness", .99, true }, { "posterize", 0, false },  { "solarize", 0, false },
	{ "autocontrast", 0, false }, { "equalize", 0, false },
};

typedef struct draws {
	int operation, bin;
	bool negative;
} draws;

static bool draw(const void *p, drawing *w, void *drawn)
{
	draws *d = drawn;
	(void)p;
	d->operation = (int)bl_rng_below(&w->rng, OPERATIONS);
	d->bin = (int)bl_rng_below(&w->rng, BINS);
	d->negative = operations[d->operation].sign && bl_rng_below(&w->rng, 2);
	return d->operation != IDENTITY;
}

static int bits_of(int bin)
{
	return 8 - (int)lrint(bin / ((BINS - 1) / 6.));
}

/* Of 8-bit levels, half way to the one below, which is what rounding leaves certain. */
static float threshold_of(int bin)
{
	return (float)((ceil(255. * (BINS - 1 - bin) / (BINS - 1)) - .5) / 255);
}

static double magnitude_of(const draws *d)
{
	double m = operations[d->operation].most * d->bin / (BINS - 1);
	return d->negative ? -m : m;
}

/* Turning is counter-clockwise; shears leave the upper left corner where it is, the rest the centre. */
static void move(canvas *c, const draws *d, double magnitude)
{
	double m[8], shear = atan(magnitude), cx = -.5 * c->width, cy = -.5 * c->height;
	bool shears = d->operation == SHEAR_X || d->operation == SHEAR_Y;
	bl_warp_affine(m, d->operation == ROTATE ? -magnitude * 3.14159265358979323846 / 180 : 0,
		       d->operation == SHEAR_X ? shear : 0, d->operation == SHEAR_Y ? shear : 0,
		       d->operation == TRANSLATE_X ? trunc(magnitude) : 0, d->operation == TRANSLATE_Y ? trunc(magnitude) : 0);
	if (shears) {
		m[2] += cx - m[0] * cx - m[1] * cy;
		m[5] += cy - m[3] * cx - m[4] * cy;
	}
	bl_warp(c, m, true);
}

static int apply(const void *p, const void *drawn, canvas *c)
{
	const draws *d = drawn;
	double m = magnitude_of(d);
	(void)p;
	bl_canvas_load(c);
	switch (d->operation) {
	case BRIGHTNESS: bl_tone_brightness(c, (float)(1 + m)); break;
	case COLOUR: bl_tone_saturation(c, (float)(1 + m)); break;
	case CONTRAST: bl_tone_contrast(c, (float)(1 + m)); break;
	case SHARPNESS: bl_tone_sharpness(c, (float)(1 + m)); break;
	case POSTERIZE: bl_tone_posterize(c, bits_of(d->bin)); break;
	case SOLARIZE: bl_tone_solarize(c, threshold_of(d->bin)); break;
	case AUTOCONTRAST: bl_tone_autocontrast(c); break;
	case EQUALIZE: bl_tone_equalize(c); break;
	default: move(c, d, m);
	}
	return 0;
}

static int accepts(const void *p, int channels)
{
	(void)p;
	return channels == 1 || channels == 3 ? 0 : bl_fail("it needs images of 3 channels, or 1, these have %d", channels);
}

static int describe(const void *p, const void *drawn, int channels, char *buf, size_t size)
{
	const draws *d = drawn;
	const char *name = operations[d->operation].name;
	(void)p, (void)channels;
	if (d->operation == POSTERIZE)
		return snprintf(buf, size, "%s %d", name, bits_of(d->bin));
	if (d->operation == SOLARIZE)
		return snprintf(buf, size, "%s %.2f", name, (double)threshold_of(d->bin));
	if (d->operation == AUTOCONTRAST || d->operation == EQUALIZE)
		return snprintf(buf, size, "%s", name);
	return snprintf(buf, size, "%s %.2f", name, magnitude_of(d));
}

static const bl_field fields[] = { BL_FIELD_END };

const operator bl_op_trivial = {
	.name = "trivial",
	.help = "TrivialAugment, wide: one of 14 operations, of any of 31 strengths.",
	.fields = fields,
	.draws = sizeof(draws),
	.accepts = accepts,
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.needs_unit = true,
};
