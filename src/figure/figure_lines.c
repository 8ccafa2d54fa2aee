/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure_lines.c: series as lines or points, on linear or logarithmic axes, in one or several panels. */
#include "figure/figure.h"

#include <barlow/text.h>

#include <float.h>
#include <math.h>
#include <stdio.h>

enum { MARKERS_UP_TO = 40, LABEL_TEXT = 64, TITLE_LINES = 2, LABEL_LINES = 2, SIDE_KEY_COLUMNS = 16, NAME_COLUMNS = 28 };
enum { X_STEPS = 6, Y_STEPS = 4 }; /* the largest numbers of steps between labelled ticks, where there is little room */
/* Lengths are in inches, unless stated otherwise. */
#define KEY_SAMPLE .42  /* for the piece of line beside a label, and the distance to the next label */
#define AXIS_HEIGHT .6  /* the part of a panel's height that the label of the y axis cannot use */
#define BESIDE_AXIS .9  /* approximate room to the left and right of an x axis */
#define TIC_INCHES .22  /* left of a y axis: the tick, and the distances between tick, number, label and edge */
#define EDGE .04        /* between a label and the edge of the figure */
#define AXIS_ROOM .02   /* margin on either side of an x axis, as a share of its range */
#define DIGIT_WIDTH .64 /* width of a digit, as a share of the font size; most letters are narrower */
#define TEX_LETTERS 1.2 /* a factor, since the letters of a TeX document may be larger */

/* Positions as shares of the figure's width; 0 for a single panel, whose margins gnuplot computes. */
typedef struct margins {
	double label, left, right; /* the middle of the labels of the y axes; the ends of the x axes */
} margins;

/* Can it be drawn: a finite number on a linear axis, a number above 0 on a logarithmic one? */
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

static void widen(const double *v, int64_t n, bool log, double *lo, double *hi)
{
	for (int64_t i = 0; v && i < n; i++)
		if (drawable(v[i], log)) {
			*lo = fmin(*lo, v[i]);
			*hi = fmax(*hi, v[i]);
		}
}

/* The range of one coordinate of all series that an axis has to show.  hi < lo: there are no values. */
static void find_range(const bl_panel *p, bool x, bool log, double *lo, double *hi)
{
	*lo = INFINITY;
	*hi = -INFINITY;
	for (int k = 0; k < p->n; k++) {
		const bl_series *s = &p->series[k];
		widen(x ? s->x : s->y, s->n, log, lo, hi);
		if (x == p->axes.across) {
			widen(s->low, s->n, log, lo, hi);
			widen(s->high, s->n, log, lo, hi);
		}
	}
}

