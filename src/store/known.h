/* SPDX-License-Identifier: GPL-3.0-or-later */
/* known.h (private): the state of a run as its folder has it, for the index. */
#ifndef BARLOW_STORE_KNOWN_H
#define BARLOW_STORE_KNOWN_H

#include <barlow/run_file.h>
#include <barlow/runs.h>

#define BL_KNOWN_KILLED "killed"
#define BL_KNOWN_BROKEN "broken"

/*
 * A moment by the clocks of a host.  Within one boot the monotonic clock tells how long ago it was, since nobody sets that clock;
 * for another boot, or another host that shares the index, only the seconds since 1970 can be compared.
 */
typedef struct bl_clock {
	double seconds, steady;
	char boot[48];
} bl_clock;
bl_clock bl_clock_now(void);

/* When the heartbeat counter of a run on another host changed last, by this host's clocks. */
typedef struct bl_beats {
	int64_t count;
	bl_clock since; /* when it was first seen */
} bl_beats;

typedef struct bl_known {
	bl_run_file file;
	char state[BL_RUN_TEXT];     /* as judged */
	char message[BL_RUN_REASON]; /* of the live file */
	char problem[512];           /* "": all of it could be read */
	bl_beats beats;
} bl_known;

/* before: the beats that were seen last; NULL: none were.  Any content of the folder gives a result. */
void bl_known_read(bl_known *k, const char *folder, const char *id, const bl_beats *before, const bl_clock *now);
void bl_known_free(bl_known *k);

/* Is that a state (as in run.json) of a run that is not over? */
bool bl_known_going(const char *state);

#endif
