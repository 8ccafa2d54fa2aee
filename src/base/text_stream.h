/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text_stream.h: the end of streams that write to memory. */
#ifndef BARLOW_BASE_TEXT_STREAM_H
#define BARLOW_BASE_TEXT_STREAM_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Closes `f`, which open_memstream made with *text.  False, and *text is freed and NULL: there was no memory for a part of what
 * was written.  fclose() alone does not say so, as the part is lost when it is written.  NULL for `f`: it could not be opened.
 */
bool bl_text_stream_end(FILE *f, char **text);

#endif
