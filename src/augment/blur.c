/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blur.c: separable Gaussian blur.  The image is mirrored at its edges, as in torchvision. */
#include "augment/blur.h"
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/weigh.h"

#include <barlow/memory.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* With a smaller sigma, the weight of a neighbour is less than about 1e-3, which has no visible effect in 8 bits. */
#define LEAST_SIGMA 0.27f

enum { NEAR = 1024 }; /* values of the result that are computed at once; their 4 KiB stay in the first-level cache */

typedef struct parameters {
	float sigma[2], p;
	backend backend;
} parameters;

typedef struct draws {
	float sigma;
} draws;

#define REACH 3.f /* half the width of the kernel in sigmas; the kernel contains all but 0.3% of the weight */

/* Half the width of the kernel in pixels; at most side - 1, the number of pixels that mirroring adds at each edge. */
static int reach_of(float sigma, float sigmas, int side)
{
	int reach = (int)ceilf(sigmas * sigma);
	return reach < side ? reach : side - 1;
}

/* Sets 2 reach + 1 weights, whose sum is 1. */
static void fill_weights(float sigma, int reach, float *weight)
{
	float sum = 0;
	for (int k = -reach; k <= reach; k++)
		sum += weight[reach + k] = expf(-0.5f * (float)(k * k) / (sigma * sigma));
	for (int k = 0; k <= 2 * reach; k++)
		weight[k] /= sum;
}

/* Memory for blurring a plane: weights, a row with mirrored ends, and a plane with mirrored rows. */
typedef struct space {
	int wide, high; /* half the width of the kernel, horizontally and vertically */
	float *across, *down, *row, *tall;
} space;

static bool make_space(const float_image *c, float sigma, float sigmas, space *s)
{
	s->wide = reach_of(sigma, sigmas, c->width);
	s->high = reach_of(sigma, sigmas, c->height);
	size_t across = 2 * (size_t)s->wide + 1, down = 2 * (size_t)s->high + 1, width = (size_t)c->width;
	size_t row = width + across - 1, tall = ((size_t)c->height + down - 1) * width;
	s->across = bl_scratch(SLOT_WORK, (across + down + row + tall) * sizeof *s->across);
	if (!s->across)
		return false;
	s->down = s->across + across;
	s->row = s->down + down;
	s->tall = s->row + row;
	fill_weights(sigma, s->wide, s->across);
	fill_weights(sigma, s->high, s->down);
	return true;
}

BL_CLONES static void weigh(float *out, const float *rows, size_t step, const float *w, int taps, size_t n)
{
	bl_weigh(out, rows, step, w, taps, n);
}

/* Blurs a row: in (width) -> out (width).  The rows that bl_weigh sums are this row, shifted by one pixel per tap. */
static void blur_row(const space *s, const float *in, int width, float *out)
{
	float *row = s->row + s->wide;
	memcpy(row, in, (size_t)width * sizeof *in);
	for (int k = 1; k <= s->wide; k++) {
		row[-k] = in[k];
		row[width - 1 + k] = in[width - 1 - k];
	}
	weigh(out, s->row, 1, s->across, 2 * s->wide + 1, (size_t)width);
}

static void blur_plane(const space *s, float *plane, int height, int width)
{
	size_t n = (size_t)width, bytes = n * sizeof *plane;
	float *first = s->tall + (size_t)s->high * n, *last = first + (size_t)(height - 1) * n;
	for (int y = 0; y < height; y++)
		blur_row(s, plane + (size_t)y * n, width, first + (size_t)y * n);
	for (size_t k = 1; k <= (size_t)s->high; k++) {
		memcpy(first - k * n, first + k * n, bytes);
		memcpy(last + k * n, last - k * n, bytes);
	}
	/* Rows are adjacent in memory, so several are computed at once: as many as have NEAR values, but at least one. */
	size_t all = (size_t)height * n, most = n < NEAR ? NEAR / n * n : n;
	for (size_t i = 0; i < all; i += most)
		weigh(plane + i, s->tall + i, n, s->down, 2 * s->high + 1, all - i < most ? all - i : most);
}

int bl_blur(float_image *c, float sigma, float reach)
{
	space s;
	if (!make_space(c, sigma, reach, &s))
		return -1;
	for (int k = 0; k < c->channels; k++)
		blur_plane(&s, c->data + (size_t)k * c->plane, c->height, c->width);
	return 0;
}

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	if (bl_rng_uniform(&w->rng) >= p->p)
		return false;
	d->sigma = bl_rng_between(&w->rng, p->sigma[0], p->sigma[1]);
	return true;
}

static int apply(const void *p, const void *drawn, float_image *c)
{
	const draws *d = drawn;
	bl_float_image_load(c);
	if (((const parameters *)p)->backend == BACKEND_PIL)
		return bl_pil_blur(c, d->sigma);
	return d->sigma < LEAST_SIGMA ? 0 : bl_blur(c, d->sigma, REACH);
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)p, (void)channels;
	return snprintf(buf, size, "blur %.2f", (double)((const draws *)d)->sigma);
}

static const bl_field fields[] = {
	BL_FIELD(PAIR, parameters, sigma, BL_DEFAULT(.1, 2), BL_WITHIN(.01, 100),
	         .help = "range of the Gaussian's standard deviation, in pixels"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(1), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_blur = {
	.name = "blur",
	.help = "Gaussian blur.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe,
};
