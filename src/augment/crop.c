/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crop.c: random resized crop, and resizing of the whole image. */
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/resample.h"
#include "augment/window.h"

#include <math.h>
#include <stdio.h>

enum { TRIES = 10 };

typedef struct parameters {
	int size;
	float scale[2], ratio[2]; /* used by crop only */
	backend backend;
} parameters;

typedef struct draws {
	box from;
	bool mirrored;
} draws;

/* The largest centred box whose ratio (width / height) is allowed. */
static box centred(const parameters *p, int height, int width)
{
	box b = { 0, 0, height, width };
	float ratio = (float)width / (float)height;
	if (ratio < p->ratio[0])
		b.height = (int)lrintf((float)width / p->ratio[0]);
	else if (ratio > p->ratio[1])
		b.width = (int)lrintf((float)height * p->ratio[1]);
	b.height = b.height < 1 ? 1 : b.height > height ? height : b.height;
	b.width = b.width < 1 ? 1 : b.width > width ? width : b.width;
	b.top = (height - b.height) / 2;
	b.left = (width - b.width) / 2;
	return b;
}

/*
 * torchvision's rule: the area is uniform in `scale`, and the logarithm of the ratio is uniform.  If none of ten such
 * boxes fits in the image, the box is `centred`.
 */
static box draw_box(const parameters *p, bl_rng *r, int height, int width)
{
	float area = (float)height * (float)width;
	for (int i = 0; i < TRIES; i++) {
		float target = area * bl_rng_between(r, p->scale[0], p->scale[1]);
		float ratio = expf(bl_rng_between(r, logf(p->ratio[0]), logf(p->ratio[1])));
		float w = rintf(sqrtf(target * ratio)), h = rintf(sqrtf(target / ratio));
		if (w < 1 || h < 1 || w > (float)width || h > (float)height)
			continue;
		box b = { .height = (int)h, .width = (int)w };
		b.top = (int)bl_rng_below(r, (uint32_t)(height - b.height + 1));
		b.left = (int)bl_rng_below(r, (uint32_t)(width - b.width + 1));
		return b;
	}
	return centred(p, height, width);
}

static bool draw_crop(const void *p, drawing *w, void *drawn)
{
	draws *d = drawn;
	d->from = draw_box(p, &w->rng, w->height, w->width);
	d->mirrored = false;
	return true;
}

static bool draw_whole(const void *p, drawing *w, void *drawn)
{
	(void)p;
	*(draws *)drawn = (draws){ .from = { 0, 0, w->height, w->width } };
	return true;
}

static void size(const void *p, int *height, int *width)
{
	*height = *width = ((const parameters *)p)->size;
}

static void window(const void *params, const void *d, bl_window *out)
{
	const parameters *p = params;
	const box *b = &((const draws *)d)->from;
	*out = bl_window_for(b->top, b->left, b->height, b->width, p->size, p->size);
}

static void mirror(void *d)
{
	((draws *)d)->mirrored = true;
}

static int apply(const void *params, const void *drawn, float_image *c)
{
	const parameters *p = params;
	const draws *d = drawn;
	if (p->backend == BACKEND_PIL)
		return bl_pil_resample(c, bl_patch_of(&d->from), p->size, p->size, PIL_BICUBIC, d->mirrored);
	return bl_resample(c, bl_patch_of(&d->from), p->size, p->size, d->mirrored);
}

static int describe_crop(const void *p, const void *d, int channels, char *buf, size_t n)
{
	const box *b = &((const draws *)d)->from;
	(void)p, (void)channels;
	return snprintf(buf, n, "crop %d,%d %dx%d", b->left, b->top, b->width, b->height);
}

static const bl_field crop_fields[] = {
	BL_FIELD(INT, parameters, size, BL_DEFAULT(224), BL_WITHIN(1, 16384), .position = 1,
	         .help = "side of the result in pixels"),
	BL_FIELD(PAIR, parameters, scale, BL_DEFAULT(.08, 1), BL_WITHIN(1e-6, 1),
	         .help = "area of the crop as a fraction of the image's"),
	BL_FIELD(PAIR, parameters, ratio, BL_DEFAULT(3. / 4, 4. / 3), BL_WITHIN(1e-3, 1e3),
	         .help = "width of the crop divided by its height"),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_crop = {
	.name = "crop",
	.help = "Random resized crop, bicubic with antialiasing.",
	.fields = crop_fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.size = size,
	.draw = draw_crop,
	.window = window,
	.mirror = mirror,
	.apply = apply,
	.describe = describe_crop,
	.needs_unit = true,
};

static const bl_field resize_fields[] = {
	BL_FIELD(INT, parameters, size, BL_DEFAULT(224), BL_WITHIN(1, 16384), .position = 1,
	         .help = "side of the result in pixels"),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_resize = {
	.name = "resize",
	.help = "Resizes the whole image, bicubic with antialiasing.",
	.fields = resize_fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.size = size,
	.draw = draw_whole,
	.window = window,
	.mirror = mirror,
	.apply = apply,
	.needs_unit = true,
};
