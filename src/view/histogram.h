/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/histogram.h: the off-diagonal values of C as bars, whose heights are logarithms of counts. */
#ifndef BARLOW_VIEW_HISTOGRAM_H
#define BARLOW_VIEW_HISTOGRAM_H

#include <barlow/live.h>

#include "view/canvas.h"

enum { BL_HISTOGRAM_MIN_ROWS = 5, BL_HISTOGRAM_MIN_COLUMNS = 18 };

void bl_histogram_draw(bl_canvas *c, bl_rect r, const bl_snapshot *p);

#endif
