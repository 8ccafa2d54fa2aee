/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/run_table.h: the list of runs, sorted and filtered as it is shown.
 *
 * A place is a row of the visible list, from 0.  The cursor stays on its run when the list is read again or sorted
 * differently.
 */
#ifndef BARLOW_VIEW_RUN_TABLE_H
#define BARLOW_VIEW_RUN_TABLE_H

#include "view/run_facts.h"

#include <barlow/runs.h>

#include <stddef.h>

/* The content of a column: a field that all runs have, a parameter of the losses of some runs, or a fact that the user chose. */
typedef enum bl_run_field {
	BL_RUN_NAME,
	BL_RUN_STATE,
	BL_RUN_STEP,
	BL_RUN_TOTAL,
	BL_RUN_KNN,
	BL_RUN_PARAMETER,
	BL_RUN_D,
	BL_RUN_STARTED,
	BL_RUN_FACT,
} bl_run_field;

typedef struct bl_run_column {
	bl_run_field field;
	char heading[BL_FACT_NAME]; /* the title of the column; of a parameter or fact, its name */
	int width;                  /* in cells; negative: left-aligned */
	int importance;             /* if there is too little room, the least important column is omitted first */
	int fact;                   /* BL_RUN_FACT: its index in the table's facts */
} bl_run_column;

enum { BL_RUN_PARAMETERS = 8 /* columns of parameters, at most */, BL_RUN_COLUMNS = BL_RUN_STARTED + BL_RUN_PARAMETERS };
_Static_assert((int)BL_RUN_COLUMNS >= 2 + (int)BL_FACTS_COLUMNS, "name, state, and all facts");

typedef struct bl_run_table {
	bl_runs *runs;  /* as last read without an error; NULL: never */
	int *row, rows; /* the visible runs, as indices into runs->run, and their number */
	int cursor;     /* a place; 0 if the list is empty */
	bl_run_column column[BL_RUN_COLUMNS];
	int columns;
	bl_run_column by; /* the list is sorted by this column */
	bool reversed;
	char filter[64];                   /* part of a name, folder or state; "": all */
	bool typing;                       /* the filter is being typed */
	char tag[64];                      /* the tag that is being typed for the run at the cursor */
	char names[256], names_typed[256]; /* names of the chosen columns, "": the default ones; the names being typed */
	bl_run_facts *facts;               /* the values of the chosen columns; NULL: the default columns are shown */
	bl_run_diff *diff;                 /* the difference of runs that is shown instead of the table; NULL: none */
	char diff_name[BL_DIFF_RUNS][BL_FACT_NAME];
	int diff_top;      /* the first visible row of diff */
	bool tagging;      /* a tag is being typed */
	bool deleting;     /* the user is asked whether to delete the run */
	bool choosing;     /* names of columns are being typed */
	char asked[256];   /* the folder's name of the run to be tagged or deleted, since the cursor's run may change */
	char problem[160]; /* why the list of runs could not be read; "": it was read */
	int64_t read_at;   /* ms of the monotonic clock */
} bl_run_table;

bl_run_table *bl_run_table_new(void);
void bl_run_table_free(bl_run_table *t);

/* Reads the list of runs.  False: nothing has changed; always true if columns were chosen. */
bool bl_run_table_read(bl_run_table *t);
/* Sorts and filters the list again; to be called after changing by, reversed or filter. */
void bl_run_table_arrange(bl_run_table *t);

const bl_run *bl_run_table_at(const bl_run_table *t, int place); /* NULL outside */
void bl_run_table_move(bl_run_table *t, int by);                 /* moves the cursor, at most to the ends */

/* Sorts by the next column; the first follows the last. */
void bl_run_table_sort_by_next(bl_run_table *t);
bool bl_run_table_sorted_by(const bl_run_table *t, const bl_run_column *c);

/* Shows the columns with these names, separated by commas; "": the default.  Negative with bl_error: an unknown name. */
int bl_run_table_choose(bl_run_table *t, const char *names);

/* The text of a cell; "-": the value is unknown, or the run has no such parameter. */
void bl_run_table_text(const bl_run_table *t, const bl_run *r, const bl_run_column *c, char *out, size_t size);

#endif
