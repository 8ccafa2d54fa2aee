/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fork.c: makes a new run that continues from a copy of another run's checkpoint. */
#define _GNU_SOURCE 1 /* asprintf */
#include "store/runs.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/runs.h>
#include <barlow/text.h>
#include <barlow/weights.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- What is copied ------------------------------------------------------------------------ */

/*
 * Copies a file completely or not at all.  If a checkpoint is replaced meanwhile, its old or its new version is copied,
 * since it is replaced by renaming.
 */
static int copy_file(const char *from, const char *into, const char *name)
{
	size_t n;
	char *source = bl_runs_path(from, name), *target = bl_runs_path(into, name);
	void *bytes = source && target ? bl_file_read(source, &n) : NULL;
	int rc = bytes ? bl_file_write_private(target, bytes, n) : -1;
	free(bytes);
	free(source);
	free(target);
	return rc;
}

static bool has(const char *folder, const char *name)
{
	struct stat s;
	char *path = bl_runs_path(folder, name);
	bool there = path && lstat(path, &s) == 0 && S_ISREG(s.st_mode);
	free(path);
	return there;
}

static int copy_files(const char *from, const char *into)
{
	static const char *const others[] = { BL_RUN_RECIPE, BL_RUN_START, BL_RUN_JOURNAL };
	int rc = copy_file(from, into, BL_RUN_CHECKPOINT);
	for (size_t i = 0; rc == 0 && i < sizeof others / sizeof others[0]; i++)
		if (has(from, others[i]))
			rc = copy_file(from, into, others[i]);
	DIR *d = rc == 0 ? opendir(from) : NULL;
	if (rc == 0 && !d)
		rc = bl_fail("%s: %s", from, strerror(errno));
	for (struct dirent *e; rc == 0 && (e = readdir(d));) { /* the recipe may read arrays from these files */
		size_t n = strlen(e->d_name);
		if (n > 4 && strcmp(e->d_name + n - 4, ".npy") == 0 && has(from, e->d_name))
			rc = copy_file(from, into, e->d_name);
	}
	if (d)
		closedir(d);
	return rc;
}

/* --- New files -------------------------------------------------------------------------------- */

static int read_step(const char *folder, int64_t *step)
{
	char rest, *path = bl_runs_path(folder, BL_RUN_CHECKPOINT);
	char **facts = path ? bl_safetensors_metadata(path) : NULL;
	const char *text = facts ? bl_metadata_get(facts, "step") : NULL;
	long long v = -1;
	int rc = !facts                                                       ? -1
	         : text && sscanf(text, "%19lld%c", &v, &rest) == 1 && v >= 0 ? 0
	                                                                      : bl_fail("%s: it names no step", path);
	bl_metadata_free(facts);
	free(path);
	*step = v;
	return rc;
}

/* Copies records and snapshots up to the checkpoint's step, if the parent has a live file. */
static int make_live(const char *from, const char *into, int64_t step)
{
	char *source = bl_runs_path(from, BL_RUN_LIVE), *target = bl_runs_path(into, BL_RUN_LIVE);
	bl_live *past = source ? bl_live_open_whole(source, false) : NULL, *l = NULL;
	int rc = source && target ? 0 : -1;
	if (rc == 0 && past) {
		bl_live_info info;
		bl_live_info_get(past, &info);
		info.state = BL_RUN_STOPPED;
		info.step = step;
		snprintf(info.message, sizeof info.message, "forked at step %lld of %.180s", (long long)step, from);
		l = bl_live_create(target, &info, NULL); /* bl_live_resume adds the columns */
		if (l && access(target, F_OK) != 0) {    /* without space on the disk, it is in memory only */
			bl_live_info_get(l, &info);
			rc = bl_fail("%s: %s", target, info.message);
		} else {
			rc = l ? bl_live_resume(l, past, step) : -1;
		}
	}
	bl_live_close(l);
	bl_live_close(past);
	free(source);
	free(target);
	return rc;
}

int bl_runs_write_parent(const char *from, const char *into, int64_t step)
{
	char *whole = realpath(from, NULL), *path = bl_runs_path(into, BL_RUN_PARENT), *text = NULL;
	int n = whole && path ? asprintf(&text, "%lld %s\n", (long long)step, whole) : -1;
	int rc = n > 0 ? bl_file_write_private(path, text, (size_t)n) : bl_fail("%s: %s", from, strerror(errno));
	if (n > 0)
		free(text);
	free(whole);
	free(path);
	return rc;
}

char *bl_runs_parent(const char *folder, int64_t *step)
{
	size_t n;
	char *path = bl_runs_path(folder, BL_RUN_PARENT), *bytes = path ? bl_file_read(path, &n) : NULL, *parent = NULL;
	long long v;
	int at = 0;
	bool valid = false;
	if (bytes && n > 0 && bytes[n - 1] == '\n' && !memchr(bytes, '\0', n)) {
		bytes[n - 1] = '\0';
		if (sscanf(bytes, "%19lld %n", &v, &at) == 1 && at > 0 && bytes[at] == '/' && v >= 0) {
			parent = bl_text_copy(bytes + at);
			*step = v;
			valid = true;
		}
	}
	if (bytes && !valid)
		bl_fail("%s: expected a step and the path of a folder", path);
	free(bytes);
	free(path);
	return parent;
}

/* --- A fork -------------------------------------------------------------------------------------- */

/*
 * Makes the fork's folder: `into` or, if that is NULL, a new folder for the name of the run in `from` ("fashion" for
 * ".../fashion-20261130-014202").  Returns its path, which the caller frees; NULL with bl_error.
 */
static char *folder_for(const char *from, const char *into)
{
	if (into) {
		int taken = bl_runs_folder_take(into);
		return taken == 0 ? bl_text_copy(into) : NULL;
	}
	char *path = bl_runs_path(from, BL_RUN_LIVE);
	bl_live *past = path ? bl_live_open_whole(path, false) : NULL;
	bl_live_info info = { .name = "fork" };
	if (past)
		bl_live_info_get(past, &info);
	bl_live_close(past);
	free(path);
	return bl_runs_folder_new(info.name);
}

char *bl_runs_fork(const char *from, const char *into)
{
	if (!has(from, BL_RUN_CHECKPOINT))
		return bl_fail_null("%s: there is no checkpoint (%s) to fork from", from, BL_RUN_CHECKPOINT);
	char *folder = folder_for(from, into);
	if (!folder)
		return NULL;
	int64_t step;
	if (copy_files(from, folder) == 0 && read_step(folder, &step) == 0 && bl_runs_write_parent(from, folder, step) == 0 &&
	    make_live(from, folder, step) == 0) /* last: a folder without a live file is not a run yet */
		return folder;
	char why[512];
	snprintf(why, sizeof why, "%s", bl_error());
	bl_runs_delete(folder); /* the incomplete folder */
	free(folder);
	return bl_fail_null("%s", why);
}
