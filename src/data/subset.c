/* SPDX-License-Identifier: GPL-3.0-or-later */
/* subset.c: data sets that consist of rows of another set. */
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/random.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Makes a subset of the parent's root with n rows, which the caller fills in.  NULL with bl_error. */
static bl_dataset *make_subset(bl_dataset *parent, int64_t n)
{
	bl_dataset *root = parent->root ? parent->root : parent;
	char name[256];
	snprintf(name, sizeof name, "%.200s, %" PRId64 " of %" PRId64, root->name, n, root->n);
	bl_dataset *d = bl_dataset_make(name, n, root->channels, root->height, root->width);
	if (!d)
		return NULL;
	d->classes = root->classes;
	d->class_names = root->class_names;
	d->first_class = root->first_class;
	d->factor_names = root->factor_names;
	d->factor_count = root->factor_count;
	d->root = bl_dataset_ref(root);
	d->rows = malloc((size_t)n * sizeof *d->rows);
	if (!d->rows) {
		bl_dataset_unref(d);
		return bl_fail_null("%s: no memory for its rows", name);
	}
	return d;
}

bl_dataset *bl_dataset_select(bl_dataset *d, const int64_t *rows, int64_t n)
{
	if (n < 1)
		return bl_fail_null("%s: selecting %" PRId64 " rows, expected at least 1", d->name, n);
	for (int64_t i = 0; i < n; i++)
		if (bl_dataset_check_row(d, rows[i]) < 0)
			return NULL;
	bl_dataset *s = make_subset(d, n);
	if (!s)
		return NULL;
	for (int64_t i = 0; i < n; i++) {
		s->rows[i] = rows[i];
		bl_dataset_root(d, &s->rows[i]);
	}
	return s;
}

/* Writes the rows of class `label` (-1: without label) to out in ascending order, and returns their number. */
static int64_t rows_of(const bl_dataset *d, int label, int64_t *out)
{
	int64_t n = 0;
	for (int64_t i = 0; i < d->n; i++)
		if (bl_dataset_label(d, i) == label)
			out[n++] = i;
	return n;
}

/*
 * Marks the rows of the first part and returns their number: `fraction` of each class, drawn from one random stream per
 * class.  `rows` is memory for all rows.
 */
static int64_t mark_first(const bl_dataset *d, double fraction, uint64_t seed, int64_t *rows, char *first)
{
	int64_t marked = 0;
	for (int label = d->classes ? 0 : -1; label < d->classes; label++) {
		int64_t n = rows_of(d, label, rows);
		int64_t share = llround(fraction * (double)n);
		bl_rng r;
		bl_rng_init(&r, seed, 0, (uint32_t)(label + 1), BL_STREAM_SPLIT);
		bl_rng_shuffle(&r, rows, n);
		for (int64_t i = 0; i < share; i++)
			first[rows[i]] = 1;
		marked += share;
	}
	return marked;
}

static bl_dataset *take_marked(bl_dataset *d, const char *marks, char mark, int64_t *rows)
{
	int64_t n = 0;
	for (int64_t i = 0; i < d->n; i++)
		if (marks[i] == mark)
			rows[n++] = i;
	return bl_dataset_select(d, rows, n);
}

static int split_with(bl_dataset *d, double fraction, uint64_t seed, int64_t *rows, char *marks, bl_dataset **first,
                      bl_dataset **second)
{
	int64_t n = mark_first(d, fraction, seed, rows, marks);
	if (n == 0 || n == d->n)
		return bl_fail("%s: a fraction of %g leaves one part empty: %" PRId64 " and %" PRId64 " images", d->name, fraction,
		               n, d->n - n);
	*first = take_marked(d, marks, 1, rows);
	*second = *first ? take_marked(d, marks, 0, rows) : NULL;
	if (*second)
		return 0;
	bl_dataset_unref(*first);
	*first = NULL;
	return -1;
}

int bl_dataset_split(bl_dataset *d, double fraction, uint64_t seed, bl_dataset **first, bl_dataset **second)
{
	if (!(fraction > 0 && fraction < 1))
		return bl_fail("%s: split at a fraction of %g, expected more than 0 and less than 1", d->name, fraction);
	int64_t *rows = malloc((size_t)d->n * sizeof *rows);
	char *marks = calloc((size_t)d->n, 1);
	int rc = -1;
	if (rows && marks)
		rc = split_with(d, fraction, seed, rows, marks, first, second);
	else
		bl_fail("%s: no memory to split %" PRId64 " rows", d->name, d->n);
	free(rows);
	free(marks);
	return rc;
}
