/* SPDX-License-Identifier: GPL-3.0-or-later */
/* solarize.c: inverts values of at least a threshold. */
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/tone.h"

#include <stdio.h>

typedef struct parameters {
	float threshold, p;
	backend backend;
} parameters;

static bool draw(const void *p, drawing *w, void *d)
{
	(void)d;
	return bl_rng_uniform(&w->rng) < ((const parameters *)p)->p;
}

static int apply(const void *params, const void *d, float_image *c)
{
	const parameters *p = params;
	(void)d;
	bl_float_image_load(c);
	if (p->backend == BACKEND_PIL)
		bl_pil_solarize(c, p->threshold);
	else
		bl_tone_solarize(c, p->threshold);
	return 0;
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)d, (void)channels;
	return snprintf(buf, size, "solarize %.2f", (double)((const parameters *)p)->threshold);
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, threshold, BL_DEFAULT(128. / 255), BL_WITHIN(0, 1),
	         .help = "values of at least this are inverted"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.2), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_solarize = {
	.name = "solarize",
	.help = "Inverts values from a threshold on.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.needs_unit = true,
};
