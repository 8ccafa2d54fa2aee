/* SPDX-License-Identifier: GPL-3.0-or-later */
/* order.h: which rows make batch k of a run. */
#ifndef BARLOW_DATA_ORDER_H
#define BARLOW_DATA_ORDER_H

#include <stdint.h>

/* Rows 0..n-1 shuffled anew each epoch, a function of (seed, epoch).  What does not fill a batch is left out. */
typedef struct bl_row_order {
	uint64_t seed;
	int64_t n, steps;
	int batch;
	int64_t epoch; /* that rows is shuffled for, or -1 */
	int64_t *rows;
} bl_row_order;

int bl_order_init(bl_row_order *o, int64_t n, int batch, uint64_t seed);
void bl_order_clear(bl_row_order *o);
/* The `batch` rows of step `step` of the run; good until the next call. */
const int64_t *bl_order_rows(bl_row_order *o, int64_t step);

#endif
