/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure_heatmap.c: draws a matrix in a diverging colour map of fixed range, [-1, 1], so that figures can be compared. */
#include "figure/figure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Numbers of dots on a side.  A dot of a large matrix represents block x block elements.  In pictures of small matrices, each
 * dot is repeated, because viewers smooth small pictures.  TeX draws each dot as a rectangle, so there are fewer of them.
 */
enum { MAX_DOTS = 512, MIN_DOTS = 384, TEX_DOTS = 128 };

/* How a matrix of rows x cols elements is divided into h x w blocks. */
struct plan {
	int64_t rows, cols, block, h, w;
};

static struct plan make_plan(int64_t rows, int64_t cols, int most)
{
	int64_t side = rows > cols ? rows : cols;
	struct plan p = { rows, cols, (side + most - 1) / most, 0, 0 };
	p.h = (rows + p.block - 1) / p.block;
	p.w = (cols + p.block - 1) / p.block;
	return p;
}

/* A dot's value, as on the screen: an element, a block's root mean square, or, on the diagonal, the mean of elements i = j. */
static double block_value(const float *c, const struct plan *p, int64_t row, int64_t col)
{
	int64_t r1 = row + p->block < p->rows ? row + p->block : p->rows;
	int64_t c1 = col + p->block < p->cols ? col + p->block : p->cols;
	double square = 0, diagonal = 0;
	if (p->block == 1)
		return (double)c[row * p->cols + col];
	for (int64_t i = row; i < r1; i++)
		for (int64_t j = col; j < c1; j++) {
			double v = (double)c[i * p->cols + j];
			square += v * v;
			diagonal += i == j ? v : 0;
		}
	if (p->rows == p->cols && row == col)
		return diagonal / (double)(r1 - row);
	return sqrt(square / (double)((r1 - row) * (c1 - col)));
}

static float *pool(const float *c, const struct plan *p)
{
	float *dot = malloc((size_t)(p->h * p->w) * sizeof *dot);
	for (int64_t k = 0; dot && k < p->h * p->w; k++)
		dot[k] = (float)block_value(c, p, k / p->w * p->block, k % p->w * p->block);
	return dot;
}

/* --- Drawing -------------------------------------------------------------------------- */

enum { DIM_TICS_MOST = 6 };

/* Sets ticks at round dims, from 1 on: gnuplot's own would label the edge before dim 1 as 0. */
static void add_dim_tics(bl_script *s, const char *axis, double first, double n)
{
	static const int factors[] = { 2, 5, 10 };
	double step = 1, power = 1;
	for (int k = 0; n / step > DIM_TICS_MOST; k++) {
		step = power * factors[k % 3];
		power *= k % 3 == 2 ? 10 : 1;
	}
	bl_script_add(s, "set %stics %.9g, %.9g\n", axis, fmax(1, ceil(first / step)) * step, step);
}

/* Adds the dots as binary data, each repeated so often that viewers do not blur it. */
static void add_picture(bl_script *s, const bl_dots *m)
{
	int64_t side = m->rows > m->cols ? m->rows : m->cols, repeat = side < MIN_DOTS ? MAX_DOTS / side : 1;
	double dx = m->dims.cols / (double)(m->cols * repeat), dy = m->dims.rows / (double)(m->rows * repeat);
	bl_script_add(
		s, "plot '-' binary array=(%lld,%lld) format='%%float32' dx=%.9g dy=%.9g origin=(%.9g,%.9g) with image notitle\n",
		(long long)(m->cols * repeat), (long long)(m->rows * repeat), dx, dy, m->dims.col - .5 + dx / 2,
		m->dims.row - .5 + dy / 2);
	for (int64_t y = 0; y < m->rows * repeat; y++)
		for (int64_t x = 0; x < m->cols * repeat; x++) {
			float v = (float)bl_scale_position(m->scale, (double)m->dot[y / repeat * m->cols + x / repeat]);
			bl_script_bytes(s, &v, sizeof v);
		}
}

/* Adds the dots as text, for scripts that the user saves, and for TeX. */
static void add_numbers(bl_script *s, const float *dot, int64_t rows, int64_t cols, const bl_extent *e, bl_scale scale)
{
	double dx = e->cols / (double)cols, dy = e->rows / (double)rows;
	bl_script_add(s, "# positions on the colour map; the labels of the scale have the values\n$M << EOD\n");
	for (int64_t y = 0; y < rows; y++)
		for (int64_t x = 0; x < cols; x++) {
			double place = bl_scale_position(scale, (double)dot[y * cols + x]);
			char number[32];
			snprintf(number, sizeof number, isfinite(place) ? "%.6g" : "NaN", place);
			bl_script_add(s, "%s%c", number, x + 1 < cols ? ' ' : '\n');
		}
	bl_script_add(s, "EOD\nplot $M matrix using (%.9g + %.9g * $1):(%.9g + %.9g * $2):3 with image%s notitle\n",
	              e->col - .5 + dx / 2, dx, e->row - .5 + dy / 2, dy, bl_script_style(s)->form == BL_FORM_TEX ? " pixels" : "");
}

