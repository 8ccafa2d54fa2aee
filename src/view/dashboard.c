/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dashboard.c: the dashboard: loss terms, kNN, C and its diagonal; on large screens also a histogram and the changes in the
 * run.
 */
#include "view/chart.h"
#include "view/export.h"
#include "view/histogram.h"
#include "view/metric.h"
#include "view/matrix_picture.h"
#include "view/scene.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	CHART_MIN_COLUMNS = 20,
	STACK_BELOW_COLUMNS = 60,
	STACK_FROM_ROWS = 30,   /* from this height on, the charts of a narrow screen are above the matrix */
	SCORE_FROM_ROWS = 18,   /* least height of charts that include a score */
	MORE_FROM_ROWS = 30,    /* least height with histogram and journal below the charts */
	MORE_FROM_COLUMNS = 90, /* least width with histogram and journal beside the charts */
	JOURNAL_MIN_ROWS = 3,
	LONG_NAMES_FROM_COLUMNS = 60,
	SCALE_FROM_ROWS = 10, /* least height of a matrix with its scale */
};

/* --- Charts --------------------------------------------------------------- */

/* Draws the total, the terms and the floor of the loss; where lines overlap, the total is on top. */
static void draw_loss(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_history *h = &s->history;
	const bl_columns *all = &h->columns;
	bl_line lines[BL_COLUMNS_MAX];
	char text[BL_COLUMNS_MAX][BL_LABEL_BYTES];
	int list[BL_COLUMNS_MAX], n = 0;
	for (int i = bl_metric_list(all, list) - 1; i >= 0; i--) {
		const bl_column *column = &all->column[list[i]];
		bool is_floor = column->kind == BL_COLUMN_FLOOR;
		/* A floor of 0 carries no information, and would prevent a logarithmic axis. */
		if (!bl_metric_of_loss(all, list[i]) || (is_floor && !(bl_history_newest(h, list[i]) > 0)))
			continue;
		bool brief = r.w < LONG_NAMES_FROM_COLUMNS;
		const char *label = brief ? bl_column_brief(column) : bl_column_label(column);
		lines[n] = bl_metric_line(all, list[i], bl_metric_text(c, label, brief ? "l" : "lambda", text[n]));
		lines[n].n = bl_history_line(h, list[i], &lines[n].x, &lines[n].y);
		n++;
	}
	int k = bl_columns_next(all, BL_COLUMN_FLOOR, 0);
	bool unknown = k >= 0 && h->seen > 0 && isnan(bl_history_newest(h, k));
	bl_chart_draw(c, r,
	              &(bl_chart){ .title = "loss",
	                           .lines = lines,
	                           .n = n,
	                           .integer_x = true,
	                           .note = unknown ? "no floor known" : NULL });
}

static void draw_score(const bl_scene *s, bl_canvas *c, bl_rect r, int score)
{
	const bl_history *h = &s->history;
	const bl_column *column = &h->columns.column[score];
	char label[BL_LABEL_BYTES], name[BL_LABEL_BYTES], title[120];
	const char *plain = bl_metric_name(c, column, label);
	bl_line line = bl_metric_line(&h->columns, score, bl_metric_text(c, bl_column_brief(column), "l", name));
	line.n = bl_history_line(h, score, &line.x, &line.y);
	snprintf(title, sizeof title, "%s", plain);
	if (strcmp(column->name, "knn") == 0 && s->info.knn_queries > 0)
		snprintf(title, sizeof title, "%s of %d queries, by %d references", plain, s->info.knn_queries, s->info.knn_refs);
	if (bl_canvas_columns(title) > r.w)
		snprintf(title, sizeof title, "%s", plain);
	bl_chart_draw(c, r, &(bl_chart){ .title = title, .lines = &line, .n = 1, .integer_x = true });
}

/* Draws the loss, and below it the first score that has been measured, if there is room. */
static void draw_charts(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_history *h = &s->history;
	int score = bl_columns_next(&h->columns, BL_COLUMN_SCORE, 0);
	while (score >= 0 && isnan(bl_history_newest(h, score)))
		score = bl_columns_next(&h->columns, BL_COLUMN_SCORE, score + 1);
	int rows = r.h >= SCORE_FROM_ROWS && score >= 0 ? r.h / 3 : 0;
	draw_loss(s, c, (bl_rect){ r.x, r.y, r.w, r.h - rows });
	if (rows)
		draw_score(s, c, (bl_rect){ r.x, r.y + r.h - rows, r.w, rows }, score);
}

