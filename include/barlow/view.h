/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view.h: the full-screen live view of a run, until a key ends it.
 *
 * It reads only live.h, so that it works alike for a run of this process, of
 * another process, and of the past.
 */
#ifndef BARLOW_VIEW_H
#define BARLOW_VIEW_H

#include <barlow/figure.h>
#include <barlow/live.h>

typedef enum bl_watch_end { BL_WATCH_QUIT, BL_WATCH_ENDED, BL_WATCH_STOP } bl_watch_end;

typedef struct bl_watch_config {
	bool stay;            /* keep the screen when the run ends, until q */
	bool read_only;       /* keys that change the run are off */
	bool interrupt_stops; /* the caller stops the run on BL_WATCH_STOP; footer and help then say that Ctrl-C stops it */
	bool ask_background;  /* ask the terminal, for 100 ms at most, whether its background is light */
	const volatile int *interrupted; /* Ctrl-C seen; may be NULL */
} bl_watch_config;

/*
 * Returns a bl_watch_end.  After q: BL_WATCH_QUIT (the run goes on); when the run has ended: BL_WATCH_ENDED; after Q or
 * Ctrl-C: BL_WATCH_STOP (after Q the run has been told to stop, after Ctrl-C the caller has to).  Negative with
 * bl_error: no suitable terminal.
 */
int bl_watch(bl_live *run, const bl_watch_config *c);

/*
 * Draws a figure on standard output.  AUTO: as sixels on a terminal that reports support for them, else in braille
 * and coloured blocks; in ASCII without a terminal or UTF-8.  columns, rows in cells, 0: those of the terminal, less
 * the rows of a prompt, or 80 x 24.  Negative with bl_error if it cannot be written.
 */
typedef enum bl_show_as { BL_SHOW_AUTO, BL_SHOW_SIXEL, BL_SHOW_BRAILLE, BL_SHOW_ASCII } bl_show_as;
typedef struct bl_show {
	bl_show_as as;
	int columns, rows;
} bl_show;
int bl_figure_show(const bl_figure *f, const bl_show *how);

/*
 * One frame of width x height cells as plain text without escapes, a new string, which the caller frees.  NULL with
 * bl_error.
 */
char *bl_watch_text(const bl_live *run, int width, int height);

/*
 * Whether output is coloured.  AUTO: on terminals that have colours, unless NO_COLOR is set; ALWAYS: also if standard
 * output is not a terminal; NEVER: not at all.
 */
typedef enum bl_colours { BL_COLOURS_AUTO, BL_COLOURS_ALWAYS, BL_COLOURS_NEVER } bl_colours;
void bl_colours_set(bl_colours when);
bool bl_colours_wanted(bool terminal); /* terminal: is the output one? */

/* Sets the background as reported by the terminal, which overrides COLORFGBG; once for the process. */
void bl_background_set(bool light);
/* The same by its answer to OSC 11, "11;rgb:ffff/ffff/ffff".  False: that says no colour. */
bool bl_background_take(const char *answer);

/* Capabilities of the terminal of standard output, by TERM, the locale and the setting of colours. */
typedef struct bl_terminal {
	/* It is a terminal; terminfo knows TERM; the cursor can be moved; text is UTF-8; the background is light. */
	bool is_one, known, moves, utf8, light;
	int colours;       /* 0, 8, 16, 256 or 1 << 24 */
	int width, height; /* in cells; 0: not known */
} bl_terminal;
bl_terminal bl_terminal_look(void);

#endif
