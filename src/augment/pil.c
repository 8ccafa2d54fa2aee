/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pil.c: PIL's colour operators on bytes: ImageEnhance, ImageOps and conversions (libImaging/Blend.c, Convert.c). */
#include "augment/pil.h"
#include "augment/pil_level.h"

#include <math.h>

const char *const bl_backends[] = { [BACKEND_TENSOR] = "tensor", [BACKEND_PIL] = "pil", NULL };

static size_t size_of(const float_image *c)
{
	return (size_t)c->height * (size_t)c->width;
}

static float *plane_of(const float_image *c, int k)
{
	return c->data + (size_t)k * c->plane;
}

/* The macro L24 of Convert.c. */
INLINE int grey_of(int r, int g, int b)
{
	return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
}

/* --- blends --- */

/* Blend.c: interpolates (f < 1) or extrapolates (f > 1) from another image to this one, and truncates the result. */
INLINE int blend(int other, int level, float f)
{
	float v = (float)other + f * (float)(level - other);
	return v <= 0 ? 0 : v >= 255 ? 255 : (int)v;
}

static void blend_with(float_image *c, int other, float f)
{
	for (int k = 0; k < c->channels; k++) {
		float *x = plane_of(c, k);
		for (size_t i = 0; i < size_of(c); i++)
			x[i] = bl_pil_value(blend(other, bl_pil_level(x[i]), f));
	}
}

void bl_pil_brightness(float_image *c, float f)
{
	blend_with(c, 0, f);
}

static double sum_of(const float_image *c)
{
	const float *r = plane_of(c, 0), *g = plane_of(c, c->channels > 1), *b = plane_of(c, c->channels > 2 ? 2 : 0);
	double sum = 0;
	for (size_t i = 0; i < size_of(c); i++)
		sum += c->channels == 3 ? grey_of(bl_pil_level(r[i]), bl_pil_level(g[i]), bl_pil_level(b[i])) : bl_pil_level(r[i]);
	for (int k = 1; k < c->channels && c->channels != 3; k++)
		for (size_t i = 0; i < size_of(c); i++)
			sum += bl_pil_level(plane_of(c, k)[i]);
	return c->channels == 3 ? sum : sum / c->channels;
}

/* As in PIL, the mean grey is rounded to a level. */
void bl_pil_contrast(float_image *c, float f)
{
	blend_with(c, (int)(sum_of(c) / (double)size_of(c) + .5), f);
}

void bl_pil_saturation(float_image *c, float f)
{
	float *r = plane_of(c, 0), *g = plane_of(c, 1), *b = plane_of(c, 2);
	for (size_t i = 0; i < size_of(c); i++) {
		int R = bl_pil_level(r[i]), G = bl_pil_level(g[i]), B = bl_pil_level(b[i]), grey = grey_of(R, G, B);
		r[i] = bl_pil_value(blend(grey, R, f));
		g[i] = bl_pil_value(blend(grey, G, f));
		b[i] = bl_pil_value(blend(grey, B, f));
	}
}

void bl_pil_grey(float_image *c)
{
	float *r = plane_of(c, 0), *g = plane_of(c, 1), *b = plane_of(c, 2);
	for (size_t i = 0; i < size_of(c); i++)
		r[i] = g[i] = b[i] = bl_pil_value(grey_of(bl_pil_level(r[i]), bl_pil_level(g[i]), bl_pil_level(b[i])));
}

void bl_pil_solarize(float_image *c, float threshold)
{
	int from = (int)lrintf(threshold * 255);
	for (int k = 0; k < c->channels; k++) {
		float *x = plane_of(c, k);
		for (size_t i = 0; i < size_of(c); i++) {
			int level = bl_pil_level(x[i]);
			x[i] = bl_pil_value(level < from ? level : 255 - level);
		}
	}
}

void bl_pil_round(float_image *c)
{
	for (int k = 0; k < c->channels; k++) {
		float *x = plane_of(c, k);
		for (size_t i = 0; i < size_of(c); i++)
			x[i] = bl_pil_value(bl_pil_level(x[i]));
	}
}

/* --- sharpness: a blend with the result of ImageFilter.SMOOTH (3 x 3, Filter.c), except at the edge --- */

