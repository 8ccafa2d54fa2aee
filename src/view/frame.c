/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frame.c: the whole screen: header, view, footer. */
#include "view/frame.h"
#include "view/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_ROWS = 2, NOTICE_FROM_ROWS = 16, LONG_WORDS_FROM_COLUMNS = 80, FIELD_GAP = 2, FIELDS_MAX = 12 };

static int footer_rows(const bl_scene *s, int height)
{
	return height >= NOTICE_FROM_ROWS && !s->still ? 2 : 1;
}

bl_rect bl_frame_room(const bl_scene *s, int width, int height)
{
	return (bl_rect){ 0, HEADER_ROWS, width, height - HEADER_ROWS - footer_rows(s, height) };
}

/* --- Rows of fields; the least important ones are dropped first --------------- */

struct field {
	bl_paint paint;
	int importance;
	char text[96];
};
struct fields {
	struct field f[FIELDS_MAX];
	int n;
};

#define ADD(fields, paint, importance, ...) \
	snprintf(next(fields, paint, importance)->text, sizeof((struct field *)0)->text, __VA_ARGS__)

static struct field *next(struct fields *fs, bl_paint paint, int importance)
{
	struct field *f = &fs->f[fs->n++];
	*f = (struct field){ .paint = paint, .importance = importance };
	return f;
}

static int columns(const struct fields *fs)
{
	int sum = 0;
	for (int i = 0; i < fs->n; i++)
		sum += bl_canvas_columns(fs->f[i].text) + (i ? FIELD_GAP : 0);
	return sum;
}

static void draw_fields(bl_canvas *c, int x, int y, struct fields *fs)
{
	while (fs->n > 1 && columns(fs) > c->width - x) {
		int least = 0;
		for (int i = 1; i < fs->n; i++)
			if (fs->f[i].importance < fs->f[least].importance)
				least = i;
		memmove(&fs->f[least], &fs->f[least + 1], (size_t)(fs->n - least - 1) * sizeof fs->f[0]);
		fs->n--;
	}
	for (int i = 0; i < fs->n; i++)
		x += bl_canvas_text(c, x, y, c->width - x, fs->f[i].paint, fs->f[i].text) + FIELD_GAP;
}

/* --- Header ----------------------------------------------------------------- */

static void duration(char *out, size_t size, double seconds)
{
	long long t = llround(seconds);
	if (isnan(seconds))
		snprintf(out, size, "-:--");
	else if (t >= 3600)
		snprintf(out, size, "%lld:%02lld:%02lld", t / 3600, t / 60 % 60, t % 60);
	else
		snprintf(out, size, "%lld:%02lld", t / 60, t % 60);
}

/* Draws the run's name in a third of the row, or less if state and step, the first two fields, need more room. */
static int draw_name(const char *name, bl_canvas *c, const struct fields *fs)
{
	enum { LEAST = 8 };
	int need = 2 * FIELD_GAP + bl_canvas_columns(fs->f[0].text) + bl_canvas_columns(fs->f[1].text);
	int room = c->width / 3 < c->width - need ? c->width / 3 : c->width - need;
	int n = bl_canvas_text(c, 0, 0, room > LEAST ? room : LEAST, BL_PAINT_TITLE, name);
	bl_canvas_bold(c, 0, 0, n);
	return n > 0 ? n + FIELD_GAP : 0;
}

static void draw_progress(const bl_scene *s, bl_canvas *c)
{
	const bl_live_info *i = &s->info;
	struct fields fs = { .n = 0 };
	bool fine = !s->lost && (i->state == BL_RUN_RUNNING || i->state == BL_RUN_DONE);
	char left[32];
	duration(left, sizeof left, bl_scene_seconds_left(s));
	ADD(&fs, fine ? BL_PAINT_GOOD : BL_PAINT_WARN, 9, "%s %s", c->can.utf8 ? "●" : "*",
	    s->lost ? "KILLED" : bl_run_state_name(i->state));
	ADD(&fs, BL_PAINT_TEXT, 8, "step %lld/%lld", (long long)i->step, (long long)i->steps);
	if (i->steps_per_epoch > 0) {
		double epoch = (double)i->steps_per_epoch, all = (double)i->steps / epoch;
		ADD(&fs, BL_PAINT_TEXT, 3, "epoch %.2f/%.*f", (double)i->step / epoch, all == floor(all) ? 0 : 2, all);
	}
	if (!bl_scene_over(s) && !s->lost)
		ADD(&fs, BL_PAINT_TEXT, 6, "ETA %s", left);
	double rate = bl_history_value(&s->history, "images_per_s");
	if (!isnan(rate))
		ADD(&fs, BL_PAINT_TEXT, 4, "%.0f images/s", rate);
	int x = draw_name(i->name, c, &fs);
	draw_fields(c, x, 0, &fs);
}

