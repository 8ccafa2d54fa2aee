/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The curves of a run: the loss with its parts and floor above, scores and the user's own columns below. */
#include "figure/script.h"
#include "live/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 1100, HEIGHT_LOSS = 560, HEIGHT_MORE = 260, PANELS_MAX = 8, LOG_RATIO = 20, NAME_BYTES = 16 };

/* Lines over each other: columns of the history. */
typedef struct panel {
	int n, column[BL_COLUMNS_MAX];
} panel;

typedef struct panels {
	int n; /* the first is the loss */
	panel panel[PANELS_MAX];
} panels;

/* --- What is drawn ---------------------------------------------------------------- */

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

/* From below: a floor that is known, what the total is made of, the total. */
static panel loss_of(const bl_history *h)
{
	panel p = {.n = 0};
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
	panels all = {.n = 1, .panel = {loss_of(h)}};
	panel own = {.n = 0}, *scores = &all.panel[1];
	add_kind(scores, h, BL_COLUMN_SCORE);
	all.n += scores->n > 0;
	add_kind(&own, h, BL_COLUMN_OWN);
	for (int i = 0; i < own.n && all.n < PANELS_MAX; i++)
		all.panel[all.n++] = (panel){.n = 1, .column = {own.column[i]}};
	return all;
}

/* --- How --------------------------------------------------------------------------- */

static bl_ink ink_of(const bl_columns *c, int column)
{
	static const bl_ink parts[] = {BL_INK_BLUE, BL_INK_VERMILION, BL_INK_PURPLE, BL_INK_ORANGE, BL_INK_SKY};
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

/* Each column's points are a data block of its own. */
static const char *block(int column, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "COLUMN%d", column);
	return name;
}

static void add_blocks(bl_script *s, const bl_history *h, const panels *all)
{
	char name[NAME_BYTES];
	for (int i = 0; i < all->n; i++)
		for (int k = 0; k < all->panel[i].n; k++) {
			const double *x, *y;
			int column = all->panel[i].column[k], n = bl_history_line(h, column, &x, &y);
			bl_script_block(s, block(column, name), (const double *const[]){ x, y }, 2, n);
		}
}

/* The drawn values above 0; false where one is below, which no logarithmic axis can show. */
static bool find_range(const bl_history *h, const panel *p, double *lo, double *hi)
{
	*lo = INFINITY;
	*hi = 0;
	for (int k = 0; k < p->n; k++) {
		const double *x, *y;
		int n = bl_history_line(h, p->column[k], &x, &y);
		for (int i = 0; i < n; i++) {
			if (y[i] < 0)
				return false;
			*lo = y[i] > 0 ? fmin(*lo, y[i]) : *lo;
			*hi = isfinite(y[i]) ? fmax(*hi, y[i]) : *hi;
		}
	}
	return true;
}

static void add_lines(bl_script *s, const bl_history *h, const panel *p)
{
	const bl_columns *c = &h->columns;
	char name[NAME_BYTES];
	bl_script_add(s, "set key outside center top horizontal reverse Left invert\nplot ");
	for (int k = 0; k < p->n; k++) {
		const bl_column *i = &c->column[p->column[k]];
		const char *style = bl_column_rare(i) ? "linespoints linewidth 2 pointtype 7 pointsize .6"
				    : i->kind == BL_COLUMN_FLOOR ? "lines linewidth 1.5 dashtype 2"
								 : "lines linewidth 2";
		bl_script_add(s, "%s$%s with %s linecolor rgb '%s' ", k ? ", " : "", block(p->column[k], name), style,
			      bl_ink_text((int)ink_of(c, p->column[k])));
		if (p->n == 1) {
			bl_script_add(s, "notitle");
			continue;
		}
		bl_script_add(s, "title ");
		bl_script_quoted(s, bl_column_label(i));
	}
	bl_script_add(s, "\n");
}

static void add_loss(bl_script *s, const bl_history *h, const panel *p)
{
	double lo, hi;
	bl_script_add(s, "set ylabel 'loss'\n");
	if (find_range(h, p, &lo, &hi) && hi > LOG_RATIO * lo)
		bl_script_log_axis(s, 'y', lo, hi);
	add_lines(s, h, p);
}

static void add_more(bl_script *s, const bl_history *h, const panel *p)
{
	bl_script_add(s, "unset logscale y\nset autoscale y\nunset title\nset ytics autofreq\nset format y '%%g'\nset offsets 0, 0, graph .1, graph .1\nset ylabel ");
	bl_script_quoted(s, bl_column_label(&h->columns.column[p->column[0]]));
	bl_script_add(s, "\n");
	add_lines(s, h, p);
}

static void add_title(bl_script *s, const bl_live *run)
{
	bl_live_info i;
	bl_live_info_get(run, &i);
	bl_script_add(s, "set title ");
	bl_script_quoted(s, i.name);
	bl_script_add(s, ".'   (batch %d, D %d)'\n", (int)i.batch, (int)i.d);
}

static int height_of(const panels *all)
{
	return HEIGHT_LOSS + HEIGHT_MORE * (all->n - 1);
}

/* The room of a panel: they lie below each other, in parts of the whole height. */
static void add_room(bl_script *s, const panels *all, int i)
{
	double more = (double)HEIGHT_MORE / height_of(all);
	bl_script_add(s, "set origin 0, %.9g\nset size 1, %.9g\n", more * (all->n - 1 - i), i ? more : 1 - more * (all->n - 1));
}

static void add_panels(bl_script *s, const bl_history *h, const panels *all, const bl_live *run)
{
	add_blocks(s, h, all);
	bl_script_add(s, "set lmargin 10\nset rmargin 3\nset xrange [%.9g:%.9g]\n", h->step[0] - 1,
		      fmax((double)h->last.step, h->step[0] + 1));
	if (h->stride > 1)
		bl_script_add(s, "set xlabel 'step (a point is the mean of %lld steps)'\n", (long long)h->stride);
	else
		bl_script_add(s, "set xlabel 'step'\n");
	add_title(s, run);
	if (all->n > 1)
		bl_script_add(s, "set multiplot\n");
	for (int i = 0; i < all->n; i++) {
		if (all->n > 1)
			add_room(s, all, i);
		if (i == 0)
			add_loss(s, h, &all->panel[0]);
		else
			add_more(s, h, &all->panel[i]);
		bl_script_add(s, "set xlabel 'step'\n");
	}
	if (all->n > 1)
		bl_script_add(s, "unset multiplot\n");
}

static bl_figure *draw(const bl_history *h, const bl_live *run)
{
	panels all = choose(h);
	if (h->seen == 0 || all.panel[0].n == 0)
		return bl_fail_null("the run has no records yet: there are no curves to draw");
	bl_script *s = bl_script_new(WIDTH, height_of(&all));
	if (s)
		add_panels(s, h, &all, run);
	return s ? bl_script_figure(s) : NULL;
}

bl_figure *bl_figure_curves(const bl_live *run)
{
	bl_history *h = malloc(sizeof *h);
	if (!h)
		return bl_fail_null("no memory for a run's records");
	bl_history_reset(h);
	while (bl_history_read(h, run))
		;
	bl_figure *f = draw(h, run);
	free(h);
	return f;
}
