/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/guard.h: signals while the terminal is in modes that differ from the shell's: a screen is open, or the prompt
 * reads a line.
 *
 * A fatal signal (a crash in any thread, or SIGTERM and similar ones if the
 * process has no handler) first restores the terminal and then goes to the
 * handler that was installed before, if any, or has its default effect.  Other
 * signals are recorded and polled between frames.
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

/*
 * Installs the signal handlers; must be called before newterm, which otherwise installs
 * handlers of its own that exit on SIGINT and SIGTERM, and never removes them.
 */
void bl_guard_arm(int fd, const struct termios *cooked);
/* The text that an ending process writes to fd before it restores the modes `cooked`; copied. */
void bl_guard_restore_by(const char *restore, size_t n);
/* Is the process ending, so that the terminal was restored or will be at once?  Then nothing may be drawn. */
bool bl_guard_dying(void);
/* Restores the terminal for good, if it is guarded.  Async-signal-safe. */
void bl_guard_put_back(void);
/*
 * The same for the thread that ends the process: first waits, at most half a second, until no other thread holds the
 * terminal.  A thread that calls bl_guard_hold afterwards waits until the process ends.
 */
void bl_guard_end(void);
/* Lock and unlock the terminal; required around every write to it and every change of its modes. */
void bl_guard_hold(void);
void bl_guard_release(void);
void bl_guard_disarm(void);           /* restores the previous handlers */
bool bl_guard_take(bl_guard_event e); /* whether the signal came since the last call */

#endif
