/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/run_facts.h: facts about runs, read from the index (index.h): selected columns for a table of runs, and the
 * settings and metrics in which a few runs differ.
 */
#ifndef BARLOW_VIEW_RUN_FACTS_H
#define BARLOW_VIEW_RUN_FACTS_H

#include <barlow/runs.h>

enum { BL_FACTS_COLUMNS = 8, BL_FACT_NAME = 64, BL_FACT_TEXT = 64, BL_DIFF_RUNS = 9 };

typedef struct bl_run_value {
	double number;           /* NaN: the value is a text or unknown */
	char text[BL_FACT_TEXT]; /* as shown; "": unknown */
} bl_run_value;

typedef struct bl_run_facts bl_run_facts;

/*
 * Reads 1 to BL_FACTS_COLUMNS columns for all runs of a list, which may be freed afterwards.  `names` are separated by
 * commas or blanks: each is a column of the table `runs` of the index, "tags", a metric, or the path of a setting.  The
 * caller frees the result with bl_run_facts_free.  NULL with bl_error, also if a name is unknown.
 */
bl_run_facts *bl_run_facts_read(const char *names, const bl_runs *runs);
void bl_run_facts_free(bl_run_facts *f);
int bl_run_facts_columns(const bl_run_facts *f);
const char *bl_run_facts_name(const bl_run_facts *f, int column);
/* run: the run's index in the list, from 0.  Borrowed. */
const bl_run_value *bl_run_facts_value(const bl_run_facts *f, int run, int column);

/* The settings and metrics in which runs differ, one a row: settings first, sorted by name. */
typedef struct bl_run_diff {
	int runs, rows;
	struct bl_diff_row {
		char part[8];                   /* "recipe" or "metric" */
		char *key, *cell[BL_DIFF_RUNS]; /* cell: one for each run; NULL: it has no value */
	} * row;
} bl_run_diff;

/* ids: names of the folders of n runs, 1 <= n <= BL_DIFF_RUNS.  The caller frees the result.  NULL with bl_error. */
bl_run_diff *bl_run_diff_read(const char *const *ids, int n);
void bl_run_diff_free(bl_run_diff *d);

#endif
