/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chart.c: line charts in braille, or in ASCII with a character for each line. */
#include "view/chart.h"

#include "view/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LABEL_COLUMNS = 6, BRAILLE = 0x2800, DOTS_X = 2, DOTS_Y = 4 };
#define FLAT 1e-9

/* The mapping from values to the canvas: `area` contains the dots, the axes are left of it and below. */
struct frame {
	bl_canvas *c;
	bl_rect area;
	double x0, x1, y0, y1; /* in log10 when logarithmic */
	bool log, log_x;
	bool one_x; /* all points have the same x, which is at the left end */
};

static bool drawable(double y, bool log)
{
	return isfinite(y) && (!log || y > 0);
}

/* --- Range ---------------------------------------------------------------- */

struct range {
	double lo, hi, least_positive;
	bool any;
};

static void widen(struct range *r, double v)
{
	if (!isfinite(v))
		return;
	r->lo = r->any ? fmin(r->lo, v) : v;
	r->hi = r->any ? fmax(r->hi, v) : v;
	if (v > 0)
		r->least_positive = r->least_positive > 0 ? fmin(r->least_positive, v) : v;
	r->any = true;
}

static void set_y(struct frame *f, const struct range *y, bl_axis axis)
{
	bool wide = y->least_positive > 0 && y->lo >= 0 && y->hi / y->least_positive > BL_CHART_LOG_RATIO;
	f->log = axis == BL_AXIS_AUTO ? wide : axis == BL_AXIS_LOG && y->least_positive > 0;
	f->y0 = f->log ? log10(y->least_positive) : y->lo;
	f->y1 = f->log ? log10(y->hi) : y->hi;
	/* Values that differ only by rounding are treated as a single one, since no tick would fit between them. */
	bool flat = f->y1 - f->y0 <= FLAT * fmax(fabs(f->y0), fabs(f->y1));
	double margin = flat ? fmax(fabs(f->y1) * .1, 1e-9) : .02 * (f->y1 - f->y0);
	f->y0 -= margin;
	f->y1 += margin;
}

/* Is x within the shown range? */
static bool within(const bl_chart *chart, double x)
{
	return (!chart->log_x || x > 0) && (chart->to <= chart->from || (x >= chart->from && x <= chart->to));
}

static void set_x(struct frame *f, struct range *x, const bl_chart *chart)
{
	if (chart->to > chart->from) {
		x->lo = chart->log_x && chart->from <= 0 ? x->lo : chart->from;
		x->hi = chart->to;
	}
	f->log_x = chart->log_x;
	f->x0 = f->log_x ? log10(x->lo) : x->lo;
	f->x1 = f->log_x ? log10(x->hi) : x->hi;
	f->one_x = f->x1 <= f->x0;
	if (f->one_x)
		f->x1 = f->x0 + 1;
}

static bool has_intervals(const bl_chart *chart, int k)
{
	return chart->points && chart->points[k].low && chart->points[k].high;
}

/* Sets the ranges of both axes from the points within the shown range of x.  False: there is nothing to draw. */
static bool set_ranges(struct frame *f, const bl_chart *chart)
{
	struct range x = { 0 }, y = { 0 };
	for (int k = 0; k < chart->n; k++)
		for (int i = 0; i < chart->lines[k].n; i++)
			if (within(chart, chart->lines[k].x[i])) {
				widen(&x, chart->lines[k].x[i]);
				widen(&y, chart->lines[k].y[i]);
				if (has_intervals(chart, k)) {
					widen(&y, chart->points[k].low[i]);
					widen(&y, chart->points[k].high[i]);
				}
			}
	if (!x.any || !y.any)
		return false;
	set_x(f, &x, chart);
	set_y(f, &y, chart->axis);
	return true;
}

/* --- Dots ----------------------------------------------------------------- */

/* Draws a dot, unless it is in a gap of a dashed line. */
static void dot(const struct frame *f, const bl_line *line, int dx, int dy)
{
	static const uint8_t bits[DOTS_Y][DOTS_X] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
	int x = f->area.x + dx / DOTS_X, y = f->area.y + dy / DOTS_Y;
	bl_screen_cell *cell = bl_canvas_cell(f->c, x, y);
	bool gap = f->c->can.utf8 && f->c->can.depth == BL_DEPTH_MONO && line->dash && dx / line->dash % 2;
	if (!cell || gap)
		return;
	uint32_t glyph = (unsigned char)line->mark;
	if (f->c->can.utf8) {
		uint32_t have = cell->glyph >= BRAILLE && cell->glyph < BRAILLE + 256 ? cell->glyph : BRAILLE;
		glyph = have | bits[dy % DOTS_Y][dx % DOTS_X];
	}
	bl_canvas_put(f->c, x, y, glyph, bl_colour_of(line->paint, f->c->can.light), BL_COLOUR_OWN);
}

