/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The help: the keys of the view that it was asked in, then those of all views, from the one list. */
#include "view/scene.h"

enum { KEY_COLUMNS = 11 };

struct own {
	int from; /* the first line that is shown */
};

static struct own *own_of(const bl_scene *s)
{
	return bl_scene_own(s, &bl_view_help);
}

/* A request's line, or a heading where the request is NONE. */
struct line {
	bl_request request;
	const char *heading;
};

/* The requests of a scope; returns how many lines there are then. */
static int gather(const bl_scene *s, bl_scope scope, struct line *out, int n)
{
	for (int k = 1; k < BL_REQUEST_COUNT; k++) {
		const bl_request_info *i = bl_request_describe((bl_request)k);
		if (i->shown[0] && i->scope == scope && bl_request_offered((bl_request)k, scope, s->read_only))
			out[n++] = (struct line){(bl_request)k, ""};
	}
	return n;
}

static int gather_all(const bl_scene *s, struct line *out)
{
	int n = gather(s, s->before_help->scope, out, 1);
	if (n == 1)
		return gather(s, BL_SCOPE_ALL, out, 0);
	out[0] = (struct line){BL_REQUEST_NONE, s->before_help->name};
	out[n++] = (struct line){BL_REQUEST_NONE, "everywhere"};
	return gather(s, BL_SCOPE_ALL, out, n);
}

static void draw_line(bl_canvas *c, bl_rect r, const struct line *line)
{
	const bl_request_info *i = bl_request_describe(line->request);
	if (line->request == BL_REQUEST_NONE) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, line->heading);
		return;
	}
	bl_canvas_text(c, r.x + 1, r.y, KEY_COLUMNS - 1, BL_PAINT_TITLE, i->shown);
	bl_canvas_text(c, r.x + KEY_COLUMNS, r.y, r.w - KEY_COLUMNS, BL_PAINT_TEXT, i->help);
}

/* How far it can be moved so that the last line is the last row. */
static int furthest(int lines, int rows)
{
	return lines > rows ? lines - rows : 0;
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	struct line lines[BL_REQUEST_COUNT + 2];
	int n = gather_all(s, lines), last = furthest(n, r.h), from = own_of(s)->from < last ? own_of(s)->from : last;
	for (int i = 0; i < r.h && from + i < n; i++)
		draw_line(c, (bl_rect){r.x, r.y + i, r.w, 1}, &lines[from + i]);
	if (from < last)
		bl_canvas_textf(c, r.x + r.w - 12, r.y + r.h - 1, 12, BL_PAINT_WARN, " %d more: j", last - from);
}

/* As far as the last press could be seen to move it. */
static void act(bl_scene *s, bl_request r)
{
	struct line lines[BL_REQUEST_COUNT + 2];
	int rows = s->on ? s->on->height - 4 : 1, last = furthest(gather_all(s, lines), rows);
	int from = own_of(s)->from + (r == BL_REQUEST_HELP_DOWN ? 1 : -1);
	own_of(s)->from = from < 0 ? 0 : from > last ? last : from;
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
