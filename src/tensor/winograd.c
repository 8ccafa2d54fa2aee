/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * winograd.c: F(4x4, 3x3) forwards and for the data gradient.
 *
 *   Y = A^T [ (G g G^T) . (B^T d B) ] A      for each tile of 4x4 outputs
 *
 * Summed over channels that is 36 matrix products (tiles,C) x (C,K).  A chunk
 * of tiles goes through all three stages while it is in the cache.  The data
 * gradient is the same with filters turned round and C and K exchanged.
 */
#include "tensor/winograd.h"

#include "tensor/conv_pack.h"
#include "tensor/winograd_tiles.h"

#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { POINTS = 36, SCRATCH_TILES = 0, TILE_BYTES = 640 << 10, FEWEST = 24 };

bool bl_winograd_fits(const bl_conv *g)
{
	return g->r == 3 && g->s == 3 && g->stride == 1 && g->padding <= 2 && g->groups == 1 && g->c % 16 == 0 && g->k % 16 == 0;
}

/*
 * Multiply-adds: gather 9 p q C K; Winograd 36 tiles C K, and its transforms
 * cost about as much as TRANSFORM more channels each way (measured, Zen 4).
 */
bool bl_winograd_pays(const bl_conv *g)
{
	enum { TRANSFORM = 14 };
	int64_t tiles = (g->p + 3) / 4 * ((g->q + 3) / 4);
	return 36 * tiles * (g->c * g->k + TRANSFORM * (g->c + g->k)) < 9 * g->p * g->q * g->c * g->k;
}

/* Filters: u[point][panel][c][column in panel]. */
typedef struct filters {
	const bl_kernels *k;
	const float *w;
	int64_t channels, columns;
	int64_t column, channel; /* strides in w */
	bool turned;
	float *u;
} filters;

/* Taps of n channels of `lanes` columns: [channel][tap][lane].  Rows are read in the order in which they lie. */
static void take_taps(const filters *f, int64_t from, int64_t c, int64_t n, float *g)
{
	int lanes = f->k->lanes;
	for (int l = 0; l < lanes; l++)
		for (int64_t i = 0; i < n; i++) {
			const float *w = f->w + (from + l) * f->column + (c + i) * f->channel;
			for (int t = 0; t < 9; t++)
				g[(9 * i + t) * lanes + l] = w[f->turned ? 8 - t : t];
		}
}

/* The panel that a column lies in: returns its first column. */
static int64_t panel_of(const filters *f, int64_t column, int64_t *width)
{
	int64_t from = 0;
	for (;; from += *width) {
		*width = bl_panel_vectors(f->k, from, f->columns) * f->k->lanes;
		if (column < from + *width)
			return from;
	}
}

static void filter_columns(void *ctx, int64_t block)
{
	enum { CHANNELS = 16 };
	const filters *f = ctx;
	int64_t column = block * f->k->lanes, width, from = panel_of(f, column, &width);
	float g[CHANNELS * 9 * 16], *u = f->u + from * f->channels + (column - from);
	for (int64_t c = 0; c < f->channels; c += CHANNELS) {
		take_taps(f, column, c, CHANNELS, g);
		for (int64_t i = 0; i < CHANNELS; i++)
			f->k->winograd_filter(g + 9 * i * f->k->lanes, u + (c + i) * width, f->channels * f->columns);
	}
}

typedef struct job {
	const bl_kernels *k;
	bl_tiles in, out;
	const float *u;
	int64_t channels, columns;
	int64_t tiles, per_chunk;
	bool add;
	atomic_bool failed;
} job;

