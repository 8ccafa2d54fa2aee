/* SPDX-License-Identifier: GPL-3.0-or-later */
/* embedding.c: the view of the embedding: features of some images on their first two principal axes, coloured by label. */
#include "view/export.h"
#include "view/timeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BRAILLE = 0x2800,
	DOTS_X = 2,
	DOTS_Y = 4,
	LEGEND_FROM_COLUMNS = 48,
	LEGEND_COLUMNS = 14,
	LEGEND_COLUMNS_NAMED = 24,
	COUNT_COLUMNS = 6,
	LABELS_MAX = 64,
	SPARSE = 4 /* from this number of cells per point on, points are drawn as four dots */
};

struct own {
	bl_timeline past;
	int lit; /* 1 + the highlighted label; 0: none */
};

static struct own *own_of(const bl_scene *s)
{
	return bl_scene_own(s, &bl_view_embedding);
}

static bl_timeline *timeline_of(const bl_scene *s)
{
	return &own_of(s)->past;
}

/* The highlighted label; -1: none. */
static int lit_label(const bl_scene *s)
{
	return own_of(s)->lit - 1;
}

/* --- Positions of points ---------------------------------------------------- */

/* The centre of the points, and the size of a dot in their plane, equal on both axes since distances matter. */
struct plane {
	bl_rect area;
	double x, y, dot;
};

struct range {
	double lo, hi;
};

static struct range range_of(const bl_moment *m, int axis)
{
	struct range r = { INFINITY, -INFINITY };
	for (int i = 0; i < m->points; i++)
		if (isfinite(m->point[i][axis])) {
			r.lo = fmin(r.lo, m->point[i][axis]);
			r.hi = fmax(r.hi, m->point[i][axis]);
		}
	return r.hi >= r.lo ? r : (struct range){ 0, 0 };
}

/* A point as it is drawn: its cell, its bits in the braille glyph, and its label. */
struct mark {
	int cell, bits, label;
};

/* Sets the cell and the bits of a point; thick: four dots, since a single one is hard to see.  False: it is outside. */
static bool place(const struct plane *p, const float at[2], bool thick, struct mark *out)
{
	static const uint8_t bits[DOTS_Y][DOTS_X] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
	if (!isfinite(at[0]) || !isfinite(at[1]))
		return false;
	int x = (int)lround((at[0] - p->x) / p->dot + (p->area.w * DOTS_X - 1) / 2.);
	int y = (int)lround((p->y - at[1]) / p->dot + (p->area.h * DOTS_Y - 1) / 2.);
	if (x < 0 || y < 0 || x >= p->area.w * DOTS_X || y >= p->area.h * DOTS_Y)
		return false;
	int row = y % DOTS_Y / 2 * 2; /* the upper row of the four dots */
	out->cell = y / DOTS_Y * p->area.w + x / DOTS_X;
	out->bits = thick ? bits[row][0] | bits[row][1] | bits[row + 1][0] | bits[row + 1][1] : bits[y % DOTS_Y][x % DOTS_X];
	return true;
}

/* --- Cells ---------------------------------------------------------------- */

/* Orders by cell, then by label. */
static int compare(const void *a, const void *b)
{
	const struct mark *p = a, *q = b;
	return p->cell != q->cell ? p->cell - q->cell : p->label - q->label;
}

/* Returns the most frequent label of a cell's points, which are sorted by label; the highlighted label takes precedence. */
static int label_of(const struct mark *m, int n, int lit)
{
	int best = m[0].label, most = 0;
	for (int i = 0, run = 0; i < n; i++) {
		run = i > 0 && m[i].label == m[i - 1].label ? run + 1 : 1;
		if (m[i].label == lit)
			return lit;
		if (run > most) {
			most = run;
			best = m[i].label;
		}
	}
	return best;
}

