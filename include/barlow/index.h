/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * index.h: an index of all runs, as tables for SQL queries.
 *
 * A root folder contains the folders of runs, which are authoritative.  The index of a root folder is made from them
 * and stored in one file in $XDG_CACHE_HOME/barlow.  Opening the index updates it: the folders whose run.json has
 * another time, size or inode than before are read again.  If the index is missing, broken or of another version, it is
 * rebuilt. If its file cannot be locked or written, the index is made in memory.
 *
 *     runs     run (a number), id, folder, name, state, reason, problem, step, steps, seed, d, pid, host, barlow, cpu,
 *              blas, threads, created, started, ended, parent, parent_step, notes, message
 *     metrics  run, key, value    the last measured value of each column of the records
 *     recipe   run, key, value    settings; key is the path of a setting, such as 'loss.lambda'
 *     tags     run, tag
 *
 * The states are those of run_file.h and two others.  "killed": the run has not ended, but its process no longer
 * exists. For a run on another host this is assumed if its heartbeat counter (run_file.h) has not changed for half a
 * minute by this host's clock.  "broken": nothing in the run's folder can be read.
 */
#ifndef BARLOW_INDEX_H
#define BARLOW_INDEX_H

#include <stdbool.h>
#include <stdint.h>

typedef struct bl_index bl_index;

/* Opens and updates the index of the root folder; the caller closes it.  NULL with bl_error. */
bl_index *bl_index_open(const char *root);
void bl_index_close(bl_index *x);
/* The reason why the index is in memory, borrowed; "": it is in a file. */
const char *bl_index_problem(const bl_index *x);
/* The path of the index's file; the caller frees it.  NULL with bl_error. */
char *bl_index_path(const char *root);

typedef enum bl_cell_kind { BL_CELL_NOTHING, BL_CELL_NUMBER, BL_CELL_WHOLE, BL_CELL_TEXT } bl_cell_kind;
typedef struct bl_cell {
	bl_cell_kind kind;
	double number;
	int64_t whole;
	const char *text; /* terminated by a NUL; borrowed, and valid until the callback returns */
} bl_cell;

typedef struct bl_query {
	const char *sql;      /* one statement that only reads; PRAGMA and ATTACH are not allowed */
	const bl_cell *value; /* values of the parameters ?1, ?2, ... */
	int values;           /* number of values; has to be the number of parameters */
	double seconds;       /* time limit; 0: 5 s */
	volatile int *stop;   /* polled; not 0: the query is cancelled.  May be NULL */
	/*
	 * Callback for each row of n cells.  It is called with row = -1 and the names of the columns first, then with
	 * row = 0, 1, ...  If it returns a value other than 0, the query ends with this value.  A query with more than
	 * 100,000 rows fails.
	 */
	int (*row)(void *ctx, int64_t row, int n, const bl_cell *cell);
	void *ctx;
} bl_query;

/* Runs a query.  Returns 0, the value other than 0 that `row` returned, or negative with bl_error. */
int bl_index_query(bl_index *x, const bl_query *q);

#endif
