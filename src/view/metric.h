/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/metric.h: the order, colours and names of a run's columns on the screen. */
#ifndef BARLOW_VIEW_METRIC_H
#define BARLOW_VIEW_METRIC_H

#include "view/curves.h"

enum { BL_LABEL_BYTES = 40 };

/* Fills in the columns that curves can show, in the order of display: the loss first.  Returns their number. */
int bl_metric_list(const bl_columns *c, int list[BL_COLUMNS_MAX]);
/* Is the column shown when the screen opens? */
bool bl_metric_at_first(const bl_columns *c, int column);
/* Does the column belong to the chart of the loss: total, its parts, floor? */
bool bl_metric_of_loss(const bl_columns *c, int column);
bl_paint bl_metric_paint(const bl_columns *c, int column);
/*
 * A label in the canvas's character set.  Without UTF-8, a label that is only the letter lambda becomes "lambda", and
 * the letter in a product becomes the argument `lambda`.
 */
const char *bl_metric_text(const bl_canvas *c, const char *label, const char *lambda, char out[BL_LABEL_BYTES]);
const char *bl_metric_name(const bl_canvas *c, const bl_column *column, char out[BL_LABEL_BYTES]);
/* The line of a column, still without points, labelled `text`. */
bl_line bl_metric_line(const bl_columns *c, int column, const char *text);

bool bl_curves_shows(const bl_curves *v, int column);
/* Content of a chart, indices into the first run's columns: the parts of one run's loss, or one column of all runs. */
typedef struct bl_curves_pane {
	int n, list[BL_COLUMNS_MAX];
} bl_curves_pane;
/* Fills in the panes of the columns that are shown and have points; returns their number. */
int bl_curves_panes(const bl_curves *v, bl_curves_pane panes[BL_COLUMNS_MAX]);
/* The points of the first run's column in the records of another run; returns 0 if that run has no such column. */
int bl_curves_line(const bl_curves *v, const bl_track *t, int column, bool smooth, const double **x, const double **y);
/* Saves what is shown: the points as a table, the smoothed points as a picture. */
int bl_curves_save(bl_scene *s, const char *stem);

#endif
