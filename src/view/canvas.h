/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/canvas.h: a grid of character cells in memory.
 *
 * All views draw on a canvas; the screen, the plain-text frame and the tests
 * differ only in how they use it.  What is drawn outside of the grid is ignored,
 * so views need no checks of their own.
 */
#ifndef BARLOW_VIEW_CANVAS_H
#define BARLOW_VIEW_CANVAS_H

#include <barlow/error.h>

#include "view/colour.h"

typedef enum bl_depth { BL_DEPTH_MONO, BL_DEPTH_8, BL_DEPTH_16, BL_DEPTH_256, BL_DEPTH_FULL } bl_depth;

/* What the terminal or file behind the canvas can show; drawing code uses only this. */
typedef struct bl_ability {
	bl_depth depth;
	bool utf8;  /* else ASCII */
	bool light; /* the background is light */
} bl_ability;

typedef struct bl_screen_cell {
	uint32_t glyph; /* Unicode, one column wide */
	int32_t fg, bg;
	bool bold;
} bl_screen_cell;

typedef struct bl_canvas {
	int width, height;
	bl_ability can;
	bl_screen_cell *cells; /* row-major */
	int overlaid;          /* number of letters and digits that other text has overwritten: an error in a view's layout */
} bl_canvas;

typedef struct bl_rect {
	int x, y, w, h;
} bl_rect;

bl_canvas *bl_canvas_new(int width, int height, bl_ability can); /* blank; NULL: no memory */
void bl_canvas_free(bl_canvas *c);
void bl_canvas_clear(bl_canvas *c);

bl_screen_cell *bl_canvas_cell(const bl_canvas *c, int x, int y); /* NULL outside */
void bl_canvas_put(bl_canvas *c, int x, int y, uint32_t glyph, int32_t fg, int32_t bg);

/*
 * UTF-8 text from (x,y) in `room` columns; if it is longer, the last column is an ellipsis.  Control characters are escaped
 * (bl_text_clean), and characters that are not one column wide become '?'.  Returns the number of columns used.
 * bl_canvas_part: draws only the first `columns` of it.
 */
int bl_canvas_text(bl_canvas *c, int x, int y, int room, bl_paint p, const char *text);
int bl_canvas_part(bl_canvas *c, int x, int y, int columns, bl_paint p, const char *text);
int bl_canvas_textf(bl_canvas *c, int x, int y, int room, bl_paint p, const char *fmt, ...) BL_PRINTF(6, 7);
void bl_canvas_bold(bl_canvas *c, int x, int y, int w);
int bl_canvas_columns(const char *text); /* the number that bl_canvas_text would use */

/* The glyph in the canvas's character set: itself, or its replacement in ASCII. */
uint32_t bl_canvas_glyph(bl_ability can, uint32_t glyph);
/* UTF-8 bytes of a glyph into out; returns how many. */
int bl_canvas_encode(uint32_t glyph, char out[4]);

/* The canvas as plain text without trailing blanks; a new string, or NULL. */
char *bl_canvas_string(const bl_canvas *c);

#endif
