/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cells.c: means of standardised embeddings over cells of columns. */
#include "loss/standard.h"

#include "base/clones.h"

#include <barlow/memory.h>

#include <stdatomic.h>
#include <string.h>

typedef struct grid {
	bl_standard s;       /* only n, d, divisor, eps and diag are used */
	const float *x[2];   /* x[1] NULL: one view, no diagonal */
	const int32_t *dims; /* NULL: all, in their order */
	int64_t count, chunks;
	int cells;
	float *out[2]; /* (N,cells) */
	atomic_bool failed;
} grid;

/*
 * For each of n rows, adds `share` times the sum of `count` columns of a strip to out.  Rows of the strip are `width`
 * floats apart, and rows of out `pitch` floats.
 */
BL_CLONES_EXACT static void add_columns(int64_t n, int64_t width, int64_t count, const float *strip, float share, float *out,
                                        int64_t pitch)
{
	enum { LANES = 8 };
	for (int64_t i = 0; i < n; i++, strip += width, out += pitch) {
		float lane[LANES] = { 0 }, sum = 0;
		int64_t j = 0;
		for (; j + LANES <= count; j += LANES)
			for (int k = 0; k < LANES; k++)
				lane[k] += strip[j + k];
		for (; j < count; j++)
			sum += strip[j];
		for (int k = 0; k < LANES; k++)
			sum += lane[k];
		*out += share * sum;
	}
}

/* Adds the columns of a strip that belong to a cell to the cell's means.  A cell may be wider than the strip. */
static void add_strip(const grid *g, int view, int cell, int64_t from, int64_t width, const float *strip)
{
	int64_t start, end;
	bl_chunk_range(g->count, g->cells, cell, &start, &end);
	float share = 1 / (float)(end - start);
	start = start > from ? start : from;
	end = end < from + width ? end : from + width;
	if (start < end)
		add_columns(g->s.n, bl_standard_pitch(width), end - start, strip + start - from, share, g->out[view] + cell,
		            g->cells);
}

static void strip_of_cells(const grid *g, int64_t first, int64_t last, int64_t from, int64_t width, float *copy)
{
	float *of[2] = { copy, copy + g->s.n * bl_standard_pitch(width) };
	for (int v = 0; v < 2 && g->x[v]; v++) {
		bl_standard_some(&g->s, g->x[v], g->dims, from, width, of[v]);
		for (int64_t cell = first; cell < last; cell++)
			add_strip(g, v, (int)cell, from, width, of[v]);
	}
	if (g->x[1])
		bl_standard_correlate(&g->s, width, of[0], of[1], g->s.diag + from);
}

static void clear_cells(const grid *g, int64_t first, int64_t last)
{
	for (int v = 0; v < 2 && g->x[v]; v++)
		for (int64_t i = 0; i < g->s.n; i++)
			memset(g->out[v] + i * g->cells + first, 0, (size_t)(last - first) * sizeof(float));
}

/* Computes the cells of a chunk, in strips that stay in the cache.  The standardised columns are not stored. */
static void run_cells(void *ctx, int64_t chunk)
{
	grid *g = ctx;
	int64_t first, last, from, to, end;
	bl_chunk_range(g->cells, g->chunks, chunk, &first, &last);
	bl_chunk_range(g->count, g->cells, first, &from, &to);
	bl_chunk_range(g->count, g->cells, last - 1, &to, &end);
	int64_t most = end - from < BL_STANDARD_COLUMNS ? end - from : BL_STANDARD_COLUMNS;
	float *copy = bl_scratch(0, (size_t)(2 * g->s.n * bl_standard_pitch(most)) * sizeof *copy);
	if (!copy) {
		atomic_store(&g->failed, true);
		return;
	}
	clear_cells(g, first, last);
	for (; from < end; from += most)
		strip_of_cells(g, first, last, from, end - from < most ? end - from : most, copy);
}

static int run_grid(grid *g, bl_tensor *a, bl_tensor *b)
{
	if (!a || !b)
		return -1;
	g->x[0] = a->data;
	g->x[1] = g->out[1] ? b->data : NULL;
	g->chunks = bl_standard_chunks(g->s.n, g->count, 16);
	g->chunks = g->chunks < g->cells ? g->chunks : g->cells;
	bl_parallel(g->chunks, run_cells, g);
	return atomic_load(&g->failed) ? bl_fail("barlow loss: no memory") : 0;
}

static int start_grid(grid *g, const bl_tensor *za, const bl_tensor *zb)
{
	bl_tensor *a = bl_tensor_contiguous((bl_tensor *)za), *b = bl_tensor_contiguous((bl_tensor *)zb);
	int rc = run_grid(g, a, b);
	bl_tensor_unref(a);
	bl_tensor_unref(b);
	return rc;
}

int bl_standard_grid(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int cells, float *u, float *v, double *diag)
{
	grid g = { .cells = cells, .out = { u, v } };
	if (bl_standard_measure(&g.s, dialect, za, zb) != 0)
		return -1;
	g.s.diag = diag;
	g.count = g.s.d;
	return start_grid(&g, za, zb);
}

int bl_standard_cells(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, int cells, float *out)
{
	grid g = { .dims = dims, .count = count, .cells = cells, .out = { out, NULL } };
	if (bl_standard_measure(&g.s, dialect, x, x) != 0 || bl_standard_check_dims(&g.s, dims, count) != 0)
		return -1;
	return start_grid(&g, x, x);
}
