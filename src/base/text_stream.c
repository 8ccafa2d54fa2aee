/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text_stream.c: streams that write to memory. */
#define _GNU_SOURCE 1
#include "base/text_stream.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct target {
	char **text;
	size_t *n, room;
} target;

static bool grow(target *t, size_t needed)
{
	size_t room = t->room;
	while (room < needed)
		room = room < SIZE_MAX / 2 ? 2 * room : needed;
	char *text = realloc(*t->text, room);
	if (!text)
		return false;
	*t->text = text;
	t->room = room;
	return true;
}

/* Writes all bytes or none.  For the stream, a result of 0 is an error, which ferror reports from then on. */
static ssize_t put(void *ctx, const char *bytes, size_t n)
{
	target *t = ctx;
	size_t all = *t->n + n;
	if (all >= t->room && !grow(t, all + 1)) {
		errno = ENOMEM;
		return 0;
	}
	memcpy(*t->text + *t->n, bytes, n);
	(*t->text)[all] = '\0';
	*t->n = all;
	return (ssize_t)n;
}

static int finish(void *ctx)
{
	free(ctx);
	return 0;
}

FILE *bl_text_stream_begin(char **text, size_t *n)
{
	enum { ROOM = 1024 };
	target *t = malloc(sizeof *t);
	*n = 0;
	*text = calloc(1, ROOM);
	FILE *f = NULL;
	if (t && *text) {
		*t = (target){ text, n, ROOM };
		f = fopencookie(t, "w", (cookie_io_functions_t){ .write = put, .close = finish });
	}
	if (f)
		return f;
	free(t);
	free(*text);
	*text = NULL;
	return NULL;
}

bool bl_text_stream_end(FILE *f, char **text)
{
	bool lost = !f || ferror(f) != 0;
	if (f && fclose(f) != 0)
		lost = true;
	if (!f)
		*text = NULL;
	if (!lost)
		return true;
	free(*text);
	*text = NULL;
	return false;
}
