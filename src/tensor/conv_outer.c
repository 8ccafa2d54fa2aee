/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_outer.c: the weight gradient, as sums of outer products over pixels.
 *
 * Work is cut over images and taps.  Each cut of the images sums into a
 * buffer of its own, (tap,c,k) order, and the buffers are added in order at
 * the end; large weights get few cuts, small ones many.
 */
#include "tensor/conv_gather.h"

#include "tensor/conv_pad.h"
#include "tensor/conv_plan.h"
#include "tensor/kernel.h"

#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <string.h>

enum { SCRATCH_PADDED = 0, SCRATCH_POINTERS = 1, SCRATCH_ROWS = 2, SCRATCH_PANEL = 3 };
enum { CUTS = 16, PARTIAL_FLOATS = 1 << 20, BLOCK_FLOATS = 96 << 10, RUN = 4 /* floats copied at once */ };
enum { NARROW = 64, FOLD = 16 };

/*
 * What one product takes together, as channels that lie side by side: one tap's; those of a filter's row, so that tiles
 * are full where a pixel's few channels would not fill them; or, of very few channels, those of the whole filter.
 */
typedef enum together { ONE_TAP, ROW, FILTER } together;

typedef float run __attribute__((vector_size(RUN * 4), aligned(4), may_alias));

typedef struct job {
	const bl_kernels *k;
	const bl_conv *g;
	const bl_conv_class *class;
	const float *x, *dy;      /* of this group's first channel */
	float *partial;           /* [cut][tap][c][k] */
	int64_t channels, columns; /* of one group */
	int64_t cuts, block;      /* pixels of a block */
	together together;
	atomic_bool failed;
} job;

/* A block of pixels that meet the taps taken together. */
typedef struct block {
	int64_t n, channels;
	const float **x, **y;
	float *rows, *padded, *panel;
	int64_t image; /* that lies in `padded`; -1: none */
} block;

static int64_t taps_together(const job *j)
{
	return j->together == FILTER ? j->class->taps : j->together == ROW ? j->g->s : 1;
}

/* A row may be read a tile further than it is long, and written a run further. */
static int64_t row_width(const job *j)
{
	int64_t width = taps_together(j) * j->channels;
	return (width < BL_TILE_ROWS ? BL_TILE_ROWS : width) + RUN;
}

static bool block_room(const job *j, block *b)
{
	size_t n = (size_t)j->block;
	b->x = bl_scratch(SCRATCH_POINTERS, 2 * n * sizeof *b->x);
	b->y = b->x + n;
	bool copied = j->together != ONE_TAP, padded = j->together == FILTER;
	b->rows = copied ? bl_scratch(SCRATCH_ROWS, n * (size_t)row_width(j) * sizeof *b->rows) : NULL;
	b->padded = padded ? bl_scratch(SCRATCH_PADDED, (size_t)bl_conv_pad_size(j->g) * sizeof *b->padded) : NULL;
	b->image = -1;
	b->panel = bl_scratch(SCRATCH_PANEL, n * 4 * (size_t)j->k->lanes * sizeof *b->panel);
	return b->x && b->panel && (b->rows || !copied) && (b->padded || !padded);
}

static const float *x_pixel(const job *j, int64_t image, int32_t place)
{
	return j->x + (image * j->g->h * j->g->w + place) * j->g->c;
}

static void copy_runs(const float *from, int64_t n, float *to)
{
	for (int64_t i = 0; i < n; i += RUN)
		*(run *)(to + i) = *(const run *)(from + i);
}

/* All taps of `n` output pixels of a line, side by side; what a run writes beyond its end, the next one writes again. */
static void lower_line(const job *j, const float *from, int64_t n, float *to)
{
	const bl_conv *g = j->g;
	int64_t length = g->s * j->channels, pitch = bl_conv_pad_pitch(g), step = g->stride * j->channels, width = row_width(j);
	for (; n > 0; n--, from += step, to += width)
		for (int64_t r = 0; r < g->r; r++)
			copy_runs(from + r * pitch, length, to + r * length);
}

static const float *padded_image(const job *j, block *b, int64_t image)
{
	if (b->image != image)
		bl_conv_pad(j->g, j->x + image * j->g->h * j->g->w * j->g->c, b->padded);
	b->image = image;
	return b->padded;
}

/* An output pixel; stepping to the next one takes no division. */
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

