/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weigh.h (private): weighted sums of rows, for resampling and blurring. */
#ifndef BARLOW_AUGMENT_WEIGH_H
#define BARLOW_AUGMENT_WEIGH_H

#include "augment/float_image.h"

#include <stdbool.h>

INLINE void bl_weigh_one(float *restrict out, const float *row, float w, size_t n, bool first)
{
	for (size_t i = 0; i < n; i++)
		out[i] = first ? w * row[i] : out[i] + w * row[i];
}

INLINE void bl_weigh_four(float *restrict out, const float *row, size_t step, const float *w, size_t n, bool first)
{
	const float *r0 = row, *r1 = row + step, *r2 = row + 2 * step, *r3 = row + 3 * step;
	float w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
	for (size_t i = 0; i < n; i++) {
		float sum = w0 * r0[i] + w1 * r1[i] + w2 * r2[i] + w3 * r3[i];
		out[i] = first ? sum : out[i] + sum;
	}
}

/* out[i] = sum over k < taps of w[k] * rows[k * step + i], for i < n.  taps >= 1; out must not overlap the rows. */
INLINE void bl_weigh(float *restrict out, const float *rows, size_t step, const float *w, int taps, size_t n)
{
	int k = taps & 3;
	if (k == 0) {
		bl_weigh_four(out, rows, step, w, n, true);
		k = 4;
	} else {
		bl_weigh_one(out, rows, w[0], n, true);
		for (int j = 1; j < k; j++)
			bl_weigh_one(out, rows + (size_t)j * step, w[j], n, false);
	}
	for (; k < taps; k += 4)
		bl_weigh_four(out, rows + (size_t)k * step, step, w + k, n, false);
}

#endif
