/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * winograd.c: convolution by Winograd's F(4x4, 3x3): the forward pass and the data gradient.
 *
 *   Y = A^T [ (G g G^T) . (B^T d B) ] A      for each tile of 4x4 outputs
 *
 * The dot is the elementwise product.  Summed over the input channels, it becomes 36 matrix products (tiles,C) x (C,K),
 * one for each element of a transformed tile (a point).  A chunk of tiles is processed in all three stages
 * (transform of the input, products, transform of the output) while it is in the cache.  If there are many filters,
 * chunks of output channels are used instead, see winograd_columns.c.  The data gradient is the same computation with
 * the filters rotated by 180 degrees, and with C and K exchanged.
 */
#include "tensor/winograd/winograd.h"

#include "tensor/winograd/winograd_job.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { POINTS = BL_WINOGRAD_POINTS, SCRATCH_TILES = 0, TILE_BYTES = 640 << 10, FEWEST = 24 };

bool bl_winograd_fits(const bl_conv *g)
{
	return g->r == 3 && g->s == 3 && !g->gap && g->stride == 1 && g->padding <= 2 && g->groups == 1 && g->c % 16 == 0 &&
	       g->k % 16 == 0;
}

/*
 * Compares the numbers of multiply-adds for one image.  The direct algorithm ("gather") needs 9 p q C K.  Winograd's
 * needs 36 C K for each tile.  Its transforms take about as long as TRANSFORM additional input channels and TRANSFORM
 * additional output channels (measured on Zen 4).
 */
bool bl_winograd_pays(const bl_conv *g)
{
	enum { TRANSFORM = 14 };
	int64_t tiles = (g->p + 3) / 4 * ((g->q + 3) / 4);
	return 36 * tiles * (g->c * g->k + TRANSFORM * (g->c + g->k)) < 9 * g->p * g->q * g->c * g->k;
}

/* A convolution that is computed in chunks of tiles. */
typedef struct job {
	const bl_winograd_job *of;
	float *u;           /* transformed filters: [point][panel][channel][column in panel] */
	int64_t per_chunk;  /* tiles */
	atomic_bool failed; /* there was no memory for a chunk */
} job;

/*
 * Returns the first column of the panel that contains `column`, and sets *width to its number of columns.  A column is
 * an output channel; a panel is a group of columns that the kernel computes together.
 */
static int64_t panel_of(const bl_winograd_job *j, int64_t column, int64_t *width)
{
	int64_t from = 0;
	for (;; from += *width) {
		*width = bl_panel_vectors(j->filters.k, from, j->columns) * j->filters.k->lanes;
		if (column < from + *width)
			return from;
	}
}

static void filter_columns(void *ctx, int64_t block)
{
	const job *j = ctx;
	const bl_winograd_filters *f = &j->of->filters;
	int64_t column = block * f->k->lanes, width, from = panel_of(j->of, column, &width);
	bl_winograd_filter_columns(f, column, j->u + from * f->channels + (column - from), width, f->channels * j->of->columns);
}

/* m = v u at each point, for n tiles: v is [point][tile][channel], m is [point][tile][column]. */
static void products(const job *j, int64_t n, const float *v, float *m)
{
	const bl_kernels *k = j->of->filters.k;
	int64_t channels = j->of->filters.channels, columns = j->of->columns;
	for (int p = 0; p < POINTS; p++) {
		const float *u = j->u + p * channels * columns, *vp = v + p * j->per_chunk * channels;
		float *mp = m + p * j->per_chunk * columns;
		bl_gather_args g = { .taps = 1, .channels = channels };
		for (int64_t from = 0; from < columns; from += g.cols) {
			g.vectors = bl_panel_vectors(k, from, columns);
			g.cols = g.vectors * k->lanes;
			g.w = u + from * channels;
			for (int64_t t = 0; t < n; t += g.rows) {
				int height = k->heights[g.vectors];
				const float *a[BL_TILE_ROWS];
				float *out[BL_TILE_ROWS];
				g.rows = n - t < height ? (int)(n - t) : height;
				for (int r = 0; r < height; r++) {
					int64_t row = r < g.rows ? t + r : t;
					a[r] = vp + row * channels;
					out[r] = mp + row * columns + from;
				}
				g.a = a;
				g.out = out;
				k->gather(&g);
			}
		}
	}
}

