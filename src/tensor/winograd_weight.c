/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * winograd_weight.c: the weight gradient by F(4x4, 3x3), the adjoint of the forward transforms:
 *
 *   dg = G^T [ sum over tiles (B^T d B) . (A dy A^T) ] G
 *
 * A batch of tiles is transformed by all threads, then each of the 36 points
 * adds its product; batch follows batch, so sums have one order.  Where filters
 * are many, products are taken for a few columns and channels at a time, and
 * brought back to taps while they are in the cache.
 */
#include "tensor/winograd.h"

#include "tensor/winograd_filters.h"
#include "tensor/winograd_tiles.h"

#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum { POINTS = BL_WINOGRAD_POINTS, GROUP = 8, CHANNELS = 16, SCRATCH = 0, SLICE = 128 };
enum { BATCH_FLOATS = 1 << 20, BATCH_FLOATS_BY_COLUMNS = 6 << 20 };

typedef struct job {
	const bl_kernels *k;
	bl_tiles in, out;
	int64_t channels, columns;
	int64_t first, n, room; /* tiles of this batch; of the largest */
	float *v, *z;           /* [point][tile][channel], [point][tile][column] */
	float *u;               /* [point][channel][column] */
	float *dw;              /* (column, channel, 9) */
	bool add;
	atomic_bool failed;     /* a chunk got no memory */
} job;

static void transform(void *ctx, int64_t group)
{
	const job *j = ctx;
	int64_t last = (group + 1) * GROUP < j->n ? (group + 1) * GROUP : j->n;
	for (int64_t t = group * GROUP; t < last; t++) {
		const float *pixel[36];
		bl_tiles_read(&j->in, j->first + t, pixel);
		j->k->winograd_input(j->channels, pixel, j->v + t * j->channels, j->room * j->channels);
		bl_tiles_read(&j->out, j->first + t, pixel);
		j->k->winograd_gradient(j->columns, pixel, j->z + t * j->columns, j->room * j->columns);
	}
}

/* The tiles' values at point p. */
static void point_at(const job *j, int64_t p, const float **x, const float **y)
{
	for (int64_t t = 0; t < j->n; t++) {
		x[t] = j->v + (p * j->room + t) * j->channels;
		y[t] = j->z + (p * j->room + t) * j->columns;
	}
}

/* Tiles of `channels` channels from `first` on; the last overlaps the one before it. */
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

static void point(void *ctx, int64_t p)
{
	const job *j = ctx;
	const float *x[j->n], *y[j->n];
	bl_outer_args o = { .n = j->n, .x = x, .y = y, .ldo = j->columns, .add = j->first > 0 };
	point_at(j, p, x, y);
	for (int64_t from = 0; from < j->columns; from += o.cols) {
		o.vectors = bl_panel_vectors(j->k, from, j->columns);
		o.cols = o.vectors * j->k->lanes;
		o.y_at = from;
		panel(j, &o, 0, j->channels, j->u + p * j->channels * j->columns + from);
	}
}

/*
 * Filters of `lanes` columns and CHANNELS channels: dg[channel][tap][lane], then into dw row by row.
 * u[point * pitch + channel * width + lane], from the first of these on.
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

static void next_batch(job *j, int64_t tiles)
{
	j->n = tiles - j->first < j->room ? tiles - j->first : j->room;
	bl_parallel((j->n + GROUP - 1) / GROUP, transform, j);
}

static int by_points(job *j, int64_t tiles)
{
	j->u = bl_block_take((size_t)(POINTS * j->channels * j->columns) * sizeof *j->u);
	if (!j->u)
		return -1;
	memset(j->u, 0, (size_t)(tiles ? 0 : POINTS * j->channels * j->columns) * sizeof *j->u);
	for (j->first = 0; j->first < tiles; j->first += j->n) {
		next_batch(j, tiles);
		bl_parallel(POINTS, point, j);
	}
	bl_parallel(j->columns / j->k->lanes, finish_columns, j);
	bl_block_give(j->u);
	return 0;
}

/* SLICE channels of a few columns: products, then taps.  Slices go fastest: neighbours share their columns. */
static void slice(void *ctx, int64_t i)
{
	job *j = ctx;
	int64_t slices = (j->channels + SLICE - 1) / SLICE, most = bl_winograd_width(j->k), c0 = i % slices * SLICE;
	int64_t n = j->channels - c0 < SLICE ? j->channels - c0 : SLICE, from = i / slices * most;
	int64_t width = j->columns - from < most ? j->columns - from : most, pitch = n * width;
	float *u = bl_scratch(SCRATCH, (size_t)(POINTS * SLICE * most) * sizeof *u);
	const float *x[j->n], *y[j->n];
	bl_outer_args o = { .vectors = (int)(width / j->k->lanes), .cols = (int)width, .n = j->n, .x = x, .y = y, .y_at = from,
		            .ldo = width };
	if (!u) {
		atomic_store(&j->failed, true);
		return;
	}
	for (int64_t p = 0; p < POINTS; p++) {
		point_at(j, p, x, y);
		panel(j, &o, c0, n, u + p * pitch);
	}
	for (int64_t k = 0; k < width; k += j->k->lanes)
		for (int64_t c = 0; c < n; c += CHANNELS)
			finish_block(j, from + k, c0 + c, u + c * width + k, width, pitch, j->add || j->first > 0);
}

static int by_columns(job *j, int64_t tiles)
{
	int64_t width = bl_winograd_width(j->k);
	for (j->first = 0; j->first < tiles; j->first += j->n) {
		next_batch(j, tiles);
		bl_parallel((j->columns + width - 1) / width * ((j->channels + SLICE - 1) / SLICE), slice, j);
	}
	return atomic_load(&j->failed) ? -1 : 0;
}

static int64_t batch_room(int64_t tiles, int64_t channels, int64_t floats)
{
	int64_t n = floats / (POINTS * channels);
	n = n < 64 ? 64 : n;
	return tiles < n ? tiles : n;
}

int bl_winograd_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add)
{
	job j = { .k = bl_kernel(), .channels = g->c, .columns = g->k, .dw = dw, .add = add };
	float *zeros = bl_tiles_zeros(g->c > g->k ? g->c : g->k);
	j.in = bl_tiles_of((float *)x, g->h, g->w, g->c, 6, g->padding, g->p, g->q);
	j.out = bl_tiles_of((float *)dy, g->p, g->q, g->k, 4, 0, g->p, g->q);
	j.in.zeros = j.out.zeros = zeros;
	int64_t tiles = g->n * j.in.down * j.in.across;
	bool columns = tiles && bl_winograd_by_columns(g->c, g->k);
	j.room = batch_room(tiles, g->c + g->k, columns ? BATCH_FLOATS_BY_COLUMNS : BATCH_FLOATS);
	j.v = bl_block_take((size_t)(POINTS * j.room * (g->c + g->k)) * sizeof *j.v);
	int rc = -1;
	if (zeros && j.v) {
		j.z = j.v + POINTS * j.room * g->c;
		rc = columns ? by_columns(&j, tiles) : by_points(&j, tiles);
	}
	bl_block_give(j.v);
	bl_block_give(zeros);
	return rc;
}
