/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs.c: lists the runs, and finds the one that a name refers to. */
#include "store/runs.h"
#include "store/known.h"

#include <barlow/error.h>
#include <barlow/runs.h>
#include <barlow/text.h>

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_BYTES = 400, NAMES_SHOWN = 5 };

/* --- A run --------------------------------------------------------------------- */

static bool is_over(const bl_run *r)
{
	return r->info.state == BL_RUN_DONE || r->info.state == BL_RUN_STOPPED || r->info.state == BL_RUN_FAILED;
}

bool bl_run_going(const bl_run *r)
{
	return !r->broken && r->alive && !is_over(r);
}

const char *bl_run_state_text(const bl_run *r)
{
	if (r->broken)
		return BL_KNOWN_BROKEN;
	return is_over(r) || r->alive ? bl_run_state_name(r->info.state) : BL_KNOWN_KILLED;
}

/* Copies the values of those columns that r does not have yet; returns how many are still missing. */
static int take_rare(bl_run *r, const bl_record *at, bool lacks[BL_COLUMNS_MAX])
{
	int left = 0;
	for (int k = 0; k < r->columns.n; k++) {
		if (lacks[k] && !isnan(at->value[k])) {
			r->measured.value[k] = at->value[k];
			lacks[k] = false;
		}
		left += lacks[k];
	}
	return left;
}

/*
 * Reads the last record.  For columns that are not measured at each step, searches for the newest values backwards in the
 * records that were added since the previous call, and otherwise keeps the values of that call.
 */
static void read_records(bl_run *r, const bl_live *l)
{
	int64_t n = bl_live_length(l);
	bl_record at, before = r->measured;
	bool lacks[BL_COLUMNS_MAX] = { false };
	bl_live_columns(l, &r->columns);
	if (n > 0 && !bl_live_record(l, n - 1, &r->last))
		r->last = bl_record_empty(0);
	r->measured = r->last;
	for (int k = 0; k < r->columns.n; k++)
		lacks[k] = bl_column_rare(&r->columns.column[k]);
	int left = take_rare(r, &r->last, lacks);
	for (int64_t i = n - 2; left > 0 && i >= r->read; i--)
		if (bl_live_record(l, i, &at))
			left = take_rare(r, &at, lacks);
	take_rare(r, &before, lacks);
	r->knn = bl_record_value(&r->measured, &r->columns, "knn");
	r->read = n;
}

static void read_live(bl_run *r, const char *path)
{
	bl_live *l = bl_live_open(path, false);
	r->broken = !l;
	if (!l) {
		r->info = (bl_live_info){ .state = BL_RUN_FAILED };
		snprintf(r->info.name, sizeof r->info.name, "%s", r->id);
		snprintf(r->info.message, sizeof r->info.message, "%s", bl_error());
		return;
	}
	bl_live_info_get(l, &r->info);
	r->alive = bl_live_writer_alive(l);
	read_records(r, l);
	bl_live_close(l);
}

/* --- The list of runs ---------------------------------------------------------- */

static int add_run(bl_runs *list, const char *root, const char *name, const bl_runs *before)
{
	bl_run *more = realloc(list->run, (size_t)(list->n + 1) * sizeof *more);
	if (!more)
		return bl_fail("no memory for a list of %d runs", list->n + 1);
	list->run = more;
	char *id = strdup(name), *folder = bl_runs_path(root, name);
	char *live = folder ? bl_runs_path(folder, BL_RUN_LIVE) : NULL;
	if (!id || !live) {
		free(id);
		free(folder);
		free(live);
		return bl_fail("no memory for a run");
	}
	bl_run *r = &more[list->n++];
	const bl_run *old = NULL;
	for (int i = 0; before && i < before->n && !old; i++)
		old = strcmp(before->run[i].id, id) == 0 ? &before->run[i] : NULL;
	*r = (bl_run){ .knn = NAN, .last = bl_record_empty(0), .measured = bl_record_empty(0) };
	if (old)
		*r = *old;
	r->id = id;
	r->folder = folder;
	if (!old || old->broken || old->alive)
		read_live(r, live);
	free(live);
	return 0;
}

static int newer_first(const void *a, const void *b)
{
	const bl_run *x = a, *y = b;
	if (x->info.started != y->info.started)
		return x->info.started > y->info.started ? -1 : 1;
	return strcmp(y->id, x->id);
}

bl_runs *bl_runs_list(const char *root, const bl_runs *before)
{
	bl_runs *list = calloc(1, sizeof *list);
	if (!list)
		return bl_fail_null("no memory for a list of runs");
	DIR *d = opendir(root);
	int rc = d || errno == ENOENT ? 0 : bl_fail("%s: %s", root, strerror(errno));
	for (struct dirent *e; d && rc == 0 && (e = readdir(d));)
		if (bl_runs_is_folder(d, e))
			rc = add_run(list, root, e->d_name, before);
	if (d)
		closedir(d);
	if (rc != 0) {
		bl_runs_free(list);
		return NULL;
	}
	if (list->n > 0)
		qsort(list->run, (size_t)list->n, sizeof *list->run, newer_first);
	return list;
}