static void add_log_axis(bl_script *s, const bl_panel *p, char axis)
{
	double lo, hi;
	find_range(p, axis == 'x', true, &lo, &hi);
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

/* The number of series with a label. */
static int labelled(const bl_panel *p)
{
	int n = 0;
	for (int k = 0; k < p->n; k++)
		n += p->series[k].label[0] != '\0';
	return n;
}

/* Are labels placed to the right of the panel?  Yes, in a wide figure of points with unnamed rows and few, short labels. */
static bool key_beside(const bl_panel *p, const bl_figure_theme *look)
{
	return p->axes.points && !p->axes.named && !look->column && label_columns(p) <= SIDE_KEY_COLUMNS && labelled(p) <= 20;
}

/* The number of labels in a row above the panel. */
static int key_columns(const bl_panel *p, const bl_figure_theme *look)
{
	double label = fmin(label_columns(p) * .52 * look->font / 72 + KEY_SAMPLE, look->width - .6);
	int most = (int)((look->width - .6) / label), n = labelled(p);
	return most < 1 ? 1 : most > n ? (n > 0 ? n : 1) : most;
}

/* The number of rows of labels above the panel. */
static int key_rows(const bl_panel *p, const bl_figure_theme *look)
{
	int columns = key_columns(p, look);
	return key_beside(p, look) ? 0 : (labelled(p) + columns - 1) / columns;
}

static double panel_height(const bl_figure *f, int i, const bl_figure_theme *look)
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

double bl_panels_height(const bl_figure *f, const bl_figure_theme *look)
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

/* The width of the longest name of a row. */
static double names_inches(const bl_script *s, const bl_axes *a)
{
	int most = 0;
	for (int i = 0; i < a->named; i++) {
		int n = 0;
		for (const char *c = a->names[i]; *c && n < NAME_COLUMNS; n++)
			bl_text_next(&c);
		most = n > most ? n : most;
	}
	return most * .52 * bl_script_style(s)->font / 72;
}

/* Labels the rows of the y axis with names, the first at the top. */
static void add_names(bl_script *s, const bl_axes *a)
{
	bl_script_add(s, "set yrange [%d.5:0.5]\nset mytics 1\nset ytics scale 0 (", a->named);
	for (int i = 0; i < a->named; i++) {
		bl_script_add(s, i ? ", " : "");
		bl_script_fitted(s, a->names[i], NAME_COLUMNS * .52 * bl_script_style(s)->font / 72, 1);
		bl_script_add(s, " %d", i + 1);
	}
	bl_script_add(s, ")\n");
}

static double digit_inches(const bl_figure_theme *look)
{
	return DIGIT_WIDTH * look->font / 72 * (look->form == BL_FORM_TEX ? TEX_LETTERS : 1);
}

/* Sets fewer ticks if the numbers at them are long. */
static void add_x_tics(bl_script *s, const bl_panel *p)
{
	const bl_figure_theme *look = bl_script_style(s);
	double lo = p->axes.from, hi = p->axes.to;
	if (!(hi > lo))
		find_range(p, true, false, &lo, &hi);
	double number = (bl_tics_columns(lo, hi, X_STEPS, false) + 2) * digit_inches(look);
	int fit = (int)((look->width - BESIDE_AXIS) / number);
	if (fit < X_STEPS)
		bl_script_few_tics(s, 'x', lo, hi, fit > 1 ? fit : 1);
}

static void add_ranges(bl_script *s, const bl_panel *p)
{
	const bl_axes *a = &p->axes;
	if (a->logy)
		add_log_axis(s, p, 'y');
	if (a->logx)
		add_log_axis(s, p, 'x');
	else
		add_x_tics(s, p);
	if (a->to > a->from) {
		double room = AXIS_ROOM * (a->to - a->from);
		bl_script_add(s, "set xrange [%.9g:%.9g]\n", a->from - room, a->to + room);
	}
	if (a->high > a->low)
		bl_script_add(s, "set yrange [%.9g:%.9g]\n", a->low, a->high);
	if (a->named)
		add_names(s, a);
	/* Adds a margin, so that no mark is on an axis; ranges of logarithmic axes include one. */
	bool x = !a->logx && !(a->to > a->from), y = !a->logy && !a->named && !(a->high > a->low);
	bl_script_add(s, "set offsets %s, %s, %s, %s\n", x ? "graph .02" : "0", x ? "graph .02" : "0", y ? "graph .05" : "0",
	              y ? "graph .05" : "0");
}

/* Adds the label of the y axis: for a single panel where gnuplot places it, for several panels where the margins say. */
static void add_y_label(bl_script *s, const bl_axes *axes, double height, const margins *m)
{
	double inches = height - AXIS_HEIGHT;
	if (m->left > 0 && *axes->ylabel) {
		bl_script_add(s, "set label 1 ");
		bl_script_fitted(s, axes->ylabel, inches, LABEL_LINES);
		bl_script_add(s, " at screen %.4g, graph .5 center rotate\n", m->label);
	} else if (m->left > 0) {
		bl_script_add(s, "unset label 1\n");
	} else {
		add_text(s, "ylabel", axes->ylabel, inches, LABEL_LINES);
	}
}

/* Sets all properties of the axes and of the key, since an earlier panel may have changed them. */
static void add_axes(bl_script *s, const bl_panel *p, double height, const margins *m)
{
	const bl_axes *axes = &p->axes;
	const bl_figure_theme *look = bl_script_style(s);
	double width = look->width;
	add_text(s, "title", axes->title, width - .3, TITLE_LINES);
	add_text(s, "xlabel", axes->xlabel, axes->named ? width - names_inches(s, axes) - .3 : width - .8,
	         axes->named ? TITLE_LINES : 1);
	add_y_label(s, axes, height, m);
	bl_script_add(s,
	              "unset logscale\nset autoscale\nset autoscale fix\nset xtics autofreq\nset ytics autofreq scale .6, .35\n"
	              "set mxtics 2\nset mytics 2\nset format '%%g'\n");
	add_ranges(s, p);
	if (labelled(p) == 0)
		bl_script_add(s, "set key off\n");
	else if (key_beside(p, look))
		bl_script_add(s, "set key on outside right top vertical reverse Left\n");
	else
		bl_script_add(s, "set key on outside center top horizontal reverse Left maxcols %d\n", key_columns(p, look));
}

/* --- Lines --------------------------------------------------------------------------- */

/* Lines of few points get marks, to show where something was measured. */
static const char *style_of(const bl_series *series, const bl_axes *axes)
{
	bool marked = series->marks == BL_MARKS_ALL || (series->marks == BL_MARKS_OF_FEW && series->n <= MARKERS_UP_TO);
	if (series->low && series->high)
		return axes->across ? "xerrorbars" : axes->points ? "yerrorbars" : "yerrorlines";
	return axes->points && series->marks != BL_MARKS_NONE ? "points" : marked ? "linespoints" : "lines";
}

/* Adds series k of a panel to the plot command; block: the number of its data block. */
static void add_line(bl_script *s, const bl_series *series, const bl_axes *axes, int block, int k)
{
	/* Point types that are solid in every gnuplot terminal: circles, and others when the colours repeat. */
	static const int marks[] = { 7, 5, 9, 11, 13 };
	int ink = series->ink ? series->ink - 1 : k, mark = marks[ink / BL_INKS % (int)(sizeof marks / sizeof *marks)];
	bl_script_add(s, "%s$S%d with %s linecolor rgb '%s' linewidth %s pointtype %d pointsize %s dashtype %d ", k ? ", " : "",
	              block, style_of(series, axes), bl_ink_text(ink), series->dashed ? "1" : "1.4", mark,
	              axes->equal ? ".3" : ".45", series->dashed ? 2 : 1 + ink / BL_INKS % 5);
	if (*series->label) {
		bl_script_add(s, "title ");
		bl_script_fitted(s, series->label, bl_script_style(s)->width - .6 - KEY_SAMPLE, 1);
	} else {
		bl_script_add(s, "notitle");
	}
}

/* Adds the points of the panel's series as data blocks $S0, $S1 and so on; *block: the number of the next. */
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

static void add_panel(bl_script *s, const bl_panel *p, int *block, double height, const margins *m)
{
	double lo, hi;
	add_axes(s, p, height, m);
	if (m->left > 0 && !p->axes.logy && !p->axes.named) {
		find_range(p, false, false, &lo, &hi);
		bl_script_few_tics(s, 'y', lo, hi, Y_STEPS);
	}
	bl_script_add(s, "plot ");
	for (int k = 0; k < p->n; k++)
		add_line(s, &p->series[k], &p->axes, (*block)++, k);
	bl_script_add(s, "\n");
}

/* The width of the numbers, or of the names, at the y axis. */
static double numbers_inches(const bl_script *s, const bl_panel *p)
{
	double lo, hi;
	if (p->axes.named)
		return names_inches(s, &p->axes);
	find_range(p, false, p->axes.logy, &lo, &hi);
	return bl_tics_columns(lo, hi, Y_STEPS, p->axes.logy) * digit_inches(bl_script_style(s));
}

/* Margins that all panels share, with room for the widest numbers and labels. */
static margins margins_of(const bl_script *s, const bl_figure *f)
{
	const bl_figure_theme *look = bl_script_style(s);
	double numbers = 0, last = 0; /* the widths of the numbers at the y axes, and of half the last number at an x axis */
	double scale = look->height / bl_panels_height(f, look);
	int lines = 0;
	if (f->panels == 1)
		return (margins){ 0 };
	for (int i = 0; i < f->panels; i++) {
		const bl_panel *p = &f->panel[i];
		double height = panel_height(f, i, look) * scale, lo, hi;
		int n = bl_look_lines(look, p->axes.ylabel, height - AXIS_HEIGHT, LABEL_LINES);
		lines = n > lines ? n : lines;
		numbers = fmax(numbers, numbers_inches(s, p));
		find_range(p, true, p->axes.logx, &lo, &hi);
		last = fmax(last, bl_tics_columns(lo, hi, X_STEPS, p->axes.logx) * digit_inches(look) / 2);
	}
	double label = lines * bl_look_line(look), left = label + numbers + TIC_INCHES;
	return (margins){ .label = (EDGE + label / 2) / look->width,
		          .left = fmin(left / look->width, .5),
		          .right = 1 - (EDGE + last) / look->width };
}

/* Draws the panels below each other, each with its share of the height. */
void bl_panels_draw(bl_script *s, const bl_figure *f)
{
	const bl_figure_theme *look = bl_script_style(s);
	double whole = bl_panels_height(f, look), left = 1;
	int stored = 0, drawn = 0;
	for (int i = 0; i < f->panels; i++)
		add_blocks(s, &f->panel[i], &stored);
	margins m = margins_of(s, f);
	if (m.left > 0)
		bl_script_add(s, "set lmargin at screen %.4g\nset rmargin at screen %.4g\nset multiplot\n", m.left, m.right);
	for (int i = 0; i < f->panels; i++) {
		double height = panel_height(f, i, look);
		left = i + 1 < f->panels ? left - height / whole : 0;
		bl_script_add(s, "set origin 0, %.4g\nset size %s 1, %.4g\n", left, f->panel[i].axes.equal ? "ratio -1" : "noratio",
		              height / whole);
		add_panel(s, &f->panel[i], &drawn, height * look->height / whole, &m);
	}
	if (m.left > 0)
		bl_script_add(s, "unset multiplot\n");
}
