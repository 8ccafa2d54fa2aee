/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/chart.h: line charts in braille (2 x 4 dots per cell), or in ASCII with a character for each line. */
#ifndef BARLOW_VIEW_CHART_H
#define BARLOW_VIEW_CHART_H

#include "view/canvas.h"

typedef struct bl_line {
	const char *label;
	char mark; /* the character that draws the line if the canvas has only ASCII */
	int dash;  /* without colours: alternately this many dots are drawn and skipped; 0: solid */
	bl_paint paint;
	const double *x, *y; /* a y that is not finite, or <= 0 on a log axis, leaves a gap */
	int n;
} bl_line;

/* How a line's points are drawn. */
typedef struct bl_chart_points {
	bool apart;               /* not joined */
	const double *low, *high; /* the ends of each point's interval; NULL: no intervals */
} bl_chart_points;

typedef enum bl_axis { BL_AXIS_AUTO, BL_AXIS_LINEAR, BL_AXIS_LOG } bl_axis;

typedef struct bl_chart {
	const char *title;
	const bl_line *lines; /* later ones are drawn over earlier ones */
	int n;
	bool integer_x; /* x has integers, such as steps */
	/* The following members may be 0. */
	bl_axis axis;                  /* of y */
	bool log_x;                    /* logarithmic x axis; points with x <= 0 are not drawn */
	double from, to;               /* the range of x that is shown; to <= from: all */
	double cursor;                 /* a vertical line at this x, unless it is 0 */
	const char *x_name;            /* instead of "step" */
	const bl_chart_points *points; /* one for each line; NULL: all are joined, without intervals */
	const char *note;              /* below the chart in the middle, if there is room */
} bl_chart;

/* An automatic y axis is logarithmic when the values span more than this ratio. */
enum { BL_CHART_LOG_RATIO = 20 };

void bl_chart_draw(bl_canvas *c, bl_rect r, const bl_chart *chart);

#endif
