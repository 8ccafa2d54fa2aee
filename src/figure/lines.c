/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any series as lines or points, on linear or log axes, in one panel or some. */
#include "figure/script.h"

#include <barlow/text.h>

#include <float.h>
#include <math.h>
#include <stdio.h>

enum { WIDTH = 1000, HEIGHT = 680, PANEL_HEIGHT = 400, MARKERS_UP_TO = 40, MAX_SERIES = 64, MAX_PANELS = 16,
       KEY_ABOVE_UP_TO = 6, LABEL_TEXT = 64 };

static void add_text(bl_script *s, const char *what, const char *text)
{
	bl_script_add(s, "set %s ", what);
	bl_script_quoted(s, text);
	bl_script_add(s, "\n");
}

/* Can it be drawn: numbers on a linear axis, numbers above 0 on a logarithmic one? */
static bool drawable(double v, bool log)
{
	return fabs(v) < BL_SCRIPT_MOST && (!log || v >= DBL_MIN);
}

/* What a logarithmic axis has to show of one coordinate of all series: values above 0.  hi < lo: there are none. */
static void find_range(const bl_panel *p, bool x, double *lo, double *hi)
{
	*lo = INFINITY;
	*hi = 0;
	for (int k = 0; k < p->n; k++) {
		const double *v = x ? p->series[k].x : p->series[k].y;
		for (int64_t i = 0; i < p->series[k].n; i++)
			if (drawable(v[i], true)) {
				*lo = fmin(*lo, v[i]);
				*hi = fmax(*hi, v[i]);
			}
	}
}

static void add_log_axis(bl_script *s, const bl_panel *p, char axis)
{
	double lo, hi;
	find_range(p, axis == 'x', &lo, &hi);
	bl_script_log_axis(s, axis, lo, hi);
}

/* All is said anew, as a panel before may have said otherwise. */
static void add_axes(bl_script *s, const bl_panel *p)
{
	const bl_axes *axes = &p->axes;
	add_text(s, "title", axes->title);
	add_text(s, "xlabel", axes->xlabel);
	add_text(s, "ylabel", axes->ylabel);
	bl_script_add(s, "unset logscale\nset autoscale\nset autoscale xfix\nset xtics autofreq\nset ytics autofreq\n"
			 "set format '%%g'\nset size %s\n",
		      axes->equal ? "ratio -1" : "noratio");
	if (axes->logx)
		add_log_axis(s, p, 'x');
	if (axes->logy)
		add_log_axis(s, p, 'y');
	bl_script_add(s, "set key outside %s reverse Left\n",
		      p->n <= KEY_ABOVE_UP_TO && !axes->points ? "center top horizontal" : "right top vertical");
}

/* Solid in every terminal of gnuplot: circles, and squares and triangles where inks come round again. */
static int mark_of(int k)
{
	static const int marks[] = { 7, 5, 9, 11, 13 };
	return marks[k / BL_INKS % (int)(sizeof marks / sizeof *marks)];
}

static const char *style_of(const bl_series *series, const bl_axes *axes)
{
	if (series->low && series->high)
		return axes->points ? "yerrorbars" : "yerrorlines";
	return axes->points ? "points" : series->n <= MARKERS_UP_TO ? "linespoints" : "lines";
}

/* Few points are marked, so that one sees where something was measured. */
static void add_line(bl_script *s, const bl_series *series, const bl_axes *axes, int block, int k)
{
	bl_script_add(s, "%s$S%d with %s linecolor rgb '%s' linewidth 2 pointtype %d pointsize .7 dashtype %d ",
		      k ? ", " : "", block, style_of(series, axes),
		      bl_ink_text(k), mark_of(k), 1 + k / BL_INKS % 5);
	if (series->label && *series->label) {
		bl_script_add(s, "title ");
		bl_script_quoted(s, series->label);
	} else {
		bl_script_add(s, "notitle");
	}
}

static int check_series(const bl_series *s, int k, const bl_axes *axes)
{
	int64_t i = 0;
	while (i < s->n && !(drawable(s->x[i], axes->logx) && drawable(s->y[i], axes->logy)))
		i++;
	if (i < s->n || s->n == 0)
		return 0;
	char label[LABEL_TEXT];
	bl_text_clean(label, sizeof label, s->label ? s->label : "", false);
	return bl_fail("series %d%s%s%s has no point that can be drawn: %s", k + 1, *label ? " ('" : "", label, *label ? "')" : "",
	               axes->logx || axes->logy ? "a logarithmic axis shows finite numbers above 0 only"
	                                        : "all its values are NaN, infinite or beyond 1e300");
}

static int check_panel(const bl_panel *p)
{
	int64_t points = 0;
	for (int k = 0; k < p->n; k++)
		points += p->series[k].n;
	if (p->n < 1 || p->n > MAX_SERIES || points == 0)
		return bl_fail("a figure of lines takes 1 to %d series with points in them, not %d with %lld points", MAX_SERIES,
			       p->n, (long long)points);
	for (int k = 0; k < p->n; k++)
		if (check_series(&p->series[k], k, &p->axes) < 0)
			return -1;
	return 0;
}

static void add_blocks(bl_script *s, const bl_panel *p, int *block)
{
	char name[16];
	for (int k = 0; k < p->n; k++) {
		snprintf(name, sizeof name, "S%d", (*block)++);
		const bl_series *of = &p->series[k];
		bl_script_block(s, name, (const double *const[]){ of->x, of->y, of->low, of->high }, of->low && of->high ? 4 : 2, of->n);
	}
}

static void add_panel(bl_script *s, const bl_panel *p, int *block)
{
	add_axes(s, p);
	bl_script_add(s, "plot ");
	for (int k = 0; k < p->n; k++)
		add_line(s, &p->series[k], &p->axes, (*block)++, k);
	bl_script_add(s, "\n");
}

bl_figure *bl_figure_panels(const bl_panel *p, int n)
{
	int stored = 0, drawn = 0;
	if (n < 1 || n > MAX_PANELS)
		return bl_fail_null("a figure takes 1 to %d panels, not %d", MAX_PANELS, n);
	for (int i = 0; i < n; i++)
		if (check_panel(&p[i]) != 0)
			return NULL;
	bl_script *s = bl_script_new(WIDTH, n > 1 ? n * PANEL_HEIGHT : HEIGHT);
	if (!s)
		return NULL;
	for (int i = 0; i < n; i++)
		add_blocks(s, &p[i], &stored);
	if (n > 1)
		bl_script_add(s, "set multiplot layout %d,1\nset lmargin 11\n", n);
	for (int i = 0; i < n; i++)
		add_panel(s, &p[i], &drawn);
	if (n > 1)
		bl_script_add(s, "unset multiplot\n");
	return bl_script_figure(s);
}

bl_figure *bl_figure_lines(const bl_series *series, int n, const bl_axes *axes)
{
	return bl_figure_panels(&(bl_panel){series, n, *axes}, 1);
}
