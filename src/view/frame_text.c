/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frame_text.c: one frame as plain text, for logs and pipes. */
#include <barlow/view.h>

#include "view/frame.h"

#include <langinfo.h>
#include <string.h>

enum { MAX_SIDE = 10000 };

char *bl_watch_text(const bl_live *run, int width, int height)
{
	if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
		return bl_fail_null("a frame has 1 to %d cells a side, not %d x %d", MAX_SIDE, width, height);
	if (width < BL_FRAME_MIN_WIDTH || height < BL_FRAME_MIN_HEIGHT)
		return bl_fail_null("a frame needs %d x %d cells, not %d x %d", BL_FRAME_MIN_WIDTH, BL_FRAME_MIN_HEIGHT, width,
		                    height);
	/* Read-only: there are no keys, so no command is sent. */
	bl_scene *s = bl_scene_new((bl_live *)run);
	bl_ability can = { .depth = BL_DEPTH_MONO, .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 };
	bl_canvas *c = s ? bl_canvas_new(width, height, can) : NULL;
	char *text = NULL;
	if (c) {
		s->read_only = s->still = true;
		while (bl_scene_read(s) && s->history.seen < bl_live_length(s->run))
			;
		bl_frame_draw(s, c);
		text = bl_canvas_string(c);
	}
	bl_canvas_free(c);
	bl_scene_free(s);
	return text;
}
