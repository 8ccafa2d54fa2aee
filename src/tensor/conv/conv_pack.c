/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_pack.c: reorders weights for the kernels. */
#include "tensor/conv/conv_pack.h"

#include <barlow/parallel.h>

int64_t bl_pack_padded(const bl_kernels *k, int64_t from, int64_t columns)
{
	int64_t padded = 0;
	for (int64_t j = 0; j < from;) {
		int width = bl_panel_vectors(k, j, columns) * k->lanes;
		padded += width;
		j += width;
	}
	return padded;
}

int64_t bl_pack_block(const bl_kernels *k, int taps, int64_t channels)
{
	enum { PANEL_BYTES = 192 << 10 };
	int widest = 4;
	while (!k->heights[widest])
		widest--;
	int64_t most = PANEL_BYTES / ((int64_t)(taps ? taps : 1) * widest * k->lanes * (int64_t)sizeof(float));
	int64_t blocks = most > 0 ? (channels + most - 1) / most : channels;
	return (channels + blocks - 1) / blocks;
}

int64_t bl_pack_size(const bl_kernels *k, const bl_pack *p)
{
	return bl_pack_padded(k, p->columns, p->columns) * p->channels * p->taps;
}

typedef struct job {
	const bl_kernels *k;
	const bl_pack *p;
	float *to;
} job;

static void pack_panel(const bl_pack *p, int64_t from, int width, int64_t c, int64_t c2, float *to)
{
	int cols = p->columns - from < width ? (int)(p->columns - from) : width;
	for (int t = 0; t < p->taps; t++)
		for (int64_t i = c; i < c2; i++, to += width) {
			const float *w = p->w + from * p->column + i * p->channel + (p->tap ? p->tap[t] : t);
			for (int j = 0; j < width; j++)
				to[j] = j < cols ? w[j * p->column] : 0;
		}
}

static void pack_block(void *ctx, int64_t b)
{
	const job *j = ctx;
	const bl_pack *p = j->p;
	int64_t c = b * p->block, c2 = c + p->block < p->channels ? c + p->block : p->channels;
	int64_t padded = bl_pack_padded(j->k, p->columns, p->columns);
	float *to = j->to + padded * c * p->taps;
	for (int64_t from = 0; from < p->columns;) {
		int width = bl_panel_vectors(j->k, from, p->columns) * j->k->lanes;
		pack_panel(p, from, width, c, c2, to);
		to += width * (c2 - c) * p->taps;
		from += width;
	}
}

void bl_pack_run(const bl_kernels *k, const bl_pack *p, float *to)
{
	job j = { k, p, to };
	bl_parallel((p->channels + p->block - 1) / p->block, pack_block, &j);
}
