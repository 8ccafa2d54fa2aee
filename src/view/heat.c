/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heat.c: matrices with values in [-1, 1] as coloured dots, or as characters of increasing density. */
#include "view/heat.h"

#include <barlow/parallel.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool has_halves(bl_ability can)
{
	return can.utf8 && can.depth != BL_DEPTH_MONO;
}

static int32_t colour_of(bl_ability can, double t)
{
	if (can.depth == BL_DEPTH_FULL)
		return bl_colour_diverging(t, can.light);
	return bl_colour_diverging_few(t, can.depth == BL_DEPTH_256 ? 256 : can.depth == BL_DEPTH_16 ? 16 : 8, can.light);
}

/* --- Pooling -------------------------------------------------------------- */

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static int start_of(int k, int parts, int n)
{
	return (int)((int64_t)k * n / parts);
}

/* The first dimension of a cell on an axis (0: rows, 1: columns); for cell = m->cells, one past the last: d. */
static int edge(const bl_heat_source *m, int axis, int cell)
{
	const int32_t *edges = axis ? m->col_edge : m->row_edge;
	int64_t from = m->d, to;
	if (edges)
		return edges[cell];
	if (cell < m->cells)
		bl_chunk_range(m->d, m->cells, cell, &from, &to);
	return (int)from;
}

static double dims_in(const bl_heat_source *m, int axis, int cell)
{
	return edge(m, axis, cell + 1) - edge(m, axis, cell);
}

/*
 * A block is rows r0 to r1 - 1 and columns c0 to c1 - 1 of the cells.  Block k of n on an axis covers the cells from
 * k * cells / n to (k + 1) * cells / n - 1.  A cell's weight in the mean is the number of its elements.
 */
static double block_mean(const bl_heat_source *m, int r0, int r1, int c0, int c1)
{
	double sum = 0, weights = 0;
	for (int r = r0; r < r1; r++)
		for (int c = c0; c < c1; c++) {
			double w = dims_in(m, 0, r) * dims_in(m, 1, c);
			sum += w * m->mean[r * m->cells + c];
			weights += w;
		}
	return sum / weights;
}

static double block_extreme(const bl_heat_source *m, int r0, int r1, int c0, int c1)
{
	double best = 0;
	for (int r = r0; r < r1; r++)
		for (int c = c0; c < c1; c++) {
			double v = m->extreme[r * m->cells + c];
			if (isnan(v))
				return v;
			if (fabs(v) > fabs(best))
				best = v;
		}
	return best;
}

/* The number of elements of a cell that are on the diagonal. */
static int on_diagonal(const bl_heat_source *m, int r, int c)
{
	int top = edge(m, 0, r) + m->shift, bottom = edge(m, 0, r + 1) + m->shift;
	int left = edge(m, 1, c), right = edge(m, 1, c + 1);
	int n = smaller(bottom, right) - (top > left ? top : left);
	return n > 0 ? n : 0;
}

/*
 * The root mean square of the elements off the diagonal and the mean of those on it; NaN: there are none.  If m->change, the
 * cells contain differences of root mean squares; these are averaged, since their squares would lose the sign.
 */
static void block_apart(const bl_heat_source *m, int r0, int r1, int c0, int c1, double *rms, double *diagonal)
{
	double off = 0, offs = 0, on = 0, ons = 0;
	for (int r = r0; r < r1; r++)
		for (int c = c0; c < c1; c++) {
			double v = m->rms[r * m->cells + c];
			int n = on_diagonal(m, r, c);
			double rest = dims_in(m, 0, r) * dims_in(m, 1, c) - n;
			off += rest * (m->change ? v : v * v);
			offs += rest;
			on += n ? n * (double)m->diagonal[r * m->cells + c] : 0;
			ons += n;
		}
	*rms = offs > 0 ? m->change ? off / offs : sqrt(off / offs) : NAN;
	*diagonal = ons > 0 ? on / ons : NAN;
}

bl_pool bl_heat_pool(const bl_heat_source *m, bl_heat_style s)
{
	return s.pool == BL_POOL_RMS && !m->rms ? BL_POOL_LARGEST : s.pool;
}

