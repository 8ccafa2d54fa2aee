/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure_curves.c: the curves of a run: the loss with its terms and floor above, scores and the user's columns below. */
#include <barlow/error.h>
#include <barlow/figure.h>

#include "live/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PANELS_MAX = 8, LOG_RATIO = 20, TITLE_BYTES = 128 };

/* A panel: the columns of the history that are its lines. */
typedef struct panel {
	int n, column[BL_COLUMNS_MAX];
} panel;

typedef struct panels {
	int n; /* number of panels; the first has the loss */
	panel panel[PANELS_MAX];
} panels;

/* --- Choice of panels and columns ------------------------------------------------- */

/* Does the column have a finite value? */
static bool has_points(const bl_history *h, int column)
{
	const double *x, *y;
	int n = bl_history_line(h, column, &x, &y), i = 0;
	while (i < n && !isfinite(y[i]))
		i++;
	return i < n;
}

static void add_kind(panel *p, const bl_history *h, bl_column_kind kind)
{
	for (int k = bl_columns_next(&h->columns, kind, 0); k >= 0; k = bl_columns_next(&h->columns, kind, k + 1))
		if (has_points(h, k))
			p->column[p->n++] = k;
}

/* The lines of the loss in drawing order: the floor, if known, the summands of the total, the total. */
static panel loss_of(const bl_history *h)
{
	panel p = { .n = 0 };
	add_kind(&p, h, BL_COLUMN_FLOOR);
	if (p.n && !(bl_history_newest(h, p.column[0]) > 0))
		p.n = 0;
	for (int k = h->columns.n - 1; k >= 0; k--)
		if (bl_columns_part(&h->columns, k) && has_points(h, k))
			p.column[p.n++] = k;
	add_kind(&p, h, BL_COLUMN_TOTAL);
	return p;
}

/* A panel for all scores, and one for each of the user's own columns. */
static panels choose(const bl_history *h)
{
	panels all = { .n = 1, .panel = { loss_of(h) } };
	panel own = { .n = 0 }, *scores = &all.panel[1];
	add_kind(scores, h, BL_COLUMN_SCORE);
	all.n += scores->n > 0;
	add_kind(&own, h, BL_COLUMN_OWN);
	for (int i = 0; i < own.n && all.n < PANELS_MAX; i++)
		all.panel[all.n++] = (panel){ .n = 1, .column = { own.column[i] } };
	return all;
}

/* --- Appearance -------------------------------------------------------------------- */

static bl_ink ink_of(const bl_columns *c, int column)
{
	static const bl_ink parts[] = { BL_INK_BLUE, BL_INK_VERMILION, BL_INK_PURPLE, BL_INK_ORANGE, BL_INK_SKY };
	int before = 0;
	switch ((bl_column_kind)c->column[column].kind) {
	case BL_COLUMN_TOTAL: return BL_INK_BLACK;
	case BL_COLUMN_FLOOR: return BL_INK_GREEN;
	case BL_COLUMN_SCORE: return BL_INK_PURPLE;
	case BL_COLUMN_OWN: return BL_INK_BLUE;
	default: break;
	}
	for (int k = 0; k < column; k++)
		before += bl_columns_part(c, k);
	return parts[before % (int)(sizeof parts / sizeof parts[0])];
}

/*
 * Can a logarithmic axis show all lines, and is their range wide enough for one?  It cannot if a line has a value below 0,
 * or none above 0.
 */
static bool is_wide(const bl_history *h, const panel *p)
{
	double lo = INFINITY, hi = 0; /* the range of the values above 0 */
	for (int k = 0; k < p->n; k++) {
		const double *x, *y;
		int n = bl_history_line(h, p->column[k], &x, &y);
		bool any = false;
		for (int i = 0; i < n; i++) {
			if (y[i] < 0)
				return false;
			any |= y[i] > 0 && isfinite(y[i]);
			lo = y[i] > 0 ? fmin(lo, y[i]) : lo;
			hi = isfinite(y[i]) ? fmax(hi, y[i]) : hi;
		}
		if (!any)
			return false;
	}
	return hi > LOG_RATIO * lo;
}

static int add_lines(const bl_history *h, const panel *p, bl_series out[BL_COLUMNS_MAX])
{
	for (int k = 0; k < p->n; k++) {
		const bl_column *c = &h->columns.column[p->column[k]];
		const double *x, *y;
		int n = bl_history_line(h, p->column[k], &x, &y);
		out[k] = (bl_series){ .label = p->n > 1 ? bl_column_label(c) : "",
			              .x = x,
			              .y = y,
			              .n = n,
			              .ink = 1 + (int)ink_of(&h->columns, p->column[k]),
			              .marks = bl_column_rare(c) ? BL_MARKS_ALL : BL_MARKS_NONE,
			              .dashed = c->kind == BL_COLUMN_FLOOR };
	}
	return p->n;
}

static bl_figure *make(const bl_history *h, const bl_live *run)
{
	panels all = choose(h);
	bl_panel out[PANELS_MAX];
	char title[TITLE_BYTES], step[64] = "step";
	bl_live_info i;
	if (h->seen == 0 || all.panel[0].n == 0)
		return bl_fail_null("the run has no records yet: there are no curves to draw");
	bl_series(*series)[BL_COLUMNS_MAX] = calloc(PANELS_MAX, sizeof *series);
	if (!series)
		return bl_fail_null("no memory for a figure");
	bl_live_info_get(run, &i);
	snprintf(title, sizeof title, "%s   (batch %d, D %d)", i.name, (int)i.batch, (int)i.d);
	if (h->stride > 1)
		snprintf(step, sizeof step, "step (a point is the mean of %lld steps)", (long long)h->stride);
	for (int k = 0; k < all.n; k++) {
		const panel *p = &all.panel[k];
		out[k] = (bl_panel){ series[k],
			             add_lines(h, p, series[k]),
			             { .title = k ? "" : title,
			               .xlabel = k + 1 == all.n ? step : "",
			               .ylabel = k ? bl_column_label(&h->columns.column[p->column[0]]) : "loss",
			               .logy = k == 0 && is_wide(h, p),
			               .from = h->step[0] - 1,
			               .to = fmax((double)h->last.step, h->step[0] + 1) } };
	}
	bl_figure *f = bl_figure_panels(out, all.n);
	free(series);
	return f;
}

bl_figure *bl_figure_curves_until(const bl_live *run, int64_t records)
{
	bl_history *h = malloc(sizeof *h);
	if (!h)
		return bl_fail_null("no memory for a run's records");
	bl_history_reset(h);
	while (bl_history_read_some(h, run, records, BL_HISTORY_READ))
		;
	bl_figure *f = make(h, run);
	free(h);
	return f;
}

bl_figure *bl_figure_curves(const bl_live *run)
{
	return bl_figure_curves_until(run, INT64_MAX);
}
