/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text_stream.h (private): closes streams that write to memory. */
#ifndef BARLOW_BASE_TEXT_STREAM_H
#define BARLOW_BASE_TEXT_STREAM_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Closes `f`, which open_memstream made with *text.  False, with *text freed and NULL: there was no memory for a part of
 * the text, or f is NULL.  fclose() alone does not report this, since the failure occurs when that part is written.
 */
bool bl_text_stream_end(FILE *f, char **text);

#endif
