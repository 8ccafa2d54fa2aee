/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snapshot.h (private): the parts of a snapshot, each filled in by a file of its own. */
#ifndef BARLOW_MONITOR_SNAPSHOT_H
#define BARLOW_MONITOR_SNAPSHOT_H

#include "monitor/monitor.h"

/*
 * heat.c: pictures of C.  Means and the diagonal are of all elements; for extremes `most` is how many dims of a
 * cell's run are looked at, evenly spread; all of them where a run has fewer than most + 1.
 */
int bl_heat_grid(const bl_look *l, int64_t most, bl_snapshot *s);
int bl_heat_histogram(const bl_look *l, bl_snapshot *s);
/* asked as it can be had of d dims. */
bl_region bl_heat_clamp(const bl_region *asked, int32_t d);
/* After the grid.  The region in s->region, whose dims are taken from `order` (NULL: as they are). */
int bl_heat_region(const bl_look *l, const int32_t *order, int64_t most, bl_snapshot *s);

/* arrange.c: dims (D) in an order, 0 on success; not every width can be. */
bool bl_arrange_can(bl_order order, int64_t d);
int bl_arrange(const bl_look *l, bl_order order, int32_t *dims);

/* measures.c: of the embeddings. */
int bl_measure_dead(const bl_look *l, bl_snapshot *s);
int bl_measure_spectrum(const bl_look *l, bl_snapshot *s);
/* The `count` largest singular values of C, descending, 0 past the last. */
int bl_measure_singular(const bl_look *l, int count, float *out);

/* pair.c: one sample's two views; nothing where there is neither a view nor a source to draw from. */
int bl_pair_draw(const bl_look *l, const bl_source *source, bl_snapshot *s);

/* points.c: the encoder's features of rows held out, seen from their two widest sides. */
typedef struct bl_points bl_points;
bl_points *bl_points_new(const bl_source *source, int64_t most);
void bl_points_free(bl_points *p);
int bl_points_fill(const bl_points *p, const bl_look *l, bl_snapshot *s);

#endif
