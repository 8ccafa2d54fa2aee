/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * signals.h: the program's reactions to signals.
 *
 * SIGTERM, SIGHUP, SIGPIPE  runs that are stored on disk are stopped at the next step and saved, the terminal is restored,
 *                           then the signal has its default action: the shell sees 128 + its number.  A second one ends
 *                           the program at once.
 * SIGINT                    raises an error in the Lua code that is running (kit.h); at the prompt, abandons the entry.
 * SIGUSR1                   all runs are saved at the next step.
 * SIGXFSZ                   has no effect: a write that exceeds the limit of file sizes fails with an error message.
 */
#ifndef BARLOW_CLI_SIGNALS_H
#define BARLOW_CLI_SIGNALS_H

/* To be called once, before anything else.  Negative: no thread could be started; a message was printed. */
int bl_signals_install(void);
/* For commands that run Lua.  Before this call, Ctrl-C ends the program. */
void bl_signals_catch_interrupts(void);
/* Sets the entry that a further Ctrl-C prints as still running; NULL: nothing is running. */
void bl_signals_running(const char *text);
/* If a signal is ending the program, waits for the end; otherwise returns at once. */
void bl_signals_yield(void);

#endif
