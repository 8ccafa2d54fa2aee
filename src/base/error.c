/* SPDX-License-Identifier: GPL-3.0-or-later */
/* error.c: the calling thread's last error, and near misses of names. */
#include <barlow/error.h>
#include <barlow/number.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE = 1024, WORD = 64 };

static _Thread_local char message[MESSAGE];

const char *bl_error(void)
{
	return message;
}

/* Messages are recorded and pasted into scripts: their numbers have a point. */
static void format(char text[MESSAGE], const char *fmt, va_list ap)
{
	bl_point *before = bl_number_point();
	vsnprintf(text, MESSAGE, fmt, ap);
	bl_number_unpoint(before);
}

int bl_fail(const char *fmt, ...)
{
	char text[MESSAGE]; /* arguments may point into the old message */
	va_list ap;
	va_start(ap, fmt);
	format(text, fmt, ap);
	va_end(ap);
	memcpy(message, text, sizeof text);
	return -1;
}

int bl_fail_prefix(const char *fmt, ...)
{
	char front[MESSAGE];
	va_list ap;
	va_start(ap, fmt);
	format(front, fmt, ap);
	va_end(ap);
	return bl_fail("%s%s", front, message);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

/* Levenshtein distance of words shorter than WORD. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD + 1], n = strlen(b);
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *bl_nearest(const char *word, const char *const *names)
{
	size_t length = strlen(word), best = length / 3 + 2;
	const char *found = NULL;
	if (length >= WORD)
		return NULL;
	for (; *names; names++) {
		if (strlen(*names) >= WORD)
			continue;
		size_t d = distance(word, *names);
		if (d < best && d < strlen(*names)) {
			best = d;
			found = *names;
		}
	}
	return found;
}
