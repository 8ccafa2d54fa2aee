/* SPDX-License-Identifier: GPL-3.0-or-later */
/* archive.h: where the files in a tar archive lie. */
#ifndef BARLOW_DATA_ARCHIVE_H
#define BARLOW_DATA_ARCHIVE_H

#include <stdint.h>
#include <sys/stat.h>

typedef struct bl_archive_entry {
	const char *name;     /* good until the function returns */
	int64_t offset, size; /* of its bytes in the archive */
} bl_archive_entry;

/*
 * Calls `entry` for every regular file of the tar archive at `path` (ustar, GNU and PAX with their long names), in its order;
 * negative ends it.  *as_it_is becomes what the archive was then.  Compressed archives, sparse files and what is cut off
 * are refused.  0, or negative with a message that names the archive; that of `entry` is left as it is.
 */
int bl_archive_index(const char *path, struct stat *as_it_is, int (*entry)(void *ctx, const bl_archive_entry *e), void *ctx);
/* n bytes from there; fails where the archive is no longer what it was. */
int bl_archive_read(const char *path, const struct stat *as_it_was, int64_t offset, int64_t n, void *out);

#endif