/* --- Histogram and journal ------------------------------------------------- */

static void draw_journal(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	bl_journal_line lines[BL_JOURNAL_MOST];
	int n = bl_journal_lines(&s->journal, &s->history, c->can.utf8, lines);
	bl_canvas_bold(c, r.x, r.y, bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_TITLE, "changes"));
	if (n == 0)
		bl_canvas_text(c, r.x, r.y + 1, r.w, BL_PAINT_FAINT, "none yet");
	for (int i = 0; i < n && i + 1 < r.h; i++) {
		int x = bl_canvas_textf(c, r.x, r.y + 1 + i, r.w, BL_PAINT_FAINT, "%7lld  ", (long long)lines[i].step);
		bl_canvas_text(c, r.x + x, r.y + 1 + i, r.w - x, BL_PAINT_TEXT, lines[i].text);
	}
}

/* Draws the histogram and the journal, or only one of them: the histogram if it fits, otherwise the journal. */
static void draw_more(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	int bars = s->snapshot.step >= 0 && r.w >= BL_HISTOGRAM_MIN_COLUMNS ? r.h * 3 / 5 : 0;
	if (bars < BL_HISTOGRAM_MIN_ROWS)
		bars = bars && r.h >= BL_HISTOGRAM_MIN_ROWS ? r.h : 0;
	if (r.h - bars < JOURNAL_MIN_ROWS + 1)
		bars = bars ? r.h : 0;
	if (bars)
		bl_histogram_draw(c, (bl_rect){ r.x, r.y, r.w, bars }, &s->snapshot);
	if (bars < r.h)
		draw_journal(s, c, (bl_rect){ r.x, r.y + bars + (bars > 0), r.w, r.h - bars - (bars > 0) });
}

/* Draws the charts, with histogram and journal below or beside them if there is room. */
static void draw_left(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	int more = r.h >= MORE_FROM_ROWS ? r.h / 3 : 0;
	int beside = !more && r.w >= MORE_FROM_COLUMNS && r.h >= SCORE_FROM_ROWS ? r.w / 3 : 0;
	draw_charts(s, c, (bl_rect){ r.x, r.y, r.w - beside - (beside > 0), r.h - more });
	if (more)
		draw_more(s, c, (bl_rect){ r.x, r.y + r.h - more, r.w, more });
	if (beside)
		draw_more(s, c, (bl_rect){ r.x + r.w - beside, r.y, beside, r.h });
}

/* --- The matrix ----------------------------------------------------------- */

/* Draws the diagonal as bars in w columns.  If `numbers`, writes its mean and least value below the bars. */
static void draw_diagonal(const bl_snapshot *p, bl_canvas *c, int x, int y, int w, int room, bool numbers, bl_scale scale)
{
	double sum = 0, least = INFINITY;
	for (int i = 0; i < p->diag; i++) {
		sum += p->diagonal[i];
		least = fmin(least, p->diagonal[i]);
	}
	bl_heat_strip(c, x, y, w, p->diagonal, p->diag, scale);
	if (numbers)
		bl_canvas_textf(c, x, y + 1, room, BL_PAINT_FAINT, "diag mean %.3f, least %.3f", sum / p->diag, least);
}

/*
 * The number of rows above and below the picture: its title and the bars of the diagonal; from SCALE_FROM_ROWS on also
 * the diagonal's numbers and the scale.
 */
static int rows_beside(int h)
{
	return h >= SCALE_FROM_ROWS ? 4 : 2;
}

/* Draws the scale, and beside it the meaning of its background colour. */
static void draw_scale(bl_canvas *c, int x, int y, int w, bl_scale scale)
{
	enum { LEAST = 12, GAP = 2 };
	char says[BL_HEAT_SCALE_TEXT];
	bl_heat_scale_caption(says, w - LEAST - GAP, c->can, scale);
	int n = bl_canvas_columns(says), bar = w - n - GAP >= LEAST ? w - n - GAP : w;
	bl_heat_scale(c, x, y, bar);
	if (bar < w)
		bl_canvas_text(c, x + bar + GAP, y, n, BL_PAINT_FAINT, says);
}

