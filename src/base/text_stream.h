/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text_stream.h (private): streams that write to memory. */
#ifndef BARLOW_BASE_TEXT_STREAM_H
#define BARLOW_BASE_TEXT_STREAM_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Returns a stream that writes to memory; NULL, with *text NULL: no memory.  After bl_text_stream_end, *text has the text, with
 * a zero byte at its end, and *n its length; both variables have to exist until then.  A stream of open_memstream would lose a
 * part of the text without an error if there is no memory for the part.
 */
FILE *bl_text_stream_begin(char **text, size_t *n);

/* Closes `f`.  False, with *text freed and NULL: there was no memory for a part of the text, or f is NULL. */
bool bl_text_stream_end(FILE *f, char **text);

#endif
