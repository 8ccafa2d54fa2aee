/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cutout.c: sets a square with a random centre to 0 (DeVries and Taylor 2017).  After normalisation, 0 is the mean of
 * the data.
 */
#include "augment/operator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct parameters {
	float size, p;
} parameters;

typedef struct draws {
	int top, left, height, width;
} draws;

/* Draws a centre in 0..n-1, and sets [*from, *from + *length) to those of the `side` pixels around it that are in 0..n-1. */
static void draw_span(bl_rng *r, int side, int n, int *from, int *length)
{
	int start = (int)bl_rng_below(r, (uint32_t)n) - side / 2;
	int end = start + side < n ? start + side : n;
	*from = start < 0 ? 0 : start;
	*length = end - *from;
}

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	int side = (int)lrintf(p->size * (float)(w->height < w->width ? w->height : w->width));
	side = side < 1 ? 1 : side;
	if (bl_rng_uniform(&w->rng) >= p->p)
		return false;
	draw_span(&w->rng, side, w->height, &d->top, &d->height);
	draw_span(&w->rng, side, w->width, &d->left, &d->width);
	return true;
}

static int apply(const void *p, const void *drawn, float_image *c)
{
	const draws *d = drawn;
	(void)p;
	bl_float_image_load(c);
	for (int k = 0; k < c->channels; k++)
		for (int y = 0; y < d->height; y++) {
			size_t at = (size_t)(d->top + y) * (size_t)c->width + (size_t)d->left;
			memset(c->data + (size_t)k * c->plane + at, 0, (size_t)d->width * sizeof(float));
		}
	return 0;
}

static int describe(const void *p, const void *drawn, int channels, char *buf, size_t size)
{
	const draws *d = drawn;
	(void)p, (void)channels;
	return snprintf(buf, size, "cutout %d,%d %dx%d", d->left, d->top, d->width, d->height);
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, size, BL_DEFAULT(.3), BL_WITHIN(0, 1), .position = 1,
	         .help = "side of the square as a fraction of the image's shorter side"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BL_FIELD_END,
};

const operator bl_op_cutout = {
	.name = "cutout",
	.help = "Sets a square to 0, with its centre anywhere in the image.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe,
};
