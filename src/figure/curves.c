/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The curves of a run: loss terms with the floor above, kNN below. */
#include "figure/script.h"
#include "live/history.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 1100, HEIGHT_LOSS = 560, HEIGHT_BOTH = 820, LOG_RATIO = 20 };

static const struct {
	bl_term term;
	const char *block, *label;
	bl_ink ink;
	const char *style; /* of the line */
} curves[] = {
	{BL_TERM_FLOOR, "FLOOR", "floor", BL_INK_GREEN, "linewidth 1.5 dashtype 2"},
	{BL_TERM_REDUNDANCY, "REDUNDANCY", "λ·redundancy", BL_INK_VERMILION, "linewidth 2"},
	{BL_TERM_INVARIANCE, "INVARIANCE", "invariance", BL_INK_BLUE, "linewidth 2"},
	{BL_TERM_TOTAL, "TOTAL", "total", BL_INK_BLACK, "linewidth 2"},
};
enum { CURVES = sizeof curves / sizeof curves[0] };

static void add_blocks(bl_script *s, const bl_history *h)
{
	for (int k = 0; k < CURVES; k++)
		bl_script_block(s, curves[k].block, h->step, h->term[curves[k].term], h->bins);
	if (h->knns)
		bl_script_block(s, "KNN", h->knn_step, h->knn, h->knns);
}

/* Whether the drawn values are positive and span so much that only a log axis shows them all. */
static bool wants_log(const bl_history *h)
{
	double lo = INFINITY, hi = 0;
	for (int t = 0; t < BL_TERMS; t++)
		for (int i = 0; i < h->bins; i++) {
			double v = h->term[t][i];
			if (v < 0)
				return false;
			lo = v > 0 ? fmin(lo, v) : lo;
			hi = isfinite(v) ? fmax(hi, v) : hi;
		}
	return hi > LOG_RATIO * lo;
}

static void add_loss(bl_script *s, const bl_history *h)
{
	bool floor_known = h->last.floor > 0;
	bl_script_add(s, "set ylabel 'loss'\n%s", wants_log(h) ? "set logscale y\nset format y '%g'\n" : "");
	bl_script_add(s, "set key top right reverse Left invert\nplot ");
	for (int k = floor_known ? 0 : 1; k < CURVES; k++)
		bl_script_add(s, "%s$%s with lines linecolor rgb '%s' %s title '%s'",
			      k > (floor_known ? 0 : 1) ? ", " : "", curves[k].block, bl_ink_text((int)curves[k].ink),
			      curves[k].style, curves[k].label);
	bl_script_add(s, "\n");
}

static void add_knn(bl_script *s)
{
	bl_script_add(s, "unset logscale y\nunset title\nset format y '%%g'\nset ylabel 'kNN accuracy'\n"
			 "set offsets 0, 0, graph .1, graph .1\n");
	bl_script_add(s, "plot $KNN with linespoints linecolor rgb '%s' linewidth 2 pointtype 7 pointsize .6 notitle\n",
		      bl_ink_text(BL_INK_PURPLE));
}

static void add_title(bl_script *s, const bl_live *run)
{
	bl_live_info i;
	bl_live_info_get(run, &i);
	bl_script_add(s, "set title ");
	bl_script_quoted(s, i.name);
	bl_script_add(s, ".'   (batch %d, D %d)'\n", (int)i.batch, (int)i.d);
}

static void add_panels(bl_script *s, const bl_history *h, const bl_live *run)
{
	add_blocks(s, h);
	bl_script_add(s, "set lmargin 10\nset rmargin 3\nset xrange [%.9g:%.9g]\n", h->step[0] - 1,
		      fmax((double)h->last.step, h->step[0] + 1));
	if (h->stride > 1)
		bl_script_add(s, "set xlabel 'step (a point is the mean of %lld steps)'\n", (long long)h->stride);
	else
		bl_script_add(s, "set xlabel 'step'\n");
	add_title(s, run);
	if (h->knns)
		bl_script_add(s, "set multiplot\nset origin 0, .36\nset size 1, .64\n");
	add_loss(s, h);
	if (h->knns) {
		bl_script_add(s, "set origin 0, 0\nset size 1, .36\nset xlabel 'step'\n");
		add_knn(s);
		bl_script_add(s, "unset multiplot\n");
	}
}

bl_figure *bl_figure_curves(const bl_live *run)
{
	bl_history *h = malloc(sizeof *h);
	if (!h)
		return bl_fail_null("no memory for a run's records");
	bl_history_reset(h);
	while (bl_history_read(h, run))
		;
	bl_script *s = NULL;
	if (h->seen == 0)
		bl_fail("the run has no records yet: there are no curves to draw");
	else
		s = bl_script_new(WIDTH, h->knns ? HEIGHT_BOTH : HEIGHT_LOSS);
	if (s)
		add_panels(s, h, run);
	free(h);
	return s ? bl_script_figure(s) : NULL;
}
