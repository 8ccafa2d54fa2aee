/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/timeline.h: values over time, from the snapshots that a run has stored.
 *
 * All are read when their number changes, which is rare, and takes some
 * milliseconds; only the newest snapshot is read for each frame.
 */
#ifndef BARLOW_VIEW_TIMELINE_H
#define BARLOW_VIEW_TIMELINE_H

#include <barlow/live.h>

typedef struct bl_moment {
	int64_t step;
	int32_t n, d, dead;
	int32_t spectrum; /* number of eigenvalues, and of singular values; 0: none */
	double rankme;    /* NaN: not computed */
	double effective; /* exp of the entropy of the eigenvalues' shares of their sum; NaN: there is no spectrum */
	float eigenvalues[BL_SPECTRUM_MAX], singular[BL_SPECTRUM_MAX];
	int32_t points; /* 0: none */
	int64_t points_step;
	float explained[2];
	float point[BL_POINTS_MAX][2];
	int16_t label[BL_POINTS_MAX];
	int32_t points_of, classes;
	char class_name[BL_CLASSES_MAX][BL_CLASS_TEXT];
} bl_moment;

typedef struct bl_timeline {
	bl_live *run; /* a reference; NULL: none yet */
	int n;
	bl_moment moment[BL_SNAPSHOTS_MAX]; /* ascending, the newest last */
	int64_t at;                         /* the selected step; 0: the newest */
	int stored;                         /* number of stored snapshots when they were last read */
	bl_snapshot buffer;
} bl_timeline;

/* Returns true if something is new. */
bool bl_timeline_read(bl_timeline *p, bl_live *run, const bl_snapshot *newest);
void bl_timeline_forget(bl_timeline *p); /* releases the run, and clears everything */

/* The selected snapshot, or NULL if there is none. */
const bl_moment *bl_timeline_moment(const bl_timeline *p);
void bl_timeline_move(bl_timeline *p, int by); /* beyond the last: follows the newest */
void bl_timeline_first(bl_timeline *p);
void bl_timeline_now(bl_timeline *p);

#endif
