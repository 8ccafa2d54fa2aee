/* SPDX-License-Identifier: GPL-3.0-or-later */
/* elastic.c: displaces pixels by smooth random displacements (Simard et al. 2003), as in torchvision. */
#include "augment/blur.h"
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/warp.h"

#include <barlow/memory.h>

#include <stdio.h>

#define REACH 4.f /* half the width of the smoothing kernel, in sigmas */

typedef struct parameters {
	float alpha, sigma, p;
	backend backend;
} parameters;

typedef struct draws {
	bl_rng rng;
} draws;

static bool draw(const void *params, drawing *w, void *d)
{
	const parameters *p = params;
	bool applies = bl_rng_uniform(&w->rng) < p->p;
	((draws *)d)->rng = w->rng;
	return applies;
}

/*
 * Fills two planes with smoothed noise: horizontal and vertical displacements in pixels.  As in torchvision, the horizontal
 * ones are multiplied by width / height, and the vertical ones by height / width.
 */
static int displace(const parameters *p, bl_rng *r, float_image *field)
{
	size_t n = (size_t)field->height * (size_t)field->width;
	float aspect = (float)field->width / (float)field->height;
	for (size_t i = 0; i < 2 * n; i++)
		field->data[i] = bl_rng_between(r, -1, 1);
	if (bl_blur(field, p->sigma, REACH) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		field->data[i] *= .5f * p->alpha * aspect;
		field->data[n + i] *= .5f * p->alpha / aspect;
	}
	return 0;
}

/* The pil backend rounds before and after the displacement, as torchvision does by converting PIL images to bytes. */
static int apply(const void *params, const void *d, float_image *c)
{
	const parameters *p = params;
	bl_rng r = ((const draws *)d)->rng;
	size_t n = (size_t)c->height * (size_t)c->width;
	float_image field = { .channels = 2, .height = c->height, .width = c->width, .plane = n };
	field.data = bl_scratch(SLOT_TAPS, 2 * n * sizeof *field.data);
	bl_float_image_load(c);
	if (!field.data || displace(p, &r, &field) < 0)
		return -1;
	if (p->backend == BACKEND_PIL)
		bl_pil_round(c);
	bl_warp_by(c, field.data, field.data + n);
	if (p->backend == BACKEND_PIL)
		bl_pil_round(c);
	return 0;
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)d, (void)channels;
	return snprintf(buf, size, "elastic %.0f", (double)((const parameters *)p)->alpha);
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, alpha, BL_DEFAULT(50), BL_WITHIN(0, 10000), .position = 1,
	         .help = "strength: a pixel moves by half the strength, in pixels, times a smoothed noise from -1 to 1"),
	BL_FIELD(FLOAT, parameters, sigma, BL_DEFAULT(5), BL_WITHIN(.3, 100), .position = 2,
	         .help = "standard deviation of the smoothing, pixels"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_elastic = {
	.name = "elastic",
	.help = "Displaces pixels by smooth noise, as if seen through water.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe,
};
