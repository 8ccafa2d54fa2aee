/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * winograd_weight.c: the weight gradient by F(4x4, 3x3), the adjoint of the forward transforms:
 *
 *   dg = G^T [ sum over tiles (B^T d B) . (A dy A^T) ] G
 *
 * There are three methods, depending on the number of filters.
 *
 *     few     The tiles are divided into a fixed number of parts (cuts).  Each cut processes its tiles in batches that
 *             stay in a core's cache, and sums its own products.  At the end the sums are added in order.
 *     more    All threads transform a batch of tiles.  Then the product of the batch is added at each of the 36 points.
 *     many    The products of a few columns and channels are computed at a time, and transformed to taps while they
 *             are in the cache.
 */
#include "tensor/winograd/winograd.h"

#include "tensor/winograd/winograd_filters.h"
#include "tensor/winograd/winograd_tiles.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum { POINTS = BL_WINOGRAD_POINTS, GROUP = 8, CHANNELS = 16, SCRATCH = 0, SLICE = 128 };
enum { BATCH_FLOATS = 1 << 20, BATCH_FLOATS_BY_COLUMNS = 6 << 20, BATCH_FLOATS_BY_CUTS = 192 << 10 };
enum { CUTS = 8, CUT_FLOATS = 160 << 10 };

/* Tiles that are transformed together. */
typedef struct batch {
	int64_t first, n;
	float *v, *z; /* [point][tile][channel], [point][tile][column]; `room` tiles */
} batch;

typedef struct job {
	const bl_kernels *k;
	bl_tiles in, out;
	int64_t channels, columns, tiles;
	int64_t room; /* the largest number of tiles in a batch */
	batch batch;  /* shared by all threads */
	int64_t cuts;
	float *u;  /* [cut][point][channel][column] */
	float *dw; /* (column, channel, 9) */
	bool add;
	atomic_bool failed; /* a chunk got no memory */
} job;

static void transform(const job *j, const batch *b, int64_t from, int64_t to)
{
	for (int64_t t = from; t < to; t++) {
		const float *pixel[36];
		bl_tiles_read(&j->in, b->first + t, pixel);
		j->k->winograd_input(j->channels, pixel, b->v + t * j->channels, j->room * j->channels);
		bl_tiles_read(&j->out, b->first + t, pixel);
		j->k->winograd_gradient(j->columns, pixel, b->z + t * j->columns, j->room * j->columns);
	}
}

static void transform_group(void *ctx, int64_t group)
{
	const job *j = ctx;
	int64_t last = (group + 1) * GROUP < j->batch.n ? (group + 1) * GROUP : j->batch.n;
	transform(j, &j->batch, group * GROUP, last);
}

/* Pointers to the tiles' values at point p. */
static void point_at(const job *j, const batch *b, int64_t p, const float **x, const float **y)
{
	for (int64_t t = 0; t < b->n; t++) {
		x[t] = b->v + (p * j->room + t) * j->channels;
		y[t] = b->z + (p * j->room + t) * j->columns;
	}
}

/* Computes the products of channels first..first+channels-1, tile by tile; the last tile overlaps the one before it. */
static void panel(const job *j, bl_outer_args *o, int64_t first, int64_t channels, float *u)
{
	int height = j->k->heights[o->vectors];
	o->rows = height;
	for (int64_t c = 0; c < channels; c += height) {
		int64_t start = c + height <= channels ? c : channels - height;
		o->first = (int)(c - start);
		o->out = u + start * o->ldo;
		o->x_at = first + start;
		j->k->outer(o);
	}
}

/* u (+)= the products of the batch at point p. */
static void point(const job *j, const batch *b, int64_t p, float *u, bool add)
{
	const float *x[b->n], *y[b->n];
	bl_outer_args o = { .n = b->n, .x = x, .y = y, .ldo = j->columns, .add = add };
	point_at(j, b, p, x, y);
	for (int64_t from = 0; from < j->columns; from += o.cols) {
		o.vectors = bl_panel_vectors(j->k, from, j->columns);
		o.cols = o.vectors * j->k->lanes;
		o.y_at = from;
		panel(j, &o, 0, j->channels, u + p * j->channels * j->columns + from);
	}
}

