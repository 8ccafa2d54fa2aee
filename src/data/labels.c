/* SPDX-License-Identifier: GPL-3.0-or-later */
/* labels.c: makes labels from numbers, or from the sorted order of texts. */
#include "data/labels.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS_MOST = 65535, DIGITS = 5 };

/* Parses a whole number without sign and spaces; -1 if the text is something else, or above LABELS_MOST. */
static int number_of(const char *text)
{
	size_t n = strspn(text, "0123456789");
	if (n == 0 || n > DIGITS || text[n])
		return -1;
	int v = atoi(text);
	return v <= LABELS_MOST ? v : -1;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the list in place, removes duplicates, and returns the number of texts that are left. */
static int64_t distinct(const char **list, int64_t n)
{
	int64_t kept = 0;
	qsort(list, (size_t)n, sizeof *list, compare);
	for (int64_t i = 0; i < n; i++)
		if (i == 0 || strcmp(list[i], list[kept - 1]) != 0)
			list[kept++] = list[i];
	return kept;
}

/* Copies n texts and the array of pointers to them into one block of memory, which the caller frees. */
static char **copy_texts(const char *const *list, int64_t n)
{
	size_t bytes = (size_t)n * sizeof(char *);
	for (int64_t i = 0; i < n; i++)
		bytes += strlen(list[i]) + 1;
	char **out = malloc(bytes), *at = (char *)(out + n);
	for (int64_t i = 0; out && i < n; i++) {
		out[i] = at;
		at = stpcpy(at, list[i]) + 1;
	}
	return out;
}

static int take_texts(bl_dataset *d, const bl_names *texts, const char **list, char ***class_names)
{
	for (int64_t i = 0; i < d->n; i++)
		list[i] = bl_names_get(texts, i);
	int64_t n = distinct(list, d->n);
	if (n > LABELS_MOST)
		return bl_fail("%s: %" PRId64 " different labels, expected at most %d", d->name, n, LABELS_MOST);
	if (!(*class_names = copy_texts(list, n)))
		return bl_fail("%s: no memory for the names of %" PRId64 " classes", d->name, n);
	d->classes = (int)n;
	d->class_names = (const char *const *)*class_names;
	for (int64_t i = 0; i < d->n; i++) {
		const char *text = bl_names_get(texts, i);
		const char **found = bsearch(&text, list, (size_t)n, sizeof *list, compare);
		d->labels[i] = (int32_t)(found - list);
	}
	return 0;
}

int bl_labels_of_texts(bl_dataset *d, const bl_names *texts, char ***class_names)
{
	*class_names = NULL;
	d->labels = malloc((size_t)d->n * sizeof *d->labels);
	const char **list = malloc((size_t)d->n * sizeof *list);
	int rc = d->labels && list ? 0 : bl_fail("%s: no memory for %" PRId64 " labels", d->name, d->n);
	bool numbers = rc == 0;
	for (int64_t i = 0; i < d->n && numbers; i++) {
		d->labels[i] = number_of(bl_names_get(texts, i));
		numbers = d->labels[i] >= 0;
	}
	for (int64_t i = 0; i < d->n && numbers; i++)
		d->classes = d->labels[i] >= d->classes ? d->labels[i] + 1 : d->classes;
	if (rc == 0 && !numbers)
		rc = take_texts(d, texts, list, class_names);
	free(list);
	return rc;
}

int bl_labels_copy(bl_dataset *d, const int32_t *labels)
{
	d->labels = malloc((size_t)d->n * sizeof *d->labels);
	if (!d->labels)
		return bl_fail("no memory for %" PRId64 " labels", d->n);
	d->first_class = 1;
	for (int64_t i = 0; i < d->n; i++) {
		if (labels[i] < 0 || labels[i] == INT32_MAX)
			return bl_fail("label %" PRId64 " is %d, expected 0 or more", i, (int)labels[i]);
		d->labels[i] = labels[i];
		if (labels[i] >= d->classes)
			d->classes = labels[i] + 1;
	}
	return 0;
}
