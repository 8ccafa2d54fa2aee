/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The metrics that the curves can show. */
#include "view/metric.h"

const bl_metric bl_metrics[BL_METRICS_LISTED] = {
	{BL_TERM_TOTAL, "total", "total", 'T', 0, BL_PAINT_TOTAL, true},
	{BL_TERM_INVARIANCE, "invariance", "invariance", 'i', 4, BL_PAINT_INVARIANCE, true},
	{BL_TERM_REDUNDANCY, "λ·redundancy", "l*redundancy", 'r', 2, BL_PAINT_REDUNDANCY, true},
	{BL_TERM_FLOOR, "floor", "floor", '-', 0, BL_PAINT_FLOOR, true},
	{BL_METRIC_KNN, "kNN accuracy", "kNN accuracy", 'k', 0, BL_PAINT_KNN, false},
	{BL_METRIC_REDUNDANCY, "redundancy", "redundancy", 'R', 0, BL_PAINT_REDUNDANCY, false},
	{BL_METRIC_LAMBDA, "λ", "lambda", 'l', 0, BL_PAINT_TITLE, false},
	{BL_METRIC_LR, "learning rate", "learning rate", 'a', 0, BL_PAINT_GOOD, false},
	{BL_METRIC_GRAD_NORM, "gradient norm", "gradient norm", 'g', 0, BL_PAINT_INVARIANCE, false},
	{BL_METRIC_IMAGES_PER_S, "images/s", "images/s", 's', 0, BL_PAINT_KNN, false},
};

const char *bl_metric_name(const bl_canvas *c, int m)
{
	return c->can.utf8 ? bl_metrics[m].name : bl_metrics[m].ascii;
}

bool bl_curves_shows(const bl_curves *v, int m)
{
	return v->shown >> m & 1;
}
