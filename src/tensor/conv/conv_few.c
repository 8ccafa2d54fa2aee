/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_few.c: convolution of images with few channels.  Each image is copied with its padding; then a whole row of the
 * filter, S * channels floats, is one tap of a gathering product (kernel.h).
 */
#include "tensor/conv/conv_gather.h"

#include "tensor/conv/conv_pack.h"
#include "tensor/conv/conv_pad.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <string.h>

enum { SCRATCH_PADDED = 0 };

typedef struct job {
	const bl_kernels *k;
	const bl_conv *g;
	const float *x, *packed, *bias; /* of one group; bias may be NULL */
	float *y;
	int64_t columns;
	atomic_bool failed; /* a chunk got no memory */
} job;

/*
 * Sets first[r] to the position, in the padded image, of the filter's first row for output pixel m + r.  Pixels beyond
 * the last pixel have the position of the last pixel.
 */
static void point(const job *j, const float *padded, int64_t m, int height, const float **first)
{
	const bl_conv *g = j->g;
	int64_t last = g->p * g->q - 1, q = m % g->q, step = g->stride * (g->c / g->groups);
	const float *from = bl_conv_pad_at(g, padded, m / g->q, q);
	for (int r = 0; r < height; r++, m++) {
		first[r] = from;
		if (m >= last)
			continue;
		from += step;
		if (++q == g->q) {
			q = 0;
			from = bl_conv_pad_at(g, padded, (m + 1) / g->q, 0);
		}
	}
}

/* Computes all output pixels of the image for one panel of columns. */
static void panel(const job *j, bl_gather_args *a, const float *padded, float *y)
{
	const bl_conv *g = j->g;
	const int height = j->k->heights[a->vectors];
	const float *rows[(size_t)height * (size_t)g->r];
	float *out[BL_TILE_ROWS];
	int64_t pixels = g->p * g->q, pitch = bl_conv_pad_pitch(g);
	a->a = rows;
	a->out = out;
	for (int64_t m = 0; m < pixels; m += height) {
		a->rows = pixels - m < height ? (int)(pixels - m) : height;
		point(j, padded, m, height, rows);
		for (int64_t i = height; i < height * g->r; i++)
			rows[i] = rows[i - height] + pitch;
		for (int r = 0; r < height; r++)
			out[r] = y + (m + (r < a->rows ? r : 0)) * g->k;
		j->k->gather(a);
	}
}

static void image(const job *j, const float *padded, float *y)
{
	const bl_conv *g = j->g;
	int64_t channels = g->s * (g->c / g->groups), width;
	bl_gather_args a = { .taps = (int)g->r, .channels = channels, .w = j->packed, .add = j->bias != NULL };
	for (int64_t m = 0; j->bias && m < g->p * g->q; m++)
		memcpy(y + m * g->k, j->bias, (size_t)j->columns * sizeof *y);
	for (int64_t from = 0; from < j->columns; from += width) {
		a.vectors = bl_panel_vectors(j->k, from, j->columns);
		width = a.vectors * j->k->lanes;
		a.cols = (int)(j->columns - from < width ? j->columns - from : width);
		panel(j, &a, padded, y + from);
		a.w += width * g->r * channels;
	}
}

static void chunk(void *ctx, int64_t i)
{
	job *j = ctx;
	const bl_conv *g = j->g;
	float *padded = bl_scratch(SCRATCH_PADDED, (size_t)bl_conv_pad_size(g) * sizeof *padded);
	if (!padded) {
		atomic_store(&j->failed, true);
		return;
	}
	bl_conv_pad(g, j->x + i * g->h * g->w * g->c, padded);
	image(j, padded, j->y + i * g->p * g->q * g->k);
}

static int group(job *j, const float *w)
{
	const bl_conv *g = j->g;
	int64_t c = g->c / g->groups, taps = g->r * g->s;
	bl_pack p = {
		.w = w, .column = c * taps, .channel = taps, .columns = j->columns, .channels = c, .block = c, .taps = (int)taps
	};
	float *packed = bl_block_take((size_t)bl_pack_size(j->k, &p) * sizeof *packed);
	if (!packed)
		return -1;
	bl_pack_run(j->k, &p, packed);
	j->packed = packed;
	bl_parallel(g->n, chunk, j);
	bl_block_give(packed);
	return atomic_load(&j->failed) ? bl_fail("no memory for the pixels of a convolution") : 0;
}

int bl_few_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y)
{
	int64_t cg = g->c / g->groups, kg = g->k / g->groups;
	job j = { .k = bl_kernel(), .g = g, .columns = kg };
	int rc = 0;
	for (int64_t i = 0; i < g->groups && !rc; i++) {
		j.x = x + i * cg;
		j.y = y + i * kg;
		j.bias = bias ? bias + i * kg : NULL;
		rc = group(&j, w + i * kg * cg * g->r * g->s);
	}
	return rc;
}
