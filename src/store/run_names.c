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

/* checkpoint-STEP.safetensors.*.tmp */
static bool is_of_checkpoint(const char *name)
{
	char file[64];
	const char *tail = strstr(name, BL_CHECKPOINT_TAIL ".");
	size_t n = tail ? (size_t)(tail - name) + strlen(BL_CHECKPOINT_TAIL) : sizeof file;
	if (n >= sizeof file)
		return false;
	memcpy(file, name, n);
	file[n] = '\0';
	return bl_checkpoints_is_one(file, NULL);
}

/* FILE.*.tmp, FILE.*.new */
bool bl_runs_is_leftover(const char *name)
{
	const char *dot = strrchr(name, '.');
	if (!dot || (strcmp(dot, ".tmp") != 0 && strcmp(dot, ".new") != 0))
		return false;
	if (is_of_checkpoint(name))
		return true;
	for (const char *const *file = bl_runs_files; *file; file++)
		if (strncmp(name, *file, strlen(*file)) == 0 && name[strlen(*file)] == '.')
			return true;
	return false;
}

bool bl_runs_is_file(const char *name)
{
	for (const char *const *file = bl_runs_files; *file; file++)
		if (strcmp(*file, name) == 0)
			return true;
	return bl_runs_is_leftover(name) || bl_checkpoints_is_one(name, NULL);
}
