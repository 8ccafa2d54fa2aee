/* SPDX-License-Identifier: GPL-3.0-or-later */
/* curves.c: the curves: any metrics of one or several runs, over any range of their steps. */
#include "base/bounded.h"
#include "view/metric.h"
#include "view/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LIST_FROM_COLUMNS = 66,
	LIST_COLUMNS = 27,
	SMOOTHED_FROM_COLUMNS = 100, /* from this width on, smoothed values are listed, too */
	VALUE_COLUMNS = 10,
	PANE_MIN_COLUMNS = 30,
	PANE_GOOD_ROWS = 9,
	PANE_MIN_ROWS = 5,
	READ_AT_ONCE = 60000, /* the most records, of all runs together, that a call of read_runs reads (in some milliseconds) */
	LEAST_SPAN = 10,
};

/* --- Reading -------------------------------------------------------------- */

/* When another run is opened, all its steps are shown, without a cursor; the chosen metrics and the smoothing stay. */
static void start(bl_scene *s)
{
	bl_curves *v = bl_curves_of(s);
	v->from = 1;
	v->to = v->cursor = 0;
}

static void end(bl_scene *s)
{
	for (int k = 0; k < BL_CURVES_RUNS; k++)
		bl_track_follow(&bl_curves_of(s)->track[k], NULL);
}

static void follow(bl_scene *s)
{
	bl_curves *v = bl_curves_of(s);
	int n = 0;
	bl_track_follow(&v->track[n++], s->run);
	for (int i = 0; i < BL_MARKED_MAX; i++)
		if (s->marked[i] && s->marked[i] != s->run)
			bl_track_follow(&v->track[n++], s->marked[i]);
	v->tracks = n;
	while (n < BL_CURVES_RUNS)
		bl_track_follow(&v->track[n++], NULL);
}

/* Copies the run's columns.  The choice of metrics is kept by name when another run is shown or the run gets a new column. */
static void take_columns(bl_curves *v, const bl_columns *now)
{
	uint64_t shown = 0;
	bool same = now->n == v->columns.n && !memcmp(now->column, v->columns.column, (size_t)now->n * sizeof now->column[0]);
	if (now->n == 0 || same)
		return;
	for (int i = 0; i < now->n; i++) {
		int before = bl_columns_find(&v->columns, now->column[i].name);
		bool on = before >= 0 ? bl_curves_shows(v, before) : bl_metric_at_first(now, i);
		shown |= (uint64_t)on << i;
	}
	v->shown = shown;
	v->columns = *now;
	v->lines = bl_metric_list(now, v->list);
	v->at = v->at < v->lines ? v->at : 0;
}

static bool read_runs(bl_scene *s)
{
	bl_curves *v = bl_curves_of(s);
	bool changed = false;
	follow(s);
	for (int k = 0; k < v->tracks; k++) {
		bl_track *t = &v->track[k];
		bool new = bl_track_read(t, v->from - 1, v->to ? v->to : INT64_MAX, READ_AT_ONCE / v->tracks);
		if (new || t->weight != v->smoothing)
			bl_track_smooth(t, v->smoothing);
		changed |= new;
	}
	take_columns(v, &v->track[0].h.columns);
	return changed;
}

static void enter(bl_scene *s)
{
	read_runs(s);
}

static bool has_steps(const bl_curves *v)
{
	for (int k = 0; k < v->tracks; k++)
		if (bl_live_length(v->track[k].run) > 0)
			return true;
	return false;
}

/* Returns the newest step of all runs, or 1 if they have none. */
static int64_t newest(const bl_curves *v)
{
	int64_t most = 1;
	for (int k = 0; k < v->tracks; k++) {
		int64_t n = bl_live_length(v->track[k].run);
		most = n > most ? n : most;
	}
	return most;
}

static int64_t shown_to(const bl_curves *v)
{
	return v->to ? v->to : newest(v);
}

/* --- Panes ---------------------------------------------------------------- */

