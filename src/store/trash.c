/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trash.c: moves deleted runs to the trash, from which they can be restored. */
#define _GNU_SOURCE 1 /* renameat2 */
#include "store/runs.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/runs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_TRIES = 1000 };

/* Returns the last part of a folder's path, without slashes at its end, as a new string. */
static char *name_of(const char *folder)
{
	size_t n = strlen(folder);
	while (n > 1 && folder[n - 1] == '/')
		n--;
	size_t from = n;
	while (from > 0 && folder[from - 1] != '/')
		from--;
	return strndup(folder + from, n - from);
}

/*
 * Returns 0 if `folder` is the same folder as `among`, the path in the folder of all runs that has the same last part;
 * else negative with bl_error.
 */
static int check_place(const char *folder, const char *among)
{
	struct stat a, b;
	if (lstat(folder, &a) != 0 || !S_ISDIR(a.st_mode))
		return bl_fail("%s: expected the folder of a run", folder);
	if (lstat(among, &b) != 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return bl_fail("%s: not in the folder of all runs: only runs in that folder can be moved to the trash", folder);
	return 0;
}

/*
 * Moves the folder to the first free name of NAME, NAME.2, ... in the trash.  Returns the new path, which the caller
 * frees; NULL with bl_error.
 */
static char *move_into(const char *trash, const char *folder, const char *name)
{
	size_t size = strlen(trash) + strlen(name) + 16;
	char *to = malloc(size);
	for (int turn = 1; to && turn <= NAME_TRIES; turn++) {
		int n = snprintf(to, size, "%s/%s", trash, name);
		if (turn > 1)
			snprintf(to + n, size - (size_t)n, ".%d", turn);
		if (renameat2(AT_FDCWD, folder, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
			return to;
		if (errno != EEXIST)
			break;
	}
	bl_fail("%s: cannot be moved to %s: %s", folder, trash, to ? strerror(errno) : "no memory");
	free(to);
	return NULL;
}

char *bl_runs_to_trash(const char *folder)
{
	char *root = bl_runs_root(), *name = name_of(folder), *to = NULL;
	char *among = root && name ? bl_runs_path(root, name) : NULL, *trash = root ? bl_runs_path(root, "../trash") : NULL;
	int claim = among && trash && check_place(folder, among) == 0 ? bl_runs_claim(folder) : -1;
	if (claim >= 0 && bl_file_make_folder(trash) == 0) {
		char *whole = realpath(trash, NULL);
		to = move_into(whole ? whole : trash, folder, name);
		free(whole);
	}
	if (claim >= 0)
		bl_runs_release(claim);
	free(root);
	free(name);
	free(among);
	free(trash);
	return to;
}

int64_t bl_runs_size(const char *folder)
{
	DIR *d = opendir(folder);
	struct stat s;
	int64_t bytes = 0;
	for (struct dirent *e; d && (e = readdir(d));)
		if (fstatat(dirfd(d), e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode))
			bytes += (int64_t)s.st_blocks * 512;
	if (d)
		closedir(d);
	return bytes;
}
