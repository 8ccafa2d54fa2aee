/* SPDX-License-Identifier: GPL-3.0-or-later */
/* help.c: the help: the keys of the view from which it was opened, then those of all views, from the list in keys.h. */
#include "view/frame.h"
#include "base/bounded.h"
#include "view/scene.h"

#include <string.h>

enum { KEY_COLUMNS = 11 };

struct own {
	int from; /* the first visible line */
};

static struct own *own_of(const bl_scene *s)
{
	return bl_scene_own(s, &bl_view_help);
}

/* A request's line, or a heading if the request is NONE. */
struct line {
	bl_request request;
	const char *heading;
};

/* Appends the requests of a scope; returns the number of lines. */
static int gather(const bl_scene *s, bl_scope scope, struct line *out, int n)
{
	for (int k = 1; k < BL_REQUEST_COUNT; k++) {
		const bl_request_info *i = bl_request_describe((bl_request)k);
		if (i->shown[0] && i->scope == scope && bl_request_offered((bl_request)k, scope, s->read_only))
			out[n++] = (struct line){ (bl_request)k, "" };
	}
	return n;
}

/* The requests of the view from which the help was opened, if it has any, and those of all views, with headings. */
static int gather_all(const bl_scene *s, struct line *out)
{
	int n = gather(s, s->before_help->scope, out, 1);
	if (n == 1)
		return gather(s, BL_SCOPE_ALL, out, 0);
	out[0] = (struct line){ BL_REQUEST_NONE, s->before_help->name };
	out[n++] = (struct line){ BL_REQUEST_NONE, "everywhere" };
	return gather(s, BL_SCOPE_ALL, out, n);
}

/* A row of the screen: a line, or the rest of a text that does not fit beside the keys. */
struct row {
	struct line line;
	const char *text;
	int n; /* bytes of text */
	bool first;
};
enum { LINES = BL_REQUEST_COUNT + 2, ROWS = 4 * LINES };

/* The number of bytes up to the last blank that fits into w columns; the texts are ASCII. */
static int fitting(const char *text, int w)
{
	int n = (int)strlen(text), cut = w;
	if (n <= w)
		return n;
	while (cut > 0 && text[cut] != ' ')
		cut--;
	return cut > 0 ? cut : w;
}

/* Appends the rows of a line whose text is wrapped to w columns; returns the number of rows. */
static int wrap(const struct line *line, const char *text, int w, struct row *out, int n)
{
	bool first = true;
	do {
		int fits = fitting(text, w > 1 ? w : 1);
		out[n++] = (struct row){ *line, text, fits, first };
		first = false;
		text += fits;
		text += *text == ' ';
	} while (*text && n < ROWS);
	return n;
}

static int lay_out(const bl_scene *s, int width, struct row out[ROWS])
{
	struct line lines[LINES];
	int count = gather_all(s, lines), n = 0;
	for (int i = 0; i < count && n < ROWS; i++) {
		bl_request r = lines[i].request;
		const char *text = r == BL_REQUEST_NONE ? lines[i].heading : bl_request_describe(r)->help;
		if (r == BL_REQUEST_INTERRUPT)
			text = s->interrupt_stops ? "stop training, and close the screen" : "close the screen; training continues";
		n = wrap(&lines[i], text, width - KEY_COLUMNS, out, n);
	}
	return n;
}

static void draw_row(bl_canvas *c, bl_rect r, const struct row *row)
{
	if (row->line.request == BL_REQUEST_NONE) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, row->line.heading);
		return;
	}
	if (row->first)
		bl_canvas_text(c, r.x + 1, r.y, KEY_COLUMNS - 1, BL_PAINT_TITLE, bl_request_describe(row->line.request)->shown);
	bl_canvas_part(c, r.x + KEY_COLUMNS, r.y, row->n, BL_PAINT_TEXT, row->text);
}

/* The index of the first visible row when the text is scrolled to its end. */
static int furthest(int rows, int room)
{
	return rows > room ? rows - room : 0;
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	struct row rows[ROWS];
	int n = lay_out(s, r.w, rows), last = furthest(n, r.h), from = own_of(s)->from < last ? own_of(s)->from : last;
	int shown = from < last ? r.h - 1 : r.h;
	for (int i = 0; i < shown && from + i < n; i++)
		draw_row(c, (bl_rect){ r.x, r.y + i, r.w, 1 }, &rows[from + i]);
	if (from < last)
		bl_canvas_textf(c, r.x + KEY_COLUMNS, r.y + shown, r.w - KEY_COLUMNS, BL_PAINT_WARN, "%d more below: j",
		                n - from - shown);
}

/* Scrolls by a row, at most to the first or the last one. */
static void act(bl_scene *s, bl_request r)
{
	struct row rows[ROWS];
	bl_rect room = bl_frame_room(s, s->on ? s->on->width : 80, s->on ? s->on->height : 24);
	int last = furthest(lay_out(s, room.w, rows), room.h);
	int from = own_of(s)->from + (r == BL_REQUEST_HELP_DOWN ? 1 : -1);
	own_of(s)->from = bl_bounded(from, 0, last);
}

static void enter(bl_scene *s)
{
	own_of(s)->from = 0;
}

const bl_view_ops bl_view_help = {
	.name = "help",
	.scope = BL_SCOPE_HELP,
	.draw = draw,
	.private_size = sizeof(struct own),
	.act = act,
	.enter = enter,
};