/* The importance of a column's field in the header; 0: never shown there, as for the norm of the gradient. */
static int importance(const bl_columns *c, int column)
{
	static const uint8_t of[BL_COLUMN_KINDS] = {
		[BL_COLUMN_TOTAL] = 9,     [BL_COLUMN_SCORE] = 8, [BL_COLUMN_WEIGHTED] = 6,
		[BL_COLUMN_PARAMETER] = 5, [BL_COLUMN_RATE] = 4,  [BL_COLUMN_FLOOR] = 3,
	};
	const bl_column *i = &c->column[column];
	if (i->kind == BL_COLUMN_TERM)
		return bl_columns_part(c, column) ? 7 : 0;
	bool first = bl_columns_next(c, (bl_column_kind)i->kind, 0) == column;
	return i->kind == BL_COLUMN_WEIGHTED || i->kind == BL_COLUMN_PARAMETER || first ? of[i->kind] : 0;
}

static void add_value(const bl_history *h, const bl_canvas *c, struct fields *fs, int k)
{
	const bl_column *i = &h->columns.column[k];
	bool plain = i->kind == BL_COLUMN_PARAMETER || i->kind == BL_COLUMN_RATE || i->kind == BL_COLUMN_SCORE;
	double value = bl_history_newest(h, k);
	char number[32], label[BL_LABEL_BYTES];
	if (((i->kind == BL_COLUMN_SCORE || i->kind == BL_COLUMN_FLOOR) && isnan(value)) || bl_columns_idle(&h->columns, k, value))
		return;
	bl_column_text(i, value, number, sizeof number);
	bl_paint paint = plain && i->kind != BL_COLUMN_SCORE ? BL_PAINT_TEXT : bl_metric_paint(&h->columns, k);
	const char *text = i->kind == BL_COLUMN_TOTAL ? "loss" : bl_metric_text(c, bl_column_brief(i), "lambda", label);
	ADD(fs, paint, importance(&h->columns, k), "%s %s", text, number);
}

/* The second row: total, terms, floor, scores, parameters and rates, in the order of the list of the curves. */
static void draw_terms(const bl_scene *s, bl_canvas *c)
{
	const bl_history *h = &s->history;
	int list[BL_COLUMNS_MAX], n = bl_metric_list(&h->columns, list);
	struct fields fs = { .n = 0 };
	for (int i = 0; i < n && h->seen && fs.n < FIELDS_MAX; i++)
		if (importance(&h->columns, list[i]) > 0)
			add_value(h, c, &fs, list[i]);
	if (fs.n > 0)
		draw_fields(c, 0, 1, &fs);
}

/* --- Footer ----------------------------------------------------------------- */

/*
 * What the request's keys do, in a word; "": no hint is shown.  + and - are labelled by the parameter that they change, and
 * not shown if the loss has none.  Ctrl-C is shown only if it stops the run.
 */
static const char *hint_word(const bl_scene *s, bl_request r, char out[BL_COLUMN_NAME + 8])
{
	const bl_columns *columns = &s->history.columns;
	int i = bl_columns_next(columns, BL_COLUMN_PARAMETER, 0);
	if (r == BL_REQUEST_INTERRUPT)
		return s->interrupt_stops ? "stop" : "";
	if ((r != BL_REQUEST_TURN_UP && r != BL_REQUEST_TURN_DOWN) || columns->n == 0)
		return bl_request_describe(r)->word;
	out[0] = '\0';
	if (i >= 0)
		snprintf(out, BL_COLUMN_NAME + 8, "%s %s", columns->column[i].name, r == BL_REQUEST_TURN_UP ? "up" : "down");
	return out;
}

