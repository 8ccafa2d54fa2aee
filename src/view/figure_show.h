/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/figure_show.h: draws figures for the terminal on a canvas, as views are drawn. */
#ifndef BARLOW_VIEW_FIGURE_SHOW_H
#define BARLOW_VIEW_FIGURE_SHOW_H

#include "view/canvas.h"

#include <barlow/figure.h>

void bl_figure_draw(const bl_figure *f, bl_canvas *c);
/*
 * Draws a figure as text with those escape sequences that the terminal supports.  Returns a new string, or NULL with
 * bl_error.
 */
char *bl_figure_characters(const bl_figure *f, int width, int height, bl_ability can);

/*
 * sixel.c: does the terminal support sixels?  It is queried once; the result is false if input is already waiting, so that
 * no key is lost.
 */
bool bl_terminal_has_sixels(int in, int out);

#endif
