/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recipe_file.c: writes a run's recipe; an existing file that differs, because a user has edited it, gets another name.
 */
#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/runs.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPIES = 1000 };

/* Does the file have this content?  1: yes; 0: no; negative with bl_error: it cannot be read. */
static int holds(const char *path, const char *text, size_t n)
{
	size_t there;
	char *old = bl_file_read(path, &there);
	int same = old ? there == n && memcmp(old, text, n) == 0 : -1;
	free(old);
	return same;
}

/* Links the file to another name: the first free one of "recipe.lua.1", "recipe.lua.2" and so on. */
static int keep_copy(const char *path)
{
	size_t size = strlen(path) + 16;
	char *name = malloc(size);
	int rc = name ? -1 : bl_fail("%s: no memory for the name of a copy", path);
	for (int i = 1; name && i <= COPIES; i++) {
		snprintf(name, size, "%s.%d", path, i);
		rc = link(path, name);
		if (rc == 0 || errno != EEXIST)
			break;
	}
	if (name && rc < 0)
		bl_fail("%s: cannot keep a copy of it as %s: %s", path, name, strerror(errno));
	free(name);
	return rc;
}

int bl_runs_write_recipe(const char *folder, const char *text, size_t n)
{
	struct stat st;
	char *path = bl_runs_path(folder, BL_RUN_RECIPE);
	bool exists = path && lstat(path, &st) == 0;
	int rc = !path ? -1 : !exists ? 0 : holds(path, text, n);
	if (rc == 0 && exists)
		rc = keep_copy(path);
	if (rc == 0)
		rc = bl_file_write_private(path, text, n);
	free(path);
	return rc < 0 ? -1 : 0;
}
