/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_pack.h (private to conv*.c): weights in the order in which the kernels read them. */
#ifndef BARLOW_TENSOR_CONV_CONV_PACK_H
#define BARLOW_TENSOR_CONV_CONV_PACK_H

#include "tensor/kernel/kernel.h"

/* Weight of output column j, input channel c, tap t lies at w[j * column + c * channel + tap[t]]. */
typedef struct bl_pack {
	const float *w;
	int64_t column, channel;
	const int32_t *tap; /* NULL: all, in their order */
	int taps;
	int64_t columns, channels;
	int64_t block; /* channels of a block of the reduction */
} bl_pack;

/* Channels that keep a panel's share of a block within the second cache. */
int64_t bl_pack_block(const bl_kernels *k, int taps, int64_t channels);
/* Floats of the packed weights, and of each block. */
int64_t bl_pack_size(const bl_kernels *k, const bl_pack *p);
/* to[block][panel][tap][channel in block][column in panel], panels filled up with zeros. */
void bl_pack_run(const bl_kernels *k, const bl_pack *p, float *to);
/* Columns of all panels up to column `from`, padding included. */
int64_t bl_pack_padded(const bl_kernels *k, int64_t from, int64_t columns);

#endif
