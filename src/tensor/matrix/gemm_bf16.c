/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gemm_bf16.c: matrix products of numbers rounded to bfloat16.
 *
 * First, the whole matrix a is rounded and packed to [block of k][row][unit].  Then each chunk processes its columns of
 * b, one panel and one block of k at a time.  The panel is rounded and packed, and stays in the second-level cache
 * while it is multiplied by the rows of a.
 */
#include "tensor/matrix/gemm_bf16.h"

#include "tensor/matrix/blas.h"
#include "tensor/kernel/kernel.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>

enum {
	BLOCK = 256, /* largest number of units of k in a block; with 64 columns this is a panel of 64 KB */
	ROWS = 504,  /* rows of a chunk: a multiple of the height of every tile */
	PACKED = 48, /* rows that are packed at once */
	WIDEST = 64, /* columns: a multiple of the width of every panel */
	STRIP = 4,   /* panels of a chunk, if there are many panels */
	SCRATCH_PANEL = 0,
};

typedef struct product {
	const bl_kernels *kernels;
	bool ta, tb, add;
	int64_t m, n, k, lda, ldb, ldc;
	const float *a, *b;
	float *c;
	int64_t block, blocks; /* units in a block of k; number of blocks */
	int64_t strip, strips; /* columns of a chunk (a strip); number of strips */
	uint32_t *packed;
	atomic_bool failed;
} product;

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t parts(int64_t n, int64_t size)
{
	return (n + size - 1) / size;
}

/* Returns the number of indices of k in a block, and sets *from to the first of them. */
static int64_t numbers(const product *p, int64_t block, int64_t *from)
{
	int64_t size = p->block * p->kernels->bf16_unit;
	*from = block * size;
	return least(size, p->k - *from);
}

static void pack_rows(void *ctx, int64_t chunk)
{
	const product *p = ctx;
	int64_t i = chunk * PACKED, from;
	for (int64_t b = 0; b < p->blocks; b++) {
		int64_t k = numbers(p, b, &from);
		p->kernels->bf16_pack(&(bl_bf16_lines){ .x = p->a + (p->ta ? from * p->lda + i : i * p->lda + from),
		                                        .ld = p->lda,
		                                        .lines = least(PACKED, p->m - i),
		                                        .k = k,
		                                        .along = !p->ta,
		                                        .to = p->packed + (b * p->m + i) * p->block,
		                                        .line_pitch = p->block,
		                                        .unit_pitch = 1 });
	}
}

static void pack_panel(const product *p, int64_t block, int64_t j, int64_t width, uint32_t *to)
{
	int64_t from, k = numbers(p, block, &from);
	p->kernels->bf16_pack(&(bl_bf16_lines){ .x = p->b + (p->tb ? j * p->ldb + from : from * p->ldb + j),
	                                        .ld = p->ldb,
	                                        .lines = least(width, p->n - j),
	                                        .k = k,
	                                        .along = p->tb,
	                                        .to = to,
	                                        .line_pitch = 1,
	                                        .unit_pitch = width });
}

/* If the tile is higher than the number of remaining rows, the last row is read several times and written once. */
static void multiply_tile(const product *p, int64_t block, int64_t i, int64_t i2, int64_t j, bl_gather_args *g)
{
	const float *a[BL_TILE_ROWS];
	float *out[BL_TILE_ROWS];
	const uint32_t *rows = p->packed + block * p->m * p->block;
	int height = p->kernels->heights[g->vectors];
	g->rows = (int)least(height, i2 - i);
	for (int r = 0; r < height; r++) {
		int64_t row = least(i + r, i2 - 1);
		a[r] = (const float *)(rows + row * p->block);
		out[r] = p->c + row * p->ldc + j;
	}
	g->a = a;
	g->out = out;
	p->kernels->bf16_gather(g);
}

static void multiply_panel(const product *p, int64_t block, int64_t i, int64_t i2, int64_t j, int vectors, uint32_t *panel)
{
	int64_t from, width = (int64_t)vectors * p->kernels->lanes, k = numbers(p, block, &from);
	bl_gather_args g = { .vectors = vectors,
		             .cols = (int)least(width, p->n - j),
		             .taps = 1,
		             .channels = parts(k, p->kernels->bf16_unit),
		             .w = (const float *)panel,
		             .add = p->add || block > 0 };
	pack_panel(p, block, j, width, panel);
	for (; i < i2; i += p->kernels->heights[vectors])
		multiply_tile(p, block, i, i2, j, &g);
}

static void multiply(void *ctx, int64_t chunk)
{
	product *p = ctx;
	int64_t i = chunk / p->strips * ROWS, i2 = least(i + ROWS, p->m);
	int64_t from = chunk % p->strips * p->strip, to = least(from + p->strip, p->n);
	uint32_t *panel = bl_scratch(SCRATCH_PANEL, (size_t)(p->block * WIDEST) * sizeof *panel);
	if (!panel)
		atomic_store(&p->failed, true);
	for (int64_t b = 0; panel && b < p->blocks; b++)
		for (int64_t j = from; j < to;) {
			int vectors = bl_panel_vectors(p->kernels, j, to);
			multiply_panel(p, b, i, i2, j, vectors, panel);
			j += (int64_t)vectors * p->kernels->lanes;
		}
}

/* Divides k into blocks of equal length, which is a multiple of every vector's length, and the columns into strips. */
static void plan(product *p)
{
	enum { LANES_MAX = 16, ENOUGH = 32 };
	int64_t units = parts(p->k, p->kernels->bf16_unit);
	p->block = parts(parts(units, parts(units, BLOCK)), LANES_MAX) * LANES_MAX;
	p->blocks = parts(units, p->block);
	p->strip = parts(p->n, STRIP * WIDEST) < ENOUGH ? WIDEST : STRIP * WIDEST;
	p->strips = parts(p->n, p->strip);
}

int bl_gemm_bf16_parallel(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                          int64_t ldb, bool add, float *c, int64_t ldc)
{
	product p = { bl_kernel(), ta, tb, add, m, n, k, lda, ldb, ldc, a, b, c, 0, 0, 0, 0, NULL, false };
	if (m <= 0 || n <= 0 || k <= 0) {
		bl_gemm_parallel(ta, tb, m, n, k, 1, a, lda, b, ldb, add ? 1 : 0, c, ldc);
		return 0;
	}
	plan(&p);
	p.packed = bl_block_take((size_t)(p.blocks * m * p.block) * sizeof *p.packed);
	if (!p.packed)
		return -1;
	bl_parallel(parts(m, PACKED), pack_rows, &p);
	bl_parallel(parts(m, ROWS) * p.strips, multiply, &p);
	bl_block_give(p.packed);
	return atomic_load(&p.failed) ? bl_fail("no memory for a panel of a product") : 0;
}
