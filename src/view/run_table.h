/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/run_table.h: the runs there are, in the order and the choice in which they are shown.
 *
 * A place is a row of what is shown, from 0.  The cursor stays on its run
 * when the list is read again or put into another order.
 */
#ifndef BARLOW_VIEW_RUN_TABLE_H
#define BARLOW_VIEW_RUN_TABLE_H

#include <barlow/runs.h>

#include <stddef.h>

/* X(column, heading, columns wide (negative: left-aligned), what stays longest when room is short) */
/* clang-format off */
#define BL_RUN_COLUMNS(X) \
	X(NAME, "name", -16, 9) \
	X(STATE, "state", -7, 8) \
	X(STEP, "step", 13, 6) \
	X(TOTAL, "total", 8, 4) \
	X(KNN, "kNN", 6, 7) \
	X(LAMBDA, "lambda", 8, 3) \
	X(D, "D", 5, 2) \
	X(STARTED, "started", -16, 5)
/* clang-format on */

typedef enum bl_run_column {
#define X(name, heading, width, importance) BL_RUN_##name,
	BL_RUN_COLUMNS(X)
#undef X
		BL_RUN_COLUMN_COUNT
} bl_run_column;

typedef struct bl_run_table {
	bl_runs *runs;  /* NULL: not read yet, or no place for runs: bl_error then */
	int *row, rows; /* of what is shown: places in runs */
	int cursor;     /* 0 when nothing is shown */
	bl_run_column by;
	bool reversed;
	char filter[64]; /* part of a name, folder or state; "": all */
	bool typing;     /* it is being typed */
	char tag[64];    /* that is being typed for the run at the cursor */
	bool tagging, deleting; /* it is; whether to delete the run is being asked */
	char asked[256]; /* of which run, by its folder's name: another one may have come to the cursor meanwhile */
	char problem[160];
	int64_t read_at;
} bl_run_table;

bl_run_table *bl_run_table_new(void);
void bl_run_table_free(bl_run_table *t);

/* Reads what there is; true: it is something else than before. */
bool bl_run_table_read(bl_run_table *t);
/* Order and choice anew, after by, reversed or filter were set. */
void bl_run_table_arrange(bl_run_table *t);

const bl_run *bl_run_table_at(const bl_run_table *t, int place); /* NULL outside */
void bl_run_table_move(bl_run_table *t, int by);                 /* the cursor, to the ends at most */

/* What stands in a cell; "-" where nothing is known. */
void bl_run_table_text(const bl_run *r, bl_run_column c, char *out, size_t size);

#endif
