/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * marks.h: what files were when a set listed them, so that one that is changed or replaced afterwards is not read for it.
 *
 * Inode numbers are left out: some network file systems give a file another one after a while.
 */
#ifndef BARLOW_DATA_MARKS_H
#define BARLOW_DATA_MARKS_H

#include "data/listing.h"

#include <sys/stat.h>

typedef struct bl_mark {
	int64_t size;    /* bytes; -1: the file could not be looked at, which whoever reads it will say */
	int64_t changed; /* nanoseconds since 1970 */
} bl_mark;

typedef void bl_marks_path(const void *files, int64_t i, char path[BL_PATH_SIZE]);

/* Of n files, looked at by all threads; who calls frees it.  NULL with bl_error. */
bl_mark *bl_marks_take(int64_t n, bl_marks_path *path, const void *files);
/* 0, or negative with bl_error where the file is another one now. */
int bl_mark_check(const bl_mark *as_it_was, const struct stat *now);

#endif
