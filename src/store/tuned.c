/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tuned.c: reads the file of tuned choices, checking every line, and writes it. */
#include "store/cache_folder.h"
#include "base/text_stream.h"
#include "store/machine.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/parallel.h>
#include <barlow/runs.h>
#include <barlow/tensor.h>
#include <barlow/tuned.h>

#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD_LINES = 3, LINE_BYTES = 256, MOST_BYTES = 1 << 20, MACHINE_BYTES = BL_MACHINE_TEXT };

char *bl_tuned_path(void)
{
	char name[MACHINE_BYTES + 16], cpu[MACHINE_BYTES], *in = bl_cache_folder("tuned choices");
	snprintf(name, sizeof name, "convolutions-%s", bl_machine(cpu));
	char *path = in ? bl_runs_path(in, name) : NULL;
	free(in);
	return path;
}

/* Returns line i, from 0, of the header that a file of this version and machine has. */
static const char *head_line(int i, char buf[LINE_BYTES])
{
	static const char *const first[] = { "barlow tuned convolutions 1", "version " PACKAGE_VERSION };
	char cpu[MACHINE_BYTES];
	if (i == 2)
		snprintf(buf, LINE_BYTES, "cpu %s", bl_machine(cpu));
	else
		snprintf(buf, LINE_BYTES, "%s", first[i]);
	return buf;
}

/* --- Reading ------------------------------------------------------------------------- */

static int check_head(int number, const char *line)
{
	char want[LINE_BYTES], rest;
	int threads;
	if (number == HEAD_LINES)
		return sscanf(line, "threads %9d%c", &threads, &rest) == 1 ? 0 : bl_fail("expected the number of threads");
	if (!strcmp(line, head_line(number, want)))
		return 0;
	return bl_fail("it was written for '%.64s', but this is '%.64s'", line, want);
}

static int direction_of(const char *name)
{
	for (int d = 0; bl_conv_directions()[d]; d++)
		if (!strcmp(name, bl_conv_directions()[d]))
			return d;
	return bl_fail("'%.32s' is not a direction of a convolution", name);
}

/* Adds the choice in a line "SHAPE DIRECTION ALGORITHM" to t. */
static int add_line(bl_choices *t, const char *line)
{
	char shape[BL_CONV_KEY_TEXT], direction[32], algorithm[32], rest;
	bl_choice c = { .by = { BL_CONV_AUTO } };
	if (sscanf(line, "%159s %31s %31s %c", shape, direction, algorithm, &rest) != 3)
		return bl_fail("expected a shape, a direction and an algorithm");
	int d = direction_of(direction), a = d < 0 ? -1 : bl_conv_algorithm_of(algorithm);
	if (a < 0 || bl_conv_key_parse(shape, &c.key) != 0)
		return -1;
	const bl_choice *known = bl_choices_find(t, &c.key);
	if (known)
		c = *known;
	c.by[d] = (bl_conv_algorithm)a;
	return bl_choices_set(t, &c);
}

/* Reads a text of n bytes and a terminating zero, which is modified. */
static int read_lines(bl_choices *t, char *text, size_t n)
{
	int number = 0;
	for (char *line = text, *end; line < text + n; line = end + 1, number++) {
		end = memchr(line, '\n', (size_t)(text + n - line));
		if (!end || end - line >= LINE_BYTES || memchr(line, '\0', (size_t)(end - line)))
			return bl_fail("line %d is %s", number + 1, end ? "not in barlow's format" : "cut off");
		*end = '\0';
		if ((number <= HEAD_LINES ? check_head(number, line) : add_line(t, line)) != 0)
			return bl_fail_prefix("line %d: ", number + 1);
	}
	return number > HEAD_LINES ? 0 : bl_fail("it ends after line %d", number);
}

static char *read_text(const char *path, size_t *n)
{
	char *bytes = bl_file_read(path, n), *text = bytes && *n <= MOST_BYTES ? realloc(bytes, *n + 1) : NULL;
	if (text) {
		text[*n] = '\0';
		return text;
	}
	if (bytes)
		bl_fail("%s: %zu bytes are more than tuned choices take", path, *n);
	free(bytes);
	return NULL;
}

/* Returns the choices in the file, or an empty list if there is no file; NULL with bl_error. */
static bl_choices *load(const char *path)
{
	size_t n;
	bl_choices *t = bl_choices_new();
	if (!t || access(path, F_OK) != 0)
		return t;
	char *text = read_text(path, &n);
	int rc = !text ? -1 : read_lines(t, text, n) != 0 ? bl_fail_prefix("%s: ", path) : 0;
	free(text);
	if (rc == 0)
		return t;
	bl_choices_free(t);
	return NULL;
}

int bl_tuned_load(void)
{
	char *path = bl_tuned_path();
	bl_choices *t = path ? load(path) : bl_choices_new();
	free(path);
	bl_choices_publish(t);
	return t ? 0 : -1;
}

/* --- Writing ------------------------------------------------------------------------- */

static void print_choices(FILE *f, const bl_choices *t)
{
	char line[LINE_BYTES], key[BL_CONV_KEY_TEXT];
	for (int i = 0; i < HEAD_LINES; i++)
		fprintf(f, "%s\n", head_line(i, line));
	fprintf(f, "threads %d\n", bl_threads());
	for (int i = 0; i < bl_choices_count(t); i++) {
		const bl_choice *c = bl_choices_at(t, i);
		for (int d = 0; d < BL_CONV_DIRECTIONS; d++)
			if (c->by[d] != BL_CONV_AUTO)
				fprintf(f, "%s %s %s\n", bl_conv_key_text(&c->key, key), bl_conv_directions()[d],
				        bl_conv_algorithms()[c->by[d]]);
	}
}

static int store(const char *path, const bl_choices *t)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = bl_text_stream_begin(&text, &n);
	if (f)
		print_choices(f, t);
	int rc = bl_text_stream_end(f, &text) ? bl_file_write_atomic(path, text, n) : bl_fail("%s: no memory to write it", path);
	free(text);
	return rc;
}

static int keep_in(const char *path, const bl_choice *c)
{
	bl_choices *t = load(path);
	if (!t)
		t = bl_choices_new();
	int rc = t && bl_choices_set(t, c) == 0 ? store(path, t) : -1;
	bl_choices_free(t);
	return rc;
}

int bl_tuned_save(const bl_choice *c)
{
	char *in = bl_cache_folder("tuned choices"), *path = in ? bl_tuned_path() : NULL;
	int rc = path && bl_file_make_folder(in) == 0 ? keep_in(path, c) : -1;
	free(in);
	free(path);
	return rc;
}

int bl_tuned_forget(void)
{
	char *path = bl_tuned_path();
	int rc = !path ? -1 : unlink(path) == 0 ? 0 : errno == ENOENT ? 1 : bl_fail("%s: %s", path, strerror(errno));
	free(path);
	return rc;
}
