/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/curves.h: what the curves view remembers between frames. */
#ifndef BARLOW_VIEW_CURVES_H
#define BARLOW_VIEW_CURVES_H

#include "view/chart.h"
#include "view/scene.h"
#include "view/track.h"

enum { BL_CURVES_RUNS = 9 }; /* the run that is watched, and those marked to compare with */

typedef struct bl_curves {
	bl_track track[BL_CURVES_RUNS];
	int tracks;
	bl_columns columns;              /* of the first run: what the list shows */
	int lines, list[BL_COLUMNS_MAX]; /* of the list: columns */
	uint64_t shown;                  /* a bit per column */
	int at;                          /* the line of the list under the bar */
	double smoothing;                /* weight of the past, 0: none */
	int64_t from, to;                /* steps; to 0: all there are from `from` on */
	int64_t cursor;                  /* step; 0: the newest */
	bl_axis axis;
	bool log_x;
} bl_curves;

bl_curves *bl_curves_of(const bl_scene *s);
void bl_curves_turn_smoothing(bl_curves *c, int by); /* to the next usual weight, up or down */

#endif
