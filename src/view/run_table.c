/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_table.c: the list of runs, sorted and filtered (run_table.h). */
#include "view/run_table.h"
#include "base/bounded.h"
#include "view/canvas.h"

#include <barlow/error.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* --- Columns ------------------------------------------------------------------- */

static const bl_run_column standard[] = {
	{ BL_RUN_NAME, "name", -16, 9, 0 },
	{ BL_RUN_STATE, "state", -7, 8, 0 },
	{ BL_RUN_STEP, "step", 13, 6, 0 },
	{ BL_RUN_TOTAL, "total", 8, 4, 0 },
	{ BL_RUN_KNN, "kNN", 6, 7, 0 },
	/* the parameters are inserted here */
	{ BL_RUN_D, "D", 5, 2, 0 },
	{ BL_RUN_STARTED, "started", -16, 5, 0 },
};
enum { STANDARD = sizeof standard / sizeof standard[0], FIRST_IMPORTANCE = 3, OTHER_IMPORTANCE = 1 };

static bool same_column(const bl_run_column *a, const bl_run_column *b)
{
	return a->field == b->field && strcmp(a->heading, b->heading) == 0;
}

static int index_of(const bl_run_table *t, const bl_run_column *c)
{
	for (int i = 0; i < t->columns; i++)
		if (same_column(&t->column[i], c))
			return i;
	return -1;
}

static void add_parameter(bl_run_table *t, const char *name, int importance)
{
	enum { LEAST = 8, MOST = 14, SIGN = 2 };
	bl_run_column c = { .field = BL_RUN_PARAMETER, .importance = importance };
	int width = (int)strlen(name) + SIGN;
	snprintf(c.heading, sizeof c.heading, "%s", name);
	c.width = width < LEAST ? LEAST : width > MOST ? MOST : width;
	/* The standard columns after the parameters must still fit. */
	if (index_of(t, &c) < 0 && t->columns < BL_RUN_COLUMNS - (STANDARD - (int)BL_RUN_PARAMETER))
		t->column[t->columns++] = c;
}

/* first: adds the first parameter of the run's loss; otherwise adds all others, except weights of 1, which have no effect. */
static void add_parameters(bl_run_table *t, const bl_run *r, bool first)
{
	const bl_columns *c = &r->columns;
	int named = bl_columns_next(c, BL_COLUMN_PARAMETER, 0);
	for (int k = named; k >= 0 && !r->broken; k = bl_columns_next(c, BL_COLUMN_PARAMETER, k + 1))
		if ((k == named) == first && (first || !bl_columns_idle(c, k, r->last.value[k])))
			add_parameter(t, c->column[k].name, first ? FIRST_IMPORTANCE : OTHER_IMPORTANCE);
}

static const bl_run_value *fact_of(const bl_run_table *t, const bl_run *r, const bl_run_column *c)
{
	return bl_run_facts_value(t->facts, (int)(r - t->runs->run), c->fact);
}

/* Adds the column of a fact, as wide as its texts; numbers are aligned to the right. */
static void add_fact(bl_run_table *t, int fact)
{
	enum { LEAST = 6, MOST = 24, SIGN = 2 };
	bl_run_column c = { .field = BL_RUN_FACT, .fact = fact, .importance = BL_FACTS_COLUMNS - fact };
	snprintf(c.heading, sizeof c.heading, "%s", bl_run_facts_name(t->facts, fact));
	int width = (int)strlen(c.heading) + SIGN;
	bool text = false;
	for (int i = 0; i < t->runs->n; i++) {
		const bl_run_value *v = fact_of(t, &t->runs->run[i], &c);
		int n = bl_canvas_columns(v->text);
		width = n > width ? n : width;
		text = text || (v->text[0] && isnan(v->number));
	}
	width = width < LEAST ? LEAST : width > MOST ? MOST : width;
	c.width = text ? -width : width;
	if (index_of(t, &c) < 0)
		t->column[t->columns++] = c;
}

/*
 * Sets the columns: name, state and the requested columns, or the standard columns.  Among these, the parameters are in this
 * order: the first parameter of each run's loss, from the newest run on, then all others.
 */
static void choose_columns(bl_run_table *t)
{
	bool facts = t->facts && t->runs;
	t->columns = 0;
	for (int i = 0; i < (facts ? BL_RUN_STATE + 1 : STANDARD); i++) {
		for (int k = 0; standard[i].field == BL_RUN_D && t->runs && k < 2 * t->runs->n; k++)
			add_parameters(t, &t->runs->run[k % t->runs->n], k < t->runs->n);
		t->column[t->columns++] = standard[i];
	}
	for (int i = 0; facts && i < bl_run_facts_columns(t->facts); i++)
		add_fact(t, i);
	if (index_of(t, &t->by) < 0)
		t->by = t->column[t->columns - 1];
}

