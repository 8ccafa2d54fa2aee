/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * process.h: starts processes, and identifies processes, even after they have ended.
 *
 * Functions return 0, or negative with bl_error, unless they say otherwise.
 */
#ifndef BARLOW_PROCESS_H
#define BARLOW_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Identifies a process on any host and at any time.  (A process number alone is reused after the process has ended.) */
typedef struct bl_process_id {
	char host[72];
	char boot[48]; /* identifies a boot of the system; "-": not known */
	int64_t pid;
	uint64_t born; /* start of the process in clock ticks of the system; 0: not known */
} bl_process_id;

void bl_process_self(bl_process_id *id); /* fills in the identity of this process */
/* Is `id` a process of this host and this boot? */
bool bl_process_is_here(const bl_process_id *id);
/* Is `id`, a process of this host and boot, alive?  False for a zombie. */
bool bl_process_alive(const bl_process_id *id);

/* The start of a process of this host, as in bl_process_id.born. */
uint64_t bl_process_born(int64_t pid);
/* Is the process of this host that has this number and this start alive?  False for a zombie. */
bool bl_process_lives(int64_t pid, uint64_t born);
/* Writes a text of 36 bytes that identifies the current boot of the system; "": not known. */
void bl_process_boot(char *boot, size_t size);

/*
 * Starts a process.  argv[0] is the program, which is searched for in PATH, and argv ends with NULL.  Standard input is
 * empty; standard output and standard error are appended to the file `log`, which is created if missing.  The
 * environment is that of this process and the variables `extra` ("NAME=value", ended by NULL).  Returns the process
 * number, or negative with bl_error.
 */
int64_t bl_process_spawn(char *const argv[], const char *log, const char *const extra[]);
/*
 * Returns 0 while a process that this process has started runs.  Returns 1, once, when it has ended, and sets *status
 * to its exit status, or to 128 plus the number of the signal that ended it.  Negative with bl_error: there is no such
 * process.
 */
int bl_process_poll(int64_t pid, int *status);
/*
 * The path of this program: $BARLOW if set, otherwise the running executable.  The caller frees it; NULL with bl_error.
 */
char *bl_process_program(void);

#endif
