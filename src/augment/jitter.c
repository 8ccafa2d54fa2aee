/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * jitter.c: brightness, contrast, saturation and hue in random order.
 *
 * As torchvision on PIL images: each but hue blends the image with a poorer
 * one, x' = clip(f x + (1 - f) poorer), poorer being black, the mean grey, the
 * grey image.  Hue turns in HSV.  One channel has neither saturation nor hue.
 */
#include "augment/grey.h"
#include "augment/operator.h"

#include <barlow/error.h>

#include <math.h>
#include <stdio.h>

enum { BRIGHTNESS, CONTRAST, SATURATION, HUE, PARTS };

typedef struct parameters {
	float brightness, contrast, saturation, hue, p;
} parameters;

typedef struct draws {
	int order[PARTS];
	float factor[PARTS];
} draws;

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

static float mean_of(const canvas *c, int channel, size_t n)
{
	return sum_plane(c->data + (size_t)channel * c->plane, n) / (float)n;
}

/* Channels that are no colours count alike. */
static float mean_grey(const canvas *c, size_t n)
{
	if (c->channels == 3)
		return GREY(mean_of(c, 0, n), mean_of(c, 1, n), mean_of(c, 2, n));
	float sum = 0;
	for (int k = 0; k < c->channels; k++)
		sum += mean_of(c, k, n);
	return sum / (float)c->channels;
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

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	int64_t order[PARTS] = { BRIGHTNESS, CONTRAST, SATURATION, HUE };
	const float strength[] = { p->brightness, p->contrast, p->saturation };
	if (bl_rng_uniform(&w->rng) >= p->p)
		return false;
	bl_rng_shuffle(&w->rng, order, PARTS);
	for (int k = 0; k < PARTS; k++)
		d->order[k] = (int)order[k];
	for (int k = 0; k < HUE; k++)
		d->factor[k] = bl_rng_between(&w->rng, fmaxf(0, 1 - strength[k]), 1 + strength[k]);
	d->factor[HUE] = bl_rng_between(&w->rng, -p->hue, p->hue);
	return true;
}

static float strength_of(const parameters *p, int part)
{
	return part == BRIGHTNESS ? p->brightness : part == CONTRAST ? p->contrast : part == SATURATION ? p->saturation : p->hue;
}

static int apply(const void *p, const void *drawn, canvas *c)
{
	const draws *d = drawn;
	bl_canvas_load(c);
	for (int k = 0; k < PARTS; k++)
		if (strength_of(p, d->order[k]) > 0)
			change(c, d->order[k], d->factor[d->order[k]]);
	return 0;
}

static int accepts(const void *params, int channels)
{
	const parameters *p = params;
	if (channels == 1 || channels == 3 || (p->saturation == 0 && p->hue == 0))
		return 0;
	return bl_fail("saturation and hue need images of 3 channels, these have %d: set both to 0", channels);
}

/* In the order in which they are applied; grey images have neither saturation nor hue. */
static int describe(const void *p, const void *drawn, int channels, char *buf, size_t size)
{
	static const char *const names[] = { "brightness", "contrast", "saturation", "hue" };
	const draws *d = drawn;
	int used = 0;
	buf[0] = '\0';
	for (int k = 0; k < PARTS; k++) {
		int part = d->order[k];
		if (strength_of(p, part) > 0 && (part < SATURATION || channels == 3) && (size_t)used < size)
			used += snprintf(buf + used, size - (size_t)used, "%s%s %.2f", used ? ", " : "", names[part],
					 (double)d->factor[part]);
	}
	return used;
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, brightness, BL_DEFAULT(.4), BL_WITHIN(0, 100),
		 .help = "strength s: values times a factor from max(0, 1 - s) to 1 + s"),
	BL_FIELD(FLOAT, parameters, contrast, BL_DEFAULT(.4), BL_WITHIN(0, 100),
		 .help = "strength: the same factor for distances from the mean grey"),
	BL_FIELD(FLOAT, parameters, saturation, BL_DEFAULT(.2), BL_WITHIN(0, 100),
		 .help = "strength: the same factor for distances from the grey image"),
	BL_FIELD(FLOAT, parameters, hue, BL_DEFAULT(.1), BL_WITHIN(0, .5),
		 .help = "turned by up to this part of the colour circle, either way"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.8), BL_WITHIN(0, 1), .help = PROBABILITY),
	BL_FIELD_END,
};

const operator bl_op_jitter = {
	.name = "jitter",
	.help = "Brightness, contrast, saturation and hue changed in random order; of grey images the first two.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.accepts = accepts,
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.needs_unit = true,
};
