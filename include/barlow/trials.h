/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trials.h: the trials of a sweep, shared by any number of processes and hosts that see its folder.
 *
 *     FOLDER/trials/0007/attempt-2/   the run's folder of the second attempt at trial 7; in it, beside the run's own files,
 *         worker                      who makes the attempt, with a counter that goes on while he lives
 *         result.json                 what came of the attempt
 *     FOLDER/trials/0007/result.json  the result that counts: a second name of the first attempt's that came
 *
 * An attempt is claimed by making its folder, which a file system lets only one process do.  A worker that is believed dead
 * loses nothing: another attempt is made beside his, and the first result counts.  A result is linked to its final name, which
 * happens once: no result is lost, and none is counted twice.
 *
 * Functions return 0, or negative with bl_error, unless they say otherwise.
 */
#ifndef BARLOW_TRIALS_H
#define BARLOW_TRIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BL_TRIAL_RESULT "result.json"

enum { BL_TRIALS_MOST = 1000000 };

/* What is known of a trial: how many attempts were made, and of the newest one who makes it. */
typedef struct bl_trial {
	bool over;      /* there is a result */
	int attempts;   /* 0: nobody has begun */
	char host[72];  /* of the newest attempt's worker; "" where his file cannot be read (yet) */
	int64_t pid;
	int64_t beat;   /* his counter: it stands still when he is gone, or his host is */
	bool here;      /* he is a process of this host since it was started */
	bool dead;      /* and that process is gone */
} bl_trial;

/* FOLDER/trials/NNNN, and FOLDER/trials/NNNN/attempt-N where attempt > 0: a new string, or NULL with bl_error. */
char *bl_trial_path(const char *sweep, int trial, int attempt);

int bl_trial_look(const char *sweep, int trial, bl_trial *t);
/* Claims that attempt, from 1, for this process.  1: another process has it. */
int bl_trial_claim(const char *sweep, int trial, int attempt);
/* Lets the counter of an attempt that this process has claimed go on by one. */
int bl_trial_beat(const char *sweep, int trial, int attempt);
/* Keeps n bytes as what came of the attempt.  1: another attempt's result had come before, and counts. */
int bl_trial_finish(const char *sweep, int trial, int attempt, const void *text, size_t n);

#endif
