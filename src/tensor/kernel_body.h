/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kernel_body.h: the kernels themselves, in GCC's vector notation.  The
 * including file sets LANES, KERNELS and KERNEL_NAME, TILES (which
 * (rows, vectors) pairs there are) and is compiled with its own flags.
 */
#include "tensor/kernel.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/*
 * A tile's rows of vectors stay in registers: every loop over them is
 * unrolled, and acc never has its address taken (SPILL copies it to be stored).
 */
#define SPILL(ROWS, VECTORS)                                              \
	_Pragma("GCC unroll 16") for (int r = 0; r < ROWS; r++)           \
		_Pragma("GCC unroll 4") for (int v = 0; v < VECTORS; v++) tile[r][v] = acc[r][v];

#define GATHER(NAME, PRODUCT, ROWS, VECTORS) \
	static void NAME##_##ROWS##_##VECTORS(const bl_gather_args *g) \
	{ \
		vec acc[ROWS][VECTORS]; \
		const float *w = g->w; \
		int64_t channels = g->channels; \
		_Pragma("GCC unroll 16") for (int r = 0; r < ROWS; r++) \
			_Pragma("GCC unroll 4") for (int v = 0; v < VECTORS; v++) acc[r][v] = (vec){ 0 }; \
		for (int t = 0; t < g->taps; t++) { \
			const float *a[ROWS]; \
			_Pragma("GCC unroll 16") for (int r = 0; r < ROWS; r++) a[r] = g->a[t * ROWS + r]; \
			for (int64_t c = 0; c < channels; c++, w += VECTORS * LANES) { \
				vec b[VECTORS]; \
				_Pragma("GCC unroll 4") for (int v = 0; v < VECTORS; v++) \
					b[v] = *(const vec *)(w + v * LANES); \
				_Pragma("GCC unroll 16") for (int r = 0; r < ROWS; r++) \
					_Pragma("GCC unroll 4") for (int v = 0; v < VECTORS; v++) \
						acc[r][v] = PRODUCT(acc[r][v], a[r][c], b[v]); \
			} \
		} \
		vec tile[ROWS][VECTORS]; \
		SPILL(ROWS, VECTORS) \
		store_tile(&tile[0][0], 0, g->rows, VECTORS, g->cols, g->out, g->add); \
	}

#define OUTER(ROWS, VECTORS) \
	static void outer_##ROWS##_##VECTORS(const bl_outer_args *o) \
	{ \
		vec acc[ROWS][VECTORS]; \
		float *out[ROWS]; \
		_Pragma("GCC unroll 16") for (int r = 0; r < ROWS; r++) \
			_Pragma("GCC unroll 4") for (int v = 0; v < VECTORS; v++) acc[r][v] = (vec){ 0 }; \
		for (int64_t i = 0; i < o->n; i++) { \
			const float *x = o->x[i], *y = o->y[i]; \
			vec b[VECTORS]; \
			_Pragma("GCC unroll 4") for (int v = 0; v < VECTORS; v++) b[v] = *(const vec *)(y + v * LANES); \
			_Pragma("GCC unroll 16") for (int r = 0; r < ROWS; r++) \
				_Pragma("GCC unroll 4") for (int v = 0; v < VECTORS; v++) acc[r][v] += x[r] * b[v]; \
		} \
		for (int r = 0; r < o->rows; r++) \
			out[r] = o->out + r * o->ldo; \
		vec tile[ROWS][VECTORS]; \
		SPILL(ROWS, VECTORS) \
		store_tile(&tile[0][0], o->first, o->rows, VECTORS, o->cols, out, o->add); \
	}

static void store_part(const float *from, int cols, float *to, bool add)
{
	for (int k = 0; k < cols; k++)
		to[k] = (add ? to[k] : 0) + from[k];
}

static inline __attribute__((always_inline)) void store_tile(const vec *acc, int first, int rows, int vectors,
                                                             int cols, float *const *out, bool add)
{
	for (int r = first; r < rows; r++) {
		if (cols < vectors * LANES) {
			store_part((const float *)(acc + r * vectors), cols, out[r], add);
			continue;
		}
		for (int v = 0; v < vectors; v++) {
			vec *to = (vec *)(out[r] + v * LANES);
			vec sum = acc[r * vectors + v];
			if (add)
				sum += *to;
			*to = sum;
		}
	}
}

#define MULTIPLY_ADD(ACC, A, B) ((ACC) + (A) * (B))
#define TILE(ROWS, VECTORS) GATHER(gather, MULTIPLY_ADD, ROWS, VECTORS) OUTER(ROWS, VECTORS)
TILES
#undef TILE

static void gather(const bl_gather_args *g)
{
	switch (g->vectors) {
#define TILE(ROWS, VECTORS)                    \
	case VECTORS:                          \
		gather_##ROWS##_##VECTORS(g);  \
		break;
		TILES
#undef TILE
	}
}

static void outer(const bl_outer_args *o)
{
	switch (o->vectors) {
#define TILE(ROWS, VECTORS)                   \
	case VECTORS:                         \
		outer_##ROWS##_##VECTORS(o);  \
		break;
		TILES
#undef TILE
	}
}

