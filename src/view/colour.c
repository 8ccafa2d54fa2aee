/* SPDX-License-Identifier: GPL-3.0-or-later */
/* colour.c: the colours of the screen, and their approximation on terminals with few colours. */
#include "view/colour.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>

enum { STEPS = 48 }; /* the number of steps of the colour map on each side of 0 */

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

static const struct {
	int32_t dark, light;
} paints[] = {
	[BL_PAINT_TEXT] = { BL_COLOUR_OWN, BL_COLOUR_OWN }, [BL_PAINT_FAINT] = { 0x8a8f98, 0x6b7078 },
	[BL_PAINT_TITLE] = { 0xf0e442, 0x0072b2 },          [BL_PAINT_WARN] = { 0xff8a5c, 0xb33c00 },
	[BL_PAINT_GOOD] = { 0x2fc99a, 0x007a58 },           [BL_PAINT_INVARIANCE] = { 0x56b4e9, 0x0072b2 },
	[BL_PAINT_REDUNDANCY] = { 0xe69f00, 0xc25a00 },     [BL_PAINT_TOTAL] = { 0xf2f2f2, 0x101010 },
	[BL_PAINT_FLOOR] = { 0x2fc99a, 0x007a58 },          [BL_PAINT_KNN] = { 0xdd8fbc, 0xa2417a },
	[BL_PAINT_CURSOR] = { 0x5fff00, 0x008700 },         [BL_PAINT_SERIES] = { 0x56b4e9, 0x0072b2 },
	[BL_PAINT_SERIES + 1] = { 0xe69f00, 0xc25a00 },     [BL_PAINT_SERIES + 2] = { 0x2fc99a, 0x007a58 },
	[BL_PAINT_SERIES + 3] = { 0xdd8fbc, 0xa2417a },     [BL_PAINT_SERIES + 4] = { 0xf0e442, 0x8a7a00 },
	[BL_PAINT_SERIES + 5] = { 0xff6f4d, 0xb32d00 },     [BL_PAINT_SERIES + 6] = { 0xa9a0ff, 0x5a4fcf },
	[BL_PAINT_SERIES + 7] = { 0xf2f2f2, 0x101010 },     [BL_PAINT_SERIES + 8] = { 0xb98b5e, 0x7a4a1e },
	[BL_PAINT_SERIES + 9] = { 0x8a8f98, 0x6b7078 },
};

bl_paint bl_paint_series(int k)
{
	return (bl_paint)(BL_PAINT_SERIES + k % BL_SERIES);
}

int32_t bl_colour_of(bl_paint p, bool light)
{
	assert((int)p < COUNT(paints));
	return light ? paints[p].light : paints[p].dark;
}

/*
 * The colour map at equally spaced points of [-1, 1].  Its lightness is monotonic on each side of 0, so that the order is
 * visible with any colour vision.
 */
static const int32_t on_dark[] = { 0xb4dcff, 0x5aa9ee, 0x24589a, 0x0e1013, 0x96300f, 0xf0702f, 0xffd8b0 };
static const int32_t on_light[] = { 0x0b3c7d, 0x3f7fc0, 0xa9cbe8, 0xfafafa, 0xf5b49a, 0xd25a45, 0x8c0f26 };

static int channel(int32_t rgb, int shift)
{
	return rgb >> shift & 255;
}

static int32_t blend(int32_t a, int32_t b, double f)
{
	int32_t rgb = 0;
	for (int shift = 0; shift <= 16; shift += 8)
		rgb |= (int32_t)lround(channel(a, shift) + f * (channel(b, shift) - channel(a, shift))) << shift;
	return rgb;
}

int32_t bl_colour_diverging(double t, bool light)
{
	const int32_t *map = light ? on_light : on_dark;
	const int last = COUNT(on_dark) - 1;
	if (isnan(t))
		return 0xff00ff; /* NaN must not look like a value of C */
	/* Quantised in steps that the eye cannot distinguish, so that noise costs few bytes on a slow connection. */
	double at = (round(fmin(fmax(t, -1), 1) * STEPS) / STEPS + 1) / 2 * last;
	int k = at >= last ? last - 1 : (int)at;
	return blend(map[k], map[k + 1], at - k);
}

/* --- Few colours ------------------------------------------------------------- */

static const int32_t ansi[] = {
	0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
	0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
};

static int32_t cube_level(int k)
{
	return k ? 55 + 40 * k : 0;
}

static int32_t palette(int index)
{
	if (index < 16)
		return ansi[index];
	int k = index - 16;
	return cube_level(k / 36) << 16 | cube_level(k / 6 % 6) << 8 | cube_level(k % 6);
}

/*
 * The colour map from 0 outwards, for negative and for positive values.  It was chosen by hand: of few colours, the ones
 * nearest to those of bl_colour_diverging have other hues, so the sign would be lost.
 */
static const struct steps {
	int colours, n;
	uint8_t dark[2][11], light[2][11];
} few[] = {
	{ 256,
	  11,
	  { { 16, 17, 18, 24, 25, 31, 32, 74, 75, 117, 153 }, { 16, 52, 88, 124, 130, 166, 202, 208, 209, 215, 223 } },
	  { { 231, 189, 153, 111, 75, 69, 33, 26, 25, 18, 17 }, { 231, 224, 217, 210, 209, 203, 167, 160, 124, 88, 52 } } },
	{ 16, 4, { { 0, 4, 12, 14 }, { 0, 1, 9, 11 } }, { { 15, 14, 12, 4 }, { 15, 11, 9, 1 } } },
	{ 8, 3, { { 0, 4, 6 }, { 0, 1, 3 } }, { { 7, 6, 4 }, { 7, 3, 1 } } },
};

int32_t bl_colour_diverging_few(double t, int colours, bool light)
{
	const struct steps *s = few;
	while (s->colours > colours)
		s++;
	if (isnan(t))
		return ansi[colours > 8 ? 13 : 5];
	int k = (int)lround(fmin(fabs(t), 1) * (s->n - 1));
	return palette((light ? s->light : s->dark)[t > 0][k]);
}

static int distance(int32_t a, int32_t b)
{
	int sum = 0;
	for (int shift = 0; shift <= 16; shift += 8) {
		int d = channel(a, shift) - channel(b, shift);
		sum += d * d;
	}
	return sum;
}

static int cube_index(int v)
{
	return v < 48 ? 0 : v < 115 ? 1 : (v - 35) / 40;
}

int bl_colour_256(int32_t rgb)
{
	int r = cube_index(channel(rgb, 16)), g = cube_index(channel(rgb, 8)), b = cube_index(channel(rgb, 0));
	int32_t cube = cube_level(r) << 16 | cube_level(g) << 8 | cube_level(b);
	int mean = (channel(rgb, 16) + channel(rgb, 8) + channel(rgb, 0)) / 3;
	int grey = mean < 8 ? 0 : mean > 238 ? 23 : (mean - 3) / 10;
	int32_t level = 8 + 10 * grey;
	if (distance(rgb, level << 16 | level << 8 | level) < distance(rgb, cube))
		return 232 + grey;
	return 16 + 36 * r + 6 * g + b;
}

int bl_colour_ansi(int32_t rgb, int n)
{
	int best = 0, least = INT_MAX;
	for (int i = 0; i < n && i < COUNT(ansi); i++) {
		int d = distance(rgb, ansi[i]);
		if (d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}
