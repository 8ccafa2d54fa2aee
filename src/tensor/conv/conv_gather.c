/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_gather.c: convolution and its data gradient as gathering products (kernel.h), without im2col.  Inputs with few
 * channels are in conv_few.c.
 */
#include "tensor/conv/conv_gather.h"

#include "tensor/conv/conv_pack.h"
#include "tensor/conv/conv_pad.h"
#include "tensor/conv/conv_plan.h"

#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <string.h>

enum { CHUNK_FLOATS = 96 << 10 };

/* A class of output pixels (conv_plan.h) with its weights, which are packed in blocks of `block` channels. */
typedef struct part {
	const bl_conv_class *class;
	const float *packed;
	int64_t block;
} part;

typedef struct job {
	const bl_kernels *k;
	const float *in, *bias, *zeros;
	float *out;
	int64_t in_pixels, in_pitch; /* number of pixels of an image; floats from one pixel to the next */
	int64_t out_pixels, out_pitch;
	int64_t channels, columns; /* of one group */
	int64_t images, per_chunk;
	const part *parts;
	int n; /* number of parts */
	bool add;
} job;

/* A row of the product: the i-th pixel of the class in an image. */
typedef struct row {
	int64_t image, i;
} row;

static row row_at(const bl_conv_class *k, int64_t m)
{
	return (row){ m / k->pixels, m % k->pixels };
}

static row next_row(const bl_conv_class *k, row m)
{
	return m.i + 1 < k->pixels ? (row){ m.image, m.i + 1 } : (row){ m.image + 1, 0 };
}

static void point(const job *j, const bl_conv_class *k, row m, int r, int height, int64_t c, const float **a)
{
	const int32_t *from = k->from + m.i * k->taps;
	const float *image = j->in + m.image * j->in_pixels * j->in_pitch;
	for (int t = 0; t < k->taps; t++)
		a[t * height + r] = (from[t] < 0 ? j->zeros : image + from[t] * j->in_pitch) + c;
}

static float *target(const job *j, const bl_conv_class *k, row m)
{
	return j->out + (m.image * j->out_pixels + k->to[m.i]) * j->out_pitch;
}

/* Multiplies rows m..m2-1 by one panel of one block. */
static void panel(const job *j, const bl_conv_class *k, bl_gather_args *g, int64_t m, int64_t m2, int64_t c, int64_t from)
{
	const int height = j->k->heights[g->vectors], taps = g->taps;
	const float *a[(size_t)height * (size_t)(taps ? taps : 1)];
	float *out[BL_TILE_ROWS];
	g->a = a;
	g->out = out;
	for (row at = row_at(k, m); m < m2; m += height) {
		row first = at;
		g->rows = m2 - m < height ? (int)(m2 - m) : height;
		for (int r = 0; r < height; r++) {
			bool beyond = r >= g->rows; /* the kernel reads the first row instead, and writes nothing */
			point(j, k, beyond ? first : at, r, height, c, a);
			out[r] = target(j, k, beyond ? first : at) + from;
			at = beyond ? at : next_row(k, at);
		}
		j->k->gather(g);
	}
}

static void panels(const job *j, const bl_conv_class *k, int64_t m, int64_t m2, int64_t c, int64_t c2, const float *w)
{
	bl_gather_args g = { .taps = k->taps, .channels = c2 - c, .add = j->add || j->bias || c > 0 };
	for (int64_t from = 0; from < j->columns;) {
		g.vectors = bl_panel_vectors(j->k, from, j->columns);
		int64_t width = g.vectors * j->k->lanes;
		g.cols = (int)(j->columns - from < width ? j->columns - from : width);
		g.w = w;
		panel(j, k, &g, m, m2, c, from);
		w += width * g.taps * (c2 - c);
		from += width;
	}
}

static void blocks(const job *j, const part *p, int64_t m, int64_t m2)
{
	int64_t padded = bl_pack_padded(j->k, j->columns, j->columns);
	for (int64_t c = 0; c < j->channels; c += p->block) {
		int64_t c2 = c + p->block < j->channels ? c + p->block : j->channels;
		panels(j, p->class, m, m2, c, c2, p->packed + padded * p->class->taps * c);
	}
}

static void put_bias(const job *j, const bl_conv_class *k, int64_t m, int64_t m2)
{
	for (row at = row_at(k, m); m < m2; m++, at = next_row(k, at))
		memcpy(target(j, k, at), j->bias, (size_t)j->columns * sizeof *j->bias);
}

