/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_rows.c: collects the factors of the weight gradient's outer products (conv_rows.h). */
#include "tensor/conv/conv_rows.h"

#include "tensor/conv/conv_pad.h"
#include "tensor/kernel/kernel.h"

#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <string.h>

enum { SCRATCH_PADDED = 0, SCRATCH_POINTERS = 1, SCRATCH_ROWS = 2 };
enum { NARROW = 64, RUN = 4 /* floats copied at once */ };

typedef float run __attribute__((vector_size(RUN * 4), aligned(4), may_alias));

/*
 * A row of the filter can be one part only if its pixels are consecutive floats: without groups and without dilation.
 */
bl_together bl_rows_together(const bl_conv *g)
{
	int64_t cg = g->c / g->groups;
	if (g->gap)
		return BL_ONE_TAP;
	return cg < BL_CONV_FEW ? BL_FILTER : cg < NARROW && g->groups == 1 && g->s > 1 ? BL_ROW : BL_ONE_TAP;
}

int64_t bl_rows_taps(const bl_conv_rows *r)
{
	return r->together == BL_FILTER ? r->class->taps : r->together == BL_ROW ? r->g->s : 1;
}

/*
 * The number of floats allocated for a row: kernels read at least the height of a tile, and copies write up to RUN - 1
 * floats beyond the end.
 */
static int64_t row_width(const bl_conv_rows *r)
{
	int64_t width = bl_rows_taps(r) * r->channels;
	return (width < BL_TILE_ROWS ? BL_TILE_ROWS : width) + RUN;
}

/* Are rows copied?  The channels under one tap are read in place, unless a tile would read beyond the image. */
static bool is_copied(const bl_conv_rows *r)
{
	return r->together != BL_ONE_TAP || (r->g->gap && r->channels < BL_TILE_ROWS);
}

bool bl_rows_room(const bl_conv_rows *r, bl_rows_block *b)
{
	size_t n = (size_t)r->block;
	bool copied = is_copied(r), padded = r->together == BL_FILTER;
	b->x = bl_scratch(SCRATCH_POINTERS, 2 * n * sizeof *b->x);
	b->y = b->x + n;
	b->rows = copied ? bl_scratch(SCRATCH_ROWS, n * (size_t)row_width(r) * sizeof *b->rows) : NULL;
	b->padded = padded ? bl_scratch(SCRATCH_PADDED, (size_t)bl_conv_pad_size(r->g) * sizeof *b->padded) : NULL;
	b->image = -1;
	b->channels = bl_rows_taps(r) * r->channels;
	return b->x && (b->rows || !copied) && (b->padded || !padded);
}

static const float *x_pixel(const bl_conv_rows *r, int64_t image, int32_t place)
{
	return r->x + (image * r->g->h * r->g->w + place) * r->g->c;
}

static void copy_runs(const float *from, int64_t n, float *to)
{
	for (int64_t i = 0; i < n; i += RUN)
		*(run *)(to + i) = *(const run *)(from + i);
}

/*
 * Copies, for each of n output pixels of a line, the pixels under all taps to consecutive floats.  Each copy may write up
 * to RUN - 1 floats too many, which the next copy overwrites.
 */
static void lower_line(const bl_conv_rows *r, const float *from, int64_t n, float *to)
{
	const bl_conv *g = r->g;
	int64_t length = g->s * r->channels, pitch = bl_conv_pad_pitch(g), step = g->stride * r->channels, width = row_width(r);
	for (; n > 0; n--, from += step, to += width)
		for (int64_t t = 0; t < g->r; t++)
			copy_runs(from + t * pitch, length, to + t * length);
}

static const float *padded_image(const bl_conv_rows *r, bl_rows_block *b, int64_t image)
{
	if (b->image != image)
		bl_conv_pad(r->g, r->x + image * r->g->h * r->g->w * r->g->c, b->padded);
	b->image = image;
	return b->padded;
}

