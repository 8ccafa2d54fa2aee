/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure/figure.h: what a figure holds until it is drawn. */
#ifndef BARLOW_FIGURE_FIGURE_H
#define BARLOW_FIGURE_FIGURE_H

#include "figure/gnuplot_script.h"

typedef enum bl_figure_kind { BL_FIGURE_PANELS, BL_FIGURE_MATRIX, BL_FIGURE_IMAGE } bl_figure_kind;

typedef struct bl_dots {
	float *dot;         /* rows x cols, from above */
	int64_t rows, cols; /* dots */
	int64_t block;      /* elements a side behind one */
	bl_extent dims;
	bl_scale scale;
} bl_dots;

typedef struct bl_pixels {
	uint8_t *rgb;
	int w, h;
	char *notes; /* lines below */
	int lines;
} bl_pixels;

struct bl_figure {
	bl_figure_kind kind;
	char *title; /* of all but panels */
	int panels;
	bl_panel *panel;
	bl_dots matrix;
	bl_figure **part; /* of matrices beside each other, which has no matrix of its own */
	int parts;
	bl_pixels pixels;
};

bl_figure *bl_figure_new(bl_figure_kind kind, const char *title); /* NULL: no memory */

/* What gnuplot would be told for that path; for tests. */
char *bl_figure_text(const bl_figure *f, const char *path, bl_figure_width width);

/* How high it is in this look, in inches, and what gnuplot is told after the look's own lines. */
double bl_panels_height(const bl_figure *f, const bl_figure_look *look);
void bl_panels_draw(bl_script *s, const bl_figure *f);
double bl_matrix_height(const bl_figure *f, const bl_figure_look *look);
void bl_matrix_draw(bl_script *s, const bl_figure *f);
double bl_pixels_height(const bl_figure *f, const bl_figure_look *look);
void bl_pixels_draw(bl_script *s, const bl_figure *f);

#endif