static bl_line line_of(const bl_curves *v, const bl_track *t, int m, const char *text)
{
	bl_line line = bl_metric_line(&v->columns, m, text);
	line.n = bl_curves_line(v, t, m, true, &line.x, &line.y);
	return line;
}

/*
 * Draws a pane: one metric of each run if there are several runs, otherwise each of the pane's metrics of the only run.
 * The first lines are drawn last, over the others.
 */
static void draw_pane(const bl_curves *v, bl_canvas *c, bl_rect r, const bl_curves_pane *p)
{
	bl_line lines[BL_CURVES_RUNS + BL_COLUMNS_MAX];
	char text[BL_COLUMNS_MAX][BL_LABEL_BYTES], name[BL_LABEL_BYTES];
	int n = 0;
	for (int k = v->tracks - 1; k >= 0 && v->tracks > 1; k--) {
		lines[n] = line_of(v, &v->track[k], p->list[0], v->track[k].name);
		lines[n].mark = (char)('a' + k); /* without colours, runs differ by letters or dash patterns */
		lines[n].dash = 2 * k;
		lines[n++].paint = bl_paint_series(k);
	}
	for (int i = p->n - 1; i >= 0 && v->tracks == 1; i--) {
		const bl_column *column = &v->columns.column[p->list[i]];
		/* A floor of 0 carries no information, and would prevent a logarithmic axis. */
		bool idle = column->kind == BL_COLUMN_FLOOR && !(bl_history_newest(&v->track[0].h, p->list[i]) > 0);
		if (p->n == 1 || !idle)
			lines[n++] = line_of(v, &v->track[0], p->list[i], bl_metric_name(c, column, text[i]));
	}
	bl_chart_draw(c, r,
	              &(bl_chart){ .title = p->n > 1 ? "loss" : bl_metric_name(c, &v->columns.column[p->list[0]], name),
	                           .lines = lines,
	                           .n = n,
	                           .integer_x = true,
	                           .axis = v->axis,
	                           .log_x = v->log_x,
	                           .from = (double)v->from,
	                           .to = (double)shown_to(v),
	                           .cursor = (double)v->cursor });
}

/* Draws the panes in the least number of columns that gives each pane enough rows. */
static void draw_panes(const bl_curves *v, bl_canvas *c, bl_rect r)
{
	bl_curves_pane panes[BL_COLUMNS_MAX];
	int n = bl_curves_panes(v, panes), most = r.w / PANE_MIN_COLUMNS, columns = 1;
	while (columns < most && columns < n && r.h / ((n + columns - 1) / columns) < PANE_GOOD_ROWS)
		columns++;
	int rows = (n + columns - 1) / columns;
	if (n == 0)
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, v->shown ? "nothing yet" : "no metric is chosen: Enter chooses");
	if (rows > r.h / PANE_MIN_ROWS) {
		rows = r.h / PANE_MIN_ROWS > 1 ? r.h / PANE_MIN_ROWS : 1;
		r.h -= n > rows * columns; /* a row for the message below */
	}
	for (int i = 0; i < n && i < rows * columns; i++) {
		int x0 = r.w * (i % columns) / columns, x1 = r.w * (i % columns + 1) / columns;
		int y0 = r.h * (i / columns) / rows, y1 = r.h * (i / columns + 1) / rows;
		draw_pane(v, c, (bl_rect){ r.x + x0, r.y + y0, x1 - x0 - (x1 < r.w), y1 - y0 }, &panes[i]);
	}
	if (n > rows * columns)
		bl_canvas_textf(c, r.x, r.y + r.h, r.w, BL_PAINT_WARN, "%d more not shown: no room", n - rows * columns);
}

/* --- The list of metrics, with their values under the cursor --------------- */

static double value_at(const bl_track *t, const bl_curves *v, int m, bool smooth)
{
	const double *x, *y;
	int n = bl_curves_line(v, t, m, smooth, &x, &y);
	int i = v->cursor ? bl_track_nearest(x, n, (double)v->cursor) : n - 1;
	return i >= 0 ? y[i] : NAN;
}

