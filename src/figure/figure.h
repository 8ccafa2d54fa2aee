/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure/figure.h (private): the data of a figure, and the functions that draw each kind. */
#ifndef BARLOW_FIGURE_FIGURE_H
#define BARLOW_FIGURE_FIGURE_H

#include "figure/gnuplot_script.h"

typedef enum bl_figure_kind { BL_FIGURE_PANELS, BL_FIGURE_MATRIX, BL_FIGURE_IMAGE } bl_figure_kind;

typedef struct bl_dots {
	float *dot;         /* (rows, cols), the first row at the top */
	int64_t rows, cols; /* numbers of dots */
	int64_t block;      /* a dot represents block x block elements */
	bl_extent dims;
	bl_scale scale;
} bl_dots;

typedef struct bl_pixels {
	uint8_t *rgb;
	int w, h;
	char *notes; /* the lines of text below, each ended by a NUL */
	int lines;
} bl_pixels;

struct bl_figure {
	bl_figure_kind kind;
	char *title; /* not used by panels, which have their own */
	int panels;
	bl_panel *panel;
	bl_dots matrix;
	bl_figure **part; /* matrices beside each other; `matrix` is not used then */
	int parts;
	bl_pixels pixels;
};

bl_figure *bl_figure_new(bl_figure_kind kind, const char *title); /* NULL: no memory */

/* The gnuplot script for that path; used by tests. */
char *bl_figure_text(const bl_figure *f, const char *path, bl_figure_width width);

/* For each kind: a function that returns the height in this theme, in inches; one that adds the figure's commands to a script. */
double bl_panels_height(const bl_figure *f, const bl_figure_theme *look);
void bl_panels_draw(bl_script *s, const bl_figure *f);
double bl_matrix_height(const bl_figure *f, const bl_figure_theme *look);
void bl_matrix_draw(bl_script *s, const bl_figure *f);
double bl_pixels_height(const bl_figure *f, const bl_figure_theme *look);
void bl_pixels_draw(bl_script *s, const bl_figure *f);

#endif
