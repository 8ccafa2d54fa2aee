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
/* A parameter of the loss went from one value to another between these steps: in one, or a little each step. */
enum { BL_HISTORY_TURNS = 64 };
typedef struct bl_turn {
	int column;
	int64_t first, last; /* steps with a value unlike that of the step before */
	double from, to;
} bl_turn;

typedef struct bl_history {
	bl_columns columns; /* of the records that were read */
	int64_t seen;       /* records read */
	int64_t stride;
	int bins, fill;               /* the last bin holds `fill` records */
	double step[BL_HISTORY_BINS]; /* middle of the bin */
	/*
	 * A column's means over the bins, NaN where nothing was measured; have: values behind the last bin.  Of a column
	 * that is rarely measured (bl_column_rare) its values themselves at the steps `at`; have: how many.
	 */
	double value[BL_COLUMNS_MAX][BL_HISTORY_BINS], at[BL_COLUMNS_MAX][BL_HISTORY_BINS];
	int have[BL_COLUMNS_MAX];
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

/* The points of a column; returns how many.  *x, *y: borrowed; a y may be NaN. */
int bl_history_line(const bl_history *h, int column, const double **x, const double **y);
/* The value measured last: of a column that is rarely measured the newest there is.  NaN: none, or column < 0. */
double bl_history_newest(const bl_history *h, int column);
double bl_history_value(const bl_history *h, const char *name); /* the same of a column by its name */

#endif
