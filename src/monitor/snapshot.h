/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snapshot.h (private): the parts of a snapshot, each filled in by a file of its own. */
#ifndef BARLOW_MONITOR_SNAPSHOT_H
#define BARLOW_MONITOR_SNAPSHOT_H

#include "monitor/monitor.h"

/*
 * correlation.c: pictures of C.  Means and the diagonal are of all elements.  How much the rest is made of, where C is too large
 * for the time there is:
 */
typedef struct bl_heat_effort {
	int64_t most;    /* for extremes: dims of a cell's run that are looked at, evenly spread; enough for a run: all of C */
	int64_t samples; /* for the rms: of the batch, whose pairs make Gram matrices; not used where all of C is made */
} bl_heat_effort;
/* What all of C needs, and about what an effort costs: multiply-adds. */
bl_heat_effort bl_heat_all(int64_t n, int64_t d);
double bl_heat_cost(bl_heat_effort e, int64_t n, int64_t d);

int bl_heat_grid(const bl_monitor_input *l, bl_heat_effort e, bl_snapshot *s);
int bl_heat_histogram(const bl_monitor_input *l, bl_snapshot *s);
/* asked as it can be had of d dims. */
bl_region bl_heat_clamp(const bl_region *asked, int32_t d);
/* After the grid.  The region in s->region, whose dims are taken from `order` (NULL: as they are). */
int bl_heat_region(const bl_monitor_input *l, const int32_t *order, bl_heat_effort e, bl_snapshot *s);

/* arrange.c: dims (D) in an order, 0 on success; not every width can be. */
bool bl_arrange_can(bl_order order, int64_t d);
int bl_arrange(const bl_monitor_input *l, bl_order order, int32_t *dims);

/* measures.c: of the embeddings. */
int bl_measure_dead(const bl_monitor_input *l, bl_snapshot *s);
int bl_measure_spectrum(const bl_monitor_input *l, bl_snapshot *s);
/* The `count` largest singular values of C, descending, 0 past the last. */
int bl_measure_singular(const bl_monitor_input *l, int count, float *out);

/* pair.c: one sample's two views; nothing where there is neither a view nor a source to draw from. */
int bl_pair_draw(const bl_monitor_input *l, const bl_source *source, bl_snapshot *s);

/* points.c: the encoder's features of some images, seen from their two widest sides. */
typedef struct bl_points bl_points;
bl_points *bl_points_new(const bl_source *source, int64_t most);
void bl_points_free(bl_points *p);
int bl_points_fill(const bl_points *p, const bl_monitor_input *l, bl_snapshot *s);

#endif
