/* SPDX-License-Identifier: GPL-3.0-or-later */
/* curves_panes.c: the lines of the curves, and which of them share a pane. */
#include "view/curves.h"
#include "view/metric.h"

bl_curves *bl_curves_of(const bl_scene *s)
{
	return s->own[BL_SCOPE_CURVES];
}

/* Does column m belong in the pane p, with other columns of the loss?  With several runs, each column has its own pane. */
static bool joins(const bl_curves *v, const bl_curves_pane *p, int m)
{
	return v->tracks == 1 && p->n > 0 && bl_metric_of_loss(&v->columns, m) && bl_metric_of_loss(&v->columns, p->list[0]);
}

/* The column is found by its name, since runs with other losses have other columns. */
int bl_curves_line(const bl_curves *v, const bl_track *t, int column, bool smooth, const double **x, const double **y)
{
	int place = bl_columns_find(&t->h.columns, v->columns.column[column].name);
	return place >= 0 ? bl_track_line(t, place, smooth, x, y) : 0;
}

/* Does any run have a value of the column?  Otherwise it gets no pane. */
static bool has_points(const bl_curves *v, int m)
{
	const double *x, *y;
	int n = 0;
	for (int k = 0; k < v->tracks; k++)
		n += bl_curves_line(v, &v->track[k], m, false, &x, &y);
	return n > 0;
}

int bl_curves_panes(const bl_curves *v, bl_curves_pane panes[BL_COLUMNS_MAX])
{
	int n = 0;
	for (int i = 0; i < v->lines; i++) {
		int m = v->list[i];
		if (!bl_curves_shows(v, m) || !has_points(v, m))
			continue;
		if (n == 0 || !joins(v, &panes[n - 1], m))
			panes[n++] = (bl_curves_pane){ .n = 0 };
		bl_curves_pane *p = &panes[n - 1];
		p->list[p->n++] = m;
	}
	return n;
}
