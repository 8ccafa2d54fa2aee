/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure.h: figures, which hold their data and are drawn by gnuplot when they are saved.
 *
 * gnuplot is run as a program that reads from a pipe.  Data are inlined, texts
 * are quoted and stripped of control characters, file names are generated:
 * gnuplot and TeX never execute user input.  Functions that make a figure copy
 * their data; they return NULL with bl_error on failure.
 */
#ifndef BARLOW_FIGURE_H
#define BARLOW_FIGURE_H

#include <barlow/live.h>
#include <barlow/tensor.h>

typedef struct bl_figure bl_figure;
bl_figure *bl_figure_curves(const bl_live *run);                        /* loss terms, floor, kNN against step */
bl_figure *bl_figure_curves_until(const bl_live *run, int64_t records); /* the same for the first records */
/*
 * Maps a value v in -1..1 to a position in -1..1 on the diverging colour map.  Magnitudes up to `chance` (the level of
 * chance, below 1) are mapped to the middle, which has the background's colour.  Larger ones are mapped linearly or, if
 * `log`, logarithmically, which gives small values a larger part of the map.
 */
typedef struct bl_scale {
	double chance;
	bool log;
} bl_scale;
double bl_scale_place(bl_scale s, double v);
double bl_scale_value(bl_scale s, double place); /* the inverse; returns `chance` for place 0 */
/*
 * The level of chance for the root mean square of `elements` elements of C, for independent embeddings in a batch of n:
 * 1/sqrt(n-1) (1 + 2 / sqrt(2 elements)), two standard deviations above the mean, and at most .9.  It is 0 if n <= 1.
 */
bl_scale bl_scale_of_chance(double n, double elements, bool log);
/*
 * A matrix (R,C) on the diverging map, fixed to [-1, 1].  In a large matrix, a dot shows the root mean square of a
 * block or, on the diagonal of a square matrix, the mean of the block's diagonal elements.  Values up to the level of
 * chance for this batch size have the background's colour; if batch is 0, only the value 0 has it.
 */
bl_figure *bl_figure_heatmap(const bl_tensor *c, const char *title, int64_t batch);
/*
 * The same for a matrix that covers `rows` dimensions from `row` on and `cols` dimensions from `col` on.  The axes show
 * the numbers of these dimensions.
 */
typedef struct bl_extent {
	double row, rows, col, cols;
} bl_extent;
bl_figure *bl_figure_heatmap_of(const bl_tensor *c, const char *title, const bl_extent *dims, bl_scale scale);
/*
 * Matrices beside each other, each with its title.  All get the scale of the one that has the highest level of chance.
 * Takes ownership of the n figures (2 to 16, of one matrix each), also on failure.
 */
bl_figure *bl_figure_beside(bl_figure **f, int n);
/* The colours of Okabe and Ito's palette that are dark enough on a white background. */
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
/* Which points of a joined series have markers.  OF_FEW: all of them if there are at most 40, otherwise none. */
typedef enum bl_marks { BL_MARKS_OF_FEW, BL_MARKS_ALL, BL_MARKS_NONE } bl_marks;
/* n points.  low, high: the ends of each point's interval; NULL: none is drawn.  The members after `high` may be 0. */
typedef struct bl_series {
	const char *label;
	const double *x, *y;
	int64_t n;
	const double *low, *high;
	int ink; /* 1 + a bl_ink; 0: chosen by the index of the series */
	bl_marks marks;
	bool dashed;
} bl_series;
/* points: the points are not joined by lines; equal: both axes have the same scale */
typedef struct bl_axes {
	const char *title, *xlabel, *ylabel;
	bool logx, logy, points, equal;
	bool across;              /* low and high of a series are intervals of x; false: of y */
	double from, to;          /* range of the x axis; to <= from: the range of the points */
	double low, high;         /* range of the y axis; high <= low: the range of the points */
	const char *const *names; /* replace the numbers at y = 1, 2 ..., from the top */
	int named;
} bl_axes;
bl_figure *bl_figure_lines(const bl_series *s, int n, const bl_axes *axes); /* copies everything */
typedef struct bl_panel {
	const bl_series *series;
	int n;
	bl_axes axes;
} bl_panel;
bl_figure *bl_figure_panels(const bl_panel *p, int n); /* below each other; copies everything */
/* An image of (h,w,3) bytes, unscaled, with n lines of text below. */
bl_figure *bl_figure_image(const uint8_t *rgb, int w, int h, const char *title, const char *const *notes, int n);
void bl_figure_free(bl_figure *f);

/*
 * The content of a figure, borrowed.  bl_figure_panels_of returns the number of panels, which is 0 for a matrix;
 * bl_figure_dots returns the dots of a matrix (rows x cols), and sets their extent and scale.
 */
int bl_figure_panels_of(const bl_figure *f, const bl_panel **panels);
int bl_figure_parts(const bl_figure *f); /* number of matrices beside each other; 1 (the figure itself) for others */
const bl_figure *bl_figure_part(const bl_figure *f, int i);
const float *bl_figure_dots(const bl_figure *f, int64_t *rows, int64_t *cols, bl_extent *dims, bl_scale *scale);
const char *bl_figure_title(const bl_figure *f);

/* The width of a column of a paper (3.35 inches), or of its whole text (7 inches). */
typedef enum bl_figure_width { BL_FIGURE_TEXT, BL_FIGURE_COLUMN } bl_figure_width;
typedef struct bl_figure_style {
	bl_figure_width width;
	const char *record; /* provenance of the data: one line of ASCII, stored in the file; NULL: none */
} bl_figure_style;
/*
 * The ending selects the format: .svg, .png (300 dots an inch), .pdf; .tex: a picture for \input, which needs the
 * packages pict2e, xcolor, graphicx and amssymb; .gp: a gnuplot script that contains the data.  0, or negative with
 * bl_error, which names gnuplot's package if gnuplot is missing, or contains gnuplot's message.
 */
int bl_figure_save(const bl_figure *f, const char *path);
int bl_figure_save_as(const bl_figure *f, const char *path, const bl_figure_style *style);
/* Draws the figure as sixels, at most width x height pixels: a new string of *n bytes, or NULL with bl_error. */
char *bl_figure_sixels(const bl_figure *f, int width, int height, size_t *n);

/*
 * Returns the record in a figure's file of any of these formats, as a new string; NULL: there is none, or the file
 * cannot be read.  picture gets the hash of the rest of the file; if the file is unchanged, the record contains it.
 */
enum { BL_FIGURE_HASH = 65 };
char *bl_figure_record(const char *path, char picture[BL_FIGURE_HASH]);
char *bl_figure_record_of(const void *bytes, size_t n, char picture[BL_FIGURE_HASH]);

#endif
