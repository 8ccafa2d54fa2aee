/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sums.c: sums over any dimensions of a strided tensor. */
#include "grad/dims.h"

#include <barlow/memory.h>

#define INLINE static inline __attribute__((always_inline))

/*
 * Each dimension is either kept or summed; a kept element is an element of the result.  If a kept dimension has the
 * smallest stride, whole rows of adjacent kept elements are added ("columns").  Otherwise the terms of each kept
 * element are summed separately ("runs").  Work is divided into blocks of at most WIDTH kept elements.  If there are fewer
 * than FEW blocks, the summed range is divided into at most PIECES pieces as well, whose partial sums are added in order at
 * the end.  A chunk of work has about CELL elements of x.
 */
enum { WIDTH = 512, CELL = 1 << 15, FEW = 16, PIECES = 64 };

typedef struct dims { /* in order of x's strides, largest first */
	int n;
	int64_t count, shape[BL_MAXDIM], x[BL_MAXDIM], out[BL_MAXDIM];
} dims;

typedef struct plan {
	const float *x, *mean;
	float *out;
	dims kept, summed;
	bool columns, add;
	double scale;
	int64_t inner, blocks; /* number of adjacent kept elements; number of blocks of at most WIDTH of them */
	int64_t cuts, pieces;  /* number of ranges of blocks; number of pieces of the summed range; a chunk is a pair of both */
	double *partial;       /* (pieces, kept), if there are several pieces */
} plan;

static void dims_insert(dims *d, int64_t shape, int64_t x, int64_t out)
{
	int i = d->n++;
	for (; i > 0 && d->x[i - 1] < x; i--) {
		d->shape[i] = d->shape[i - 1];
		d->x[i] = d->x[i - 1];
		d->out[i] = d->out[i - 1];
	}
	d->shape[i] = shape;
	d->x[i] = x;
	d->out[i] = out;
	d->count *= shape;
}

static void dims_merge(dims *d)
{
	int n = 0; /* dimensions that are not merged into the one before */
	for (int i = 0; i < d->n; i++) {
		bool joins = n && d->x[n - 1] == d->x[i] * d->shape[i] && d->out[n - 1] == d->out[i] * d->shape[i];
		n += !joins;
		d->shape[n - 1] = joins ? d->shape[n - 1] * d->shape[i] : d->shape[i];
		d->x[n - 1] = d->x[i];
		d->out[n - 1] = d->out[i];
	}
	d->n = n;
}

/* The offset of element i with these strides. */
INLINE int64_t offset(const dims *d, const int64_t *stride, int64_t i)
{
	int64_t at = 0;
	for (int k = d->n - 1; k > 0; k--) {
		at += i % d->shape[k] * stride[k];
		i /= d->shape[k];
	}
	return d->n ? at + i * stride[0] : 0;
}

static void deliver(const plan *p, int64_t piece, int64_t k, double sum)
{
	if (p->pieces > 1) {
		p->partial[piece * p->kept.count + k] = sum;
		return;
	}
	float *out = p->out + offset(&p->kept, p->kept.out, k);
	*out = (float)((p->add ? *out : 0) + p->scale * sum);
}

INLINE double term(float x, float mean, bool squares)
{
	double d = squares ? (double)x - mean : x;
	return squares ? d * d : d;
}

/* Adds to eight separate sums, so that the compiler can vectorise the loop. */
INLINE double run_of(const float *x, int64_t n, int64_t step, float mean, bool squares)
{
	double lane[8] = { 0 }, rest = 0;
	int64_t i = 0;
	for (; i + 8 <= n; i += 8)
		for (int l = 0; l < 8; l++)
			lane[l] += term(x[(i + l) * step], mean, squares);
	for (; i < n; i++)
		rest += term(x[i * step], mean, squares);
	return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7])) + rest;
}

static double run(const float *x, int64_t n, int64_t step, const float *mean)
{
	if (step == 1)
		return mean ? run_of(x, n, 1, *mean, true) : run_of(x, n, 1, 0, false);
	return mean ? run_of(x, n, step, *mean, true) : run_of(x, n, step, 0, false);
}

/* Returns the sum of terms from..to-1 of kept element k. */
static double run_sum(const plan *p, int64_t k, int64_t from, int64_t to)
{
	const dims *s = &p->summed;
	const float *x = p->x + offset(&p->kept, p->kept.x, k);
	const float *mean = p->mean ? p->mean + offset(&p->kept, p->kept.out, k) : NULL;
	int64_t inner = s->n ? s->shape[s->n - 1] : 1, step = s->n ? s->x[s->n - 1] : 1;
	double sum = 0;
	while (from < to) {
		int64_t left = inner - from % inner, n = left < to - from ? left : to - from;
		sum += run(x + offset(s, s->x, from), n, step, mean);
		from += n;
	}
	return sum;
}

