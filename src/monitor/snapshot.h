/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snapshot.h (private): the parts of a snapshot, each filled in by a file of its own. */
#ifndef BARLOW_MONITOR_SNAPSHOT_H
#define BARLOW_MONITOR_SNAPSHOT_H

#include "monitor/monitor.h"

/*
 * correlation.c: pictures of C.  Means and the diagonal are computed from all elements.  If C is too large for the
 * budget, an effort states what the other values are computed from.
 */
typedef struct bl_heat_effort {
	int64_t most;    /* for extremes: number of dims used of each cell, evenly spread; if these are all, all of C is computed */
	int64_t samples; /* for the rms: rows of the batch, whose pairs are used; ignored if all of C is computed */
} bl_heat_effort;
/* bl_heat_all: the effort of all of C; bl_heat_cost: the approximate number of multiply-adds of an effort. */
bl_heat_effort bl_heat_all(int64_t n, int64_t d);
double bl_heat_cost(bl_heat_effort e, int64_t n, int64_t d);

/* Compute the picture of the whole C, and the histogram of a sample of its elements.  Negative with bl_error. */
int bl_heat_grid(const bl_monitor_input *l, bl_heat_effort e, bl_snapshot *s);
int bl_heat_histogram(const bl_monitor_input *l, bl_snapshot *s);
/* Returns the request `asked`, limited to what is possible with d dims. */
bl_region bl_heat_clamp(const bl_region *asked, int32_t d);
/*
 * Computes the region s->region, after bl_heat_grid.  `order` lists the dims in the region's order (NULL: unchanged).
 */
int bl_heat_region(const bl_monitor_input *l, const int32_t *order, bl_heat_effort e, bl_snapshot *s);

/*
 * arrange.c: bl_arrange_can: can d dims be sorted in this order?  bl_arrange writes the sorted dims (D) to dims;
 * negative with bl_error.
 */
bool bl_arrange_can(bl_order order, int64_t d);
int bl_arrange(const bl_monitor_input *l, bl_order order, int32_t *dims);

/* measures.c: measure the embeddings.  Negative with bl_error. */
int bl_measure_dead(const bl_monitor_input *l, bl_snapshot *s);
int bl_measure_spectrum(const bl_monitor_input *l, bl_snapshot *s);
/* Writes the `count` largest singular values of C to out, descending; those beyond the first min(N,D) are 0. */
int bl_measure_singular(const bl_monitor_input *l, int count, float *out);

/*
 * pair.c: draws the views of one sample; there are none if the input has no views and source is NULL.  Negative with
 * bl_error.
 */
int bl_pair_draw(const bl_monitor_input *l, const bl_source *source, bl_snapshot *s);

/*
 * points.c: the first two principal components of the encoder's features of at most `most` images.  NULL or negative
 * with bl_error.
 */
typedef struct bl_points bl_points;
bl_points *bl_points_new(const bl_source *source, int64_t most);
void bl_points_free(bl_points *p);
int bl_points_fill(const bl_points *p, const bl_monitor_input *l, bl_snapshot *s);

#endif
