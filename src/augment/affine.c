/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * affine.c: rotation, translation and scale about the centre, bilinear, 0 outside.
 *
 * As torchvision's RandomAffine with bilinear interpolation: output pixel
 * centre o comes from input M^-1 (o - centre - shift) + centre.
 */
#include "augment/operator.h"

#include <math.h>
#include <stdio.h>

#define RADIANS (3.14159265358979f / 180)

typedef struct parameters {
	float degrees, translate, scale[2], p;
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

static int within(int i, int n)
{
	return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* Value at (x, y), pixel centres at halves. */
static float bilinear(const float *p, int height, int width, float x, float y)
{
	if (!(x >= 0 && x < (float)width && y >= 0 && y < (float)height))
		return 0;
	x -= 0.5f;
	y -= 0.5f;
	int left = (int)floorf(x), top = (int)floorf(y);
	float right = x - (float)left, low = y - (float)top;
	const float *a = p + (size_t)within(top, height) * (size_t)width;
	const float *b = p + (size_t)within(top + 1, height) * (size_t)width;
	int l = within(left, width), r = within(left + 1, width);
	float above = a[l] + right * (a[r] - a[l]), below = b[l] + right * (b[r] - b[l]);
	return above + low * (below - above);
}

static int apply(const void *p, const void *drawn, canvas *c)
{
	(void)p;
	const draws *d = drawn;
	float cx = 0.5f * (float)c->width, cy = 0.5f * (float)c->height;
	float cosine = cosf(d->angle) / d->scale, sine = sinf(d->angle) / d->scale;
	bl_canvas_load(c);
	for (int y = 0; y < c->height; y++)
		for (int x = 0; x < c->width; x++) {
			float u = (float)x + 0.5f - cx - d->dx, v = (float)y + 0.5f - cy - d->dy;
			float from_x = cosine * u + sine * v + cx, from_y = cosine * v - sine * u + cy;
			size_t at = (size_t)y * (size_t)c->width + (size_t)x;
			for (int k = 0; k < c->channels; k++)
				c->spare[(size_t)k * c->plane + at] =
					bilinear(c->data + (size_t)k * c->plane, c->height, c->width, from_x, from_y);
		}
	bl_canvas_swap(c);
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
	BL_FIELD(FLOAT, parameters, degrees, BL_DEFAULT(10), BL_WITHIN(0, 180), .help = "turned by up to so much, either way"),
	BL_FIELD(FLOAT, parameters, translate, BL_DEFAULT(.1), BL_WITHIN(0, 1),
		 .help = "moved by up to this part of the width, and of the height, either way"),
	BL_FIELD(PAIR, parameters, scale, BL_DEFAULT(.9, 1.1), BL_WITHIN(.01, 100), .help = "made larger or smaller by this"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BL_FIELD_END,
};

const operator bl_op_affine = {
	.name = "affine",
	.help = "Turned, moved and scaled about the centre, bilinear, black outside.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe,
};