/* Two passes over a chunk that fits the cache: exact enough for any mean. */
static void moments(int64_t n, int64_t c, const float *x, float *mean, float *m2)
{
	memset(mean, 0, (size_t)c * sizeof *mean);
	memset(m2, 0, (size_t)c * sizeof *m2);
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = 0; k < c; k++)
			mean[k] += x[i * c + k];
	for (int64_t k = 0; k < c; k++)
		mean[k] /= (float)n;
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = 0; k < c; k++)
			m2[k] += (x[i * c + k] - mean[k]) * (x[i * c + k] - mean[k]);
}

static inline __attribute__((always_inline)) void norm_rows(const bl_norm_row *a, bool residual, bool relu)
{
	int64_t c = a->c;
	const float *restrict scale = a->scale, *restrict shift = a->shift;
	for (int64_t i = 0; i < a->n; i++) {
		const float *restrict x = a->x + i * c, *restrict res = residual ? a->residual + i * c : NULL;
		float *restrict y = a->y + i * c;
		for (int64_t k = 0; k < c; k++) {
			float v = scale[k] * x[k] + shift[k];
			if (residual)
				v += res[k];
			y[k] = relu && v < 0 ? 0 : v; /* a NaN stays one */
		}
	}
}

static void norm(const bl_norm_row *a)
{
	if (a->residual)
		a->relu ? norm_rows(a, true, true) : norm_rows(a, true, false);
	else
		a->relu ? norm_rows(a, false, true) : norm_rows(a, false, false);
}

enum mask { MASK_NONE, MASK_X, MASK_Y };

static inline __attribute__((always_inline)) float cut(enum mask m, float dy, float x, float y, float scale, float shift)
{
	if (m == MASK_NONE)
		return dy;
	return (m == MASK_Y ? y > 0 : scale * x + shift > 0) ? dy : 0;
}

static inline __attribute__((always_inline)) void reduce_rows(const bl_norm_back *a, enum mask m)
{
	int64_t c = a->c;
	const float *restrict scale = a->scale, *restrict shift = a->shift, *restrict mean = a->mean;
	float *restrict sum = a->sum, *restrict dot = a->dot;
	for (int64_t i = 0; i < a->n; i++) {
		const float *restrict x = a->x + i * c, *restrict dy = a->dy + i * c;
		const float *restrict y = m == MASK_Y ? a->y + i * c : x;
		for (int64_t k = 0; k < c; k++) {
			float g = cut(m, dy[k], x[k], y[k], scale[k], shift[k]);
			sum[k] += g;
			dot[k] += g * (x[k] - mean[k]);
		}
	}
}

static enum mask mask_of(const bl_norm_back *a)
{
	return !a->relu ? MASK_NONE : a->masked_by_y ? MASK_Y : MASK_X;
}

static void norm_reduce(const bl_norm_back *a)
{
	switch (mask_of(a)) {
	case MASK_NONE:
		reduce_rows(a, MASK_NONE);
		break;
	case MASK_X:
		reduce_rows(a, MASK_X);
		break;
	case MASK_Y:
		reduce_rows(a, MASK_Y);
		break;
	}
}

static inline __attribute__((always_inline)) void apply_rows(const bl_norm_back *a, enum mask m, bool residual)
{
	int64_t c = a->c;
	const float *restrict scale = a->scale, *restrict shift = a->shift, *restrict mean = a->mean;
	const float *restrict by_g = a->by_g, *restrict by_x = a->by_x, *restrict by_1 = a->by_1;
	float keep = a->add, keep_residual = a->add_residual;
	for (int64_t i = 0; i < a->n; i++) {
		const float *restrict x = a->x + i * c, *restrict dy = a->dy + i * c;
		const float *restrict y = m == MASK_Y ? a->y + i * c : x;
		float *restrict dx = a->dx + i * c, *restrict dr = residual ? a->dresidual + i * c : NULL;
		for (int64_t k = 0; k < c; k++) {
			float g = cut(m, dy[k], x[k], y[k], scale[k], shift[k]);
			float d = by_g[k] * g + by_x[k] * (x[k] - mean[k]) + by_1[k];
			dx[k] = keep != 0 ? dx[k] + d : d;
			if (residual)
				dr[k] = keep_residual != 0 ? dr[k] + g : g;
		}
	}
}

static void norm_apply(const bl_norm_back *a)
{
	bool residual = a->dresidual != NULL;
	switch (mask_of(a)) {
	case MASK_NONE:
		residual ? apply_rows(a, MASK_NONE, true) : apply_rows(a, MASK_NONE, false);
		break;
	case MASK_X:
		residual ? apply_rows(a, MASK_X, true) : apply_rows(a, MASK_X, false);
		break;
	case MASK_Y:
		residual ? apply_rows(a, MASK_Y, true) : apply_rows(a, MASK_Y, false);
		break;
	}
}

#include "tensor/kernel_bf16.h"
#include "tensor/kernel_winograd.h"

const bl_kernels KERNELS = {
	.name = KERNEL_NAME,
	.lanes = LANES,
	.heights = {
#define TILE(ROWS, VECTORS) [VECTORS] = ROWS,
		TILES
#undef TILE
	},
	.gather = gather,
	.outer = outer,
	.bf16_unit = BF16_UNIT,
	.bf16_pack = bf16_pack,
	.bf16_gather = bf16_gather,
	.moments = moments,
	.norm = norm,
	.norm_reduce = norm_reduce,
	.norm_apply = norm_apply,
	.winograd_input = winograd_input,
	.winograd_gradient = winograd_gradient,
	.winograd_output = winograd_output,
	.winograd_filter = winograd_filter,
	.winograd_filter_gradient = winograd_filter_gradient,
};
