/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure.h: figures drawn by gnuplot, which is run as a program and fed through a pipe.
 *
 * Data are inlined, texts single-quoted and stripped of control characters,
 * file names are ours: nothing of the user's is ever run by gnuplot.
 */
#ifndef BARLOW_FIGURE_H
#define BARLOW_FIGURE_H

#include <barlow/live.h>
#include <barlow/tensor.h>

typedef struct bl_figure bl_figure;
bl_figure *bl_figure_curves(const bl_live *run);                 /* loss terms, floor, kNN against step */
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
/* low, high: the ends of each point's interval; NULL: none is drawn */
typedef struct bl_series { const char *label; const double *x, *y; int64_t n; const double *low, *high; } bl_series;
/* points: not joined by lines; equal: a unit is as long on one axis as on the other */
typedef struct bl_axes { const char *title, *xlabel, *ylabel; bool logx, logy, points, equal; } bl_axes;
bl_figure *bl_figure_lines(const bl_series *s, int n, const bl_axes *axes); /* copies everything */
typedef struct bl_panel { const bl_series *series; int n; bl_axes axes; } bl_panel;
bl_figure *bl_figure_panels(const bl_panel *p, int n);           /* below each other; copies everything */
/* (h,w,3) bytes as they are, with n lines of text below. */
bl_figure *bl_figure_image(const uint8_t *rgb, int w, int h, const char *title, const char *const *notes, int n);
void bl_figure_free(bl_figure *f);
/* .svg, .png or .pdf by ending.  Fails naming gnuplot's package when gnuplot is missing, or with what it said. */
int bl_figure_save(const bl_figure *f, const char *path);

#endif
