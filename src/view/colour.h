/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/colour.h: the colours of the screen, and how a terminal with few of them comes near.
 *
 * A colour is 0xRRGGBB, or BL_COLOUR_OWN: whatever the terminal itself uses.
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
	BL_PAINT_CURSOR, /* on top of the map: none of its colours */
	BL_PAINT_SERIES, /* the first of BL_SERIES: for runs, labels and whatever else has no colour of its own */
	BL_PAINT_SERIES_LAST = BL_PAINT_SERIES + 9,
} bl_paint;
enum { BL_SERIES = BL_PAINT_SERIES_LAST - BL_PAINT_SERIES + 1 };

/* The k'th of the series, k >= 0; they begin again after the last. */
bl_paint bl_paint_series(int k);

/* What a thing is painted with, on a dark or a light background (Okabe-Ito: told apart by colour-blind eyes too). */
int32_t bl_colour_of(bl_paint p, bool light);

/* Diverging map of t in [-1, 1]: blue below, red above; 0 is the background: black on dark, white on light. */
int32_t bl_colour_diverging(double t, bool light);

/* The same in steps that are colours of a terminal with 256, 16 or 8 of them, so that order and sign survive there. */
int32_t bl_colour_diverging_few(double t, int colours, bool light);

/* Nearest index of xterm's 256 (its fixed 240), and of the first `n` (8 or 16) ANSI colours. */
int bl_colour_256(int32_t rgb);
int bl_colour_ansi(int32_t rgb, int n);

#endif
