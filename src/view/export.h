/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/export.h: saves what the screen shows as files in the current folder.
 *
 * The files are named barlow-<run>-<view>-<step>.<ending>; the notice shows the names
 * or the error.
 */
#ifndef BARLOW_VIEW_EXPORT_H
#define BARLOW_VIEW_EXPORT_H

#include "view/scene.h"

#include <barlow/figure.h>

#include <stdio.h>

void bl_export_view(bl_scene *s); /* as the view itself saves it */
/* As stem.png and stem.svg; a figure that could not be made (NULL) fails as it did. */
int bl_export_figure(const bl_figure *f, const char *stem);
void bl_export_text(bl_scene *s); /* the screen's characters */

/* stem.csv of what `write` writes; negative: failed. */
int bl_export_table(const bl_scene *s, const char *stem, void (*write)(const bl_scene *s, FILE *f));
/* Text in quotes: names come from files of others. */
void bl_export_field(FILE *f, const char *text);
/* After the table: the pictures of f (NULL: as bl_error says), and the notice of what there is now. */
void bl_export_picture(bl_scene *s, const bl_figure *f, const char *stem);

#endif
