/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crop.c: random resized crop, and the whole image resized. */
#include "augment/resample.h"

#include <math.h>

enum { TRIES = 10 };

/* The largest centred box whose ratio (width / height) is allowed. */
static struct box centred(const bl_aug *a, int height, int width)
{
	struct box b = { 0, 0, height, width };
	float ratio = (float)width / (float)height;
	if (ratio < a->ratio[0])
		b.height = (int)lrintf((float)width / a->ratio[0]);
	else if (ratio > a->ratio[1])
		b.width = (int)lrintf((float)height * a->ratio[1]);
	b.height = b.height < 1 ? 1 : b.height > height ? height : b.height;
	b.width = b.width < 1 ? 1 : b.width > width ? width : b.width;
	b.top = (height - b.height) / 2;
	b.left = (width - b.width) / 2;
	return b;
}

/* torchvision's rule: area uniform in scale, log of the ratio uniform, ten tries to fit, else the centre. */
static void draw_crop(const bl_aug *a, bl_rng *r, int height, int width, draw *d)
{
	float area = (float)height * (float)width;
	for (int i = 0; i < TRIES; i++) {
		float target = area * bl_rng_between(r, a->scale[0], a->scale[1]);
		float ratio = expf(bl_rng_between(r, logf(a->ratio[0]), logf(a->ratio[1])));
		float w = rintf(sqrtf(target * ratio)), h = rintf(sqrtf(target / ratio));
		if (w < 1 || h < 1 || w > (float)width || h > (float)height)
			continue;
		d->box.height = (int)h;
		d->box.width = (int)w;
		d->box.top = (int)bl_rng_below(r, (uint32_t)(height - (int)h + 1));
		d->box.left = (int)bl_rng_below(r, (uint32_t)(width - (int)w + 1));
		return;
	}
	d->box = centred(a, height, width);
}

static void draw_whole(const bl_aug *a, bl_rng *r, int height, int width, draw *d)
{
	(void)a, (void)r;
	d->box = (struct box){ 0, 0, height, width };
}

static int apply(const bl_aug *a, const draw *d, canvas *c)
{
	const struct box *b = &d->box;
	patch from = { (float)b->top, (float)b->left, (float)b->height, (float)b->width };
	return bl_resample(c, from, a->size, a->size, d->mirror);
}

static const field crop_fields[] = {
	FIELD(INT, size, 1, 16384), FIELD(PAIR, scale, 1e-6, 1), FIELD(PAIR, ratio, 1e-3, 1e3), FIELD_END,
};

const operator bl_op_crop = {
	.name = "crop",
	.fields = crop_fields,
	.defaults = { .kind = BL_AUG_CROP, .size = 224, .scale = { 0.08f, 1 }, .ratio = { 3.0f / 4, 4.0f / 3 } },
	.draw = draw_crop,
	.apply = apply,
	.always = true,
	.sizes = true,
	.values = true,
};

static const field resize_fields[] = { FIELD(INT, size, 1, 16384), FIELD_END };

const operator bl_op_resize = {
	.name = "resize",
	.fields = resize_fields,
	.defaults = { .kind = BL_AUG_RESIZE, .size = 224 },
	.draw = draw_whole,
	.apply = apply,
	.always = true,
	.sizes = true,
	.values = true,
};
