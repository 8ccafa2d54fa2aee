/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The curves that are shown as files: a table of their points, and a picture of all of them on one pair of axes. */
#include "view/export.h"
#include "view/metric.h"

#include <barlow/file.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH = 160, LABEL = 96, LINES = BL_CURVES_RUNS * BL_METRICS_LISTED };

/* --- Table ---------------------------------------------------------------- */

/* A field of a table: names come from files of others. */
static void write_name(FILE *f, const char *name)
{
	fputc('"', f);
	for (; *name; name++)
		fputs(*name == '"' ? "\"\"" : (char[]){*name, '\0'}, f);
	fputc('"', f);
}

static void write_track(FILE *f, const bl_track *t, const bl_curves *v)
{
	for (int m = 0; m < BL_METRICS_LISTED; m++) {
		const double *x, *y, *smooth;
		int n = bl_track_line(t, bl_metrics[m].metric, true, &x, &smooth);
		bl_track_line(t, bl_metrics[m].metric, false, &x, &y);
		for (int i = 0; i < n && bl_curves_shows(v, m); i++) {
			write_name(f, t->name);
			fprintf(f, ",%s,%.9g,%.9g,%.9g\n", bl_metrics[m].ascii, x[i], y[i], smooth[i]);
		}
	}
}

static int save_table(const bl_curves *v, const char *path)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f)
		return bl_fail("no memory for the numbers");
	fprintf(f, "run,metric,step,value,smoothed\n");
	for (int k = 0; k < v->tracks; k++)
		write_track(f, &v->track[k], v);
	int rc = fclose(f) != 0 ? bl_fail("no memory for the numbers") : bl_file_write_atomic(path, text, n);
	free(text);
	return rc;
}

/* --- Picture -------------------------------------------------------------- */

struct lines {
	bl_series series[LINES];
	char label[LINES][LABEL];
	int n;
	double least, most;
};

static void add_line(struct lines *l, const bl_curves *v, const bl_track *t, int m)
{
	bl_series *s = &l->series[l->n];
	s->n = bl_track_line(t, bl_metrics[m].metric, true, &s->x, &s->y);
	if (s->n == 0)
		return;
	const char *name = bl_metrics[m].name, *run = v->tracks > 1 ? t->name : "";
	snprintf(l->label[l->n], LABEL, "%s%s%s", name, *run ? ", " : "", run);
	s->label = l->label[l->n++];
	for (int64_t i = 0; i < s->n; i++) {
		l->least = fmin(l->least, s->y[i]);
		l->most = fmax(l->most, s->y[i]);
	}
}

static bool wants_log(const struct lines *l, bl_axis axis)
{
	bool wide = l->most > BL_CHART_LOG_RATIO * l->least;
	return l->least > 0 && (axis == BL_AXIS_LOG || (axis == BL_AXIS_AUTO && wide));
}

static int save_picture(const bl_scene *s, const char *stem)
{
	const bl_curves *v = &s->curves;
	struct lines *l = calloc(1, sizeof *l);
	if (!l)
		return bl_fail("no memory for the lines");
	l->least = INFINITY;
	l->most = -INFINITY;
	for (int m = 0; m < BL_METRICS_LISTED; m++)
		for (int k = 0; k < v->tracks && bl_curves_shows(v, m); k++)
			add_line(l, v, &v->track[k], m);
	bl_axes axes = {.title = s->info.name, .xlabel = "step", .logx = v->log_x, .logy = wants_log(l, v->axis)};
	bl_figure *f = l->n ? bl_figure_lines(l->series, l->n, &axes) : bl_fail_null("nothing is shown");
	int rc = bl_export_figure(f, stem);
	bl_figure_free(f);
	free(l);
	return rc;
}

/* Numbers first: they need no other program. */
int bl_curves_save(bl_scene *s, const char *stem)
{
	char path[PATH];
	snprintf(path, sizeof path, "%s.csv", stem);
	if (save_table(&s->curves, path) < 0)
		return -1;
	if (save_picture(s, stem) == 0)
		bl_scene_notice(s, "%s.png, .svg, .csv", stem);
	else
		bl_scene_notice(s, "%s; no picture: %s", path, bl_error());
	return 0;
}