bool bl_run_table_sorted_by(const bl_run_table *t, const bl_run_column *c)
{
	return same_column(&t->by, c);
}

void bl_run_table_sort_by_next(bl_run_table *t)
{
	t->by = t->column[(index_of(t, &t->by) + 1) % t->columns];
	bl_run_table_arrange(t);
}

bl_run_table *bl_run_table_new(void)
{
	bl_run_table *t = calloc(1, sizeof *t);
	if (!t)
		return bl_fail_null("no memory for a table of runs");
	choose_columns(t);
	return t;
}

void bl_run_table_free(bl_run_table *t)
{
	if (!t)
		return;
	bl_runs_free(t->runs);
	bl_run_facts_free(t->facts);
	bl_run_diff_free(t->diff);
	free(t->row);
	free(t);
}

const bl_run *bl_run_table_at(const bl_run_table *t, int place)
{
	return place >= 0 && place < t->rows ? &t->runs->run[t->row[place]] : NULL;
}

void bl_run_table_move(bl_run_table *t, int by)
{
	int64_t to = (int64_t)t->cursor + by, last = t->rows > 0 ? t->rows - 1 : 0;
	t->cursor = (int)bl_bounded(to, 0, last);
}

/* --- Order -------------------------------------------------------------------- */

static double number(const bl_run_table *t, const bl_run *r, const bl_run_column *c)
{
	switch (c->field) {
	case BL_RUN_FACT: return fact_of(t, r, c)->number;
	case BL_RUN_STEP: return (double)r->info.step;
	case BL_RUN_TOTAL: return bl_record_value(&r->last, &r->columns, "total");
	case BL_RUN_KNN: return r->knn;
	case BL_RUN_PARAMETER: return bl_record_value(&r->last, &r->columns, c->heading);
	case BL_RUN_D: return r->info.d;
	default: return r->info.started;
	}
}

/* Orders texts ascending, numbers descending, and numbers before texts. */
static int compare(const bl_run_table *t, const bl_run *a, const bl_run *b, const bl_run_column *c)
{
	if (c->field == BL_RUN_NAME)
		return strcmp(a->info.name, b->info.name);
	if (c->field == BL_RUN_STATE)
		return strcmp(bl_run_state_text(a), bl_run_state_text(b));
	double x = number(t, a, c), y = number(t, b, c);
	if (c->field == BL_RUN_FACT && (isnan(x) || isnan(y)))
		return isnan(x) && isnan(y) ? strcmp(fact_of(t, a, c)->text, fact_of(t, b, c)->text) : isnan(x) ? 1 : -1;
	return x > y ? -1 : x < y;
}

static bool unknown(const bl_run_table *t, const bl_run *r, const bl_run_column *c)
{
	if (c->field == BL_RUN_FACT)
		return !fact_of(t, r, c)->text[0];
	return c->field > BL_RUN_STATE && isnan(number(t, r, c));
}

/* Does b come before a?  Unknown values come last in both directions; runs with equal values stay in the order of the list. */
static bool swapped(const bl_run_table *t, int a, int b)
{
	const bl_run *x = &t->runs->run[a], *y = &t->runs->run[b];
	if (unknown(t, x, &t->by) || unknown(t, y, &t->by))
		return unknown(t, x, &t->by) && !unknown(t, y, &t->by);
	int order = compare(t, x, y, &t->by);
	return t->reversed ? order < 0 : order > 0;
}

/* Insertion sort, which is stable, and fast for the default order, in which the list is read: newest first. */
static void sort(bl_run_table *t)
{
	for (int i = 1; i < t->rows; i++)
		for (int k = i; k > 0 && swapped(t, t->row[k - 1], t->row[k]); k--) {
			int row = t->row[k];
			t->row[k] = t->row[k - 1];
			t->row[k - 1] = row;
		}
}

/* Does the text contain the part?  ASCII letters are compared without case. */
static bool contains(const char *text, const char *part)
{
	size_t n = strlen(part);
	for (; *text; text++)
		if (strncasecmp(text, part, n) == 0)
			return true;
	return false;
}