static void draw_value(bl_canvas *c, int x, int y, bl_paint p, double value)
{
	char text[BL_NUMBER_TEXT];
	bl_shown_number(text, value, 5, VALUE_COLUMNS - 1);
	bl_canvas_text(c, x + VALUE_COLUMNS - bl_canvas_columns(text), y, VALUE_COLUMNS, p, isnan(value) ? "-" : text);
}

/* Shows the measured value, then the smoothed one if there is room for both. */
static void draw_values(const bl_curves *v, bl_canvas *c, bl_rect r, int y, const bl_track *t, int m, bl_paint p)
{
	bool both = v->smoothing > 0 && r.w > LIST_COLUMNS;
	int x = r.x + r.w - VALUE_COLUMNS;
	draw_value(c, both ? x - VALUE_COLUMNS : x, y, p, value_at(t, v, m, false));
	if (both)
		draw_value(c, x, y, p, value_at(t, v, m, true));
}

static void draw_metric(const bl_curves *v, bl_canvas *c, bl_rect r, int y, int m)
{
	bl_paint p = bl_curves_shows(v, m) ? bl_metric_paint(&v->columns, m) : BL_PAINT_FAINT;
	char name[BL_LABEL_BYTES];
	const char *on = c->can.utf8 ? "●" : "*", *off = c->can.utf8 ? "○" : "o";
	bl_canvas_text(c, r.x, y, 1, BL_PAINT_TITLE, m == v->list[v->at] ? ">" : " ");
	bl_canvas_text(c, r.x + 1, y, 1, p, bl_curves_shows(v, m) ? on : off);
	int n = bl_canvas_text(c, r.x + 3, y, r.w - 3, p, bl_metric_name(c, &v->columns.column[m], name));
	if (m == v->list[v->at])
		bl_canvas_bold(c, r.x + 3, y, n);
	draw_values(v, c, r, y, &v->track[0], m, p);
}

static void draw_runs(const bl_curves *v, bl_canvas *c, bl_rect r, int y)
{
	char name[BL_LABEL_BYTES];
	int m = v->list[v->at];
	bl_canvas_textf(c, r.x, y++, r.w, BL_PAINT_TITLE, "%s of", bl_metric_name(c, &v->columns.column[m], name));
	for (int k = 0; k < v->tracks && y < r.y + r.h; k++, y++) {
		char mark[] = { (char)('a' + k), '\0' };
		bl_canvas_text(c, r.x + 1, y, 1, bl_paint_series(k), c->can.utf8 ? "━" : mark);
		bl_canvas_text(c, r.x + 3, y, r.w - 4 - VALUE_COLUMNS, bl_paint_series(k), v->track[k].name);
		draw_values(v, c, r, y, &v->track[k], m, bl_paint_series(k));
	}
}

static void draw_list(const bl_curves *v, bl_canvas *c, bl_rect r)
{
	int y = r.y;
	bool both = v->smoothing > 0 && r.w > LIST_COLUMNS;
	if (has_steps(v))
		bl_canvas_textf(c, r.x, y, r.w, BL_PAINT_TITLE, v->cursor ? "at step %lld" : "newest, step %lld",
		                (long long)(v->cursor ? v->cursor : shown_to(v)));
	else
		bl_canvas_text(c, r.x, y, r.w, BL_PAINT_TITLE, "no steps yet");
	if (both)
		bl_canvas_text(c, r.x + r.w - 8, y, 8, BL_PAINT_FAINT, "smoothed");
	for (int i = 0; i < v->lines && ++y < r.y + r.h; i++)
		draw_metric(v, c, r, y, v->list[i]);
	if (v->tracks > 1 && v->lines > 0)
		draw_runs(v, c, r, y + 2);
}

/* --- The view ------------------------------------------------------------- */

