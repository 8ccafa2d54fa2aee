/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_diff.c: the settings and metrics in which runs differ, read from the index. */
#include "view/run_facts.h"

#include <barlow/error.h>
#include <barlow/index.h>
#include <barlow/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	bl_run_diff *d;
	const char *const *id;
};

static void empty_row(struct bl_diff_row *r)
{
	free(r->key);
	for (int i = 0; i < BL_DIFF_RUNS; i++)
		free(r->cell[i]);
}

/* Removes the last row, which is complete, if its value is the same in all runs. */
static void end_row(bl_run_diff *d)
{
	struct bl_diff_row *last = d->rows > 0 ? &d->row[d->rows - 1] : NULL;
	int equal = 0;
	while (last && equal < d->runs && last->cell[equal] && strcmp(last->cell[equal], last->cell[0]) == 0)
		equal++;
	if (last && equal == d->runs)
		empty_row(&d->row[--d->rows]);
}

/* Returns the last row if it has that key, otherwise a new row. */
static struct bl_diff_row *row_of(bl_run_diff *d, const char *part, const char *key)
{
	struct bl_diff_row *last = d->rows > 0 ? &d->row[d->rows - 1] : NULL;
	if (last && strcmp(last->part, part) == 0 && strcmp(last->key, key) == 0)
		return last;
	end_row(d);
	struct bl_diff_row *more = realloc(d->row, (size_t)(d->rows + 1) * sizeof *more);
	char *name = strdup(key);
	if (more)
		d->row = more;
	if (!more || !name) {
		free(name);
		return bl_fail_null("no memory for the difference of runs");
	}
	last = &d->row[d->rows++];
	*last = (struct bl_diff_row){ .key = name };
	snprintf(last->part, sizeof last->part, "%s", part);
	return last;
}

/* Prints nine digits, so that different float32 values never look the same. */
static char *cell_text(const bl_cell *c)
{
	enum { SHOWN = 200 };
	char text[SHOWN];
	if (c->kind == BL_CELL_WHOLE)
		snprintf(text, sizeof text, "%lld", (long long)c->whole);
	else if (c->kind == BL_CELL_NUMBER)
		snprintf(text, sizeof text, "%.9g", c->number);
	else
		bl_text_clean(text, sizeof text, c->text ? c->text : "", false);
	return strdup(text);
}

/* Callback of the query, whose columns are part, key, id, value. */
static int add_cell(void *ctx, int64_t row, int n, const bl_cell *cell)
{
	const struct reading *r = ctx;
	(void)n;
	if (row < 0 || cell[1].kind != BL_CELL_TEXT || cell[2].kind != BL_CELL_TEXT)
		return 0;
	struct bl_diff_row *at = row_of(r->d, cell[0].text, cell[1].text);
	for (int i = 0; at && i < r->d->runs; i++)
		if (strcmp(r->id[i], cell[2].text) == 0 && !at->cell[i] && !(at->cell[i] = cell_text(&cell[3])))
			return bl_fail("no memory for the difference of runs");
	return at ? 0 : -1;
}

bl_run_diff *bl_run_diff_read(const char *const *ids, int n)
{
	bl_run_diff *d = calloc(1, sizeof *d);
	struct reading r = { d, ids };
	if (!d)
		return bl_fail_null("no memory for the difference of runs");
	d->runs = n;
	bl_cell id[BL_DIFF_RUNS] = { 0 };
	for (int i = 0; i < BL_DIFF_RUNS; i++) /* unused parameters repeat the first id */
		id[i] = (bl_cell){ .kind = BL_CELL_TEXT, .text = ids[i < n ? i : 0] };
	bl_query q = { .value = id, .values = BL_DIFF_RUNS, .row = add_cell, .ctx = &r };
	q.sql = "SELECT part, key, id, value FROM (SELECT 'recipe' AS part, key, run, value FROM recipe UNION ALL SELECT 'metric', key, run, value "
		"FROM metrics) AS facts JOIN runs USING (run) WHERE id IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ORDER BY part DESC, key";
	char *root = bl_runs_root();
	bl_index *x = root ? bl_index_open(root) : NULL;
	free(root);
	int rc = x ? bl_index_query(x, &q) : -1;
	if (x)
		bl_index_close(x);
	if (rc == 0) {
		end_row(d);
		return d;
	}
	bl_run_diff_free(d);
	return NULL;
}

void bl_run_diff_free(bl_run_diff *d)
{
	for (int i = 0; d && i < d->rows; i++)
		empty_row(&d->row[i]);
	if (d)
		free(d->row);
	free(d);
}