static void fill_lowered(const job *j, block *b, int64_t m, int64_t m2)
{
	const bl_conv *g = j->g;
	int64_t width = row_width(j);
	place at = place_at(g, m);
	b->n = m2 - m;
	for (int64_t i = 0, n; i < b->n; i += n) {
		const float *from = bl_conv_pad_at(g, padded_image(j, b, at.image), at.p, at.q);
		n = g->q - at.q < b->n - i ? g->q - at.q : b->n - i;
		lower_line(j, from, n, b->rows + i * width);
		at = place_at(g, m + i + n);
	}
	for (int64_t i = 0; i < b->n; i++) {
		b->x[i] = b->rows + i * width;
		b->y[i] = j->dy + (m + i) * g->k;
	}
}

/* The S pixels from column `left` on, of which some are padding. */
static const float *edge(const job *j, const float *line, int64_t left, float *to)
{
	int64_t c = j->channels, from = left < 0 ? -left : 0, n = j->g->w - left < j->g->s ? j->g->w - left : j->g->s;
	memset(to, 0, (size_t)(j->g->s * c) * sizeof *to);
	if (n > from)
		memcpy(to + from * c, line + (left + from) * c, (size_t)((n - from) * c) * sizeof *to);
	return to;
}

/* Row r of the filter. */
static void fill_row(const job *j, block *b, int64_t m, int64_t m2, int64_t r)
{
	const bl_conv *g = j->g;
	float *copy = b->rows;
	b->n = 0;
	for (place at = place_at(g, m); m < m2; m++, at = next_place(g, at)) {
		int64_t top = at.p * g->stride + r - g->padding, left = at.q * g->stride - g->padding;
		if (top < 0 || top >= g->h)
			continue;
		const float *line = x_pixel(j, at.image, (int32_t)(top * g->w));
		bool inside = left >= 0 && left + g->s <= g->w;
		b->x[b->n] = inside ? line + left * j->channels : edge(j, line, left, copy);
		b->y[b->n++] = j->dy + m * g->k;
		copy += inside ? 0 : row_width(j);
	}
}

static void fill_tap(const job *j, block *b, int64_t m, int64_t m2, int64_t tap)
{
	const bl_conv_class *k = j->class;
	b->n = 0;
	for (int64_t image = m / k->pixels, i = m % k->pixels; m < m2; m++) {
		int32_t pixel = k->from[i * k->taps + tap];
		if (pixel >= 0) {
			b->x[b->n] = x_pixel(j, image, pixel);
			b->y[b->n++] = j->dy + m * j->g->k;
		}
		if (++i == k->pixels) {
			i = 0;
			image++;
		}
	}
}

/* A panel narrower than its kernel is copied, so that nothing is read beyond the array. */
static void narrow_panel(const block *b, int64_t from, int cols, int width, const float **y)
{
	for (int64_t i = 0; i < b->n; i++) {
		float *row = b->panel + i * width;
		memset(row, 0, (size_t)width * sizeof *row);
		memcpy(row, b->y[i] + from, (size_t)cols * sizeof *row);
		y[i] = row;
	}
}

/* Tiles of input channels; the last overlaps the one before it rather than read beyond the pixel. */
static void column_tiles(const job *j, const block *b, bl_outer_args *o, float *out)
{
	int height = j->k->heights[o->vectors];
	o->x = b->x;
	for (int64_t c = 0; c < b->channels; c += height) {
		int64_t start = c + height <= b->channels || b->channels < height ? c : b->channels - height;
		o->first = (int)(c - start);
		o->rows = b->channels < height ? (int)b->channels : height;
		o->out = out + start * o->ldo;
		o->x_at = start;
		j->k->outer(o);
	}
}

static void multiply(const job *j, const block *b, float *out)
{
	const float *narrow[b->n ? b->n : 1];
	bl_outer_args o = { .n = b->n, .ldo = j->columns, .add = true };
	for (int64_t from = 0; from < j->columns; from += o.vectors * j->k->lanes) {
		o.vectors = bl_panel_vectors(j->k, from, j->columns);
		int width = o.vectors * j->k->lanes;
		o.cols = j->columns - from < width ? (int)(j->columns - from) : width;
		o.y = o.cols < width ? narrow : b->y;
		o.y_at = o.cols < width ? 0 : from;
		if (o.cols < width)
			narrow_panel(b, from, o.cols, width, narrow);
		column_tiles(j, b, &o, out + from);
	}
}