static void draw_state(const bl_curves *v, bl_canvas *c, bl_rect r)
{
	static const char *const axes[] = { "auto", "linear", "log" };
	char text[160];
	int64_t stride = v->track[0].h.stride;
	long long from = v->from, to = shown_to(v);
	int n = !has_steps(v) ? snprintf(text, sizeof text, "no steps yet")
	        : from == to  ? snprintf(text, sizeof text, "step %lld%s", to, v->to ? "" : ", following")
	                      : snprintf(text, sizeof text, "steps %lld-%lld%s", from, to, v->to ? "" : ", following");
	if (v->smoothing > 0)
		n += snprintf(text + n, sizeof text - (size_t)n, "  smoothing %.3g", v->smoothing);
	n += snprintf(text + n, sizeof text - (size_t)n, "  y %s%s", axes[v->axis], v->log_x ? "  x log" : "");
	if (stride > 1)
		snprintf(text + n, sizeof text - (size_t)n, "  a point is the mean of %lld steps", (long long)stride);
	bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, text);
}

/* Draws the selected entry of the list in one line, if there is no room for the list. */
static void draw_brief(const bl_curves *v, bl_canvas *c, bl_rect r)
{
	char name[BL_LABEL_BYTES];
	if (v->lines == 0)
		return;
	int m = v->list[v->at];
	double value = value_at(&v->track[0], v, m, true);
	char at[64] = "";
	if (!isnan(value))
		snprintf(at, sizeof at, ", %.5g at %lld", value, (long long)(v->cursor ? v->cursor : shown_to(v)));
	bl_canvas_textf(c, r.x, r.y, r.w, bl_curves_shows(v, m) ? bl_metric_paint(&v->columns, m) : BL_PAINT_FAINT, "> %s %s%s",
	                bl_metric_name(c, &v->columns.column[m], name), bl_curves_shows(v, m) ? "shown" : "hidden", at);
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_curves *v = bl_curves_of(s);
	if (v->tracks == 0) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, "reading...");
		return;
	}
	int list = r.w < LIST_FROM_COLUMNS ? 0 : r.w < SMOOTHED_FROM_COLUMNS ? LIST_COLUMNS : LIST_COLUMNS + VALUE_COLUMNS;
	draw_state(v, c, r);
	if (list)
		draw_list(v, c, (bl_rect){ r.x, r.y + 1, list, r.h - 1 });
	else
		draw_brief(v, c, (bl_rect){ r.x, r.y + 1, r.w, 1 });
	int above = list ? 1 : 2;
	draw_panes(v, c, (bl_rect){ r.x + list + (list > 0), r.y + above, r.w - list - (list > 0), r.h - above });
}

/* --- Keys ----------------------------------------------------------------- */

/* Shows `span` steps around `middle`; a range that includes the newest step follows the run. */
static void show_range(bl_curves *v, int64_t middle, int64_t span)
{
	int64_t end = newest(v);
	v->from = bl_bounded(middle - span / 2, 1, end > span ? end - span + 1 : 1);
	v->to = v->from + span - 1 >= end ? 0 : v->from + span - 1;
	if (v->cursor)
		v->cursor = bl_bounded(v->cursor, v->from, shown_to(v));
}

static int64_t span_of(const bl_curves *v)
{
	return shown_to(v) - v->from + 1;
}

static void zoom(bl_curves *v, bool in)
{
	int64_t span = in ? span_of(v) / 2 : span_of(v) * 2;
	int64_t middle = v->cursor ? v->cursor : in && v->to == 0 ? newest(v) : v->from + span_of(v) / 2;
	show_range(v, middle, span > LEAST_SPAN ? span : LEAST_SPAN);
}

/* Moves the cursor by 1 / parts of the range, at least by a step; beyond the edge, the range moves with it. */
static void move_cursor(bl_curves *v, int sign, int parts)
{
	int64_t by = span_of(v) / parts, at = v->cursor ? v->cursor : shown_to(v);
	v->cursor = bl_bounded(at + sign * (by > 1 ? by : 1), 1, newest(v));
	if (v->cursor < v->from || v->cursor > shown_to(v))
		show_range(v, v->cursor, span_of(v));
}

