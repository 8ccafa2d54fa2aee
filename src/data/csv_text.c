/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv_text.c: parses a table in one pass; quotes are removed from fields in place. */
#include "data/csv_text.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MOST = 4096 };

typedef struct reading {
	char *at, *end;
	int64_t line; /* number of the line that `at` is in */
	char separator;
	char *fields[FIELDS_MOST];
	int n, expected; /* number of fields in this row, and in the first row (0: not known yet) */
} reading;

/* What ended a field: a separator, the end of the line or of the text, or an error (with bl_error). */
typedef enum ending { SEPARATOR, LINE, TEXT, WRONG } ending;

/* Ends a field at r->at: writes its terminating zero to *out, and skips the separator or the line end. */
static ending end_field(reading *r, char *out)
{
	if (r->at == r->end) {
		*out = '\0'; /* the text has one byte of room behind its end */
		return TEXT;
	}
	char c = *r->at++;
	if (c == '\r' && r->at < r->end && *r->at == '\n')
		c = *r->at++;
	*out = '\0';
	if (c == r->separator)
		return SEPARATOR;
	r->line++;
	return LINE;
}

static bool ends_here(const reading *r)
{
	return r->at == r->end || *r->at == r->separator || *r->at == '\n' ||
	       (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n');
}

static ending read_quoted(reading *r, char **field)
{
	int64_t began = r->line;
	char *out = ++r->at;
	*field = out;
	for (;; r->at++) {
		if (r->at == r->end)
			return bl_fail("line %" PRId64 ": a quote that is not closed", began), WRONG;
		if (*r->at == '\0')
			return bl_fail("line %" PRId64 ": a zero byte: this is not a text file", r->line), WRONG;
		if (*r->at == '"' && (r->at + 1 == r->end || r->at[1] != '"'))
			break;
		r->line += *r->at == '\n';
		*out++ = *r->at;
		r->at += *r->at == '"';
	}
	r->at++;
	if (!ends_here(r))
		return bl_fail("line %" PRId64 ": text after a closing quote", r->line), WRONG;
	return end_field(r, out);
}

static ending read_plain(reading *r, char **field)
{
	*field = r->at;
	for (; !ends_here(r); r->at++) {
		if (*r->at == '"')
			return bl_fail("line %" PRId64 ": a quote within a field that does not begin with one", r->line), WRONG;
		if (*r->at == '\0')
			return bl_fail("line %" PRId64 ": a zero byte: this is not a text file", r->line), WRONG;
	}
	return end_field(r, r->at);
}

static ending read_row(reading *r)
{
	ending e = SEPARATOR;
	for (r->n = 0; e == SEPARATOR; r->n++) {
		if (r->n == FIELDS_MOST)
			return bl_fail("line %" PRId64 ": more than %d fields", r->line, FIELDS_MOST), WRONG;
		e = r->at < r->end && *r->at == '"' ? read_quoted(r, &r->fields[r->n]) : read_plain(r, &r->fields[r->n]);
	}
	return e;
}

static int check_row(reading *r, int64_t line)
{
	if (r->expected == 0)
		r->expected = r->n;
	if (r->n == r->expected)
		return 0;
	return bl_fail("line %" PRId64 ": %d fields, expected %d as in the first row", line, r->n, r->expected);
}

static int read_rows(reading *r, int (*row)(void *ctx, int64_t line, char **fields, int n), void *ctx)
{
	ending e = LINE;
	while (r->at < r->end && e != TEXT) {
		int64_t line = r->line;
		if ((e = read_row(r)) == WRONG)
			return -1;
		if (r->n == 1 && r->fields[0][0] == '\0')
			continue;
		if (check_row(r, line) < 0 || row(ctx, line, r->fields, r->n) < 0)
			return -1;
	}
	return 0;
}

int bl_csv_read(char *text, size_t n, char separator, int (*row)(void *ctx, int64_t line, char **fields, int n), void *ctx)
{
	reading *r = calloc(1, sizeof *r);
	if (!r)
		return bl_fail("no memory to read rows");
	size_t mark = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	r->at = text + mark;
	r->end = text + n;
	r->line = 1;
	r->separator = separator;
	int rc = read_rows(r, row, ctx);
	free(r);
	return rc;
}