INLINE void add_row(double *sum, const float *x, int64_t n, int64_t step, const float *mean, int64_t mean_step)
{
	for (int64_t i = 0; i < n; i++)
		sum[i] += term(x[i * step], mean ? mean[i * mean_step] : 0, mean != NULL);
}

/* Sums rows from..to-1 of the n adjacent kept elements k..k+n-1. */
static void column_sums(const plan *p, int64_t k, int64_t n, int64_t from, int64_t to, double *sum)
{
	const dims *kept = &p->kept, *s = &p->summed;
	int64_t step = kept->x[kept->n - 1], mean_step = kept->out[kept->n - 1];
	const float *x = p->x + offset(kept, kept->x, k);
	const float *mean = p->mean ? p->mean + offset(kept, kept->out, k) : NULL;
	for (int64_t i = 0; i < n; i++)
		sum[i] = 0;
	for (; from < to; from++) {
		const float *row = x + offset(s, s->x, from);
		if (step == 1 && !mean)
			add_row(sum, row, n, 1, NULL, 0);
		else
			add_row(sum, row, n, step, mean, mean_step);
	}
}

static void block(const plan *p, int64_t b, int64_t piece, int64_t from, int64_t to)
{
	double sum[WIDTH];
	int64_t per_row = (p->inner + WIDTH - 1) / WIDTH;
	int64_t at = b % per_row * WIDTH, k = b / per_row * p->inner + at;
	int64_t n = p->inner - at < WIDTH ? p->inner - at : WIDTH;
	if (p->columns)
		column_sums(p, k, n, from, to, sum);
	for (int64_t i = 0; i < n; i++)
		deliver(p, piece, k + i, p->columns ? sum[i] : run_sum(p, k + i, from, to));
}

static void cell(void *ctx, int64_t chunk)
{
	const plan *p = ctx;
	int64_t piece = chunk % p->pieces, from, to, b, end;
	bl_chunk_range(p->summed.count, p->pieces, piece, &from, &to);
	bl_chunk_range(p->blocks, p->cuts, chunk / p->pieces, &b, &end);
	for (; b < end; b++)
		block(p, b, piece, from, to);
}

/* Adds the sums of the pieces, in order. */
static void gather(plan *p)
{
	int64_t pieces = p->pieces;
	p->pieces = 1;
	for (int64_t k = 0; k < p->kept.count; k++) {
		double sum = 0;
		for (int64_t i = 0; i < pieces; i++)
			sum += p->partial[i * p->kept.count + k];
		deliver(p, 0, k, sum);
	}
}

static void plan_dims(plan *p, const bl_sum_args *s)
{
	p->kept.count = p->summed.count = 1;
	for (int d = 0; d < s->x->ndim; d++) {
		int64_t size = s->x->shape[d];
		if (size == 1)
			continue;
		if (s->mask >> d & 1)
			dims_insert(&p->summed, size, s->x->stride[d], 0);
		else
			dims_insert(&p->kept, size, s->x->stride[d], s->out->stride[d]);
	}
	dims_merge(&p->kept);
	dims_merge(&p->summed);
}

static void plan_cuts(plan *p)
{
	const dims *k = &p->kept, *s = &p->summed;
	p->inner = k->n ? k->shape[k->n - 1] : 1;
	p->columns = k->n && p->inner >= 4 && (!s->n || k->x[k->n - 1] < s->x[s->n - 1]);
	p->blocks = k->count / p->inner * ((p->inner + WIDTH - 1) / WIDTH);
	int64_t elements = k->count * s->count, wanted = elements / CELL + 1;
	p->cuts = wanted < p->blocks ? wanted : p->blocks;
	p->pieces = 1;
	if (p->blocks >= FEW)
		return;
	p->pieces = (wanted + p->blocks - 1) / p->blocks;
	p->pieces = p->pieces < PIECES ? p->pieces : PIECES;
	p->pieces = p->pieces < s->count ? p->pieces : s->count ? s->count : 1;
}

int bl_sum_dims(const bl_sum_args *s)
{
	plan p = { .x = s->x->data, .mean = s->mean ? s->mean->data : NULL, .out = s->out->data, .add = s->add, .scale = s->scale };
	plan_dims(&p, s);
	if (p.kept.count == 0)
		return 0;
	plan_cuts(&p);
	if (p.pieces > 1) {
		p.partial = bl_block_take((size_t)(p.pieces * p.kept.count) * sizeof *p.partial);
		if (!p.partial)
			return -1;
	}
	bl_parallel(p.cuts * p.pieces, cell, &p);
	if (p.pieces > 1)
		gather(&p);
	bl_block_give(p.partial);
	return 0;
}