static void add_dots(bl_script *s, const bl_dots *m)
{
	bl_form form = bl_script_style(s)->form;
	struct plan p = make_plan(m->rows, m->cols, TEX_DOTS);
	float *fewer = form == BL_FORM_TEX && p.block > 1 ? pool(m->dot, &p) : NULL;
	if (fewer)
		add_numbers(s, fewer, p.h, p.w, &m->dims, m->scale);
	else if (form == BL_FORM_TEX || form == BL_FORM_GP)
		add_numbers(s, m->dot, m->rows, m->cols, &m->dims, m->scale);
	else
		add_picture(s, m);
	free(fewer);
}

static void add_title(bl_script *s, const bl_figure *f, double inches)
{
	const bl_dots *m = &f->matrix;
	char size[128];
	int n = snprintf(size, sizeof size, "%.0f × %.0f", m->dims.rows, m->dims.cols);
	if (m->block > 1)
		snprintf(size + n, sizeof size - (size_t)n, ", a dot is the rms of %lld × %lld elements", (long long)m->block,
		         (long long)m->block);
	bl_script_add(s, "set title ");
	bl_script_stacked(s, (const char *const[]){ *f->title ? f->title : "C", size }, 2, inches);
	bl_script_add(s, "\n");
}

enum { TICS_LEAST = 2 };
#define TIC_ROOM .12 /* smallest distance of labels, as a share of half the map */

/* The largest round step with which two or more of the ticks 1, 1 - step, ... are above the level of chance. */
static double even_step(bl_scale scale)
{
	static const double steps[] = { .5, .25, .2, .1, .05, .02, .01 };
	int k = 0, last = (int)(sizeof steps / sizeof *steps) - 1;
	while (k < last && (1 - scale.chance) / steps[k] < TICS_LEAST)
		k++;
	return steps[k];
}

/* The next value below v in 1, .5, .2, .1, ... */
static double lower(double v)
{
	double power = pow(10, floor(log10(v) + 1e-9)), digit = round(v / power);
	return digit > 2 ? 2 * power : digit > 1 ? power : power / 2;
}

/* Adds labels to the colour scale: round values at their positions, and the level of chance at the middle. */
static void add_tics(bl_script *s, bl_scale scale)
{
	double step = even_step(scale), before = 1 + TIC_ROOM;
	bl_script_add(s, scale.chance > 0 ? "set cbtics ('±%.2g' 0" : "set cbtics ('%.2g' 0", scale.chance);
	for (double v = 1; v > 1e-3; v = scale.log ? lower(v) : v - step) {
		double place = bl_scale_position(scale, v);
		if (place < TIC_ROOM)
			break;
		if (before - place < TIC_ROOM)
			continue;
		bl_script_add(s, ", '%.4g' %.4g, '-%.4g' %.4g", v, place, v, -place);
		before = place;
	}
	bl_script_add(s, ")\n");
}

/* Adds what all matrices of a figure share: axes, colours and their scale.  brief: the scale's label is short. */
static void add_axes(bl_script *s, bl_scale scale, bool brief)
{
	bl_script_add(s,
	              "set size ratio -1\nunset grid\nset border 15 linecolor rgb '#404040'\n"
	              "set xlabel 'j (second view)'\nset ylabel 'i (first view)'\n"
	              "set palette defined (-1 '#0b3c7d', -.667 '#3f7fc0', -.333 '#a9cbe8', 0 '#fafafa', .333 '#f5b49a', "
	              ".667 '#d25a45', 1 '#8c0f26')\n");
	bl_script_add(s, "set cbrange [-1:1]\nset cbtics scale .4\nset colorbox noborder\n");
	add_tics(s, scale);
	if (scale.chance <= 0)
		return;
	char label[96];
	snprintf(label, sizeof label, brief ? "within ±%.2g: chance" : "within ±%.2g: what chance gives at this batch size",
	         scale.chance);
	bl_script_add(s, "set cblabel ");
	bl_script_quoted(s, label);
	bl_script_add(s, " offset 1.5, 0\nset rmargin %d\n", bl_script_style(s)->column ? 13 : 15);
}

/* Draws a matrix; inches: the width of its title.  Dim i has coordinate i, and a dot is centred on its elements. */
static void draw_one(bl_script *s, const bl_figure *f, double inches)
{
	const bl_extent *e = &f->matrix.dims;
	double left = e->col - .5, top = e->row - .5;
	add_title(s, f, inches);
	bl_script_add(s, "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", left, left + e->cols, top + e->rows, top);
	add_dim_tics(s, "x", e->col, e->cols);
	add_dim_tics(s, "y", e->row, e->rows);
	add_dots(s, &f->matrix);
}

/* --- Several ---------------------------------------------------------------------------- */