/* The coordinates of an output pixel, so that no division is needed for the next one. */
typedef struct place {
	int64_t image, p, q;
} place;

static place place_at(const bl_conv *g, int64_t m)
{
	int64_t pixels = g->p * g->q;
	return (place){ m / pixels, m % pixels / g->q, m % g->q };
}

static place next_place(const bl_conv *g, place a)
{
	if (++a.q == g->q) {
		a.q = 0;
		if (++a.p == g->p) {
			a.p = 0;
			a.image++;
		}
	}
	return a;
}

static void fill_lowered(const bl_conv_rows *r, bl_rows_block *b, int64_t m, int64_t m2)
{
	const bl_conv *g = r->g;
	int64_t width = row_width(r);
	place at = place_at(g, m);
	b->n = m2 - m;
	for (int64_t i = 0, n; i < b->n; i += n) {
		const float *from = bl_conv_pad_at(g, padded_image(r, b, at.image), at.p, at.q);
		n = g->q - at.q < b->n - i ? g->q - at.q : b->n - i;
		lower_line(r, from, n, b->rows + i * width);
		at = place_at(g, m + i + n);
	}
	for (int64_t i = 0; i < b->n; i++) {
		b->x[i] = b->rows + i * width;
		b->y[i] = r->dy + (m + i) * g->k;
	}
}

/* Copies S pixels that begin at column `left`, some of which are padding. */
static const float *edge(const bl_conv_rows *r, const float *line, int64_t left, float *to)
{
	int64_t c = r->channels, from = left < 0 ? -left : 0, n = r->g->w - left < r->g->s ? r->g->w - left : r->g->s;
	memset(to, 0, (size_t)(r->g->s * c) * sizeof *to);
	if (n > from)
		memcpy(to + from * c, line + (left + from) * c, (size_t)((n - from) * c) * sizeof *to);
	return to;
}

/* Fills the block with the pixels that row `row` of the filter covers. */
static void fill_row(const bl_conv_rows *r, bl_rows_block *b, int64_t m, int64_t m2, int64_t row)
{
	const bl_conv *g = r->g;
	float *copy = b->rows;
	b->n = 0;
	for (place at = place_at(g, m); m < m2; m++, at = next_place(g, at)) {
		int64_t top = at.p * g->stride + row - g->padding, left = at.q * g->stride - g->padding;
		if (top < 0 || top >= g->h)
			continue;
		const float *line = x_pixel(r, at.image, (int32_t)(top * g->w));
		bool inside = left >= 0 && left + g->s <= g->w;
		b->x[b->n] = inside ? line + left * r->channels : edge(r, line, left, copy);
		b->y[b->n++] = r->dy + m * g->k;
		copy += inside ? 0 : row_width(r);
	}
}

static void fill_tap(const bl_conv_rows *r, bl_rows_block *b, int64_t m, int64_t m2, int64_t tap)
{
	const bl_conv_class *k = r->class;
	int64_t width = row_width(r);
	bool copied = is_copied(r);
	b->n = 0;
	for (int64_t image = m / k->pixels, i = m % k->pixels; m < m2; m++) {
		int32_t pixel = k->from[i * k->taps + tap];
		if (pixel >= 0) {
			const float *x = x_pixel(r, image, pixel);
			float *row = copied ? b->rows + b->n * width : NULL;
			if (copied)
				memcpy(memset(row, 0, (size_t)width * sizeof *row), x, (size_t)r->channels * sizeof *row);
			b->x[b->n] = copied ? row : x;
			b->y[b->n++] = r->dy + m * r->g->k;
		}
		if (++i == k->pixels) {
			i = 0;
			image++;
		}
	}
}

void bl_rows_fill(const bl_conv_rows *r, bl_rows_block *b, int64_t m, int64_t m2, int64_t part)
{
	if (r->together == BL_FILTER)
		fill_lowered(r, b, m, m2);
	else if (r->together == BL_ROW)
		fill_row(r, b, m, m2, part);
	else
		fill_tap(r, b, m, m2, part);
}
