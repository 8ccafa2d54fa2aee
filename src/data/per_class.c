/* SPDX-License-Identifier: GPL-3.0-or-later */
/* per_class.c: subsets with the same number of images of each class. */
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/random.h>
#include <barlow/text.h>

#include <inttypes.h>
#include <stdlib.h>

enum { NAME = 64 };

/* Returns the number of images of each class; the caller frees it.  NULL with bl_error. */
static int64_t *count_classes(const bl_dataset *d)
{
	if (d->classes == 0)
		return bl_fail_null("%s has no labels", d->name);
	int64_t *counts = calloc((size_t)d->classes, sizeof *counts);
	if (!counts)
		return bl_fail_null("%s: no memory to count %d classes", d->name, d->classes);
	for (int64_t i = 0; i < d->n; i++) {
		int label = bl_dataset_label(d, i);
		if (label >= 0)
			counts[label]++;
	}
	return counts;
}

static int fail_few(const bl_dataset *d, int label, int64_t has, int64_t expected)
{
	const char *name = bl_dataset_class_name(d, label);
	return bl_fail("%s: class %d%s%.*s%s has %" PRId64 " %s, expected %s%" PRId64, d->name, label + 1, name ? " (" : "", NAME,
	               name ? name : "", name ? ")" : "", has, bl_text_plural(has, "image", "images"),
	               expected > 1 ? "at least " : "", expected);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/*
 * Writes n rows of a class to `out`, in ascending order.  They are the first n rows of a random order, which is
 * repeated if the class has fewer rows.  of_class is memory for all rows of the class.
 */
static void take_class(const bl_dataset *d, int label, uint64_t seed, int64_t n, int64_t *of_class, int64_t *out)
{
	int64_t count = 0;
	bl_rng r;
	for (int64_t i = 0; i < d->n; i++)
		if (bl_dataset_label(d, i) == label)
			of_class[count++] = i;
	bl_rng_init(&r, seed, 0, (uint32_t)label, BL_STREAM_SPLIT);
	bl_rng_narrow(&r, "per class", 0);
	bl_rng_shuffle(&r, of_class, count);
	for (int64_t i = 0; i < n; i++)
		out[i] = of_class[i % count];
	qsort(out, (size_t)n, sizeof *out, compare);
}

/*
 * Selects n images of each class.  A class of fewer images is an error, unless `repeat` is set: then its images are
 * repeated, and a class without images is left out.
 */
static bl_dataset *take(bl_dataset *d, int64_t n, uint64_t seed, const int64_t *counts, bool repeat)
{
	int64_t present = 0, total;
	for (int label = 0; label < d->classes; label++) {
		if (counts[label] < n && !repeat)
			return fail_few(d, label, counts[label], n), NULL;
		present += counts[label] > 0;
	}
	if (__builtin_mul_overflow(present, n, &total) || total > INT64_C(1) << 40)
		return bl_fail_null("%s: %" PRId64 " images of each of %" PRId64 " classes are too many", d->name, n, present);
	int64_t *of_class = malloc((size_t)d->n * sizeof *of_class), *rows = malloc((size_t)total * sizeof *rows), *at = rows;
	bl_dataset *part = NULL;
	if (!of_class || !rows)
		bl_fail("%s: no memory for %" PRId64 " rows", d->name, total);
	for (int label = 0; of_class && rows && label < d->classes; label++) {
		if (counts[label] == 0)
			continue;
		take_class(d, label, seed, n, of_class, at);
		at += n;
	}
	if (of_class && rows)
		part = bl_dataset_select(d, rows, total);
	free(of_class);
	free(rows);
	return part;
}

bl_dataset *bl_dataset_few(bl_dataset *d, int64_t per_class, uint64_t seed)
{
	if (per_class < 1)
		return bl_fail_null("%s: %" PRId64 " images of each class, expected at least 1", d->name, per_class);
	int64_t *counts = count_classes(d);
	bl_dataset *part = counts ? take(d, per_class, seed, counts, false) : NULL;
	free(counts);
	return part;
}

bl_dataset *bl_dataset_balance(bl_dataset *d, int64_t per_class, uint64_t seed)
{
	int64_t *counts = count_classes(d);
	if (!counts)
		return NULL;
	int64_t n = per_class;
	for (int label = 0; label < d->classes && per_class == 0; label++)
		n = counts[label] > n ? counts[label] : n;
	bl_dataset *part = NULL;
	if (n < 1)
		bl_fail("%s: %" PRId64 " images of each class, expected at least 1", d->name, n);
	else
		part = take(d, n, seed, counts, true);
	free(counts);
	return part;
}
