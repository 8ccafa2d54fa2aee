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

typedef float run __attribute__((vector_size(RUN * 4), aligned(4), may_alias));

typedef struct job {
	const bl_kernels *k;
	const bl_conv *g;
	const bl_conv_class *class;
	const float *x, *dy;      /* of this group's first channel */
	float *partial;           /* [cut][tap][c][k] */
	int64_t channels, columns; /* of one group */
	int64_t cuts, block;      /* pixels of a block */
	bool lower;               /* few channels: taps become channels of a copied row */
	atomic_bool failed;
} job;

/* A block of pixels that meet one tap. */
typedef struct block {
	int64_t n, channels;
	const float **x, **y;
	float *rows, *padded, *panel;
	int64_t image; /* that lies in `padded`; -1: none */
} block;

/* A row may be read a tile further than it is long, and written a run further. */
static int64_t row_width(const job *j)
{
	int64_t width = j->class->taps * j->channels;
	return (width < BL_TILE_ROWS ? BL_TILE_ROWS : width) + RUN;
}

static bool block_room(const job *j, block *b)
{
	size_t n = (size_t)j->block;
	b->x = bl_scratch(SCRATCH_POINTERS, 2 * n * sizeof *b->x);
	b->y = b->x + n;
	b->rows = j->lower ? bl_scratch(SCRATCH_ROWS, n * (size_t)row_width(j) * sizeof *b->rows) : NULL;
	b->padded = j->lower ? bl_scratch(SCRATCH_PADDED, (size_t)bl_conv_pad_size(j->g) * sizeof *b->padded) : NULL;
	b->image = -1;
	b->panel = bl_scratch(SCRATCH_PANEL, n * 4 * (size_t)j->k->lanes * sizeof *b->panel);
	return b->x && b->panel && ((b->rows && b->padded) || !j->lower);
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

/* All taps of an output pixel side by side; what a run writes beyond its end, the next one writes again. */
static void lower_row(const job *j, const float *from, float *to)
{
	const bl_conv *g = j->g;
	int64_t n = g->s * j->channels, pitch = bl_conv_pad_pitch(g);
	for (int64_t r = 0; r < g->r; r++)
		copy_runs(from + r * pitch, n, to + r * n);
}

static const float *padded_image(const job *j, block *b, int64_t image)
{
	if (b->image != image)
		bl_conv_pad(j->g, j->x + image * j->g->h * j->g->w * j->g->c, b->padded);
	b->image = image;
	return b->padded;
}

static void fill_lowered(const job *j, block *b, int64_t m, int64_t m2)
{
	const bl_conv *g = j->g;
	int64_t width = row_width(j);
	b->n = m2 - m;
	b->channels = j->class->taps * j->channels;
	for (int64_t i = 0; i < b->n; i++) {
		int64_t pixel = (m + i) % j->class->pixels;
		const float *image = padded_image(j, b, (m + i) / j->class->pixels);
		lower_row(j, bl_conv_pad_at(g, image, pixel / g->q, pixel % g->q), b->rows + i * width);
		b->x[i] = b->rows + i * width;
		b->y[i] = j->dy + (m + i) * g->k;
	}
}

static void fill_tap(const job *j, block *b, int64_t m, int64_t m2, int tap)
{
	const bl_conv_class *k = j->class;
	b->n = 0;
	b->channels = j->channels;
	for (int64_t image = m / k->pixels, i = m % k->pixels; m < m2; m++) {
		int32_t place = k->from[i * k->taps + tap];
		if (place >= 0) {
			b->x[b->n] = x_pixel(j, image, place);
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

static void unit(void *ctx, int64_t u)
{
	job *j = ctx;
	int taps = j->lower ? 1 : j->class->taps, tap = (int)(u % taps);
	int64_t cut = u / taps, first, last, size = j->class->taps * j->channels * j->columns;
	float *out = j->partial + cut * size + tap * j->channels * j->columns;
	block b;
	if (!block_room(j, &b)) {
		atomic_store(&j->failed, true);
		return;
	}
	memset(out, 0, (size_t)(size / taps) * sizeof *out);
	bl_chunk_range(j->g->n, j->cuts, cut, &first, &last);
	int64_t m = first * j->class->pixels, m2 = last * j->class->pixels;
	for (int64_t next; m < m2; m = next) {
		next = m + j->block < m2 ? m + j->block : m2;
		if (j->lower)
			fill_lowered(j, &b, m, next);
		else
			fill_tap(j, &b, m, next, tap);
		multiply(j, &b, out);
	}
}

typedef struct fold {
	const job *j;
	float *dw; /* of this group: (k,c,taps) */
	bool add;
} fold;

/* Input channel c of dw from the sum of the cuts, in their order. */
static void fold_channel(void *ctx, int64_t c)
{
	const fold *f = ctx;
	const job *j = f->j;
	int64_t taps = j->class->taps, size = taps * j->channels * j->columns;
	for (int64_t t = 0; t < taps; t++)
		for (int64_t k = 0; k < j->columns; k++) {
			const float *p = j->partial + (t * j->channels + c) * j->columns + k;
			float *dw = f->dw + (k * j->channels + c) * taps + t, sum = p[0];
			for (int64_t i = 1; i < j->cuts; i++)
				sum += p[i * size];
			*dw = f->add ? *dw + sum : sum;
		}
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static int group(job *j, float *dw, bool add)
{
	int64_t taps = j->class->taps;
	fold f = { j, dw, add };
	bl_parallel(j->cuts * (j->lower ? 1 : taps), unit, j);
	if (atomic_load(&j->failed))
		return -1;
	bl_parallel(j->channels, fold_channel, &f);
	return 0;
}

int bl_gather_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add)
{
	int64_t cg = g->c / g->groups, kg = g->k / g->groups, size = g->r * g->s * cg * kg;
	bl_conv_plan plan;
	job j = { .k = bl_kernel(), .g = g, .channels = cg, .columns = kg, .lower = cg < BL_CONV_FEW };
	if (bl_conv_plan_forward(&plan, g))
		return -1;
	j.class = plan.class;
	j.cuts = clamp(PARTIAL_FLOATS / (size ? size : 1), 1, g->n < CUTS ? (g->n ? g->n : 1) : CUTS);
	j.block = clamp(BLOCK_FLOATS / ((j.lower ? row_width(&j) : cg) + kg), 64, 2048);
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
