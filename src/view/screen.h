/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/screen.h: the terminal: its modes, keys, size and abilities, and drawing a canvas on it.
 *
 * ncurses sets the modes, decodes keys and knows the terminal's strings.  The
 * differences between two canvases are written by this module, because ncurses cannot
 * use 24-bit colours on a terminal whose terminfo entry lacks them, and
 * its colour pairs do not suffice for a heatmap.
 */
#ifndef BARLOW_VIEW_SCREEN_H
#define BARLOW_VIEW_SCREEN_H

#include "view/canvas.h"
#include "view/keys.h"

typedef struct bl_screen bl_screen;

/* Opens the screen on standard input and output.  NULL with bl_error: no suitable terminal, or a screen is open. */
bl_screen *bl_screen_open(void);
void bl_screen_close(bl_screen *s); /* restores the terminal */

bl_ability bl_screen_ability(const bl_screen *s);
bl_ability bl_screen_ability_of(int fd); /* of a terminal without an open screen, from its terminfo entry */
void bl_screen_size(const bl_screen *s, int *width, int *height); /* the terminal's current size */

/* Makes the terminal show c; writes only differences.  Negative with bl_error. */
int bl_screen_show(bl_screen *s, const bl_canvas *c);
void bl_screen_forget(bl_screen *s); /* the next show writes everything */

/* Waits for a key up to timeout_ms.  BL_KEY_NONE: no key, or a signal came.  A closed terminal gives BL_KEY_INTERRUPT. */
int bl_screen_key(bl_screen *s, int timeout_ms);

/*
 * Queries the terminal for its background, and waits at most 100 ms for the reply.  bl_screen_key returns the keys that were
 * pressed meanwhile.  Negative with bl_error.
 */
int bl_screen_query_background(bl_screen *s);

/* Sets the modes again and redraws everything, after a stop without notice (SIGSTOP). */
void bl_screen_again(bl_screen *s);

/* Restores the terminal and stops the process, as Ctrl-Z does; returns when it is continued. */
void bl_screen_suspend(bl_screen *s);

#endif
