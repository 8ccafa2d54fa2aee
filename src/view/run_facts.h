/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/run_facts.h: what the index knows of runs: chosen columns of the table of runs, and in what some of them differ. */
#ifndef BARLOW_VIEW_RUN_FACTS_H
#define BARLOW_VIEW_RUN_FACTS_H

#include <barlow/runs.h>

enum { BL_FACTS_COLUMNS = 8, BL_FACT_NAME = 64, BL_FACT_TEXT = 64, BL_DIFF_RUNS = 9 };

typedef struct bl_run_value {
	double number;           /* NaN: it is a text, or not known */
	char text[BL_FACT_TEXT]; /* as it is shown; "": not known */
} bl_run_value;

typedef struct bl_run_facts bl_run_facts;

/*
 * `names`, separated by commas or blanks: columns of the index, "tags", metrics, and settings by path, for the runs of a
 * list, which may be freed afterwards.  NULL with bl_error, also if a name is unknown.
 */
bl_run_facts *bl_run_facts_read(const char *names, const bl_runs *runs);
void bl_run_facts_free(bl_run_facts *f);
int bl_run_facts_columns(const bl_run_facts *f);
const char *bl_run_facts_name(const bl_run_facts *f, int column);
/* run: its place in the list */
const bl_run_value *bl_run_facts_value(const bl_run_facts *f, int run, int column);

/* Settings and metrics in which runs differ, in the order of the index: settings first. */
typedef struct bl_run_diff {
	int runs, rows;
	struct bl_diff_row {
		char part[8];                   /* "recipe" or "metric" */
		char *key, *cell[BL_DIFF_RUNS]; /* cell NULL: the run has none */
	} * row;
} bl_run_diff;

/* ids: the names of n folders.  NULL with bl_error. */
bl_run_diff *bl_run_diff_read(const char *const *ids, int n);
void bl_run_diff_free(bl_run_diff *d);

#endif
