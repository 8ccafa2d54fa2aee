/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pil_blur.c: PIL's GaussianBlur (libImaging/BoxBlur.c): three box filters along rows and three along columns, each
 * with results in bytes.
 *
 * The box has the width 2 r + 1, where r = l + a with l = floor(r): l whole pixels on each side of the centre, and one
 * more at each end with the weight a.
 */
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/pil_level.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <math.h>
#include <string.h>

enum { PASSES = 3 };

typedef struct box_filter {
	int radius;
	uint32_t weight, end; /* weights of a whole pixel and of an end pixel, with 24 fractional bits */
} box_filter;

static box_filter filter_of(float sigma)
{
	float variance = sigma * sigma / PASSES, side = (float)sqrt(12.0 * (double)variance + 1.0);
	float l = (float)floor(((double)side - 1.0) / 2.0), a = (2 * l + 1) * (l * (l + 1) - 3 * variance);
	a /= 6 * (variance - (l + 1) * (l + 1));
	float r = l + a;
	box_filter f = { .radius = (int)r, .weight = (uint32_t)((float)(1u << 24) / (r * 2 + 1)) };
	f.end = ((1u << 24) - ((uint32_t)f.radius * 2 + 1) * f.weight) / 2;
	return f;
}

/* Filters a line of n levels, which is continued at its ends by the first and the last level. */
static void filter_line(const box_filter *f, const uint8_t *in, int n, uint8_t *out)
{
	int r = f->radius, last = n - 1;
	uint32_t sum = (uint32_t)in[0] * ((uint32_t)r + 1);
	for (int k = 0; k < r; k++)
		sum += in[k < last ? k : last]; /* the sum around the pixel before the first */
	for (int i = 0; i < n; i++) {
		int before = i - r - 1 > 0 ? i - r - 1 : 0, newest = i + r < last ? i + r : last,
		    behind = i + r + 1 < last ? i + r + 1 : last;
		sum += in[newest];
		sum -= in[before];
		out[i] = (uint8_t)((sum * f->weight + ((uint32_t)in[before] + in[behind]) * f->end + (1u << 23)) >> 24);
	}
}

/* Filters a line in place; spare has the same size. */
static void blur_line(const box_filter *f, uint8_t *line, int n, uint8_t *spare)
{
	for (int pass = 0; pass < PASSES; pass++) {
		filter_line(f, line, n, spare);
		memcpy(line, spare, (size_t)n);
	}
}

/* Filters n lines of `values` values, which are `step` floats apart; lines are `next` floats apart. */
static void blur_lines(const box_filter *f, float *x, int n, size_t next, int values, size_t step, uint8_t *line)
{
	for (int y = 0; y < n; y++) {
		float *at = x + (size_t)y * next;
		for (int i = 0; i < values; i++)
			line[i] = (uint8_t)bl_pil_level(at[(size_t)i * step]);
		blur_line(f, line, values, line + values);
		for (int i = 0; i < values; i++)
			at[(size_t)i * step] = bl_pil_value(line[i]);
	}
}

int bl_pil_blur(float_image *c, float sigma)
{
	box_filter f = filter_of(sigma);
	size_t width = (size_t)c->width;
	uint8_t *line = bl_scratch(SLOT_WORK, 2 * (size_t)(c->height > c->width ? c->height : c->width));
	if (!line)
		return -1;
	for (int k = 0; k < c->channels; k++) {
		float *x = c->data + (size_t)k * c->plane;
		blur_lines(&f, x, c->height, width, c->width, 1, line);
		blur_lines(&f, x, c->width, 1, c->height, width, line);
	}
	return 0;
}
