/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * levels.c: operators that change the values of pixels; tone.c and pil.c compute them.  Invert, posterize and equalize
 * change levels exactly as PIL changes bytes, and therefore have no field `backend`.
 */
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/tone.h"

#include <stdio.h>

typedef struct parameters {
	float p;
	int bits;     /* used by posterize only */
	float factor; /* used by sharpness only */
	backend backend;
} parameters;

static bool draw(const void *p, drawing *w, void *d)
{
	(void)d;
	return bl_rng_uniform(&w->rng) < ((const parameters *)p)->p;
}

#define CHANCE(default_) \
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(default_), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY)

static int apply_invert(const void *p, const void *d, float_image *c)
{
	(void)p, (void)d;
	bl_float_image_load(c);
	bl_tone_invert(c);
	return 0;
}

static int apply_posterize(const void *p, const void *d, float_image *c)
{
	(void)d;
	bl_float_image_load(c);
	bl_tone_posterize(c, ((const parameters *)p)->bits);
	return 0;
}

static int apply_autocontrast(const void *p, const void *d, float_image *c)
{
	(void)d;
	bl_float_image_load(c);
	(((const parameters *)p)->backend == BACKEND_PIL ? bl_pil_autocontrast : bl_tone_autocontrast)(c);
	return 0;
}

static int apply_equalize(const void *p, const void *d, float_image *c)
{
	(void)p, (void)d;
	bl_float_image_load(c);
	bl_tone_equalize(c);
	return 0;
}

static int apply_sharpness(const void *params, const void *d, float_image *c)
{
	const parameters *p = params;
	(void)d;
	bl_float_image_load(c);
	(p->backend == BACKEND_PIL ? bl_pil_sharpness : bl_tone_sharpness)(c, p->factor);
	return 0;
}

static int describe_invert(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)p, (void)d, (void)channels;
	return snprintf(buf, size, "invert");
}

static int describe_posterize(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)d, (void)channels;
	return snprintf(buf, size, "posterize %d", ((const parameters *)p)->bits);
}

static int describe_autocontrast(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)p, (void)d, (void)channels;
	return snprintf(buf, size, "autocontrast");
}

static int describe_equalize(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)p, (void)d, (void)channels;
	return snprintf(buf, size, "equalize");
}

static int describe_sharpness(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)d, (void)channels;
	return snprintf(buf, size, "sharpness %.2f", (double)((const parameters *)p)->factor);
}

static const bl_field chance_fields[] = { CHANCE(.5), BL_FIELD_END };
static const bl_field autocontrast_fields[] = { CHANCE(.5), BACKEND_FIELD, BL_FIELD_END };
static const bl_field posterize_fields[] = {
	BL_FIELD(INT, parameters, bits, BL_DEFAULT(4), BL_WITHIN(1, 8), .help = "number of highest bits, of 8, that are kept"),
	CHANCE(.5),
	BL_FIELD_END,
};
static const bl_field sharpness_fields[] = {
	BL_FIELD(FLOAT, parameters, factor, BL_DEFAULT(2), BL_WITHIN(0, 100), .help = "0: smoothed, 1: unchanged, 2: sharpened"),
	CHANCE(.5),
	BACKEND_FIELD,
	BL_FIELD_END,
};

/* clang-format off */
#define LEVELS(name_, fields_, help_) \
	const operator bl_op_##name_ = { \
		.name = #name_, .help = help_, .fields = fields_, .parameters = sizeof(parameters), .draw = draw, \
		.apply = apply_##name_, .describe = describe_##name_, .needs_unit = true, \
	}
/* clang-format on */
LEVELS(invert, chance_fields, "Inverts all values: 1 - x.");
LEVELS(posterize, posterize_fields, "Reduces the number of levels: sets the lowest bits of 8 to 0.");
LEVELS(autocontrast, autocontrast_fields, "Stretches each channel so that its darkest and lightest values become 0 and 1.");
LEVELS(equalize, chance_fields, "Equalises the histogram of each channel (256 levels).");
LEVELS(sharpness, sharpness_fields, "Sharpens or smooths.");
