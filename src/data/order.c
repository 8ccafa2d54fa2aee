/* SPDX-License-Identifier: GPL-3.0-or-later */
/* order.c: the shuffled order of an epoch. */
#include "data/order.h"

#include <barlow/error.h>
#include <barlow/random.h>

#include <inttypes.h>
#include <stdlib.h>

int bl_order_init(bl_row_order *o, int64_t n, int batch, uint64_t seed)
{
	*o = (bl_row_order){ .seed = seed, .n = n, .steps = n / batch, .batch = batch, .epoch = -1 };
	o->rows = malloc((size_t)n * sizeof *o->rows);
	return o->rows ? 0 : bl_fail("no memory for the order of %" PRId64 " images", n);
}

void bl_order_clear(bl_row_order *o)
{
	free(o->rows);
	o->rows = NULL;
}

static void shuffle(bl_row_order *o, int64_t epoch)
{
	bl_rng r;
	for (int64_t i = 0; i < o->n; i++)
		o->rows[i] = i;
	bl_rng_init(&r, o->seed, (uint32_t)epoch, 0, BL_STREAM_SHUFFLE);
	bl_rng_shuffle(&r, o->rows, o->n);
	o->epoch = epoch;
}

const int64_t *bl_order_rows(bl_row_order *o, int64_t step)
{
	if (o->epoch != step / o->steps)
		shuffle(o, step / o->steps);
	return o->rows + step % o->steps * o->batch;
}
