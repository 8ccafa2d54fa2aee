/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * error.h: error messages.
 *
 * Functions that can fail return NULL, or a negative int, and leave a message
 * for the calling thread that says what was wrong, where, and what was
 * expected.  The library never exits, never prints and never aborts on a
 * user's mistake; assert() guards our own invariants only.
 */
#ifndef BARLOW_ERROR_H
#define BARLOW_ERROR_H

#include <stdbool.h>

#if defined __GNUC__
#define BL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define BL_PRINTF(f, a)
#endif

/* The calling thread's last message; "" when there was none.  Owned by the library. */
const char *bl_error(void);

/*
 * Sets the message (at most 1023 bytes, then it is cut), made printable (text.h).  Returns -1: return bl_fail("...").
 */
int bl_fail(const char *fmt, ...) BL_PRINTF(1, 2);

/* Prefixes the current message: "file.idx: " + "short header".  Returns -1. */
int bl_fail_prefix(const char *fmt, ...) BL_PRINTF(1, 2);

/*
 * As bl_fail, for an operation that was interrupted on request, without an error: the caller may repeat it.
 * bl_fail_prefix keeps that state; any other failure clears it.
 */
int bl_fail_interrupted(const char *fmt, ...) BL_PRINTF(1, 2);
bool bl_error_interrupted(void); /* was the last failure an interruption? */

/* The same for functions that return a pointer: return bl_fail_null("..."). */
#define bl_fail_null(...) (bl_fail(__VA_ARGS__), (void *)0)

/*
 * The name in names[] (NULL-terminated) nearest to word by edit distance, or
 * NULL when none is near: for "unknown key 'lamda' (did you mean 'lambda'?)".
 */
const char *bl_nearest(const char *word, const char *const *names);

#endif
