/* SPDX-License-Identifier: GPL-3.0-or-later */
/* grayscale.c: replaces all three channels by the grey of the colour. */
#include "augment/grey.h"
#include "augment/operator.h"
#include "augment/pil.h"

#include <barlow/error.h>

#include <stdio.h>

typedef struct parameters {
	float p;
	backend backend;
} parameters;

BL_CLONES static void grey_planes(float *restrict r, float *restrict g, float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r[i] = g[i] = b[i] = GREY(r[i], g[i], b[i]);
}

static bool draw(const void *p, drawing *w, void *d)
{
	(void)d;
	return bl_rng_uniform(&w->rng) < ((const parameters *)p)->p;
}

static int apply(const void *p, const void *d, float_image *c)
{
	(void)d;
	bl_float_image_load(c);
	if (c->channels == 3 && ((const parameters *)p)->backend == BACKEND_PIL)
		bl_pil_grey(c);
	else if (c->channels == 3)
		grey_planes(c->data, c->data + c->plane, c->data + 2 * c->plane, (size_t)c->height * (size_t)c->width);
	return 0;
}

static int accepts(const void *p, int channels)
{
	(void)p;
	return channels == 1 || channels == 3 ? 0 : bl_fail("it needs images of 1 or 3 channels, these have %d", channels);
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)p, (void)d, (void)channels;
	return snprintf(buf, size, "grayscale");
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.2), BL_WITHIN(0, 1), .position = 1, .settable = true, .help = PROBABILITY),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_grayscale = {
	.name = "grayscale",
	.help = "Removes colour.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.accepts = accepts,
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.needs_unit = true,
};
