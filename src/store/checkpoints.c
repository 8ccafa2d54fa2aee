/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * checkpoints.c: keeps and finds checkpoints of earlier steps, checkpoint-STEP.safetensors.
 *
 * The newest checkpoint has two names (hard links), checkpoint.safetensors and a name with its step, but is stored
 * once.
 */
#include "store/checkpoints.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/runs.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_FOUND = 4096, SHOWN = 400 };

static int by_step(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* Lists the steps of the folder's checkpoints, ascending, and returns their number. */
static int find_steps(const char *folder, int64_t step[MOST_FOUND])
{
	DIR *d = opendir(folder);
	int n = 0;
	for (struct dirent *e; d && n < MOST_FOUND && (e = readdir(d));)
		n += bl_checkpoints_is_one(e->d_name, &step[n]);
	if (d)
		closedir(d);
	qsort(step, (size_t)n, sizeof *step, by_step);
	return n;
}

static char *path_of(const char *folder, int64_t step)
{
	char name[64];
	snprintf(name, sizeof name, BL_CHECKPOINT_HEAD "%lld" BL_CHECKPOINT_TAIL, (long long)step);
	return bl_runs_path(folder, name);
}

/* Links `from` to the name `to`.  If the file system has no hard links, the file is copied. */
static int keep_one(const char *from, const char *to)
{
	size_t n;
	unlink(to);
	if (link(from, to) == 0)
		return 0;
	if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
		return bl_fail("%s: %s", to, strerror(errno));
	void *bytes = bl_file_read(from, &n);
	int rc = bytes ? bl_file_write_private(to, bytes, n) : -1;
	free(bytes);
	return rc;
}

int bl_checkpoints_rotate(const char *folder, int64_t step, int most)
{
	int64_t *found = malloc(MOST_FOUND * sizeof *found);
	char *from = bl_runs_path(folder, BL_RUN_CHECKPOINT), *to = path_of(folder, step);
	int rc = found && from && to ? keep_one(from, to) : bl_fail("%s: no memory for its checkpoints", folder);
	int n = rc == 0 ? find_steps(folder, found) : 0;
	for (int i = 0; i < n - most; i++) {
		char *old = path_of(folder, found[i]);
		if (old)
			unlink(old);
		free(old);
	}
	free(from);
	free(to);
	free(found);
	return rc;
}

char *bl_runs_checkpoint(const char *folder, int64_t step)
{
	int64_t *found = malloc(MOST_FOUND * sizeof *found);
	char *path = path_of(folder, step), steps[SHOWN] = "";
	int n = found ? find_steps(folder, found) : 0;
	if (!found || !path) {
		free(found);
		free(path);
		return bl_fail_null("no memory to look for checkpoints");
	}
	if (access(path, R_OK) == 0) {
		free(found);
		return path;
	}
	for (int i = 0; i < n; i++) {
		size_t used = strlen(steps);
		snprintf(steps + used, sizeof steps - used, "%s%lld", i ? ", " : "", (long long)found[i]);
	}
	free(found);
	free(path);
	return bl_fail_null("%s: no checkpoint of step %lld was kept there; %s%s", folder, (long long)step,
	                    n ? "there are those of steps " : "with trainer{checkpoints = 3}, a run keeps the newest three", steps);
}