static int dot_x(const struct frame *f, double x)
{
	double v = f->log_x ? log10(x) : x;
	return (int)lround((v - f->x0) / (f->x1 - f->x0) * (f->area.w * DOTS_X - 1));
}

static int dot_y(const struct frame *f, double y)
{
	double v = f->log ? log10(y) : y;
	return (int)lround((f->y1 - v) / (f->y1 - f->y0) * (f->area.h * DOTS_Y - 1));
}

static void segment(const struct frame *f, const bl_line *line, int ax, int ay, int bx, int by)
{
	int n = abs(bx - ax) > abs(by - ay) ? abs(bx - ax) : abs(by - ay);
	for (int i = 0; i <= n; i++) {
		double t = n ? (double)i / n : 0;
		dot(f, line, (int)lround(ax + t * (bx - ax)), (int)lround(ay + t * (by - ay)));
	}
}

/* Draws line k, with the intervals of its points if both ends can be drawn. */
static void draw_line(const struct frame *f, const bl_chart *chart, int k)
{
	const bl_line *line = &chart->lines[k];
	const bl_chart_points *points = chart->points ? &chart->points[k] : NULL;
	bool linked = false;
	int ax = 0, ay = 0;
	for (int i = 0; i < line->n; i++) {
		if (!drawable(line->y[i], f->log) || !within(chart, line->x[i])) {
			linked = false;
			continue;
		}
		int x = dot_x(f, line->x[i]), y = dot_y(f, line->y[i]);
		segment(f, line, linked ? ax : x, linked ? ay : y, x, y);
		if (has_intervals(chart, k) && drawable(points->low[i], f->log) && drawable(points->high[i], f->log))
			segment(f, line, x, dot_y(f, points->low[i]), x, dot_y(f, points->high[i]));
		linked = !(points && points->apart);
		ax = x;
		ay = y;
	}
}

/* --- Axes ----------------------------------------------------------------- */

static void label_y(const struct frame *f, double value)
{
	int row = f->area.y + dot_y(f, value) / DOTS_Y;
	char text[BL_NUMBER_TEXT];
	bl_shown_number(text, value, 3, LABEL_COLUMNS - 1);
	int x = f->area.x - 1 - bl_canvas_columns(text);
	bl_canvas_text(f->c, x, row, LABEL_COLUMNS, BL_PAINT_FAINT, text);
	bl_canvas_text(f->c, f->area.x - 1, row, 1, BL_PAINT_FAINT, "┤");
}

/* A round distance (1, 2 or 5 times a power of ten) that gives at most `most` ticks. */
static double round_distance(double span, int most)
{
	double raw = span / (most > 1 ? most : 1), power = pow(10, floor(log10(raw)));
	double m = raw / power;
	return power * (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10);
}

/* Ticks at decades, and at 2 and 5 between them if there is room; labels are at least two rows apart. */
static void ticks_log(const struct frame *f)
{
	double decades = f->y1 - f->y0;
	double per_row = decades / f->area.h;
	int every = (int)ceil(fmax(1, 2 * per_row));
	for (int e = (int)floor(f->y0); e <= (int)ceil(f->y1); e++)
		for (int k = 0; k < 3; k++) {
			double v = (const double[]){ 1, 2, 5 }[k] * pow(10, e);
			bool fits = k == 0 ? e % every == 0 : per_row < .15;
			if (fits && log10(v) > f->y0 && log10(v) < f->y1)
				label_y(f, v);
		}
}

/* Ticks are at least two rows apart, or one if there would otherwise be a single tick, which shows no scale. */
static void ticks_linear(const struct frame *f)
{
	double d = round_distance(f->y1 - f->y0, f->area.h / 2);
	int ticks = (int)(floor(f->y1 / d) - ceil(f->y0 / d)) + 1;
	if (ticks < 2)
		d = round_distance(f->y1 - f->y0, f->area.h);
	for (double k = ceil(f->y0 / d); k * d <= f->y1; k++)
		label_y(f, k * d);
}

static void number_x(char *out, size_t size, const struct frame *f, const bl_chart *chart, double v)
{
	snprintf(out, size, chart->integer_x ? "%.0f" : "%.4g", f->log_x ? pow(10, v) : v);
}

