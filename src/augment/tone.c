/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tone.c: brightness, contrast, saturation, sharpness, and levels. */
#include "augment/tone.h"
#include "augment/grey.h"

#include <string.h>

enum { LEVELS = 256 };

INLINE float clip(float x)
{
	x = x > 0 ? x : 0;
	return x < 1 ? x : 1;
}

static size_t size_of(const float_image *c)
{
	return (size_t)c->height * (size_t)c->width;
}

/* --- blends --- */

/* x = clip(x * f + shift) */
BL_CLONES static void blend_plane(float *x, size_t n, float f, float shift)
{
	for (size_t i = 0; i < n; i++)
		x[i] = clip(x[i] * f + shift);
}

/* Adds to SUMS separate sums, so that the compiler can vectorise the loop. */
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

static float mean_of(const float_image *c, int channel, size_t n)
{
	return sum_plane(c->data + (size_t)channel * c->plane, n) / (float)n;
}

/* The mean grey of a colour image; if there are not 3 channels, the mean of all values. */
static float mean_grey(const float_image *c, size_t n)
{
	if (c->channels == 3)
		return GREY(mean_of(c, 0, n), mean_of(c, 1, n), mean_of(c, 2, n));
	float sum = 0;
	for (int k = 0; k < c->channels; k++)
		sum += mean_of(c, k, n);
	return sum / (float)c->channels;
}

static void blend(float_image *c, float f, float shift)
{
	for (int k = 0; k < c->channels; k++)
		blend_plane(c->data + (size_t)k * c->plane, size_of(c), f, shift);
}

void bl_tone_brightness(float_image *c, float f)
{
	blend(c, f, 0);
}

void bl_tone_contrast(float_image *c, float f)
{
	blend(c, f, (1 - f) * mean_grey(c, size_of(c)));
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

void bl_tone_saturation(float_image *c, float f)
{
	if (c->channels == 3)
		saturate(c->data, c->data + c->plane, c->data + 2 * c->plane, size_of(c), f);
}

/*
 * Blends with the smoothed image, in which a pixel has weight 5 and each neighbour weight 1.  Pixels at the edge are
 * unchanged.
 */
BL_CLONES static void sharpen(const float *in, float *out, size_t height, size_t width, float f)
{
	memcpy(out, in, height * width * sizeof *in);
	for (size_t y = 1; y + 1 < height; y++) {
		const float *a = in + (y - 1) * width, *b = a + width, *c = b + width;
		for (size_t x = 1; x + 1 < width; x++) {
			float smooth = (a[x - 1] + a[x] + a[x + 1] + b[x - 1] + 5 * b[x] + b[x + 1] + c[x - 1] + c[x] + c[x + 1]) *
			               (1.0f / 13);
			out[y * width + x] = clip(b[x] * f + smooth * (1 - f));
		}
	}
}

void bl_tone_sharpness(float_image *c, float f)
{
	if (c->height <= 2 || c->width <= 2)
		return;
	for (int k = 0; k < c->channels; k++)
		sharpen(c->data + (size_t)k * c->plane, c->spare + (size_t)k * c->plane, (size_t)c->height, (size_t)c->width, f);
	bl_float_image_swap(c);
}

/* --- functions of a single value --- */

BL_CLONES static void invert_from(float *x, size_t n, float threshold)
{
	for (size_t i = 0; i < n; i++)
		x[i] = x[i] < threshold ? x[i] : 1 - x[i];
}

void bl_tone_solarize(float_image *c, float threshold)
{
	for (int k = 0; k < c->channels; k++)
		invert_from(c->data + (size_t)k * c->plane, size_of(c), threshold);
}

void bl_tone_invert(float_image *c)
{
	blend(c, -1, 1);
}

INLINE int level(float x)
{
	return (int)(clip(x) * 255 + .5f);
}

BL_CLONES static void keep_bits(float *x, size_t n, int mask)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float)(level(x[i]) & mask) * (1.0f / 255);
}

void bl_tone_posterize(float_image *c, int bits)
{
	for (int k = 0; k < c->channels; k++)
		keep_bits(c->data + (size_t)k * c->plane, size_of(c), 256 - (1 << (8 - bits)));
}

/* --- functions of a value and of all values in the channel --- */

void bl_tone_autocontrast(float_image *c)
{
	for (int k = 0; k < c->channels; k++) {
		float *x = c->data + (size_t)k * c->plane, least = x[0], most = x[0];
		for (size_t i = 1; i < size_of(c); i++) {
			least = x[i] < least ? x[i] : least;
			most = x[i] > most ? x[i] : most;
		}
		if (most > least)
			for (size_t i = 0; i < size_of(c); i++)
				x[i] = clip((x[i] - least) * (1 / (most - least)));
	}
}

/*
 * As in PIL, the new level is the number of pixels of lower levels divided by `step`, rounded.  step is chosen so that
 * the highest level becomes 255.
 */
static void equalize_plane(float *x, size_t n)
{
	size_t count[LEVELS] = { 0 }, below = 0, last = 0;
	float become[LEVELS];
	for (size_t i = 0; i < n; i++)
		count[level(x[i])]++;
	for (int v = 0; v < LEVELS; v++)
		last = count[v] ? count[v] : last;
	size_t step = (n - last) / (LEVELS - 1);
	if (step == 0)
		return;
	for (int v = 0; v < LEVELS; v++) {
		size_t to = (below + step / 2) / step;
		become[v] = (float)(to < LEVELS ? to : LEVELS - 1) * (1.0f / 255);
		below += count[v];
	}
	for (size_t i = 0; i < n; i++)
		x[i] = become[level(x[i])];
}

void bl_tone_equalize(float_image *c)
{
	for (int k = 0; k < c->channels; k++)
		equalize_plane(c->data + (size_t)k * c->plane, size_of(c));
}
