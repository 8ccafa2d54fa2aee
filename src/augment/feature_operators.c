/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feature_operators.c: operators for feature vectors, whose values may be any numbers: noise, and masked features. */
#include "augment/operator.h"

#include <stdio.h>

typedef struct noise {
	float std, p;
} noise;

typedef struct mask {
	float p, value;
} mask;

typedef struct draws {
	bl_rng rng;
} draws;

static bool draw_noise(const void *p, drawing *w, void *d)
{
	if (bl_rng_uniform(&w->rng) >= ((const noise *)p)->p)
		return false;
	((draws *)d)->rng = w->rng;
	return true;
}

static int apply_noise(const void *params, const void *d, float_image *c)
{
	const noise *p = params;
	bl_rng r = ((const draws *)d)->rng;
	bl_float_image_load(c);
	for (int k = 0; k < c->channels; k++)
		for (size_t i = 0; i < (size_t)c->height * (size_t)c->width; i++)
			c->data[(size_t)k * c->plane + i] += p->std * bl_rng_normal(&r);
	return 0;
}

static int describe_noise(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)d, (void)channels;
	return snprintf(buf, size, "noise %.2f", (double)((const noise *)p)->std);
}

static bool draw_mask(const void *p, drawing *w, void *d)
{
	(void)p;
	((draws *)d)->rng = w->rng;
	return true;
}

static int apply_mask(const void *params, const void *d, float_image *c)
{
	const mask *p = params;
	bl_rng r = ((const draws *)d)->rng;
	bl_float_image_load(c);
	for (int k = 0; k < c->channels; k++)
		for (size_t i = 0; i < (size_t)c->height * (size_t)c->width; i++)
			if (bl_rng_uniform(&r) < p->p)
				c->data[(size_t)k * c->plane + i] = p->value;
	return 0;
}

static int describe_mask(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)d, (void)channels;
	return snprintf(buf, size, "mask %.2f", (double)((const mask *)p)->p);
}

static const bl_field noise_fields[] = {
	BL_FIELD(FLOAT, noise, std, BL_DEFAULT(.1), BL_WITHIN(0, 1e6), .position = 1, .help = "standard deviation of the noise"),
	BL_FIELD(FLOAT, noise, p, BL_DEFAULT(1), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BL_FIELD_END,
};
static const bl_field mask_fields[] = {
	BL_FIELD(FLOAT, mask, p, BL_DEFAULT(.2), BL_WITHIN(0, 1), .position = 1, .help = "probability that a feature is replaced"),
	BL_FIELD(FLOAT, mask, value, BL_DEFAULT(0), BL_WITHIN(-1e9, 1e9),
	         .help = "the value that replaces it; 0 is the mean of standardised features"),
	BL_FIELD_END,
};

const operator bl_op_feature_noise = {
	.name = "feature_noise",
	.help = "For vectors: adds Gaussian noise, drawn for each feature.",
	.fields = noise_fields,
	.parameters = sizeof(noise),
	.draws = sizeof(draws),
	.draw = draw_noise,
	.apply = apply_noise,
	.describe = describe_noise,
	.vectors = bl_operator_any,
};

const operator bl_op_feature_mask = {
	.name = "feature_mask",
	.help = "For vectors: replaces each feature by a value, with probability p.",
	.fields = mask_fields,
	.parameters = sizeof(mask),
	.draws = sizeof(draws),
	.draw = draw_mask,
	.apply = apply_mask,
	.describe = describe_mask,
	.vectors = bl_operator_any,
};
