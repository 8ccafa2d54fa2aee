/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any series as lines or points, on linear or log axes, in one panel or some. */
#include "figure/figure.h"

#include <barlow/text.h>

#include <float.h>
#include <math.h>
#include <stdio.h>

enum { MARKERS_UP_TO = 40, LABEL_TEXT = 64, TITLE_LINES = 2, SIDE_KEY_COLUMNS = 16, NAME_COLUMNS = 28 };
#define KEY_SAMPLE .42 /* inches that a label's line and its distance to the next take */

/* Can it be drawn: numbers on a linear axis, numbers above 0 on a logarithmic one? */
static bool drawable(double v, bool log)
{
	return fabs(v) < BL_SCRIPT_MOST && (!log || v >= DBL_MIN);
}

int bl_series_check(const bl_series *s, int k, const bl_axes *axes)
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

/* --- Room ---------------------------------------------------------------------------- */

static int label_columns(const bl_panel *p)
{
	int most = 0;
	for (int k = 0; k < p->n; k++) {
		int n = 0;
		for (const char *c = p->series[k].label; *c; n++)
			bl_text_next(&c);
		most = n > most ? n : most;
	}
	return most;
}

static int labelled(const bl_panel *p)
{
	int n = 0;
	for (int k = 0; k < p->n; k++)
		n += p->series[k].label[0] != '\0';
	return n;
}

/* Many short names of points stand on the right where there is room. */
static bool key_beside(const bl_panel *p, const bl_figure_look *look)
{
	return p->axes.points && !p->axes.named && !look->column && label_columns(p) <= SIDE_KEY_COLUMNS && labelled(p) <= 20;
}

static double key_inches(const bl_panel *p, const bl_figure_look *look)
{
	return fmin(label_columns(p) * .52 * look->font / 72 + KEY_SAMPLE, look->width - .6);
}

/* Labels beside each other above the panel. */
static int key_columns(const bl_panel *p, const bl_figure_look *look)
{
	int most = (int)((look->width - .6) / key_inches(p, look)), n = labelled(p);
	return most < 1 ? 1 : most > n ? (n > 0 ? n : 1) : most;
}

static int key_rows(const bl_panel *p, const bl_figure_look *look)
{
	int per = key_columns(p, look);
	return key_beside(p, look) ? 0 : (labelled(p) + per - 1) / per;
}

static double panel_height(const bl_figure *f, int i, const bl_figure_look *look)
{
	const bl_panel *p = &f->panel[i];
	double line = bl_look_line(look), base = look->column ? 2.1 : 3.2;
	if (f->panels > 1)
		base = look->column ? i ? 1.4 : 1.9 : i ? 1.7 : 2.7;
	if (p->axes.equal)
		base = look->column ? 2.9 : 5;
	if (p->axes.named)
		base = .8 + line * 1.3 * (p->axes.named + 2);
	return base + line * (key_rows(p, look) + bl_look_lines(look, p->axes.title, look->width - .3, TITLE_LINES));
}

double bl_panels_height(const bl_figure *f, const bl_figure_look *look)
{
	double sum = 0;
	for (int i = 0; i < f->panels; i++)
		sum += panel_height(f, i, look);
	return sum;
}

/* --- Axes ---------------------------------------------------------------------------- */

static void add_text(bl_script *s, const char *what, const char *text, double inches, int lines)
{
	bl_script_add(s, "set %s ", what);
	bl_script_fitted(s, text, inches, lines);
	bl_script_add(s, "\n");
}

static void add_key(bl_script *s, const bl_panel *p)
{
	const bl_figure_look *look = bl_script_look(s);
	if (labelled(p) == 0)
		bl_script_add(s, "set key off\n");
	else if (key_beside(p, look))
		bl_script_add(s, "set key on outside right top vertical reverse Left\n");
	else
		bl_script_add(s, "set key on outside center top horizontal reverse Left maxcols %d\n", key_columns(p, look));
}

static double names_inches(const bl_script *s, const bl_axes *a)
{
	int most = 0;
	for (int i = 0; i < a->named; i++) {
		int n = 0;
		for (const char *c = a->names[i]; *c && n < NAME_COLUMNS; n++)
			bl_text_next(&c);
		most = n > most ? n : most;
	}
	return most * .52 * bl_script_look(s)->font / 72;
}

/* Rows with a name each, the first on top. */
static void add_names(bl_script *s, const bl_axes *a)
{
	bl_script_add(s, "set yrange [%d.5:0.5]\nset mytics 1\nset ytics scale 0 (", a->named);
	for (int i = 0; i < a->named; i++) {
		bl_script_add(s, i ? ", " : "");
		bl_script_fitted(s, a->names[i], NAME_COLUMNS * .52 * bl_script_look(s)->font / 72, 1);
		bl_script_add(s, " %d", i + 1);
	}
	bl_script_add(s, ")\n");
}

/* Of the panels below the first. */
static void add_few_tics(bl_script *s, const bl_panel *p)
{
	double lo = INFINITY, hi = -INFINITY;
	for (int k = 0; k < p->n; k++)
		for (int64_t i = 0; i < p->series[k].n; i++)
			if (drawable(p->series[k].y[i], false)) {
				lo = fmin(lo, p->series[k].y[i]);
				hi = fmax(hi, p->series[k].y[i]);
			}
	bl_script_few_tics(s, 'y', lo, hi);
}

