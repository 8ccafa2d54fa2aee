/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * heatmap_panel.c: the numbers beside the heatmap, the most important ones first: values under the cursor, the snapshot, how
 * the picture differs from what was requested, the run, and the colours.
 */
#include "view/heatmap.h"
#include "view/number_text.h"

#include <barlow/text.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { SCALE_COLUMNS = 34, SCALE_ROWS = 3 };

/* A rectangle of the canvas, and the row of the next line. */
struct panel {
	bl_canvas *c;
	bl_rect r;
	int y;
};

static void line(struct panel *p, bl_paint paint, const char *fmt, ...) BL_PRINTF(3, 4);
static void line(struct panel *p, bl_paint paint, const char *fmt, ...)
{
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (p->y < p->r.y + p->r.h)
		bl_canvas_text(p->c, p->r.x, p->y++, p->r.w, paint, text);
}

/* --- The cursor --------------------------------------------------------------------- */

/* Names the dimensions from..to - 1 of the picture: a range; if they are sorted, the first and the number of others. */
static void name_dims(char out[48], const bl_picture *p, int axis, int from, int to)
{
	int cell = 0;
	while (cell + 1 < p->cells && p->edge[axis][cell + 1] <= from)
		cell++;
	int first = p->dim[axis][cell] + 1;
	if (to - from == 1)
		snprintf(out, 48, "%d", first);
	else if (p->part.order == BL_ORDER_PLAIN)
		snprintf(out, 48, "%d..%d", first, first + to - from - 1);
	else
		snprintf(out, 48, "%d and %d more", first, to - from - 1);
}

/* Finds the block under the cursor.  False: there is no cursor, or the picture is of another part of the matrix. */
static bool block_at_cursor(const bl_look *l, const bl_picture *p, bl_heat_fit fit, bl_heat_block *b)
{
	int row = l->at[0] - p->part.row, col = l->at[1] - p->part.col;
	bl_heat_source m = bl_picture_source(p);
	if (!l->pointing || row < 0 || col < 0 || row >= p->part.rows || col >= p->part.cols)
		return false;
	*b = bl_heat_block_of_dims(fit, &m, row, col);
	return true;
}

/* Draws the values of a block, in one line if there is room. */
static void draw_values(struct panel *p, const bl_heat_block *b, const char *whose)
{
	char first[48], rest[64];
	if (b->to[0] - b->from[0] == 1 && b->to[1] - b->from[1] == 1) {
		line(p, BL_PAINT_TEXT, "%svalue %.4f", whose, bl_shown(b->mean, 4));
		return;
	}
	if (!isnan(b->diagonal))
		snprintf(first, sizeof first, "%sC_ii %.4f, rms of rest %.4f", whose, bl_shown(b->diagonal, 4),
		         isnan(b->rms) ? 0 : bl_shown(b->rms, 4));
	else if (!isnan(b->rms))
		snprintf(first, sizeof first, "%srms %.4f", whose, bl_shown(b->rms, 4));
	else
		snprintf(first, sizeof first, "%s", whose);
	snprintf(rest, sizeof rest, "mean %.4f, largest %.4f", bl_shown(b->mean, 4), bl_shown(b->extreme, 4));
	if (bl_canvas_columns(first) + bl_canvas_columns(rest) + 2 <= p->r.w) {
		line(p, BL_PAINT_TEXT, "%s%s%s", first, isnan(b->rms) ? "" : ", ", rest);
		return;
	}
	line(p, BL_PAINT_TEXT, "%s", first);
	if (bl_canvas_columns(rest) <= p->r.w) {
		line(p, BL_PAINT_TEXT, "%s", rest);
		return;
	}
	line(p, BL_PAINT_TEXT, "mean %.4f", bl_shown(b->mean, 4));
	line(p, BL_PAINT_TEXT, "largest %.4f", bl_shown(b->extreme, 4));
}

static void draw_cursor(const bl_scene *s, struct panel *p, const bl_heatmap_layout *place)
{
	bl_heat_block b;
	char i[48], j[48];
	if (!block_at_cursor(bl_heatmap_look(s), &bl_heatmap_look(s)->shown, place->fit[0], &b))
		return;
	name_dims(i, &bl_heatmap_look(s)->shown, 0, b.from[0], b.to[0]);
	name_dims(j, &bl_heatmap_look(s)->shown, 1, b.from[1], b.to[1]);
	line(p, BL_PAINT_TITLE, "i %s, j %s", i, j);
	draw_values(p, &b, "");
	if (place->pictures > 1 && block_at_cursor(bl_heatmap_look(s), &bl_heatmap_look(s)->beside, place->fit[1], &b))
		draw_values(p, &b, "other: ");
}

/* --- The snapshot, and differences from the request ----------------------------------- */

static void draw_moment(const bl_scene *s, struct panel *p)
{
	const bl_look *l = bl_heatmap_look(s);
	int k = 0;
	while (k < l->stored && l->stored_step[k] < l->past.step)
		k++;
	if (l->past.step < 0)
		line(p, BL_PAINT_TEXT, "step %lld", (long long)l->shown.step);
	else
		line(p, BL_PAINT_WARN, "step %lld, %d of %d stored", (long long)l->shown.step, k + 1, l->stored);
	if (l->differs)
		line(p, BL_PAINT_WARN, "minus step %lld", (long long)l->reference.step);
	else if (l->difference)
		line(p, BL_PAINT_WARN, "no difference: step %lld has other dims", (long long)l->reference.step);
	else if (l->reference.step >= 0)
		line(p, BL_PAINT_FAINT, "reference: step %lld", (long long)l->reference.step);
}

