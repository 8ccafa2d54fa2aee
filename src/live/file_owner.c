/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file_owner.c: finds out which run the file at the live file's path belongs to, and restores a live file that has lost
 * its name.
 *
 * If the file was removed, moved away or replaced, the reason is unknown: a process that resumes the run replaces the
 * file, too.  So the owner's function (bl_live_owned) is called to claim the run, and the claim is held until the file
 * is restored.
 */
#define _GNU_SOURCE /* dup3 */
#include "base/path.h"
#include "live/livefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

/* What the file's path names now: the file itself, nothing, another file; or its folder does not exist any more. */
enum name { NAME_OURS, NAME_FREE, NAME_TAKEN, NAME_NOWHERE };

static bool folder_exists(const char *path)
{
	struct stat s;
	char *folder = bl_path_folder(path);
	bool exists = folder && stat(folder, &s) == 0;
	free(folder);
	return exists;
}

static enum name look(const bl_live *l)
{
	struct stat ours, there;
	const char *path = l->writer ? l->writer->path : l->path;
	if (!path || fstat(l->fd, &ours) != 0)
		return NAME_OURS;
	if (lstat(path, &there) != 0)
		return errno == ENOENT && folder_exists(path) ? NAME_FREE : NAME_NOWHERE;
	return there.st_dev == ours.st_dev && there.st_ino == ours.st_ino ? NAME_OURS : NAME_TAKEN;
}

/* Does the file still have its name?  If its folder is gone, the folder may have been moved together with the file. */
bool bl_owner_named(const bl_live *l)
{
	enum name name = look(l);
	return name == NAME_OURS || name == NAME_NOWHERE;
}

/*
 * Claims the file's name; *claim becomes the claim's descriptor, or -1.  If there is no function to claim it, a free
 * name may be used, and another file of that name is an error.  Returns 0, BL_LIVE_BUSY, or negative with bl_error.
 */
static int claim_name(const bl_live *l, enum name name, bool wait, int *claim)
{
	const struct live_writer *w = l->writer;
	*claim = -1;
	if (!w || !w->claim)
		return name == NAME_FREE ? 0 : bl_fail("another file was put in the place of %s", w ? w->path : l->path);
	*claim = w->claim(w->path, w->owner, wait);
	return *claim < 0 ? *claim : 0;
}

int bl_live_check_folder(const bl_live *l)
{
	struct stat s;
	int claim = -1, rc = 0;
	enum name name = l->fd < 0 ? NAME_OURS : look(l);
	if (name == NAME_NOWHERE && fstat(l->fd, &s) == 0 && s.st_nlink == 0)
		return bl_fail("its folder was removed");
	if (name == NAME_FREE || name == NAME_TAKEN)
		rc = claim_name(l, name, true, &claim);
	if (claim >= 0)
		close(claim);
	return rc == 0 ? 0 : -1;
}

int bl_live_owned(bl_live *l, const char *owner, bl_live_claim *claim)
{
	char *copy = strdup(owner);
	if (!copy || !l->writer) {
		free(copy);
		return bl_fail("live: %s", l->writer ? "no memory for the owner's name" : "this handle is a reader's");
	}
	pthread_mutex_lock(&l->lock);
	free(l->writer->owner);
	l->writer->owner = copy;
	l->writer->claim = claim;
	pthread_mutex_unlock(&l->lock);
	return 0;
}

/* --- Restoring the file ------------------------------------------------------------- */

static int copy_to(const bl_live *l, int fd)
{
	char bytes[CHUNK];
	ssize_t n;
	uint64_t at = 0;
	for (; (n = pread(l->fd, bytes, sizeof bytes, (off_t)at)) > 0; at += (uint64_t)n) {
		int err = bl_disk_write(fd, at, bytes, (size_t)n);
		if (err != 0)
			return err;
	}
	return n < 0 ? errno : 0;
}

static int put_back(bl_live *l, bool claimed)
{
	char temporary[4096];
	if (snprintf(temporary, sizeof temporary, "%s.%ld.new", l->writer->path, (long)getpid()) >= (int)sizeof temporary)
		return ENAMETOOLONG;
	int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	int err = copy_to(l, fd);
	if (err == 0)
		err = bl_disk_sync(fd);
	/*
	 * With a claim, a file of that name does not belong to the run, and is replaced.  Without one, link() fails if
	 * a file has appeared.
	 */
	if (err == 0 && (claimed ? rename(temporary, l->writer->path) : link(temporary, l->writer->path)) != 0)
		err = errno;
	if (err == 0 && dup3(fd, l->fd, O_CLOEXEC) < 0)
		err = errno;
	unlink(temporary);
	close(fd);
	return err;
}

bool bl_owner_regain(bl_live *l)
{
	struct live_writer *w = l->writer;
	enum name name = look(l);
	const char *what = name == NAME_FREE ? "removed" : "replaced";
	int claim, rc = claim_name(l, name, false, &claim);
	bool back = false;
	if (rc == 0) {
		int err = put_back(l, claim >= 0);
		back = err == 0;
		if (back)
			bl_writer_problem(l, "the run's live file was %s by another program; it was written again", what);
		else if (!w->problem[0])
			bl_writer_problem(
				l,
				"the run's live file was %s by another program, and cannot be written again: %s; training continues",
				what, strerror(err));
	} else if (rc != BL_LIVE_BUSY && !w->lost) {
		bl_writer_problem(l, "%.150s: nothing more is kept there", bl_error());
		w->lost = true;
	}
	if (claim >= 0)
		close(claim);
	return back;
}
