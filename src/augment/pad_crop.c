/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pad_crop.c: shifts an image by whole pixels.  New pixels are black, or those of the image mirrored at its edge. */
#include "augment/operator.h"

#include <barlow/error.h>

#include <stdio.h>

enum { BLACK, REFLECT };

typedef struct parameters {
	int padding, mode;
} parameters;

typedef struct draws {
	int dx, dy; /* offset of the window from the image, pixels */
} draws;

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	uint32_t places = 2 * (uint32_t)p->padding + 1;
	d->dy = (int)bl_rng_below(&w->rng, places) - p->padding;
	d->dx = (int)bl_rng_below(&w->rng, places) - p->padding;
	return true;
}

/* The pixel, 0..n-1, at index i if n pixels are mirrored at both ends without repeating the last pixel. */
static int mirrored(int i, int n)
{
	i = i < 0 ? -i : i;
	return i >= n ? 2 * (n - 1) - i : i;
}

static float pixel(const float *plane, const float_image *c, int y, int x, int mode)
{
	bool inside = y >= 0 && y < c->height && x >= 0 && x < c->width;
	if (!inside && mode == BLACK)
		return 0;
	return plane[(size_t)mirrored(y, c->height) * (size_t)c->width + (size_t)mirrored(x, c->width)];
}

static int apply(const void *params, const void *drawn, float_image *c)
{
	const parameters *p = params;
	const draws *d = drawn;
	if (p->mode == REFLECT && (p->padding >= c->height || p->padding >= c->width))
		return bl_fail("pad_crop: an image of %d x %d has not enough pixels to mirror %d", c->height, c->width, p->padding);
	bl_float_image_load(c);
	for (int k = 0; k < c->channels; k++) {
		float *out = c->spare + (size_t)k * c->plane;
		for (int y = 0; y < c->height; y++)
			for (int x = 0; x < c->width; x++)
				*out++ = pixel(c->data + (size_t)k * c->plane, c, y + d->dy, x + d->dx, p->mode);
	}
	bl_float_image_swap(c);
	return 0;
}

static int describe(const void *p, const void *drawn, int channels, char *buf, size_t size)
{
	const draws *d = drawn;
	(void)p, (void)channels;
	return snprintf(buf, size, "shift %d,%d", -d->dx, -d->dy);
}

static const char *const modes[] = { "black", "reflect", NULL };

static const bl_field fields[] = {
	BL_FIELD(INT, parameters, padding, BL_DEFAULT(4), BL_WITHIN(0, 1024), .position = 1,
	         .help = "pixels added at each side before a window of the image's size is cropped"),
	BL_FIELD(CHOICE, parameters, mode, BL_DEFAULT(BLACK), .choices = modes, .help = "content of the added pixels"),
	BL_FIELD_END,
};

const operator bl_op_pad_crop = {
	.name = "pad_crop",
	.help = "Pads each side, then crops a window of the image's size anywhere.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe,
};
