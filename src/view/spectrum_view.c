/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spectrum_view.c: the spectrum: eigenvalues of the embeddings' covariance, singular values of C, and the number of dims
 * in use, over time.
 */
#include "view/chart.h"
#include "view/export.h"
#include "view/timeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bl_timeline *timeline_of(const bl_scene *s)
{
	return bl_scene_own(s, &bl_view_spectrum);
}

enum { TWO_COLUMNS_FROM = 64, TWO_ROWS_FROM = 14, FACT_GAP = 3 };

/* --- Summary ---------------------------------------------------------------- */

/* The least number of principal axes that explain this share of the sum of all known eigenvalues; 0: unknown. */
static int dims_holding(const bl_moment *m, double share)
{
	double sum = 0, part = 0;
	for (int i = 0; i < m->spectrum; i++)
		sum += m->eigenvalues[i];
	for (int i = 0; i < m->spectrum && sum > 0; i++) {
		part += m->eigenvalues[i];
		if (part >= share * sum)
			return i + 1;
	}
	return 0;
}

/* Draws a text at column x if it fits; returns the column for the next one. */
static int draw_fact(bl_canvas *c, bl_rect r, int x, bl_paint p, const char *text)
{
	int need = bl_canvas_columns(text);
	if (x + need > r.w)
		return x;
	bl_canvas_text(c, r.x + x, r.y, need, p, text);
	return x + need + FACT_GAP;
}

static void draw_facts(const bl_timeline *past, const bl_moment *m, bl_canvas *c, bl_rect r)
{
	char text[96];
	int x = 0;
	snprintf(text, sizeof text, past->at ? "step %lld, earlier" : "step %lld", (long long)m->step);
	x = draw_fact(c, r, x, past->at ? BL_PAINT_WARN : BL_PAINT_TEXT, text);
	snprintf(text, sizeof text, "RankMe %.1f", m->rankme);
	x = isnan(m->rankme) ? x : draw_fact(c, r, x, BL_PAINT_REDUNDANCY, text);
	snprintf(text, sizeof text, "effective rank %.1f", m->effective);
	x = isnan(m->effective) ? x : draw_fact(c, r, x, BL_PAINT_INVARIANCE, text);
	snprintf(text, sizeof text, "dead %d of %d", (int)m->dead, (int)m->d);
	x = draw_fact(c, r, x, m->dead ? BL_PAINT_WARN : BL_PAINT_TEXT, text);
	snprintf(text, sizeof text, "90%% of the variance in %d", dims_holding(m, .9));
	x = m->spectrum ? draw_fact(c, r, x, BL_PAINT_TEXT, text) : x;
	snprintf(text, sizeof text, "the %d largest of %d are known", (int)m->spectrum, (int)m->d);
	if (m->spectrum && m->spectrum < m->d)
		draw_fact(c, r, x, BL_PAINT_FAINT, text);
}

/* --- Charts --------------------------------------------------------------- */

typedef const float *(*values_of)(const bl_moment *m);

static const float *eigenvalues_of(const bl_moment *m)
{
	return m->eigenvalues;
}

static const float *singular_of(const bl_moment *m)
{
	return m->singular;
}

struct curve {
	double x[BL_SPECTRUM_MAX], y[BL_SPECTRUM_MAX];
	int n;
};

static void load_values(struct curve *v, const bl_moment *m, values_of values)
{
	v->n = m->spectrum;
	for (int i = 0; i < v->n; i++) {
		v->x[i] = i + 1;
		v->y[i] = values(m)[i];
	}
}

/* Draws the values of the selected snapshot, and for comparison those of the first one that has a spectrum. */
static void draw_values(const bl_timeline *p, const bl_moment *m, bl_canvas *c, bl_rect r, const char *title, bl_paint paint,
                        values_of values)
{
	struct curve now, then = { .n = 0 };
	char then_label[32], now_label[32];
	int k = 0;
	while (k < p->n && !p->moment[k].spectrum)
		k++;
	const bl_moment *first = k < p->n ? &p->moment[k] : NULL;
	load_values(&now, m, values);
	if (first && first->step < m->step)
		load_values(&then, first, values);
	snprintf(then_label, sizeof then_label, "step %lld", (long long)(first ? first->step : 0));
	snprintf(now_label, sizeof now_label, "step %lld", (long long)m->step);
	bl_line lines[] = { { then_label, '.', 2, BL_PAINT_FAINT, then.x, then.y, then.n },
		            { now_label, 'o', 0, paint, now.x, now.y, now.n } };
	int from = then.n ? 0 : 1;
	bl_chart_draw(c, r,
	              &(bl_chart){ .title = title,
	                           .lines = lines + from,
	                           .n = 2 - from,
	                           .integer_x = true,
	                           .axis = BL_AXIS_LOG,
	                           .x_name = "number" });
}

