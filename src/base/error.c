/* SPDX-License-Identifier: GPL-3.0-or-later */
/* error.c: the calling thread's last error message, and suggestions for misspelt names. */
#include <barlow/error.h>
#include <barlow/number.h>
#include <barlow/text.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MESSAGE = 1024, WORD = 64 };

static _Thread_local char message[MESSAGE];
static _Thread_local bool interrupted;

const char *bl_error(void)
{
	return message;
}

/* Numbers have a decimal point in every locale, since messages are recorded and copied into scripts. */
static void format(char text[MESSAGE], const char *fmt, va_list ap)
{
	bl_point *before = bl_number_point();
	vsnprintf(text, MESSAGE, fmt, ap);
	bl_number_unpoint(before);
}

int bl_fail(const char *fmt, ...)
{
	char text[MESSAGE]; /* a separate buffer, since arguments may point into the old message */
	va_list ap;
	va_start(ap, fmt);
	format(text, fmt, ap);
	va_end(ap);
	bl_text_clean(message, sizeof message, text, true);
	interrupted = false;
	return -1;
}

int bl_fail_interrupted(const char *fmt, ...)
{
	char text[MESSAGE];
	va_list ap;
	va_start(ap, fmt);
	format(text, fmt, ap);
	va_end(ap);
	bl_fail("%s", text);
	interrupted = true;
	return -1;
}

bool bl_error_interrupted(void)
{
	return interrupted;
}

int bl_fail_prefix(const char *fmt, ...)
{
	char front[MESSAGE];
	va_list ap;
	va_start(ap, fmt);
	format(front, fmt, ap);
	va_end(ap);
	bool was = interrupted;
	bl_fail("%s%s", front, message);
	interrupted = was;
	return -1;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

/* Damerau-Levenshtein distance of words shorter than WORD: an exchange of two adjacent letters counts as one edit. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD + 1], n = strlen(b);
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	for (size_t j = 0; j <= n; j++)
		last[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = min3(now[j], now[j], before[j - 2] + 1);
		}
		size_t *free_row = before;
		before = last;
		last = now;
		now = free_row;
	}
	return last[n];
}

/* The shortest name that begins with the word; NULL: none does. */
static const char *continued(const char *word, size_t length, const char *const *names)
{
	const char *found = NULL;
	for (; *names; names++)
		if (strncmp(*names, word, length) == 0 && strlen(*names) < WORD && (!found || strlen(*names) < strlen(found)))
			found = *names;
	return found;
}

/* The name that equals word except for upper and lower case, such as ReLU for relu; NULL: there is none. */
static const char *in_other_case(const char *word, const char *const *names)
{
	for (; *names; names++)
		if (strcasecmp(*names, word) == 0)
			return *names;
	return NULL;
}

/*
 * Returns the first of these that exists: a name that differs only in upper and lower case; the shortest name that begins
 * with the word (of at least BEGINNING letters), unless another name has a smaller distance; the name with the smallest
 * distance, if that is small enough.
 */
const char *bl_nearest(const char *word, const char *const *names)
{
	enum { BEGINNING = 3 };
	size_t length = strlen(word), best = length / 3 + 2;
	const char *found = NULL, *longer = length >= BEGINNING ? continued(word, length, names) : NULL;
	if (length >= WORD)
		return NULL;
	const char *same = in_other_case(word, names);
	if (same)
		return same;
	for (; *names; names++) {
		if (strlen(*names) >= WORD)
			continue;
		size_t d = distance(word, *names);
		if (d < best && d < strlen(*names)) {
			best = d;
			found = *names;
		}
	}
	return longer && (!found || distance(word, longer) <= best) ? longer : found;
}
