/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view.h: the live screen of a run, full terminal, until a key ends it.
 *
 * Reads live.h only, so that it works the same on a run of this process, of
 * another one, and of the past.
 */
#ifndef BARLOW_VIEW_H
#define BARLOW_VIEW_H

#include <barlow/figure.h>
#include <barlow/live.h>

typedef enum bl_watch_end { BL_WATCH_QUIT, BL_WATCH_ENDED, BL_WATCH_STOP } bl_watch_end;

typedef struct bl_watch_config {
	bool stay;         /* keep the screen when the run ends, until q */
	bool read_only;    /* keys that change the run are off */
	bool interrupt_stops; /* the caller stops the run on BL_WATCH_STOP: footer and help say so of Ctrl-C */
	const volatile int *interrupted; /* Ctrl-C seen; may be NULL */
} bl_watch_config;

/*
 * Returns a bl_watch_end: q: BL_WATCH_QUIT (the run goes on); run over: BL_WATCH_ENDED; Q or Ctrl-C: BL_WATCH_STOP (after
 * Q the run has been told to stop, after Ctrl-C that is the caller's to do).  Negative: no fit terminal, see bl_error.
 */
int bl_watch(bl_live *run, const bl_watch_config *c);

/*
 * A figure on standard output.  AUTO: as sixels where that is a terminal which says that it has them, else in braille and
 * coloured blocks; where it is no terminal, or knows no UTF-8, in ASCII.  columns, rows: 0: what the terminal has, less the
 * rows of a prompt, or 80 x 24.  Negative with bl_error where it cannot be written.
 */
typedef enum bl_show_as { BL_SHOW_AUTO, BL_SHOW_SIXEL, BL_SHOW_BRAILLE, BL_SHOW_ASCII } bl_show_as;
typedef struct bl_show { bl_show_as as; int columns, rows; } bl_show;
int bl_figure_show(const bl_figure *f, const bl_show *how);

/* One frame as plain text of width x height cells, no escapes, into a new string (caller frees). */
char *bl_watch_text(const bl_live *run, int width, int height);

/*
 * Are colours wanted on what is a terminal, or not?  Automatically: on terminals that can, unless NO_COLOR is set; always
 * counts where standard output is none as well, never nowhere.
 */
typedef enum bl_colours { BL_COLOURS_AUTO, BL_COLOURS_ALWAYS, BL_COLOURS_NEVER } bl_colours;
void bl_colours_set(bl_colours when);
bool bl_colours_wanted(bool terminal);

/* What the terminal said of its background, instead of COLORFGBG; once for the process. */
void bl_background_set(bool light);

/* What the terminal of standard output can do, by TERM, the locale and the colours that are wanted. */
typedef struct bl_terminal {
	bool is_one, known, moves, utf8, light;
	int colours;       /* 0, 8, 16, 256 or 1 << 24 */
	int width, height; /* 0: it does not tell */
} bl_terminal;
bl_terminal bl_terminal_look(void);

#endif