/* Draws the ranks over time, and below them the number of dead dimensions, if there are any and there is room. */
static void draw_times(const bl_timeline *p, bl_canvas *c, bl_rect r)
{
	double step[BL_SNAPSHOTS_MAX], rankme[BL_SNAPSHOTS_MAX], effective[BL_SNAPSHOTS_MAX], dead[BL_SNAPSHOTS_MAX];
	int n = 0;
	bool any_dead = false;
	for (int i = 0; i < p->n; i++) {
		const bl_moment *m = &p->moment[i];
		if (!m->spectrum)
			continue;
		step[n] = (double)m->step;
		rankme[n] = m->rankme;
		effective[n] = m->effective;
		dead[n++] = m->dead;
		any_dead |= m->dead > 0;
	}
	bl_line ranks[] = { { "effective", 'e', 2, BL_PAINT_INVARIANCE, step, effective, n },
		            { "RankMe", 'R', 0, BL_PAINT_REDUNDANCY, step, rankme, n } };
	bl_line deaths = { "dead", 'd', 0, BL_PAINT_WARN, step, dead, n };
	bl_chart chart = { .title = "rank", .lines = ranks, .n = 2 };
	chart.integer_x = true;
	chart.axis = BL_AXIS_LINEAR;
	chart.cursor = (double)p->at;
	int rows = any_dead && r.h >= TWO_ROWS_FROM ? (r.h + 1) / 2 : r.h;
	bl_chart_draw(c, (bl_rect){ r.x, r.y, r.w, rows }, &chart);
	if (rows == r.h)
		return;
	chart.title = "dims without variance";
	chart.lines = &deaths;
	chart.n = 1;
	bl_chart_draw(c, (bl_rect){ r.x, r.y + rows, r.w, r.h - rows }, &chart);
}

/* --- The view ------------------------------------------------------------- */

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_moment *m = bl_timeline_moment(timeline_of(s));
	if (!m) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, "spectrum: no snapshot yet");
		return;
	}
	draw_facts(timeline_of(s), m, c, (bl_rect){ r.x, r.y, r.w, 1 });
	bl_rect left = { r.x, r.y + 1, r.w, r.h - 1 };
	if (r.w >= TWO_COLUMNS_FROM) {
		left.w = r.w / 2;
		draw_times(timeline_of(s), c, (bl_rect){ r.x + left.w + 1, left.y, r.w - left.w - 1, left.h });
	}
	/* The eigenvalues are drawn on screens of every size, the singular values below them if there is room. */
	int rows = left.h >= TWO_ROWS_FROM ? (left.h + 1) / 2 : left.h;
	bool brief = left.w < 60;
	draw_values(timeline_of(s), m, c, (bl_rect){ left.x, left.y, left.w, rows },
	            brief ? "eigenvalues" : "eigenvalues of the covariance", BL_PAINT_INVARIANCE, eigenvalues_of);
	if (rows < left.h)
		draw_values(timeline_of(s), m, c, (bl_rect){ left.x, left.y + rows, left.w, left.h - rows }, "singular values of C",
		            BL_PAINT_REDUNDANCY, singular_of);
}

/* --- Keys ----------------------------------------------------------------- */

static bool read_past(bl_scene *s)
{
	return bl_timeline_read(timeline_of(s), s->run, &s->snapshot);
}

static void enter(bl_scene *s)
{
	read_past(s);
}

static void end(bl_scene *s)
{
	bl_timeline_forget(timeline_of(s));
}

static void act(bl_scene *s, bl_request r)
{
	if (r == BL_REQUEST_SPECTRUM_FIRST)
		bl_timeline_first(timeline_of(s));
	else if (r == BL_REQUEST_SPECTRUM_NOW)
		bl_timeline_now(timeline_of(s));
	else
		bl_timeline_move(timeline_of(s), r == BL_REQUEST_SPECTRUM_LATER ? 1 : -1);
}

static int64_t step(const bl_scene *s)
{
	const bl_moment *m = bl_timeline_moment(timeline_of(s));
	return m ? m->step : s->info.step;
}

/* --- Files ---------------------------------------------------------------- */

static void write_values(const bl_scene *s, FILE *f)
{
	const bl_moment *m = bl_timeline_moment(timeline_of(s));
	fprintf(f, "number,eigenvalue,singular\n");
	for (int i = 0; i < m->spectrum; i++)
		fprintf(f, "%d,%.9g,%.9g\n", i + 1, m->eigenvalues[i], m->singular[i]);
}

/* Values of 0 are left out, since they cannot be drawn on a logarithmic axis. */
static void save_picture(bl_scene *s, const bl_moment *m, const char *stem)
{
	double number[BL_SPECTRUM_MAX], value[2][BL_SPECTRUM_MAX];
	char title[128];
	bool any_singular = false;
	for (int i = 0; i < m->spectrum; i++) {
		any_singular |= m->singular[i] > 0;
		number[i] = i + 1;
		value[0][i] = m->eigenvalues[i] > 0 ? m->eigenvalues[i] : NAN;
		value[1][i] = m->singular[i] > 0 ? m->singular[i] : NAN;
	}
	snprintf(title, sizeof title, "%s, step %lld", s->info.name, (long long)m->step);
	bl_series series[] = {
		{ .label = "eigenvalues of the embedding's covariance", .x = number, .y = value[0], .n = m->spectrum },
		{ .label = "singular values of C", .x = number, .y = value[1], .n = m->spectrum }
	};
	bl_figure *f =
		bl_figure_lines(series, any_singular ? 2 : 1, &(bl_axes){ .title = title, .xlabel = "number", .logy = true });
	bl_export_picture(s, f, stem);
	bl_figure_free(f);
}

static int save(bl_scene *s, const char *stem)
{
	const bl_moment *m = bl_timeline_moment(timeline_of(s));
	if (!m || !m->spectrum)
		return bl_fail("there is no spectrum yet");
	int rc = bl_export_table(s, stem, write_values);
	if (rc == 0)
		save_picture(s, m, stem);
	return rc;
}

const bl_view_ops bl_view_spectrum = {
	.name = "spectrum",
	.scope = BL_SCOPE_SPECTRUM,
	.draw = draw,
	.private_size = sizeof(bl_timeline),
	.end = end,
	.act = act,
	.enter = enter,
	.read = read_past,
	.step = step,
	.save = save,
};
