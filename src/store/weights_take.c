/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights_take.c: loads weights from a file some of whose names differ from the module's. */
#include "store/state.h"

#include <barlow/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_SHOWN = 4 };

typedef struct file {
	const char *path;
	bl_named *item;
	int n;
} file;

/* --- Names ------------------------------------------------------------------------------------ */

static void strip_name(char *name, size_t n)
{
	memmove(name, name + n, strlen(name + n) + 1);
}

static int strip(file *f, const char *front)
{
	size_t n = strlen(front);
	int stripped = 0;
	for (int i = 0; i < f->n; i++)
		if (strncmp(f->item[i].name, front, n) == 0 && f->item[i].name[n]) {
			strip_name(f->item[i].name, n);
			stripped++;
		}
	if (stripped > 0 || f->n == 0)
		return 0;
	return bl_fail("%s: no name in it begins with '%s' (the first is '%s')", f->path, front, f->item[0].name);
}

/* Removes the items whose names do not begin with the prefix, and the prefix and its dot from the other names. */
static int choose(file *f, const char *prefix)
{
	size_t n = strlen(prefix);
	int kept = 0;
	bl_named first = { 0 };
	n -= prefix[n - 1] == '.';
	for (int i = 0; i < f->n; i++) {
		bl_named *at = &f->item[i];
		if (strncmp(at->name, prefix, n) == 0 && at->name[n] == '.' && at->name[n + 1]) {
			strip_name(at->name, n + 1);
			f->item[kept++] = *at;
			continue;
		}
		bl_tensor_unref(at->tensor);
		if (first.name)
			free(at->name);
		else
			first.name = at->name;
	}
	f->n = kept;
	int rc = kept ? 0
	              : bl_fail("%s: no name in it begins with '%.*s.' (the first is '%s')", f->path, (int)n, prefix,
	                        first.name ? first.name : "none");
	free(first.name);
	return rc;
}

/*
 * Returns the length of the prefix, with its dot, that precedes `ours` in one of the file's names, and sets *name to
 * that name; 0: no name has such a prefix.
 */
static size_t front_of(const file *f, const char *ours, const char **name)
{
	size_t k = strlen(ours);
	for (int i = 0; i < f->n; i++) {
		size_t n = strlen(f->item[i].name);
		if (n > k + 1 && strcmp(f->item[i].name + n - k, ours) == 0 && f->item[i].name[n - k - 1] == '.') {
			*name = f->item[i].name;
			return n - k;
		}
	}
	return 0;
}

/* If the file has all names of the module with a common prefix, the message gets a hint how to load them. */
static void hint(const file *f, const bl_state *s)
{
	char why[512], whole[512];
	const char *name = NULL;
	size_t front = s->n ? front_of(f, s->items[0].name, &name) : 0;
	bool all = true;
	for (int i = 0; front > 0 && i < s->n; i++) {
		snprintf(whole, sizeof whole, "%.*s%s", (int)front, name, s->items[i].name);
		front = bl_named_find(f->item, f->n, whole) ? front : 0;
	}
	if (front == 0)
		return;
	for (int i = 0; i < f->n; i++)
		all = all && strncmp(f->item[i].name, name, front) == 0;
	snprintf(why, sizeof why, "%s", bl_error());
	if (all)
		bl_fail("%s; all its names begin with '%.*s': strip = \"%.*s\" removes it", why, (int)front, name, (int)front,
		        name);
	else
		bl_fail("%s; the file has '%s': prefix = \"%.*s\" selects the names that begin so", why, name, (int)front - 1,
		        name);
}

/* --- What fits -------------------------------------------------------------------------------- */

static void say(bl_weights_report *r, const char *fmt, ...) BL_PRINTF(2, 3);
static void say(bl_weights_report *r, const char *fmt, ...)
{
	size_t used = strlen(r->text);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->text + used, sizeof r->text - used, fmt, ap);
	va_end(ap);
}

/* Appends the n-th name of its kind; only the first NAMES_SHOWN are named. */
static void name_one(bl_weights_report *r, int n, const char *what, const char *name)
{
	if (n <= NAMES_SHOWN)
		say(r, "%s%s", n == 1 ? what : ", ", name);
}

