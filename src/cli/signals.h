/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * signals.h: what the program does when it gets a signal.
 *
 * SIGTERM, SIGHUP, SIGPIPE  runs that have a place are stopped at the next step and saved, the terminal is put back, then
 *                           the signal does what it does to any program: the shell sees 128 + its number.  A second one
 *                           ends the program at once.
 * SIGINT                    an error of the Lua code that is running (kit.h), or an empty line at the prompt.
 * SIGXFSZ                   nothing: the write that was too much fails with words.
 */
#ifndef BARLOW_CLI_SIGNALS_H
#define BARLOW_CLI_SIGNALS_H

/* Once, before anything else.  Negative, having said why: no thread could be started. */
int bl_signals_install(void);
/* For commands that run Lua: until then Ctrl-C ends the program. */
void bl_signals_catch_interrupts(void);
/* What a second Ctrl-C says is running; NULL: nothing is. */
void bl_signals_running(const char *text);
/* Where the program is ending by a signal: waits for that.  Else returns at once. */
void bl_signals_yield(void);

#endif
