/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pil_resample.c: PIL's Image.resize for images of bytes (libImaging/Resample.c). */
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/pil_level.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <math.h>

enum { BITS = 32 - 8 - 2 };

/*
 * Output i is the sum over k < count[i] of weight[i * most + k] * input[first[i] + k].  Weights have BITS fractional
 * bits.
 */
typedef struct taps {
	int outputs, most;
	int *first, *count;
	int32_t *weight;
} taps;

/*
 * One side of the rectangle that is resampled.  The side overlaps n pixels, of which pixel `first` is the first.  The
 * side begins at `start`, relative to that pixel, and has the length `length`.
 */
typedef struct side {
	int first, n;
	double start, length;
} side;

static double bilinear(double x)
{
	x = fabs(x);
	return x < 1 ? 1 - x : 0;
}

static double bicubic(double x)
{
	const double a = -0.5;
	x = fabs(x);
	if (x < 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static side side_of(float from, float length, float scale, int offset, int pixels)
{
	double start = (double)from * (double)scale - offset, end = start + (double)length * (double)scale;
	int first = (int)start, last = (int)ceil(end);
	last = last < pixels ? last : pixels;
	return (side){ first, last - first, start - first, end - start };
}

static double reach_of(const side *s, int outputs, pil_filter filter)
{
	double scale = s->length / outputs;
	return (filter == PIL_BICUBIC ? 2 : 1) * (scale < 1 ? 1 : scale);
}

static int most_of(const side *s, int outputs, pil_filter filter)
{
	return (int)ceil(reach_of(s, outputs, filter)) * 2 + 1;
}

static size_t ints_of(const side *s, int outputs, pil_filter filter)
{
	return (size_t)outputs * (size_t)(2 + most_of(s, outputs, filter));
}

static double weight_at(double x, pil_filter filter)
{
	return filter == PIL_BICUBIC ? bicubic(x) : bilinear(x);
}

static void fill_taps(taps *t, const side *s, pil_filter filter, bool mirror)
{
	double scale = s->length / t->outputs, stretch = scale < 1 ? 1 : scale, reach = reach_of(s, t->outputs, filter);
	for (int i = 0; i < t->outputs; i++) {
		double centre = s->start + (i + .5) * scale, sum = 0, step = 1 / stretch;
		int from = (int)(centre - reach + .5), to = (int)(centre + reach + .5), at = mirror ? t->outputs - 1 - i : i;
		int32_t *weight = t->weight + (size_t)at * (size_t)t->most;
		from = from < 0 ? 0 : from;
		to = to > s->n ? s->n : to;
		for (int k = from; k < to; k++)
			sum += weight_at((k - centre + .5) * step, filter);
		for (int k = from; k < to; k++) {
			double w = weight_at((k - centre + .5) * step, filter);
			w = sum != 0 ? w / sum : w;
			weight[k - from] = (int32_t)((w < 0 ? -.5 : .5) + w * (1 << BITS));
		}
		t->first[at] = from;
		t->count[at] = to - from;
	}
}

/* Places the taps in `memory`, which has ints_of() ints, and fills them in; returns the end of this memory. */
static int *place_taps(taps *t, int *memory, const side *s, int outputs, pil_filter filter, bool mirror)
{
	*t = (taps){ outputs, most_of(s, outputs, filter), memory, memory + outputs, memory + 2 * outputs };
	fill_taps(t, s, filter, mirror);
	return t->weight + (size_t)outputs * (size_t)t->most;
}

static uint8_t clipped(int sum)
{
	int level = sum >> BITS;
	return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

/* Copies n pixels of row y of channel k, from column x on, to out as bytes. */
static void take_row(const float_image *c, int k, int y, int x, int n, uint8_t *out)
{
	size_t at = (size_t)y * (size_t)c->width + (size_t)x, step = (size_t)c->channels;
	for (size_t i = 0; i < (size_t)n; i++)
		out[i] = c->pixels ? c->pixels[(at + i) * step + (size_t)k]
		                   : (uint8_t)bl_pil_level(c->values ? c->values[(at + i) * step + (size_t)k]
		                                                     : c->data[(size_t)k * c->plane + at + i]);
}

static void across(const taps *t, const uint8_t *row, uint8_t *out)
{
	for (int i = 0; i < t->outputs; i++) {
		const int32_t *w = t->weight + (size_t)i * (size_t)t->most;
		int sum = 1 << (BITS - 1);
		for (int k = 0; k < t->count[i]; k++)
			sum += row[t->first[i] + k] * w[k];
		out[i] = clipped(sum);
	}
}

static void down(const taps *t, const uint8_t *rows, int width, float *out)
{
	for (int i = 0; i < t->outputs; i++) {
		const int32_t *w = t->weight + (size_t)i * (size_t)t->most;
		for (int x = 0; x < width; x++) {
			int sum = 1 << (BITS - 1);
			for (int k = 0; k < t->count[i]; k++)
				sum += rows[(size_t)(t->first[i] + k) * (size_t)width + (size_t)x] * w[k];
			out[(size_t)i * (size_t)width + (size_t)x] = bl_pil_value(clipped(sum));
		}
	}
}

int bl_pil_resample(float_image *c, patch from, int height, int width, pil_filter filter, bool mirror)
{
	side h = side_of(from.left, from.width, c->scale, c->left, c->width);
	side v = side_of(from.top, from.height, c->scale, c->top, c->height);
	size_t ints = ints_of(&h, width, filter) + ints_of(&v, height, filter);
	int *memory = bl_scratch(SLOT_WORK, ints * sizeof *memory + (size_t)h.n + (size_t)v.n * (size_t)width);
	taps horizontal, vertical;
	if (!memory)
		return -1;
	int *behind = place_taps(&horizontal, memory, &h, width, filter, mirror);
	uint8_t *row = (uint8_t *)place_taps(&vertical, behind, &v, height, filter, false), *rows = row + h.n;
	size_t plane = bl_float_image_room(height, width);
	for (int k = 0; k < c->channels; k++) {
		for (int y = 0; y < v.n; y++) {
			take_row(c, k, v.first + y, h.first, h.n, row);
			across(&horizontal, row, rows + (size_t)y * (size_t)width);
		}
		down(&vertical, rows, width, c->spare + (size_t)k * plane);
	}
	bl_float_image_swap(c);
	bl_float_image_resize(c, height, width);
	c->pixels = NULL;
	c->values = NULL;
	c->scale = 1;
	c->top = c->left = 0;
	return 0;
}
