/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure/gnuplot_script.h: what gnuplot is told, put together piece by piece.
 *
 * Numbers are written with a point whatever the locale.  Text of the user's
 * goes through bl_script_quoted only: in single quotes gnuplot expands nothing,
 * and what TeX would obey is escaped where TeX reads it.
 */
#ifndef BARLOW_FIGURE_GNUPLOT_SCRIPT_H
#define BARLOW_FIGURE_GNUPLOT_SCRIPT_H

#include <barlow/error.h>
#include <barlow/figure.h>

#include <stddef.h>

typedef enum bl_form { BL_FORM_SVG, BL_FORM_PNG, BL_FORM_PDF, BL_FORM_TEX, BL_FORM_GP, BL_FORM_SIXEL } bl_form;

/* What a figure is drawn for. */
typedef struct bl_figure_look {
	bl_form form;
	bool column;          /* a column of a paper, else its text */
	double width, height; /* inches */
	double font;          /* points */
	const char *output;   /* of a script: what it writes */
} bl_figure_look;

typedef struct bl_script bl_script;

/* Starts with the lines that all figures of that look share; it is borrowed.  NULL: no memory. */
bl_script *bl_script_new(const bl_figure_look *look);
const bl_figure_look *bl_script_look(const bl_script *s);
void bl_script_add(bl_script *s, const char *fmt, ...) BL_PRINTF(2, 3);
void bl_script_bytes(bl_script *s, const void *bytes, size_t n);
void bl_script_quoted(bl_script *s, const char *text); /* NULL counts as "" */
/* The same of a text that has to fit: in lines of so many inches at the most; what is left over ends in an ellipsis. */
void bl_script_fitted(bl_script *s, const char *text, double inches, int lines);
void bl_script_stacked(bl_script *s, const char *const *text, int n, double inches);      /* n texts, a line each */
int bl_look_lines(const bl_figure_look *look, const char *text, double inches, int most); /* how many it takes */
int bl_look_columns(const bl_figure_look *look, double inches);                           /* characters that fit */
double bl_look_line(const bl_figure_look *look);                                          /* height of a line of text, inches */
#define BL_SCRIPT_MOST 1e300 /* what is as large is not drawn: the span of an axis has to be a number */
/* "$NAME << EOD ... EOD"; name is ours.  Values that are not finite become NaN, which gnuplot leaves out. */
void bl_script_block(bl_script *s, const char *name, const double *const *columns, int many, int64_t n);

/*
 * A logarithmic axis, 'x' or 'y', for data from lo to hi (both above 0), with enough labels: gnuplot's own name decades
 * only, of which a short axis has one or none.
 */
void bl_script_log_axis(bl_script *s, char axis, double lo, double hi);

/* In so many steps at the most, where gnuplot's own tics would stand too near; and characters of the longest number there. */
void bl_script_few_tics(bl_script *s, char axis, double lo, double hi, int steps);
int bl_tics_columns(double lo, double hi, int steps, bool log);

/* Ends the script: its text, which may hold binary data.  NULL: no memory. */
char *bl_script_end(bl_script *s, size_t *n);

/* figure_lines.c: has the series a point that these axes can show?  Negative with bl_error naming it where not. */
int bl_series_check(const bl_series *s, int k, const bl_axes *axes);

const char *bl_ink_text(int k); /* "#rrggbb"; k is taken modulo BL_INKS */

#endif
