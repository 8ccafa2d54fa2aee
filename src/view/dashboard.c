/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dashboard: loss terms, kNN, C and its diagonal, then the rest.  What matters most stays longest. */
#include "view/chart.h"
#include "view/export.h"
#include "view/histogram.h"
#include "view/picture.h"
#include "view/scene.h"

#include <math.h>
#include <stdio.h>

enum {
	CHART_MIN_COLUMNS = 20,
	STACK_BELOW_COLUMNS = 60,
	STACK_FROM_ROWS = 30,   /* charts above the matrix */
	KNN_FROM_ROWS = 18,     /* of the charts' column */
	MORE_FROM_ROWS = 30,    /* histogram and journal below the charts */
	MORE_FROM_COLUMNS = 90, /* ... and beside them */
	JOURNAL_MIN_ROWS = 3,
	LONG_NAMES_FROM_COLUMNS = 60,
	SCALE_FROM_ROWS = 10, /* of the matrix's column */
};

/* C as last drawn. */
static bl_picture *picture_of(const bl_scene *s)
{
	return bl_scene_own(s, &bl_view_dashboard);
}

/* --- Charts --------------------------------------------------------------- */

static void draw_loss(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_history *h = &s->history;
	bool brief = r.w < LONG_NAMES_FROM_COLUMNS;
	const char *redundancy =
		c->can.utf8 ? (brief ? "λ·red" : "λ·redundancy") : (brief ? "l*red" : "lambda*redundancy");
	bl_line lines[] = {
		{"floor", '-', 0, BL_PAINT_FLOOR, h->step, h->term[BL_TERM_FLOOR], h->bins},
		{redundancy, 'r', 2, BL_PAINT_REDUNDANCY, h->step, h->term[BL_TERM_REDUNDANCY], h->bins},
		{brief ? "inv" : "invariance", 'i', 4, BL_PAINT_INVARIANCE, h->step, h->term[BL_TERM_INVARIANCE],
		 h->bins},
		{"total", 'T', 0, BL_PAINT_TOTAL, h->step, h->term[BL_TERM_TOTAL], h->bins},
	};
	/* A floor of 0 says nothing, and would keep the axis from being logarithmic. */
	int from = h->seen && h->last.floor > 0 ? 0 : 1;
	bl_chart_draw(c, r, &(bl_chart){.title = "loss", .lines = lines + from, .n = 4 - from, .integer_x = true});
}

static void draw_knn(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_history *h = &s->history;
	bl_line line = {"kNN", 'k', 0, BL_PAINT_KNN, h->knn_step, h->knn, h->knns};
	char title[80] = "kNN accuracy";
	if (s->info.knn_queries > 0)
		snprintf(title, sizeof title, "kNN accuracy of %d queries, by %d references", s->info.knn_queries,
			 s->info.knn_refs);
	if (bl_canvas_columns(title) > r.w)
		snprintf(title, sizeof title, "kNN accuracy");
	bl_chart_draw(c, r, &(bl_chart){.title = title, .lines = &line, .n = 1, .integer_x = true});
}

static void draw_charts(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	int knn = r.h >= KNN_FROM_ROWS && s->history.knns > 0 ? r.h / 3 : 0;
	draw_loss(s, c, (bl_rect){r.x, r.y, r.w, r.h - knn});
	if (knn)
		draw_knn(s, c, (bl_rect){r.x, r.y + r.h - knn, r.w, knn});
}

/* --- Histogram and journal ------------------------------------------------- */

static void draw_journal(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	bl_journal_line lines[BL_JOURNAL_MOST];
	int n = bl_journal_lines(&s->journal, &s->history, c->can.utf8 ? "λ" : "lambda", lines);
	bl_canvas_bold(c, r.x, r.y, bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_TITLE, "changes"));
	if (n == 0)
		bl_canvas_text(c, r.x, r.y + 1, r.w, BL_PAINT_FAINT, "none yet");
	for (int i = 0; i < n && i + 1 < r.h; i++) {
		int x = bl_canvas_textf(c, r.x, r.y + 1 + i, r.w, BL_PAINT_FAINT, "%7lld  ", (long long)lines[i].step);
		bl_canvas_text(c, r.x + x, r.y + 1 + i, r.w - x, BL_PAINT_TEXT, lines[i].text);
	}
}

/* The histogram goes first when there is not room for both. */
static void draw_more(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	int bars = s->snapshot.step >= 0 && r.w >= BL_HISTOGRAM_MIN_COLUMNS ? r.h * 3 / 5 : 0;
	if (bars < BL_HISTOGRAM_MIN_ROWS)
		bars = bars && r.h >= BL_HISTOGRAM_MIN_ROWS ? r.h : 0;
	if (r.h - bars < JOURNAL_MIN_ROWS + 1)
		bars = bars ? r.h : 0;
	if (bars)
		bl_histogram_draw(c, (bl_rect){r.x, r.y, r.w, bars}, &s->snapshot);
	if (bars < r.h)
		draw_journal(s, c, (bl_rect){r.x, r.y + bars + (bars > 0), r.w, r.h - bars - (bars > 0)});
}

