/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure_show.c: figures in the terminal: in braille and coloured blocks, or in ASCII if these are not supported. */
#include "view/figure_show.h"
#include "base/bounded.h"

#include "base/text_stream.h"
#include "view/chart.h"
#include "view/number_text.h"
#include "view/screen.h"

#include <barlow/view.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PANEL_LEAST = 6, LINES_MOST = 64, NAMES_SHARE = 2, NAME_LEAST = 6 };

/* --- Lines --------------------------------------------------------------------------- */

static bl_paint paint_of(const bl_series *s, int k)
{
	int ink = s->ink ? s->ink - 1 : k;
	return ink == BL_INK_BLACK ? BL_PAINT_TEXT : bl_paint_series(ink);
}

/* Lines are passed in reverse order, since the chart's legend begins with the last one. */
static void draw_lines(bl_canvas *c, bl_rect r, const bl_panel *p)
{
	/* The marks of the series in ASCII.  First letters of their names might not be unique. */
	static const char marks[] = "*o+x#@%&abcdefghijklmnpqrstuvwyz";
	bl_line lines[LINES_MOST];
	bl_chart_points points[LINES_MOST];
	bool whole = true;
	for (int k = 0; k < p->n; k++) {
		const bl_series *s = &p->series[k];
		int at = p->n - 1 - k;
		lines[at] = (bl_line){ .label = s->label,
			               .mark = marks[k % (int)(sizeof marks - 1)],
			               .dash = s->dashed ? 2 : 0,
			               .paint = paint_of(s, k),
			               .x = s->x,
			               .y = s->y,
			               .n = (int)s->n };
		points[at] = (bl_chart_points){ p->axes.points, s->low, s->high };
		for (int64_t i = 0; i < s->n; i++)
			whole &= s->x[i] == floor(s->x[i]);
	}
	bl_chart_draw(c, r,
	              &(bl_chart){ .title = *p->axes.ylabel ? p->axes.ylabel : p->axes.title,
	                           .lines = lines,
	                           .n = p->n,
	                           .points = points,
	                           .integer_x = whole,
	                           .axis = p->axes.logy ? BL_AXIS_LOG : BL_AXIS_LINEAR,
	                           .log_x = p->axes.logx,
	                           .from = p->axes.from,
	                           .to = p->axes.to,
	                           .x_name = p->axes.xlabel });
}

/* --- Rows with names ------------------------------------------------------------------- */

/* A horizontal axis: the columns x to x + w - 1 show the values `from` to `to`. */
struct across {
	bl_canvas *c;
	int x, w;
	double from, to;
};

static int column_of(const struct across *a, double v)
{
	return a->x + (int)lround((v - a->from) / (a->to - a->from) * (a->w - 1));
}

static void put(const struct across *a, double v, int y, uint32_t glyph, bl_paint paint)
{
	int x = column_of(a, v);
	if (isfinite(v) && x >= a->x && x < a->x + a->w)
		bl_canvas_put(a->c, x, y, bl_canvas_glyph(a->c->can, glyph), bl_colour_of(paint, a->c->can.light), BL_COLOUR_OWN);
}

/* Draws the points of series k whose y is `row`, with their intervals, in row y of the canvas. */
static void draw_row(const struct across *a, const bl_series *s, int k, int row, int y)
{
	bool utf8 = a->c->can.utf8;
	bl_paint paint = paint_of(s, k);
	for (int64_t i = 0; i < s->n; i++) {
		if (s->marks == BL_MARKS_NONE && s->x[i] == s->x[0]) {
			put(a, s->x[i], y, utf8 ? 0x2502 : '|', BL_PAINT_FAINT); /* a vertical line through all rows */
			continue;
		}
		if (lround(s->y[i]) != row)
			continue;
		int from = s->low ? column_of(a, s->low[i]) : 0, to = s->low ? column_of(a, s->high[i]) : -1;
		for (int x = from; x <= to; x++)
			if (x >= a->x && x < a->x + a->w)
				bl_canvas_put(a->c, x, y, utf8 ? 0x2500 : '-', bl_colour_of(paint, a->c->can.light), BL_COLOUR_OWN);
		put(a, s->x[i], y, utf8 ? s->low ? 0x25cf : 0x25cb : s->low ? '#' : 'o', paint);
	}
}

