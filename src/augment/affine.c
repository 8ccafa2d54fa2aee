/* SPDX-License-Identifier: GPL-3.0-or-later */
/* affine.c: rotation, translation and scaling about the centre, as in torchvision's RandomAffine (bilinear). */
#include "augment/motion.h"
#include "augment/operator.h"

#include <math.h>
#include <stdio.h>

#define RADIANS (3.14159265358979f / 180)

typedef struct parameters {
	float degrees, translate, scale[2], p;
	backend backend;
} parameters;

typedef struct draws {
	float angle, dx, dy, scale; /* radians, pixels */
} draws;

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	float x = p->translate * (float)w->width, y = p->translate * (float)w->height;
	if (bl_rng_uniform(&w->rng) >= p->p)
		return false;
	d->angle = RADIANS * bl_rng_between(&w->rng, -p->degrees, p->degrees);
	d->dx = rintf(bl_rng_between(&w->rng, -x, x));
	d->dy = rintf(bl_rng_between(&w->rng, -y, y));
	d->scale = bl_rng_between(&w->rng, p->scale[0], p->scale[1]);
	return true;
}

static int apply(const void *p, const void *drawn, float_image *c)
{
	const draws *d = drawn;
	bl_float_image_load(c);
	bl_motion_apply(c,
	                &(motion){ .angle = (double)d->angle, .scale = (double)d->scale, .dx = (double)d->dx, .dy = (double)d->dy },
	                ((const parameters *)p)->backend);
	return 0;
}

static int describe(const void *p, const void *drawn, int channels, char *buf, size_t size)
{
	(void)p, (void)channels;
	const draws *d = drawn;
	return snprintf(buf, size, "rotate %.1f, shift %.0f,%.0f, scale %.2f", (double)(d->angle / RADIANS), (double)d->dx,
	                (double)d->dy, (double)d->scale);
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, degrees, BL_DEFAULT(10), BL_WITHIN(0, 180), .help = "largest rotation, either way, in degrees"),
	BL_FIELD(FLOAT, parameters, translate, BL_DEFAULT(.1), BL_WITHIN(0, 1),
	         .help = "largest shift, either way, as a fraction of width and height"),
	BL_FIELD(PAIR, parameters, scale, BL_DEFAULT(.9, 1.1), BL_WITHIN(.01, 100), .help = "range of the scale factor"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_affine = {
	.name = "affine",
	.help = "Rotates about the centre, shifts and scales; bilinear, black outside.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe,
};
