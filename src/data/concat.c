/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * concat.c: the concatenation of several sets.
 *
 * An image is opened by the part that contains it, and then belongs to the root of that part.
 */
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/text.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct source {
	int n;
	bl_dataset **part;
	int64_t *first;           /* row of each part's first image */
	const char **class_names; /* borrowed from the parts */
} source;

/* Returns the part that contains row *i, and makes *i the row in that part. */
static const bl_dataset *find(const bl_dataset *root, int64_t *i)
{
	const source *s = root->source;
	int k = s->n - 1;
	while (s->first[k] > *i)
		k--;
	*i -= s->first[k];
	return s->part[k];
}

static int open_row(bl_opened *o)
{
	int64_t i = o->row;
	const bl_dataset *part = find(o->root, &i);
	return bl_dataset_open(part, i, o);
}

/* Never called: an open image belongs to a part. */
static int read_row(bl_opened *o, const bl_window *w, bl_image *out)
{
	(void)w, (void)out;
	return bl_fail("%s: not opened", o->root->name);
}

static char *path_of_row(const bl_dataset *root, int64_t i)
{
	const bl_dataset *part = find(root, &i);
	return bl_dataset_path(part, i);
}

static void clear(bl_dataset *root)
{
	source *s = root->source;
	for (int k = 0; s->part && k < s->n; k++)
		bl_dataset_unref(s->part[k]);
	free(s->part);
	free(s->first);
	free(s->class_names);
	free(s);
}

static const bl_dataset_ops ops = { .open = open_row, .read = read_row, .path = path_of_row, .clear = clear };

static int check(bl_dataset *const *parts, int n)
{
	int64_t total = 0;
	if (n < 1)
		return bl_fail("concat: no sets, expected at least one");
	for (int k = 0; k < n; k++) {
		if (parts[k]->channels != parts[0]->channels)
			return bl_fail("concat: %s has %d %s, %s has %d", parts[0]->name, parts[0]->channels,
			               bl_text_plural(parts[0]->channels, "channel", "channels"), parts[k]->name,
			               parts[k]->channels);
		if (bl_dataset_is_vectors(parts[k]) != bl_dataset_is_vectors(parts[0]) ||
		    (bl_dataset_is_vectors(parts[0]) && parts[k]->width != parts[0]->width))
			return bl_fail("concat: %s and %s: expected images only, or vectors with the same number of features",
			               parts[0]->name, parts[k]->name);
		if (__builtin_add_overflow(total, parts[k]->n, &total))
			return bl_fail("concat: too many images");
	}
	return 0;
}

/* Takes references to the n parts, and computes s->first, whose last element (n) is the total. */
static int take_parts(source *s, bl_dataset *const *parts, int n)
{
	s->part = calloc((size_t)n, sizeof *s->part);
	s->first = calloc((size_t)n + 1, sizeof *s->first);
	if (!s->part || !s->first)
		return bl_fail("concat: no memory for %d sets", n);
	s->n = n;
	for (int k = 0; k < n; k++) {
		s->part[k] = bl_dataset_ref(parts[k]);
		s->first[k + 1] = s->first[k] + parts[k]->n;
	}
	return 0;
}

/* --- classes --- */

/*
 * Maps the classes of part k to classes of the whole set: by name if all parts have class names, else by number.  Adds
 * the new classes to d.  The caller frees the map.
 */
static int *map_classes(bl_dataset *d, const source *s, int k, bool named)
{
	const bl_dataset *part = s->part[k];
	int *map = malloc((size_t)part->classes * sizeof *map);
	for (int c = 0; map && c < part->classes; c++) {
		map[c] = named ? 0 : c;
		while (named && map[c] < d->classes && strcmp(s->class_names[map[c]], part->class_names[c]) != 0)
			map[c]++;
		if (map[c] == d->classes && named)
			s->class_names[d->classes] = part->class_names[c];
		if (map[c] >= d->classes)
			d->classes = map[c] + 1;
	}
	return map ? map : bl_fail_null("%s: no memory for %d classes", d->name, part->classes);
}

static int label_part(bl_dataset *d, const source *s, int k, bool named)
{
	int *map = map_classes(d, s, k, named);
	for (int64_t i = 0; map && i < s->part[k]->n; i++) {
		int label = bl_dataset_label(s->part[k], i);
		d->labels[s->first[k] + i] = label < 0 ? label : map[label];
	}
	free(map);
	return map ? 0 : -1;
}

/* Labels the set if all parts have labels. */
static int label(bl_dataset *d, source *s)
{
	size_t most = 0;
	bool named = true;
	for (int k = 0; k < s->n; k++) {
		if (s->part[k]->classes == 0)
			return 0;
		named &= s->part[k]->class_names != NULL;
		most += (size_t)s->part[k]->classes;
	}
	d->labels = malloc((size_t)d->n * sizeof *d->labels);
	s->class_names = calloc(most, sizeof *s->class_names);
	if (!d->labels || !s->class_names)
		return bl_fail("%s: no memory for %" PRId64 " labels", d->name, d->n);
	for (int k = 0; k < s->n; k++)
		if (label_part(d, s, k, named) < 0)
			return -1;
	if (named)
		d->class_names = s->class_names;
	d->first_class = s->part[0]->first_class;
	return 0;
}

/* Copies the factors that the images were generated from, if all parts have the same factors. */
static int copy_factors(bl_dataset *d, const source *s)
{
	const bl_dataset *first = s->part[0];
	for (int k = 0; k < s->n; k++)
		if (!first->factor_names || s->part[k]->factor_names != first->factor_names)
			return 0;
	int count = first->factor_count;
	d->factors = malloc((size_t)d->n * (size_t)count * sizeof *d->factors);
	if (!d->factors)
		return bl_fail("%s: no memory for the factors of %" PRId64 " images", d->name, d->n);
	for (int k = 0; k < s->n; k++)
		for (int64_t i = 0; i < s->part[k]->n; i++)
			for (int f = 0; f < count; f++)
				d->factors[(s->first[k] + i) * count + f] = bl_dataset_factor(s->part[k], i, f);
	d->factor_names = first->factor_names;
	d->factor_count = count;
	return 0;
}

/* Takes ownership of the source, but not on failure. */
static bl_dataset *make(source *s)
{
	const bl_dataset *first = s->part[0];
	bl_dataset *d = bl_dataset_make_source(first->name, s->first[s->n], first->channels, first->height, first->width, &ops);
	if (!d)
		return NULL;
	d->source = s;
	d->reads = false;
	d->vectors = true;
	for (int k = 0; k < s->n; k++) {
		d->reads |= bl_dataset_reads(s->part[k]);
		d->vectors &= bl_dataset_is_vectors(s->part[k]);
	}
	char name[256];
	snprintf(name, sizeof name, "%.150s and %d more", first->name, s->n - 1);
	if (s->n == 2)
		snprintf(name, sizeof name, "%.120s and %.120s", first->name, s->part[1]->name);
	if (bl_dataset_rename(d, name) == 0 && label(d, s) == 0 && copy_factors(d, s) == 0)
		return d;
	d->source = NULL; /* still owned by the caller */
	bl_dataset_unref(d);
	return NULL;
}

bl_dataset *bl_dataset_concat(bl_dataset *const *parts, int n)
{
	if (check(parts, n) < 0)
		return NULL;
	source *s = calloc(1, sizeof *s);
	if (!s)
		return bl_fail_null("concat: no memory for %d sets", n);
	bl_dataset *d = take_parts(s, parts, n) == 0 ? make(s) : NULL;
	if (!d)
		clear(&(bl_dataset){ .source = s });
	return d;
}
