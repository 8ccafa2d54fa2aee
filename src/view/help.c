/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The help: the keys of the view that it was asked in, and those of all views, from the one list. */
#include "view/scene.h"

enum { KEY_COLUMNS = 9 };

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	int y = r.y;
	for (int k = 1; k < BL_REQUEST_COUNT && y < r.y + r.h; k++) {
		const bl_request_info *i = bl_request_describe((bl_request)k);
		if (!i->shown[0] || !bl_request_offered((bl_request)k, s->before_help->scope, s->read_only))
			continue;
		bl_canvas_text(c, r.x + 1, y, KEY_COLUMNS - 1, BL_PAINT_TITLE, i->shown);
		bl_canvas_text(c, r.x + KEY_COLUMNS, y++, r.w - KEY_COLUMNS, BL_PAINT_TEXT, i->help);
	}
}

const bl_view_ops bl_view_help = {.name = "help", .draw = draw};