/* Draws the axis: a line, its limits, and between them what it shows. */
static void draw_scale(const struct across *a, int y, const char *what)
{
	char text[BL_NUMBER_TEXT];
	bl_canvas *c = a->c;
	for (int x = 0; x < a->w; x++)
		bl_canvas_put(c, a->x + x, y, c->can.utf8 ? 0x2500 : '-', bl_colour_of(BL_PAINT_FAINT, c->can.light),
		              BL_COLOUR_OWN);
	bl_shown_number(text, a->from, 3, 8);
	int left = bl_canvas_text(c, a->x, y + 1, a->w, BL_PAINT_FAINT, text);
	bl_shown_number(text, a->to, 3, 8);
	int right = bl_canvas_columns(text);
	bl_canvas_text(c, a->x + a->w - right, y + 1, right, BL_PAINT_FAINT, text);
	int room = a->w - left - right - 2, n = bl_canvas_columns(what);
	bl_canvas_text(c, a->x + left + 1 + (n < room ? (room - n) / 2 : 0), y + 1, room, BL_PAINT_FAINT, what);
}

/* Draws a panel whose rows have names instead of a vertical axis. */
static void draw_named(bl_canvas *c, bl_rect r, const bl_panel *p)
{
	int widest = NAME_LEAST, rows = p->axes.named, fit = r.h - 3;
	for (int i = 0; i < rows; i++) {
		int n = bl_canvas_columns(p->axes.names[i]);
		widest = n > widest ? n : widest;
	}
	widest = widest < r.w / NAMES_SHARE ? widest : r.w / NAMES_SHARE;
	struct across a = { c, r.x + widest + 1, r.w - widest - 1, p->axes.from, p->axes.to };
	bl_canvas_bold(c, r.x, r.y,
	               bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_TITLE, *p->axes.title ? p->axes.title : p->axes.xlabel));
	if (fit < 1 || a.w < 8 || !(a.to > a.from))
		return;
	int shown = rows <= fit ? rows : fit - 1;
	for (int i = 0; i < shown; i++) {
		bl_canvas_text(c, r.x, r.y + 1 + i, widest, BL_PAINT_TEXT, p->axes.names[i]);
		for (int k = 0; k < p->n; k++)
			draw_row(&a, &p->series[k], k, i + 1, r.y + 1 + i);
	}
	if (shown < rows)
		bl_canvas_textf(c, r.x, r.y + 1 + shown, r.w, BL_PAINT_FAINT, "and %d more", rows - shown);
	draw_scale(&a, r.y + 1 + (shown < rows ? shown + 1 : shown), *p->axes.title ? p->axes.xlabel : "");
}

/* --- Matrices ---------------------------------------------------------------------------- */

struct dots {
	const float *at; /* the figure's dots, rows x cols, row-major */
	int64_t rows, cols;
	bl_scale scale;
	int w, h; /* the size in dots as shown */
};

/*
 * The value of a dot on the screen, which may show several dots of the figure: the mean of those on the diagonal of a square
 * matrix if there are any, otherwise the root mean square of all.
 */
static double shown_dot(const struct dots *d, int x, int y)
{
	int64_t r0 = d->rows * y / d->h, r1 = d->rows * (y + 1) / d->h, c0 = d->cols * x / d->w, c1 = d->cols * (x + 1) / d->w,
		n = 0, on = 0;
	double square = 0, sum = 0;
	r1 = r1 > r0 ? r1 : r0 + 1;
	c1 = c1 > c0 ? c1 : c0 + 1;
	if (r1 - r0 == 1 && c1 - c0 == 1)
		return (double)d->at[r0 * d->cols + c0];
	for (int64_t i = r0; i < r1; i++)
		for (int64_t j = c0; j < c1; j++) {
			double v = (double)d->at[i * d->cols + j];
			bool diagonal = d->rows == d->cols && i == j;
			square += diagonal ? 0 : v * v;
			n += !diagonal;
			sum += diagonal ? v : 0;
			on += diagonal;
		}
	return on ? sum / (double)on : sqrt(square / (double)n);
}

static int32_t colour_of(bl_ability can, double t)
{
	if (!isfinite(t))
		return BL_COLOUR_OWN;
	if (can.depth == BL_DEPTH_FULL)
		return bl_colour_diverging(t, can.light);
	return bl_colour_diverging_few(t, can.depth == BL_DEPTH_256 ? 256 : can.depth == BL_DEPTH_16 ? 16 : 8, can.light);
}

