/* SPDX-License-Identifier: GPL-3.0-or-later */
/* winograd_job.h (private to winograd*.c): a convolution or data gradient by Winograd's algorithm. */
#ifndef BARLOW_TENSOR_WINOGRAD_WINOGRAD_JOB_H
#define BARLOW_TENSOR_WINOGRAD_WINOGRAD_JOB_H

#include "tensor/winograd/winograd_filters.h"
#include "tensor/winograd/winograd_tiles.h"

typedef struct bl_winograd_job {
	bl_winograd_filters filters;
	bl_tiles in, out;
	int64_t columns, tiles;
	bool add;
} bl_winograd_job;

/* 0, or -1: no memory. */
int bl_winograd_run_columns(const bl_winograd_job *j);

#endif
