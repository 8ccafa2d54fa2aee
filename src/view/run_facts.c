/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_facts.c: selected columns of runs, from the index. */
#include "view/run_facts.h"

#include <barlow/error.h>
#include <barlow/index.h>
#include <barlow/text.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The names that every index knows: columns of its table `runs`, and "tags", which is a table of its own. */
static const char *const known[] = { "id",    "folder",  "name",    "state",   "reason", "problem", "step",
	                             "steps", "seed",    "d",       "pid",     "host",   "barlow",  "cpu",
	                             "blas",  "threads", "created", "started", "ended",  "parent",  "parent_step",
	                             "notes", "message", "tags",    NULL };

struct bl_run_facts {
	int runs, columns;
	char name[BL_FACTS_COLUMNS][BL_FACT_NAME];
	bl_run_value *value; /* runs x columns */
};

/* --- Names ----------------------------------------------------------------------- */

/* Splits names at commas and blanks. */
static int split(bl_run_facts *f, const char *names)
{
	static const char blanks[] = ", ";
	for (names += strspn(names, blanks); *names; names += strspn(names, blanks)) {
		size_t n = strcspn(names, blanks);
		if (f->columns == BL_FACTS_COLUMNS)
			return bl_fail("%d columns at most", BL_FACTS_COLUMNS);
		if (n >= BL_FACT_NAME)
			return bl_fail("'%.20s...' is too long for a name", names);
		memcpy(f->name[f->columns], names, n);
		f->name[f->columns++][n] = '\0';
		names += n;
	}
	return f->columns > 0 ? 0 : bl_fail("no column was named");
}

static bool is_listed(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(name, *list) == 0)
			return true;
	return false;
}

struct names {
	char **name; /* ended by NULL */
	int n;
};

static int add_name(struct names *l, const char *text)
{
	char **more = realloc(l->name, (size_t)(l->n + 2) * sizeof *more);
	if (!more)
		return bl_fail("no memory for names");
	l->name = more;
	l->name[l->n] = strdup(text);
	if (!l->name[l->n])
		return bl_fail("no memory for names");
	l->name[++l->n] = NULL;
	return 0;
}

static int take_name(void *ctx, int64_t row, int n, const bl_cell *cell)
{
	(void)n;
	return row < 0 || cell[0].kind != BL_CELL_TEXT ? 0 : add_name(ctx, cell[0].text);
}

/* Fails for a name that is neither known nor a metric or setting of any run. */
static int check_names(const bl_run_facts *f, bl_index *x)
{
	struct names all = { 0 };
	bl_query q = { .sql = "SELECT DISTINCT key FROM metrics UNION SELECT DISTINCT key FROM recipe",
		       .row = take_name,
		       .ctx = &all };
	int rc = bl_index_query(x, &q);
	for (int i = 0; rc == 0 && known[i]; i++)
		rc = add_name(&all, known[i]);
	for (int c = 0; rc == 0 && c < f->columns; c++) {
		if (is_listed(f->name[c], (const char *const *)all.name))
			continue;
		const char *near = bl_nearest(f->name[c], (const char *const *)all.name);
		rc = bl_fail("'%s' is no column, metric or setting of any run%s%s%s", f->name[c], near ? " (did you mean '" : "",
		             near ? near : "", near ? "'?)" : "");
	}
	for (int i = 0; i < all.n; i++)
		free(all.name[i]);
	free(all.name);
	return rc;
}

/* --- Values ---------------------------------------------------------------------- */

/* A run's id, and its index in the list. */
struct place {
	const char *id;
	int run;
};

/* The context of the query of a column. */
struct filling {
	bl_run_facts *f;
	struct place *place; /* sorted by id */
	int column;
};

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static void put_time(bl_run_value *v)
{
	time_t t = (time_t)v->number;
	struct tm local;
	if (!(v->number > 0) || v->number > 1e11 || !localtime_r(&t, &local) ||
	    strftime(v->text, sizeof v->text, "%Y-%m-%d %H:%M", &local) == 0)
		v->text[0] = '\0';
}

