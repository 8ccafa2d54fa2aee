/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * delete.c: removes the folder of a run.
 *
 * Everything is examined and removed relative to the folder's descriptor, and no link is followed.  So nothing outside
 * of the folder can be removed, whatever the folder contains.
 */
#include "store/runs.h"

#include <barlow/error.h>
#include <barlow/runs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH = 32, FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* --- Files and folders below a descriptor ------------------------------------------------------ */

typedef bool choice(const char *name);

static int remove_below(int fd, const char *shown, choice *wanted, int depth);

static int remove_folder(int fd, const char *name, const char *shown, int depth)
{
	struct stat outside, inside;
	int below = openat(fd, name, FOLDER_FLAGS);
	if (below < 0)
		return bl_fail("%s: %s: %s", shown, name, strerror(errno));
	int rc = fstat(fd, &outside) != 0 || fstat(below, &inside) != 0 ? bl_fail("%s: %s: %s", shown, name, strerror(errno))
	         : outside.st_dev != inside.st_dev                      ? bl_fail("%s: %s is another file system", shown, name)
	         : depth == 0                                           ? bl_fail("%s: folders are nested too deep", shown)
	                                                                : remove_below(below, shown, NULL, depth - 1);
	close(below);
	if (rc == 0 && unlinkat(fd, name, AT_REMOVEDIR) != 0)
		rc = bl_fail("%s: %s: %s", shown, name, strerror(errno));
	return rc;
}

static int remove_one(int fd, const char *name, const char *shown, int depth)
{
	struct stat s;
	if (fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : bl_fail("%s: %s: %s", shown, name, strerror(errno));
	if (S_ISDIR(s.st_mode))
		return remove_folder(fd, name, shown, depth);
	return unlinkat(fd, name, 0) == 0 || errno == ENOENT ? 0 : bl_fail("%s: %s: %s", shown, name, strerror(errno));
}

/* Removes the entries of a folder for which `wanted` is true; NULL: all entries. */
static int remove_below(int fd, const char *shown, choice *wanted, int depth)
{
	int again = openat(fd, ".", FOLDER_FLAGS), rc = 0;
	DIR *d = again < 0 ? NULL : fdopendir(again);
	if (!d) {
		if (again >= 0)
			close(again);
		return bl_fail("%s: %s", shown, strerror(errno));
	}
	for (struct dirent *e; rc == 0 && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && (!wanted || wanted(e->d_name)))
			rc = remove_one(fd, e->d_name, shown, depth);
	closedir(d);
	return rc;
}

/* --- The run's folder ---------------------------------------------------------------------------- */

/* The parent of the run's folder, and the folder's name in it. */
typedef struct target {
	char *path; /* of the parent; `name` points into the same memory */
	const char *name;
	int parent, folder;
} target;

static int open_target(const char *folder, target *t)
{
	size_t n = strlen(folder);
	while (n > 1 && folder[n - 1] == '/')
		n--;
	t->path = strndup(folder, n);
	char *slash = t->path ? strrchr(t->path, '/') : NULL;
	if (!t->path)
		return bl_fail("%s: no memory for its name", folder);
	t->name = slash ? slash + 1 : t->path;
	if (!*t->name || strcmp(t->name, ".") == 0 || strcmp(t->name, "..") == 0)
		return bl_fail("%s: expected the name of a run's folder", folder);
	if (slash)
		*slash = '\0';
	t->parent = open(!slash ? "." : slash == t->path ? "/" : t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	t->folder = t->parent < 0 ? -1 : openat(t->parent, t->name, FOLDER_FLAGS);
	if (t->folder < 0)
		return bl_fail("%s: %s", folder,
		               errno == ELOOP || errno == ENOTDIR ? "a link or a file, not a run's folder" : strerror(errno));
	return 0;
}

static bool holds_a_run(int fd)
{
	struct stat s;
	for (const char *const *name = bl_runs_files; *name; name++)
		if (fstatat(fd, *name, &s, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return false;
}

/* Is the parent the folder of all runs?  Everything in the folders there was made by barlow. */
static bool is_ours(int parent)
{
	struct stat above, root;
	char *path = bl_runs_root();
	bool ours = path && fstat(parent, &above) == 0 && stat(path, &root) == 0 && above.st_dev == root.st_dev &&
	            above.st_ino == root.st_ino;
	free(path);
	return ours;
}

/* --- A run ----------------------------------------------------------------------------------------- */

static int remove_run(const target *t, const char *shown)
{
	bool ours = is_ours(t->parent);
	if (remove_below(t->folder, shown, ours ? NULL : bl_runs_is_file, DEPTH) != 0)
		return -1;
	if (unlinkat(t->parent, t->name, AT_REMOVEDIR) == 0)
		return 0;
	return bl_fail("%s: the run's files are removed, but the folder stays: %s", shown,
	               errno == ENOTEMPTY || errno == EEXIST ? "there is something else in it" : strerror(errno));
}

int bl_runs_delete(const char *folder)
{
	target t = { .parent = -1, .folder = -1 };
	int rc = open_target(folder, &t);
	if (rc == 0 && !holds_a_run(t.folder))
		rc = bl_fail("%s: there is no run in it", folder);
	if (rc == 0 && flock(t.folder, LOCK_EX | LOCK_NB) != 0)
		rc = bl_fail("%s: another process is resuming the run", folder);
	if (rc == 0)
		rc = bl_runs_check_idle(folder);
	if (rc == 0)
		rc = remove_run(&t, folder);
	if (t.folder >= 0)
		close(t.folder);
	if (t.parent >= 0)
		close(t.parent);
	free(t.path);
	return rc;
}
