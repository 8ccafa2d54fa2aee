/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text.h: text from outside (names of files, classes and runs) made fit to be shown.
 *
 * A terminal obeys control bytes, and some characters turn the direction of
 * what follows them: nothing that somebody else has named may reach the screen
 * unchanged.  Messages of bl_error() have been through here already.
 */
#ifndef BARLOW_TEXT_H
#define BARLOW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The next code point of the UTF-8 text *s, which is moved past it; a malformed or cut one counts as U+FFFD. */
uint32_t bl_text_next(const char **s);

/* Is all of it UTF-8? */
bool bl_text_is_utf8(const char *text);

/*
 * `in` as valid UTF-8 with what must not be shown written out: control bytes
 * and malformed ones as "\x1b", C1 controls, marks of direction and invisible
 * format characters as "\u{202e}".  `lines`: newlines and tabs may stay.
 * Writes at most size - 1 bytes and a NUL, whole characters only; returns the
 * bytes that all of it takes, as snprintf does.
 */
size_t bl_text_clean(char *out, size_t size, const char *in, bool lines);
/* The same in place, without lines: what of it has no room in `size` bytes, at most 512, is cut off. */
void bl_text_clean_here(char *text, size_t size);

/* The word for so many of a thing: bl_text_plural(n, "class", "classes"). */
const char *bl_text_plural(int64_t n, const char *one, const char *many);

#endif
