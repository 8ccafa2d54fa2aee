/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file.c: reads and writes files. */
#include "base/path.h"

#include <barlow/error.h>
#include <barlow/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_TRIES = 100, LINKS_MAX = 40, ENDING_ROOM = 48 };

int bl_file_put(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;
	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			errno = done < 0 ? errno : ENOSPC;
			return -1;
		}
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int64_t bl_file_get(int fd, void *bytes, size_t n, int64_t at)
{
	size_t have = 0;
	while (have < n) {
		ssize_t got = pread(fd, (char *)bytes + have, n - have, (off_t)at + (off_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (int64_t)have;
}

/* The path that the symbolic link `path` names, which may be another link; NULL with errno. */
static char *read_link(const char *path)
{
	char to[PATH_MAX];
	const char *slash = strrchr(path, '/');
	ssize_t n = readlink(path, to, sizeof to - 1);
	size_t size = strlen(path) + sizeof to;
	char *next;

	if (n < 0)
		return NULL;
	to[n] = '\0';
	if (to[0] == '/' || !slash)
		return strdup(to);
	next = malloc(size);
	if (next)
		snprintf(next, size, "%.*s/%s", (int)(slash - path), path, to);
	return next;
}

/*
 * The path of the file that a write to `path` replaces.  Symbolic links are followed, even if the target does not
 * exist. *mode becomes the file's permissions; it is unchanged if there is no file.  NULL with bl_error.
 */
static char *target_of(const char *path, mode_t *mode)
{
	char *at = strdup(path);
	struct stat st;
	int links = 0;

	while (at && lstat(at, &st) == 0 && S_ISLNK(st.st_mode)) {
		char *next = links++ < LINKS_MAX ? read_link(at) : (errno = ELOOP, NULL);
		free(at);
		at = next;
	}
	if (!at)
		return bl_fail_null("%s: cannot follow the symbolic link: %s", path, strerror(errno));
	if (lstat(at, &st) != 0)
		return at;
	if (!S_ISREG(st.st_mode)) {
		free(at);
		return bl_fail_null("%s: not a regular file: expected a file that can be replaced, or a new name", path);
	}
	*mode = st.st_mode & 0777;
	return at;
}

/* The number of bytes of the path that can be used before an ending, so that the file's name is not too long. */
static int stem_bytes(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0, name = strlen(path) - folder;
	return (int)(folder + (name < NAME_MAX - ENDING_ROOM ? name : NAME_MAX - ENDING_ROOM));
}

/*
 * Creates a file with a new name in the folder of `target`, and writes its path into temp.  The permissions are `mode`
 * or, unless `exact`, `mode` without the bits of the umask.  (mkstemp would make the file unreadable for the group.)
 */
static int open_beside(const char *target, mode_t mode, bool exact, char *temp, size_t size)
{
	static atomic_uint counter;
	int fd = -1;

	for (int i = 0; i < NAME_TRIES && fd < 0; i++) {
		unsigned turn = atomic_fetch_add(&counter, 1);

		snprintf(temp, size, "%.*s.%ld-%u.tmp", stem_bytes(target), target, (long)getpid(), turn);
		fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd >= 0 && exact)
		fchmod(fd, mode); /* undoes the umask; if this fails, the file has fewer permissions */
	return fd;
}

/*
 * Makes a rename in the folder of `path` durable.  File systems that cannot sync a folder return EINVAL, which is
 * ignored.
 */
static int sync_folder(const char *path)
{
	char *folder = bl_path_folder(path);
	int fd, rc;

	if (!folder)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	if (rc < 0 && errno == EINVAL)
		rc = 0;
	close(fd);
	return rc;
}

static int fill_and_close(int fd, const void *bytes, size_t n)
{
	int rc = bl_file_put(fd, bytes, n);
	int why;

	if (rc == 0)
		rc = fsync(fd);
	why = errno;
	if (close(fd) < 0 && rc == 0)
		return -1;
	errno = why;
	return rc;
}

/* Replaces the file `target`, the result of target_of(path), atomically; messages name `path`. */
static int replace(const char *path, const char *target, mode_t mode, bool exact, const void *bytes, size_t n)
{
	size_t size = strlen(target) + 64;
	char *temp = malloc(size);
	int fd, why;

	if (!temp)
		return bl_fail("%s: no memory for its temporary name", path);
	fd = open_beside(target, mode, exact, temp, size);
	if (fd < 0) {
		why = errno;
		free(temp);
		return bl_fail("%s: cannot make a file there: %s", path, strerror(why));
	}
	if (fill_and_close(fd, bytes, n) < 0 || rename(temp, target) < 0) {
		why = errno;
		unlink(temp);
		free(temp);
		return bl_fail("%s: cannot write %zu bytes: %s; the old file, if any, is unchanged", path, n, strerror(why));
	}
	free(temp);
	if (sync_folder(target) < 0)
		return bl_fail("%s: written, but its folder cannot be synced: %s", path, strerror(errno));
	return 0;
}

/* fresh: the permissions of a new file, before the umask is applied. */
static int write_file(const char *path, mode_t fresh, const void *bytes, size_t n)
{
	mode_t mode = (mode_t)-1;
	char *target = target_of(path, &mode);
	bool there = mode != (mode_t)-1;
	int rc = target ? replace(path, target, there ? mode : fresh, there, bytes, n) : -1;

	free(target);
	return rc;
}

int bl_file_write_atomic(const char *path, const void *bytes, size_t n)
{
	return write_file(path, 0666, bytes, n);
}

int bl_file_write_private(const char *path, const void *bytes, size_t n)
{
	return write_file(path, 0600, bytes, n);
}

static void *read_exactly(int fd, const char *path, size_t n)
{
	char *bytes = malloc(n ? n : 1);
	size_t have = 0;

	if (!bytes)
		return bl_fail_null("%s: no memory for its %zu bytes", path, n);
	while (have < n) {
		ssize_t got = read(fd, bytes + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			bl_fail("%s: cannot read past byte %zu of %zu: %s", path, have, n,
			        got < 0 ? strerror(errno) : "it became shorter");
			free(bytes);
			return NULL;
		}
		have += (size_t)got;
	}
	return bytes;
}

void *bl_file_read(const char *path, size_t *n)
{
	/* O_NONBLOCK: opening a FIFO must not block; it is refused below. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *bytes;

	if (fd < 0)
		return bl_fail_null("%s: cannot open: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return bl_fail_null("%s: not a regular file", path);
	}
	bytes = read_exactly(fd, path, (size_t)st.st_size);
	close(fd);
	if (bytes)
		*n = (size_t)st.st_size;
	return bytes;
}

static int copy_once(const char *to, const void *bytes, size_t n)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 1 : bl_fail("%s: %s", to, strerror(errno));
	bool fine = bl_file_put(fd, bytes, n) == 0 && fsync(fd) == 0;
	int rc = fine ? 0 : bl_fail("%s: %s", to, strerror(errno));
	close(fd);
	if (!fine)
		unlink(to);
	return rc;
}

int bl_file_publish(const char *from, const char *to, const void *bytes, size_t n)
{
	if (link(from, to) == 0)
		return 0;
	if (errno == EEXIST)
		return 1;
	if (errno == EPERM || errno == ENOTSUP || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK)
		return copy_once(to, bytes, n);
	return bl_fail("%s: %s", to, strerror(errno));
}

static int make_one(const char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return bl_fail("%s: %s", path, strerror(errno));
}

int bl_file_make_folder(const char *path)
{
	char *part = strdup(path);
	int rc = part ? 0 : bl_fail("%s: no memory", path);
	for (char *c = part; c && *c && rc == 0; c++) {
		if (*c != '/' || c == part)
			continue;
		*c = '\0';
		rc = make_one(part);
		*c = '/';
	}
	free(part);
	return rc ? rc : make_one(path);
}
