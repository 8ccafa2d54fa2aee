/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * board.h: a page of text that a program draws, such as a changing table, on the whole terminal or without a terminal.
 *
 *     bl_board *b = bl_board_open();
 *     bl_board_begin(b, &width, &height);
 *     bl_board_text(b, 0, 0, width, BL_TONE_TITLE, false, "trials");
 *     bl_board_show(b);
 *     int key = bl_board_key(b, 500);
 *     bl_board_close(b);
 */
#ifndef BARLOW_BOARD_H
#define BARLOW_BOARD_H

#include <stdbool.h>

typedef struct bl_board bl_board;
typedef enum bl_tone { BL_TONE_TEXT, BL_TONE_FAINT, BL_TONE_TITLE, BL_TONE_WARN, BL_TONE_GOOD, BL_TONE_MARK } bl_tone;

/* Opens a board on the terminal.  NULL with bl_error: there is no suitable terminal, or a screen is open already. */
bl_board *bl_board_open(void);
/* Makes a board of that size in cells, without a terminal; it supports UTF-8.  NULL with bl_error: no memory. */
bl_board *bl_board_blank(int width, int height);
void bl_board_close(bl_board *b); /* restores the terminal and frees the board */

/* Clears the board, adapts it to the terminal's current size, and returns that size in cells.  False: no memory. */
bool bl_board_begin(bl_board *b, int *width, int *height);
bool bl_board_utf8(const bl_board *b); /* can the board show UTF-8? */
/*
 * Writes UTF-8 text at column x, row y, both from 0, in at most `room` columns; longer text is cut and ends in an
 * ellipsis.  Characters that could move the cursor become '?'.  bar: highlights the whole row, to show a selection.
 */
void bl_board_text(bl_board *b, int x, int y, int room, bl_tone tone, bool bar, const char *text);
int bl_board_show(bl_board *b);           /* draws the board; 0, or negative: the terminal cannot be written to */
char *bl_board_string(const bl_board *b); /* the board as plain text; the caller frees it */

/*
 * Waits up to timeout_ms milliseconds for a key.  Returns a character or one of these constants; 0: there was no key,
 * or the terminal's size changed.
 */
enum {
	BL_BOARD_INTERRUPT = 3,
	BL_BOARD_UP = 256,
	BL_BOARD_DOWN,
	BL_BOARD_PAGE_UP,
	BL_BOARD_PAGE_DOWN,
	BL_BOARD_HOME,
	BL_BOARD_END
};
int bl_board_key(bl_board *b, int timeout_ms);

#endif
