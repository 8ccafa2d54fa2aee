/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any series as lines, on linear or log axes. */
#include "figure/script.h"

#include <stdio.h>

enum { WIDTH = 1000, HEIGHT = 680, MARKERS_UP_TO = 40, MAX_SERIES = 64 };

static void add_text(bl_script *s, const char *what, const char *text)
{
	if (!text || !*text)
		return;
	bl_script_add(s, "set %s ", what);
	bl_script_quoted(s, text);
	bl_script_add(s, "\n");
}

static void add_axes(bl_script *s, const bl_axes *axes)
{
	add_text(s, "title", axes->title);
	add_text(s, "xlabel", axes->xlabel);
	add_text(s, "ylabel", axes->ylabel);
	if (axes->logx)
		bl_script_add(s, "set logscale x\n");
	if (axes->logy)
		bl_script_add(s, "set logscale y\n");
	bl_script_add(s, "set format '%%g'\nset autoscale xfix\nset key outside right top reverse Left\n");
}

/* Few points are marked, so that one sees where something was measured. */
static void add_line(bl_script *s, const bl_series *series, int k)
{
	bl_script_add(s, "%s$S%d with %s linecolor rgb '%s' linewidth 2 pointtype 7 pointsize .7 dashtype %d ",
		      k ? ", " : "", k, series->n <= MARKERS_UP_TO ? "linespoints" : "lines", bl_ink_text(k),
		      1 + k / BL_INKS % 5);
	if (series->label && *series->label) {
		bl_script_add(s, "title ");
		bl_script_quoted(s, series->label);
	} else {
		bl_script_add(s, "notitle");
	}
}

bl_figure *bl_figure_lines(const bl_series *series, int n, const bl_axes *axes)
{
	char name[16];
	int64_t points = 0;
	for (int k = 0; k < n; k++)
		points += series[k].n;
	if (n < 1 || n > MAX_SERIES || points == 0)
		return bl_fail_null(
			"a figure of lines takes 1 to %d series with points in them, not %d with %lld points",
			MAX_SERIES, n, (long long)points);
	bl_script *s = bl_script_new(WIDTH, HEIGHT);
	if (!s)
		return NULL;
	for (int k = 0; k < n; k++) {
		snprintf(name, sizeof name, "S%d", k);
		bl_script_block(s, name, series[k].x, series[k].y, series[k].n);
	}
	add_axes(s, axes);
	bl_script_add(s, "plot ");
	for (int k = 0; k < n; k++)
		add_line(s, &series[k], k);
	bl_script_add(s, "\n");
	return bl_script_figure(s);
}
