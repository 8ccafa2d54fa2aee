/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kernel_body.h: the kernels, written with GCC's vector extensions.  The file that includes it defines LANES, KERNELS,
 * KERNEL_NAME and TILES (the sizes of the tiles, as pairs of rows and vectors), and has its own compiler flags.
 */
#include "tensor/kernel/kernel.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/*
 * The sums of a tile (acc) stay in registers, because every loop over them is unrolled and the address of acc is never
 * taken: SPILL copies acc before it is stored.
 */
/* clang-format off */
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
		int64_t n = o->n, x_at = o->x_at, y_at = o->y_at; \
		for (int64_t i = 0; i < n; i++) { \
			const float *x = o->x[i] + x_at, *y = o->y[i] + y_at; \
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
/* clang-format on */

static void store_part(const float *from, int cols, float *to, bool add)
{
	for (int k = 0; k < cols; k++)
		to[k] = (add ? to[k] : 0) + from[k];
}

static inline __attribute__((always_inline)) void store_tile(const vec *acc, int first, int rows, int vectors, int cols,
                                                             float *const *out, bool add)
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
/* clang-format off */
#define TILE(ROWS, VECTORS)                    \
	case VECTORS:                          \
		gather_##ROWS##_##VECTORS(g);  \
		break;
		/* clang-format on */
		TILES
#undef TILE
	}
}

static void outer(const bl_outer_args *o)
{
	switch (o->vectors) {
/* clang-format off */
#define TILE(ROWS, VECTORS)                   \
	case VECTORS:                         \
		outer_##ROWS##_##VECTORS(o);  \
		break;
		/* clang-format on */
		TILES
#undef TILE
	}
}

#include "tensor/kernel/kernel_norm.h"
#include "tensor/kernel/kernel_bf16.h"
#include "tensor/kernel/kernel_winograd.h"

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