/* Pixels m..m2-1 that meet the taps of `part`. */
static void fill(const job *j, block *b, int64_t m, int64_t m2, int64_t part)
{
	b->channels = taps_together(j) * j->channels;
	if (j->together == FILTER)
		fill_lowered(j, b, m, m2);
	else if (j->together == ROW)
		fill_row(j, b, m, m2, part);
	else
		fill_tap(j, b, m, m2, part);
}

static void unit(void *ctx, int64_t u)
{
	job *j = ctx;
	int64_t parts = j->class->taps / taps_together(j), part = u % parts, cut = u / parts, first, last;
	int64_t size = taps_together(j) * j->channels * j->columns;
	float *out = j->partial + u * size;
	block b;
	if (!block_room(j, &b)) {
		atomic_store(&j->failed, true);
		return;
	}
	memset(out, 0, (size_t)size * sizeof *out);
	bl_chunk_range(j->g->n, j->cuts, cut, &first, &last);
	int64_t m = first * j->class->pixels, m2 = last * j->class->pixels;
	for (int64_t next; m < m2; m = next) {
		next = m + j->block < m2 ? m + j->block : m2;
		fill(j, &b, m, next, part);
		multiply(j, &b, out);
	}
}

typedef struct fold {
	const job *j;
	float *dw; /* of this group: (k,c,taps) */
	bool add;
} fold;

/* FOLD x FOLD channels of dw from the sum of the cuts, in their order: a line of sums is read while FOLD lines of dw are written. */
static void fold_block(void *ctx, int64_t i_block)
{
	const fold *f = ctx;
	const job *j = f->j;
	int64_t taps = j->class->taps, size = taps * j->channels * j->columns, across = (j->columns + FOLD - 1) / FOLD;
	int64_t c0 = i_block / across * FOLD, c1 = c0 + FOLD < j->channels ? c0 + FOLD : j->channels;
	int64_t k0 = i_block % across * FOLD, n = j->columns - k0 < FOLD ? j->columns - k0 : FOLD;
	for (int64_t c = c0; c < c1; c++)
		for (int64_t t = 0; t < taps; t++) {
			const float *p = j->partial + (t * j->channels + c) * j->columns + k0;
			float *dw = f->dw + (k0 * j->channels + c) * taps + t, sum[FOLD];
			memcpy(sum, p, (size_t)n * sizeof *sum);
			for (int64_t i = 1; i < j->cuts; i++)
				for (int64_t k = 0; k < n; k++)
					sum[k] += p[i * size + k];
			for (int64_t k = 0; k < n; k++, dw += j->channels * taps)
				*dw = f->add ? *dw + sum[k] : sum[k];
		}
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* A filter's row must lie in a run, which the groups of one image do not. */
static together what_together(const bl_conv *g)
{
	int64_t cg = g->c / g->groups;
	return cg < BL_CONV_FEW ? FILTER : cg < NARROW && g->groups == 1 && g->s > 1 ? ROW : ONE_TAP;
}

static int group(job *j, float *dw, bool add)
{
	fold f = { j, dw, add };
	bl_parallel(j->cuts * (j->class->taps / taps_together(j)), unit, j);
	if (atomic_load(&j->failed))
		return -1;
	bl_parallel((j->channels + FOLD - 1) / FOLD * ((j->columns + FOLD - 1) / FOLD), fold_block, &f);
	return 0;
}

int bl_gather_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add)
{
	int64_t cg = g->c / g->groups, kg = g->k / g->groups, size = g->r * g->s * cg * kg;
	bl_conv_plan plan;
	job j = { .k = bl_kernel(), .g = g, .channels = cg, .columns = kg, .together = what_together(g) };
	if (bl_conv_plan_forward(&plan, g))
		return -1;
	j.class = plan.class;
	j.cuts = clamp(PARTIAL_FLOATS / (size ? size : 1), 1, g->n < CUTS ? (g->n ? g->n : 1) : CUTS);
	j.block = clamp(BLOCK_FLOATS / ((taps_together(&j) * cg) + kg), 64, 2048);
	j.partial = bl_block_take((size_t)(j.cuts * size) * sizeof *j.partial);
	int rc = j.partial ? 0 : -1;
	for (int64_t i = 0; i < g->groups && !rc; i++) {
		j.x = x + i * cg;
		j.dy = dy + i * kg;
		rc = group(&j, dw + i * size, add);
	}
	bl_block_give(j.partial);
	bl_conv_plan_free(&plan);
	return rc;
}
