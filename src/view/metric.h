/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/metric.h: how the columns of a run's records look on the screen: in which order, in which colour, by which name. */
#ifndef BARLOW_VIEW_METRIC_H
#define BARLOW_VIEW_METRIC_H

#include "view/curves.h"

enum { BL_LABEL_BYTES = 40 };

/* The columns that curves can show, in the order of their list: the loss first.  Returns how many. */
int bl_metric_list(const bl_columns *c, int list[BL_COLUMNS_MAX]);
/* Is the column shown at first? */
bool bl_metric_at_first(const bl_columns *c, int column);
/* Does it go into the one chart of the loss: total, what it is made of, floor? */
bool bl_metric_of_loss(const bl_columns *c, int column);
bl_paint bl_metric_paint(const bl_columns *c, int column);
/* A label as the canvas can show it: without UTF-8 "\xce\xbb" alone is "lambda", and `lambda` in a product. */
const char *bl_metric_text(const bl_canvas *c, const char *label, const char *lambda, char out[BL_LABEL_BYTES]);
const char *bl_metric_name(const bl_canvas *c, const bl_column *column, char out[BL_LABEL_BYTES]);
/* The line of a column, without points; its label is text. */
bl_line bl_metric_line(const bl_columns *c, int column, const char *text);

bool bl_curves_shows(const bl_curves *v, int column);
/* What goes into one chart: the loss's parts of one run, or one column of all runs; places in the first run's columns. */
typedef struct bl_curves_pane {
	int n, list[BL_COLUMNS_MAX];
} bl_curves_pane;
/* Of what is shown and has points; returns how many. */
int bl_curves_panes(const bl_curves *v, bl_curves_pane panes[BL_COLUMNS_MAX]);
/* The points of a column of the first run's in another's records; none where that has no such column. */
int bl_curves_line(const bl_curves *v, const bl_track *t, int column, bool smooth, const double **x, const double **y);
/* Of what is shown: the points as a table, the smoothed ones as a picture. */
int bl_curves_save(bl_scene *s, const char *stem);

#endif
