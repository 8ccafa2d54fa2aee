/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_folder.c: the folder of all runs, and new folders for runs. */
#include "store/runs.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/run_file.h>
#include <barlow/runs.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_BYTES = 63, NAME_TRIES = 1000 };

/* XDG base directory specification: a path that is not absolute is ignored. */
char *bl_runs_root(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (data && *data == '/')
		return bl_runs_path(data, "barlow/runs");
	if (home && *home == '/')
		return bl_runs_path(home, ".local/share/barlow/runs");
	return bl_fail_null("no folder for runs: neither XDG_DATA_HOME nor HOME is an absolute path");
}

bool bl_runs_is_folder(DIR *d, const struct dirent *e)
{
	struct stat s;
	if (e->d_name[0] == '.')
		return false;
	if (e->d_type == DT_DIR || e->d_type == DT_REG)
		return e->d_type == DT_DIR;
	return fstatat(dirfd(d), e->d_name, &s, 0) == 0 && S_ISDIR(s.st_mode);
}

/*
 * Replaces every byte except ASCII letters, digits, '.', '-' and '_' by '_'; also a '.' at the start, which would hide the
 * folder, and a '-' at the start, which commands would take for an option.
 */
static void folder_name(char out[NAME_BYTES + 1], const char *name)
{
	int n = 0;
	for (; name[n] && n < NAME_BYTES; n++) {
		unsigned char c = (unsigned char)name[n];
		bool fine = c < 128 && (isalnum(c) || c == '_' || (n > 0 && (c == '.' || c == '-')));
		out[n] = fine ? (char)c : '_';
	}
	out[n] = '\0';
}

static int first_free(char *path, size_t size, const char *root, const char *name, const char *stamp)
{
	for (int turn = 1; turn <= NAME_TRIES; turn++) {
		int n = snprintf(path, size, "%s/%s-%s", root, name, stamp);
		if (turn > 1)
			snprintf(path + n, size - (size_t)n, "-%d", turn);
		if (mkdir(path, 0700) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return bl_fail("%s: %s", path, strerror(errno));
}

static char *make_in(char *root, const char *run)
{
	char name[NAME_BYTES + 1], stamp[32];
	time_t now = time(NULL);
	struct tm local;
	size_t size = strlen(root) + sizeof name + sizeof stamp + 16;
	char *path = malloc(size);
	if (!path)
		return bl_fail_null("no memory for a folder's name");
	folder_name(name, *run ? run : "run");
	strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
	if (bl_file_make_folder(root) == 0 && first_free(path, size, root, name, stamp) == 0)
		return path;
	free(path);
	return NULL;
}

char *bl_runs_folder_new(const char *name)
{
	char *root = bl_runs_root(), *path = root ? make_in(root, name) : NULL;
	free(root);
	return path;
}

/*
 * Would a new run overwrite this file and lose it?  An existing recipe gets another name, temporary and broken files
 * are not needed, and folders are not overwritten.
 */
static bool would_be_lost(int folder, const char *name)
{
	struct stat s;
	return bl_runs_is_file(name) && !bl_runs_is_leftover(name) && strcmp(name, BL_RUN_RECIPE) != 0 &&
	       strcmp(name, BL_RUN_FILE ".broken") != 0 &&
	       !(fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(s.st_mode));
}

/* Returns 0; 1 with bl_error: the run would overwrite a file; negative with bl_error: the folder cannot be read. */
static int check_free(const char *folder)
{
	DIR *d = opendir(folder);
	char found[NAME_MAX + 1] = "";
	if (!d)
		return bl_fail("%s: %s", folder, strerror(errno));
	for (struct dirent *e; (e = readdir(d));)
		if (would_be_lost(dirfd(d), e->d_name) && (!*found || strcmp(e->d_name, BL_RUN_LIVE) == 0))
			snprintf(found, sizeof found, "%s", e->d_name);
	closedir(d);
	if (!*found)
		return 0;
	if (strcmp(found, BL_RUN_LIVE) == 0)
		bl_fail("%s: the folder holds a run already", folder);
	else
		bl_fail("%s: the folder contains a file %s, which the run would overwrite: expected a folder without one", folder,
		        found);
	return 1;
}

int bl_runs_folder_take(const char *folder)
{
	if (!*folder)
		return bl_fail("a folder for the run has an empty name");
	return bl_file_make_folder(folder) == 0 ? check_free(folder) : -1;
}
