/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gram.c: G_A and G_B as sums over blocks of columns.  A block is standardised, transposed and multiplied while it is
 * in a core's cache, so that z is never in memory.  Blocks are divided into a fixed number of groups; each group has
 * its own sums, which are added in order at the end.
 */
#include "loss/barlow/gram.h"

#include "base/clones.h"
#include "tensor/matrix/panel.h"

#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <string.h>

typedef struct job {
	const bl_standard *s;
	int64_t blocks, groups;
	float *const *g;
	double *const *row;
	float *part; /* (groups,2,N,N): lower triangles */
	double *sum; /* (groups,2,N): row sums of z; NULL: they are not needed */
	atomic_bool failed;
} job;

/* part (+)= z z^T, on and below the diagonal. */
static void add_product(const bl_standard *s, int64_t width, const float *z, float *turned, float *part, bool add)
{
	int64_t step = bl_panel_width(), n = s->n;
	for (int64_t j = 0; j < n; j += step) {
		bl_panel_turn(z, n, width, j, turned);
		bl_panel_multiply(&(bl_panel_product){ .rows = n - j,
		                                       .cols = n - j < step ? n - j : step,
		                                       .k = width,
		                                       .a = z + j * width,
		                                       .lda = width,
		                                       .panel = turned,
		                                       .c = part + j * n + j,
		                                       .ldc = n,
		                                       .add = add });
	}
}

BL_CLONES_EXACT static void add_rows(int64_t n, int64_t width, const float *z, double *sum)
{
	for (int64_t i = 0; i < n; i++, z += width)
		for (int64_t j = 0; j < width; j++)
			sum[i] += (double)z[j];
}

static void add_block(job *b, int64_t group, int64_t block, float *copy, bool add)
{
	const bl_standard *s = b->s;
	int64_t from, to;
	bl_chunk_range(s->d, b->blocks, block, &from, &to);
	int64_t pitch = bl_standard_pitch(to - from);
	float *turned = copy + 2 * s->n * pitch;
	bl_standard_columns(s, from, to - from, copy);
	for (int v = 0; v < 2; v++) {
		const float *z = copy + v * s->n * pitch;
		if (b->g[v])
			add_product(s, pitch, z, turned, b->part + (2 * group + v) * s->n * s->n, add);
		if (b->sum)
			add_rows(s->n, pitch, z, b->sum + (2 * group + v) * s->n);
	}
}

enum { WIDTH = 128 };

static void sum_group(void *ctx, int64_t group)
{
	job *b = ctx;
	int64_t from, to, n = b->s->n;
	bl_chunk_range(b->blocks, b->groups, group, &from, &to);
	float *copy = bl_scratch(0, (size_t)((2 * n + bl_panel_width()) * WIDTH) * sizeof *copy);
	if (!copy) {
		atomic_store(&b->failed, true);
		return;
	}
	if (b->sum)
		memset(b->sum + 2 * group * n, 0, (size_t)(2 * n) * sizeof *b->sum);
	for (int64_t block = from; block < to; block++)
		add_block(b, group, block, copy, block > from);
}

BL_CLONES_EXACT static void add_to(int64_t n, const float *part, float *sum)
{
	for (int64_t i = 0; i < n; i++)
		sum[i] += part[i];
}

/* Sums row i of both matrices, up to the diagonal, over the groups. */
static void fold_row(void *ctx, int64_t i)
{
	const job *b = ctx;
	int64_t n = b->s->n;
	for (int v = 0; v < 2; v++) {
		float *row = b->g[v] ? b->g[v] + i * n : NULL;
		if (row)
			memcpy(row, b->part + (v * n + i) * n, (size_t)(i + 1) * sizeof *row);
		for (int64_t k = 1; row && k < b->groups; k++)
			add_to(i + 1, b->part + ((2 * k + v) * n + i) * n, row);
		for (int64_t k = 0; b->sum && k < b->groups; k++)
			b->row[v][i] = (k ? b->row[v][i] : 0) + b->sum[(2 * k + v) * n + i];
	}
}

static void mirror_row(void *ctx, int64_t i)
{
	const job *b = ctx;
	int64_t n = b->s->n;
	for (int v = 0; v < 2; v++)
		for (int64_t j = i + 1; b->g[v] && j < n; j++)
			b->g[v][i * n + j] = b->g[v][j * n + i];
}

static int run(job *b)
{
	bl_parallel(b->groups, sum_group, b);
	if (atomic_load(&b->failed))
		return bl_fail("barlow loss: no memory");
	bl_parallel(b->s->n, fold_row, b);
	bl_parallel(b->s->n, mirror_row, b);
	return 0;
}

int bl_gram_pair(const bl_standard *s, float *const g[2], double *const row[2])
{
	enum { GROUPS = 8 };
	job b = { .s = s, .g = g, .row = row, .blocks = (s->d + WIDTH - 1) / WIDTH };
	b.groups = b.blocks < 2 * GROUPS ? (b.blocks + 1) / 2 : GROUPS;
	size_t n = (size_t)s->n, pairs = 2 * (size_t)b.groups * n;
	double *memory = bl_block_take(pairs * (n * sizeof *b.part + (row ? sizeof *b.sum : 0)));
	if (!memory)
		return -1;
	b.sum = row ? memory : NULL;
	b.part = (float *)(void *)(memory + (row ? pairs : 0));
	int rc = run(&b);
	bl_block_give(memory);
	return rc;
}
