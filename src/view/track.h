/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/track.h: one run's metrics over a range of its steps, thinned and smoothed, ready to be drawn.
 *
 * Records are read in bounded pieces, one in each iteration of the screen's loop, so that a run of a million steps does not
 * delay keys.
 */
#ifndef BARLOW_VIEW_TRACK_H
#define BARLOW_VIEW_TRACK_H

#include "live/history.h"

typedef struct bl_track {
	bl_live *run; /* a reference; NULL: none */
	char name[64];
	int64_t from, until; /* indices of the records, from 0 */
	double weight;       /* the weight with which `smooth` was computed */
	bl_history h;
	double smooth[BL_COLUMNS_MAX][BL_HISTORY_BINS];
} bl_track;

/* Follows `run`, and takes a reference to it; NULL: follows none.  Releases the reference to the run before. */
void bl_track_follow(bl_track *t, bl_live *run);
/* Reads at most `most` of the records from `from` to `until`.  True: there are new ones, or the range has changed. */
bool bl_track_read(bl_track *t, int64_t from, int64_t until, int64_t most);
/* Smooths, with this weight, the values that were read; to be called after each read. */
void bl_track_smooth(bl_track *t, double weight);

/* The points of a column; returns their number.  y: smoothed or raw. */
int bl_track_line(const bl_track *t, int column, bool smooth, const double **x, const double **y);
/* The index of the point whose x is nearest to `at`, of n points with ascending x; -1: n is 0. */
int bl_track_nearest(const double *x, int n, double at);

/*
 * Exponential smoothing with the bias correction of TensorBoard:
 * s_n = w s_(n-1) + (1 - w) x_n, out_n = s_n / (1 - w^n).
 * Values that are not finite are copied, and do not count in the sums.
 */
void bl_smooth(const double *in, double *out, int n, double weight);

#endif
