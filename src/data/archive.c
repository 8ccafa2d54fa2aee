/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * archive.c: makes an index of a tar archive with libarchive, and reads files by their offsets.  No other file includes
 * libarchive's archive.h.
 *
 * libarchive returns the offset of an entry's first header.  The entry's bytes follow its last header, the ustar header
 * of 512 bytes.  Other headers (a long name, PAX records), each followed by its own data, may precede the last header.
 */
#include "data/archive.h"

#include <barlow/error.h>
#include <barlow/file.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 512, SIZE_AT = 124, SIZE_DIGITS = 12, TYPE_AT = 156, HEADERS_MOST = 64, AT_ONCE = 1 << 16 };
enum { CALLBACK_FAILED = -2 /* the callback failed; its message stays unchanged */ };

/* --- headers --- */

static const struct {
	const char *magic;
	size_t n;
	const char *name, *how;
} compressed[] = {
	{ "\x1f\x8b", 2, "gzip", "gunzip" },
	{ "\x28\xb5\x2f\xfd", 4, "Zstandard", "unzstd" },
	{ "\xfd"
	  "7zXZ",
	  5, "XZ", "unxz" },
	{ "BZh", 3, "bzip2", "bunzip2" },
	{ "\x04\x22\x4d\x18", 4, "LZ4", "unlz4" },
};

static int read_at(int fd, int64_t offset, void *out, int64_t n)
{
	int64_t got = bl_file_get(fd, out, (size_t)n, offset);
	if (got < 0)
		return bl_fail("%s", strerror(errno));
	return got == n ? 0 : bl_fail("it ends before byte %" PRId64, offset + got);
}

/* Refuses compressed archives, whose files cannot be read at their offsets. */
static int refuse_compressed(int fd)
{
	char first[8] = "";
	if (pread(fd, first, sizeof first, 0) < 0)
		return bl_fail("%s", strerror(errno));
	for (size_t i = 0; i < sizeof compressed / sizeof *compressed; i++)
		if (memcmp(first, compressed[i].magic, compressed[i].n) == 0)
			return bl_fail(
				"compressed with %s: expected a plain tar archive, whose files can be read in any order (%s unpacks it)",
				compressed[i].name, compressed[i].how);
	return 0;
}

/* Parses octal digits after spaces; -1 if there are none.  The sizes in extension headers are always octal. */
static int64_t octal(const char *digits)
{
	int64_t v = 0;
	int i = 0;
	while (i < SIZE_DIGITS && digits[i] == ' ')
		i++;
	if (digits[i] < '0' || digits[i] > '7')
		return -1;
	for (; i < SIZE_DIGITS && digits[i] >= '0' && digits[i] <= '7'; i++)
		v = 8 * v + (digits[i] - '0');
	return v;
}

/* Returns the offset of the bytes of the entry whose first header is at `at`, or -1 with bl_error. */
static int64_t find_bytes(int fd, int64_t at)
{
	char block[BLOCK];
	for (int i = 0; i < HEADERS_MOST; i++) {
		if (read_at(fd, at, block, BLOCK) < 0)
			return -1;
		at += BLOCK;
		if (!strchr("xgXLK", block[TYPE_AT]) || !block[TYPE_AT])
			return at;
		int64_t size = octal(block + SIZE_AT);
		if (size < 0 || size > INT32_MAX)
			return bl_fail("the header at byte %" PRId64 " has no valid size", at - BLOCK);
		at += (size + BLOCK - 1) / BLOCK * BLOCK;
	}
	return bl_fail("more than %d headers before byte %" PRId64, HEADERS_MOST, at);
}

/* --- index --- */

typedef struct indexing {
	int fd;
	int64_t bytes; /* of the archive */
	int (*entry)(void *ctx, const bl_archive_entry *e);
	void *ctx;
} indexing;

static int take_entry(const indexing *x, struct archive *a, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);
	if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e))
		return 0;
	if (!name)
		return bl_fail("the file at byte %" PRId64 " has no name that can be read",
		               (int64_t)archive_read_header_position(a));
	if (archive_entry_sparse_count(e) > 0)
		return bl_fail("%.200s is a sparse file, which is not read", name);
	bl_archive_entry out = { name, find_bytes(x->fd, archive_read_header_position(a)), archive_entry_size(e) };
	if (out.offset < 0)
		return bl_fail_prefix("%.200s: ", name);
	if (out.size < 0 || out.offset > x->bytes - out.size)
		return bl_fail("%.200s: %" PRId64 " bytes from byte %" PRId64 " of an archive of %" PRId64 ": it is cut off", name,
		               out.size, out.offset, x->bytes);
	return x->entry(x->ctx, &out) < 0 ? CALLBACK_FAILED : 0;
}

static int fail_archive(struct archive *a)
{
	const char *why = archive_error_string(a);
	return bl_fail("cannot be read as a tar archive: %.200s, after %d files", why ? why : "no reason is known",
	               archive_file_count(a));
}

static int walk(const indexing *x, struct archive *a)
{
	struct archive_entry *e;
	for (;;) {
		int rc = archive_read_next_header(a, &e);
		if (rc == ARCHIVE_EOF)
			return 0;
		/* Warnings are about fields that are not used, such as an owner's name; anything else is an error. */
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return fail_archive(a);
		if ((rc = take_entry(x, a, e)) < 0)
			return rc;
	}
}

static int index_open(const indexing *x)
{
	struct archive *a = archive_read_new();
	if (!a)
		return bl_fail("no memory for libarchive");
	int rc = -1;
	if (archive_read_support_format_tar(a) != ARCHIVE_OK || archive_read_open_fd(a, x->fd, AT_ONCE) != ARCHIVE_OK)
		fail_archive(a);
	else
		rc = walk(x, a);
	archive_read_free(a);
	return rc;
}

static int open_archive(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return bl_fail("%s", strerror(errno));
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return bl_fail("not a regular file");
}

int bl_archive_index(const char *path, struct stat *as_it_is, int (*entry)(void *ctx, const bl_archive_entry *e), void *ctx)
{
	int fd = open_archive(path, as_it_is), rc = fd < 0 ? -1 : 0;
	if (rc == 0 && as_it_is->st_size == 0)
		rc = bl_fail("0 bytes, expected a tar archive");
	if (rc == 0)
		rc = refuse_compressed(fd);
	if (rc == 0)
		rc = index_open(&(indexing){ fd, as_it_is->st_size, entry, ctx });
	if (fd >= 0)
		close(fd);
	return rc == -1 ? bl_fail_prefix("%s: ", path) : rc;
}

static bool is_changed(const struct stat *a, const struct stat *b)
{
	return a->st_dev != b->st_dev || a->st_ino != b->st_ino || a->st_size != b->st_size ||
	       a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

int bl_archive_read(const char *path, const struct stat *as_it_was, int64_t offset, int64_t n, void *out)
{
	struct stat now;
	int fd = open_archive(path, &now), rc = fd < 0 ? -1 : 0;
	if (rc == 0 && is_changed(as_it_was, &now))
		rc = bl_fail("it has been changed or replaced since its files were listed (%" PRId64 " bytes then, %" PRId64
		             " now)",
		             (int64_t)as_it_was->st_size, (int64_t)now.st_size);
	if (rc == 0)
		rc = read_at(fd, offset, out, n);
	if (fd >= 0)
		close(fd);
	return rc < 0 ? bl_fail_prefix("%s: ", path) : 0;
}
