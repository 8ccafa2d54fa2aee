/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure/figure_record.h (private): the record of a figure's data, stored in its file.
 *
 * A record is one line of JSON in ASCII without "<", ">" and "&".  In an SVG it is a metadata element, in a PNG a text
 * chunk, in other formats comment lines.  In a PDF, the comment lines come after the end of the file (startxref, %%EOF), and
 * this end is written again after them.  The record's first member is the hash of all bytes of the file that are not part of
 * the record.
 */
#ifndef BARLOW_FIGURE_FIGURE_RECORD_H
#define BARLOW_FIGURE_FIGURE_RECORD_H

#include "figure/gnuplot_script.h"

/* A new copy of the picture of *n bytes with the record inserted; *n becomes its length.  NULL with bl_error. */
void *bl_record_put(bl_form form, const void *picture, size_t *n, const char *record);

#endif