static void shift(bl_curves *v, int sign)
{
	show_range(v, v->from + span_of(v) / 2 + sign * span_of(v) / 2, span_of(v));
}

static void put_cursor(bl_curves *v, int64_t at)
{
	v->cursor = at;
	if (v->to || (at && at < v->from))
		show_range(v, at ? at : newest(v), span_of(v));
}

/* Selects the next or previous of some common weights of exponential smoothing. */
void bl_curves_turn_smoothing(bl_curves *v, int by)
{
	static const double weights[] = { 0, .3, .6, .8, .9, .95, .98, .99, .995, .999 };
	const int n = (int)(sizeof weights / sizeof weights[0]);
	int k = 0;
	while (k < n - 1 && weights[k] < v->smoothing)
		k++;
	v->smoothing = weights[bl_bounded(k + by, 0, n - 1)];
	for (int i = 0; i < v->tracks; i++)
		bl_track_smooth(&v->track[i], v->smoothing);
}

static void change_smoothing(bl_scene *s, int by)
{
	bl_curves_turn_smoothing(bl_curves_of(s), by);
	bl_scene_notice(s, "smoothing weight %.3g", bl_curves_of(s)->smoothing);
}

static void act(bl_scene *s, bl_request r)
{
	bl_curves *v = bl_curves_of(s);
	int lines = v->lines > 0 ? v->lines : 1;
	uint64_t selected = v->lines > 0 ? UINT64_C(1) << v->list[v->at] : 0;
	/* clang-format off */
	switch (r) {
	case BL_REQUEST_CURVES_UP: v->at = (v->at + lines - 1) % lines; break;
	case BL_REQUEST_CURVES_DOWN: v->at = (v->at + 1) % lines; break;
	case BL_REQUEST_CURVES_CHOOSE: v->shown ^= selected; break;
	case BL_REQUEST_CURVES_ONLY: v->shown = selected; break;
	case BL_REQUEST_CURVES_SMOOTHER: change_smoothing(s, 1); break;
	case BL_REQUEST_CURVES_ROUGHER: change_smoothing(s, -1); break;
	case BL_REQUEST_CURVES_AXIS: v->axis = (bl_axis)((v->axis + 1) % (BL_AXIS_LOG + 1)); break;
	case BL_REQUEST_CURVES_LOG_X: v->log_x = !v->log_x; break;
	case BL_REQUEST_CURVES_LEFT: move_cursor(v, -1, 100); break;
	case BL_REQUEST_CURVES_RIGHT: move_cursor(v, 1, 100); break;
	case BL_REQUEST_CURVES_FAR_LEFT: move_cursor(v, -1, 10); break;
	case BL_REQUEST_CURVES_FAR_RIGHT: move_cursor(v, 1, 10); break;
	case BL_REQUEST_CURVES_FIRST: put_cursor(v, 1); break;
	case BL_REQUEST_CURVES_NOW: put_cursor(v, 0); break;
	case BL_REQUEST_CURVES_IN: zoom(v, true); break;
	case BL_REQUEST_CURVES_OUT: zoom(v, false); break;
	case BL_REQUEST_CURVES_BACK: shift(v, -1); break;
	case BL_REQUEST_CURVES_ON: shift(v, 1); break;
	default: show_range(v, 1, newest(v)); /* CURVES_WHOLE */
	}
	/* clang-format on */
}

static void mouse(bl_scene *s, bl_mouse m)
{
	if (m.kind != BL_MOUSE_CLICK)
		zoom(bl_curves_of(s), m.kind == BL_MOUSE_WHEEL_UP);
}

const bl_view_ops bl_view_curves = {
	.name = "curves",
	.scope = BL_SCOPE_CURVES,
	.draw = draw,
	.private_size = sizeof(bl_curves),
	.start = start,
	.end = end,
	.act = act,
	.enter = enter,
	.read = read_runs,
	.mouse = mouse,
	.save = bl_curves_save,
};
