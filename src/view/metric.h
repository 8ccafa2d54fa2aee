/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/metric.h: the metrics that the curves can show, in the order of their list. */
#ifndef BARLOW_VIEW_METRIC_H
#define BARLOW_VIEW_METRIC_H

#include "view/curves.h"

typedef struct bl_metric {
	int metric;
	const char *name, *ascii;
	char mark; /* as in bl_line, like dash */
	int dash;
	bl_paint paint;
	bool term; /* of the loss: these share a pane */
} bl_metric;

enum { BL_METRICS_LISTED = 10, BL_METRICS_AT_FIRST = 0x1f /* a bit each */ };
extern const bl_metric bl_metrics[BL_METRICS_LISTED];

const char *bl_metric_name(const bl_canvas *c, int m);
bool bl_curves_shows(const bl_curves *v, int m);
/* What goes into one chart: the loss's terms of one run, or one metric of all runs; by their places in the list. */
typedef struct bl_curves_pane {
	int n, list[BL_METRICS_LISTED];
} bl_curves_pane;
/* Of what is shown and has points; returns how many. */
int bl_curves_panes(const bl_curves *v, bl_curves_pane panes[BL_METRICS_LISTED]);
/* Of what is shown: the points as a table, the smoothed ones as a picture. */
int bl_curves_save(bl_scene *s, const char *stem);

#endif