/* Makes the visible list: the runs that match the filter, sorted. */
static void fill_rows(bl_run_table *t)
{
	t->rows = 0;
	for (int i = 0; t->runs && i < t->runs->n; i++) {
		const bl_run *r = &t->runs->run[i];
		if (!t->filter[0] || contains(r->info.name, t->filter) || contains(r->id, t->filter) ||
		    contains(bl_run_state_text(r), t->filter))
			t->row[t->rows++] = i;
	}
	sort(t);
}

/* Moves the cursor to the run with this id; if it is not visible, the cursor's place stays. */
static void point_at(bl_run_table *t, const char *id)
{
	bl_run_table_move(t, 0);
	for (int i = 0; i < t->rows; i++)
		if (strcmp(bl_run_table_at(t, i)->id, id) == 0)
			t->cursor = i;
}

void bl_run_table_arrange(bl_run_table *t)
{
	const bl_run *at = bl_run_table_at(t, t->cursor);
	fill_rows(t);
	if (at)
		point_at(t, at->id);
	else
		bl_run_table_move(t, 0);
}

/* --- Reading ------------------------------------------------------------------- */

static bool same_list(const bl_runs *a, const bl_runs *b)
{
	if (!a || !b || a->n != b->n)
		return !a && !b;
	for (int i = 0; i < a->n; i++) {
		const bl_run *x = &a->run[i], *y = &b->run[i];
		if (strcmp(x->id, y->id) || x->alive != y->alive || x->read != y->read || x->broken != y->broken ||
		    memcmp(&x->info, &y->info, sizeof x->info))
			return false;
	}
	return true;
}

int bl_run_table_choose(bl_run_table *t, const char *names)
{
	bl_run_facts *f = names[0] ? bl_run_facts_read(names, t->runs) : NULL;
	if (names[0] && !f)
		return -1;
	bl_run_facts_free(t->facts);
	t->facts = f;
	snprintf(t->names, sizeof t->names, "%s", names);
	choose_columns(t);
	bl_run_table_arrange(t);
	return 0;
}

bool bl_run_table_read(bl_run_table *t)
{
	const bl_run *at = bl_run_table_at(t, t->cursor);
	bl_runs *before = t->runs;
	char *root = bl_runs_root();
	bl_runs *now = root ? bl_runs_list(root, before) : NULL;
	int *row = now ? realloc(t->row, (size_t)(now->n + 1) * sizeof *row) : NULL;
	free(root);
	if (!row) {
		snprintf(t->problem, sizeof t->problem, "%s", now ? "no memory for the list of runs" : bl_error());
		bl_runs_free(now);
		return true;
	}
	bool same = same_list(before, now) && !t->problem[0];
	t->row = row;
	t->problem[0] = '\0';
	t->runs = now;
	bl_run_facts_free(t->facts);
	/* If the columns cannot be read, the standard ones are shown. */
	t->facts = t->names[0] ? bl_run_facts_read(t->names, now) : NULL;
	choose_columns(t);
	fill_rows(t);
	if (at)
		point_at(t, at->id);
	bl_runs_free(before); /* only now, since `at` points into it */
	return !same || t->facts;
}

/* --- Cells --------------------------------------------------------------------- */

static void time_text(char *out, size_t size, double since_1970)
{
	time_t t = (time_t)since_1970;
	struct tm local;
	if (!(since_1970 > 0) || since_1970 > 1e11 || !localtime_r(&t, &local) ||
	    strftime(out, size, "%Y-%m-%d %H:%M", &local) == 0)
		snprintf(out, size, "-");
}

void bl_run_table_text(const bl_run_table *t, const bl_run *r, const bl_run_column *c, char *out, size_t size)
{
	if (c->field == BL_RUN_NAME)
		snprintf(out, size, "%s", r->info.name);
	else if (c->field == BL_RUN_STATE)
		snprintf(out, size, "%s", bl_run_state_text(r));
	else if ((r->broken && c->field != BL_RUN_FACT) || unknown(t, r, c))
		snprintf(out, size, "-");
	else if (c->field == BL_RUN_FACT)
		snprintf(out, size, "%s", fact_of(t, r, c)->text);
	else if (c->field == BL_RUN_STEP)
		snprintf(out, size, "%lld/%lld", (long long)r->info.step, (long long)r->info.steps);
	else if (c->field == BL_RUN_D)
		snprintf(out, size, "%d", (int)r->info.d);
	else if (c->field == BL_RUN_STARTED)
		time_text(out, size, r->info.started);
	else
		snprintf(out, size, c->field == BL_RUN_KNN ? "%.3f" : "%.4g", number(t, r, c));
}
