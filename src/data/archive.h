/* SPDX-License-Identifier: GPL-3.0-or-later */
/* archive.h: lists the files in a tar archive with their offsets, and reads bytes of an archive. */
#ifndef BARLOW_DATA_ARCHIVE_H
#define BARLOW_DATA_ARCHIVE_H

#include <stdint.h>
#include <sys/stat.h>

typedef struct bl_archive_entry {
	const char *name;     /* valid until the callback returns */
	int64_t offset, size; /* of its bytes in the archive */
} bl_archive_entry;

/*
 * Calls `entry` for every regular file of the tar archive at `path` (ustar, GNU and PAX with their long names), in the
 * archive's order, until `entry` returns a negative number.  *as_it_is receives the archive's status.  Compressed
 * archives, sparse files and truncated entries are refused.  Returns 0, or negative with bl_error: the callback's own
 * message, or a message that names the archive.
 */
int bl_archive_index(const char *path, struct stat *as_it_is, int (*entry)(void *ctx, const bl_archive_entry *e), void *ctx);
/* Reads n bytes at `offset`.  Negative with bl_error if the archive has changed since *as_it_was, or cannot be read. */
int bl_archive_read(const char *path, const struct stat *as_it_was, int64_t offset, int64_t n, void *out);

#endif
