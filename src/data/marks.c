/* SPDX-License-Identifier: GPL-3.0-or-later */
/* marks.c: records sizes and times of files, and compares them later. */
#include "data/marks.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

#include <inttypes.h>
#include <stdlib.h>

enum { CHUNK = 64 };

struct look {
	bl_mark *mark;
	int64_t n;
	bl_marks_path *path;
	const void *files;
};

static bl_mark mark_of(const struct stat *s)
{
	return (bl_mark){ .size = (int64_t)s->st_size, .changed = (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec };
}

static void look_at_chunk(void *ctx, int64_t chunk)
{
	const struct look *l = ctx;
	char path[BL_PATH_SIZE];
	struct stat s;
	for (int64_t i = chunk * CHUNK; i < l->n && i < (chunk + 1) * CHUNK; i++) {
		l->path(l->files, i, path);
		l->mark[i] = stat(path, &s) == 0 ? mark_of(&s) : (bl_mark){ .size = -1 };
	}
}

bl_mark *bl_marks_take(int64_t n, bl_marks_path *path, const void *files)
{
	struct look l = { calloc((size_t)n, sizeof *l.mark), n, path, files };
	if (!l.mark)
		return bl_fail_null("no memory for the sizes and times of %" PRId64 " files", n);
	bl_parallel((n + CHUNK - 1) / CHUNK, look_at_chunk, &l);
	if (bl_given_up()) {
		free(l.mark);
		return bl_fail_interrupted("interrupted"), NULL;
	}
	return l.mark;
}

int bl_mark_check(const bl_mark *was, const struct stat *now)
{
	bl_mark is = mark_of(now);
	if (was->size < 0 || (was->size == is.size && was->changed == is.changed))
		return 0;
	return bl_fail("it has been changed or replaced since it was listed (%" PRId64 " bytes then, %" PRId64 " now)", was->size,
	               is.size);
}