static void add_ranges(bl_script *s, const bl_panel *p)
{
	const bl_axes *a = &p->axes;
	if (a->logx)
		add_log_axis(s, p, 'x');
	if (a->logy)
		add_log_axis(s, p, 'y');
	if (a->to > a->from)
		bl_script_add(s, "set xrange [%.9g:%.9g]\n", a->from, a->to);
	if (a->high > a->low)
		bl_script_add(s, "set yrange [%.9g:%.9g]\n", a->low, a->high);
	if (a->named)
		add_names(s, a);
	/* So that no mark lies on an axis; on logarithmic ones their ranges have room. */
	bool x = !a->logx && !(a->to > a->from), y = !a->logy && !a->named && !(a->high > a->low);
	bl_script_add(s, "set offsets %s, %s, %s, %s\n", x ? "graph .02" : "0", x ? "graph .02" : "0", y ? "graph .05" : "0",
	              y ? "graph .05" : "0");
}

/* All is said anew, as a panel before may have said otherwise. */
static void add_axes(bl_script *s, const bl_panel *p, double height)
{
	const bl_axes *axes = &p->axes;
	double width = bl_script_look(s)->width;
	add_text(s, "title", axes->title, width - .3, TITLE_LINES);
	add_text(s, "xlabel", axes->xlabel, axes->named ? width - names_inches(s, axes) - .3 : width - .8,
	         axes->named ? TITLE_LINES : 1);
	add_text(s, "ylabel", axes->ylabel, height - .6, 1);
	bl_script_add(s,
	              "unset logscale\nset autoscale\nset autoscale fix\nset xtics autofreq\nset ytics autofreq scale .6, .35\n"
	              "set mxtics 2\nset mytics 2\nset format '%%g'\n");
	add_ranges(s, p);
	add_key(s, p);
}

/* --- Lines --------------------------------------------------------------------------- */

/* Solid in every terminal of gnuplot: circles, and squares and triangles where inks come round again. */
static int mark_of(int k)
{
	static const int marks[] = { 7, 5, 9, 11, 13 };
	return marks[k / BL_INKS % (int)(sizeof marks / sizeof *marks)];
}

static const char *style_of(const bl_series *series, const bl_axes *axes)
{
	bool marked = series->marks == BL_MARKS_ALL || (series->marks == BL_MARKS_OF_FEW && series->n <= MARKERS_UP_TO);
	if (series->low && series->high)
		return axes->across ? "xerrorbars" : axes->points ? "yerrorbars" : "yerrorlines";
	return axes->points && series->marks != BL_MARKS_NONE ? "points" : marked ? "linespoints" : "lines";
}

/* Few points are marked, so that one sees where something was measured. */
static void add_line(bl_script *s, const bl_series *series, const bl_axes *axes, int block, int k)
{
	int ink = series->ink ? series->ink - 1 : k;
	bl_script_add(s, "%s$S%d with %s linecolor rgb '%s' linewidth %s pointtype %d pointsize %s dashtype %d ", k ? ", " : "",
	              block, style_of(series, axes), bl_ink_text(ink), series->dashed ? "1" : "1.4", mark_of(ink),
	              axes->equal ? ".3" : ".45", series->dashed ? 2 : 1 + ink / BL_INKS % 5);
	if (*series->label) {
		bl_script_add(s, "title ");
		bl_script_fitted(s, series->label, bl_script_look(s)->width - .6 - KEY_SAMPLE, 1);
	} else {
		bl_script_add(s, "notitle");
	}
}

static void add_blocks(bl_script *s, const bl_panel *p, int *block)
{
	char name[16];
	for (int k = 0; k < p->n; k++) {
		snprintf(name, sizeof name, "S%d", (*block)++);
		const bl_series *of = &p->series[k];
		bl_script_block(s, name, (const double *const[]){ of->x, of->y, of->low, of->high }, of->low && of->high ? 4 : 2,
		                of->n);
	}
}

static void add_panel(bl_script *s, const bl_panel *p, int *block, double height, bool below)
{
	add_axes(s, p, height);
	if (below && !p->axes.logy)
		add_few_tics(s, p);
	bl_script_add(s, "plot ");
	for (int k = 0; k < p->n; k++)
		add_line(s, &p->series[k], &p->axes, (*block)++, k);
	bl_script_add(s, "\n");
}

/* Panels lie below each other, in parts of the whole height. */
void bl_panels_draw(bl_script *s, const bl_figure *f)
{
	const bl_figure_look *look = bl_script_look(s);
	double whole = bl_panels_height(f, look), left = 1;
	int stored = 0, drawn = 0;
	for (int i = 0; i < f->panels; i++)
		add_blocks(s, &f->panel[i], &stored);
	if (f->panels > 1)
		bl_script_add(s, "set lmargin 9\nset rmargin 2\nset multiplot\n");
	for (int i = 0; i < f->panels; i++) {
		double height = panel_height(f, i, look);
		left -= height / whole;
		bl_script_add(s, "set origin 0, %.4g\nset size %s 1, %.4g\n", fmax(left, 0),
		              f->panel[i].axes.equal ? "ratio -1" : "noratio", height / whole);
		add_panel(s, &f->panel[i], &drawn, height * look->height / whole, i > 0);
	}
	if (f->panels > 1)
		bl_script_add(s, "unset multiplot\n");
}
