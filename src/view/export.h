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

void bl_export_view(bl_scene *s); /* saves the files that the view's `save` function makes */
/*
 * Saves f as stem.png and stem.svg.  Negative with bl_error; f NULL: the figure could not be made, bl_error is
 * unchanged.
 */
int bl_export_figure(const bl_figure *f, const char *stem);
void bl_export_text(bl_scene *s); /* saves the screen's characters */

/* Saves what `write` writes as stem.csv; negative with bl_error. */
int bl_export_table(const bl_scene *s, const char *stem, void (*write)(const bl_scene *s, FILE *f));
/* Writes text quoted for CSV, since names come from files that are not trusted. */
void bl_export_field(FILE *f, const char *text);
/* To be called after the table was saved: saves the pictures of f (see bl_export_figure), and sets the notice. */
void bl_export_picture(bl_scene *s, const bl_figure *f, const char *stem);

#endif
