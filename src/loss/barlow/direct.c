/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * direct.c: computes C = zA^T zB / N one panel of columns at a time, and converts the panel to the errors E while it is
 * in a core's cache.
 */
#include "loss/barlow/direct.h"

#include "base/clones.h"
#include "tensor/matrix/panel.h"

#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdatomic.h>

enum { RUN = 8, LINE = 16 };

typedef struct job {
	const bl_standard *s;
	bool hsic;
	float *e;
	float *turned; /* zA^T with rows `pitch` floats apart */
	int64_t pitch; /* an odd number of cache lines, so that rows do not evict each other from the cache */
	double *sum;   /* the sum of squares of each panel */
	atomic_bool failed;
} job;

/*
 * Converts rows i..i+rows-1 of zA^T zB, in columns from..from+width-1, to rows of E.  Adds the sum of the squares in
 * column from + j, which is computed in float, to sum[j].
 */
static inline __attribute__((always_inline)) void to_error(int rows, const job *b, int64_t i, int64_t from, int64_t width,
                                                           double *restrict sum)
{
	int64_t d = b->s->d;
	float by = (float)(1 / (double)b->s->n), plus = b->hsic, *e = b->e + i * d + from;
	for (int r = 0; r < rows; r++)
		for (int64_t j = 0; j < width; j++)
			e[r * d + j] = e[r * d + j] * by + plus;
	for (int r = 0; r < rows; r++)
		if (i + r >= from && i + r < from + width)
			e[r * d + i + r - from] = 0;
	for (int64_t j = 0; j < width; j++) {
		float squares = 0;
		_Pragma("GCC unroll 8") for (int r = 0; r < rows; r++) squares += e[r * d + j] * e[r * d + j];
		sum[j] += (double)squares;
	}
}

BL_CLONES_EXACT static void to_errors(const job *b, int64_t from, int64_t width, double *sum)
{
	int64_t i = 0;
	for (; i + RUN <= b->s->d; i += RUN)
		to_error(RUN, b, i, from, width, sum);
	for (; i < b->s->d; i++)
		to_error(1, b, i, from, width, sum);
}

static void panel_of_c(void *ctx, int64_t chunk)
{
	job *b = ctx;
	const bl_standard *s = b->s;
	int64_t step = bl_panel_width(), from = chunk * step, width = s->d - from < step ? s->d - from : step;
	double sum[BL_STANDARD_COLUMNS] = { 0 };
	float *panel = bl_scratch(0, (size_t)(s->n * step) * sizeof *panel);
	if (!panel) {
		atomic_store(&b->failed, true);
		return;
	}
	bl_panel_copy(s->z[1], s->n, s->d, from, panel);
	bl_panel_multiply(&(bl_panel_product){ .rows = s->d,
	                                       .cols = width,
	                                       .k = s->n,
	                                       .a = b->turned,
	                                       .lda = b->pitch,
	                                       .panel = panel,
	                                       .c = b->e + from,
	                                       .ldc = s->d });
	to_errors(b, from, width, sum);
	b->sum[chunk] = 0;
	for (int64_t j = 0; j < width; j++)
		b->sum[chunk] += sum[j];
}

static int run(job *b, bl_standard *s, double *squares)
{
	int64_t count = bl_panels(s->d);
	b->sum = bl_scratch(1, (size_t)count * sizeof *b->sum);
	if (!b->sum || bl_standard_whole(s, b->turned, b->pitch) != 0)
		return -1;
	bl_parallel(count, panel_of_c, b);
	*squares = 0;
	for (int64_t i = 0; i < count; i++)
		*squares += b->sum[i];
	return atomic_load(&b->failed) ? bl_fail("barlow loss: no memory") : 0;
}

int bl_direct_error(bl_standard *s, bool hsic, float *e, double *squares)
{
	job b = { .s = s, .hsic = hsic, .e = e, .pitch = ((s->n / LINE + 1) | 1) * LINE };
	b.turned = bl_block_take((size_t)(b.pitch * s->d) * sizeof *b.turned);
	int rc = b.turned ? run(&b, s, squares) : -1;
	bl_block_give(b.turned);
	return rc;
}
