/* SPDX-License-Identifier: GPL-3.0-or-later */
/* order.h: the rows of each batch of a run. */
#ifndef BARLOW_DATA_ORDER_H
#define BARLOW_DATA_ORDER_H

#include <stdint.h>

/*
 * The rows 0..n-1, shuffled for each epoch by (seed, epoch).  Rows behind the last whole batch of an epoch are not
 * used.
 */
typedef struct bl_row_order {
	uint64_t seed;
	int64_t n, steps;
	int batch;
	int64_t epoch; /* epoch for which rows is shuffled; -1: none */
	int64_t *rows;
} bl_row_order;

/* Negative with bl_error if there is no memory. */
int bl_order_init(bl_row_order *o, int64_t n, int batch, uint64_t seed);
void bl_order_clear(bl_row_order *o);
/* Returns the rows of the run's step `step`, counted from 0.  The array is valid until the next call. */
const int64_t *bl_order_rows(bl_row_order *o, int64_t step);

#endif
