/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live/history.h: the records of a run, thinned to what a screen or a figure can show.
 *
 * A bin is the mean of `stride` records.  When the bins are full, neighbours
 * are merged and the stride doubles, so that each record is read once and a
 * frame costs the same at step 100 and at step a million.
 */
#ifndef BARLOW_LIVE_HISTORY_H
#define BARLOW_LIVE_HISTORY_H

#include <barlow/live.h>

enum { BL_HISTORY_BINS = 1024, BL_HISTORY_READ = 200000 };
/* The terms of the loss, redundancy times lambda as it enters it; then what else a record has, kNN apart. */
typedef enum bl_term {
	BL_TERM_INVARIANCE,
	BL_TERM_REDUNDANCY,
	BL_TERM_TOTAL,
	BL_TERM_FLOOR,
	BL_TERMS,
	BL_METRIC_REDUNDANCY = BL_TERMS, /* itself */
	BL_METRIC_LAMBDA,
	BL_METRIC_LR,
	BL_METRIC_GRAD_NORM,
	BL_METRIC_IMAGES_PER_S,
	BL_METRICS
} bl_term;

/* Lambda went from one value to another between these steps: in one, or a little each step. */
enum { BL_HISTORY_TURNS = 64 };
typedef struct bl_turn {
	int64_t first, last; /* steps with a lambda unlike that of the step before */
	double from, to;
} bl_turn;

typedef struct bl_history {
	int64_t seen; /* records read */
	int64_t stride;
	int bins, fill;                         /* the last bin holds `fill` records */
	double step[BL_HISTORY_BINS]; /* middle of the bin */
	double term[BL_METRICS][BL_HISTORY_BINS];
	int knns;
	double knn_step[BL_HISTORY_BINS], knn[BL_HISTORY_BINS];
	int turns; /* the newest ones, oldest first */
	bl_turn turn[BL_HISTORY_TURNS];
	bl_record last; /* valid when seen > 0 */
} bl_history;

void bl_history_reset(bl_history *h);
/* Reads what is new, BL_HISTORY_READ records at most, so that a key never waits long.  True: there was something. */
bool bl_history_read(bl_history *h, const bl_live *run);

/* Of records `from` (0-based) and later, from the next read on. */
void bl_history_start(bl_history *h, int64_t from);
/* As bl_history_read, but `most` records and none from `until` on. */
bool bl_history_read_some(bl_history *h, const bl_live *run, int64_t until, int64_t most);

#endif