static void put_cell(bl_run_value *v, const bl_cell *c, const char *name)
{
	if (c->kind == BL_CELL_TEXT) {
		bl_text_clean(v->text, sizeof v->text, c->text, false);
		return;
	}
	if (c->kind == BL_CELL_NOTHING)
		return;
	v->number = c->kind == BL_CELL_WHOLE ? (double)c->whole : c->number;
	if (strcmp(name, "created") == 0 || strcmp(name, "started") == 0 || strcmp(name, "ended") == 0)
		put_time(v);
	else if (c->kind == BL_CELL_WHOLE)
		snprintf(v->text, sizeof v->text, "%lld", (long long)c->whole);
	else
		snprintf(v->text, sizeof v->text, "%.4g", c->number);
}

/* Callback of the query of a column, whose columns are id and value. */
static int take_value(void *ctx, int64_t row, int n, const bl_cell *cell)
{
	struct filling *fill = ctx;
	bl_run_facts *f = fill->f;
	(void)n;
	if (row < 0 || cell[0].kind != BL_CELL_TEXT || f->runs == 0)
		return 0;
	struct place wanted = { .id = cell[0].text };
	const struct place *p = bsearch(&wanted, fill->place, (size_t)f->runs, sizeof wanted, compare_ids);
	if (p)
		put_cell(&f->value[p->run * f->columns + fill->column], &cell[1], f->name[fill->column]);
	return 0;
}

/* Queries a column of all runs.  A metric takes precedence over a setting of the same name, as in runs.list. */
static int query_column(struct filling *fill, bl_index *x)
{
	char sql[512];
	const char *name = fill->f->name[fill->column];
	bool own = is_listed(name, known), tags = strcmp(name, "tags") == 0;
	bl_cell key = { .kind = BL_CELL_TEXT, .text = name };
	bl_query q = { .sql = sql, .value = &key, .values = !own, .row = take_value, .ctx = fill };
	if (tags)
		snprintf(sql, sizeof sql,
		         "SELECT id, (SELECT group_concat(tag, ' ') FROM tags WHERE tags.run = runs.run) FROM runs");
	else if (own)
		snprintf(sql, sizeof sql, "SELECT id, \"%s\" FROM runs", name);
	else
		snprintf(sql, sizeof sql,
		         "SELECT id, coalesce((SELECT value FROM metrics AS m WHERE m.run = runs.run AND m.key = ?1), "
		         "(SELECT value FROM recipe AS s WHERE s.run = runs.run AND s.key = ?1)) FROM runs");
	return bl_index_query(x, &q);
}

static int fill_in(bl_run_facts *f, const bl_runs *runs, bl_index *x)
{
	struct filling fill = { .f = f, .place = calloc((size_t)f->runs + 1, sizeof(struct place)) };
	f->value = calloc((size_t)f->runs * (size_t)f->columns + 1, sizeof *f->value);
	int rc = fill.place && f->value ? 0 : bl_fail("no memory for columns of runs");
	for (int i = 0; rc == 0 && i < f->runs; i++)
		fill.place[i] = (struct place){ runs->run[i].id, i };
	for (int i = 0; rc == 0 && i < f->runs * f->columns; i++)
		f->value[i].number = NAN;
	if (rc == 0 && f->runs > 0)
		qsort(fill.place, (size_t)f->runs, sizeof fill.place[0], compare_ids);
	for (; rc == 0 && fill.column < f->columns; fill.column++)
		rc = query_column(&fill, x);
	free(fill.place);
	return rc;
}

bl_run_facts *bl_run_facts_read(const char *names, const bl_runs *runs)
{
	bl_run_facts *f = calloc(1, sizeof *f);
	if (!f)
		return bl_fail_null("no memory for columns of runs");
	f->runs = runs ? runs->n : 0;
	char *root = split(f, names) == 0 ? bl_runs_root() : NULL;
	bl_index *x = root ? bl_index_open(root) : NULL;
	free(root);
	bool read = x && check_names(f, x) == 0 && fill_in(f, runs, x) == 0;
	if (x)
		bl_index_close(x);
	if (read)
		return f;
	bl_run_facts_free(f);
	return NULL;
}

void bl_run_facts_free(bl_run_facts *f)
{
	if (f)
		free(f->value);
	free(f);
}

int bl_run_facts_columns(const bl_run_facts *f)
{
	return f->columns;
}

const char *bl_run_facts_name(const bl_run_facts *f, int column)
{
	return f->name[column];
}

const bl_run_value *bl_run_facts_value(const bl_run_facts *f, int run, int column)
{
	return &f->value[run * f->columns + column];
}
