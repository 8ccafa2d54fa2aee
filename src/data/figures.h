/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figures.h: the ten figures of data.shapes, as signed distances. */
#ifndef BARLOW_DATA_FIGURES_H
#define BARLOW_DATA_FIGURES_H

enum { FIGURES = 10 };

/* NULL-terminated. */
extern const char *const bl_figure_names[FIGURES + 1];

/* Distance of (x, y) to the figure's outline, negative inside; the figure fits into a circle of radius 1 around the origin. */
float bl_figure_distance(int figure, float x, float y);

#endif
