/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/curves.h: the state of the curves view. */
#ifndef BARLOW_VIEW_CURVES_H
#define BARLOW_VIEW_CURVES_H

#include "view/chart.h"
#include "view/scene.h"
#include "view/track.h"

enum { BL_CURVES_RUNS = 9 }; /* the run on the screen, and the marked runs */

typedef struct bl_curves {
	bl_track track[BL_CURVES_RUNS];
	int tracks;
	bl_columns columns;              /* the first run's columns, which the list shows */
	int lines, list[BL_COLUMNS_MAX]; /* the list: columns of the records */
	uint64_t shown;                  /* a bit per column */
	int at;                          /* the selected line of the list */
	double smoothing;                /* smoothing weight of past values, 0: none */
	int64_t from, to;                /* the range of steps; to = 0: all from `from` on */
	int64_t cursor;                  /* a step; 0: the newest */
	bl_axis axis;
	bool log_x;
} bl_curves;

bl_curves *bl_curves_of(const bl_scene *s);
void bl_curves_turn_smoothing(bl_curves *c, int by); /* sets the next larger (by 1) or smaller (-1) of a few weights */

#endif
