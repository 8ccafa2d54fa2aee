/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view.h: the full-screen live view of a run.
 *
 * The view reads the run only through live.h.  Therefore it works in the same way for runs of this process, for runs of
 * other processes, and for runs that have ended.
 */
#ifndef BARLOW_VIEW_H
#define BARLOW_VIEW_H

#include <barlow/figure.h>
#include <barlow/live.h>

typedef enum bl_watch_end { BL_WATCH_QUIT, BL_WATCH_ENDED, BL_WATCH_STOP } bl_watch_end;

typedef struct bl_watch_config {
	bool stay;                       /* the screen stays open after the end of the run, until q is pressed */
	bool read_only;                  /* keys that change the run are disabled */
	bool interrupt_stops;            /* Ctrl-C stops the run: the caller does this on BL_WATCH_STOP, and the screen says so */
	bool ask_background;             /* query the terminal, for at most 100 ms, whether its background is light */
	const volatile int *interrupted; /* not 0: Ctrl-C was pressed; may be NULL */
} bl_watch_config;

/*
 * Shows the view until a key or the end of the run closes it.  Returns a bl_watch_end: BL_WATCH_QUIT after q (the run
 * continues), BL_WATCH_ENDED when the run has ended, BL_WATCH_STOP after Q or Ctrl-C.  Q sends the run the command to
 * stop; after Ctrl-C the caller has to stop it.  Negative with bl_error: there is no suitable terminal.
 */
int bl_watch(bl_live *run, const bl_watch_config *c);

/*
 * Draws a figure on standard output.  AUTO: as sixels on a terminal that reports support for them, on other terminals
 * in braille and coloured blocks, and in ASCII without a terminal or UTF-8.  columns and rows are in cells; 0: those of
 * the terminal without the rows of a prompt, or 80 x 24 without a terminal.  0, or negative with bl_error: the output
 * cannot be written.
 */
typedef enum bl_show_as { BL_SHOW_AUTO, BL_SHOW_SIXEL, BL_SHOW_BRAILLE, BL_SHOW_ASCII } bl_show_as;
typedef struct bl_show {
	bl_show_as as;
	int columns, rows;
} bl_show;
int bl_figure_show(const bl_figure *f, const bl_show *how);

/*
 * Draws one frame of width x height cells as plain text without escape sequences.  Returns a new string, which the
 * caller frees; NULL with bl_error.
 */
char *bl_watch_text(const bl_live *run, int width, int height);

/*
 * Selects when output has colours.  AUTO: on terminals that support colours, unless NO_COLOR is set.  ALWAYS: even if
 * standard output is not a terminal.  NEVER: never.
 */
typedef enum bl_colours { BL_COLOURS_AUTO, BL_COLOURS_ALWAYS, BL_COLOURS_NEVER } bl_colours;
void bl_colours_set(bl_colours when);
bool bl_colours_wanted(bool terminal); /* terminal: is the output a terminal? */

/* Sets whether the terminal's background is light, for the whole process; overrides COLORFGBG. */
void bl_background_set(bool light);
/* As above, from the terminal's answer to OSC 11, "11;rgb:ffff/ffff/ffff".  False: the answer contains no colour. */
bool bl_background_take(const char *answer);

/* Capabilities of standard output as a terminal, by TERM, the locale and bl_colours_set. */
typedef struct bl_terminal {
	/*
	 * is_one: standard output is a terminal; known: terminfo has an entry for TERM; moves: the cursor can be moved;
	 * utf8: text is UTF-8; light: the background is light.
	 */
	bool is_one, known, moves, utf8, light;
	int colours;       /* 0, 8, 16, 256 or 1 << 24 */
	int width, height; /* in cells; 0: not known */
} bl_terminal;
bl_terminal bl_terminal_query(void);

#endif