/* A block's value for BL_POOL_RMS: of a single element its value; else the mean on the diagonal, or without any, the rms. */
static double block_rms(const bl_heat_source *m, int r0, int r1, int c0, int c1)
{
	double rms, diagonal;
	if (r1 - r0 == 1 && c1 - c0 == 1 && dims_in(m, 0, r0) * dims_in(m, 1, c0) == 1)
		return m->mean[r0 * m->cells + c0];
	block_apart(m, r0, r1, c0, c1, &rms, &diagonal);
	return isnan(diagonal) ? rms : diagonal;
}

/* A dot of a picture of w x h dots; if there are more dots than cells, cells are repeated. */
static double dot_value(const bl_heat_source *m, int w, int h, int x, int y, bl_pool pool)
{
	int r0 = start_of(y, h, m->cells), r1 = start_of(y + 1, h, m->cells);
	int c0 = start_of(x, w, m->cells), c1 = start_of(x + 1, w, m->cells);
	r1 = r1 > r0 ? r1 : r0 + 1;
	c1 = c1 > c0 ? c1 : c0 + 1;
	return pool == BL_POOL_RMS       ? block_rms(m, r0, r1, c0, c1)
	       : pool == BL_POOL_LARGEST ? block_extreme(m, r0, r1, c0, c1)
	                                 : block_mean(m, r0, r1, c0, c1);
}

double bl_heat_cell(const bl_heat_source *m, int row, int col, bl_pool pool)
{
	return dot_value(m, m->cells, m->cells, col, row, pool);
}

/* --- Size ----------------------------------------------------------------- */

/*
 * The number of dots on a side, at most `room`: a multiple of the cells if there is room for all of them.  Otherwise the
 * largest number with which all blocks have equally many cells, because unequal blocks appear as stripes; but if that is less
 * than three quarters of `room`, then `room`.
 */
static int side_for(int room, int cells)
{
	if (room >= cells)
		return room / cells * cells;
	int block = (cells + room - 1) / room;
	while (block < cells && cells % block)
		block++;
	int equal = cells / block;
	return equal >= room * 3 / 4 ? equal : room;
}

int bl_heat_blocks(bl_heat_fit fit, const bl_heat_source *m, int axis)
{
	return smaller(axis ? fit.dots_x : fit.dots_y, m->cells);
}

bl_heat_fit bl_heat_measure(bl_ability can, int w, int h, const bl_heat_source *m)
{
	int room = w < 2 * h ? w : 2 * h;
	int side = side_for(room > 1 ? room : 1, m->cells);
	bl_heat_fit fit = { .w = side, .h = (side + 1) / 2, .dots_x = side };
	fit.dots_y = has_halves(can) ? side : fit.h;
	fit.dims_x = (double)m->d / bl_heat_blocks(fit, m, 1);
	fit.dims_y = (double)m->d / bl_heat_blocks(fit, m, 0);
	return fit;
}

/* --- Blocks --------------------------------------------------------------- */

bl_heat_block bl_heat_block_at(bl_heat_fit fit, const bl_heat_source *m, int row, int col)
{
	bl_heat_block b = { .at = { row, col } };
	int first[2], last[2];
	for (int axis = 0; axis < 2; axis++) {
		int n = bl_heat_blocks(fit, m, axis);
		b.at[axis] = b.at[axis] < 0 ? 0 : smaller(b.at[axis], n - 1);
		first[axis] = start_of(b.at[axis], n, m->cells);
		last[axis] = start_of(b.at[axis] + 1, n, m->cells);
		b.from[axis] = edge(m, axis, first[axis]);
		b.to[axis] = edge(m, axis, last[axis]);
	}
	b.mean = (float)block_mean(m, first[0], last[0], first[1], last[1]);
	b.extreme = (float)block_extreme(m, first[0], last[0], first[1], last[1]);
	double rms = NAN, diagonal = NAN;
	if (m->rms)
		block_apart(m, first[0], last[0], first[1], last[1], &rms, &diagonal);
	b.rms = (float)rms;
	b.diagonal = (float)diagonal;
	return b;
}

bl_heat_block bl_heat_block_of_dims(bl_heat_fit fit, const bl_heat_source *m, int row, int col)
{
	int at[2] = { 0, 0 }, dim[2] = { row, col };
	for (int axis = 0; axis < 2; axis++) {
		int n = bl_heat_blocks(fit, m, axis);
		while (at[axis] + 1 < n && edge(m, axis, start_of(at[axis] + 1, n, m->cells)) <= dim[axis])
			at[axis]++;
	}
	return bl_heat_block_at(fit, m, at[0], at[1]);
}

