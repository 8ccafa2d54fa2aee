/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text.h: sanitises text from outside (names of files, classes and runs) for output.
 *
 * A terminal obeys control bytes, and some characters change the direction of
 * the text after them: names from outside must not reach the screen unchanged.
 * Messages of bl_error() are already sanitised.
 */
#ifndef BARLOW_TEXT_H
#define BARLOW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The next code point of the UTF-8 text *s, which is moved past it; a malformed or truncated one is U+FFFD. */
uint32_t bl_text_next(const char **s);

/* Is all of it UTF-8? */
bool bl_text_is_utf8(const char *text);

/*
 * Copies `in` as valid UTF-8 with escapes: control bytes and malformed ones as
 * "\x1b", C1 controls, marks of direction and invisible format characters as
 * "\u{202e}".  lines: newlines and tabs are kept.  Writes at most size - 1
 * bytes and a NUL, whole characters only; returns the number of bytes of the
 * full result, as snprintf does.
 */
size_t bl_text_clean(char *out, size_t size, const char *in, bool lines);
/* The same in place, and newlines and tabs are escaped, too; the result is cut to `size` bytes, at most 512. */
void bl_text_clean_here(char *text, size_t size);

/* Returns one or many, depending on n: bl_text_plural(n, "class", "classes"). */
const char *bl_text_plural(int64_t n, const char *one, const char *many);

#endif