static void name_rest(bl_weights_report *r, int n)
{
	if (n > NAMES_SHOWN)
		say(r, " and %d more", n - NAMES_SHOWN);
}

/* Moves the items that fit to the front of the state, and reports the others. */
static void keep_fitting(bl_state *s, const file *f, bl_weights_report *r)
{
	bl_named *misfit = calloc((size_t)s->n + 1, sizeof *misfit);
	int kept = 0;
	for (int i = 0; i < s->n; i++) {
		bl_named *at = &s->items[i];
		const bl_named *there = bl_named_find(f->item, f->n, at->name);
		if (there && bl_tensor_same_shape(there->tensor, at->tensor)) {
			bl_named swap = s->items[kept];
			s->items[kept++] = *at;
			s->items[i] = swap;
		} else if (there) {
			if (misfit)
				misfit[r->misfits] = (bl_named){ .name = there->name, .tensor = there->tensor };
			r->misfits++;
		} else {
			name_one(r, ++r->missing, "; not in the file: ", at->name);
		}
	}
	name_rest(r, r->missing);
	for (int i = 0; misfit && i < r->misfits; i++)
		name_one(r, i + 1, "; of another shape: ", misfit[i].name);
	name_rest(r, r->misfits);
	free(misfit);
	r->taken = kept;
}

/*
 * Finds the tensors that fit: afterwards, these are the first r->taken items of the state.  Negative with bl_error:
 * none fits.
 */
static int take_what_fits(bl_state *s, const file *f, bl_weights_report *r)
{
	char what[sizeof r->text];
	int all = s->n;
	for (int i = 0; i < f->n; i++)
		if (!bl_named_find(s->items, s->n, f->item[i].name))
			name_one(r, ++r->unused, "; not in the module: ", f->item[i].name);
	name_rest(r, r->unused);
	keep_fitting(s, f, r);
	if (r->taken == 0)
		return bl_fail("%s: nothing in it fits%s", f->path, r->text);
	if (!r->text[0])
		return 0;
	snprintf(what, sizeof what, "%s", r->text);
	r->text[0] = '\0';
	say(r, "%s: %d of %d tensors were taken%s", f->path, r->taken, all, what);
	return 0;
}

/* --- Loading ------------------------------------------------------------------------------------ */

static int read_names(file *f, const bl_weights_how *how)
{
	if (how->strip && *how->strip && strip(f, how->strip) != 0)
		return -1;
	if (how->prefix && *how->prefix && choose(f, how->prefix) != 0)
		return -1;
	bl_named_sort(f->item, f->n);
	for (int i = 1; i < f->n; i++)
		if (strcmp(f->item[i - 1].name, f->item[i].name) == 0)
			return bl_fail("%s: with strip and prefix applied, two tensors have the name '%s'", f->path,
			               f->item[i].name);
	return 0;
}

static int fit(bl_state *s, file *f, const bl_weights_how *how, bl_weights_report *r)
{
	bl_named_sort(s->items, s->n);
	if (!how->strict)
		return take_what_fits(s, f, r);
	r->taken = s->n;
	int rc = bl_state_fit(s, f->path, f->item, f->n, true);
	if (rc != 0)
		hint(f, s);
	return rc;
}

int bl_weights_take(const char *path, bl_module *root, const bl_weights_how *how, bl_weights_report *report)
{
	file f = { .path = path };
	bl_state s = { 0 };
	memset(report, 0, sizeof *report);
	int rc = bl_state_collect(&s, &root, NULL, 1);
	if (rc == 0)
		rc = bl_safetensors_load(path, &f.item, &f.n);
	if (rc == 0)
		rc = read_names(&f, how);
	if (rc == 0)
		rc = fit(&s, &f, how, report);
	bl_state fitting = { .items = s.items, .n = report->taken };
	if (rc == 0)
		rc = bl_state_copy(&fitting, path, f.item, f.n);
	if (rc == 0)
		rc = bl_weights_mark(path, &root, 1);
	bl_named_free(f.item, f.n);
	bl_named_free(s.items, s.n);
	return rc;
}
