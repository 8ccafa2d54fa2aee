/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * index.h: an index of all runs, as tables for SQL queries.
 *
 * The folders of runs are authoritative; the index is made from them, one file in $XDG_CACHE_HOME/barlow for each
 * folder of runs.  It is updated whenever it is opened: folders whose run.json has changed in time, size or inode are
 * read again.  If it is missing, broken or of another version, it is rebuilt; if it cannot be locked or written, it
 * is kept in memory.
 *
 *     runs     run (a number), id, folder, name, state, reason, problem, step, steps, seed, d, pid, host, barlow, cpu,
 *              blas, threads, created, started, ended, parent, parent_step, notes, message
 *     metrics  run, key, value    the last measured value of each column of the records
 *     recipe   run, key, value    settings by their paths: 'loss.lambda'
 *     tags     run, tag
 *
 * The states are those of run_file.h and two more.  "killed": the run has not ended, but its process is gone; a run on
 * another host counts as killed if its heartbeat counter (run_file.h) has not changed for half a minute of this host's
 * clock.  "broken": nothing in the run's folder can be read.
 */
#ifndef BARLOW_INDEX_H
#define BARLOW_INDEX_H

#include <stdbool.h>
#include <stdint.h>

typedef struct bl_index bl_index;

/* Opens and updates the index of the runs in the folder root; the caller closes it.  NULL with bl_error. */
bl_index *bl_index_open(const char *root);
void bl_index_close(bl_index *x);
const char *bl_index_problem(const bl_index *x); /* why the index is kept in memory; "": it is in a file.  Borrowed. */
char *bl_index_path(const char *root);           /* the index's file; the caller frees the path.  NULL with bl_error */

typedef enum bl_cell_kind { BL_CELL_NOTHING, BL_CELL_NUMBER, BL_CELL_WHOLE, BL_CELL_TEXT } bl_cell_kind;
typedef struct bl_cell {
	bl_cell_kind kind;
	double number;
	int64_t whole;
	const char *text; /* terminated by a NUL; borrowed: a callback's cells are valid until it returns */
} bl_cell;

typedef struct bl_question {
	const char *sql;      /* one statement, which may only read: no PRAGMA, no ATTACH */
	const bl_cell *value; /* values of the parameters ?1, ?2, ... */
	int values;           /* number of values; has to be the number of parameters */
	double seconds;       /* time limit; 0: 5 s */
	volatile int *stop;   /* non-zero: the query is cancelled; may be NULL */
	/*
	 * Callback for each row of n cells: first with row -1 and the names of the columns, then with row 0, 1, ...  A
	 * query with more than 100,000 rows fails.  A non-zero result ends the query and is returned.
	 */
	int (*row)(void *ctx, int64_t row, int n, const bl_cell *cell);
	void *ctx;
} bl_question;

/* Runs a query.  Returns 0, the non-zero result of `row`, or negative with bl_error. */
int bl_index_ask(bl_index *x, const bl_question *q);

#endif
