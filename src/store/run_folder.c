/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_folder.c: where runs lie, and new folders for them. */
#include <barlow/error.h>
#include <barlow/file.h>
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

int bl_runs_folder_take(const char *folder)
{
	char *live = *folder ? bl_runs_path(folder, BL_RUN_LIVE) : bl_fail_null("a folder for the run has an empty name");
	int rc = live ? bl_file_make_folder(folder) : -1;
	if (rc == 0 && access(live, F_OK) == 0) {
		bl_fail("%s: the folder holds a run already", folder);
		rc = 1;
	}
	free(live);
	return rc;
}
