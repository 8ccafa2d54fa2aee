/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resample.c: separable bicubic resampling, sixteen rows at a time.
 *
 *     rows of bytes --transpose--> columns of 16 --weights across--> columns of 16
 *                   --transpose--> rows of float --weights down--> planes
 *
 * Between the transpositions, a vector contains one column of sixteen rows.  Therefore each output column can have its
 * own weights and its own first input column without gather instructions.
 */
#include "augment/resample.h"
#include "augment/operator.h"
#include "augment/weigh.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <math.h>
#include <string.h>

enum { LANES = 16, SUPPORT = 2 }; /* rows processed at once; half the width of the cubic at scale 1 */

typedef uint8_t bytes16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

/* Output i is the sum over k < count[i] of weight[i * most + k] * input[first[i] + k]. */
typedef struct taps {
	int outputs, most;
	int *first, *count;
	float *weight;
} taps;

static float cubic(float x)
{
	const float a = -0.5f;
	x = fabsf(x);
	if (x < 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	if (x < 2)
		return (((x - 5) * x + 8) * x - 4) * a;
	return 0;
}

/*
 * The extent of the patch along one axis.  It overlaps n of the available pixels, from pixel `first` on.  It begins at
 * `start`, relative to that pixel, and has the length `length`.
 */
typedef struct span {
	int first, n;
	float start, length;
} span;

/* Converts the extent of a patch from pixels of the whole image to available pixels, which begin at `offset`. */
static span span_of(float from, float length, float scale, int offset, int pixels)
{
	float start = from * scale - (float)offset, end = start + length * scale;
	int first = (int)start, last = (int)ceilf(end);
	last = last < pixels ? last : pixels;
	return (span){ first, last - first, start - (float)first, length * scale };
}

/* If the image is made smaller, the cubic is stretched by the factor `in / out`, for antialiasing. */
static float stretch(float in, int out)
{
	return in > (float)out ? in / (float)out : 1;
}

static int most_taps(float in, int out)
{
	return 2 * (int)ceilf(SUPPORT * stretch(in, out)) + 1;
}

static size_t taps_bytes(float in, int out)
{
	return (size_t)out * (2 * sizeof(int) + (size_t)most_taps(in, out) * sizeof(float));
}

static void place_taps(taps *t, void *memory, float in, int out)
{
	t->outputs = out;
	t->most = most_taps(in, out);
	t->first = memory;
	t->count = t->first + out;
	t->weight = (float *)(t->count + out);
}

static void fill_taps(taps *t, const span *s, bool mirror)
{
	float scale = s->length / (float)t->outputs, wide = stretch(s->length, t->outputs), reach = SUPPORT * wide;
	for (int i = 0; i < t->outputs; i++) {
		float centre = s->start + ((float)i + 0.5f) * scale, sum = 0;
		int from = (int)fmaxf(centre - reach + 0.5f, 0), to = (int)fminf(centre + reach + 0.5f, (float)s->n);
		int at = mirror ? t->outputs - 1 - i : i;
		float *w = t->weight + (size_t)at * (size_t)t->most;
		t->first[at] = from;
		t->count[at] = to - from;
		for (int k = 0; k < to - from; k++)
			sum += w[k] = cubic(((float)(from + k) - centre + 0.5f) / wide);
		for (int k = 0; k < to - from; k++)
			w[k] /= sum;
	}
}

INLINE bytes16 interleave_low(bytes16 a, bytes16 b)
{
	return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

INLINE bytes16 interleave_high(bytes16 a, bytes16 b)
{
	return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/* Transposes by four rounds in which rows i and i + 8 are interleaved. */
INLINE void transpose16(bytes16 v[LANES])
{
	for (int round = 0; round < 4; round++) {
		bytes16 t[LANES];
		for (int i = 0; i < LANES / 2; i++) {
			t[2 * i] = interleave_low(v[i], v[i + LANES / 2]);
			t[2 * i + 1] = interleave_high(v[i], v[i + LANES / 2]);
		}
		memcpy(v, t, sizeof t);
	}
}

/* Converts sixteen rows of n bytes to columns (n, 16) of float. */
BL_CLONES static void columns_of_bytes(const uint8_t *const row[LANES], int n, float *columns)
{
	for (int x = 0; x < n; x += LANES) {
		bytes16 v[LANES] = { { 0 } };
		if (n >= LANES && x > n - LANES)
			x = n - LANES; /* repeats some columns instead of reading beyond the row */
		for (int i = 0; i < LANES; i++)
			memcpy(&v[i], row[i] + x, n >= LANES ? LANES : (size_t)n);
		transpose16(v);
		const uint8_t *bytes = (const uint8_t *)v;
		float *out = columns + (size_t)x * LANES;
		for (int i = 0; i < LANES * LANES; i++)
			out[i] = bytes[i];
	}
}

/*
 * As columns_of_bytes, for sixteen rows of a plane of floats.  Columns are `step` apart, since the columns of all
 * channels are interleaved.
 */
static void columns_of_plane(const float *const row[LANES], int n, int step, float *columns)
{
	for (int x = 0; x < n; x++)
		for (int i = 0; i < LANES; i++)
			columns[(size_t)(x * step) * LANES + (size_t)i] = row[i][x];
}

/* x = clip(x, 0, top) * scale.  PIL clips between its passes and after them. */
INLINE void clip(float *x, size_t n, float top, float scale)
{
	for (size_t i = 0; i < n; i++) {
		float v = x[i] > 0 ? x[i] : 0;
		x[i] = (v < top ? v : top) * scale;
	}
}

/* Resamples columns (in, channels, 16) to strip (outputs, channels, 16). */
INLINE void across(const float *columns, const taps *t, float top, const size_t column, float *strip)
{
	for (int i = 0; i < t->outputs; i++)
		bl_weigh(strip + (size_t)i * column, columns + (size_t)t->first[i] * column, column,
		         t->weight + (size_t)i * (size_t)t->most, t->count[i], column);
	clip(strip, (size_t)t->outputs * column, top, 1);
}

/* As `across`, which is compiled separately for 1 and for 3 channels, the usual numbers. */
BL_CLONES static void across_any(const float *columns, const taps *t, float top, int channels, float *strip)
{
	if (channels == 1)
		across(columns, t, top, LANES, strip);
	else if (channels == 3)
		across(columns, t, top, 3 * LANES, strip);
	else
		across(columns, t, top, (size_t)channels * LANES, strip);
}

/* Transposes one channel of the strip to sixteen rows of pitch floats; pitch is a multiple of 4. */
BL_CLONES static void rows_of_strip(const float *strip, size_t column, size_t pitch, float *rows)
{
	for (size_t x = 0; x < pitch; x += 4)
		for (size_t y = 0; y < LANES; y += 4) {
			const float *p = strip + x * column + y;
			quad a = *(const quad *)p, b = *(const quad *)(p + column);
			quad c = *(const quad *)(p + 2 * column), d = *(const quad *)(p + 3 * column);
			quad ac = __builtin_shufflevector(a, c, 0, 4, 1, 5), AC = __builtin_shufflevector(a, c, 2, 6, 3, 7);
			quad bd = __builtin_shufflevector(b, d, 0, 4, 1, 5), BD = __builtin_shufflevector(b, d, 2, 6, 3, 7);
			float *q = rows + y * pitch + x;
			*(quad *)q = __builtin_shufflevector(ac, bd, 0, 4, 1, 5);
			*(quad *)(q + pitch) = __builtin_shufflevector(ac, bd, 2, 6, 3, 7);
			*(quad *)(q + 2 * pitch) = __builtin_shufflevector(AC, BD, 0, 4, 1, 5);
			*(quad *)(q + 3 * pitch) = __builtin_shufflevector(AC, BD, 2, 6, 3, 7);
		}
}

/* Resamples rows (in, pitch) to plane (outputs, width) in 0..1. */
BL_CLONES static void down(const float *rows, const taps *t, size_t pitch, size_t width, float top, float *plane)
{
	for (int i = 0; i < t->outputs; i++, plane += width) {
		bl_weigh(plane, rows + (size_t)t->first[i] * pitch, pitch, t->weight + (size_t)i * (size_t)t->most, t->count[i],
		         width);
		clip(plane, width, top, 1 / top);
	}
}

typedef struct job {
	const float_image *from;
	span x, y;
	taps across, down;
	size_t pitch; /* floats in a row after the first pass */
	float top;    /* the value of white: 255 in bytes, 1 in planes */
	float *columns, *strip, *rows;
} job;

static void read_columns(const job *j, int top)
{
	const float_image *c = j->from;
	int channels = c->channels, left = j->x.first, width = j->x.n;
	size_t y[LANES];
	for (int i = 0; i < LANES; i++)
		y[i] = (size_t)c->width * (size_t)(j->y.first + (top + i < j->y.n ? top + i : j->y.n - 1));
	if (c->pixels) {
		const uint8_t *row[LANES];
		for (int i = 0; i < LANES; i++)
			row[i] = c->pixels + (y[i] + (size_t)left) * (size_t)channels;
		columns_of_bytes(row, width * channels, j->columns);
		return;
	}
	for (int k = 0; k < channels; k++) {
		const float *row[LANES];
		for (int i = 0; i < LANES; i++)
			row[i] = c->data + (size_t)k * c->plane + y[i] + (size_t)left;
		columns_of_plane(row, width, channels, j->columns + k * LANES);
	}
}

static size_t round_up(size_t n)
{
	return (n + LANES - 1) / LANES * LANES;
}

/* Sets the work memory of j; false: no memory. */
static bool place(job *j, int height, int width)
{
	size_t channels = (size_t)j->from->channels, in_rows = round_up((size_t)j->y.n);
	j->pitch = ((size_t)width + 3) / 4 * 4;
	size_t columns = round_up((size_t)j->x.n * channels) * LANES;
	size_t strip = channels * j->pitch * LANES, rows = channels * in_rows * j->pitch;
	size_t across = (taps_bytes(j->x.length, width) + 63) / 64 * 64;
	float *work = bl_scratch(SLOT_WORK, (columns + strip + rows) * sizeof *work);
	char *table = bl_scratch(SLOT_TAPS, across + taps_bytes(j->y.length, height));
	if (!work || !table)
		return false;
	j->columns = work;
	j->strip = work + columns;
	j->rows = j->strip + strip;
	place_taps(&j->across, table, j->x.length, width);
	place_taps(&j->down, table + across, j->y.length, height);
	return true;
}

int bl_resample(float_image *c, patch from, int height, int width, bool mirror)
{
	if (c->values)
		bl_float_image_load(c);
	job j = { .from = c, .top = c->pixels ? 255 : 1 };
	j.x = span_of(from.left, from.width, c->scale, c->left, c->width);
	j.y = span_of(from.top, from.height, c->scale, c->top, c->height);
	if (!place(&j, height, width))
		return -1;
	size_t in_rows = round_up((size_t)j.y.n), plane = bl_float_image_room(height, width);
	fill_taps(&j.across, &j.x, mirror);
	fill_taps(&j.down, &j.y, false);
	for (int y = 0; y < j.y.n; y += LANES) {
		read_columns(&j, y);
		across_any(j.columns, &j.across, j.top, c->channels, j.strip);
		for (size_t k = 0; k < (size_t)c->channels; k++)
			rows_of_strip(j.strip + k * LANES, (size_t)c->channels * LANES, j.pitch,
			              j.rows + (k * in_rows + (size_t)y) * j.pitch);
	}
	for (size_t k = 0; k < (size_t)c->channels; k++)
		down(j.rows + k * in_rows * j.pitch, &j.down, j.pitch, (size_t)width, j.top, c->spare + k * plane);
	bl_float_image_resize(c, height, width);
	bl_float_image_swap(c);
	c->pixels = NULL;
	c->scale = 1;
	c->top = c->left = 0;
	return 0;
}
