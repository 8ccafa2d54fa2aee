/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * affine.c: rotation, translation and scale about the centre, bilinear, 0 outside.
 *
 * As torchvision's RandomAffine with bilinear interpolation: output pixel
 * centre o comes from input M^-1 (o - centre - shift) + centre.
 */
#include "augment/operator.h"

#include <math.h>

#define RADIANS (3.14159265358979f / 180)

static void draw_motion(const bl_aug *a, bl_rng *r, int height, int width, draw *d)
{
	float x = a->translate * (float)width, y = a->translate * (float)height;
	d->affine.angle = RADIANS * bl_rng_between(r, -a->degrees, a->degrees);
	d->affine.dx = rintf(bl_rng_between(r, -x, x));
	d->affine.dy = rintf(bl_rng_between(r, -y, y));
	d->affine.scale = bl_rng_between(r, a->scale[0], a->scale[1]);
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

static int apply(const bl_aug *a, const draw *d, canvas *c)
{
	(void)a;
	float cx = 0.5f * (float)c->width, cy = 0.5f * (float)c->height;
	float cosine = cosf(d->affine.angle) / d->affine.scale, sine = sinf(d->affine.angle) / d->affine.scale;
	bl_canvas_load(c);
	for (int y = 0; y < c->height; y++)
		for (int x = 0; x < c->width; x++) {
			float u = (float)x + 0.5f - cx - d->affine.dx, v = (float)y + 0.5f - cy - d->affine.dy;
			float from_x = cosine * u + sine * v + cx, from_y = cosine * v - sine * u + cy;
			size_t at = (size_t)y * (size_t)c->width + (size_t)x;
			for (int k = 0; k < c->channels; k++)
				c->spare[(size_t)k * c->plane + at] =
					bilinear(c->data + (size_t)k * c->plane, c->height, c->width, from_x, from_y);
		}
	bl_canvas_swap(c);
	return 0;
}

static const field fields[] = {
	FIELD(FLOAT, degrees, 0, 180), FIELD(FLOAT, translate, 0, 1), FIELD(PAIR, scale, 0.01, 100), FIELD_P, FIELD_END,
};

const operator bl_op_affine = {
	.name = "affine",
	.fields = fields,
	.defaults = { .kind = BL_AUG_AFFINE, .p = 0.5f, .degrees = 10, .translate = 0.1f, .scale = { 0.9f, 1.1f } },
	.draw = draw_motion,
	.apply = apply,
};