/* Why the picture is not what was requested; "": it is. */
static const char *missing_text(const bl_scene *s, const bl_region *part)
{
	const bl_look *l = bl_heatmap_look(s);
	const bl_picture *p = &l->shown;
	bool final = l->past.step >= 0 || s->lost || bl_scene_over(s); /* the run cannot compute this part any more */
	bool same_matrix = p->part.matrix == part->matrix && p->part.order == part->order;
	if (bl_picture_is(p, part) && p->cells >= (part->rows < BL_GRID_MAX ? part->rows : BL_GRID_MAX))
		return "";
	if (final)
		return same_matrix ? "no finer cells were stored" : "only C, in the original order, was stored";
	if (part->order == BL_ORDER_CLUSTER && p->d > BL_CLUSTER_MOST)
		return "D is too large to sort by cluster";
	if (s->read_only)
		return "read-only: not requested from the run";
	return part->order != p->part.order ? "being sorted by the run" : "requested, not here yet";
}

/* Draws how a dot was computed from several elements. */
static void draw_pooling(const bl_scene *s, struct panel *p, const bl_picture *shown)
{
	const bl_heat_sample *a = &shown->sample;
	bl_heat_source m = bl_picture_source(shown);
	bl_pool pool = bl_heat_pool(&m, s->heat);
	bl_kind kind = bl_heatmap_look(s)->kind;
	if (pool != s->heat.pool)
		line(p, BL_PAINT_WARN, "largest, since no rms was stored");
	if (pool == BL_POOL_RMS && a->rms < 1)
		line(p, BL_PAINT_WARN, "rms from %.2g%% of the pairs, %s%.2g%%", 100 * a->rms, p->c->can.utf8 ? "±" : "+-",
		     100 * a->error);
	else if (pool == BL_POOL_RMS)
		line(p, BL_PAINT_TEXT, "rms of all elements");
	if (pool == BL_POOL_LARGEST && a->largest < 1)
		line(p, BL_PAINT_WARN, "largest of %.3g%%, a sample", 100 * a->largest);
	if (pool == BL_POOL_RMS || (kind == BL_KIND_MINUS_I && pool == BL_POOL_LARGEST))
		line(p, BL_PAINT_FAINT, kind == BL_KIND_MINUS_I ? "on the diagonal: C_ii - 1" : "on the diagonal: C_ii");
	if (kind == BL_KIND_MAGNITUDE && pool == BL_POOL_MEAN)
		line(p, BL_PAINT_FAINT, "magnitudes of means");
}

static void draw_state(const bl_scene *s, struct panel *p)
{
	static const char *const orders[] = { "as they are", "by C_ii", "by cluster" };
	const bl_picture *shown = &bl_heatmap_look(s)->shown;
	bl_region part = bl_look_part(bl_heatmap_look(s), shown->d);
	const char *missing = missing_text(s, &part);
	line(p, BL_PAINT_TEXT, "dims %s", orders[shown->part.order]);
	if (*missing)
		line(p, BL_PAINT_WARN, "%s", missing);
	if (shown->cells < shown->part.rows)
		draw_pooling(s, p, shown);
}

static void draw_run(const bl_scene *s, struct panel *p)
{
	const bl_snapshot *n = bl_heatmap_snapshot(s);
	line(p, BL_PAINT_TEXT, "N %d, D %d", (int)n->n, (int)n->d);
	if (n->dead > 0)
		line(p, BL_PAINT_WARN, "%d dead %s", (int)n->dead, bl_text_plural(n->dead, "dim", "dims"));
	if (!isnan(n->rankme) && n->spectrum > 0)
		line(p, BL_PAINT_TEXT, "RankMe %.1f", n->rankme);
}

static void draw_colours(const bl_scene *s, struct panel *p, const bl_heatmap_layout *place)
{
	bl_heat_source m = bl_picture_source(&bl_heatmap_look(s)->shown);
	bl_scale scale = bl_heat_scale_of(place->fit[0], &m, s->heat);
	char says[BL_HEAT_SCALE_TEXT];
	if (p->y + SCALE_ROWS > p->r.y + p->r.h)
		return;
	p->y++;
	bl_heat_scale_caption(says, p->r.w, p->c->can, scale);
	line(p, BL_PAINT_FAINT, "%s", says);
	bl_heat_scale(p->c, p->r.x, p->y++, p->r.w < SCALE_COLUMNS ? p->r.w : SCALE_COLUMNS);
}

void bl_heatmap_panel(const bl_scene *s, bl_canvas *c, const bl_heatmap_layout *place)
{
	struct panel p = { c, place->panel, place->panel.y };
	draw_cursor(s, &p, place);
	draw_moment(s, &p);
	draw_state(s, &p);
	draw_run(s, &p);
	draw_colours(s, &p, place);
	bl_rect rest = { p.r.x, p.y + 1, p.r.w, p.r.y + p.r.h - p.y - 1 };
	if (place->pictures == 1)
		bl_heatmap_side(s, c, rest);
}
