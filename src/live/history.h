/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live/history.h: the records of a run, reduced to what a screen or a figure can show.
 *
 * A bin is the mean of `stride` records.  When all bins are full, neighbours are merged and the stride doubles.  So
 * each record is read once, and a frame costs the same at step 100 and at step 1,000,000.
 */
#ifndef BARLOW_LIVE_HISTORY_H
#define BARLOW_LIVE_HISTORY_H

#include <barlow/live.h>

enum { BL_HISTORY_BINS = 1024, BL_HISTORY_READ = 200000 };
/* A change of a parameter of the loss from one value to another, in one step or gradually in several steps. */
enum { BL_HISTORY_TURNS = 64 };
typedef struct bl_turn {
	int column;
	int64_t first, last; /* first and last step at which the value changed */
	double from, to;
} bl_turn;

typedef struct bl_history {
	bl_columns columns; /* of the records that were read */
	int64_t seen;       /* records read */
	int64_t stride;
	int bins, fill;               /* the last bin has `fill` records */
	double step[BL_HISTORY_BINS]; /* mean step of the bin */
	/*
	 * For most columns: the mean in each bin, NaN if nothing was measured; `have` is the number of values in the
	 * last bin.  For a rarely measured column (bl_column_rare): its values and their steps `at`; `have` is their
	 * number.
	 */
	double value[BL_COLUMNS_MAX][BL_HISTORY_BINS], at[BL_COLUMNS_MAX][BL_HISTORY_BINS];
	int have[BL_COLUMNS_MAX];
	int turns; /* number of elements of `turn`: the newest changes, oldest first */
	bl_turn turn[BL_HISTORY_TURNS];
	bl_record last; /* valid when seen > 0 */
} bl_history;

void bl_history_reset(bl_history *h);
/* Reads new records, at most BL_HISTORY_READ at once, so that a viewer remains responsive.  True: there were any. */
bool bl_history_read(bl_history *h, const bl_live *run);

/* Empties the history.  The next read begins at record `from`, counted from 0. */
void bl_history_start(bl_history *h, int64_t from);
/* As bl_history_read, but reads at most `most` records, and none from record `until` on. */
bool bl_history_read_some(bl_history *h, const bl_live *run, int64_t until, int64_t most);

/* Returns the number of points of a column.  *x and *y are borrowed; a y may be NaN. */
int bl_history_line(const bl_history *h, int column, const double **x, const double **y);
/*
 * Returns the value in the last record or, for a rarely measured column, its newest value.  NaN: none, or column < 0.
 */
double bl_history_newest(const bl_history *h, int column);
double bl_history_value(const bl_history *h, const char *name); /* the same, by the column's name */

#endif
