/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trivial.c: TrivialAugment wide (Mueller and Hutter 2021, arXiv 2103.10158), as in torchvision: one of 14 equally
 * likely operations with one of 31 strengths.  Geometric operations take the nearest pixel, and are black outside of
 * the image.
 */
#include "augment/motion.h"
#include "augment/operator.h"
#include "augment/tone.h"

#include <barlow/error.h>

#include <math.h>
#include <stdio.h>

#define RADIANS (3.14159265358979323846 / 180)

enum { BINS = 31 };
enum {
	IDENTITY,
	SHEAR_X,
	SHEAR_Y,
	TRANSLATE_X,
	TRANSLATE_Y,
	ROTATE,
	BRIGHTNESS,
	COLOUR,
	CONTRAST,
	SHARPNESS,
	POSTERIZE,
	SOLARIZE,
	AUTOCONTRAST,
	EQUALIZE,
	OPERATIONS
};

/* most: the largest magnitude, that of the highest strength.  Posterize and solarize have their own functions below. */
static const struct {
	const char *name;
	double most;
	bool sign; /* the sign of the magnitude is random */
} operations[OPERATIONS] = {
	{ "identity", 0, false },     { "shear x", .99, true },   { "shear y", .99, true },    { "translate x", 32, true },
	{ "translate y", 32, true },  { "rotate", 135, true },    { "brightness", .99, true }, { "colour", .99, true },
	{ "contrast", .99, true },    { "sharpness", .99, true }, { "posterize", 0, false },   { "solarize", 0, false },
	{ "autocontrast", 0, false }, { "equalize", 0, false },
};

typedef struct parameters {
	backend backend;
} parameters;

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

/* torchvision's threshold, moved half a level down, so that rounding errors of values cannot change the result. */
static float threshold_of(int bin)
{
	return (float)((ceil(255. * (BINS - 1 - bin) / (BINS - 1)) - .5) / 255);
}

static double magnitude_of(const draws *d)
{
	double m = operations[d->operation].most * d->bin / (BINS - 1);
	return d->negative ? -m : m;
}

/*
 * Rotations are counter-clockwise.  The fixed point of shears is the upper left corner, that of other motions the
 * centre.
 */
static motion motion_of(int operation, double magnitude)
{
	motion by = { .scale = 1, .corner = operation == SHEAR_X || operation == SHEAR_Y, .nearest = true };
	switch (operation) {
	case ROTATE: by.angle = -magnitude * RADIANS; break;
	case SHEAR_X: by.shear_x = atan(magnitude); break;
	case SHEAR_Y: by.shear_y = atan(magnitude); break;
	case TRANSLATE_X: by.dx = trunc(magnitude); break;
	default: by.dy = trunc(magnitude);
	}
	return by;
}

/* Grey images are unchanged. */
static void pil_colour(float_image *c, float f)
{
	if (c->channels == 3)
		bl_pil_saturation(c, f);
}

typedef void blend(float_image *c, float f);
static blend *const blends[OPERATIONS][2] = {
	[BRIGHTNESS] = { [BACKEND_TENSOR] = bl_tone_brightness, [BACKEND_PIL] = bl_pil_brightness },
	[COLOUR] = { [BACKEND_TENSOR] = bl_tone_saturation, [BACKEND_PIL] = pil_colour },
	[CONTRAST] = { [BACKEND_TENSOR] = bl_tone_contrast, [BACKEND_PIL] = bl_pil_contrast },
	[SHARPNESS] = { [BACKEND_TENSOR] = bl_tone_sharpness, [BACKEND_PIL] = bl_pil_sharpness },
};

/* Posterize, solarize and equalize are the same in both backends. */
static void change(float_image *c, const draws *d, backend way)
{
	switch (d->operation) {
	case POSTERIZE: bl_tone_posterize(c, bits_of(d->bin)); break;
	case SOLARIZE: bl_tone_solarize(c, threshold_of(d->bin)); break;
	case AUTOCONTRAST: (way == BACKEND_PIL ? bl_pil_autocontrast : bl_tone_autocontrast)(c); break;
	case EQUALIZE: bl_tone_equalize(c); break;
	default: blends[d->operation][way](c, (float)(1 + magnitude_of(d)));
	}
}

static int apply(const void *p, const void *drawn, float_image *c)
{
	const draws *d = drawn;
	backend way = ((const parameters *)p)->backend;
	bl_float_image_load(c);
	if (way == BACKEND_PIL)
		bl_pil_round(c);
	if (d->operation <= ROTATE) {
		motion by = motion_of(d->operation, magnitude_of(d));
		bl_motion_apply(c, &by, way);
	} else {
		change(c, d, way);
	}
	return 0;
}

static int accepts(const void *p, int channels)
{
	(void)p;
	return channels == 1 || channels == 3 ? 0 : bl_fail("it needs images of 1 or 3 channels, these have %d", channels);
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

static const bl_field fields[] = { BACKEND_FIELD, BL_FIELD_END };

const operator bl_op_trivial = {
	.name = "trivial",
	.help = "TrivialAugment (wide): one of 14 operations, with one of 31 strengths.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.accepts = accepts,
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.needs_unit = true,
};
