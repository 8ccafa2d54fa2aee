/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * board.h: a full-screen page of text that a program draws, such as a changing table; with or without a terminal.
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

bl_board *bl_board_open(void);                   /* NULL with bl_error: no suitable terminal, or a screen is open */
bl_board *bl_board_blank(int width, int height); /* of that size, without a terminal, in UTF-8 */
void bl_board_close(bl_board *b);                /* restores the terminal */

/* Clears the board and gives it the terminal's current size, which is returned in cells.  False: no memory. */
bool bl_board_begin(bl_board *b, int *width, int *height);
bool bl_board_utf8(const bl_board *b); /* can the board show UTF-8? */
/*
 * Writes UTF-8 text at (x, y), from 0, in at most `room` columns; longer text ends in an ellipsis.  Characters that
 * could move the cursor become '?'.  bar: highlights the whole row, as for a selected one.
 */
void bl_board_text(bl_board *b, int x, int y, int room, bl_tone tone, bool bar, const char *text);
int bl_board_show(bl_board *b);           /* negative: the terminal cannot be written to */
char *bl_board_string(const bl_board *b); /* as plain text, a new string; the caller frees it */

/* Waits up to timeout_ms for a key.  Returns a character or one of these; 0: no key, or the terminal's size changed. */
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
