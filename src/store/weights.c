/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weights.c: writes the tensors of modules to a safetensors file, and reads them back. */
#include <barlow/error.h>

#include "store/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The state being collected, and the prefix of its names. */
typedef struct walk {
	bl_state *state;
	const char *prefix;
} walk;

int bl_state_add(bl_state *s, const char *prefix, const char *name, bl_tensor *t)
{
	size_t size = strlen(prefix) + strlen(name) + 2;
	int room = s->n < s->room ? s->room : s->room ? 2 * s->room : 64;
	bl_named *items = room > s->room ? realloc(s->items, (size_t)room * sizeof(*items)) : s->items;
	char *full = items ? malloc(size) : NULL;

	if (items) {
		s->items = items;
		s->room = room;
	}
	if (!full)
		return bl_fail("no memory for the names of weights");
	snprintf(full, size, "%s%s%s", prefix, *prefix ? "." : "", name);
	s->items[s->n].name = full;
	s->items[s->n++].tensor = bl_tensor_ref(t);
	return 0;
}

static int collect_one(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	const walk *w = ctx;

	(void)kind;
	return bl_state_add(w->state, w->prefix, name, t);
}

int bl_state_collect(bl_state *s, bl_module *const *roots, const char *const *prefixes, int n)
{
	for (int i = 0; i < n; i++) {
		walk w = { s, prefixes && prefixes[i] ? prefixes[i] : "" };
		if (bl_module_each(roots[i], collect_one, &w) != 0)
			return -1;
	}
	return 0;
}

int bl_weights_write(const char *path, bl_module *const *roots, const char *const *prefixes, int n, bl_file_writer *write)
{
	bl_state s = { 0 };
	int rc = bl_state_collect(&s, roots, prefixes, n);

	if (rc == 0)
		rc = bl_safetensors_write(path, s.items, s.n, NULL, write);
	bl_named_free(s.items, s.n);
	return rc;
}

int bl_weights_save(const char *path, bl_module *const *roots, const char *const *prefixes, int n)
{
	return bl_weights_write(path, roots, prefixes, n, bl_file_write_atomic);
}

static int by_name(const void *a, const void *b)
{
	const bl_named *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void bl_named_sort(bl_named *items, int n)
{
	if (n > 0)
		qsort(items, (size_t)n, sizeof(*items), by_name);
}

bl_named *bl_named_find(const bl_named *sorted, int n, const char *name)
{
	bl_named key = { .name = (char *)(uintptr_t)name };

	return n > 0 ? bsearch(&key, sorted, (size_t)n, sizeof(*sorted), by_name) : NULL;
}

/* Fails with the first refused name, the nearest name in `from`, and the number of other refused names. */
static int refuse_name(const char *path, const char *what, const char *name, int more, const bl_named *from, int n)
{
	const char **names = calloc((size_t)n + 1, sizeof(*names));
	const char *near;
	char others[32] = "";

	for (int i = 0; names && i < n; i++)
		names[i] = from[i].name;
	near = names ? bl_nearest(name, names) : NULL;
	if (more)
		snprintf(others, sizeof(others), ", and %d more", more);
	bl_fail("%s: %s '%s'%s%s%s%s", path, what, name, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "",
	        others);
	free(names);
	return -1;
}

/* Checks that every name of `want` is in `have`; both lists are sorted. */
static int check_names(const char *path, const char *what, const bl_named *want, int n_want, const bl_named *have, int n_have)
{
	const char *first = NULL;
	int missing = 0;

	for (int i = 0; i < n_want; i++)
		if (!bl_named_find(have, n_have, want[i].name)) {
			first = first ? first : want[i].name;
			missing++;
		}
	return missing ? refuse_name(path, what, first, missing - 1, have, n_have) : 0;
}

static int check_shapes(const char *path, const bl_state *s, const bl_named *file, int n)
{
	char ours[BL_SHAPE_TEXT], theirs[BL_SHAPE_TEXT];

	for (int i = 0; i < s->n; i++) {
		const bl_named *f = bl_named_find(file, n, s->items[i].name);

		if (!bl_tensor_same_shape(f->tensor, s->items[i].tensor))
			return bl_fail("%s: tensor '%s' is %s in the file, but %s in the module", path, f->name,
			               bl_tensor_text(f->tensor, theirs), bl_tensor_text(s->items[i].tensor, ours));
	}
	return 0;
}

int bl_state_fit(bl_state *s, const char *path, bl_named *file, int n, bool strict)
{
	bl_named_sort(file, n);
	bl_named_sort(s->items, s->n);
	if (check_names(path, "no tensor", s->items, s->n, file, n) < 0)
		return -1;
	if (strict && check_names(path, "the model has no tensor", file, n, s->items, s->n) < 0)
		return -1;
	return check_shapes(path, s, file, n);
}

int bl_state_copy(const bl_state *s, const char *path, const bl_named *file, int n)
{
	for (int i = 0; i < s->n; i++)
		if (bl_tensor_copy(s->items[i].tensor, bl_named_find(file, n, s->items[i].name)->tensor) < 0)
			return bl_fail_prefix("%s: tensor '%s': ", path, s->items[i].name);
	return 0;
}

int bl_weights_mark(const char *path, bl_module *const *roots, int n)
{
	bl_provenance *p = bl_provenance_new(path, false);
	for (int i = 0; p && i < n; i++)
		bl_module_set_provenance(roots[i], p);
	bl_provenance_unref(p);
	return p ? 0 : -1;
}

int bl_weights_load(const char *path, bl_module *const *roots, const char *const *prefixes, int n, bool strict)
{
	bl_named *file = NULL;
	int n_file = 0;
	bl_state s = { 0 };
	int rc = bl_state_collect(&s, roots, prefixes, n);

	if (rc == 0)
		rc = bl_safetensors_load(path, &file, &n_file);
	if (rc == 0)
		rc = bl_state_fit(&s, path, file, n_file, strict);
	if (rc == 0)
		rc = bl_state_copy(&s, path, file, n_file);
	if (rc == 0)
		rc = bl_weights_mark(path, roots, n);
	bl_named_free(file, n_file);
	bl_named_free(s.items, s.n);
	return rc;
}