/* Draws a hint for the request's first key at column x, if it fits; returns the column for the next hint. */
static int draw_hint(const bl_scene *s, bl_canvas *c, int x, int y, bl_request r, bool current)
{
	char own[BL_COLUMN_NAME + 8];
	const bl_request_info *i = bl_request_describe(r);
	const char *word = hint_word(s, r, own);
	int key = (int)strcspn(i->shown, " "), need = key + 1 + bl_canvas_columns(word) + 2 * current;
	if (!word[0] || x + need > c->width)
		return x;
	if (current) {
		x += bl_canvas_textf(c, x, y, need, BL_PAINT_TITLE, "[%.*s %s]", key, i->shown, word);
		bl_canvas_bold(c, x - need, y, need);
		return x + FIELD_GAP;
	}
	x += bl_canvas_part(c, x, y, key, BL_PAINT_TITLE, i->shown) + 1;
	return x + bl_canvas_text(c, x, y, need, BL_PAINT_FAINT, word) + FIELD_GAP;
}

/* Does the request open the view that is on the screen? */
static bool is_shown(const bl_scene *s, bl_request r)
{
	return r == bl_request_of_scope(s->view->scope);
}

/* The order of hints: first quit, help and the current view; then the keys of this view only; then all others. */
static int hint_rank(const bl_scene *s, bl_request r)
{
	return r == BL_REQUEST_QUIT || r == BL_REQUEST_HELP || is_shown(s, r) ? 0
	       : bl_request_describe(r)->scope != BL_SCOPE_ALL                ? 1
	                                                                      : 2;
}

static void draw_hints(const bl_scene *s, bl_canvas *c, int y)
{
	int x = 0;
	for (int rank = 0; rank < 3; rank++)
		for (int k = 1; k < BL_REQUEST_COUNT; k++)
			if (hint_rank(s, (bl_request)k) == rank && bl_request_offered((bl_request)k, s->view->scope, s->read_only))
				x = draw_hint(s, c, x, y, (bl_request)k, is_shown(s, (bl_request)k));
}

/* Writes the question whether to stop, or the notice, or that the trainer's process has ended; "": none of these. */
static void footer_text(const bl_scene *s, int room, char *out, size_t size)
{
	const char *leave = s->still ? "" : "; q leaves";
	if (s->asking)
		snprintf(out, size, "Stop training? y: yes, any other key: no");
	else if (s->lost && !s->notice[0] && room < LONG_WORDS_FROM_COLUMNS)
		snprintf(out, size, "process %lld has ended%s", (long long)s->info.pid, leave);
	else if (s->lost && !s->notice[0])
		snprintf(out, size, "The trainer's process %lld has ended; this is its last state%s", (long long)s->info.pid,
		         leave);
	else
		snprintf(out, size, "%s", s->notice);
}

static void draw_footer(const bl_scene *s, bl_canvas *c)
{
	char text[256];
	footer_text(s, c->width, text, sizeof text);
	int y = c->height - footer_rows(s, c->height);
	bool own_row = y < c->height - 1 || s->still;
	if (text[0])
		bl_canvas_text(c, 0, y, c->width, BL_PAINT_WARN, text);
	else if (own_row)
		bl_canvas_text(c, 0, y, c->width, BL_PAINT_FAINT, s->info.message);
	if (!s->still && (own_row || !text[0]))
		draw_hints(s, c, c->height - 1);
}

/* --- The screen ------------------------------------------------------------- */

static void draw_centred(bl_canvas *c, int y, const char *text)
{
	int x = (c->width - bl_canvas_columns(text)) / 2;
	bl_canvas_text(c, x > 0 ? x : 0, y, c->width, BL_PAINT_WARN, text);
}

static void draw_too_small(bl_canvas *c)
{
	char needs[32], has[32], both[72];
	snprintf(needs, sizeof needs, "needs %d x %d", BL_FRAME_MIN_WIDTH, BL_FRAME_MIN_HEIGHT);
	snprintf(has, sizeof has, "has %d x %d", c->width, c->height);
	snprintf(both, sizeof both, "%s, %s", needs, has);
	bool one_row = bl_canvas_columns(both) <= c->width;
	draw_centred(c, c->height / 2, one_row ? both : needs);
	if (!one_row)
		draw_centred(c, c->height / 2 + 1, has);
}

void bl_frame_draw(const bl_scene *s, bl_canvas *c)
{
	bl_canvas_clear(c);
	if (c->width < BL_FRAME_MIN_WIDTH || c->height < BL_FRAME_MIN_HEIGHT) {
		draw_too_small(c);
		return;
	}
	draw_progress(s, c);
	draw_terms(s, c);
	s->view->draw(s, c, bl_frame_room(s, c->width, c->height));
	draw_footer(s, c);
}
