/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure.h: figures, which hold their data, and are drawn in the look of a format by gnuplot when they are saved.
 *
 * gnuplot is run as a program and fed through a pipe.  Data are inlined, texts
 * quoted and stripped of control characters, file names are ours: nothing of
 * the user's is ever run by gnuplot, or by TeX.
 */
#ifndef BARLOW_FIGURE_H
#define BARLOW_FIGURE_H

#include <barlow/live.h>
#include <barlow/tensor.h>

typedef struct bl_figure bl_figure;
bl_figure *bl_figure_curves(const bl_live *run);                 /* loss terms, floor, kNN against step */
bl_figure *bl_figure_curves_until(const bl_live *run, int64_t records); /* the same of its first records */
/*
 * Where a value v from -1 to 1 lies on the diverging map, from -1 to 1 as well: magnitudes up to `floor` (what chance
 * gives; below 1) are its middle, which is the background; above it linear, or logarithmic to spread the small.
 */
typedef struct bl_scale { double floor; bool log; } bl_scale;
double bl_scale_place(bl_scale s, double v);
double bl_scale_value(bl_scale s, double place); /* back; `floor` for 0 */
/*
 * Up to what chance gives the root mean square of so many elements of C, of independent embeddings of a batch of n:
 * 1/sqrt(n-1) (1 + 2 / sqrt(2 elements)), two deviations above its mean; at most .9.  n < 2: no floor.
 */
bl_scale bl_scale_of_chance(double n, double elements, bool log);
/*
 * (R,C) over the diverging map, fixed to [-1, 1].  Of a large one a dot is the root mean square of a block, or the mean
 * of what lies on a square's diagonal.  batch: chance is the background; 0: 0 is.
 */
bl_figure *bl_figure_heatmap(const bl_tensor *c, const char *title, int64_t batch);
/* The same, of a matrix that stands for so many dims from `row` and `col` on: the axes count these. */
typedef struct bl_extent { double row, rows, col, cols; } bl_extent;
bl_figure *bl_figure_heatmap_of(const bl_tensor *c, const char *title, const bl_extent *dims, bl_scale scale);
/* Okabe and Ito's colours, dark enough on white. */
typedef enum bl_ink {
	BL_INK_BLUE,
	BL_INK_VERMILION,
	BL_INK_GREEN,
	BL_INK_PURPLE,
	BL_INK_ORANGE,
	BL_INK_SKY,
	BL_INK_BLACK,
	BL_INKS
} bl_ink;
typedef enum bl_marks { BL_MARKS_OF_FEW, BL_MARKS_ALL, BL_MARKS_NONE } bl_marks; /* of a joined series: of up to 40 points */
/* What follows `high` may be left 0.  low, high: the ends of each point's interval; NULL: none is drawn */
typedef struct bl_series {
	const char *label;
	const double *x, *y;
	int64_t n;
	const double *low, *high;
	int ink;        /* 1 + a bl_ink; 0: by its place */
	bl_marks marks;
	bool dashed;
} bl_series;
/* points: not joined by lines; equal: a unit is as long on one axis as on the other */
typedef struct bl_axes {
	const char *title, *xlabel, *ylabel;
	bool logx, logy, points, equal;
	bool across;               /* intervals are of x */
	double from, to;           /* of the axis of x; to <= from: what the points take */
	double low, high;          /* the same of y */
	const char *const *names;  /* instead of numbers at y = 1, 2 ..., from above */
	int named;
} bl_axes;
bl_figure *bl_figure_lines(const bl_series *s, int n, const bl_axes *axes); /* copies everything */
typedef struct bl_panel { const bl_series *series; int n; bl_axes axes; } bl_panel;
bl_figure *bl_figure_panels(const bl_panel *p, int n);           /* below each other; copies everything */
/* (h,w,3) bytes as they are, with n lines of text below. */
bl_figure *bl_figure_image(const uint8_t *rgb, int w, int h, const char *title, const char *const *notes, int n);
void bl_figure_free(bl_figure *f);

/* What is in a figure, borrowed: its panels, of a matrix none; or its dots (rows x cols) and where these lie. */
int bl_figure_panels_of(const bl_figure *f, const bl_panel **panels);
const float *bl_figure_dots(const bl_figure *f, int64_t *rows, int64_t *cols, bl_extent *dims, bl_scale *scale);
const char *bl_figure_title(const bl_figure *f);

/* As wide as a column of a paper (3.35 inches) or as its text (7 inches). */
typedef enum bl_figure_width { BL_FIGURE_TEXT, BL_FIGURE_COLUMN } bl_figure_width;
typedef struct bl_figure_style {
	bl_figure_width width;
	const char *record; /* where the data came from: ASCII of one line, kept in the file; NULL: nothing is */
} bl_figure_style;
/*
 * By ending: .svg, .png (300 dots an inch), .pdf; .tex: a picture for \input, by the packages pict2e, xcolor, graphicx and amssymb; .gp: a
 * script of gnuplot's that draws it from the data in it.  Fails naming gnuplot's package when gnuplot is missing, or with
 * what it said.
 */
int bl_figure_save(const bl_figure *f, const char *path);
int bl_figure_save_as(const bl_figure *f, const char *path, const bl_figure_style *style);
/* As sixels, for terminals that have them, at most so many pixels large; a new string, or NULL. */
char *bl_figure_sixels(const bl_figure *f, int width, int height, size_t *n);

/*
 * The record in a figure's file, whichever of these formats it has; NULL: there is none, or the file cannot be read.
 * picture: the hash of all else that is in the file, which the record of an unchanged one states.
 */
enum { BL_FIGURE_HASH = 65 };
char *bl_figure_record(const char *path, char picture[BL_FIGURE_HASH]);
char *bl_figure_record_of(const void *bytes, size_t n, char picture[BL_FIGURE_HASH]);

#endif