void bl_runs_free(bl_runs *list)
{
	for (int i = 0; list && i < list->n; i++) {
		free(list->run[i].id);
		free(list->run[i].folder);
	}
	if (list)
		free(list->run);
	free(list);
}

/* --- Search ------------------------------------------------------------------- */

struct names {
	char text[NAMES_BYTES];
	int n; /* number of names, including those that are not shown */
};

static void add_name(struct names *names, const char *name)
{
	size_t n = strlen(names->text);
	if (++names->n > NAMES_SHOWN)
		return;
	snprintf(names->text + n, NAMES_BYTES - n, "%s%s", n ? ", " : "", name);
	if (n + strlen(name) + 2 >= NAMES_BYTES)
		memcpy(names->text + NAMES_BYTES - 4, "...", 4);
}

/* Appends the number of names that are not shown, as " and 35 more", and returns the text. */
static const char *count_more(struct names *names)
{
	size_t n = strlen(names->text);
	if (names->n > NAMES_SHOWN)
		snprintf(names->text + n, NAMES_BYTES - n, " and %d more", names->n - NAMES_SHOWN);
	return names->text;
}

/*
 * Returns the name of a run or of a folder that is similar to `what`, or of a folder that contains `what`; NULL: there
 * is none.
 */
static const char *near_name(const bl_runs *list, const char *what)
{
	const char **all = calloc(2 * (size_t)list->n + 1, sizeof *all);
	for (int i = 0; all && i < list->n; i++) {
		all[i] = list->run[i].info.name;
		all[list->n + i] = list->run[i].id;
	}
	const char *near = all ? bl_nearest(what, all) : NULL;
	for (int i = 0; !near && *what && i < list->n; i++)
		if (strstr(list->run[i].id, what))
			near = list->run[i].id;
	free(all);
	return near;
}

static int not_found(const bl_runs *list, const char *what)
{
	struct names names = { .n = 0 };
	const char *near = near_name(list, what);
	for (int i = 0; i < list->n; i++)
		add_name(&names, list->run[i].id);
	return bl_fail("no run named %s%s%s%s; %s%s", what, near ? " (did you mean " : "", near ? near : "", near ? "?)" : "",
	               list->n == 0            ? "there are no runs"
	               : names.n > NAMES_SHOWN ? "the newest runs: "
	                                       : "runs: ",
	               count_more(&names));
}

static int find_exact(const bl_runs *list, const char *what)
{
	for (int i = 0; i < list->n; i++)
		if (strcmp(list->run[i].id, what) == 0)
			return i;
	for (int i = 0; i < list->n; i++)
		if (strcmp(list->run[i].info.name, what) == 0)
			return i;
	return -1;
}

int bl_runs_find(const bl_runs *list, const char *what)
{
	struct names names = { .n = 0 };
	int found = find_exact(list, what), matches = 0;
	if (found >= 0)
		return found;
	for (int i = 0; i < list->n; i++)
		if (strncmp(list->run[i].id, what, strlen(what)) == 0) {
			found = i;
			matches++;
			add_name(&names, list->run[i].id);
		}
	if (matches > 1)
		return bl_fail("several runs begin with %s: %s", what, count_more(&names));
	return matches == 1 ? found : not_found(list, what);
}

static int newest(const bl_runs *list, const char *root)
{
	for (int i = 0; i < list->n; i++)
		if (bl_run_going(&list->run[i]))
			return i;
	for (int i = 0; i < list->n; i++)
		if (!list->run[i].broken)
			return i;
	return bl_fail("there are no runs in %s", root);
}

static char *path_in_list(const char *what)
{
	char *root = bl_runs_root(), *path = NULL;
	bl_runs *list = root ? bl_runs_list(root, NULL) : NULL;
	int i = !list ? -1 : what ? bl_runs_find(list, what) : newest(list, root);
	if (i >= 0)
		path = bl_runs_path(list->run[i].folder, BL_RUN_LIVE);
	bl_runs_free(list);
	free(root);
	return path;
}

/* A text with a slash is a path.  Any other text is the name of a run or, if there is no such run, a path. */
char *bl_runs_live_path(const char *what)
{
	struct stat s;
	bool place = what && strchr(what, '/');
	char *path = place ? NULL : path_in_list(what);
	if (path || !what)
		return path;
	if (stat(what, &s) != 0)
		return place ? bl_fail_null("%s: %s", what, strerror(errno)) : NULL;
	return S_ISDIR(s.st_mode) ? bl_runs_path(what, BL_RUN_LIVE) : bl_text_copy(what);
}

bl_live *bl_runs_open(const char *what, bool *commands)
{
	char *path = bl_runs_live_path(what);
	if (!path)
		return NULL;
	if (*commands && access(path, W_OK) != 0 && access(path, R_OK) == 0)
		*commands = false;
	bl_live *l = bl_live_open_whole(path, *commands);
	free(path);
	return l;
}
