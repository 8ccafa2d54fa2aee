/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_names.c: the names of files in a run's folder. */
#include "store/checkpoints.h"
#include "store/runs.h"

#include <barlow/error.h>
#include <barlow/run_file.h>
#include <barlow/runs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 18 };

char *bl_runs_path(const char *folder, const char *file)
{
	size_t n = strlen(folder) + strlen(file) + 2;
	char *path = malloc(n);
	if (!path)
		return bl_fail_null("no memory for a file's name");
	snprintf(path, n, "%s/%s", folder, file);
	return path;
}

bool bl_checkpoints_is_one(const char *name, int64_t *step)
{
	size_t n = strlen(BL_CHECKPOINT_HEAD);
	if (strncmp(name, BL_CHECKPOINT_HEAD, n) != 0)
		return false;
	size_t digits = strspn(name + n, "0123456789");
	if (digits < 1 || digits > DIGITS || (name[n] == '0' && digits > 1) || strcmp(name + n + digits, BL_CHECKPOINT_TAIL) != 0)
		return false;
	if (step)
		*step = strtoll(name + n, NULL, 10);
	return true;
}

const char *const bl_runs_files[] = {
	BL_RUN_LIVE,    BL_RUN_RECIPE, BL_RUN_WEIGHTS, BL_RUN_CHECKPOINT,     BL_RUN_START,
	BL_RUN_JOURNAL, BL_RUN_PARENT, BL_RUN_FILE,    BL_RUN_FILE ".broken", NULL,
};

/* Returns the part of the name behind checkpoint-STEP.safetensors; NULL: the name does not begin with that. */
static const char *end_of_checkpoint(const char *name)
{
	char file[64];
	const char *tail = strstr(name, BL_CHECKPOINT_TAIL ".");
	size_t n = tail ? (size_t)(tail - name) + strlen(BL_CHECKPOINT_TAIL) : sizeof file;
	if (n >= sizeof file)
		return NULL;
	memcpy(file, name, n);
	file[n] = '\0';
	return bl_checkpoints_is_one(file, NULL) ? name + n : NULL;
}

/*
 * Returns the pid in the ending of a temporary file's name, ".PID-TURN.tmp" (base/file.c) or ".PID.new" (src/live); 0:
 * it is another ending.
 */
static int64_t writer_in(const char *end)
{
	size_t digits = strspn(end + 1, "0123456789");
	const char *rest = end + 1 + digits;
	if (*end != '.' || digits < 1 || digits > DIGITS)
		return 0;
	if (*rest == '-') {
		size_t turn = strspn(rest + 1, "0123456789");
		rest = turn < 1 || strcmp(rest + 1 + turn, ".tmp") != 0 ? NULL : "";
	} else {
		rest = strcmp(rest, ".new") == 0 ? "" : NULL;
	}
	return rest ? strtoll(end + 1, NULL, 10) : 0;
}

int64_t bl_runs_leftover_writer(const char *name)
{
	const char *end = end_of_checkpoint(name);
	if (end)
		return writer_in(end);
	for (const char *const *file = bl_runs_files; *file; file++) {
		size_t n = strlen(*file);
		int64_t writer = strncmp(name, *file, n) == 0 ? writer_in(name + n) : 0;
		if (writer > 0)
			return writer;
	}
	return 0;
}

bool bl_runs_is_leftover(const char *name)
{
	return bl_runs_leftover_writer(name) > 0;
}

bool bl_runs_is_file(const char *name)
{
	for (const char *const *file = bl_runs_files; *file; file++)
		if (strcmp(*file, name) == 0)
			return true;
	return bl_runs_is_leftover(name) || bl_checkpoints_is_one(name, NULL);
}
