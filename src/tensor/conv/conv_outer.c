/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_outer.c: the weight gradient, as sums of outer products over pixels.
 *
 * Work is divided by images and taps.  The gradient of each part of the images (a cut) is summed in its own buffer,
 * which is in (tap,c,k) order.  At the end the buffers are added in a fixed order.  The larger the weights, the fewer
 * cuts.
 */
#include "base/bounded.h"
#include "tensor/conv/conv_gather.h"

#include "tensor/conv/conv_rows.h"
#include "tensor/kernel/kernel.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <string.h>

enum { SCRATCH_PANEL = 3, CUTS = 16, PARTIAL_FLOATS = 1 << 20, BLOCK_FLOATS = 96 << 10, FOLD = 16 };

typedef struct job {
	const bl_kernels *k;
	bl_conv_rows rows;
	float *partial;  /* [cut][tap][c][k] */
	int64_t columns; /* of one group */
	int64_t cuts;
	atomic_bool failed;
} job;

/* Copies a panel that has fewer columns than the kernel reads, so that the kernel does not read beyond the array. */
static void narrow_panel(const bl_rows_block *b, float *panel, int64_t from, int cols, int width, const float **y)
{
	for (int64_t i = 0; i < b->n; i++) {
		float *row = panel + i * width;
		memset(row, 0, (size_t)width * sizeof *row);
		memcpy(row, b->y[i] + from, (size_t)cols * sizeof *row);
		y[i] = row;
	}
}

/*
 * Computes the products, one tile of input channels after the other.  The last tile overlaps the previous tile, so that
 * the kernel does not read beyond the pixel.
 */
static void column_tiles(const job *j, const bl_rows_block *b, bl_outer_args *o, float *out)
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

static void multiply(const job *j, const bl_rows_block *b, float *panel, float *out)
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
			narrow_panel(b, panel, from, o.cols, width, narrow);
		column_tiles(j, b, &o, out + from);
	}
}

static void unit(void *ctx, int64_t u)
{
	job *j = ctx;
	const bl_conv_rows *r = &j->rows;
	int64_t taps = bl_rows_taps(r), parts = r->class->taps / taps, first, last, size = taps * r->channels * j->columns;
	float *out = j->partial + u * size;
	float *panel = bl_scratch(SCRATCH_PANEL, (size_t)r->block * 4 * (size_t)j->k->lanes * sizeof *panel);
	bl_rows_block b;
	if (!panel || !bl_rows_room(r, &b)) {
		atomic_store(&j->failed, true);
		return;
	}
	memset(out, 0, (size_t)size * sizeof *out);
	bl_chunk_range(r->g->n, j->cuts, u / parts, &first, &last);
	int64_t m = first * r->class->pixels, m2 = last * r->class->pixels;
	for (int64_t next; m < m2; m = next) {
		next = m + r->block < m2 ? m + r->block : m2;
		bl_rows_fill(r, &b, m, next, u % parts);
		multiply(j, &b, panel, out);
	}
}

typedef struct fold {
	const job *j;
	float *dw; /* of this group: (k,c,taps) */
	bool add;
} fold;

/*
 * Sums the cuts in order, for FOLD x FOLD channels of dw.  FOLD sums, which are one cache line, are written to FOLD
 * different cache lines of dw.
 */
static void fold_block(void *ctx, int64_t block)
{
	const fold *f = ctx;
	const job *j = f->j;
	int64_t taps = j->rows.class->taps, size = taps * j->rows.channels * j->columns, across = (j->columns + FOLD - 1) / FOLD;
	int64_t c0 = block / across * FOLD, c1 = c0 + FOLD < j->rows.channels ? c0 + FOLD : j->rows.channels;
	int64_t k0 = block % across * FOLD, n = j->columns - k0 < FOLD ? j->columns - k0 : FOLD;
	for (int64_t c = c0; c < c1; c++)
		for (int64_t t = 0; t < taps; t++) {
			const float *p = j->partial + (t * j->rows.channels + c) * j->columns + k0;
			float *dw = f->dw + (k0 * j->rows.channels + c) * taps + t, sum[FOLD];
			memcpy(sum, p, (size_t)n * sizeof *sum);
			for (int64_t i = 1; i < j->cuts; i++)
				for (int64_t k = 0; k < n; k++)
					sum[k] += p[i * size + k];
			for (int64_t k = 0; k < n; k++, dw += j->rows.channels * taps)
				*dw = f->add ? *dw + sum[k] : sum[k];
		}
}

static int group(job *j, float *dw, bool add)
{
	fold f = { j, dw, add };
	int64_t parts = j->rows.class->taps / bl_rows_taps(&j->rows);
	bl_parallel(j->cuts * parts, unit, j);
	if (atomic_load(&j->failed))
		return bl_fail("no memory for the rows of a convolution");
	bl_parallel((j->rows.channels + FOLD - 1) / FOLD * ((j->columns + FOLD - 1) / FOLD), fold_block, &f);
	return 0;
}

int bl_gather_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add)
{
	int64_t cg = g->c / g->groups, kg = g->k / g->groups, size = g->r * g->s * cg * kg;
	bl_conv_plan plan;
	job j = { .k = bl_kernel(), .rows = { .g = g, .channels = cg, .together = bl_rows_together(g) }, .columns = kg };
	if (bl_conv_plan_forward(&plan, g))
		return -1;
	j.rows.class = plan.class;
	j.rows.block = bl_bounded(BLOCK_FLOATS / (bl_rows_taps(&j.rows) * cg + kg), 64, 2048);
	j.cuts = bl_bounded(PARTIAL_FLOATS / (size ? size : 1), 1, g->n < CUTS ? (g->n ? g->n : 1) : CUTS);
	j.partial = bl_block_take((size_t)(j.cuts * size) * sizeof *j.partial);
	int rc = j.partial ? 0 : -1;
	for (int64_t i = 0; i < g->groups && !rc; i++) {
		j.rows.x = x + i * cg;
		j.rows.dy = dy + i * kg;
		rc = group(&j, dw + i * size, add);
	}
	bl_block_give(j.partial);
	bl_conv_plan_free(&plan);
	return rc;
}