/* Charts, with histogram and journal below or beside where there is room. */
static void draw_left(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	int more = r.h >= MORE_FROM_ROWS ? r.h / 3 : 0;
	int beside = !more && r.w >= MORE_FROM_COLUMNS && r.h >= KNN_FROM_ROWS ? r.w / 3 : 0;
	draw_charts(s, c, (bl_rect){r.x, r.y, r.w - beside - (beside > 0), r.h - more});
	if (more)
		draw_more(s, c, (bl_rect){r.x, r.y + r.h - more, r.w, more});
	if (beside)
		draw_more(s, c, (bl_rect){r.x + r.w - beside, r.y, beside, r.h});
}

/* --- The matrix ----------------------------------------------------------- */

static void diagonal_says(const bl_snapshot *p, char *out, size_t size)
{
	double sum = 0, least = INFINITY;
	for (int i = 0; i < p->diag; i++) {
		sum += p->diagonal[i];
		least = fmin(least, p->diagonal[i]);
	}
	snprintf(out, size, "diag mean %.3f, least %.3f", sum / p->diag, least);
}

static void draw_strip(const bl_scene *s, bl_canvas *c, int x, int y, int w, int room, bool says, bl_scale scale)
{
	char text[64];
	bl_heat_strip(c, x, y, w, s->snapshot.diagonal, s->snapshot.diag, scale);
	diagonal_says(&s->snapshot, text, sizeof text);
	if (says)
		bl_canvas_text(c, x, y + 1, room, BL_PAINT_FAINT, text);
}

/* Rows besides the picture: what it says, the strip; from SCALE_FROM_ROWS on also the strip's numbers and the scale. */
static int rows_beside(int h)
{
	return h >= SCALE_FROM_ROWS ? 4 : 2;
}

static void draw_matrix(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	if (s->snapshot.step < 0) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, "C: no snapshot yet");
		return;
	}
	bl_picture *p = picture_of(s);
	bl_picture_crop(p, &s->snapshot, &(bl_region){.rows = s->snapshot.d, .cols = s->snapshot.d});
	bl_heat_source m = bl_picture_source(p);
	int beside = rows_beside(r.h);
	bl_heat_fit fit = bl_heat_measure(c->can, r.w, r.h - beside, &m);
	char what[32], says[160];
	snprintf(what, sizeof what, "C  D %d", m.d);
	bl_scale scale = bl_heat_scale_of(fit, &m, s->heat);
	bl_heat_says(says, sizeof says, r.w, what, "C", fit, bl_heat_pool(&m, s->heat), p->sample);
	bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, says);
	bl_canvas_text(c, r.x, r.y, 1, BL_PAINT_TITLE, "C");
	bl_canvas_bold(c, r.x, r.y, 1);
	bl_heat_draw(c, r.x, r.y + 1, fit, &m, s->heat);
	draw_strip(s, c, r.x, r.y + 1 + fit.h, fit.w, r.w, beside > 2, scale);
	if (beside > 2)
		bl_heat_scale(c, r.x, r.y + 3 + fit.h, fit.w > 20 ? fit.w : r.w, scale);
}

/* --- Room ----------------------------------------------------------------- */

static void draw_stacked(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	int rows = r.w / 2 + rows_beside(r.h);
	if (rows > r.h * 3 / 5)
		rows = r.h * 3 / 5;
	draw_charts(s, c, (bl_rect){r.x, r.y, r.w, r.h - rows});
	draw_matrix(s, c, (bl_rect){r.x, r.y + r.h - rows, r.w, rows});
}

/* The matrix takes what makes it a square, the charts the rest, but not less than they need. */
static void draw_beside(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	int columns = 2 * (r.h - rows_beside(r.h));
	int least = r.w / 3 > CHART_MIN_COLUMNS ? r.w / 3 : CHART_MIN_COLUMNS;
	if (columns > r.w - least - 2)
		columns = r.w - least - 2;
	draw_left(s, c, (bl_rect){r.x, r.y, r.w - columns - 2, r.h});
	draw_matrix(s, c, (bl_rect){r.x + r.w - columns, r.y, columns, r.h});
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	if (r.w < STACK_BELOW_COLUMNS && r.h >= STACK_FROM_ROWS)
		draw_stacked(s, c, r);
	else
		draw_beside(s, c, r);
}

/* --- Files ------------------------------------------------------------------ */

static void write_records(const bl_scene *s, FILE *f)
{
	bl_record r;
	int64_t n = bl_live_length(s->run);
	fprintf(f, "step,seconds,invariance,redundancy,lambda,total,floor,lr,grad_norm,images_per_s,knn\n");
	for (int64_t i = 0; i < n; i++) {
		if (!bl_live_record(s->run, i, &r))
			continue;
		fprintf(f, "%lld,%.6g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.6g,", (long long)r.step, r.time, r.invariance,
			r.redundancy, r.lambda, r.total, r.floor, r.lr, r.grad_norm, r.images_per_s);
		fprintf(f, isnan(r.knn) ? "\n" : "%.9g\n", r.knn);
	}
}

/* All records, and their curves; the matrix is the heatmap's to save. */
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
