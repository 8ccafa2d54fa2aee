/* SPDX-License-Identifier: GPL-3.0-or-later */
/* walk.c: visits the elements of several strided operands together, in runs (tensor.h). */
#include "tensor/tensor.h"

#include <assert.h>

static void drop_dim(bl_walk *w, int d)
{
	for (int i = d; i + 1 < w->ndim; i++) {
		w->shape[i] = w->shape[i + 1];
		for (int k = 0; k < w->operands; k++)
			w->stride[k][i] = w->stride[k][i + 1];
	}
	w->ndim--;
}

static void swap_dims(bl_walk *w, int a, int b)
{
	int64_t s = w->shape[a];
	w->shape[a] = w->shape[b];
	w->shape[b] = s;
	for (int k = 0; k < w->operands; k++) {
		s = w->stride[k][a];
		w->stride[k][a] = w->stride[k][b];
		w->stride[k][b] = s;
	}
}

/* Sorts dimensions by the first operand's strides, largest first, so that its memory is visited in ascending order. */
static void sort_dims(bl_walk *w)
{
	for (int i = 1; i < w->ndim; i++)
		for (int j = i; j > 0 && w->stride[0][j - 1] < w->stride[0][j]; j--)
			swap_dims(w, j - 1, j);
}

static bool mergeable(const bl_walk *w, int d)
{
	for (int k = 0; k < w->operands; k++)
		if (w->stride[k][d] != w->stride[k][d + 1] * w->shape[d + 1])
			return false;
	return true;
}

static void merge_dims(bl_walk *w)
{
	for (int d = w->ndim - 1; d >= 0; d--)
		if (w->shape[d] == 1)
			drop_dim(w, d);
	sort_dims(w);
	for (int d = w->ndim - 2; d >= 0; d--) {
		if (!mergeable(w, d))
			continue;
		w->shape[d + 1] *= w->shape[d];
		drop_dim(w, d);
	}
}

void bl_walk_init(bl_walk *w, int operands, bl_tensor *const *t)
{
	assert(operands <= BL_WALK_MAX);
	*w = (bl_walk){ .operands = operands, .ndim = t[0]->ndim };
	for (int d = 0; d < w->ndim; d++)
		w->shape[d] = t[0]->shape[d];
	for (int k = 0; k < operands; k++) {
		assert(t[k]->ndim == w->ndim);
		w->data[k] = t[k]->data;
		for (int d = 0; d < w->ndim; d++)
			w->stride[k][d] = t[k]->stride[d];
	}
}

enum { RUN = 1 << 14 }; /* approximate number of elements in a chunk */

typedef struct job {
	const bl_walk *w;
	bl_walk_fn *fn;
	void *ctx;
	/*
	 * outer: number of runs; chunks: number of chunks of whole runs; inner: length of a run; pieces: number of
	 * chunks into which a long run is divided.
	 */
	int64_t outer, chunks, inner, pieces;
} job;

static void run_at(const job *j, int64_t run, int64_t from, int64_t to)
{
	const bl_walk *w = j->w;
	float *p[BL_WALK_MAX];
	int64_t step[BL_WALK_MAX];
	int last = w->ndim - 1;
	for (int k = 0; k < w->operands; k++) {
		step[k] = w->ndim ? w->stride[k][last] : 0;
		p[k] = w->data[k] + from * step[k];
	}
	for (int d = last - 1; d >= 0; d--) {
		int64_t i = run % w->shape[d];
		run /= w->shape[d];
		for (int k = 0; k < w->operands; k++)
			p[k] += i * w->stride[k][d];
	}
	j->fn(j->ctx, to - from, p, step);
}

static void chunk(void *ctx, int64_t c)
{
	const job *j = ctx;
	int64_t from, to;
	if (j->pieces > 1) {
		bl_chunk_range(j->inner, j->pieces, c % j->pieces, &from, &to);
		run_at(j, c / j->pieces, from, to);
		return;
	}
	bl_chunk_range(j->outer, j->chunks, c, &from, &to);
	for (; from < to; from++)
		run_at(j, from, 0, j->inner);
}

void bl_walk_run(bl_walk *w, bl_walk_fn *fn, void *ctx)
{
	for (int d = 0; d < w->ndim; d++)
		if (w->shape[d] == 0)
			return;
	merge_dims(w);
	job j = { .w = w, .fn = fn, .ctx = ctx, .outer = 1, .inner = w->ndim ? w->shape[w->ndim - 1] : 1 };
	for (int d = 0; d + 1 < w->ndim; d++)
		j.outer *= w->shape[d];
	j.pieces = j.inner / RUN + 1;
	j.chunks = j.outer * j.inner / RUN + 1;
	j.chunks = j.chunks < j.outer ? j.chunks : j.outer;
	bl_parallel(j.pieces > 1 ? j.outer * j.pieces : j.chunks, chunk, &j);
}
