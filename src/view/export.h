/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/export.h: what is on the screen as files in the current folder.
 *
 * Their names are barlow-<run>-<view>-<step>.<ending>; the notice says them,
 * or what went wrong.
 */
#ifndef BARLOW_VIEW_EXPORT_H
#define BARLOW_VIEW_EXPORT_H

#include "view/scene.h"

#include <barlow/figure.h>

void bl_export_view(bl_scene *s); /* as the view itself saves it */
/* As stem.png and stem.svg; a figure that could not be made (NULL) fails as it did. */
int bl_export_figure(const bl_figure *f, const char *stem);
void bl_export_text(bl_scene *s); /* the screen's characters */

#endif