/* Without colours, denser characters show larger magnitudes; negative values have characters of their own. */
static uint32_t ramp(double t)
{
	static const char above[] = " .:+*#@", below[] = " `-~=%&";
	int k = isfinite(t) ? (int)lround(fmin(fabs(t), 1) * 6) : 0;
	return (unsigned char)(t < 0 ? below : above)[k];
}

/* halves: a cell shows two dots, one above the other, in colours; otherwise one, as a character. */
static void draw_dots(bl_canvas *c, bl_rect r, const struct dots *d, bool halves)
{
	for (int y = 0; y < (halves ? (d->h + 1) / 2 : d->h); y++)
		for (int x = 0; x < d->w; x++) {
			double t = bl_scale_position(d->scale, shown_dot(d, x, halves ? 2 * y : y));
			if (!halves) {
				bl_canvas_put(c, r.x + x, r.y + y, ramp(t), BL_COLOUR_OWN, BL_COLOUR_OWN);
				continue;
			}
			bool last = 2 * y + 1 >= d->h;
			double below = last ? 0 : bl_scale_position(d->scale, shown_dot(d, x, 2 * y + 1));
			bl_canvas_put(c, r.x + x, r.y + y, 0x2580, colour_of(c->can, t),
			              last ? BL_COLOUR_OWN : colour_of(c->can, below));
		}
}

static void scale_text(char *out, size_t size, bool halves, const struct dots *d)
{
	const char *what = halves ? "blue -1, red 1" : "'.:+*#@' up to 1, '`-~=%&' down to -1";
	if (d->scale.chance > 0)
		snprintf(out, size, "%s; |C| < %.2g: chance", what, d->scale.chance);
	else
		snprintf(out, size, "%s", what);
}

/*
 * Draws the matrix as large as possible, with square dots.  With colours, a cell shows two dots, one above the other.
 * Without, a cell shows one value for both, since it is twice as high as wide.  alone: the text of the scale is drawn as well.
 */
static void draw_matrix(bl_canvas *c, bl_rect r, const bl_figure *f, bool alone)
{
	struct dots d;
	bl_extent e;
	char text[160];
	bool halves = c->can.utf8 && c->can.depth != BL_DEPTH_MONO;
	d.at = bl_figure_dots(f, &d.rows, &d.cols, &e, &d.scale);
	int high = (r.h - 2) * 2, wide = r.w;
	double shrink = fmin(1, fmin((double)wide / (double)d.cols, (double)high / (double)d.rows));
	bl_canvas_bold(c, r.x, r.y,
	               bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_TITLE, *bl_figure_title(f) ? bl_figure_title(f) : "C"));
	if (!d.at || high < 2 || wide < 2) {
		bl_canvas_text(c, r.x, r.y + 1, r.w, BL_PAINT_FAINT,
		               d.at ? "there is no room for the matrix" : "the figure has no matrix");
		return;
	}
	/* Small matrices are enlarged by an integer factor. */
	int64_t factor = shrink < 1 ? 1 : (int64_t)fmin((double)wide / (double)d.cols, (double)high / (double)d.rows);
	d.w = (int)fmax(1, floor((double)d.cols * shrink) * (double)factor);
	d.h = (int)fmax(1, floor((double)d.rows * shrink) * (double)factor / (halves ? 1 : 2));
	draw_dots(c, (bl_rect){ r.x, r.y + 1, r.w, r.h - 2 }, &d, halves);
	scale_text(text, sizeof text, halves, &d);
	int last = r.y + 1 + (halves ? (d.h + 1) / 2 : d.h);
	int n = bl_canvas_textf(c, r.x, last, r.w, BL_PAINT_FAINT, "%.0f x %.0f%s", e.rows, e.cols, alone ? "; " : "");
	bl_canvas_text(c, r.x + n, last, r.w - n, BL_PAINT_FAINT, alone ? text : "");
}

