/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blur.c: Gaussian blur, separable, the image mirrored at its edges (as torchvision does). */
#include "augment/operator.h"

#include <barlow/memory.h>

#include <math.h>
#include <string.h>

/* Below this a neighbour weighs less than 1e-3: nothing to see in 8 bits. */
#define LEAST_SIGMA 0.27f

/* weight[0] of the centre, weight[k] of both neighbours at k; they sum to 1.  Three sigmas hold all but 0.3%. */
static int reach_of(float sigma, int side)
{
	int reach = (int)ceilf(3 * sigma);
	return reach < side ? reach : side - 1;
}

static void fill_weights(float sigma, int reach, float *weight)
{
	float sum = 0;
	for (int k = 0; k <= reach; k++) {
		weight[k] = expf(-0.5f * (float)(k * k) / (sigma * sigma));
		sum += k ? 2 * weight[k] : weight[k];
	}
	for (int k = 0; k <= reach; k++)
		weight[k] /= sum;
}

/* Index i of n, mirrored at both ends without repeating them; |i| < 2n. */
static int mirrored(int i, int n)
{
	i = i < 0 ? -i : i;
	return i < n ? i : 2 * n - 2 - i;
}

/* padded: `reach` values, the row, `reach` values, and LANES more that only fill vectors */
KERNEL static void blur_row(const float *padded, int n, const float *weight, int reach, float *out)
{
	for (int x = 0; x < n; x += LANES) {
		const float *p = padded + reach + x;
		lanes sum = *(const lanes *)p * weight[0];
		for (int k = 1; k <= reach; k++)
			sum += (*(const lanes *)(p - k) + *(const lanes *)(p + k)) * weight[k];
		*(lanes *)(out + x) = sum;
	}
}

static void blur_across(const float *in, const canvas *c, const float *weight, int reach, float *padded, float *out)
{
	int n = c->width;
	for (int y = 0; y < c->height; y++, in += n, out += n) {
		memcpy(padded + reach, in, (size_t)n * sizeof *in);
		for (int k = 1; k <= reach; k++) {
			padded[reach - k] = in[mirrored(-k, n)];
			padded[reach + n - 1 + k] = in[mirrored(n - 1 + k, n)];
		}
		blur_row(padded, n, weight, reach, out);
	}
}

/* One output row from the rows above and below: row[reach +- k] */
KERNEL static void blur_column(const float *const *row, int n, const float *weight, int reach, float *out)
{
	for (int x = 0; x < n; x += LANES) {
		lanes sum = *(const lanes *)(row[reach] + x) * weight[0];
		for (int k = 1; k <= reach; k++)
			sum += weight[k] *
			       (*(const lanes *)(row[reach - k] + x) + *(const lanes *)(row[reach + k] + x));
		*(lanes *)(out + x) = sum;
	}
}

static void blur_down(const float *in, const canvas *c, const float *weight, int reach, const float **row, float *out)
{
	int n = c->width;
	for (int y = 0; y < c->height; y++) {
		for (int k = -reach; k <= reach; k++)
			row[reach + k] = in + (size_t)mirrored(y + k, c->height) * (size_t)n;
		blur_column(row, n, weight, reach, out + (size_t)y * (size_t)n);
	}
}

static void draw_sigma(const bl_aug *a, bl_rng *r, int height, int width, draw *d)
{
	(void)height, (void)width;
	d->sigma = bl_rng_between(r, a->sigma[0], a->sigma[1]);
}

static int apply(const bl_aug *a, const draw *d, canvas *c)
{
	(void)a;
	bl_canvas_load(c);
	if (d->sigma < LEAST_SIGMA)
		return 0;
	int wide = reach_of(d->sigma, c->width), high = reach_of(d->sigma, c->height);
	size_t padded = (size_t)c->width + 2 * (size_t)wide + LANES, weights = (size_t)(wide > high ? wide : high) + 1;
	float *work = bl_scratch(SLOT_WORK, (padded + weights) * sizeof *work);
	const float **row = bl_scratch(SLOT_TAPS, (2 * (size_t)high + 1) * sizeof *row);
	if (!work || !row)
		return -1;
	memset(work, 0, padded * sizeof *work);
	fill_weights(d->sigma, wide, work + padded);
	for (size_t k = 0; k < (size_t)c->channels; k++)
		blur_across(c->data + k * c->plane, c, work + padded, wide, work, c->spare + k * c->plane);
	fill_weights(d->sigma, high, work + padded);
	for (size_t k = 0; k < (size_t)c->channels; k++)
		blur_down(c->spare + k * c->plane, c, work + padded, high, row, c->data + k * c->plane);
	return 0;
}

static const field fields[] = { FIELD(PAIR, sigma, 0.01, 100), FIELD_P, FIELD_END };

const operator bl_op_blur = {
	.name = "blur",
	.fields = fields,
	.defaults = { .kind = BL_AUG_BLUR, .p = 1, .sigma = { 0.1f, 2 } },
	.draw = draw_sigma,
	.apply = apply,
};
