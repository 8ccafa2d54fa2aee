/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flip.c: mirrors an image from left to right.  After a crop, the pipeline merges the mirroring into the crop. */
#include "augment/operator.h"

#include <stdio.h>

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
	(void)p, (void)d;
	bl_float_image_load(c);
	bl_float_image_mirror(c);
	return 0;
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)p, (void)d, (void)channels;
	return snprintf(buf, size, "flip");
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .position = 1, .settable = true, .help = PROBABILITY),
	BL_FIELD_END,
};

const operator bl_op_flip = {
	.name = "flip",
	.help = "Mirrors left and right.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.mirrors = true,
};
