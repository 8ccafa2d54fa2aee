/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heatmap_several.c: the matrices of this run and of the marked ones side by side, in the largest common size. */
#include "view/heatmap.h"

#include <stdio.h>
#include <string.h>

enum { GAP = 2, TITLE_ROWS = 1 };

struct tiles {
	int n, across, w, h; /* of one picture, without its title */
};

/* Lists the marked runs other than this one; returns their number. */
static int others(const bl_scene *s, bl_live *list[BL_MARKED_MAX])
{
	int n = 0;
	for (int i = 0; i < BL_MARKED_MAX; i++) {
		bl_live_info info;
		if (!s->marked[i])
			continue;
		bl_live_info_get(s->marked[i], &info);
		bool same = info.pid == s->info.pid && info.started == s->info.started && strcmp(info.name, s->info.name) == 0;
		if (!same)
			list[n++] = s->marked[i];
	}
	return n;
}

int bl_heatmap_others(const bl_scene *s)
{
	bl_live *list[BL_MARKED_MAX];
	return others(s, list);
}

static struct tiles tiles_of(int n, int across, bl_rect r)
{
	int down = (n + across - 1) / across;
	return (struct tiles){ n, across, (r.w - (across - 1) * GAP) / across, r.h / down - TITLE_ROWS };
}

/* Chooses the number of pictures in a row that makes the pictures largest. */
static struct tiles lay_out(int n, bl_ability can, bl_rect r, const bl_heat_source *m)
{
	struct tiles best = tiles_of(n, n, r);
	int most = -1;
	for (int across = 1; across <= n; across++) {
		struct tiles t = tiles_of(n, across, r);
		if (t.w < 1 || t.h < 1)
			continue;
		bl_heat_fit fit = bl_heat_measure(can, t.w, t.h, m);
		if (fit.w * fit.h > most) {
			most = fit.w * fit.h;
			best = t;
		}
	}
	return best;
}

static void draw_tile(const bl_scene *s, bl_canvas *c, bl_rect r, const struct tiles *t, int place, const char *name,
                      const bl_picture *p)
{
	int x = r.x + place % t->across * (t->w + GAP), y = r.y + place / t->across * (t->h + TITLE_ROWS);
	if (p->step < 0) {
		bl_canvas_textf(c, x, y, t->w, BL_PAINT_FAINT, "%s: no snapshot", name);
		return;
	}
	bl_heat_source m = bl_picture_source(p);
	bl_canvas_textf(c, x, y, t->w, place == 0 ? BL_PAINT_TITLE : BL_PAINT_TEXT, "%s  step %lld  D %d", name, (long long)p->step,
	                p->d);
	bl_heat_draw(c, x, y + TITLE_ROWS, bl_heat_measure(c->can, t->w, t->h, &m), &m, s->heat);
}

void bl_heatmap_several(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	bl_look *l = bl_heatmap_look(s);
	bl_live *list[BL_MARKED_MAX];
	int n = others(s, list);
	bl_canvas_textf(c, r.x, r.y, r.w, BL_PAINT_FAINT, "%s of this run and of the marked ones, newest snapshots; M: back",
	                bl_heatmap_name(l, &l->shown));
	r = (bl_rect){ r.x, r.y + TITLE_ROWS, r.w, r.h - TITLE_ROWS };
	bl_heat_source m = bl_picture_source(&l->shown);
	struct tiles t = lay_out(n + 1, c->can, r, &m);
	if (t.w < 1 || t.h < 1) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_WARN, "no room for so many pictures");
		return;
	}
	draw_tile(s, c, r, &t, 0, s->info.name, &l->shown);
	for (int i = 0; i < n; i++) {
		bl_live_info info;
		bl_live_info_get(list[i], &info);
		l->beside.step = -1;
		if (bl_live_snapshot(list[i], &l->several_of) >= 0)
			bl_look_take_other(l, &l->several_of);
		draw_tile(s, c, r, &t, i + 1, info.name, &l->beside);
	}
	l->beside.step = -1;
}
