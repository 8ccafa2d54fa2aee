/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * heatmap_side.c: beside the heatmap, if there is room: the off-diagonal elements compared with chance, the sorted C_ii,
 * the largest pairs.
 */
#include "view/chart.h"
#include "view/heatmap.h"
#include "view/histogram.h"
#include "view/number_text.h"

#include <stdio.h>

enum { TWO_FROM_ROWS = 11, THREE_FROM_ROWS = 19, PAIR_COLUMNS = 22, CHART_MIN_COLUMNS = 20 };

/* Draws C_ii in descending order, so that the dims that differ most between the views are at the end. */
static void draw_diagonal(const bl_snapshot *p, bl_canvas *c, bl_rect r)
{
	double x[BL_QUANTILES], y[BL_QUANTILES];
	for (int k = 0; k < BL_QUANTILES; k++) {
		x[k] = 1 + (double)k / (BL_QUANTILES - 1) * (p->d - 1);
		y[k] = (double)p->quantile[BL_QUANTILES - 1 - k];
	}
	bl_line line = { "C_ii", 'o', 0, BL_PAINT_INVARIANCE, x, y, BL_QUANTILES };
	bl_chart_draw(c, r,
	              &(bl_chart){ .title = "diagonal, sorted",
	                           .lines = &line,
	                           .n = 1,
	                           .integer_x = true,
	                           .axis = BL_AXIS_LINEAR,
	                           .x_name = "dims" });
}

/* Draws the pairs in as many columns as fit. */
static void draw_pairs(const bl_snapshot *p, bl_canvas *c, bl_rect r)
{
	double share = (double)p->grid_elements / ((double)p->d * p->d);
	int columns = r.w / PAIR_COLUMNS > 1 ? r.w / PAIR_COLUMNS : 1, rows = r.h - 1;
	int n = bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_TITLE, "largest off the diagonal");
	bl_canvas_bold(c, r.x, r.y, n);
	if (share < 1)
		bl_canvas_textf(c, r.x + n, r.y, r.w - n, BL_PAINT_FAINT, ", of %.2g%%", 100 * share);
	for (int k = 0; k < p->pairs && k < rows * columns; k++)
		bl_canvas_textf(c, r.x + k / rows * PAIR_COLUMNS, r.y + 1 + k % rows, PAIR_COLUMNS - 1, BL_PAINT_TEXT,
		                "%5d %5d %8.4f", p->pair[k].i + 1, p->pair[k].j + 1, bl_shown((double)p->pair[k].value, 4));
}

void bl_heatmap_side(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_snapshot *p = bl_heatmap_snapshot(s);
	int parts = r.h >= THREE_FROM_ROWS ? 3 : r.h >= TWO_FROM_ROWS ? 2 : 1;
	int rows = r.h / parts;
	if (r.h < BL_HISTOGRAM_MIN_ROWS || r.w < CHART_MIN_COLUMNS)
		return;
	bl_histogram_draw(c, (bl_rect){ r.x, r.y, r.w, rows - (parts > 1) }, p);
	if (parts > 2)
		draw_diagonal(p, c, (bl_rect){ r.x, r.y + rows, r.w, rows - 1 });
	if (parts > 1 && p->pairs > 0)
		draw_pairs(p, c, (bl_rect){ r.x, r.y + (parts - 1) * rows, r.w, r.h - (parts - 1) * rows });
}
