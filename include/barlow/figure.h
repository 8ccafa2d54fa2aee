/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure.h: figures.  A figure contains its data, and gnuplot draws it when it is saved.
 *
 * gnuplot runs as a child process that reads a script from a pipe.  The script contains the data; texts are quoted and
 * stripped of control characters, and file names are generated, so that gnuplot and TeX never execute user input.
 * Functions that make a figure copy their data and return NULL with bl_error on failure; the caller frees the figure.
 */
#ifndef BARLOW_FIGURE_H
#define BARLOW_FIGURE_H

#include <barlow/live.h>
#include <barlow/tensor.h>

typedef struct bl_figure bl_figure;
/* Curves of the loss, its terms and its lower bound, and of the kNN accuracy, against the step. */
bl_figure *bl_figure_curves(const bl_live *run);
/* As bl_figure_curves, but only of the first `records` records. */
bl_figure *bl_figure_curves_until(const bl_live *run, int64_t records);
/*
 * Maps a value v in -1..1 to a position in -1..1 on the diverging colour map.  Magnitudes up to `chance` (the level of
 * chance, below 1) are mapped to the middle, which has the background's colour.  Larger magnitudes are mapped linearly
 * or, if `log`, logarithmically, which gives small values a larger part of the map.
 */
typedef struct bl_scale {
	double chance;
	bool log;
} bl_scale;
double bl_scale_position(bl_scale s, double v);
double bl_scale_value(bl_scale s, double place); /* the inverse of bl_scale_position; returns `chance` for 0 */
/*
 * The scale for dots that show the root mean square of `elements` elements of C, for a batch of n images.  The level of
 * chance is two standard deviations above the mean for independent embeddings, 1/sqrt(n-1) (1 + 2 / sqrt(2 elements)).
 * The level is at most .9, and it is 0 if n <= 1.
 */
bl_scale bl_scale_of_chance(double n, double elements, bool log);
/*
 * A picture of a matrix (R,C) with values in [-1, 1] on the diverging colour map.  In the picture of a large matrix,
 * each dot stands for a block of elements and shows their root mean square or, on the diagonal of a square matrix, the
 * mean of the block's diagonal elements.  Values up to the level of chance for this batch size have the background's
 * colour; if batch is 0, only the value 0 has it.
 */
bl_figure *bl_figure_heatmap(const bl_tensor *c, const char *title, int64_t batch);
/*
 * As bl_figure_heatmap, but for a matrix that covers `rows` dimensions from `row` on and `cols` dimensions from `col`
 * on.  The axes show the numbers of these dimensions.
 */
typedef struct bl_extent {
	double row, rows, col, cols;
} bl_extent;
bl_figure *bl_figure_heatmap_of(const bl_tensor *c, const char *title, const bl_extent *dims, bl_scale scale);
/*
 * A figure of n = 2 to 16 matrices beside each other, each with its title.  All matrices are drawn with the scale of
 * the one that has the highest level of chance.  Takes ownership of the n figures, which have one matrix each, also on
 * failure.
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
/*
 * Selects the points that have markers if the points are joined.  OF_FEW: all points if there are at most 40, else
 * none.
 */
typedef enum bl_marks { BL_MARKS_OF_FEW, BL_MARKS_ALL, BL_MARKS_NONE } bl_marks;
/* A series of n points.  low, high: the ends of each point's interval; NULL: no intervals.  Later members may be 0. */
typedef struct bl_series {
	const char *label;
	const double *x, *y;
	int64_t n;
	const double *low, *high;
	int ink; /* 1 + a bl_ink; 0: chosen by the index of the series */
	bl_marks marks;
	bool dashed;
} bl_series;
/* points: the points are not joined by lines; equal: both axes have the same scale. */
typedef struct bl_axes {
	const char *title, *xlabel, *ylabel;
	bool logx, logy, points, equal;
	bool across;              /* true: the intervals of the series are intervals of x; false: of y */
	double from, to;          /* range of the x axis; to <= from: the range of the points */
	double low, high;         /* range of the y axis; high <= low: the range of the points */
	const char *const *names; /* `named` texts instead of the numbers 1, 2, ... on the y axis, which points down */
	int named;
} bl_axes;
bl_figure *bl_figure_lines(const bl_series *s, int n, const bl_axes *axes); /* one panel with n series */
typedef struct bl_panel {
	const bl_series *series;
	int n;
	bl_axes axes;
} bl_panel;
bl_figure *bl_figure_panels(const bl_panel *p, int n); /* n panels below each other */
/* An image of (h,w,3) bytes, drawn without scaling, with a title and n lines of text below it. */
bl_figure *bl_figure_image(const uint8_t *rgb, int w, int h, const char *title, const char *const *notes, int n);
void bl_figure_free(bl_figure *f);

/*
 * The functions below return the content of a figure, borrowed.  bl_figure_panels_of sets *panels and returns the
 * number of panels, which is 0 if the figure is a matrix.
 */
int bl_figure_panels_of(const bl_figure *f, const bl_panel **panels);
int bl_figure_parts(const bl_figure *f); /* number of matrices beside each other; 1 for every other figure */
/* Part i, from 0: a matrix of bl_figure_beside; for every other figure, the figure itself. */
const bl_figure *bl_figure_part(const bl_figure *f, int i);
/* The dots (rows,cols) of a matrix; sets their extent and scale.  NULL: the figure is no matrix. */
const float *bl_figure_dots(const bl_figure *f, int64_t *rows, int64_t *cols, bl_extent *dims, bl_scale *scale);
const char *bl_figure_title(const bl_figure *f);

/* The width of the text of a paper (7 inches), or of one of its columns (3.35 inches). */
typedef enum bl_figure_width { BL_FIGURE_TEXT, BL_FIGURE_COLUMN } bl_figure_width;
typedef struct bl_figure_style {
	bl_figure_width width;
	const char *record; /* provenance of the data: one line of ASCII that is stored in the file; NULL: none */
} bl_figure_style;
/*
 * Writes the figure to a file.  The ending of the name selects the format: .svg; .png with 300 dots per inch; .pdf;
 * .tex, a picture for \input that needs the packages pict2e, xcolor, graphicx and amssymb; .gp, a gnuplot script that
 * contains the data.  0, or negative with bl_error, which names gnuplot's package if gnuplot is missing, and otherwise
 * contains gnuplot's message.
 */
int bl_figure_save(const bl_figure *f, const char *path);
int bl_figure_save_as(const bl_figure *f, const char *path, const bl_figure_style *style);
/*
 * Draws the figure as sixels of at most width x height pixels.  Returns a new string of *n bytes, which the caller
 * frees; NULL with bl_error.
 */
char *bl_figure_sixels(const bl_figure *f, int width, int height, size_t *n);

/*
 * Returns the record in a figure's file of any of these formats as a new string, which the caller frees.  NULL with
 * bl_error: the file cannot be read, or has no record.  picture receives the hash of the rest of the file; the record
 * contains this hash if the file has not been changed.
 */
enum { BL_FIGURE_HASH = 65 };
char *bl_figure_record(const char *path, char picture[BL_FIGURE_HASH]);
/* As bl_figure_record, but for a file's content in memory. */
char *bl_figure_record_of(const void *bytes, size_t n, char picture[BL_FIGURE_HASH]);

#endif
