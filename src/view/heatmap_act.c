/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heatmap_act.c: the effects of keys and the mouse on the heatmap. */
#include "base/bounded.h"
#include "view/frame.h"
#include "view/heatmap.h"

#include <stddef.h>

/* The layout of the heatmap as it was drawn last; if nothing was drawn yet, on a screen of 80 x 24 cells. */
static bl_heatmap_layout place_now(const bl_scene *s)
{
	static const bl_ability plain = { .depth = BL_DEPTH_MONO };
	bl_ability can = s->on ? s->on->can : plain;
	return bl_heatmap_lay_out(s, can, bl_frame_room(s, s->on ? s->on->width : 80, s->on ? s->on->height : 24));
}

/* --- The cursor ------------------------------------------------------------------- */

/* The place `by` blocks after block b on an axis.  Beyond the picture's edge, a block counts as many dimensions as b has. */
static int next_place(const bl_heat_source *m, bl_heat_fit fit, const bl_heat_block *b, int axis, int by)
{
	int at = b->at[axis] + by, blocks = bl_heat_blocks(fit, m, axis), size = b->to[axis] - b->from[axis];
	if (at < 0)
		return at * size;
	if (at >= blocks)
		return m->d - 1 + (at - blocks + 1) * size;
	bl_heat_block next = axis ? bl_heat_block_at(fit, m, b->at[0], at) : bl_heat_block_at(fit, m, at, b->at[1]);
	return next.from[axis];
}

static void move(bl_scene *s, int down, int right)
{
	bl_look *l = bl_heatmap_look(s);
	bl_heatmap_layout place = place_now(s);
	const bl_picture *p = &l->shown;
	if (place.pictures == 0)
		return;
	if (!l->pointing) /* the cursor starts in the middle */
		bl_look_point(l, p->d, p->part.row + p->part.rows / 2, p->part.col + p->part.cols / 2);
	bl_heat_source m = bl_picture_source(p);
	bl_heat_block b = bl_heat_block_of_dims(place.fit[0], &m, bl_bounded(l->at[0] - p->part.row, 0, m.d - 1),
	                                        bl_bounded(l->at[1] - p->part.col, 0, m.d - 1));
	int row = down ? p->part.row + next_place(&m, place.fit[0], &b, 0, down) : l->at[0];
	int col = right ? p->part.col + next_place(&m, place.fit[0], &b, 1, right) : l->at[1];
	bl_look_point(l, p->d, row, col);
}

static void move_far(bl_scene *s, int down, int right)
{
	bl_heatmap_layout place = place_now(s);
	bl_heat_source m = bl_picture_source(&bl_heatmap_look(s)->shown);
	if (place.pictures == 0)
		return;
	int rows = bl_heat_blocks(place.fit[0], &m, 0) / 2, cols = bl_heat_blocks(place.fit[0], &m, 1) / 2;
	move(s, down * (rows > 1 ? rows : 1), right * (cols > 1 ? cols : 1));
}

static void zoom(bl_scene *s, bool in)
{
	const bl_snapshot *p = bl_heatmap_snapshot(s);
	int d = p->step >= 0 ? p->d : s->info.d; /* a part may be requested before the run's first step */
	if (d > 0)
		bl_look_zoom(bl_heatmap_look(s), d, in);
}

/* Moves the cursor to the block under the mouse.  False: the mouse is not on a picture. */
static bool point_under(bl_scene *s, bl_mouse at)
{
	bl_heatmap_layout place = place_now(s);
	const bl_picture *shown[2] = { &bl_heatmap_look(s)->shown, &bl_heatmap_look(s)->beside };
	for (int k = 0; k < place.pictures; k++) {
		int x = at.x - place.picture[k].x, y = at.y - place.picture[k].y;
		if (x < 0 || y < 0 || x >= place.picture[k].w || y >= place.picture[k].h)
			continue;
		bl_heat_source m = bl_picture_source(shown[k]);
		bl_heat_block b = bl_heat_block_under(place.fit[k], &m, x, y);
		bl_look_point(bl_heatmap_look(s), shown[k]->d, shown[k]->part.row + b.from[0], shown[k]->part.col + b.from[1]);
		return true;
	}
	return false;
}

void bl_heatmap_mouse(bl_scene *s, bl_mouse m)
{
	if (!bl_heatmap_look(s)->several && point_under(s, m) && m.kind != BL_MOUSE_CLICK)
		zoom(s, m.kind == BL_MOUSE_WHEEL_UP);
}

/* --- Matrix, order and reference ------------------------------------------------------ */

