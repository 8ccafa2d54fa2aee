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
bl_figure *bl_figure_heatmap(const bl_tensor *c, const char *title); /* (R,C) over the diverging map, fixed to [-1, 1] */
typedef struct bl_series { const char *label; const double *x, *y; int64_t n; } bl_series;
typedef struct bl_axes { const char *title, *xlabel, *ylabel; bool logx, logy; } bl_axes;
bl_figure *bl_figure_lines(const bl_series *s, int n, const bl_axes *axes); /* copies everything */
void bl_figure_free(bl_figure *f);
/* .svg, .png or .pdf by ending.  Fails naming gnuplot's package when gnuplot is missing, or with what it said. */
int bl_figure_save(const bl_figure *f, const char *path);

#endif