/* Computes all classes of a chunk of images, one after the other, while the images are in the cache. */
static void chunk(void *ctx, int64_t i)
{
	const job *j = ctx;
	int64_t first = i * j->per_chunk, last = first + j->per_chunk < j->images ? first + j->per_chunk : j->images;
	for (const part *p = j->parts; p < j->parts + j->n; p++) {
		int64_t m = first * p->class->pixels, m2 = last * p->class->pixels;
		if (m == m2)
			continue;
		if (j->bias)
			put_bias(j, p->class, m, m2);
		blocks(j, p, m, m2);
	}
}

/* The number of images in a chunk: about CHUNK_FLOATS of input and output, which fit in the second-level cache. */
static int64_t images_per_chunk(const job *j)
{
	int64_t image = j->in_pixels * j->in_pitch + j->out_pixels * j->out_pitch, n = CHUNK_FLOATS / (image ? image : 1);
	return n < 1 ? 1 : n;
}

/* Packs the weights of a class to `to`, and sets p->tap, p->taps and p->block accordingly. */
static part pack(const job *j, bl_pack *p, const bl_conv_class *k, float *to)
{
	p->tap = k->tap;
	p->taps = k->taps;
	p->block = bl_pack_block(j->k, k->taps, p->channels);
	bl_pack_run(j->k, p, to);
	return (part){ k, to, p->block };
}

/*
 * Each tap belongs to one class, so the packed weights of all classes are as large as those of one class with all taps.
 */
static int run_group(job *j, bl_pack *p, const bl_conv_plan *plan, int taps)
{
	p->taps = taps;
	size_t floats = (size_t)bl_pack_size(j->k, p);
	float *packed = bl_block_take(floats * sizeof *packed + (size_t)plan->classes * sizeof(part)), *to = packed;
	if (!packed)
		return -1;
	part *parts = (part *)(packed + floats);
	for (int i = 0; i < plan->classes; i++) {
		parts[i] = pack(j, p, plan->class + i, to);
		to += bl_pack_size(j->k, p);
	}
	j->parts = parts;
	j->n = plan->classes;
	bl_parallel((j->images + j->per_chunk - 1) / j->per_chunk, chunk, j);
	bl_block_give(packed);
	return 0;
}

static float *zero_pixel(int64_t channels)
{
	float *z = bl_block_take((size_t)channels * sizeof *z);
	if (z)
		memset(z, 0, (size_t)channels * sizeof *z);
	return z;
}

int bl_gather_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y)
{
	int64_t cg = g->c / g->groups, kg = g->k / g->groups, rs = g->r * g->s;
	if (cg < BL_CONV_FEW && !g->gap) /* without dilation, the pixels under a filter's row are adjacent */
		return bl_few_forward(g, x, w, bias, y);
	job j = { .k = bl_kernel(),
		  .in_pixels = g->h * g->w,
		  .in_pitch = g->c,
		  .out_pixels = g->p * g->q,
		  .out_pitch = g->k,
		  .channels = cg,
		  .columns = kg,
		  .images = g->n };
	bl_conv_plan plan;
	float *zeros = zero_pixel(cg);
	if (!zeros || bl_conv_plan_forward(&plan, g)) {
		bl_block_give(zeros);
		return -1;
	}
	int rc = 0;
	j.zeros = zeros;
	j.per_chunk = images_per_chunk(&j);
	for (int64_t i = 0; i < g->groups && !rc; i++) {
		bl_pack p = { .w = w + i * kg * cg * rs, .column = cg * rs, .channel = rs, .columns = kg, .channels = cg };
		j.in = x + i * cg;
		j.out = y + i * kg;
		j.bias = bias ? bias + i * kg : NULL;
		rc = run_group(&j, &p, &plan, (int)rs);
	}
	bl_conv_plan_free(&plan);
	bl_block_give(zeros);
	return rc;
}

int bl_gather_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add)
{
	int64_t cg = g->c / g->groups, kg = g->k / g->groups, rs = g->r * g->s;
	job j = { .k = bl_kernel(),
		  .in_pixels = g->p * g->q,
		  .in_pitch = g->k,
		  .out_pixels = g->h * g->w,
		  .out_pitch = g->c,
		  .channels = kg,
		  .columns = cg,
		  .images = g->n,
		  .add = add };
	bl_conv_plan plan;
	float *zeros = zero_pixel(kg);
	if (!zeros || bl_conv_plan_data(&plan, g)) {
		bl_block_give(zeros);
		return -1;
	}
	int rc = 0;
	j.zeros = zeros;
	j.per_chunk = images_per_chunk(&j);
	for (int64_t i = 0; i < g->groups && !rc; i++) {
		bl_pack p = { .w = w + i * kg * cg * rs, .column = rs, .channel = cg * rs, .columns = cg, .channels = kg };
		j.in = dy + i * kg;
		j.out = dx + i * cg;
		rc = run_group(&j, &p, &plan, (int)rs);
	}
	bl_conv_plan_free(&plan);
	bl_block_give(zeros);
	return rc;
}