static void draw_matrix(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	if (s->snapshot.step < 0) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, "C: no snapshot yet");
		return;
	}
	bl_picture *p = bl_scene_own(s, &bl_view_dashboard);
	bl_picture_crop(p, &s->snapshot, &(bl_region){ .rows = s->snapshot.d, .cols = s->snapshot.d });
	bl_heat_source m = bl_picture_source(p);
	int beside = rows_beside(r.h);
	bl_heat_fit fit = bl_heat_measure(c->can, r.w, r.h - beside, &m);
	char what[48], says[160];
	const char *name = p->of_embeddings ? "C of the embeddings" : "C";
	snprintf(what, sizeof what, "%s  D %d", name, m.d);
	bl_scale scale = bl_heat_scale_of(fit, &m, s->heat);
	bl_heat_caption(says, sizeof says, r.w, what, name, fit, bl_heat_pool(&m, s->heat), p->sample);
	bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, says);
	int titled = bl_canvas_columns(name) < r.w ? bl_canvas_columns(name) : r.w;
	bl_canvas_part(c, r.x, r.y, titled, BL_PAINT_TITLE, says);
	bl_canvas_bold(c, r.x, r.y, titled);
	bl_heat_draw(c, r.x, r.y + 1, fit, &m, s->heat);
	draw_diagonal(&s->snapshot, c, r.x, r.y + 1 + fit.h, fit.w, r.w, beside > 2, scale);
	if (beside > 2)
		draw_scale(c, r.x, r.y + 3 + fit.h, fit.w > 20 ? fit.w : r.w, scale);
}

/* --- Layout --------------------------------------------------------------- */

/* The matrix is below the charts on a narrow, high screen, otherwise beside them; it gets the largest square that fits. */
static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	if (r.w < STACK_BELOW_COLUMNS && r.h >= STACK_FROM_ROWS) {
		int rows = r.w / 2 + rows_beside(r.h), most = r.h * 3 / 5;
		if (rows > most)
			rows = most;
		draw_charts(s, c, (bl_rect){ r.x, r.y, r.w, r.h - rows });
		draw_matrix(s, c, (bl_rect){ r.x, r.y + r.h - rows, r.w, rows });
		return;
	}
	int columns = 2 * (r.h - rows_beside(r.h));
	int charts = r.w / 3 > CHART_MIN_COLUMNS ? r.w / 3 : CHART_MIN_COLUMNS; /* their least width */
	if (columns > r.w - charts - 2)
		columns = r.w - charts - 2;
	draw_left(s, c, (bl_rect){ r.x, r.y, r.w - columns - 2, r.h });
	draw_matrix(s, c, (bl_rect){ r.x + r.w - columns, r.y, columns, r.h });
}

/* --- Files ------------------------------------------------------------------ */

/* Writes a line per record; values that were not measured are empty. */
static void write_records(const bl_scene *s, FILE *f)
{
	bl_record r;
	bl_columns c;
	int64_t n = bl_live_length(s->run);
	bl_live_columns(s->run, &c);
	fprintf(f, "step");
	for (int k = 0; k < c.n; k++)
		fprintf(f, ",%s", c.column[k].name);
	fprintf(f, "\n");
	for (int64_t i = 0; i < n; i++) {
		if (!bl_live_record(s->run, i, &r))
			continue;
		fprintf(f, "%lld", (long long)r.step);
		for (int k = 0; k < c.n; k++)
			fprintf(f, isnan(r.value[k]) ? "," : ",%.9g", r.value[k]);
		fprintf(f, "\n");
	}
}

/* Saves all records and their curves.  (The view of the heatmap saves the matrix.) */
static int save(bl_scene *s, const char *stem)
{
	int rc = bl_export_table(s, stem, write_records);
	if (rc != 0)
		return rc;
	bl_figure *f = bl_figure_curves(s->run);
	bl_export_picture(s, f, stem);
	bl_figure_free(f);
	return 0;
}

const bl_view_ops bl_view_dashboard = {
	.name = "dashboard",
	.scope = BL_SCOPE_DASHBOARD,
	.draw = draw,
	.private_size = sizeof(bl_picture),
	.save = save,
};