static void chunk(void *ctx, int64_t i)
{
	job *j = ctx;
	const bl_winograd_job *of = j->of;
	const bl_kernels *k = of->filters.k;
	int64_t channels = of->filters.channels, columns = of->columns;
	int64_t first = i * j->per_chunk, n = of->tiles - first < j->per_chunk ? of->tiles - first : j->per_chunk;
	float *v = bl_scratch(SCRATCH_TILES, (size_t)(POINTS * j->per_chunk * (channels + columns)) * sizeof *v);
	if (!v) {
		atomic_store(&j->failed, true);
		return;
	}
	float *m = v + POINTS * j->per_chunk * channels;
	for (int64_t t = 0; t < n; t++) {
		const float *pixel[36];
		bl_tiles_read(&of->in, first + t, pixel);
		k->winograd_input(channels, pixel, v + t * channels, j->per_chunk * channels);
	}
	products(j, n, v, m);
	for (int64_t t = 0; t < n; t++) {
		float *pixel[16];
		bl_tiles_write(&of->out, first + t, pixel);
		k->winograd_output(columns, m + t * columns, j->per_chunk * columns, pixel, of->add);
	}
}

static int64_t tiles_per_chunk(int64_t channels)
{
	int64_t n = TILE_BYTES / (POINTS * channels * (int64_t)sizeof(float));
	return n < FEWEST ? FEWEST : n / 12 * 12;
}

static int run_tiles(const bl_winograd_job *of)
{
	const bl_winograd_filters *f = &of->filters;
	job j = { .of = of, .per_chunk = tiles_per_chunk(f->channels + of->columns) };
	j.u = bl_block_take((size_t)(POINTS * f->channels * of->columns) * sizeof *j.u);
	if (!j.u)
		return -1;
	bl_parallel(of->columns / f->k->lanes, filter_columns, &j);
	bl_parallel((of->tiles + j.per_chunk - 1) / j.per_chunk, chunk, &j);
	bl_block_give(j.u);
	return atomic_load(&j.failed) ? bl_fail("no memory for the tiles of a convolution") : 0;
}

static int run(bl_winograd_job *j)
{
	float *zeros = bl_tiles_zeros(j->filters.channels);
	if (!zeros)
		return -1;
	j->filters.k = bl_kernel();
	j->in.zeros = zeros;
	int rc = bl_winograd_by_columns(j->filters.channels, j->columns) ? bl_winograd_run_columns(j) : run_tiles(j);
	bl_block_give(zeros);
	return rc;
}

/*
 * Arguments of fill_image, which sets all pixels of an image (`channels` floats each) to the bias.  The convolution is
 * added to them later.
 */
typedef struct fill {
	const float *bias;
	float *y;
	int64_t pixels, channels;
} fill;

static void fill_image(void *ctx, int64_t i)
{
	const fill *f = ctx;
	float *to = f->y + i * f->pixels * f->channels;
	for (int64_t m = 0; m < f->pixels; m++, to += f->channels)
		memcpy(to, f->bias, (size_t)f->channels * sizeof *to);
}

int bl_winograd_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y)
{
	bl_winograd_job j = { .filters = { .w = w, .channels = g->c, .column = g->c * 9, .channel = 9 },
		              .columns = g->k,
		              .add = bias != NULL };
	if (bias)
		bl_parallel(g->n, fill_image, &(fill){ bias, y, g->p * g->q, g->k });
	j.out = bl_tiles_of(y, g->p, g->q, g->k, 4, 0, g->p, g->q);
	j.in = bl_tiles_of((float *)x, g->h, g->w, g->c, 6, g->padding, g->p, g->q);
	j.tiles = g->n * j.out.down * j.out.across;
	return run(&j);
}

int bl_winograd_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add)
{
	bl_winograd_job j = { .filters = { .w = w, .channels = g->k, .column = 9, .channel = g->c * 9, .turned = true },
		              .columns = g->c,
		              .add = add };
	j.out = bl_tiles_of(dx, g->h, g->w, g->c, 4, 0, g->h, g->w);
	j.in = bl_tiles_of((float *)dy, g->p, g->q, g->k, 6, 2 - g->padding, g->h, g->w);
	j.tiles = g->n * j.out.down * j.out.across;
	return run(&j);
}
