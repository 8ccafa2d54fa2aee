/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_folder.c: where runs lie, and new folders for them. */
#include <barlow/error.h>
#include <barlow/runs.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_BYTES = 63, NAME_TRIES = 1000 };

char *bl_runs_path(const char *folder, const char *file)
{
	size_t n = strlen(folder) + strlen(file) + 2;
	char *path = malloc(n);
	if (!path)
		return bl_fail_null("no memory for a file's name");
	snprintf(path, n, "%s/%s", folder, file);
	return path;
}

/* As the XDG base directory specification has it: what is not absolute does not count. */
char *bl_runs_root(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (data && *data == '/')
		return bl_runs_path(data, "barlow/runs");
	if (home && *home == '/')
		return bl_runs_path(home, ".local/share/barlow/runs");
	return bl_fail_null("no place for runs: neither XDG_DATA_HOME nor HOME is set");
}

static int make_folder(const char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return bl_fail("%s: %s", path, strerror(errno));
}

/* Every folder on the way that is missing; the path is changed meanwhile. */
static int make_folders(char *path)
{
	int rc = 0;
	for (char *c = path; *c && rc == 0; c++) {
		if (*c != '/' || c == path)
			continue;
		*c = '\0';
		rc = make_folder(path);
		*c = '/';
	}
	return rc ? rc : make_folder(path);
}

/* Letters, digits, dot, dash and underscore stay; no name hides, none is an option. */
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
	if (make_folders(root) == 0 && first_free(path, size, root, name, stamp) == 0)
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

int bl_runs_folder_take(const char *folder)
{
	char *path = *folder ? strdup(folder) : bl_fail_null("a folder for the run has an empty name"),
	     *live = path ? bl_runs_path(folder, BL_RUN_LIVE) : NULL;
	int rc = live ? make_folders(path) : -1;
	if (rc == 0 && access(live, F_OK) == 0) {
		bl_fail("%s: the folder holds a run already", folder);
		rc = 1;
	}
	free(path);
	free(live);
	return rc;
}
