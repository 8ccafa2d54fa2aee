/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trials.h: the trials of a sweep.  Any number of processes, on any host that sees the sweep's folder, share its
 * trials.
 *
 *     FOLDER/trials/0007/attempt-2/   the folder of the run of the second attempt at trial 7.  It also contains:
 *         worker                      identifies the worker, with a counter that increases while the worker lives
 *         result.json                 the result of the attempt
 *         stopped                     marks that the worker was stopped, and that the attempt has not failed
 *     FOLDER/trials/0007/result.json  the result of the trial: a link to that of the attempt that finished first
 *
 * A process claims an attempt by making its folder, which only one process can do.  If a worker seems to be dead,
 * another attempt is made, and the first result is that of the trial, even if the worker was alive.  A result is linked
 * to its final name exactly once, so that no result is lost, and none is counted twice.
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
	char host[72]; /* host of the newest attempt's worker; "": the file `worker` cannot be read (yet) */
	int64_t pid;
	int64_t beat; /* the worker's counter, which no longer increases when the worker or its host has ended */
	bool here;    /* the worker is a process of this host and boot */
	bool dead;    /* `here` is true, and the worker has ended */
} bl_trial;

/*
 * The path FOLDER/trials/NNNN/attempt-N or, if attempt is 0, FOLDER/trials/NNNN.  The caller frees it; NULL with
 * bl_error. `sweep` is FOLDER.
 */
char *bl_trial_path(const char *sweep, int trial, int attempt);

/* Reads the state of a trial from its files. */
int bl_trial_read(const char *sweep, int trial, bl_trial *t);
/* Claims an attempt, which counts from 1, for this process.  1: another process has claimed it. */
int bl_trial_claim(const char *sweep, int trial, int attempt);
/* Increments the counter of an attempt that this process has claimed. */
int bl_trial_beat(const char *sweep, int trial, int attempt);
/*
 * Stores n bytes as the result of the attempt.  1: another attempt has finished first, and its result is the trial's.
 */
int bl_trial_finish(const char *sweep, int trial, int attempt, const void *text, size_t n);
/*
 * Marks the attempt that this process has claimed as stopped, unless its result is stored; does nothing if there is no
 * such attempt.  for_good: the process is ending, and cannot claim another attempt.  Any thread may call this.
 */
void bl_trial_stop(bool for_good);

#endif
