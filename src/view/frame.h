/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/frame.h: the whole screen: header, view, footer. */
#ifndef BARLOW_VIEW_FRAME_H
#define BARLOW_VIEW_FRAME_H

#include "view/scene.h"

enum { BL_FRAME_MIN_WIDTH = 40, BL_FRAME_MIN_HEIGHT = 12 };

/* The view's rectangle on a screen of that size. */
bl_rect bl_frame_room(const bl_scene *s, int width, int height);
/* Draws the screen; if the canvas is too small, a message with the least size. */
void bl_frame_draw(const bl_scene *s, bl_canvas *c);

#endif