static void shared_point(void *ctx, int64_t p)
{
	const job *j = ctx;
	point(j, &j->batch, p, j->u, j->batch.first > 0);
}

/*
 * For `lanes` columns, which begin at `column`, and CHANNELS channels, which begin at c: transforms
 * u[point * pitch + channel * width + lane] to dg[channel][tap][lane], and writes dg to dw row by row.
 */
static void finish_block(const job *j, int64_t column, int64_t c, const float *u, int64_t width, int64_t pitch, bool add)
{
	int lanes = j->k->lanes;
	float dg[CHANNELS * 9 * 16];
	for (int64_t i = 0; i < CHANNELS; i++)
		j->k->winograd_filter_gradient(u + i * width, pitch, dg + 9 * i * lanes);
	for (int l = 0; l < lanes; l++) {
		float *dw = j->dw + ((column + l) * j->channels + c) * 9;
		for (int i = 0; i < CHANNELS * 9; i++)
			dw[i] = (add ? dw[i] : 0) + dg[i * lanes + l];
	}
}

static void finish_columns(void *ctx, int64_t block)
{
	const job *j = ctx;
	int64_t column = block * j->k->lanes;
	for (int64_t c = 0; c < j->channels; c += CHANNELS)
		finish_block(j, column, c, j->u + c * j->columns + column, j->columns, j->channels * j->columns, j->add);
}

static void next_batch(job *j)
{
	batch *b = &j->batch;
	b->first += b->n;
	b->n = j->tiles - b->first < j->room ? j->tiles - b->first : j->room;
	bl_parallel((b->n + GROUP - 1) / GROUP, transform_group, j);
}

/* Divides the memory v between the arrays of a batch. */
static void lay(const job *j, batch *b, float *v)
{
	b->v = v;
	b->z = v + POINTS * j->room * j->channels;
}

static size_t batch_bytes(const job *j)
{
	return (size_t)(POINTS * j->room * (j->channels + j->columns)) * sizeof(float);
}

static bool more(const job *j)
{
	return j->batch.first + j->batch.n < j->tiles;
}

static void by_points(job *j)
{
	while (more(j)) {
		next_batch(j);
		bl_parallel(POINTS, shared_point, j);
	}
	bl_parallel(j->columns / j->k->lanes, finish_columns, j);
}

static void cut(void *ctx, int64_t i)
{
	job *j = ctx;
	int64_t last;
	batch b = { 0 };
	float *u = j->u + i * POINTS * j->channels * j->columns, *v = bl_scratch(SCRATCH, batch_bytes(j));
	if (!v) {
		atomic_store(&j->failed, true);
		return;
	}
	lay(j, &b, v);
	bl_chunk_range(j->tiles, j->cuts, i, &b.first, &last);
	for (bool add = false; b.first < last; b.first += b.n, add = true) {
		b.n = last - b.first < j->room ? last - b.first : j->room;
		transform(j, &b, 0, b.n);
		for (int64_t p = 0; p < POINTS; p++)
			point(j, &b, p, u, add);
	}
}

/* Adds the cuts to the first one, in order. */
static void sum_point(void *ctx, int64_t p)
{
	const job *j = ctx;
	int64_t n = j->channels * j->columns;
	for (int64_t i = 1; i < j->cuts; i++) {
		float *to = j->u + p * n;
		const float *from = to + i * POINTS * n;
		for (int64_t k = 0; k < n; k++)
			to[k] += from[k];
	}
}

static void by_cuts(job *j)
{
	bl_parallel(j->cuts, cut, j);
	bl_parallel(POINTS, sum_point, j);
	bl_parallel(j->columns / j->k->lanes, finish_columns, j);
}

/* Returns the first column of panel n, and sets *width to its number of columns. */
static int64_t panel_at(const job *j, int64_t n, int64_t *width)
{
	int64_t from = 0;
	for (;; from += *width) {
		*width = bl_panel_vectors(j->k, from, j->columns) * j->k->lanes;
		if (n-- == 0)
			return from;
	}
}

