/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text.h: makes text from outside (names of files, classes and runs) safe for output.
 *
 * A terminal executes control bytes, and some characters change the direction of the text after them.  Therefore text
 * from outside must be escaped before it is shown.  Messages of bl_error() are escaped already.
 */
#ifndef BARLOW_TEXT_H
#define BARLOW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Returns the next code point of the UTF-8 text *s and advances *s to the one after it.  Returns U+FFFD for a malformed
 * or truncated code point.
 */
uint32_t bl_text_next(const char **s);

/* Is the whole text valid UTF-8? */
bool bl_text_is_utf8(const char *text);

/*
 * Copies `in` to `out` as valid UTF-8 with escapes.  Control bytes and malformed bytes are written as "\x1b"; C1
 * controls, direction marks and invisible format characters as "\u{202e}".  Newlines and tabs are not escaped if
 * `lines` is set. Writes at most size - 1 bytes, only whole characters, and a NUL.  Returns the number of bytes of the
 * full result, as snprintf does.
 */
size_t bl_text_clean(char *out, size_t size, const char *in, bool lines);
/* Escapes text in place, including newlines and tabs.  The result is cut to `size` bytes, at most 512. */
void bl_text_clean_here(char *text, size_t size);

/* Returns a copy of the text, which the caller frees; NULL with bl_error if there is no memory. */
char *bl_text_copy(const char *text);

/* Returns `one` if n is 1, otherwise `many`: bl_text_plural(n, "class", "classes"). */
const char *bl_text_plural(int64_t n, const char *one, const char *many);

#endif