/* The character of a label, for terminals without colours. */
static uint32_t sign_of(int label)
{
	static const char signs[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	return label < 0 ? '.' : (unsigned char)(label < (int)sizeof signs - 1 ? signs[label] : '#');
}

/* Labels that are not highlighted are dimmed if one is. */
static bl_paint paint_of(int label, int lit)
{
	return label < 0 || (lit >= 0 && label != lit) ? BL_PAINT_FAINT : bl_paint_series(label);
}

static void put_cell(bl_canvas *c, const struct plane *p, const struct mark *m, int n, int lit)
{
	int label = label_of(m, n, lit);
	uint32_t glyph = sign_of(label);
	bool braille = c->can.utf8 && c->can.depth != BL_DEPTH_MONO;
	if (braille)
		glyph = BRAILLE;
	for (int i = 0; i < n && braille; i++)
		glyph |= (uint32_t)m[i].bits;
	if (!braille && lit >= 0 && label != lit)
		glyph = '.';
	bl_canvas_put(c, p->area.x + m->cell % p->area.w, p->area.y + m->cell / p->area.w, glyph,
	              bl_colour_of(paint_of(label, lit), c->can.light), BL_COLOUR_OWN);
}

static void draw_points(bl_canvas *c, bl_rect area, const bl_moment *m, int lit)
{
	struct mark marks[BL_POINTS_MAX];
	struct range x = range_of(m, 0), y = range_of(m, 1);
	double dot = fmax((x.hi - x.lo) / (area.w * DOTS_X - 1), (y.hi - y.lo) / (area.h * DOTS_Y - 1));
	struct plane p = { area, (x.lo + x.hi) / 2, (y.lo + y.hi) / 2, dot > 0 ? dot : 1 };
	bool thick = area.w * area.h >= SPARSE * m->points;
	int n = 0;
	for (int i = 0; i < m->points; i++) {
		marks[n].label = m->label[i];
		n += place(&p, m->point[i], thick, &marks[n]);
	}
	qsort(marks, (size_t)n, sizeof marks[0], compare);
	for (int i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && marks[end].cell == marks[i].cell;)
			end++;
		put_cell(c, &p, &marks[i], end - i, lit);
	}
}

/* --- Legend --------------------------------------------------------------- */

/* Collects the labels of the points in ascending order, at most LABELS_MAX; returns their number. */
static int labels_of(const bl_moment *m, int labels[LABELS_MAX])
{
	int n = 0;
	for (int from = 0; n < LABELS_MAX; n++) {
		int next = -1;
		for (int i = 0; i < m->points; i++)
			if (m->label[i] >= from && (next < 0 || m->label[i] < next))
				next = m->label[i];
		if (next < 0)
			return n;
		labels[n] = next;
		from = next + 1;
	}
	return n;
}

static const char *name_of(const bl_moment *m, int label)
{
	return label < m->classes ? m->class_name[label] : "";
}

static bool has_names(const bl_moment *m)
{
	for (int k = 0; k < m->classes; k++)
		if (m->class_name[k][0])
			return true;
	return false;
}

static bool has_long_names(const bl_moment *m)
{
	for (int k = 0; k < m->classes; k++)
		if (bl_canvas_columns(m->class_name[k]) > LEGEND_COLUMNS - 3 - COUNT_COLUMNS)
			return true;
	return false;
}

static void draw_legend(bl_canvas *c, bl_rect r, const bl_moment *m, int lit)
{
	int labels[LABELS_MAX], n = labels_of(m, labels);
	bool signs = !c->can.utf8 || c->can.depth == BL_DEPTH_MONO;
	bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_TITLE, n ? has_names(m) ? "class points" : "label points" : "no labels");
	for (int i = 0; i < n && i + 1 < r.h; i++) {
		int count = 0;
		bool cut = i + 2 == r.h && i + 1 < n;
		if (cut) {
			bl_canvas_textf(c, r.x, r.y + 1 + i, r.w, BL_PAINT_FAINT, "%d more", n - i);
			return;
		}
		for (int k = 0; k < m->points; k++)
			count += m->label[k] == labels[i];
		bl_paint p = paint_of(labels[i], lit);
		bl_canvas_put(c, r.x, r.y + 1 + i, signs ? sign_of(labels[i]) : 0x25cf, bl_colour_of(p, c->can.light),
		              BL_COLOUR_OWN);
		int room = r.w - 2 - COUNT_COLUMNS;
		if (*name_of(m, labels[i]))
			bl_canvas_text(c, r.x + 2, r.y + 1 + i, room, p, name_of(m, labels[i]));
		else
			bl_canvas_textf(c, r.x + 2, r.y + 1 + i, room, p, "%d", labels[i]);
		bl_canvas_textf(c, r.x + 2 + room, r.y + 1 + i, COUNT_COLUMNS, p, "%6d", count);
		if (labels[i] == lit)
			bl_canvas_bold(c, r.x, r.y + 1 + i, r.w);
	}
}

