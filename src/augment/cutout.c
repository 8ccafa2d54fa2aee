/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cutout.c: a square of zeros, its centre anywhere (DeVries and Taylor 2017); after normalize zero is the mean. */
#include "augment/operator.h"

#include <math.h>
#include <string.h>

/* [*from, *from + *length): side pixels around a centre drawn in 0..n-1, cut off at the ends. */
static void draw_span(bl_rng *r, int side, int n, int *from, int *length)
{
	int start = (int)bl_rng_below(r, (uint32_t)n) - side / 2;
	int end = start + side < n ? start + side : n;
	*from = start < 0 ? 0 : start;
	*length = end - *from;
}

static void draw_hole(const bl_aug *a, bl_rng *r, int height, int width, draw *d)
{
	int side = (int)lrintf(a->hole * (float)(height < width ? height : width));
	draw_span(r, side < 1 ? 1 : side, height, &d->box.top, &d->box.height);
	draw_span(r, side < 1 ? 1 : side, width, &d->box.left, &d->box.width);
}

static int apply(const bl_aug *a, const draw *d, canvas *c)
{
	(void)a;
	bl_canvas_load(c);
	for (int k = 0; k < c->channels; k++)
		for (int y = 0; y < d->box.height; y++) {
			size_t at = (size_t)(d->box.top + y) * (size_t)c->width + (size_t)d->box.left;
			memset(c->data + (size_t)k * c->plane + at, 0, (size_t)d->box.width * sizeof(float));
		}
	return 0;
}

static const field fields[] = {
	{ "size", FIELD_FLOAT, offsetof(bl_aug, hole), 0, 1 }, FIELD_P, FIELD_END,
};

const operator bl_op_cutout = {
	.name = "cutout",
	.fields = fields,
	.defaults = { .kind = BL_AUG_CUTOUT, .p = 0.5f, .hole = 0.3f },
	.draw = draw_hole,
	.apply = apply,
};
