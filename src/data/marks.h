/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * marks.h: records sizes and times of files when a set lists them.  A file that is changed or replaced later is
 * refused.
 *
 * Inode numbers are not compared, because some network file systems change the inode number of a file after a while.
 */
#ifndef BARLOW_DATA_MARKS_H
#define BARLOW_DATA_MARKS_H

#include "data/listing.h"

#include <sys/stat.h>

typedef struct bl_mark {
	int64_t size;    /* bytes; -1: stat failed; reading the file will report why */
	int64_t changed; /* nanoseconds since 1970 */
} bl_mark;

typedef void bl_marks_path(const void *files, int64_t i, char path[BL_PATH_SIZE]);

/*
 * Returns the marks of n files, whose paths the callback writes, using all threads.  The caller frees them.  NULL with
 * bl_error.
 */
bl_mark *bl_marks_take(int64_t n, bl_marks_path *path, const void *files);
/* Returns 0, or negative with bl_error if size or time have changed. */
int bl_mark_check(const bl_mark *as_it_was, const struct stat *now);

#endif
