/* SPDX-License-Identifier: GPL-3.0-or-later */
/* known.h (private): reads the state of a run from its folder, for the index. */
#ifndef BARLOW_STORE_KNOWN_H
#define BARLOW_STORE_KNOWN_H

#include <barlow/run_file.h>
#include <barlow/runs.h>

#define BL_KNOWN_KILLED "killed"
#define BL_KNOWN_BROKEN "broken"

/*
 * A moment on two clocks of a host: seconds since 1970, and the monotonic clock, which nobody can set.  Moments of the
 * same boot are compared by the monotonic clock.  Those of different boots, or of different hosts that share the index,
 * can only be compared by the seconds since 1970.
 */
typedef struct bl_clock {
	double seconds, steady;
	char boot[48];
} bl_clock;
bl_clock bl_clock_now(void);

/* When the heartbeat counter of a run on another host changed last, by this host's clocks. */
typedef struct bl_beats {
	int64_t count;
	bl_clock since; /* when this count was first seen */
} bl_beats;

typedef struct bl_known {
	bl_run_file file;
	char state[BL_RUN_TEXT];     /* the result: a state as in run.json, BL_KNOWN_KILLED or BL_KNOWN_BROKEN */
	char message[BL_RUN_REASON]; /* from the live file */
	char problem[512];           /* why run.json could not be read; "": it could */
	bl_beats beats;
} bl_known;

/*
 * Reads the state of the run in a folder, whatever the folder contains.  before: k->beats of the previous call, NULL:
 * there was none.  The caller calls bl_known_free.
 */
void bl_known_read(bl_known *k, const char *folder, const char *id, const bl_beats *before, const bl_clock *now);
void bl_known_free(bl_known *k);

/* Is `state`, as in run.json, the state of a run that is not over? */
bool bl_known_going(const char *state);

#endif
