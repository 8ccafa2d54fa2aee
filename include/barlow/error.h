/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * error.h: error messages.
 *
 * Functions that can fail return NULL or a negative int, and set the calling thread's message, which states what was
 * wrong, where, and what was expected.  The library never exits, prints, or aborts because of a user's mistake;
 * assert() checks only the library's own invariants.
 */
#ifndef BARLOW_ERROR_H
#define BARLOW_ERROR_H

#include <stdbool.h>

#if defined __GNUC__
#define BL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define BL_PRINTF(f, a)
#endif

/* The calling thread's last message; "" if there was none.  Owned by the library. */
const char *bl_error(void);

/*
 * Sets the message, makes it printable (text.h), and cuts it at 1023 bytes.  Returns -1, so that a function may end
 * with return bl_fail("...").
 */
int bl_fail(const char *fmt, ...) BL_PRINTF(1, 2);

/* Puts a prefix before the current message: "file.idx: " before "short header".  Returns -1. */
int bl_fail_prefix(const char *fmt, ...) BL_PRINTF(1, 2);

/*
 * As bl_fail, for an operation that was interrupted on request; the caller may repeat the operation.
 * bl_error_interrupted returns true until bl_fail is called; bl_fail_prefix does not change it.
 */
int bl_fail_interrupted(const char *fmt, ...) BL_PRINTF(1, 2);
bool bl_error_interrupted(void); /* was the last failure an interruption? */

/* As bl_fail, but returns NULL, for functions that return a pointer: return bl_fail_null("..."). */
#define bl_fail_null(...) (bl_fail(__VA_ARGS__), (void *)0)

/*
 * The name in names[] (NULL-terminated) with the smallest edit distance from word; NULL: none is similar enough.  Used
 * in messages such as "unknown key 'lamda' (did you mean 'lambda'?)".
 */
const char *bl_nearest(const char *word, const char *const *names);

#endif