static void products(const job *j, int64_t n, const float *v, float *m)
{
	for (int p = 0; p < POINTS; p++) {
		const float *u = j->u + p * j->channels * j->columns, *vp = v + p * j->per_chunk * j->channels;
		float *mp = m + p * j->per_chunk * j->columns;
		bl_gather_args g = { .taps = 1, .channels = j->channels };
		for (int64_t from = 0; from < j->columns; from += g.cols) {
			g.vectors = bl_panel_vectors(j->k, from, j->columns);
			g.cols = g.vectors * j->k->lanes;
			g.w = u + from * j->channels;
			for (int64_t t = 0; t < n; t += g.rows) {
				int height = j->k->heights[g.vectors];
				const float *a[BL_TILE_ROWS];
				float *out[BL_TILE_ROWS];
				g.rows = n - t < height ? (int)(n - t) : height;
				for (int r = 0; r < height; r++) {
					int64_t row = r < g.rows ? t + r : t;
					a[r] = vp + row * j->channels;
					out[r] = mp + row * j->columns + from;
				}
				g.a = a;
				g.out = out;
				j->k->gather(&g);
			}
		}
	}
}

static void chunk(void *ctx, int64_t i)
{
	job *j = ctx;
	int64_t first = i * j->per_chunk, n = j->tiles - first < j->per_chunk ? j->tiles - first : j->per_chunk;
	float *v = bl_scratch(SCRATCH_TILES, (size_t)(POINTS * j->per_chunk * (j->channels + j->columns)) * sizeof *v);
	if (!v) {
		atomic_store(&j->failed, true);
		return;
	}
	float *m = v + POINTS * j->per_chunk * j->channels;
	for (int64_t t = 0; t < n; t++) {
		const float *pixel[36];
		bl_tiles_read(&j->in, first + t, pixel);
		j->k->winograd_input(j->channels, pixel, v + t * j->channels, j->per_chunk * j->channels);
	}
	products(j, n, v, m);
	for (int64_t t = 0; t < n; t++) {
		float *pixel[16];
		bl_tiles_write(&j->out, first + t, pixel);
		j->k->winograd_output(j->columns, m + t * j->columns, j->per_chunk * j->columns, pixel, j->add);
	}
}

static int64_t tiles_per_chunk(int64_t channels)
{
	int64_t n = TILE_BYTES / (POINTS * channels * (int64_t)sizeof(float));
	return n < FEWEST ? FEWEST : n / 12 * 12;
}

static int run(job *j, filters *f)
{
	f->k = j->k = bl_kernel();
	f->channels = j->channels;
	f->columns = j->columns;
	f->u = bl_block_take((size_t)(POINTS * f->channels * f->columns) * sizeof *f->u);
	float *zeros = bl_tiles_zeros(j->channels);
	int rc = -1;
	if (f->u && zeros) {
		bl_parallel(f->columns / f->k->lanes, filter_columns, f);
		j->u = f->u;
		j->in.zeros = zeros;
		j->per_chunk = tiles_per_chunk(j->channels + j->columns);
		bl_parallel((j->tiles + j->per_chunk - 1) / j->per_chunk, chunk, j);
		rc = atomic_load(&j->failed) ? -1 : 0;
	}
	bl_block_give(zeros);
	bl_block_give(f->u);
	return rc;
}

int bl_winograd_forward(const bl_conv *g, const float *x, const float *w, float *y)
{
	filters f = { .w = w, .column = g->c * 9, .channel = 9 };
	job j = { .channels = g->c, .columns = g->k };
	j.out = bl_tiles_of(y, g->p, g->q, g->k, 4, 0, g->p, g->q);
	j.in = bl_tiles_of((float *)x, g->h, g->w, g->c, 6, g->padding, g->p, g->q);
	j.tiles = g->n * j.out.down * j.out.across;
	return run(&j, &f);
}

int bl_winograd_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add)
{
	filters f = { .w = w, .column = 9, .channel = g->c * 9, .turned = true };
	job j = { .channels = g->k, .columns = g->c, .add = add };
	j.out = bl_tiles_of(dx, g->h, g->w, g->c, 4, 0, g->h, g->w);
	j.in = bl_tiles_of((float *)dy, g->p, g->q, g->k, 6, 2 - g->padding, g->h, g->w);
	j.tiles = g->n * j.out.down * j.out.across;
	return run(&j, &f);
}
