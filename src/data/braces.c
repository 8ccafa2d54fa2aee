/* SPDX-License-Identifier: GPL-3.0-or-later */
/* braces.c: expands the leftmost range of a pattern of names, and then the rest by recursion. */
#include "data/braces.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MOST = 9 };

typedef struct range {
	const char *open, *close; /* the braces */
	int64_t from, to;
	int digits;
} range;

static int digits_at(const char *text)
{
	return (int)strspn(text, "0123456789");
}

/*
 * Finds the first range of the text.  Returns 0 if there is one; 1 if there are no braces; negative with bl_error if the
 * first braces do not contain a range.
 */
static int find_range(const char *text, range *r)
{
	r->open = strchr(text, '{');
	if (!r->open)
		return 1;
	const char *from = r->open + 1;
	r->digits = digits_at(from);
	const char *to = from + r->digits + 2;
	int n = strncmp(from + r->digits, "..", 2) == 0 ? digits_at(to) : 0;
	r->close = n ? to + n : NULL;
	if (r->digits == 0 || r->digits > DIGITS_MOST || n == 0 || n > DIGITS_MOST || *r->close != '}')
		return bl_fail("'%.60s': expected {from..to} with two whole numbers, such as {000..011}", r->open);
	r->from = strtoll(from, NULL, 10);
	r->to = strtoll(to, NULL, 10);
	return r->from <= r->to ? 0 : bl_fail("'%.60s': expected the smaller number first", r->open);
}

static int expand(bl_names *out, const char *done, const char *rest)
{
	range r = { 0 };
	char name[BL_PATH_SIZE];
	int found = find_range(rest, &r);
	if (found != 0) {
		if (found < 0)
			return -1;
		if (out->n == BL_BRACES_MOST)
			return bl_fail("more than %d names", BL_BRACES_MOST);
		return snprintf(name, sizeof name, "%s%s", done, rest) < BL_PATH_SIZE
		               ? bl_names_add(out, name)
		               : bl_fail("a name of more than %d bytes", BL_PATH_SIZE - 1);
	}
	for (int64_t k = r.from; k <= r.to; k++) {
		if (snprintf(name, sizeof name, "%s%.*s%0*" PRId64, done, (int)(r.open - rest), rest, r.digits, k) >= BL_PATH_SIZE)
			return bl_fail("a name of more than %d bytes", BL_PATH_SIZE - 1);
		if (expand(out, name, r.close + 1) < 0)
			return -1;
	}
	return 0;
}

int bl_braces_expand(bl_names *out, const char *pattern)
{
	return expand(out, "", pattern) < 0 ? bl_fail_prefix("%.200s: ", pattern) : 0;
}
