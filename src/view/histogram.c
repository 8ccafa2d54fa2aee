/* SPDX-License-Identifier: GPL-3.0-or-later */
/* histogram.c: the off-diagonal values of C as bars. */
#include "view/histogram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { EIGHTHS = 8, NEAR = 2 /* bins on each side of 0; they end at 1/16 */ };

/* The count of column x of `columns`. */
static double count_of(const double bins[BL_HIST_BINS], int x, int columns)
{
	if (columns >= BL_HIST_BINS)
		return bins[x * BL_HIST_BINS / columns];
	int each = BL_HIST_BINS / columns;
	double sum = 0;
	for (int i = x * each; i < (x + 1) * each; i++)
		sum += bins[i];
	return sum;
}

/* Draws a bar from the bottom up; it is visible unless its height is 0. */
static void draw_bar(bl_canvas *c, int x, bl_rect r, double height)
{
	int left = (int)lround(height * r.h * EIGHTHS);
	int32_t fg = bl_colour_of(BL_PAINT_REDUNDANCY, c->can.light);
	if (height > 0 && left == 0)
		left = 1;
	for (int y = r.y + r.h - 1; left > 0; y--, left -= EIGHTHS) {
		uint32_t glyph = left >= EIGHTHS ? 0x2588 : 0x2580u + (uint32_t)left;
		if (!c->can.utf8)
			glyph = left >= EIGHTHS / 2 ? '#' : '.';
		bl_canvas_put(c, x, y, glyph, fg, BL_COLOUR_OWN);
	}
}

/*
 * The expected count of a bin for independent views, whose correlations have a density proportional to (1 -
 * r^2)^((N-4)/2).
 */
static void fill_chance(const bl_snapshot *p, double chance[BL_HIST_BINS])
{
	enum { POINTS = 16 };
	double all = 0;
	for (int i = 0; i < BL_HIST_BINS; i++) {
		chance[i] = 0;
		for (int k = 0; k < POINTS; k++) {
			double r = 2 * (i + (k + .5) / POINTS) / BL_HIST_BINS - 1;
			chance[i] += pow(1 - r * r, (p->n - 4) / 2.);
		}
		all += chance[i];
	}
	for (int i = 0; i < BL_HIST_BINS; i++)
		chance[i] *= p->sampled / all;
}

/* Draws the expected count of a column as a point, over its bar. */
static void draw_chance(bl_canvas *c, int x, bl_rect r, double height, double bar)
{
	int row = (int)(height * r.h), y = r.y + r.h - 1 - (row < r.h ? row : r.h - 1);
	bool inside = lround(bar * r.h * EIGHTHS) >= (row + 1) * EIGHTHS;
	int32_t ink = bl_colour_of(BL_PAINT_TITLE, c->can.light);
	if (height > 0)
		bl_canvas_put(c, x, y, c->can.utf8 ? 0x2022 : 'o', ink,
		              inside ? bl_colour_of(BL_PAINT_REDUNDANCY, c->can.light) : BL_COLOUR_OWN);
}

static void draw_axis(bl_canvas *c, int x, int y, int w)
{
	int32_t faint = bl_colour_of(BL_PAINT_FAINT, c->can.light);
	for (int i = 0; i < w; i++)
		bl_canvas_put(c, x + i, y, 0x2500, faint, BL_COLOUR_OWN);
	bl_canvas_text(c, x, y, 2, BL_PAINT_FAINT, "-1");
	bl_canvas_text(c, x + w / 2, y, 1, BL_PAINT_FAINT, "0");
	bl_canvas_text(c, x + w - 2, y, 2, BL_PAINT_FAINT, "+1");
}

static void draw_title(bl_canvas *c, bl_rect r, const bl_snapshot *p)
{
	char text[64];
	double near = 0, all = 0;
	for (int i = 0; i < BL_HIST_BINS; i++) {
		all += p->histogram[i];
		near += abs(2 * i + 1 - BL_HIST_BINS) < 2 * NEAR ? p->histogram[i] : 0;
	}
	int n = bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_TITLE, "off-diagonal");
	bl_canvas_bold(c, r.x, r.y, n);
	snprintf(text, sizeof text, " (log)  %.3g%% within 1/16 of 0, %s chance", all > 0 ? 100 * near / all : NAN,
	         c->can.utf8 ? "•" : "o");
	if (n + bl_canvas_columns(text) > r.w)
		snprintf(text, sizeof text, " (log), %s chance", c->can.utf8 ? "•" : "o");
	if (n + bl_canvas_columns(text) <= r.w)
		bl_canvas_text(c, r.x + n, r.y, r.w - n, BL_PAINT_FAINT, text);
}

/* The height of a count on a logarithmic scale, from 0 to 1.  Expected counts may be below 1; their height is 0. */
static double height_of(double count, double most)
{
	return log1p(count < 1 ? 0 : count) / log1p(most);
}

void bl_histogram_draw(bl_canvas *c, bl_rect r, const bl_snapshot *p)
{
	double most = 0, count[BL_HIST_BINS], chance[BL_HIST_BINS];
	int columns = BL_HIST_BINS; /* every bin gets the same number of columns, so that there are no stripes */
	while (columns > r.w)
		columns /= 2;
	if (r.w >= 2 * BL_HIST_BINS)
		columns = r.w / BL_HIST_BINS * BL_HIST_BINS;
	bl_rect bars = { r.x + (r.w - columns) / 2, r.y + 1, columns, r.h - 2 };
	draw_title(c, r, p);
	if (p->sampled == 0) {
		bl_canvas_text(c, r.x, r.y + 1, r.w, BL_PAINT_FAINT, "nothing yet");
		return;
	}
	for (int i = 0; i < BL_HIST_BINS; i++)
		count[i] = p->histogram[i];
	fill_chance(p, chance);
	for (int x = 0; x < columns; x++)
		most = fmax(most, fmax(count_of(count, x, columns), count_of(chance, x, columns)));
	for (int x = 0; x < columns; x++) {
		double bar = height_of(count_of(count, x, columns), most);
		draw_bar(c, bars.x + x, bars, bar);
		draw_chance(c, bars.x + x, bars, height_of(count_of(chance, x, columns), most), bar);
	}
	draw_axis(c, bars.x, bars.y + bars.h, columns);
}