bl_heat_block bl_heat_block_under(bl_heat_fit fit, const bl_heat_source *m, int x, int y)
{
	int dots_a_row = fit.dots_y > fit.h ? 2 : 1;
	return bl_heat_block_at(fit, m, y * dots_a_row * bl_heat_blocks(fit, m, 0) / fit.dots_y,
	                        x * bl_heat_blocks(fit, m, 1) / fit.dots_x);
}

/* The middle dot of a block; only this dot is marked, so that the rest of a large block shows its colour. */
static int dot_of(int dots, int blocks, int at)
{
	return (start_of(at, blocks, dots) + start_of(at + 1, blocks, dots) - 1) / 2;
}

void bl_heat_mark(bl_canvas *c, int x, int y, bl_heat_fit fit, const bl_heat_source *m, const bl_heat_block *b)
{
	int32_t ink = bl_colour_of(BL_PAINT_CURSOR, c->can.light);
	int row = dot_of(fit.dots_y, bl_heat_blocks(fit, m, 0), b->at[0]);
	int col = dot_of(fit.dots_x, bl_heat_blocks(fit, m, 1), b->at[1]);
	bool halves = fit.dots_y > fit.h;
	bl_screen_cell *cell = bl_canvas_cell(c, x + col, y + (halves ? row / 2 : row));
	if (!cell)
		return;
	if (!halves)
		*cell = (bl_screen_cell){ 'X', ink, cell->bg, true };
	else if (row % 2)
		*cell = (bl_screen_cell){ 0x2580, cell->glyph == ' ' ? cell->bg : cell->fg, ink, false };
	else
		*cell = (bl_screen_cell){ 0x2580, ink, cell->bg, false };
}

/* --- Drawing -------------------------------------------------------------- */

/* Without colours, denser characters show larger magnitudes; negative values have characters of their own. */
static uint32_t ramp(double t)
{
	static const char above[] = " .:+*#@", below[] = " `-~=%&";
	const int top = (int)sizeof above - 2;
	if (isnan(t))
		return '?';
	int k = (int)lround(fmin(fabs(t), 1) * top);
	return (unsigned char)(t < 0 ? below : above)[k];
}

bl_scale bl_heat_scale_of(bl_heat_fit fit, const bl_heat_source *m, bl_heat_style s)
{
	bool of_rms = bl_heat_pool(m, s) == BL_POOL_RMS && !m->change;
	return bl_scale_of_chance(of_rms ? m->n : 0, fmax(fit.dims_x, 1) * fmax(fit.dims_y, 1), s.symlog);
}

static void put_dot(bl_canvas *c, int x, int y, double t)
{
	if (c->can.depth == BL_DEPTH_MONO)
		bl_canvas_put(c, x, y, ramp(t), BL_COLOUR_OWN, BL_COLOUR_OWN);
	else
		bl_canvas_put(c, x, y, ' ', BL_COLOUR_OWN, colour_of(c->can, t));
}

void bl_heat_draw(bl_canvas *c, int x, int y, bl_heat_fit fit, const bl_heat_source *m, bl_heat_style s)
{
	bool halves = has_halves(c->can);
	int rows = fit.dots_y, w = fit.w;
	bl_pool pool = bl_heat_pool(m, s);
	bl_scale scale = bl_heat_scale_of(fit, m, s);
	for (int j = 0; j < fit.h; j++)
		for (int i = 0; i < w; i++) {
			int row = halves ? 2 * j : j;
			double upper = bl_scale_position(scale, dot_value(m, w, rows, i, row, pool));
			if (!halves) {
				put_dot(c, x + i, y + j, upper);
				continue;
			}
			int32_t above = colour_of(c->can, upper), below = BL_COLOUR_OWN;
			if (row + 1 < rows)
				below = colour_of(c->can, bl_scale_position(scale, dot_value(m, w, rows, i, row + 1, pool)));
			bl_canvas_put(c, x + i, y + j, above == below ? ' ' : 0x2580, above, below);
		}
}

