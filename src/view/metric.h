/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/metric.h: the metrics that the curves can show, in the order of their list. */
#ifndef BARLOW_VIEW_METRIC_H
#define BARLOW_VIEW_METRIC_H

#include "view/scene.h"

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
/* Of what is shown: the points as a table, the smoothed ones as a picture. */
int bl_curves_save(bl_scene *s, const char *stem);

#endif
