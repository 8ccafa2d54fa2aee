/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * train/history.h: the records of a run, thinned to what a screen or a figure can show.
 *
 * A bin is the mean of `stride` records.  When the bins are full, neighbours
 * are merged and the stride doubles, so that each record is read once and a
 * frame costs the same at step 100 and at step a million.
 */
#ifndef BARLOW_TRAIN_HISTORY_H
#define BARLOW_TRAIN_HISTORY_H

#include <barlow/live.h>

enum { BL_HISTORY_BINS = 1024, BL_HISTORY_READ = 200000 };
typedef enum bl_term { BL_TERM_INVARIANCE, BL_TERM_REDUNDANCY, BL_TERM_TOTAL, BL_TERM_FLOOR, BL_TERMS } bl_term;

typedef struct bl_history {
	int64_t seen; /* records read */
	int64_t stride;
	int bins, fill;                         /* the last bin holds `fill` records */
	double step[BL_HISTORY_BINS];           /* middle of the bin */
	double term[BL_TERMS][BL_HISTORY_BINS]; /* redundancy times lambda, as it enters the loss */
	int knns;
	double knn_step[BL_HISTORY_BINS], knn[BL_HISTORY_BINS];
	bl_record last; /* valid when seen > 0 */
} bl_history;

void bl_history_reset(bl_history *h);
/* Reads what is new, BL_HISTORY_READ records at most, so that a key never waits long.  True: there was something. */
bool bl_history_read(bl_history *h, const bl_live *run);

#endif
