/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The heatmap: C over the whole screen. */
#include "view/scene.h"

#include <math.h>

enum { SIDE_COLUMNS = 34 };

/* Numbers beside the picture, where there is room. */
static void draw_numbers(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_snapshot *p = &s->snapshot;
	int y = r.y;
	bl_canvas_textf(c, r.x, y++, r.w, BL_PAINT_TEXT, "step %lld", (long long)p->step);
	bl_canvas_textf(c, r.x, y++, r.w, BL_PAINT_TEXT, "N %d, D %d", (int)p->n, (int)p->d);
	if (p->dead > 0)
		bl_canvas_textf(c, r.x, y++, r.w, BL_PAINT_WARN, "%d dims without variance", (int)p->dead);
	if (!isnan(p->rankme) && p->spectrum > 0)
		bl_canvas_textf(c, r.x, y++, r.w, BL_PAINT_TEXT, "RankMe %.1f", p->rankme);
	bl_canvas_textf(c, r.x, y + 1, r.w, BL_PAINT_FAINT, "colours: %s", s->heat.symlog ? "log" : "linear");
	bl_heat_scale(c, r.x, y + 2, r.w < SIDE_COLUMNS ? r.w : SIDE_COLUMNS, s->heat);
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	if (s->snapshot.step < 0) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, "C: no snapshot yet");
		return;
	}
	bl_heat_source m = bl_scene_matrix(s);
	bl_heat_fit fit = bl_heat_measure(c->can, r.w, r.h - 2, &m);
	char says[80];
	bl_heat_says(says, sizeof says, r.w, fit, &m, s->heat);
	bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, says);
	bl_heat_draw(c, r.x, r.y + 1, fit, &m, s->heat);
	bl_heat_strip(c, r.x, r.y + 1 + fit.h, fit.w, s->snapshot.diagonal, s->snapshot.diag, s->heat);
	int left = r.w - fit.w - 2;
	if (left >= 12)
		draw_numbers(s, c, (bl_rect){r.x + fit.w + 2, r.y + 1, left, r.h - 1});
}

const bl_view_ops bl_view_heatmap = {.name = "heatmap", .draw = draw};
