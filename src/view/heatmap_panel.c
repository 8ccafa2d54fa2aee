/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers beside the heatmap, what matters most first: the cursor, the moment, what is not as it was asked for. */
#include "view/heatmap.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { SCALE_COLUMNS = 34, SCALE_ROWS = 3, WIDE = 40 };

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

/* In the order as it is a block's dims are a range; else the first is told. */
static void name_dims(char out[48], const bl_picture *p, int axis, int from, int to)
{
	int cell = 0;
	while (cell + 1 < p->cells && p->edge[axis][cell + 1] <= from)
		cell++;
	int first = p->dim[axis][cell];
	if (to - from == 1)
		snprintf(out, 48, "%d", first);
	else if (p->part.order == BL_ORDER_PLAIN)
		snprintf(out, 48, "%d..%d", first, first + to - from - 1);
	else
		snprintf(out, 48, "%d and %d more", first, to - from - 1);
}

/* False: the cursor is not on the picture, which may be an older part. */
static bool block_at_cursor(const bl_look *l, const bl_picture *p, bl_heat_fit fit, bl_heat_block *b)
{
	int row = l->at[0] - p->part.row, col = l->at[1] - p->part.col;
	bl_heat_source m = bl_picture_source(p);
	if (!l->pointing || row < 0 || col < 0 || row >= p->part.rows || col >= p->part.cols)
		return false;
	*b = bl_heat_block_of_dims(fit, &m, row, col);
	return true;
}

static void tell_values(struct panel *p, const bl_heat_block *b, const char *whose)
{
	if (b->to[0] - b->from[0] == 1 && b->to[1] - b->from[1] == 1)
		line(p, BL_PAINT_TEXT, "%svalue %.4f", whose, b->mean);
	else if (p->r.w >= WIDE)
		line(p, BL_PAINT_TEXT, "%smean %.4f, largest %.4f", whose, b->mean, b->extreme);
	else {
		line(p, BL_PAINT_TEXT, "%smean %.4f", whose, b->mean);
		line(p, BL_PAINT_TEXT, "%slargest %.4f", whose, b->extreme);
	}
}

static void tell_cursor(const bl_scene *s, struct panel *p, const bl_heatmap_place *place)
{
	bl_heat_block b;
	char i[48], j[48];
	if (!block_at_cursor(s->look, &s->look->shown, place->fit[0], &b))
		return;
	name_dims(i, &s->look->shown, 0, b.from[0], b.to[0]);
	name_dims(j, &s->look->shown, 1, b.from[1], b.to[1]);
	line(p, BL_PAINT_TITLE, "i %s, j %s", i, j);
	tell_values(p, &b, "");
	if (place->pictures > 1 && block_at_cursor(s->look, &s->look->beside, place->fit[1], &b))
		tell_values(p, &b, "there: ");
}

/* --- The moment, and what it is not ---------------------------------------------------- */

static void tell_moment(const bl_scene *s, struct panel *p)
{
	const bl_look *l = s->look;
	int k = 0;
	while (k < l->kept && l->kept_step[k] < l->past.step)
		k++;
	if (l->past.step < 0)
		line(p, BL_PAINT_TEXT, "step %lld", (long long)l->shown.step);
	else
		line(p, BL_PAINT_WARN, "step %lld, %d of %d kept", (long long)l->shown.step, k + 1, l->kept);
	if (l->differs)
		line(p, BL_PAINT_WARN, "minus that of step %lld", (long long)l->reference.step);
	else if (l->difference)
		line(p, BL_PAINT_WARN, "no difference: step %lld has not these dims", (long long)l->reference.step);
	else if (l->reference.step >= 0)
		line(p, BL_PAINT_FAINT, "reference: step %lld", (long long)l->reference.step);
}

/* Why the picture is another than was asked for; "": it is not. */
static const char *why_not(const bl_scene *s, const bl_region *part)
{
	const bl_look *l = s->look;
	const bl_picture *p = &l->shown;
	bool gone = l->past.step >= 0 || s->lost || bl_scene_over(s);
	bool whole_cells = p->part.matrix == part->matrix && p->part.order == part->order;
	bool sorted_out = part->order != BL_ORDER_PLAIN && s->snapshot.region_rows > 0 &&
			  s->snapshot.region.matrix == part->matrix && s->snapshot.region.order == BL_ORDER_PLAIN &&
			  s->snapshot.region.rows == part->rows && s->snapshot.region.row == part->row;
	if (bl_picture_is(p, part) && p->cells >= (part->rows < BL_GRID_MAX ? part->rows : BL_GRID_MAX))
		return "";
	if (gone)
		return whole_cells ? "only these cells were kept" : "only C as it is was kept";
	if (sorted_out && part->order == BL_ORDER_CLUSTER)
		return "D is too large to sort by cluster";
	if (s->read_only)
		return "only looking: the run is not asked";
	return "asked for, not here yet";
}

static void tell_state(const bl_scene *s, struct panel *p)
{
	static const char *const orders[] = {"as they are", "by C_ii", "by cluster"};
	const bl_picture *shown = &s->look->shown;
	bl_region part = bl_look_part(s->look, shown->d);
	const char *why = why_not(s, &part);
	line(p, BL_PAINT_TEXT, "dims %s", orders[shown->part.order]);
	if (*why)
		line(p, BL_PAINT_WARN, "%s", why);
	if (shown->share < 1)
		line(p, BL_PAINT_WARN, "largest of %.3g%%, a sample", 100 * shown->share);
	if (s->look->kind == BL_KIND_MAGNITUDE && !s->heat.extreme && shown->cells < shown->part.rows)
		line(p, BL_PAINT_FAINT, "magnitudes of means");
	if (s->look->kind == BL_KIND_MINUS_I && s->heat.extreme && shown->cells < shown->part.rows)
		line(p, BL_PAINT_FAINT, "on the diagonal: C_ii - 1");
}

static void tell_run(const bl_scene *s, struct panel *p)
{
	const bl_snapshot *n = bl_heatmap_snapshot(s);
	line(p, BL_PAINT_TEXT, "N %d, D %d", (int)n->n, (int)n->d);
	if (n->dead > 0)
		line(p, BL_PAINT_WARN, "%d dead dim%s", (int)n->dead, n->dead == 1 ? "" : "s");
	if (!isnan(n->rankme) && n->spectrum > 0)
		line(p, BL_PAINT_TEXT, "RankMe %.1f", n->rankme);
}

void bl_heatmap_panel(const bl_scene *s, bl_canvas *c, const bl_heatmap_place *place)
{
	struct panel p = {c, place->panel, place->panel.y};
	tell_cursor(s, &p, place);
	tell_moment(s, &p);
	tell_state(s, &p);
	tell_run(s, &p);
	if (p.y + SCALE_ROWS > p.r.y + p.r.h)
		return;
	bl_canvas_textf(c, p.r.x, p.y + 1, p.r.w, BL_PAINT_FAINT, "colours: %s", s->heat.symlog ? "log" : "linear");
	bl_heat_scale(c, p.r.x, p.y + 2, p.r.w < SCALE_COLUMNS ? p.r.w : SCALE_COLUMNS, s->heat);
}
