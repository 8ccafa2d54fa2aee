/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A matrix over the diverging map, fixed to [-1, 1], so that two figures can be compared. */
#include "figure/script.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 900, HEIGHT = 840, MAX_DOTS = 512, MIN_DOTS = 384 };

/*
 * Dots of the picture: `block` elements a side go into one when the matrix is
 * large; one is repeated over `repeat` dots when it is small, because viewers
 * smooth the picture in an SVG.
 */
struct plan {
	int64_t rows, cols, block, repeat, h, w;
};

static struct plan make_plan(int64_t rows, int64_t cols)
{
	int64_t side = rows > cols ? rows : cols;
	struct plan p = {rows, cols, (side + MAX_DOTS - 1) / MAX_DOTS, 1, 0, 0};
	if (side < MIN_DOTS)
		p.repeat = MAX_DOTS / side;
	p.h = (rows + p.block - 1) / p.block * p.repeat;
	p.w = (cols + p.block - 1) / p.block * p.repeat;
	return p;
}

/* As on the screen: single elements; of a block the root of their mean square, or what lies on a square's diagonal. */
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

static void add_dots(bl_script *s, const float *c, const struct plan *p, bl_scale scale)
{
	for (int64_t y = 0; y < p->h; y++)
		for (int64_t x = 0; x < p->w; x++) {
			double value = block_value(c, p, y / p->repeat * p->block, x / p->repeat * p->block);
			float v = (float)bl_scale_place(scale, value);
			bl_script_bytes(s, &v, sizeof v);
		}
}

/* Dim i lies at i; a dot's middle lies where the middle of its elements does. */
static void add_plot(bl_script *s, const struct plan *p, const bl_extent *e)
{
	double step = (double)p->block / (double)p->repeat, dx = step * e->cols / (double)p->cols,
	       dy = step * e->rows / (double)p->rows, left = e->col - .5, top = e->row - .5;
	bl_script_add(s, "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", left, left + e->cols, top + e->rows, top);
	bl_script_add(s,
		      "plot '-' binary array=(%lld,%lld) format='%%float32' dx=%.9g dy=%.9g origin=(%.9g,%.9g) with "
		      "image notitle\n",
		      (long long)p->w, (long long)p->h, dx, dy, left + dx / 2, top + dy / 2);
}

static void add_title(bl_script *s, const struct plan *p, const bl_extent *e, const char *title)
{
	bl_script_add(s, "set title ");
	bl_script_quoted(s, title && *title ? title : "C");
	bl_script_add(s, ".\"\\n\".'%.0f × %.0f", e->rows, e->cols);
	if (p->block > 1)
		bl_script_add(s, ", a dot is the rms of %lld × %lld elements", (long long)p->block,
			      (long long)p->block);
	bl_script_add(s, "'\n");
}

enum { TICS_LEAST = 2 };
#define TIC_ROOM .12 /* of half the map: labels nearer to each other would touch */

/* From 1 down in round steps, so many that two or more lie above the floor. */
static double even_step(bl_scale scale)
{
	static const double steps[] = {.5, .25, .2, .1, .05, .02, .01};
	int k = 0, last = (int)(sizeof steps / sizeof *steps) - 1;
	while (k < last && (1 - scale.floor) / steps[k] < TICS_LEAST)
		k++;
	return steps[k];
}

/* 1, .5, .2, .1 ... */
static double lower(double v)
{
	double power = pow(10, floor(log10(v) + 1e-9)), digit = round(v / power);
	return digit > 2 ? 2 * power : digit > 1 ? power : power / 2;
}

/* Numbers stand where their values lie on the map; its middle says up to which they are the background. */
static void add_tics(bl_script *s, bl_scale scale)
{
	double step = even_step(scale), before = 1 + TIC_ROOM;
	bl_script_add(s, scale.floor > 0 ? "set cbtics ('±%.2g' 0" : "set cbtics ('%.2g' 0", scale.floor);
	for (double v = 1; v > 1e-3; v = scale.log ? lower(v) : v - step) {
		double place = bl_scale_place(scale, v);
		if (place < TIC_ROOM)
			break;
		if (before - place < TIC_ROOM)
			continue;
		bl_script_add(s, ", '%.4g' %.4g, '-%.4g' %.4g", v, place, v, -place);
		before = place;
	}
	bl_script_add(s, ")\n");
}

static void add_scale(bl_script *s, bl_scale scale)
{
	bl_script_add(s, "set cbrange [-1:1]\nset cbtics scale .4\nset colorbox noborder\n");
	add_tics(s, scale);
	if (scale.floor > 0)
		bl_script_add(s, "set cblabel 'within ±%.2g: what chance gives at this batch size' offset 1.5, 0\nset rmargin 15\n", scale.floor);
}

static void add_axes(bl_script *s, bl_scale scale)
{
	bl_script_add(
		s, "set size ratio -1\nunset grid\nset border 15 linecolor rgb '#505050'\n"
		   "set xlabel 'j (second view)'\nset ylabel 'i (first view)'\n"
		   "set palette defined (-1 '#0b3c7d', -.667 '#3f7fc0', -.333 '#a9cbe8', 0 '#fafafa', .333 '#f5b49a', "
		   ".667 '#d25a45', 1 '#8c0f26')\n");
	add_scale(s, scale);
}

static bool any_finite(const float *v, int64_t n)
{
	int64_t i = 0;
	while (i < n && !isfinite(v[i]))
		i++;
	return i < n;
}

bl_figure *bl_figure_heatmap_of(const bl_tensor *c, const char *title, const bl_extent *dims, bl_scale scale)
{
	char shape[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(c) != 2 || bl_tensor_count(c) == 0)
		return bl_fail_null("a heatmap takes a matrix (R,C), not a tensor of shape %s",
				    bl_tensor_text(c, shape));
	float *values = malloc((size_t)bl_tensor_count(c) * sizeof *values);
	bl_script *s = values ? bl_script_new(WIDTH, HEIGHT) : NULL;
	if (!s) {
		free(values);
		return bl_fail_null("no memory for a heatmap of shape %s", bl_tensor_text(c, shape));
	}
	bl_tensor_read(c, values);
	if (!any_finite(values, bl_tensor_count(c))) {
		free(values);
		bl_figure_free(bl_script_figure(s));
		return bl_fail_null("a heatmap takes a matrix with numbers in it: all of shape %s are NaN or infinite",
				    bl_tensor_text(c, shape));
	}
	struct plan p = make_plan(bl_tensor_size(c, 0), bl_tensor_size(c, 1));
	add_title(s, &p, dims, title);
	add_axes(s, scale);
	add_plot(s, &p, dims);
	add_dots(s, values, &p, scale);
	free(values);
	return bl_script_figure(s);
}

/* Elements are counted from 1, as Lua does. */
bl_figure *bl_figure_heatmap(const bl_tensor *c, const char *title, int64_t batch)
{
	bool matrix = bl_tensor_ndim(c) == 2;
	bl_extent all = {1, matrix ? (double)bl_tensor_size(c, 0) : 0, 1, matrix ? (double)bl_tensor_size(c, 1) : 0};
	struct plan p = make_plan((int64_t)fmax(all.rows, 1), (int64_t)fmax(all.cols, 1));
	return bl_figure_heatmap_of(c, title, &all, bl_scale_of_chance((double)batch, (double)(p.block * p.block), false));
}
