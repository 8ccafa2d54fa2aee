/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file.c: whole files, in and out. */
#include <barlow/error.h>
#include <barlow/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_TRIES = 100 };

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, bytes, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		bytes += done;
		n -= (size_t)done;
	}
	return 0;
}

/* A file beside path that nobody else has; its name into temp.  mkstemp would make it unreadable for the group. */
static int open_beside(const char *path, char *temp, size_t size)
{
	static atomic_uint counter;
	int fd = -1;

	for (int i = 0; i < NAME_TRIES && fd < 0; i++) {
		unsigned turn = atomic_fetch_add(&counter, 1);

		snprintf(temp, size, "%s.%ld-%u.tmp", path, (long)getpid(), turn);
		fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

/* Makes the rename itself last.  Some file systems cannot sync a folder and say EINVAL: nothing better exists there. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
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
	int rc = write_all(fd, bytes, n);
	int why;

	if (rc == 0)
		rc = fsync(fd);
	why = errno;
	if (close(fd) < 0 && rc == 0)
		return -1;
	errno = why;
	return rc;
}

int bl_file_write_atomic(const char *path, const void *bytes, size_t n)
{
	size_t size = strlen(path) + 64;
	char *temp = malloc(size);
	int fd, why;

	if (!temp)
		return bl_fail("%s: no memory for its temporary name", path);
	fd = open_beside(path, temp, size);
	if (fd < 0) {
		why = errno;
		free(temp);
		return bl_fail("%s: cannot make a file there: %s", path, strerror(why));
	}
	if (fill_and_close(fd, bytes, n) < 0 || rename(temp, path) < 0) {
		why = errno;
		unlink(temp);
		free(temp);
		return bl_fail("%s: cannot write %zu bytes: %s; what was there is unchanged", path, n, strerror(why));
	}
	free(temp);
	if (sync_folder(path) < 0)
		return bl_fail("%s: written, but its folder cannot be synced: %s", path, strerror(errno));
	return 0;
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
				got < 0 ? strerror(errno) : "it got shorter");
			free(bytes);
			return NULL;
		}
		have += (size_t)got;
	}
	return bytes;
}

void *bl_file_read(const char *path, size_t *n)
{
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
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
