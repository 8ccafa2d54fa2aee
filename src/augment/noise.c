/* SPDX-License-Identifier: GPL-3.0-or-later */
/* noise.c: Gaussian noise, independent for every value. */
#include "augment/operator.h"

#include <stdio.h>

typedef struct parameters {
	float std, p;
} parameters;

typedef struct draws {
	bl_rng rng;
} draws;

static bool draw(const void *p, drawing *w, void *d)
{
	if (bl_rng_uniform(&w->rng) >= ((const parameters *)p)->p)
		return false;
	((draws *)d)->rng = w->rng;
	return true;
}

static int apply(const void *params, const void *d, float_image *c)
{
	const parameters *p = params;
	bl_rng r = ((const draws *)d)->rng;
	bl_float_image_load(c);
	for (int k = 0; k < c->channels; k++) {
		float *x = c->data + (size_t)k * c->plane;
		for (size_t i = 0; i < (size_t)c->height * (size_t)c->width; i++) {
			float v = x[i] + p->std * bl_rng_normal(&r);
			x[i] = v < 0 ? 0 : v > 1 ? 1 : v;
		}
	}
	return 0;
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)d, (void)channels;
	return snprintf(buf, size, "noise %.2f", (double)((const parameters *)p)->std);
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, std, BL_DEFAULT(.05), BL_WITHIN(0, 100), .position = 1,
	         .help = "standard deviation of the noise, for values from 0 to 1"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BL_FIELD_END,
};

const operator bl_op_noise = {
	.name = "noise",
	.help = "Adds Gaussian noise, drawn for each value.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.needs_unit = true,
};
