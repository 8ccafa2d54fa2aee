/* SPDX-License-Identifier: GPL-3.0-or-later */
/* curves_save.c: saves the curves on the screen: a table of their points, and a picture with the same panes. */
#include "view/export.h"
#include "view/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LABEL = 96, LINES = BL_CURVES_RUNS * BL_COLUMNS_MAX };

/* --- Table ---------------------------------------------------------------- */

/* Writes a line per point of each metric that is shown. */
static void write_track(FILE *f, const bl_track *t, const bl_curves *v)
{
	for (int line = 0; line < v->lines; line++) {
		const double *x, *y, *smooth;
		int m = v->list[line], n = bl_curves_line(v, t, m, true, &x, &smooth);
		bl_curves_line(v, t, m, false, &x, &y);
		for (int i = 0; i < n && bl_curves_shows(v, m); i++) {
			bl_export_field(f, t->name);
			fprintf(f, ",%s,%.9g,%.9g,%.9g\n", v->columns.column[m].name, x[i], y[i], smooth[i]);
		}
	}
}

static void write_tracks(const bl_scene *s, FILE *f)
{
	const bl_curves *v = bl_curves_of(s);
	fprintf(f, "run,metric,step,value,smoothed\n");
	for (int k = 0; k < v->tracks; k++)
		write_track(f, &v->track[k], v);
}

/* --- Picture -------------------------------------------------------------- */

/* The picture's panels, one for each pane, and the series that they point to. */
struct picture {
	bl_curves_pane pane[BL_COLUMNS_MAX];
	bl_panel panel[BL_COLUMNS_MAX];
	bl_series series[LINES];
	char label[LINES][LABEL];
	int panels, lines;
};

static void add_line(struct picture *p, const bl_curves *v, const bl_track *t, int m)
{
	bl_series *s = &p->series[p->lines];
	s->n = bl_curves_line(v, t, m, true, &s->x, &s->y);
	if (s->n == 0)
		return;
	snprintf(p->label[p->lines], LABEL, "%s", v->tracks > 1 ? t->name : bl_column_label(&v->columns.column[m]));
	s->label = p->label[p->lines++];
}

static bool wants_log(const bl_panel *p, bl_axis axis)
{
	double least = INFINITY, most = -INFINITY;
	for (int k = 0; k < p->n; k++)
		for (int64_t i = 0; i < p->series[k].n; i++) {
			least = fmin(least, p->series[k].y[i]);
			most = fmax(most, p->series[k].y[i]);
		}
	bool wide = most > BL_CHART_LOG_RATIO * least;
	return least > 0 && (axis == BL_AXIS_LOG || (axis == BL_AXIS_AUTO && wide));
}

static void add_panel(struct picture *p, const bl_scene *s, const bl_curves_pane *pane)
{
	const bl_curves *v = bl_curves_of(s);
	bl_panel *panel = &p->panel[p->panels++];
	int first = p->lines;
	for (int i = 0; i < pane->n; i++)
		for (int k = 0; k < v->tracks; k++)
			add_line(p, v, &v->track[k], pane->list[i]);
	*panel = (bl_panel){ .series = p->series + first, .n = p->lines - first };
	panel->axes = (bl_axes){ .title = p->panels == 1 ? s->info.name : "", .xlabel = "step", .logx = v->log_x };
	panel->axes.ylabel = pane->n > 1 ? "loss" : bl_column_label(&v->columns.column[pane->list[0]]);
	panel->axes.logy = wants_log(panel, v->axis);
}

int bl_curves_save(bl_scene *s, const char *stem)
{
	struct picture *p = calloc(1, sizeof *p);
	if (!p)
		return bl_fail("no memory for the lines");
	int panes = bl_curves_panes(bl_curves_of(s), p->pane), rc = bl_export_table(s, stem, write_tracks);
	for (int i = 0; i < panes; i++)
		add_panel(p, s, &p->pane[i]);
	bl_figure *f = panes ? bl_figure_panels(p->panel, panes) : bl_fail_null("nothing is shown");
	if (rc == 0)
		bl_export_picture(s, f, stem);
	bl_figure_free(f);
	free(p);
	return rc;
}
