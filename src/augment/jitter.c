/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * jitter.c: brightness, contrast, saturation and hue in random order; and grayscale.
 *
 * As torchvision on PIL images: each but hue blends the image with a poorer
 * one, x' = clip(f x + (1 - f) poorer), poorer being black, the mean grey, the
 * grey image.  Hue turns in HSV.  One channel has neither saturation nor hue.
 */
#include "augment/operator.h"

#include <math.h>

enum { BRIGHTNESS, CONTRAST, SATURATION, HUE, PARTS };

/* ITU-R 601 */
#define GREY(r, g, b) (0.299f * (r) + 0.587f * (g) + 0.114f * (b))

INLINE float clip(float x)
{
	x = x > 0 ? x : 0;
	return x < 1 ? x : 1;
}

/* x = clip(x * f + shift) */
BL_CLONES static void blend_plane(float *x, size_t n, float f, float shift)
{
	for (size_t i = 0; i < n; i++)
		x[i] = clip(x[i] * f + shift);
}

/* In SUMS running sums, so that neighbours can be added at once. */
BL_CLONES static float sum_plane(const float *x, size_t n)
{
	enum { SUMS = 16 };
	float part[SUMS] = { 0 }, sum = 0;
	size_t i = 0;
	for (; i + SUMS <= n; i += SUMS)
		for (size_t k = 0; k < SUMS; k++)
			part[k] += x[i + k];
	for (; i < n; i++)
		sum += x[i];
	for (int k = 0; k < SUMS; k++)
		sum += part[k];
	return sum;
}

static float mean_grey(const canvas *c, size_t n)
{
	float r = sum_plane(c->data, n) / (float)n;
	if (c->channels == 1)
		return r;
	return GREY(r, sum_plane(c->data + c->plane, n) / (float)n, sum_plane(c->data + 2 * c->plane, n) / (float)n);
}

static void blend(canvas *c, size_t n, float f, float shift)
{
	for (int k = 0; k < c->channels; k++)
		blend_plane(c->data + (size_t)k * c->plane, n, f, shift);
}

BL_CLONES static void saturate(float *restrict r, float *restrict g, float *restrict b, size_t n, float f)
{
	for (size_t i = 0; i < n; i++) {
		float grey = GREY(r[i], g[i], b[i]) * (1 - f);
		r[i] = clip(r[i] * f + grey);
		g[i] = clip(g[i] * f + grey);
		b[i] = clip(b[i] * f + grey);
	}
}

/* A channel from hue h (in sextants, plus the channel's own offset): v - chroma * clip(min(k, 4 - k)), k = h mod 6. */
INLINE float from_hue(float h, float v, float chroma)
{
	float k = h - 6 * (float)(int)(h * (1.0f / 6)); /* h >= 0 */
	return v - chroma * clip(k < 4 - k ? k : 4 - k);
}

/* turn: of the circle, -1/2 to 1/2 */
BL_CLONES static void turn_hue(float *restrict r, float *restrict g, float *restrict b, size_t n, float turn)
{
	float offset = 6 * turn + 6; /* keeps h above 0 */
	for (size_t i = 0; i < n; i++) {
		float R = r[i], G = g[i], B = b[i];
		float most = R > G ? R : G, least = R < G ? R : G;
		most = most > B ? most : B;
		least = least < B ? least : B;
		float chroma = most - least, inverse = 1 / (chroma > 1e-6f ? chroma : 1);
		float by_g = 2 + (B - R) * inverse, by_b = 4 + (R - G) * inverse, by_r = (G - B) * inverse;
		float h = (most == R ? by_r : most == G ? by_g : by_b) + offset;
		r[i] = from_hue(h + 5, most, chroma);
		g[i] = from_hue(h + 3, most, chroma);
		b[i] = from_hue(h + 1, most, chroma);
	}
}

static void change(canvas *c, int part, float f)
{
	size_t n = (size_t)c->height * (size_t)c->width;
	float *r = c->data, *g = r + c->plane, *b = g + c->plane;
	if (part == BRIGHTNESS)
		blend(c, n, f, 0);
	else if (part == CONTRAST)
		blend(c, n, f, (1 - f) * mean_grey(c, n));
	else if (part == SATURATION && c->channels == 3)
		saturate(r, g, b, n, f);
	else if (part == HUE && c->channels == 3)
		turn_hue(r, g, b, n, f);
}

static void draw_jitter(const bl_aug *a, bl_rng *r, int height, int width, draw *d)
{
	(void)height, (void)width;
	int64_t order[PARTS] = { BRIGHTNESS, CONTRAST, SATURATION, HUE };
	const float strength[] = { a->brightness, a->contrast, a->saturation };
	bl_rng_shuffle(r, order, PARTS);
	for (int k = 0; k < PARTS; k++)
		d->jitter.order[k] = (int)order[k];
	for (int k = 0; k < HUE; k++)
		d->jitter.factor[k] = bl_rng_between(r, fmaxf(0, 1 - strength[k]), 1 + strength[k]);
	d->jitter.factor[HUE] = bl_rng_between(r, -a->hue, a->hue);
}

static int apply_jitter(const bl_aug *a, const draw *d, canvas *c)
{
	const float strength[] = { a->brightness, a->contrast, a->saturation, a->hue };
	bl_canvas_load(c);
	for (int k = 0; k < PARTS; k++) {
		int part = d->jitter.order[k];
		if (strength[part] > 0)
			change(c, part, d->jitter.factor[part]);
	}
	return 0;
}

static const field jitter_fields[] = {
	FIELD(FLOAT, brightness, 0, 100), FIELD(FLOAT, contrast, 0, 100), FIELD(FLOAT, saturation, 0, 100),
	FIELD(FLOAT, hue, 0, 0.5), FIELD_P, FIELD_END,
};

const operator bl_op_jitter = {
	.name = "jitter",
	.fields = jitter_fields,
	.defaults = {
		.kind = BL_AUG_JITTER, .p = 0.8f, .brightness = 0.4f, .contrast = 0.4f, .saturation = 0.2f, .hue = 0.1f,
	},
	.draw = draw_jitter,
	.apply = apply_jitter,
	.values = true,
};

BL_CLONES static void grey_planes(float *restrict r, float *restrict g, float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r[i] = g[i] = b[i] = GREY(r[i], g[i], b[i]);
}

static int apply_grayscale(const bl_aug *a, const draw *d, canvas *c)
{
	(void)a, (void)d;
	bl_canvas_load(c);
	if (c->channels == 3)
		grey_planes(c->data, c->data + c->plane, c->data + 2 * c->plane, (size_t)c->height * (size_t)c->width);
	return 0;
}

static const field grayscale_fields[] = { FIELD_P, FIELD_END };

const operator bl_op_grayscale = {
	.name = "grayscale",
	.fields = grayscale_fields,
	.defaults = { .kind = BL_AUG_GRAYSCALE, .p = 0.2f },
	.apply = apply_grayscale,
	.values = true,
};
