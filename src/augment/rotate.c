/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rotate.c: rotates or shears about the centre; bilinear, black outside of the image, as in torchvision. */
#include "augment/motion.h"
#include "augment/operator.h"

#include <stdio.h>

#define RADIANS (3.14159265358979323846 / 180)

typedef struct parameters {
	float degrees, x, y, p;
	backend backend;
} parameters;

typedef struct draws {
	float angle, x, y; /* degrees */
} draws;

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	if (bl_rng_uniform(&w->rng) >= p->p)
		return false;
	d->angle = bl_rng_between(&w->rng, -p->degrees, p->degrees);
	d->x = bl_rng_between(&w->rng, -p->x, p->x);
	d->y = bl_rng_between(&w->rng, -p->y, p->y);
	return true;
}

static int apply(const void *p, const void *drawn, float_image *c)
{
	const draws *d = drawn;
	const motion by = { .angle = RADIANS * (double)d->angle,
		            .shear_x = RADIANS * (double)d->x,
		            .shear_y = RADIANS * (double)d->y,
		            .scale = 1 };
	bl_float_image_load(c);
	bl_motion_apply(c, &by, ((const parameters *)p)->backend);
	return 0;
}

static int describe_rotate(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)p, (void)channels;
	return snprintf(buf, size, "rotate %.1f", (double)((const draws *)d)->angle);
}

static int describe_shear(const void *p, const void *drawn, int channels, char *buf, size_t size)
{
	const draws *d = drawn;
	(void)p, (void)channels;
	return snprintf(buf, size, "shear %.1f,%.1f", (double)d->x, (double)d->y);
}

static const bl_field rotate_fields[] = {
	BL_FIELD(FLOAT, parameters, degrees, BL_DEFAULT(30), BL_WITHIN(0, 180), .position = 1,
	         .help = "largest rotation, either way, in degrees"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_rotate = {
	.name = "rotate",
	.help = "Rotates about the centre; bilinear, black outside.",
	.fields = rotate_fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe_rotate,
};

static const bl_field shear_fields[] = {
	BL_FIELD(FLOAT, parameters, x, BL_DEFAULT(10), BL_WITHIN(0, 80), .position = 1,
	         .help = "largest horizontal shear, either way, in degrees"),
	BL_FIELD(FLOAT, parameters, y, BL_DEFAULT(0), BL_WITHIN(0, 80), .position = 2,
	         .help = "largest vertical shear, either way, in degrees"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_shear = {
	.name = "shear",
	.help = "Shears about the centre; bilinear, black outside.",
	.fields = shear_fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe_shear,
};
