/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure/script.h: what gnuplot is told, put together piece by piece.
 *
 * Numbers are written with a point whatever the locale.  Text of the user's
 * goes through bl_script_quoted only: in single quotes gnuplot expands nothing.
 */
#ifndef BARLOW_FIGURE_SCRIPT_H
#define BARLOW_FIGURE_SCRIPT_H

#include <barlow/error.h>
#include <barlow/figure.h>

#include <stddef.h>

struct bl_figure {
	char *script; /* may hold binary data, so its length counts */
	size_t n;
	int width, height; /* pixels; the other formats keep the ratio */
};

typedef struct bl_script bl_script;

/* Starts with the look that all figures share.  NULL: no memory. */
bl_script *bl_script_new(int width, int height);
void bl_script_add(bl_script *s, const char *fmt, ...) BL_PRINTF(2, 3);
void bl_script_bytes(bl_script *s, const void *bytes, size_t n);
void bl_script_quoted(bl_script *s, const char *text); /* NULL counts as "" */
#define BL_SCRIPT_MOST 1e300 /* what is as large is not drawn: the span of an axis has to be a number */
/* "$NAME << EOD ... EOD"; name is ours.  Values that are not finite become NaN, which gnuplot leaves out. */
void bl_script_block(bl_script *s, const char *name, const double *const *columns, int many, int64_t n);

/*
 * A logarithmic axis, 'x' or 'y', for data from lo to hi (both above 0), with enough labels: gnuplot's own name decades
 * only, of which a short axis has one or none.
 */
void bl_script_log_axis(bl_script *s, char axis, double lo, double hi);

/* Ends the script, whatever came before.  NULL: no memory. */
bl_figure *bl_script_figure(bl_script *s);

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
const char *bl_ink_text(int k); /* "#rrggbb"; k is taken modulo BL_INKS */

#endif
