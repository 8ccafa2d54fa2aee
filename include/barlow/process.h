/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * process.h: starts other processes, and identifies processes also after they have ended.
 *
 * Functions return 0, or negative with bl_error, unless they say otherwise.
 */
#ifndef BARLOW_PROCESS_H
#define BARLOW_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Identifies a process across hosts and time: a process number alone is reused after the process has ended. */
typedef struct bl_process_id {
	char host[72];
	char boot[48]; /* identifies a boot of the system; "-": not known */
	int64_t pid;
	uint64_t born; /* start of the process in clock ticks of the system; 0: not known */
} bl_process_id;

void bl_process_self(bl_process_id *id); /* fills in the identity of this process */
/* Is `id` a process of this host and this boot? */
bool bl_process_is_here(const bl_process_id *id);
/* Is a process of this host and boot alive?  A zombie is not. */
bool bl_process_alive(const bl_process_id *id);

/* On this system alone: the start of a process, as in bl_process_id; whether the process with that start is alive. */
uint64_t bl_process_born(int64_t pid);
bool bl_process_lives(int64_t pid, uint64_t born);
/* Identifies the current boot of the system, a text of 36 bytes; "": not known. */
void bl_process_boot(char *boot, size_t size);

/*
 * Starts argv[0], searched in PATH as by the shell, with its arguments (ended by NULL).  Its input is empty; its
 * output and errors are appended to the file `log`, which is created if missing.  Its environment is that of this
 * process with the variables `extra` ("NAME=value", ended by NULL) set.  Returns its number, or negative with
 * bl_error.
 */
int64_t bl_process_spawn(char *const argv[], const char *log, const char *const extra[]);
/*
 * State of a process that this one has started: 0 while it runs; 1 when it has ended, with *status its exit status,
 * or 128 plus the signal that ended it.  The end is reported once; negative with bl_error: not such a process.
 */
int bl_process_poll(int64_t pid, int *status);
/* The path of this program: $BARLOW if that is set, else of the running executable; a new string, NULL with bl_error. */
char *bl_process_program(void);

#endif