/* Labels the first and the last x, or the only one, and draws the note between them if there is room. */
static void label_x(const struct frame *f, const bl_chart *chart)
{
	int y = f->area.y + f->area.h + 1, end = f->area.x + f->area.w;
	const char *name = chart->x_name ? chart->x_name : chart->integer_x ? "step" : "";
	char left[32] = "", last[32], right[64];
	if (!f->one_x)
		number_x(left, sizeof left, f, chart, chart->integer_x && !f->log_x ? floor(f->x0) : f->x0);
	number_x(last, sizeof last, f, chart, f->one_x ? f->x0 : f->x1);
	snprintf(right, sizeof right, "%s%s%s%s", f->log_x ? "(log) " : "", name, *name ? " " : "", last);
	int at = f->one_x ? f->area.x : end - bl_canvas_columns(right);
	int n = bl_canvas_text(f->c, at, y, f->area.w, BL_PAINT_FAINT, right);
	int from = f->one_x ? at + n : f->area.x + bl_canvas_text(f->c, f->area.x, y, at - f->area.x - 1, BL_PAINT_FAINT, left);
	int to = f->one_x ? end : at, room = to - from - (chart->note ? bl_canvas_columns(chart->note) : 0);
	if (chart->note && room >= 4)
		bl_canvas_text(f->c, from + room / 2, y, to - from, BL_PAINT_FAINT, chart->note);
}

/* Draws the cursor, a vertical line; lines are drawn over it afterwards. */
static void draw_cursor(const struct frame *f, const bl_chart *chart)
{
	if (chart->cursor == 0 || !within(chart, chart->cursor))
		return;
	int x = dot_x(f, chart->cursor) / DOTS_X;
	for (int y = 0; y < f->area.h && x >= 0 && x < f->area.w; y++)
		bl_canvas_put(f->c, f->area.x + x, f->area.y + y, 0x2502, bl_colour_of(BL_PAINT_TITLE, f->c->can.light),
		              BL_COLOUR_OWN);
}

static void draw_axes(const struct frame *f, const bl_chart *chart)
{
	int32_t faint = bl_colour_of(BL_PAINT_FAINT, f->c->can.light);
	for (int y = 0; y < f->area.h; y++)
		bl_canvas_put(f->c, f->area.x - 1, f->area.y + y, 0x2502, faint, BL_COLOUR_OWN);
	for (int x = 0; x < f->area.w; x++)
		bl_canvas_put(f->c, f->area.x + x, f->area.y + f->area.h, 0x2500, faint, BL_COLOUR_OWN);
	bl_canvas_put(f->c, f->area.x - 1, f->area.y + f->area.h, 0x2514, faint, BL_COLOUR_OWN);
	if (f->log)
		ticks_log(f);
	else
		ticks_linear(f);
	label_x(f, chart);
}

/* --- The chart ------------------------------------------------------------ */

/* Draws the title, and the names of the lines in their colours if there are several, as many as fit. */
static void draw_title(const struct frame *f, bl_rect r, const bl_chart *chart)
{
	int x = r.x + bl_canvas_text(f->c, r.x, r.y, r.w, BL_PAINT_TITLE, chart->title);
	bl_canvas_bold(f->c, r.x, r.y, x - r.x);
	if (f->log && x - r.x + 6 <= r.w)
		x += bl_canvas_text(f->c, x, r.y, 6, BL_PAINT_FAINT, " (log)");
	for (int k = chart->n - 1; k >= 0 && chart->n > 1; k--) {
		const bl_line *line = &chart->lines[k];
		int need = bl_canvas_columns(line->label) + 4;
		if (x - r.x + need > r.w)
			continue;
		bool solid = f->c->can.depth != BL_DEPTH_MONO || !line->dash;
		const char *sample = solid ? "━" : line->dash > 2 ? "╍" : "┅";
		char mark[] = { line->mark, '\0' };
		bl_canvas_text(f->c, x + 2, r.y, 1, line->paint, f->c->can.utf8 ? sample : mark);
		x += 4 + bl_canvas_text(f->c, x + 4, r.y, need, line->paint, line->label);
	}
}

void bl_chart_draw(bl_canvas *c, bl_rect r, const bl_chart *chart)
{
	struct frame f = { .c = c };
	f.area = (bl_rect){ r.x + LABEL_COLUMNS + 1, r.y + 1, r.w - LABEL_COLUMNS - 1, r.h - 3 };
	if (f.area.w < 2 || f.area.h < 1)
		return;
	bool any = set_ranges(&f, chart);
	draw_title(&f, r, chart);
	if (!any) {
		bl_canvas_text(c, f.area.x, f.area.y, f.area.w, BL_PAINT_FAINT, "nothing yet");
		return;
	}
	draw_axes(&f, chart);
	draw_cursor(&f, chart);
	for (int k = 0; k < chart->n; k++)
		draw_line(&f, chart, k);
}
