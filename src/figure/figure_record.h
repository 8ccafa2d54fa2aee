/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure/figure_record.h: where a figure's data came from, kept in its file.
 *
 * A record is one line of JSON in ASCII without "<", ">" and "&".  In an SVG it is a metadata element, in a PNG a chunk of
 * text, in all else lines of comment: in a PDF behind its end, which is said once more.  Taking it out leaves the
 * picture as it was, to the byte, whose hash the record begins with.
 */
#ifndef BARLOW_FIGURE_FIGURE_RECORD_H
#define BARLOW_FIGURE_FIGURE_RECORD_H

#include "figure/gnuplot_script.h"

/* The picture of *n bytes with the record in it, which is then *n bytes; NULL with bl_error. */
void *bl_record_put(bl_form form, const void *picture, size_t *n, const char *record);

#endif