static int64_t panels(const job *j)
{
	int64_t n = 0;
	for (int64_t from = 0; from < j->columns; n++)
		from += bl_panel_vectors(j->k, from, j->columns) * j->k->lanes;
	return n;
}

static int64_t slices(const job *j)
{
	return (j->channels + SLICE - 1) / SLICE;
}

/*
 * Computes the products and taps of SLICE channels and a panel of columns.  Consecutive slices have the same columns.
 */
static void slice(void *ctx, int64_t i)
{
	job *j = ctx;
	int64_t width, from = panel_at(j, i / slices(j), &width), c0 = i % slices(j) * SLICE;
	int64_t n = j->channels - c0 < SLICE ? j->channels - c0 : SLICE, pitch = n * width;
	float *u = bl_scratch(SCRATCH, (size_t)(POINTS * pitch) * sizeof *u);
	const batch *b = &j->batch;
	const float *x[b->n], *y[b->n];
	bl_outer_args o = {
		.vectors = (int)(width / j->k->lanes), .cols = (int)width, .n = b->n, .x = x, .y = y, .y_at = from, .ldo = width
	};
	if (!u) {
		atomic_store(&j->failed, true);
		return;
	}
	for (int64_t p = 0; p < POINTS; p++) {
		point_at(j, b, p, x, y);
		panel(j, &o, c0, n, u + p * pitch);
	}
	for (int64_t k = 0; k < width; k += j->k->lanes)
		for (int64_t c = 0; c < n; c += CHANNELS)
			finish_block(j, from + k, c0 + c, u + c * width + k, width, pitch, j->add || b->first > 0);
}

static void by_columns(job *j)
{
	while (more(j)) {
		next_batch(j);
		bl_parallel(panels(j) * slices(j), slice, j);
	}
}

static int64_t batch_room(const job *j, int64_t floats, int64_t least)
{
	int64_t n = floats / (POINTS * (j->channels + j->columns));
	n = n < least ? least : n;
	return j->tiles < n ? j->tiles : n;
}

static void run(job *j, bool columns)
{
	if (columns)
		by_columns(j);
	else if (j->cuts > 1)
		by_cuts(j);
	else
		by_points(j);
}

/* Allocates the memory of the method for this shape, and runs it. */
static int run_with_room(job *j)
{
	int64_t filters = POINTS * j->channels * j->columns;
	bool columns = j->tiles && bl_winograd_by_columns(j->channels, j->columns), few = filters <= CUT_FLOATS && j->tiles >= CUTS;
	j->cuts = few ? CUTS : 1;
	j->room =
		few ? batch_room(j, BATCH_FLOATS_BY_CUTS, 8) : batch_room(j, columns ? BATCH_FLOATS_BY_COLUMNS : BATCH_FLOATS, 64);
	float *v = few ? NULL : bl_block_take(batch_bytes(j));
	j->u = columns ? NULL : bl_block_take((size_t)(j->cuts * filters) * sizeof *j->u);
	int rc = (few || v) && (columns || j->u) ? 0 : -1;
	if (!rc) {
		if (!j->tiles)
			memset(j->u, 0, (size_t)filters * sizeof *j->u);
		lay(j, &j->batch, v);
		run(j, columns);
	}
	bl_block_give(v);
	bl_block_give(j->u);
	if (rc == 0 && atomic_load(&j->failed))
		rc = bl_fail("no memory for the tiles of a convolution");
	return rc;
}

int bl_winograd_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add)
{
	job j = { .k = bl_kernel(), .channels = g->c, .columns = g->k, .dw = dw, .add = add };
	float *zeros = bl_tiles_zeros(g->c > g->k ? g->c : g->k);
	j.in = bl_tiles_of((float *)x, g->h, g->w, g->c, 6, g->padding, g->p, g->q);
	j.out = bl_tiles_of((float *)dy, g->p, g->q, g->k, 4, 0, g->p, g->q);
	j.in.zeros = j.out.zeros = zeros;
	j.tiles = g->n * j.in.down * j.in.across;
	int rc = !zeros ? -1 : run_with_room(&j);
	bl_block_give(zeros);
	return rc;
}
