/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/colour.h: the colours of the screen, and their approximation on terminals with few colours.
 *
 * A colour is 0xRRGGBB, or BL_COLOUR_OWN: the terminal's default.
 */
#ifndef BARLOW_VIEW_COLOUR_H
#define BARLOW_VIEW_COLOUR_H

#include <stdbool.h>
#include <stdint.h>

enum { BL_COLOUR_OWN = -1 };

typedef enum bl_paint {
	BL_PAINT_TEXT,
	BL_PAINT_FAINT,
	BL_PAINT_TITLE,
	BL_PAINT_WARN,
	BL_PAINT_GOOD,
	BL_PAINT_INVARIANCE,
	BL_PAINT_REDUNDANCY,
	BL_PAINT_TOTAL,
	BL_PAINT_FLOOR,
	BL_PAINT_KNN,
	BL_PAINT_CURSOR, /* drawn over a matrix, so it is none of the colour map's colours */
	BL_PAINT_SERIES, /* the first of BL_SERIES colours for runs, labels and other things without a fixed colour */
	BL_PAINT_SERIES_LAST = BL_PAINT_SERIES + 9,
} bl_paint;
enum { BL_SERIES = BL_PAINT_SERIES_LAST - BL_PAINT_SERIES + 1 };

/* The k'th colour of the series, k >= 0; the series repeats after the last. */
bl_paint bl_paint_series(int k);

/* The colour of a role on a dark or a light background (Okabe-Ito, distinguishable with colour blindness). */
int32_t bl_colour_of(bl_paint p, bool light);

/* Diverging map of t in [-1, 1]: blue below 0, red above; 0 is black on dark and white on light; NaN: magenta. */
int32_t bl_colour_diverging(double t, bool light);

/* The same map for terminals with 256, 16 or 8 colours; order and sign are preserved. */
int32_t bl_colour_diverging_few(double t, int colours, bool light);

/* The index of the nearest of xterm's 256 colours (of the 240 fixed ones), and of the first n (8 or 16) ANSI colours. */
int bl_colour_256(int32_t rgb);
int bl_colour_ansi(int32_t rgb, int n);

#endif