/* --- The view ------------------------------------------------------------- */

/* Returns the selected snapshot if it has points, or else the last one before it that has. */
static const bl_moment *moment_of(const bl_timeline *p)
{
	const bl_moment *at = bl_timeline_moment(p);
	while (at && at > p->moment && !at->points)
		at--;
	return at && at->points ? at : NULL;
}

static bool is_over(const bl_scene *s)
{
	return bl_scene_over(s) || s->lost;
}

/* Draws why there are no points, in one row, or in two. */
static void draw_none(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const char *text = is_over(s)     ? "no points were stored: a run computes them only while a screen shows this view"
	                   : s->read_only ? "no points yet: a read-only screen requests none from the run"
	                                  : "points were requested; the run is computing the features";
	int n = bl_canvas_columns(text);
	while (n > r.w || (n < bl_canvas_columns(text) && n > 0 && text[n] != ' '))
		n--;
	bl_canvas_part(c, r.x, r.y, n, BL_PAINT_FAINT, text);
	if (text[n] == ' ')
		bl_canvas_text(c, r.x, r.y + 1, r.w, BL_PAINT_FAINT, text + n + 1);
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_moment *m = moment_of(timeline_of(s));
	if (!m) {
		draw_none(s, c, r);
		return;
	}
	bool old = timeline_of(s)->at != 0;
	/* Points older than the newest snapshot: new ones have been requested. */
	bool pending = !is_over(s) && !s->read_only && !old && m->points_step < s->snapshot.step;
	int x = bl_canvas_textf(c, r.x, r.y, r.w, old ? BL_PAINT_WARN : BL_PAINT_TEXT, "step %lld%s", (long long)m->points_step,
	                        old ? ", earlier" : "");
	static const char *const of[] = { "images", "training images", "of the kNN queries" };
	x += bl_canvas_textf(c, r.x + x + 2, r.y, r.w - x - 2, BL_PAINT_FAINT, "%d %s, axes: %.0f%% and %.0f%% of the variance",
	                     (int)m->points, of[m->points_of], 100 * m->explained[0], 100 * m->explained[1]);
	if (pending && x + 4 < r.w)
		bl_canvas_text(c, r.x + x + 4, r.y, r.w - x - 4, BL_PAINT_WARN, "newer ones are being computed");
	int wide = has_long_names(m) && r.w >= 3 * LEGEND_COLUMNS_NAMED ? LEGEND_COLUMNS_NAMED : LEGEND_COLUMNS;
	int legend = r.w >= LEGEND_FROM_COLUMNS ? wide : 0;
	bl_rect area = { r.x, r.y + 1, r.w - legend, r.h - 1 };
	if (area.w < 1 || area.h < 1)
		return;
	draw_points(c, area, m, lit_label(s));
	if (legend)
		draw_legend(c, (bl_rect){ r.x + r.w - legend + 1, r.y + 1, legend - 1, r.h - 1 }, m, lit_label(s));
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

static void want(const bl_scene *s, bl_region *r)
{
	(void)s;
	r->points = 1;
}

/* Highlights the next or previous label; in this cycle, no label is highlighted between the last and the first one. */
static void light(bl_scene *s, int by)
{
	const bl_moment *m = moment_of(timeline_of(s));
	int labels[LABELS_MAX], n = m ? labels_of(m, labels) : 0, at = n;
	for (int i = 0; i < n; i++)
		at = labels[i] == lit_label(s) ? i : at;
	at = (at + by + n + 1) % (n + 1);
	own_of(s)->lit = at < n ? labels[at] + 1 : 0;
}

/* Moves to the next or previous snapshot with points; if there is none, stays. */
static void move(bl_timeline *p, int by)
{
	const int64_t at = p->at;
	const bl_moment *now;
	do {
		now = bl_timeline_moment(p);
		bl_timeline_move(p, by);
	} while (bl_timeline_moment(p) != now && !bl_timeline_moment(p)->points);
	if (bl_timeline_moment(p) && !bl_timeline_moment(p)->points)
		p->at = at;
}

static void act(bl_scene *s, bl_request r)
{
	if (timeline_of(s)->n == 0)
		return;
	if (r == BL_REQUEST_EMBEDDING_NOW)
		bl_timeline_now(timeline_of(s));
	else if (r == BL_REQUEST_EMBEDDING_FIRST)
		bl_timeline_first(timeline_of(s));
	else if (r == BL_REQUEST_EMBEDDING_DOWN || r == BL_REQUEST_EMBEDDING_UP)
		light(s, r == BL_REQUEST_EMBEDDING_DOWN ? 1 : -1);
	else
		move(timeline_of(s), r == BL_REQUEST_EMBEDDING_LATER ? 1 : -1);
	if (r == BL_REQUEST_EMBEDDING_FIRST && !bl_timeline_moment(timeline_of(s))->points)
		move(timeline_of(s), 1);
}

static int64_t step(const bl_scene *s)
{
	const bl_moment *m = moment_of(timeline_of(s));
	return m ? m->points_step : s->info.step;
}

/* --- Files ---------------------------------------------------------------- */

static void write_points(const bl_scene *s, FILE *f)
{
	const bl_moment *m = moment_of(timeline_of(s));
	fprintf(f, "x,y,label\n");
	for (int i = 0; i < m->points; i++)
		fprintf(f, "%.9g,%.9g,%d\n", m->point[i][0], m->point[i][1], m->label[i]);
}

/* Copies the points of a label (-1: those without a label) to x and y, and returns them as a series. */
static bl_series series_of(const bl_moment *m, int label, double *x, double *y)
{
	bl_series s = { .x = x, .y = y };
	for (int i = 0; i < m->points; i++)
		if (m->label[i] == label) {
			x[s.n] = m->point[i][0];
			y[s.n++] = m->point[i][1];
		}
	return s;
}

static void save_picture(bl_scene *s, const bl_moment *m, const char *stem)
{
	double x[BL_POINTS_MAX], y[BL_POINTS_MAX];
	int labels[LABELS_MAX + 1] = { -1 }, n = 1 + labels_of(m, labels + 1);
	char name[LABELS_MAX + 1][BL_CLASS_TEXT], title[128], axis[2][48];
	bl_series series[LABELS_MAX + 1];
	int64_t all = 0;
	int used = 0;
	for (int i = 0; i < n; i++) {
		series[used] = series_of(m, labels[i], x + all, y + all);
		if (labels[i] >= 0 && *name_of(m, labels[i]))
			snprintf(name[i], sizeof name[i], "%s", name_of(m, labels[i]));
		else
			snprintf(name[i], sizeof name[i], "%d", labels[i]);
		series[used].label = labels[i] < 0 ? "no label" : name[i];
		all += series[used].n;
		used += series[used].n > 0;
	}
	snprintf(title, sizeof title, "%s, step %lld", s->info.name, (long long)m->points_step);
	for (int k = 0; k < 2; k++)
		snprintf(axis[k], sizeof axis[k], "axis %d, %.0f%% of the variance", k + 1, 100 * m->explained[k]);
	bl_axes axes = { .title = title, .xlabel = axis[0], .ylabel = axis[1], .points = true, .equal = true };
	bl_figure *f = bl_figure_lines(series, used, &axes);
	bl_export_picture(s, f, stem);
	bl_figure_free(f);
}

static int save(bl_scene *s, const char *stem)
{
	const bl_moment *m = moment_of(timeline_of(s));
	if (!m)
		return bl_fail("there are no points yet");
	int rc = bl_export_table(s, stem, write_points);
	if (rc == 0)
		save_picture(s, m, stem);
	return rc;
}

const bl_view_ops bl_view_embedding = {
	.name = "embedding",
	.scope = BL_SCOPE_EMBEDDING,
	.draw = draw,
	.private_size = sizeof(struct own),
	.end = end,
	.act = act,
	.enter = enter,
	.read = read_past,
	.want = want,
	.step = step,
	.save = save,
};
