/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kernel.h (private): the innermost loops, compiled once for each instruction set and selected at run time.
 *
 * Images are channels-last: the channels of a pixel are contiguous.
 */
#ifndef BARLOW_TENSOR_KERNEL_KERNEL_H
#define BARLOW_TENSOR_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

enum { BL_TILE_ROWS = 12 }; /* the largest height of a tile in any set of kernels */

/*
 * Arguments of a gathering product, which computes a tile of `rows` output pixels and one panel of output channels:
 *
 *   out[r][k] (+)= sum_t sum_c a[t * height + r][c] * w[(t * channels + c) * width + k]
 *
 * with width = vectors * lanes and height = heights[vectors].  The pointers of all `height` rows are read; only
 * out[0..rows-1][0..cols-1] are written.
 */
typedef struct bl_gather_args {
	int vectors, rows, cols, taps;
	int64_t channels;
	const float *const *a;
	const float *w;
	float *const *out;
	bool add;
} bl_gather_args;

/*
 * Arguments of a sum of outer products over n pixels, which computes a tile of input channels and one panel of output
 * channels:
 *
 *   out[r * ldo + k] (+)= sum_i x[i][x_at + r] * y[i][y_at + k]
 */
typedef struct bl_outer_args {
	int vectors, first, rows, cols; /* only rows first..rows-1 are written */
	int64_t n;
	const float *const *x, *const *y;
	int64_t x_at, y_at; /* `height` floats at x[i] + x_at, and a panel's width at y[i] + y_at, must be readable */
	float *out;
	int64_t ldo;
	bool add;
} bl_outer_args;

/*
 * Products in bfloat16: factors are rounded to the nearest bfloat16, ties to even, and packed in units of 32 bits.  A
 * unit contains `bf16_unit` consecutive numbers along k: one number as a float, or two numbers, the first in the low
 * half.
 *
 * These are the arguments of the packing of lines (rows of a, or columns of b) of k numbers each.  In x, the numbers of
 * a line are adjacent and lines are `ld` floats apart (`along`), or lines are adjacent and the numbers of a line are
 * `ld` floats apart.  They are packed to
 *
 *   to[line * line_pitch + unit * unit_pitch]
 *
 * One of the pitches is 1.  Missing numbers in a unit are 0.  If line_pitch is 1, lines of zeros are added up to a
 * multiple of `lanes`; if unit_pitch is 1, a multiple of `lanes` units is written for each line.
 */
typedef struct bl_bf16_lines {
	const float *x;
	int64_t ld, lines, k;
	bool along;
	uint32_t *to;
	int64_t line_pitch, unit_pitch;
} bl_bf16_lines;

/* Arguments of batch norm over n pixels of c channels; scale, shift and mean are (c). */
typedef struct bl_norm_row {
	int64_t n, c;
	const float *x, *residual;         /* residual may be NULL */
	const float *scale, *shift, *mean; /* y = scale (x - mean) + shift (+ residual) */
	float *y;
	bool relu;
} bl_norm_row;

/*
 * Arguments of the backward pass of batch norm.  g = dy where the ReLU's input was positive, and 0 elsewhere.  The
 * ReLU's input was positive where y > 0 (masked_by_y) or where scale (x - mean) + shift > 0.  Without relu, g = dy.
 */
typedef struct bl_norm_back {
	int64_t n, c;
	const float *x, *y, *dy;
	const float *scale, *shift, *mean;
	bool relu, masked_by_y;
	float *sum, *dot;                /* reduce: sum g, sum g (x - mean) */
	const float *by_g, *by_x, *by_1; /* apply: dx (+)= by_g g + by_x (x - mean) + by_1 */
	float *dx, *dresidual;           /* dresidual may be NULL */
	bool add, add_residual;
} bl_norm_back;

/*
 * Transforms of Winograd's F(4x4, 3x3) (Lavin & Gray 2016, points 0, 1, -1, 2, -2, infinity), for one tile and all its
 * channels, whose number is a multiple of `lanes`.  The transformed values are v[36][pitch].
 */
typedef void bl_winograd_load(int64_t channels, const float *const pixel[36], float *v, int64_t pitch);
typedef void bl_winograd_store(int64_t channels, const float *v, int64_t pitch, float *const pixel[16], bool add);

typedef struct bl_kernels {
	const char *name;
	int lanes;      /* floats in a vector */
	int heights[5]; /* rows of a tile, by its width in vectors; 0: no such kernel */
	void (*gather)(const bl_gather_args *);
	void (*outer)(const bl_outer_args *);
	int bf16_unit;
	void (*bf16_pack)(const bl_bf16_lines *);
	void (*bf16_gather)(const bl_gather_args *); /* as gather, but a and w contain units instead of floats */
	/* Computes for each channel a number p near the mean, sum (x - p), and sum (x - p)^2. */
	void (*moments)(int64_t n, int64_t c, const float *x, float *p, float *sum, float *square);
	void (*norm)(const bl_norm_row *);
	void (*norm_reduce)(const bl_norm_back *);
	void (*norm_apply)(const bl_norm_back *);
	bl_winograd_load *winograd_input;    /* v = B^T d B of 6x6 pixels */
	bl_winograd_load *winograd_gradient; /* v = A d A^T of the first 16 pixels, 4x4 */
	bl_winograd_store *winograd_output;  /* 4x4 pixels (+)= A^T v A; pixels whose pointer is NULL are skipped */
	/*
	 * Transform `lanes` filters at once, with tap t of filter l at g[t][l]: u[36][pitch] = G g G^T; dg = G^T u G.
	 */
	void (*winograd_filter)(const float *g, float *u, int64_t pitch);
	void (*winograd_filter_gradient)(const float *u, int64_t pitch, float *dg);
} bl_kernels;

/* The fastest set that this CPU supports; BARLOW_KERNELS=avx512_bf16|avx512|avx2|generic selects another one. */
const bl_kernels *bl_kernel(void);

/*
 * `cols` output channels are divided into panels.  Returns the width, in vectors, of the panel that begins at column
 * `from`.
 */
int bl_panel_vectors(const bl_kernels *k, int64_t from, int64_t cols);

extern const bl_kernels bl_kernels_avx512_bf16, bl_kernels_avx512, bl_kernels_avx2, bl_kernels_generic;

#endif