static void next_order(bl_scene *s)
{
	static const char *const notices[] = { "dims as they are", "dims by C_ii, largest first", "similar dims side by side" };
	bl_look *l = bl_heatmap_look(s);
	l->order = (bl_order)((l->order + 1) % 3);
	bl_scene_notice(s, "%s%s", notices[l->order],
	                l->order != BL_ORDER_PLAIN && l->past.step >= 0 ? "; earlier snapshots have the original order only" : "");
}

static void freeze(bl_scene *s)
{
	bl_look *l = bl_heatmap_look(s);
	const bl_snapshot *p = bl_heatmap_snapshot(s);
	if (l->reference.step >= 0) {
		l->reference.step = -1;
		l->difference = false;
		bl_scene_notice(s, "the reference was removed");
	} else if (p->step >= 0) {
		l->reference = *p;
		bl_scene_notice(s, "step %lld is the reference; d shows what changed since", (long long)p->step);
	}
}

static void toggle_difference(bl_scene *s)
{
	bl_look *l = bl_heatmap_look(s);
	if (l->reference.step < 0)
		bl_scene_notice(s, "no reference yet: f makes this snapshot the reference");
	else
		l->difference = !l->difference;
}

static void toggle_several(bl_scene *s)
{
	bl_look *l = bl_heatmap_look(s);
	l->several = !l->several && bl_heatmap_others(s) > 0;
	if (bl_heatmap_others(s) == 0)
		bl_scene_notice(s, "no other run is marked: mark one with m in the table of runs (7)");
}

/* --- Time ----------------------------------------------------------------------------- */

static void select_next(bl_scene *s, bool earlier)
{
	bl_look *l = bl_heatmap_look(s);
	bool was_now = l->past.step < 0;
	bl_look_step(l, s->run, s->other, earlier);
	if (l->past.step < 0 && was_now)
		bl_scene_notice(s, earlier ? "no earlier snapshot is stored" : "this is the newest snapshot already");
	else if (l->past.step < 0)
		bl_scene_notice(s, "following the newest snapshot again");
}

static void select_first(bl_scene *s)
{
	bl_look_first(bl_heatmap_look(s), s->run, s->other);
	if (bl_heatmap_look(s)->past.step < 0)
		bl_scene_notice(s, "no earlier snapshot is stored");
}

/* --- Keys ----------------------------------------------------------------------------- */

/* Moves the cursor if the request does so; returns whether it does. */
static bool act_on_cursor(bl_scene *s, bl_request r)
{
	static const struct {
		bl_request r;
		int down, right;
		bool far;
	} moves[] = {
		{ BL_REQUEST_LEFT, 0, -1, false },  { BL_REQUEST_RIGHT, 0, 1, false },    { BL_REQUEST_UP, -1, 0, false },
		{ BL_REQUEST_DOWN, 1, 0, false },   { BL_REQUEST_FAR_LEFT, 0, -1, true }, { BL_REQUEST_FAR_RIGHT, 0, 1, true },
		{ BL_REQUEST_FAR_UP, -1, 0, true }, { BL_REQUEST_FAR_DOWN, 1, 0, true },
	};
	for (size_t k = 0; k < sizeof moves / sizeof moves[0]; k++)
		if (moves[k].r == r) {
			(moves[k].far ? move_far : move)(s, moves[k].down, moves[k].right);
			return true;
		}
	return false;
}

void bl_heatmap_act(bl_scene *s, bl_request r)
{
	bl_look *l = bl_heatmap_look(s);
	if (act_on_cursor(s, r))
		return;
	if (r == BL_REQUEST_ZOOM_IN || r == BL_REQUEST_ZOOM_OUT)
		zoom(s, r == BL_REQUEST_ZOOM_IN);
	else if (r == BL_REQUEST_WHOLE)
		bl_look_whole(l);
	else if (r == BL_REQUEST_KIND)
		l->kind = (bl_kind)((l->kind + 1) % BL_KINDS);
	else if (r == BL_REQUEST_ORDER)
		next_order(s);
	else if (r == BL_REQUEST_SEVERAL)
		toggle_several(s);
	else if (r == BL_REQUEST_FREEZE)
		freeze(s);
	else if (r == BL_REQUEST_DIFFERENCE)
		toggle_difference(s);
	else if (r == BL_REQUEST_EARLIER || r == BL_REQUEST_LATER)
		select_next(s, r == BL_REQUEST_EARLIER);
	else if (r == BL_REQUEST_FIRST)
		select_first(s);
	else if (r == BL_REQUEST_NOW)
		bl_look_now(l);
}
