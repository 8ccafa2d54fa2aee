/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text_stream.h (private): closes streams that write to memory. */
#ifndef BARLOW_BASE_TEXT_STREAM_H
#define BARLOW_BASE_TEXT_STREAM_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Closes `f`, which open_memstream made with *text.  Returns false if there was no memory for a part of the text, or if
 * f is NULL; *text is freed and NULL then.  fclose() alone does not report the failure, since it occurs when the part
 * is written.
 */
bool bl_text_stream_end(FILE *f, char **text);

#endif