/* Draws matrices beside each other, or, in a narrow and high rectangle, below each other; the scale is drawn once, at the bottom. */
static void draw_matrices(bl_canvas *c, bl_rect r, const bl_figure *f)
{
	struct dots d;
	bl_extent e;
	char text[160];
	int n = bl_figure_parts(f), h = r.h - 1;
	bool below = r.w / n < 16 && h > r.w / 2;
	for (int i = 0; i < n; i++) {
		bl_rect part = { r.x, r.y, r.w, h };
		if (below) {
			part.y = r.y + h * i / n;
			part.h = h * (i + 1) / n - h * i / n;
		} else {
			part.x = r.x + r.w * i / n;
			part.w = r.w * (i + 1) / n - r.w * i / n - (i + 1 < n);
		}
		draw_matrix(c, part, bl_figure_part(f, i), false);
	}
	bl_figure_dots(bl_figure_part(f, 0), &d.rows, &d.cols, &e, &d.scale);
	scale_text(text, sizeof text, c->can.utf8 && c->can.depth != BL_DEPTH_MONO, &d);
	bl_canvas_text(c, r.x, r.y + h, r.w, BL_PAINT_FAINT, text);
}

/* --- The figure ----------------------------------------------------------------------------- */

void bl_figure_draw(const bl_figure *f, bl_canvas *c)
{
	const bl_panel *p;
	int n = bl_figure_panels_of(f, &p);
	bl_rect all = { 0, 0, c->width, c->height };
	if (n == 0) {
		if (bl_figure_parts(f) > 1)
			draw_matrices(c, all, f);
		else
			draw_matrix(c, all, f, true);
		return;
	}
	bool named = p[0].axes.named > 0, head = *p[0].axes.title && *p[0].axes.ylabel && !named && c->height > PANEL_LEAST + 1;
	if (head) {
		bl_canvas_bold(c, 0, 0, bl_canvas_text(c, 0, 0, all.w, BL_PAINT_TITLE, p[0].axes.title));
		all.y++;
		all.h--;
	}
	/* Panels are drawn below each other; if there is no room for all, only the first ones. */
	int shown = (int)bl_bounded(all.h / PANEL_LEAST, 1, n);
	for (int i = 0; i < shown; i++) {
		int from = all.h * i / shown, to = all.h * (i + 1) / shown;
		bl_rect part = { all.x, all.y + from, all.w, to - from };
		if (p[i].axes.named)
			draw_named(c, part, &p[i]);
		else
			draw_lines(c, part, &p[i]);
	}
}

/* Writes a colour as the terminal's escape sequence. */
static void put_colour(FILE *out, bl_ability can, int32_t rgb, bool background)
{
	int base = background ? 40 : 30;
	if (rgb == BL_COLOUR_OWN)
		fprintf(out, "\033[%dm", base + 9);
	else if (can.depth == BL_DEPTH_FULL)
		fprintf(out, "\033[%d;2;%d;%d;%dm", base + 8, rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255);
	else if (can.depth == BL_DEPTH_256)
		fprintf(out, "\033[%d;5;%dm", base + 8, bl_colour_256(rgb));
	else {
		int k = bl_colour_ansi(rgb, can.depth == BL_DEPTH_16 ? 16 : 8);
		fprintf(out, "\033[%dm", k < 8 ? base + k : base + 60 + k - 8);
	}
}

static bool is_blank(const bl_screen_cell *c)
{
	return (c->glyph == ' ' || c->glyph == 0) && c->bg == BL_COLOUR_OWN;
}

/* Writes a row without its trailing blanks; escape sequences are written where the colours change. */
static void put_row(FILE *out, const bl_canvas *c, int y)
{
	int32_t fg = BL_COLOUR_OWN, bg = BL_COLOUR_OWN;
	int w = c->width;
	bool bold = false, colours = c->can.depth != BL_DEPTH_MONO;
	while (w > 0 && is_blank(bl_canvas_cell(c, w - 1, y)))
		w--;
	for (int x = 0; x < w; x++) {
		const bl_screen_cell *cell = bl_canvas_cell(c, x, y);
		char bytes[4];
		if (colours && cell->bold != bold)
			fputs(cell->bold ? "\033[1m" : "\033[22m", out);
		if (colours && cell->fg != fg)
			put_colour(out, c->can, cell->fg, false);
		if (colours && cell->bg != bg)
			put_colour(out, c->can, cell->bg, true);
		bold = cell->bold, fg = cell->fg, bg = cell->bg;
		fwrite(bytes, 1, (size_t)bl_canvas_encode(bl_canvas_glyph(c->can, cell->glyph ? cell->glyph : ' '), bytes), out);
	}
	fputs(colours && (bold || fg != BL_COLOUR_OWN || bg != BL_COLOUR_OWN) ? "\033[0m\n" : "\n", out);
}

