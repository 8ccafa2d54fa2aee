/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure/gnuplot_script.h (private): builds gnuplot scripts.
 *
 * Numbers are written with a decimal point in every locale.  Text of the user is
 * written only by bl_script_quoted, bl_script_fitted and bl_script_stacked: in single
 * quotes, in which gnuplot expands nothing, and for TeX with its special characters escaped.
 */
#ifndef BARLOW_FIGURE_GNUPLOT_SCRIPT_H
#define BARLOW_FIGURE_GNUPLOT_SCRIPT_H

#include <barlow/error.h>
#include <barlow/figure.h>

#include <stddef.h>

typedef enum bl_form { BL_FORM_SVG, BL_FORM_PNG, BL_FORM_PDF, BL_FORM_TEX, BL_FORM_GP, BL_FORM_SIXEL } bl_form;

/* The format and size that a figure is drawn in. */
typedef struct bl_figure_theme {
	bl_form form;
	bool column;          /* true: as wide as a column of a paper; false: as wide as a page's text */
	double width, height; /* inches */
	double font;          /* points */
	const char *output;   /* for .gp: the file that the script writes */
} bl_figure_theme;

typedef struct bl_script bl_script;

/* Returns a new script with the commands that all figures of this theme share.  `look` is borrowed.  NULL: no memory. */
bl_script *bl_script_new(const bl_figure_theme *look);
const bl_figure_theme *bl_script_style(const bl_script *s);
void bl_script_add(bl_script *s, const char *fmt, ...) BL_PRINTF(2, 3);
void bl_script_bytes(bl_script *s, const void *bytes, size_t n);
void bl_script_quoted(bl_script *s, const char *text); /* adds a quoted text; NULL counts as "" */
/* Adds a quoted text in at most `lines` lines that are `inches` wide; a longer text ends in an ellipsis. */
void bl_script_fitted(bl_script *s, const char *text, double inches, int lines);
void bl_script_stacked(bl_script *s, const char *const *text, int n, double inches);       /* one quoted text of n lines */
int bl_look_lines(const bl_figure_theme *look, const char *text, double inches, int most); /* lines that `text` takes */
int bl_look_columns(const bl_figure_theme *look, double inches);                           /* characters that fit */
double bl_look_line(const bl_figure_theme *look);                                          /* height of a line of text, inches */
#define BL_SCRIPT_MOST 1e300 /* larger values are not drawn, since the range of an axis has to be finite */
/* Adds n rows of data, "$NAME << EOD ... EOD".  Values that are not finite become NaN, which gnuplot skips. */
void bl_script_block(bl_script *s, const char *name, const double *const *columns, int many, int64_t n);

/*
 * Sets a logarithmic axis, 'x' or 'y', for data from lo to hi (both above 0), with enough labels: gnuplot labels powers
 * of ten only, of which a short axis has one or none.
 */
void bl_script_log_axis(bl_script *s, char axis, double lo, double hi);

/* Sets ticks in at most `steps` steps from lo to hi, for axes on which gnuplot's own ticks would be too close. */
void bl_script_few_tics(bl_script *s, char axis, double lo, double hi, int steps);
/* The number of characters in the longest label of the ticks that bl_script_few_tics or bl_script_log_axis sets. */
int bl_tics_columns(double lo, double hi, int steps, bool log);

/* Frees the script and returns its text of *n bytes, which may contain binary data.  NULL: no memory. */
char *bl_script_end(bl_script *s, size_t *n);

/* In figure_lines.c.  0: series k is empty, or these axes can show one of its points; else negative with bl_error. */
int bl_series_check(const bl_series *s, int k, const bl_axes *axes);

const char *bl_ink_text(int k); /* "#rrggbb"; k is taken modulo BL_INKS */

#endif