/* In inches: the margins around each map, and the room for the colour scale at the right edge of the figure. */
#define LEFT .55
#define ABOVE .62
#define BELOW .45
#define GAP .12
#define SCALE .95

struct grid {
	int across, down;
	double map, height; /* the side of a map and the height of the figure, in inches */
};

static struct grid grid_of(int parts, const bl_figure_theme *look)
{
	struct grid g = { look->column ? 1 : parts == 4 ? 2 : 3, 0, 0, 0 };
	g.across = parts < g.across ? parts : g.across;
	g.down = (parts + g.across - 1) / g.across;
	g.map = (look->width - SCALE) / g.across - LEFT - GAP;
	g.height = g.down * (g.map + ABOVE + BELOW);
	return g;
}

/* Draws several matrices in a grid.  Positions are shares of the figure, from its bottom, as in gnuplot. */
static void draw_several(bl_script *s, const bl_figure *f)
{
	const bl_figure_theme *look = bl_script_style(s);
	struct grid g = grid_of(f->parts, look);
	bl_script_add(s, "set multiplot\nset colorbox user origin %.4g, %.4g size %.4g, %.4g\n", 1 - (SCALE - .05) / look->width,
	              1 - (ABOVE + g.map) / g.height, .12 / look->width, g.map / g.height);
	for (int k = 0; k < f->parts; k++) {
		double left = k % g.across * (g.map + LEFT + GAP) + LEFT, top = k / g.across * (g.map + ABOVE + BELOW) + ABOVE;
		if (k == 1)
			bl_script_add(s, "unset colorbox\n");
		bl_script_add(s,
		              "set lmargin at screen %.4g\nset rmargin at screen %.4g\nset tmargin at screen %.4g\n"
		              "set bmargin at screen %.4g\n",
		              left / look->width, (left + g.map) / look->width, 1 - top / g.height, 1 - (top + g.map) / g.height);
		bl_script_add(s, "set ylabel '%s'\nset xlabel 'j (second view)'\n", k % g.across ? "" : "i (first view)");
		draw_one(s, f->part[k], g.map + LEFT);
	}
	bl_script_add(s, "unset multiplot\n");
}

double bl_matrix_height(const bl_figure *f, const bl_figure_theme *look)
{
	return f->parts ? grid_of(f->parts, look).height : look->column ? 2.9 : 5.6;
}

void bl_matrix_draw(bl_script *s, const bl_figure *f)
{
	const bl_figure_theme *look = bl_script_style(s);
	add_axes(s, bl_figure_part(f, 0)->matrix.scale, look->column || f->parts > 2);
	if (f->parts)
		draw_several(s, f);
	else
		draw_one(s, f, look->width - .4);
}

/* --- Making --------------------------------------------------------------------------- */

static float *dots_of(const bl_tensor *c, const struct plan *p)
{
	char shape[BL_SHAPE_TEXT];
	int64_t n = bl_tensor_count(c), finite = 0;
	float *values = malloc((size_t)n * sizeof *values), *dot = NULL;
	if (values)
		bl_tensor_read(c, values);
	while (values && finite < n && !isfinite(values[finite]))
		finite++;
	if (values && finite == n)
		bl_fail("a heatmap takes a matrix with finite elements: all of this one, of shape %s, are NaN or infinite",
		        bl_tensor_text(c, shape));
	else if (!values || !(dot = pool(values, p)))
		bl_fail("no memory for a heatmap of shape %s", bl_tensor_text(c, shape));
	free(values);
	return dot;
}

bl_figure *bl_figure_heatmap_of(const bl_tensor *c, const char *title, const bl_extent *dims, bl_scale scale)
{
	char shape[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(c) != 2 || bl_tensor_count(c) == 0)
		return bl_fail_null("a heatmap takes a matrix (R,C), not a tensor of shape %s", bl_tensor_text(c, shape));
	struct plan p = make_plan(bl_tensor_size(c, 0), bl_tensor_size(c, 1), MAX_DOTS);
	float *dot = dots_of(c, &p);
	bl_figure *f = dot ? bl_figure_new(BL_FIGURE_MATRIX, title) : NULL;
	if (f)
		f->matrix = (bl_dots){ dot, p.h, p.w, p.block, *dims, scale };
	else
		free(dot);
	return f;
}

/* On the axes, elements are counted from 1, as in Lua. */
bl_figure *bl_figure_heatmap(const bl_tensor *c, const char *title, int64_t batch)
{
	bool matrix = bl_tensor_ndim(c) == 2;
	bl_extent all = { 1, matrix ? (double)bl_tensor_size(c, 0) : 0, 1, matrix ? (double)bl_tensor_size(c, 1) : 0 };
	struct plan p = make_plan((int64_t)fmax(all.rows, 1), (int64_t)fmax(all.cols, 1), MAX_DOTS);
	return bl_figure_heatmap_of(c, title, &all, bl_scale_of_chance((double)batch, (double)(p.block * p.block), false));
}
