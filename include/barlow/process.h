/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * process.h: other processes: starting them, and telling which one it was after it has gone.
 *
 * Functions return 0, or negative with bl_error, unless they say otherwise.
 */
#ifndef BARLOW_PROCESS_H
#define BARLOW_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A process, of all hosts and times: its number alone is given to others when it has ended. */
typedef struct bl_process_id {
	char host[72];
	char boot[48]; /* of the system: another one after each start of it; "-" where that is not known */
	int64_t pid;
	uint64_t born; /* the system's clock ticks when it was started; 0 where that is not known */
} bl_process_id;

void bl_process_self(bl_process_id *id);
/* Is it one of this host, since the system was started? */
bool bl_process_is_here(const bl_process_id *id);
/* Of one that is here: it has not ended.  One that has, and that nobody has waited for (a zombie), is not alive. */
bool bl_process_alive(const bl_process_id *id);

/* Of this system alone: when a process was started, as in bl_process_id; whether the one that was started then lives. */
uint64_t bl_process_born(int64_t pid);
bool bl_process_lives(int64_t pid, uint64_t born);
/* Which start of the system this is, a text of 36 bytes; "": not known. */
void bl_process_boot(char *boot, size_t size);

/*
 * Starts argv[0], found as the shell would, with its arguments (NULL ends them).  Its input is empty; its output and errors are
 * appended to the file `log`, made where it is missing.  It has this process's environment with the `extra` ones
 * ("NAME=value", NULL ends them) set.  Returns its number, or negative.
 */
int64_t bl_process_spawn(char *const argv[], const char *log, const char *const extra[]);
/*
 * Of a process that this one has started: 0 while it runs; 1 when it has ended, with *status its exit status, or 128 and the
 * signal that ended it.  Reported once; negative: it is no such process.
 */
int bl_process_poll(int64_t pid, int *status);
/* The path of this program: $BARLOW where that is set, else what runs; a new string. */
char *bl_process_program(void);

#endif
