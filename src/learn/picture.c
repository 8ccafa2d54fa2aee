/* SPDX-License-Identifier: GPL-3.0-or-later */
/* picture.c: the cross-correlation matrix to look at, whole or pooled. */
#include "learn/standard.h"
#include "tensor/blas.h"

#include <barlow/memory.h>

#include <math.h>
#include <stdatomic.h>

bl_tensor *bl_loss_correlation(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb)
{
	bl_standard s;
	if (bl_standard_make(&s, dialect, za, zb))
		return NULL;
	bl_tensor *c = bl_tensor_new(2, (int64_t[]){ s.d, s.d });
	if (c)
		bl_gemm_parallel(true, false, s.d, s.d, s.n, (float)(1 / (double)s.n), s.z[0], s.d, s.z[1], s.d, 0,
		                 c->data, s.d);
	bl_standard_free(&s);
	return c;
}

/* One row of cells is a chunk; it makes C a few rows at a time. */
enum { STRIP = 32 };

typedef struct picture {
	const bl_standard *s;
	int g;
	float *mean, *extreme;
	atomic_bool failed;
} picture;

/* One row of C, the columns of one cell. */
static void add_run(const float *c, int64_t n, double *sum, float *extreme)
{
	for (int64_t j = 0; j < n; j++) {
		*sum += (double)c[j];
		*extreme = fabsf(c[j]) > fabsf(*extreme) ? c[j] : *extreme;
	}
}

static void add_strip(const picture *p, const float *strip, int64_t rows, double *sum, float *extreme)
{
	int64_t from, to;
	for (int64_t i = 0; i < rows; i++, strip += p->s->d)
		for (int cell = 0; cell < p->g; cell++) {
			bl_chunk_range(p->s->d, p->g, cell, &from, &to);
			add_run(strip + from, to - from, sum + cell, extreme + cell);
		}
}

static void finish(const picture *p, int64_t row, int64_t height, const double *sum, const float *extreme)
{
	int64_t from, to;
	for (int cell = 0; cell < p->g; cell++) {
		bl_chunk_range(p->s->d, p->g, cell, &from, &to);
		p->mean[row * p->g + cell] = (float)(sum[cell] / (double)(height * (to - from)));
		p->extreme[row * p->g + cell] = extreme[cell];
	}
}

static void cell_row(void *ctx, int64_t row)
{
	picture *p = ctx;
	const bl_standard *s = p->s;
	int64_t from, to;
	float *strip = bl_scratch(0, (size_t)(STRIP * s->d) * sizeof *strip);
	double *sum = bl_scratch(1, (size_t)p->g * (sizeof *sum + sizeof(float)));
	if (!strip || !sum) {
		atomic_store(&p->failed, true);
		return;
	}
	float *extreme = (float *)(void *)(sum + p->g);
	for (int cell = 0; cell < p->g; cell++) {
		sum[cell] = 0;
		extreme[cell] = 0;
	}
	bl_chunk_range(s->d, p->g, row, &from, &to);
	for (int64_t i = from; i < to; i += STRIP) {
		int64_t rows = to - i < STRIP ? to - i : STRIP;
		bl_gemm(true, false, rows, s->d, s->n, (float)(1 / (double)s->n), s->z[0] + i, s->d, s->z[1], s->d, 0,
		        strip, s->d);
		add_strip(p, strip, rows, sum, extreme);
	}
	finish(p, row, to - from, sum, extreme);
}

static int draw(picture *p, float *diag)
{
	if (p->g < 1 || p->g > p->s->d)
		return bl_fail("picture of C: expected 1 to %lld cells a side, got %d", (long long)p->s->d, p->g);
	bl_parallel(p->g, cell_row, p);
	for (int64_t i = 0; diag && i < p->s->d; i++)
		diag[i] = (float)p->s->diag[i];
	return atomic_load(&p->failed) ? bl_fail("picture of C: out of memory") : 0;
}

int bl_loss_picture(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int g, float *mean,
                    float *extreme, float *diag)
{
	bl_standard s;
	picture p = { .s = &s, .g = g, .mean = mean, .extreme = extreme };
	if (bl_standard_make(&s, dialect, za, zb))
		return -1;
	int rc = draw(&p, diag);
	bl_standard_free(&s);
	return rc;
}
