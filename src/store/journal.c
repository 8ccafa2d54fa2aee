/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * journal.c: writes and reads a run's journal, which consists of lines of JSON.
 *
 * jansson quotes texts and parses lines, but it prints numbers with a fixed number of digits.  So numbers are written
 * by bl_number_text, which gives the shortest text that reads back as the same number.
 */
#include "base/text_stream.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/json_text.h>
#include <barlow/journal.h>
#include <barlow/number.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 256 << 20 };

/* --- Writing ---------------------------------------------------------------------------- */

/* In a text that is not UTF-8, bytes from 128 on are replaced.  False: no memory. */
static bool add_text(FILE *f, const char *name, const char *text)
{
	char clean[BL_CHANGE_TEXT];
	snprintf(clean, sizeof clean, "%s", text);
	json_t *s = json_string(clean);
	for (char *c = clean; !s && *c; c++)
		if (*c & 0x80)
			*c = '?';
	if (!s)
		s = json_string(clean);
	char *quoted = s ? bl_json_text(s, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
	if (quoted)
		fprintf(f, ",\"%s\":%s", name, quoted);
	bool added = quoted;
	free(quoted);
	json_decref(s);
	return added;
}

static void add_number(FILE *f, const char *name, double v)
{
	char text[BL_NUMBER_TEXT];
	if (isfinite(v))
		fprintf(f, ",\"%s\":%s", name, bl_number_text(v, false, text, sizeof text));
}

static bool print_line(FILE *f, const bl_change *c)
{
	fprintf(f, "{\"step\":%" PRId64, c->step);
	bool fine = add_text(f, "name", c->name);
	add_number(f, "old", c->old);
	add_number(f, "new", c->value);
	fine = add_text(f, "who", c->who) && fine;
	add_number(f, "time", c->time);
	if (c->text[0])
		fine = add_text(f, "text", c->text) && fine;
	fputs("}\n", f);
	return fine;
}

/* Returns the lines of n changes as a new text; NULL with bl_error. */
static char *print_lines(const bl_change *c, int64_t n, size_t *bytes)
{
	char *text = NULL;
	FILE *f = bl_text_stream_begin(&text, bytes);
	bool printed = f;
	for (int64_t i = 0; printed && i < n; i++)
		printed = print_line(f, &c[i]);
	if (bl_text_stream_end(f, &text) && printed)
		return text;
	free(text);
	return bl_fail_null("no memory for the lines of a journal");
}

int bl_journal_write(const char *path, const bl_change *c, int64_t n)
{
	size_t bytes;
	char *text = print_lines(c, n, &bytes);
	int rc = text ? bl_file_write_private(path, text, bytes) : -1;
	free(text);
	return rc;
}

/* If a line cannot be written completely, the file is cut back to its old length. */
static int append_bytes(int fd, const char *path, const char *bytes, size_t n)
{
	struct stat s;
	if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
		return bl_fail("%s: not a regular file", path);
	if (bl_file_put(fd, bytes, n) == 0)
		return 0;
	bl_fail("%s: %s", path, strerror(errno));
	if (ftruncate(fd, s.st_size) != 0)
		return bl_fail_prefix("a partly written line cannot be removed: ");
	return -1;
}

int bl_journal_append(const char *path, const bl_change *c)
{
	size_t n;
	char *text = print_lines(c, 1, &n);
	if (!text)
		return -1;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	int rc = fd < 0 ? bl_fail("%s: %s", path, strerror(errno)) : append_bytes(fd, path, text, n);
	if (fd >= 0 && close(fd) != 0 && rc == 0)
		rc = bl_fail("%s: %s", path, strerror(errno));
	free(text);
	return rc;
}

/* --- Reading ---------------------------------------------------------------------------- */

static bool take_text(const json_t *line, const char *name, char *out, size_t size)
{
	const json_t *v = json_object_get(line, name);
	if (!json_is_string(v))
		return false;
	snprintf(out, size, "%s", json_string_value(v));
	return true;
}

/* Reads a number; NaN if it is missing.  False: it is not a finite number. */
static bool take_number(const json_t *line, const char *name, double *out)
{
	const json_t *v = json_object_get(line, name);
	*out = v ? json_number_value(v) : NAN;
	return !v || (json_is_number(v) && isfinite(*out));
}

static int parse_line(const char *text, size_t n, bl_change *c)
{
	json_error_t error;
	json_t *line = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	const json_t *step = json_object_get(line, "step");
	memset(c, 0, sizeof *c);
	bool fine = json_is_object(line) && json_is_integer(step) && json_integer_value(step) >= 0 &&
	            take_text(line, "name", c->name, sizeof c->name) && c->name[0] &&
	            take_text(line, "who", c->who, sizeof c->who) && take_number(line, "old", &c->old) &&
	            take_number(line, "new", &c->value) && take_number(line, "time", &c->time);
	if (fine) {
		c->step = json_integer_value(step);
		take_text(line, "text", c->text, sizeof c->text);
	}
	json_decref(line);
	return fine ? 0 : bl_fail("expected {\"step\": ..., \"name\": ..., \"who\": ..., \"time\": ...} with numbers and texts");
}

static int add_line(bl_change **out, int64_t *n, const bl_change *c)
{
	if ((*n & (*n - 1)) == 0) {
		bl_change *more = realloc(*out, (size_t)(*n ? 2 * *n : 1) * sizeof *more);
		if (!more)
			return bl_fail("no memory for %lld changes", (long long)*n);
		*out = more;
	}
	(*out)[(*n)++] = *c;
	return 0;
}

/* Ignores a last line without a newline: the process was killed while it wrote that line. */
static int parse(const char *text, size_t size, bl_change **out, int64_t *n)
{
	int64_t number = 1;
	for (const char *at = text, *end; (end = memchr(at, '\n', (size_t)(text + size - at))); at = end + 1, number++) {
		bl_change c;
		if (parse_line(at, (size_t)(end - at), &c) != 0 || add_line(out, n, &c) != 0)
			return bl_fail_prefix("line %" PRId64 ": ", number);
	}
	return 0;
}

int bl_journal_read(const char *path, bl_change **out, int64_t *n)
{
	size_t size;
	struct stat s;
	*out = NULL;
	*n = 0;
	if (stat(path, &s) != 0 && errno == ENOENT)
		return 0;
	if (s.st_size > MOST_BYTES)
		return bl_fail("%s: %lld bytes are too many for a journal", path, (long long)s.st_size);
	char *text = bl_file_read(path, &size);
	int rc = !text ? -1 : parse(text, size, out, n) != 0 ? bl_fail_prefix("%s: ", path) : 0;
	free(text);
	if (rc == 0)
		return 0;
	free(*out);
	*out = NULL;
	*n = 0;
	return rc;
}

/* --- A trainer's journal -------------------------------------------------------------------- */

static int append_change(void *path, const bl_change *c)
{
	return bl_journal_append(path, c);
}

typedef struct job {
	const char *path;
	bl_trainer *trainer;
	int rc;
} job;

/* Called between two steps, so that no setting changes in the meantime. */
static void begin(void *ctx)
{
	job *j = ctx;
	int64_t n = bl_trainer_changes(j->trainer);
	bl_change *all = calloc((size_t)n + 1, sizeof *all);
	for (int64_t i = 0; all && i < n; i++)
		bl_trainer_change(j->trainer, i, &all[i]);
	j->rc = all ? bl_journal_write(j->path, all, n) : bl_fail("no memory for %lld changes", (long long)n);
	free(all);
	if (j->rc == 0)
		bl_trainer_journal(j->trainer, append_change, (void *)j->path);
}

int bl_journal_store(const char *path, bl_trainer *t)
{
	job j = { path, t, 0 };
	bl_trainer_between_steps(t, begin, &j);
	return j.rc;
}
