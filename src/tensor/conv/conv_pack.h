/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_pack.h (private to conv*.c): weights in the order in which the kernels read them. */
#ifndef BARLOW_TENSOR_CONV_CONV_PACK_H
#define BARLOW_TENSOR_CONV_CONV_PACK_H

#include "tensor/kernel/kernel.h"

/* The weight of output column j, input channel c and tap t is w[j * column + c * channel + tap[t]]. */
typedef struct bl_pack {
	const float *w;
	int64_t column, channel;
	const int32_t *tap; /* NULL: all taps, in their order */
	int taps;
	int64_t columns, channels;
	int64_t block; /* input channels that are summed in one block */
} bl_pack;

/* The number of channels in a block.  A panel of one block fits in the second-level cache. */
int64_t bl_pack_block(const bl_kernels *k, int taps, int64_t channels);
/* The number of floats of the packed weights. */
int64_t bl_pack_size(const bl_kernels *k, const bl_pack *p);
/* Packs the weights to to[block][panel][tap][channel in block][column in panel]; missing columns of a panel are 0. */
void bl_pack_run(const bl_kernels *k, const bl_pack *p, float *to);
/* The number of columns of all panels before column `from`, including the columns of zeros. */
int64_t bl_pack_padded(const bl_kernels *k, int64_t from, int64_t columns);

#endif
