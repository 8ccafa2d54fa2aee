/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trials.h: the trials of a sweep, shared by any number of processes and hosts that see its folder.
 *
 *     FOLDER/trials/0007/attempt-2/   the run's folder of the second attempt at trial 7; in it, beside the run's own files,
 *         worker                      identifies the worker, with a counter that increases while it lives
 *         result.json                 the result of the attempt
 *         stopped                     its worker was told to end: the attempt has not failed
 *     FOLDER/trials/0007/result.json  the result that counts: a link to that of the attempt that finished first
 *
 * An attempt is claimed by making its folder, which only one process can do.  If a worker seems dead, another attempt
 * is made beside its own, and the first result counts, even if the worker was alive.  A result is linked to its final
 * name exactly once: no result is lost, and none is counted twice.
 *
 * Functions return 0, or negative with bl_error, unless they say otherwise.
 */
#ifndef BARLOW_TRIALS_H
#define BARLOW_TRIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BL_TRIAL_RESULT "result.json"
#define BL_TRIAL_STOPPED "stopped"

enum { BL_TRIALS_MOST = 1000000 };

/* State of a trial: the number of attempts, and the worker of the newest one. */
typedef struct bl_trial {
	bool over;     /* there is a result */
	int attempts;  /* 0: not begun */
	char host[72]; /* of the newest attempt's worker; "" if its file cannot be read (yet) */
	int64_t pid;
	int64_t beat; /* the worker's counter, which no longer increases when the worker or its host is gone */
	bool here;    /* the worker is a process of this host and boot */
	bool dead;    /* here, and that process has ended */
} bl_trial;

/* FOLDER/trials/NNNN, and FOLDER/trials/NNNN/attempt-N where attempt > 0: a new string, or NULL with bl_error. */
char *bl_trial_path(const char *sweep, int trial, int attempt);

/* Reads the state of a trial, from its files. */
int bl_trial_look(const char *sweep, int trial, bl_trial *t);
/* Claims that attempt, from 1, for this process.  1: another process has it. */
int bl_trial_claim(const char *sweep, int trial, int attempt);
/* Increments the counter of an attempt that this process has claimed. */
int bl_trial_beat(const char *sweep, int trial, int attempt);
/* Stores n bytes as the result of the attempt.  1: another attempt finished before, and its result counts. */
int bl_trial_finish(const char *sweep, int trial, int attempt, const void *text, size_t n);
/*
 * Marks the attempt that this process has claimed, and whose result it has not stored, as stopped; does nothing without
 * one.  for_good: the process is ending, and cannot claim another attempt.  Any thread may call it.
 */
void bl_trial_stop(bool for_good);

#endif