char *bl_figure_characters(const bl_figure *f, int width, int height, bl_ability can)
{
	char *text = NULL;
	size_t n;
	bool blank = true;
	bl_canvas *c = bl_canvas_new(width, height, can);
	FILE *out = c ? bl_text_stream_begin(&text, &n) : NULL;
	if (out)
		bl_figure_draw(f, c);
	int rows = out ? height : 0;
	while (rows > 1 && blank) { /* leaves out empty rows at the end */
		for (int x = 0; x < width && blank; x++)
			blank = is_blank(bl_canvas_cell(c, x, rows - 1));
		rows -= blank;
	}
	for (int y = 0; y < rows; y++)
		put_row(out, c, y);
	bl_canvas_free(c);
	return bl_text_stream_end(out, &text) ? text : bl_fail_null("no memory for a figure");
}

/* --- On standard output ----------------------------------------------------------------------- */

enum {
	COLUMNS = 80,
	ROWS = 24,
	LEAST_COLUMNS = 20,
	LEAST_ROWS = 6,
	MOST = 1000,
	PROMPT_ROWS = 2,
	CELL_WIDTH = 8,
	CELL_HEIGHT = 17
};

/* The size in cells and pixels: as requested, or that of the terminal, less the rows of the prompt. */
static struct winsize size_of(bool terminal, const bl_show *how)
{
	struct winsize w;
	if (!terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0 || w.ws_row == 0)
		w = (struct winsize){ .ws_col = COLUMNS, .ws_row = ROWS + PROMPT_ROWS };
	double cell_w = w.ws_xpixel ? (double)w.ws_xpixel / w.ws_col : CELL_WIDTH;
	double cell_h = w.ws_ypixel ? (double)w.ws_ypixel / w.ws_row : CELL_HEIGHT;
	w.ws_col = (unsigned short)bl_bounded(how->columns ? how->columns : w.ws_col, LEAST_COLUMNS, MOST);
	w.ws_row = (unsigned short)bl_bounded(how->rows ? how->rows : w.ws_row - PROMPT_ROWS, LEAST_ROWS, MOST);
	w.ws_xpixel = (unsigned short)bl_bounded((int)(w.ws_col * cell_w), 100, 4000);
	w.ws_ypixel = (unsigned short)bl_bounded((int)(w.ws_row * cell_h), 100, 4000);
	return w;
}

static int write_out(const char *bytes, size_t n)
{
	if (fwrite(bytes, 1, n, stdout) == n && fflush(stdout) == 0)
		return 0;
	clearerr(stdout);
	return bl_fail("the figure cannot be shown: standard output: %s", strerror(errno));
}

static int show_sixels(const bl_figure *f, struct winsize size)
{
	size_t n;
	char *bytes = bl_figure_sixels(f, size.ws_xpixel, size.ws_ypixel, &n);
	int rc = bytes ? write_out(bytes, n) : -1;
	free(bytes);
	return rc == 0 ? write_out("\n", 1) : rc;
}

int bl_figure_show(const bl_figure *f, const bl_show *how)
{
	bool terminal = isatty(STDOUT_FILENO);
	struct winsize size = size_of(terminal, how);
	bl_ability can = terminal ? bl_screen_ability_of(STDOUT_FILENO) : (bl_ability){ .depth = BL_DEPTH_MONO };
	fflush(stdout);
	if (how->as == BL_SHOW_SIXEL)
		return show_sixels(f, size);
	/* Without gnuplot there are no sixels, but the figure can be drawn with characters. */
	if (how->as == BL_SHOW_AUTO && terminal && bl_terminal_has_sixels(STDIN_FILENO, STDOUT_FILENO) && show_sixels(f, size) == 0)
		return 0;
	if (how->as == BL_SHOW_BRAILLE)
		can.utf8 = true;
	if (how->as == BL_SHOW_ASCII)
		can.utf8 = false;
	char *text = bl_figure_characters(f, size.ws_col, size.ws_row, can);
	int rc = text ? write_out(text, strlen(text)) : -1;
	free(text);
	return rc;
}
