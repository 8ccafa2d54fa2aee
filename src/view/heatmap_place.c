/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heatmap_place.c: the content of the heatmap, and its layout on the screen. */
#include "view/heatmap.h"

enum {
	TITLE_ROWS = 1,
	STRIP_ROWS = 1,
	BESIDE_COLUMNS = 18, /* a narrower panel is placed below */
	BELOW_ROWS = 3,      /* rows of the panel below the pictures of two runs */
	BELOW_ROWS_HIGH = 7,
	HIGH_FROM_ROWS = 30,
};

bl_look *bl_heatmap_look(const bl_scene *s)
{
	return s->own[BL_SCOPE_HEATMAP];
}

const bl_snapshot *bl_heatmap_snapshot(const bl_scene *s)
{
	return bl_heatmap_look(s)->past.step >= 0 ? &bl_heatmap_look(s)->past : &s->snapshot;
}

const char *bl_heatmap_name(const bl_look *l, const bl_picture *p)
{
	if (p->part.matrix != BL_MATRIX_C)
		return p->part.matrix == BL_MATRIX_AA ? "C of view 1 with itself" : "C of view 2 with itself";
	if (l->kind == BL_KIND_MINUS_I)
		return p->of_embeddings ? "C - I of the embeddings" : "C - I";
	if (l->kind == BL_KIND_MAGNITUDE)
		return p->of_embeddings ? "|C| of the embeddings" : "|C|";
	return p->of_embeddings ? "C of the embeddings" : "C";
}

/* Places the picture at the top left, and the panel to its right, or below if there is too little width. */
static void place_one(bl_heatmap_layout *p, const bl_picture *shown, bl_ability can, bl_rect room, int below)
{
	bl_heat_source m = bl_picture_source(shown);
	p->fit[0] = bl_heat_measure(can, room.w, room.h - below, &m);
	p->picture[0] = (bl_rect){ room.x, room.y, p->fit[0].w, p->fit[0].h };
	int left = room.w - p->fit[0].w - BL_HEATMAP_GAP, under = p->fit[0].h + below;
	if (left >= BESIDE_COLUMNS)
		p->panel = (bl_rect){ room.x + p->fit[0].w + BL_HEATMAP_GAP, room.y, left, room.h };
	else
		p->panel = (bl_rect){ room.x, room.y + under, room.w, room.h - under };
}

/* Places two pictures side by side, and the panel below them. */
static void place_two(bl_heatmap_layout *p, const bl_look *l, bl_ability can, bl_rect room, int below)
{
	int half = (room.w - BL_HEATMAP_GAP) / 2;
	int high = room.h - (room.h >= HIGH_FROM_ROWS ? BELOW_ROWS_HIGH : BELOW_ROWS) - below;
	const bl_picture *shown[2] = { &l->shown, &l->beside };
	for (int k = 0; k < p->pictures; k++) {
		bl_heat_source m = bl_picture_source(shown[k]);
		p->fit[k] = bl_heat_measure(can, half, high > 1 ? high : 1, &m);
		p->picture[k] = (bl_rect){ room.x + k * (half + BL_HEATMAP_GAP), room.y, p->fit[k].w, p->fit[k].h };
	}
	int under = high + below;
	p->panel = (bl_rect){ room.x, room.y + under, room.w, room.h - under };
}

bl_heatmap_layout bl_heatmap_lay_out(const bl_scene *s, bl_ability can, bl_rect r)
{
	bl_heatmap_layout p = { .strip_y = -1, .time_y = -1 };
	bl_look *l = bl_heatmap_look(s);
	l->beside.step = -1;
	bl_look_take(l, bl_heatmap_snapshot(s));
	if (s->other)
		bl_look_take_other(l, l->past.step >= 0 && l->other == s->other ? &l->other_past : &s->other_snapshot);
	if (l->shown.step < 0)
		return p;
	p.pictures = l->beside.step >= 0 ? 2 : 1;
	bl_rect room = { r.x, r.y + TITLE_ROWS, r.w, r.h - TITLE_ROWS };
	if (l->past.step >= 0)
		p.time_y = room.y + --room.h;
	/* The bars of the diagonal are below the picture if the columns of both are the same. */
	bool strip = l->shown.part.matrix == BL_MATRIX_C && l->shown.part.order == BL_ORDER_PLAIN && !l->differs;
	int below = strip ? STRIP_ROWS : 0;
	if (p.pictures == 2)
		place_two(&p, l, can, room, below);
	else
		place_one(&p, &l->shown, can, room, below);
	if (below)
		p.strip_y = p.picture[0].y + p.picture[0].h;
	return p;
}
