/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heatmap.c: the view of the heatmap: the matrix of one or two runs on the whole screen, and a time line of the snapshots. */
#include "view/heatmap.h"

#include <stdio.h>

static void start(bl_scene *s)
{
	bl_look_start(bl_heatmap_look(s));
}

static void draw_title(const bl_scene *s, bl_canvas *c, const bl_picture *p, bl_rect at, bl_heat_fit fit, const char *run)
{
	const bl_region *r = &p->part;
	const char *name = bl_heatmap_name(bl_heatmap_look(s), p),
		   *change = bl_heatmap_look(s)->differs && p == &bl_heatmap_look(s)->shown ? "change of " : "";
	char what[280], title[180], brief[240], says[400];
	snprintf(title, sizeof title, "%s%s%s", run, change, name);
	snprintf(brief, sizeof brief, "%s", title);
	if (r->rows < p->d || r->cols < p->d) {
		snprintf(what, sizeof what, "%s  %d..%d x %d..%d of %d", title, r->row + 1, r->row + r->rows, r->col + 1,
		         r->col + r->cols, p->d);
		snprintf(brief, sizeof brief, "%s from %d, %d", title, r->row + 1, r->col + 1);
	} else {
		snprintf(what, sizeof what, "%s  D %d", title, p->d);
	}
	bl_heat_source m = bl_picture_source(p);
	bl_heat_caption(says, sizeof says, at.w, what, brief, fit, bl_heat_pool(&m, s->heat), p->sample);
	int named = bl_canvas_columns(title) < at.w ? bl_canvas_columns(title) : at.w;
	bl_canvas_text(c, at.x, at.y, at.w, BL_PAINT_FAINT, says);
	bl_canvas_part(c, at.x, at.y, named, BL_PAINT_TITLE, says);
	bl_canvas_bold(c, at.x, at.y, named);
}

static void draw_cursor(const bl_scene *s, bl_canvas *c, const bl_picture *p, bl_rect at, bl_heat_fit fit)
{
	const bl_look *l = bl_heatmap_look(s);
	int row = l->at[0] - p->part.row, col = l->at[1] - p->part.col;
	if (!l->pointing || row < 0 || col < 0 || row >= p->part.rows || col >= p->part.cols)
		return;
	bl_heat_source m = bl_picture_source(p);
	bl_heat_block b = bl_heat_block_of_dims(fit, &m, row, col);
	bl_heat_mark(c, at.x, at.y, fit, &m, &b);
}

/* Draws C_jj of the picture's columns as bars below it. */
static void draw_strip(const bl_scene *s, bl_canvas *c, const bl_picture *p, const bl_heatmap_layout *place)
{
	const bl_snapshot *n = bl_heatmap_snapshot(s);
	bl_heat_source m = bl_picture_source(p);
	int64_t from = (int64_t)p->part.col * n->diag / n->d, to = (int64_t)(p->part.col + p->part.cols) * n->diag / n->d;
	if (to > from)
		bl_heat_strip(c, place->picture[0].x, place->strip_y, place->fit[0].w, n->diagonal + from, (int)(to - from),
		              bl_heat_scale_of(place->fit[0], &m, s->heat));
}

/* Draws a time line from step 0 to the last, with the stored snapshots, and the one that is shown. */
static void draw_time(const bl_scene *s, bl_canvas *c, bl_rect r, int y)
{
	const bl_look *l = bl_heatmap_look(s);
	int64_t last = s->info.step > l->past.step ? s->info.step : l->past.step;
	char text[64];
	int n = snprintf(text, sizeof text, "step %lld of %lld", (long long)l->past.step, (long long)last), bar = r.w - n - 2;
	bl_canvas_text(c, r.x + r.w - n, y, n, BL_PAINT_TITLE, text);
	for (int x = 0; x < bar; x++)
		bl_canvas_text(c, r.x + x, y, 1, BL_PAINT_FAINT, "─");
	for (int k = 0; k < l->stored && bar > 1; k++)
		bl_canvas_text(c, r.x + (int)(l->stored_step[k] * (bar - 1) / last), y, 1, BL_PAINT_FAINT, "┼");
	if (bar > 1)
		bl_canvas_text(c, r.x + (int)(l->past.step * (bar - 1) / last), y, 1, BL_PAINT_TITLE, "●");
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	bl_heatmap_layout p = bl_heatmap_lay_out(s, c->can, r);
	if (p.pictures == 0) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, "C: no snapshot yet");
		return;
	}
	if (bl_heatmap_look(s)->several && bl_heatmap_others(s) > 0) {
		bl_heatmap_several(s, c, r);
		return;
	}
	const bl_picture *shown[2] = { &bl_heatmap_look(s)->shown, &bl_heatmap_look(s)->beside };
	const char *names[2] = { s->info.name, s->other_info.name };
	for (int k = 0; k < p.pictures; k++) {
		int room = p.pictures > 1 ? (r.w - BL_HEATMAP_GAP) / 2 : r.w;
		char run[96] = "";
		if (p.pictures > 1)
			snprintf(run, sizeof run, "%s, step %lld: ", names[k], (long long)shown[k]->step);
		draw_title(s, c, shown[k], (bl_rect){ p.picture[k].x, r.y, room, 1 }, p.fit[k], run);
		bl_heat_source m = bl_picture_source(shown[k]);
		bl_heat_draw(c, p.picture[k].x, p.picture[k].y, p.fit[k], &m, s->heat);
		draw_cursor(s, c, shown[k], p.picture[k], p.fit[k]);
	}
	if (p.strip_y >= 0)
		draw_strip(s, c, shown[0], &p);
	if (p.time_y >= 0)
		draw_time(s, c, r, p.time_y);
	bl_heatmap_panel(s, c, &p);
}

static void want(const bl_scene *s, bl_region *r)
{
	int d = s->snapshot.step >= 0 ? s->snapshot.d : s->info.d;
	if (d > 0)
		*r = bl_look_part(bl_heatmap_look(s), d);
}

static int64_t step(const bl_scene *s)
{
	return bl_heatmap_snapshot(s)->step >= 0 ? bl_heatmap_snapshot(s)->step : s->info.step;
}

const bl_view_ops bl_view_heatmap = {
	.name = "heatmap",
	.scope = BL_SCOPE_HEATMAP,
	.draw = draw,
	.private_size = sizeof(bl_look),
	.start = start,
	.act = bl_heatmap_act,
	.mouse = bl_heatmap_mouse,
	.want = want,
	.step = step,
	.save = bl_heatmap_save,
};