/* The rounded mean of the neighbours, with weight 1, and of the pixel, with weight 5. */
static int smoothed(const float *row, size_t width, size_t x)
{
	int sum = 4 * bl_pil_level(row[x]);
	for (const float *r = row - width; r <= row + width; r += width)
		sum += bl_pil_level(r[x - 1]) + bl_pil_level(r[x]) + bl_pil_level(r[x + 1]);
	return (2 * sum + 13) / 26;
}

void bl_pil_sharpness(float_image *c, float f)
{
	size_t height = (size_t)c->height, width = (size_t)c->width;
	for (int k = 0; k < c->channels; k++) {
		const float *in = plane_of(c, k);
		float *out = c->spare + (size_t)k * c->plane;
		for (size_t i = 0; i < size_of(c); i++) {
			size_t y = i / width, x = i % width;
			bool edge = y == 0 || y + 1 == height || x == 0 || x + 1 == width;
			int level = bl_pil_level(in[i]);
			out[i] = bl_pil_value(edge ? level : blend(smoothed(in + y * width, width, x), level, f));
		}
	}
	bl_float_image_swap(c);
}

/* ImageOps.autocontrast: the lowest level of each channel becomes 0, and the highest 255; results are truncated. */
void bl_pil_autocontrast(float_image *c)
{
	bl_pil_round(c);
	for (int k = 0; k < c->channels; k++) {
		float *x = plane_of(c, k), least = x[0], most = x[0];
		for (size_t i = 1; i < size_of(c); i++) {
			least = x[i] < least ? x[i] : least;
			most = x[i] > most ? x[i] : most;
		}
		int from = bl_pil_level(least), to = bl_pil_level(most);
		if (to == from)
			continue;
		double scale = 255.0 / (to - from), offset = -from * scale;
		for (size_t i = 0; i < size_of(c); i++)
			x[i] = bl_pil_value((int)(bl_pil_level(x[i]) * scale + offset));
	}
}

/* --- hue: rgb2hsv_row and hsv2rgb of Convert.c, in which hue, saturation and value are bytes --- */

static int most_of(int a, int b)
{
	return a > b ? a : b;
}

static void to_hsv(int r, int g, int b, int hsv[3])
{
	int most = most_of(r, most_of(g, b)), least = -most_of(-r, most_of(-g, -b));
	hsv[0] = hsv[1] = 0;
	hsv[2] = most;
	if (most == least)
		return;
	float chroma = (float)(most - least), s = chroma / (float)most, h;
	float rc = (float)(most - r) / chroma, gc = (float)(most - g) / chroma, bc = (float)(most - b) / chroma;
	if (r == most)
		h = bc - gc;
	else if (g == most)
		h = (float)(2.0 + (double)rc - (double)bc);
	else
		h = (float)(4.0 + (double)gc - (double)rc);
	h = (float)fmod((double)h / 6.0 + 1.0, 1.0);
	hsv[0] = (int)((double)h * 255.0);
	hsv[1] = (int)((double)s * 255.0);
}

static void from_hsv(const int hsv[3], int rgb[3])
{
	static const int places[6][3] = { { 0, 3, 1 }, { 2, 0, 1 }, { 1, 0, 3 }, { 1, 2, 0 }, { 3, 1, 0 }, { 0, 1, 2 } };
	double h = (double)hsv[0] * 6.0 / 255.0, v = hsv[2];
	int sextant = (int)h;
	float f = (float)(h - (double)(float)sextant), s = (float)((double)hsv[1] / 255.0);
	const int level[4] = { hsv[2], (int)round(v * (1.0 - (double)s)), (int)round(v * (1.0 - (double)(s * f))),
		               (int)round(v * (1.0 - (double)s * (1.0 - (double)f))) };
	for (int k = 0; k < 3; k++)
		rgb[k] = hsv[1] == 0 ? hsv[2] : level[places[sextant % 6][k]];
}

void bl_pil_hue(float_image *c, float turn)
{
	int by = (int)((double)turn * 255);
	float *r = plane_of(c, 0), *g = plane_of(c, 1), *b = plane_of(c, 2);
	for (size_t i = 0; i < size_of(c); i++) {
		int hsv[3], rgb[3];
		to_hsv(bl_pil_level(r[i]), bl_pil_level(g[i]), bl_pil_level(b[i]), hsv);
		hsv[0] = (hsv[0] + by) & 255;
		from_hsv(hsv, rgb);
		r[i] = bl_pil_value(rgb[0]);
		g[i] = bl_pil_value(rgb[1]);
		b[i] = bl_pil_value(rgb[2]);
	}
}
