/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/guard.h: signals while a screen is up.
 *
 * One that kills (a crash in any thread, or SIGTERM and its kind where the
 * process has no handler) first gets the terminal put back, then does what it
 * would have done.  The others are noted and asked for between frames.
 */
#ifndef BARLOW_VIEW_GUARD_H
#define BARLOW_VIEW_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

typedef enum bl_guard_event {
	BL_GUARD_RESIZED,
	BL_GUARD_SUSPEND,
	BL_GUARD_CONTINUED,
	BL_GUARD_INTERRUPT,
	BL_GUARD_EVENTS
} bl_guard_event;

enum { BL_GUARD_RESTORE_MAX = 1024 };

/* Copies everything.  `restore` is written to fd, and `cooked` set on it, when the process is about to die. */
void bl_guard_arm(int fd, const char *restore, size_t n, const struct termios *cooked);
void bl_guard_disarm(void);           /* handlers as they were before */
bool bl_guard_take(bl_guard_event e); /* whether it came since the last time */

#endif