/* The mean of part k of `parts` of n values; if there are fewer values than parts, values are repeated. */
static double part_mean(const float *v, int n, int k, int parts)
{
	int from = start_of(k, parts, n), to = start_of(k + 1, parts, n);
	double sum = 0;
	for (int i = from; i < to; i++)
		sum += v[i];
	return to > from ? sum / (to - from) : v[from];
}

void bl_heat_strip(bl_canvas *c, int x, int y, int w, const float *values, int n, bl_scale s)
{
	for (int i = 0; i < w && n > 0; i++) {
		double v = part_mean(values, n, i, w);
		int eighths = isnan(v) ? 8 : (int)lround(fmin(fmax(v, 0), 1) * 8);
		int32_t fg = colour_of(c->can, bl_scale_position(s, v));
		uint32_t glyph = eighths ? 0x2580u + (uint32_t)eighths : ' ';
		if (!c->can.utf8)
			glyph = isnan(v) ? '?' : '0' + (uint32_t)lround(fmin(fmax(v, 0), 1) * 9);
		bl_canvas_put(c, x + i, y, glyph, fg, BL_COLOUR_OWN);
	}
}

/* Draws the colour map as a scale. */
void bl_heat_scale(bl_canvas *c, int x, int y, int w)
{
	int bar = w - 6;
	if (bar < 3)
		return;
	bl_canvas_text(c, x, y, 2, BL_PAINT_FAINT, "-1");
	bl_canvas_text(c, x + w - 2, y, 2, BL_PAINT_FAINT, "+1");
	for (int i = 0; i < bar; i++)
		put_dot(c, x + 3 + i, y, 2.0 * i / (bar - 1) - 1);
}

void bl_heat_scale_caption(char out[BL_HEAT_SCALE_TEXT], int room, bl_ability can, bl_scale s)
{
	const char *middle = can.depth == BL_DEPTH_MONO ? "blank" : can.light ? "white" : "black";
	if (s.chance <= 0) {
		snprintf(out, BL_HEAT_SCALE_TEXT, "%s scale", s.log ? "logarithmic" : "linear");
		return;
	}
	snprintf(out, BL_HEAT_SCALE_TEXT, "%s%s: |C| < %.2g (chance)", s.log ? "log scale, " : "", middle, s.chance);
	if (bl_canvas_columns(out) > room)
		snprintf(out, BL_HEAT_SCALE_TEXT, "%s: |C| < %.2g", middle, s.chance);
}

static void number_text(char *out, int size, double v)
{
	snprintf(out, (size_t)size, v == floor(v) ? "%.0f" : "%.3g", v);
}

/* Names the pooling of a dot's elements.  If these were sampled, adds the error of the rms, or the share for the largest. */
static void name_pooling(char out[48], const char *largest, bl_pool pool, bl_heat_sample sample)
{
	if (pool == BL_POOL_RMS && sample.rms < 1)
		snprintf(out, 48, "rms +-%.2g%%", 100 * sample.error);
	else if (pool == BL_POOL_LARGEST && sample.largest < 1)
		snprintf(out, 48, "%s of %.2g%%", largest, 100 * sample.largest);
	else
		snprintf(out, 48, "%s", pool == BL_POOL_RMS ? "rms" : pool == BL_POOL_LARGEST ? largest : "mean");
}

void bl_heat_caption(char *out, int size, int w, const char *what, const char *brief, bl_heat_fit fit, bl_pool pool,
                     bl_heat_sample sample)
{
	bool whole = fit.dims_x <= 1 && fit.dims_y <= 1;
	char dx[32], dy[32], pooling[48], dot[144];
	number_text(dx, sizeof dx, fit.dims_x);
	number_text(dy, sizeof dy, fit.dims_y);
	name_pooling(pooling, "largest", pool, sample);
	snprintf(dot, sizeof dot, "1 dot = %s x %s dims, %s", dy, dx, pooling);
	int n = snprintf(out, (size_t)size, "%s: %s", what, whole ? "single elements" : dot);
	if (n > w)
		n = snprintf(out, (size_t)size, "%s  %s", brief, whole ? "elements" : dot);
	name_pooling(pooling, "max", pool, sample);
	if (n > w && !whole)
		snprintf(out, (size_t)size, "%s %.0fx%.0f %s", brief, fit.dims_y, fit.dims_x, pooling);
}
