/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vflip.c: mirrors an image from top to bottom. */
#include "augment/operator.h"

#include <stdio.h>
#include <string.h>

typedef struct parameters {
	float p;
} parameters;

static bool draw(const void *p, drawing *w, void *d)
{
	(void)d;
	return bl_rng_uniform(&w->rng) < ((const parameters *)p)->p;
}

static int apply(const void *p, const void *d, float_image *c)
{
	size_t width = (size_t)c->width, height = (size_t)c->height;
	(void)p, (void)d;
	bl_float_image_load(c);
	for (size_t k = 0; k < (size_t)c->channels; k++)
		for (size_t y = 0; y < height; y++)
			memcpy(c->spare + k * c->plane + y * width, c->data + k * c->plane + (height - 1 - y) * width,
			       width * sizeof(float));
	bl_float_image_swap(c);
	return 0;
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)p, (void)d, (void)channels;
	return snprintf(buf, size, "vflip");
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .position = 1, .settable = true, .help = PROBABILITY),
	BL_FIELD_END,
};

const operator bl_op_vflip = {
	.name = "vflip",
	.help = "Mirrors top and bottom.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draw = draw,
	.apply = apply,
	.describe = describe,
};
