/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * winograd_columns.c: Winograd's F(4x4, 3x3) for layers with many filters.  First, all tiles of a batch are
 * transformed. Then each chunk computes the products and the output transform for a few columns (output channels).
 * Thus each filter is transformed only once per batch of tiles, and its transform stays in the cache until it is used.
 */
#include "tensor/winograd/winograd.h"

#include "tensor/winograd/winograd_job.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>

enum { POINTS = BL_WINOGRAD_POINTS, SCRATCH = 0, GROUP = 8, TILES = 256, BATCH_FLOATS = 4 << 20 };

typedef struct batch {
	const bl_winograd_job *job;
	int64_t first, n, room; /* the batch's first tile, its number of tiles, and the largest number in any batch */
	float *v;               /* [point][tile][channel] */
	atomic_bool failed;     /* a chunk got no memory */
} batch;

static void transform(void *ctx, int64_t group)
{
	const batch *b = ctx;
	const bl_winograd_job *j = b->job;
	int64_t last = (group + 1) * GROUP < b->n ? (group + 1) * GROUP : b->n;
	for (int64_t t = group * GROUP; t < last; t++) {
		const float *pixel[36];
		bl_tiles_read(&j->in, b->first + t, pixel);
		j->filters.k->winograd_input(j->filters.channels, pixel, b->v + t * j->filters.channels,
		                             b->room * j->filters.channels);
	}
}

/*
 * Computes m[point][tile][column] for tiles first..first+n-1 of the batch with the filters u[point][channel][column].
 */
static void products(const batch *b, int64_t first, int64_t n, const float *u, int width, float *m)
{
	const bl_kernels *k = b->job->filters.k;
	int64_t channels = b->job->filters.channels;
	bl_gather_args g = { .vectors = width / k->lanes, .cols = width, .taps = 1, .channels = channels };
	const int height = k->heights[g.vectors];
	const float *a[BL_TILE_ROWS];
	float *out[BL_TILE_ROWS];
	g.a = a;
	g.out = out;
	for (int p = 0; p < POINTS; p++, u += channels * width, m += n * width) {
		const float *v = b->v + (p * b->room + first) * channels;
		g.w = u;
		for (int64_t t = 0; t < n; t += height) {
			g.rows = n - t < height ? (int)(n - t) : height;
			for (int r = 0; r < height; r++) { /* rows beyond the last tile read row t and write nothing */
				int64_t row = r < g.rows ? t + r : t;
				a[r] = v + row * channels;
				out[r] = m + row * width;
			}
			k->gather(&g);
		}
	}
}

static void outputs(const batch *b, int64_t first, int64_t n, const float *m, int64_t from, int width)
{
	const bl_winograd_job *j = b->job;
	for (int64_t t = 0; t < n; t++) {
		float *pixel[16];
		bl_tiles_write(&j->out, b->first + first + t, pixel);
		for (int i = 0; i < 16; i++)
			pixel[i] = pixel[i] ? pixel[i] + from : NULL;
		j->filters.k->winograd_output(width, m + t * width, n * width, pixel, j->add);
	}
}

static void columns(void *ctx, int64_t block)
{
	batch *b = ctx;
	const bl_winograd_job *j = b->job;
	int64_t lanes = j->filters.k->lanes, most = bl_winograd_width(j->filters.k), from = block * most;
	int64_t channels = j->filters.channels, width = j->columns - from < most ? j->columns - from : most;
	float *u = bl_scratch(SCRATCH, (size_t)(POINTS * (channels + TILES) * most) * sizeof *u);
	if (!u) {
		atomic_store(&b->failed, true);
		return;
	}
	for (int64_t c = 0; c < width; c += lanes)
		bl_winograd_filter_columns(&j->filters, from + c, u + c, width, channels * width);
	for (int64_t t = 0, n; t < b->n; t += n) {
		n = b->n - t < TILES ? b->n - t : TILES;
		products(b, t, n, u, (int)width, u + POINTS * channels * width);
		outputs(b, t, n, u + POINTS * channels * width, from, (int)width);
	}
}

int bl_winograd_run_columns(const bl_winograd_job *j)
{
	int64_t room = BATCH_FLOATS / (POINTS * j->filters.channels), width = bl_winograd_width(j->filters.k);
	batch b = { .job = j, .room = j->tiles < room ? j->tiles : room < TILES ? TILES : room };
	b.v = bl_block_take((size_t)(POINTS * b.room * j->filters.channels) * sizeof *b.v);
	if (!b.v)
		return -1;
	for (; b.first < j->tiles; b.first += b.n) {
		b.n = j->tiles - b.first < b.room ? j->tiles - b.first : b.room;
		bl_parallel((b.n + GROUP - 1) / GROUP, transform, &b);
		bl_parallel((j->columns + width - 1) / width, columns, &b);
	}
	bl_block_give(b.v);
	return atomic_load(&b.failed) ? bl_fail("no memory for the tiles of a convolution") : 0;
}
