/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_file.c: reads run.json, checking every type and length, and writes it as a whole. */
#define _GNU_SOURCE 1 /* F_OFD_SETLK */
#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/json_text.h>
#include <barlow/run_file.h>
#include <barlow/runs.h>
#include <barlow/text.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FORMAT = 1, LOCK_TRIES = 400, LOCK_NS = 5000000 };

void bl_run_file_free(bl_run_file *f)
{
	bl_facts_free(&f->data);
	bl_facts_free(&f->convolution);
	bl_facts_free(&f->recipe);
	bl_facts_free(&f->metrics);
	memset(f, 0, sizeof *f);
}

/* --- Members ------------------------------------------------------------------------------ */

enum kind { TEXT, WHOLE, INT, TIME, FACTS };

static const struct member {
	const char *name;
	enum kind kind;
	size_t offset, size;
} members[] = {
#define MEMBER(kind_, member_) \
	{ \
#member_, kind_, offsetof(bl_run_file, member_), sizeof(((bl_run_file *)0)->member_) \
	}
	MEMBER(TEXT, barlow),  MEMBER(TEXT, name),         MEMBER(TEXT, state),  MEMBER(TEXT, reason),  MEMBER(WHOLE, seed),
	MEMBER(WHOLE, step),   MEMBER(WHOLE, steps),       MEMBER(INT, d),       MEMBER(TIME, created), MEMBER(TIME, started),
	MEMBER(TIME, ended),   MEMBER(TEXT, host),         MEMBER(TEXT, boot),   MEMBER(WHOLE, pid),    MEMBER(TEXT, owner),
	MEMBER(TEXT, cpu),     MEMBER(TEXT, blas),         MEMBER(INT, threads), MEMBER(WHOLE, beat),   MEMBER(TIME, beat_time),
	MEMBER(TEXT, parent),  MEMBER(WHOLE, parent_step), MEMBER(TEXT, notes),  MEMBER(FACTS, data),   MEMBER(FACTS, convolution),
	MEMBER(FACTS, recipe), MEMBER(FACTS, metrics),
#undef MEMBER
};
enum { MEMBERS = sizeof members / sizeof members[0] };

/* --- Reading -------------------------------------------------------------------------------- */

static int read_text(const json_t *v, const struct member *m, char *out)
{
	if (!json_is_string(v) || json_string_length(v) >= m->size)
		return bl_fail("'%s': expected a text of less than %zu bytes", m->name, m->size);
	memcpy(out, json_string_value(v), json_string_length(v) + 1);
	return 0;
}

static int read_whole(const json_t *v, const struct member *m, void *out)
{
	json_int_t i = json_integer_value(v);
	if (!json_is_integer(v) || (m->kind == INT && (i < 0 || i > INT32_MAX)))
		return bl_fail("'%s': expected a whole number", m->name);
	if (m->kind == INT)
		*(int *)out = (int)i;
	else
		*(int64_t *)out = i;
	return 0;
}

static int read_time(const json_t *v, const struct member *m, double *out)
{
	double t = json_number_value(v);
	if (!json_is_number(v) || !(t >= 0 && t < 1e12))
		return bl_fail("'%s': expected seconds since 1970", m->name);
	*out = t;
	return 0;
}

static int read_facts(const json_t *v, const struct member *m, bl_facts *out)
{
	const char *name;
	json_t *item;
	if (!json_is_object(v))
		return bl_fail("'%s': expected an object", m->name);
	json_object_foreach((json_t *)v, name, item)
	{
		bool text = json_is_string(item);
		if (!text && (!json_is_number(item) || !isfinite(json_number_value(item))))
			return bl_fail("'%s': '%.40s': expected a number or a text", m->name, name);
		if (bl_facts_set(out, name, json_number_value(item), text ? json_string_value(item) : NULL) != 0)
			return bl_fail_prefix("'%s': ", m->name);
	}
	return 0;
}

static int read_member(const json_t *root, const struct member *m, bl_run_file *f)
{
	const json_t *v = json_object_get(root, m->name);
	void *out = (char *)f + m->offset;
	if (!v)
		return 0;
	switch (m->kind) {
	case TEXT: return read_text(v, m, out);
	case WHOLE:
	case INT: return read_whole(v, m, out);
	case TIME: return read_time(v, m, out);
	case FACTS: return read_facts(v, m, out);
	}
	return 0;
}

static int read_tags(const json_t *root, bl_run_file *f)
{
	size_t i;
	json_t *item, *v = json_object_get(root, "tags");
	if (v && !json_is_array(v))
		return bl_fail("'tags': expected a list");
	json_array_foreach(v, i, item)
	{
		if (!json_is_string(item) || json_string_length(item) != strlen(json_string_value(item)))
			return bl_fail("'tags': expected texts");
		if (bl_run_file_tag(f, json_string_value(item), true) < 0)
			return bl_fail_prefix("'tags': ");
	}
	return 0;
}

static int check_state(bl_run_file *f)
{
	if (strcmp(f->state, "finished") == 0)
		snprintf(f->state, sizeof f->state, "%s", BL_RUN_FILE_DONE);
	static const char *const known[] = { BL_RUN_FILE_NEW,     BL_RUN_FILE_RUNNING, BL_RUN_FILE_PAUSED,
		                             BL_RUN_FILE_STOPPED, BL_RUN_FILE_DONE,    BL_RUN_FILE_FAILED };
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(f->state, known[i]) == 0)
			return 0;
	return bl_fail("'state': '%.40s' is not a state of a run", f->state);
}

static int parse(const char *bytes, size_t n, bl_run_file *f)
{
	json_error_t error;
	json_t *root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return bl_fail("line %d: %s", error.line, error.text);
	const json_t *format = json_object_get(root, "format");
	int rc = 0;
	if (!json_is_object(root) || !json_is_integer(format))
		rc = bl_fail("it does not describe a run: expected {\"format\": %d, ...}", FORMAT);
	else if (json_integer_value(format) != FORMAT)
		rc = bl_fail("'format' is %lld: expected %d, the format of this version of barlow",
		             (long long)json_integer_value(format), FORMAT);
	for (int i = 0; i < MEMBERS && rc == 0; i++)
		rc = read_member(root, &members[i], f);
	if (rc == 0)
		rc = read_tags(root, f);
	if (rc == 0)
		rc = check_state(f);
	json_decref(root);
	return rc;
}

/* Reads a file by its descriptor.  FIFOs and devices are refused; O_NOFOLLOW has refused links already. */
static char *read_bytes(int fd, size_t *n)
{
	struct stat s;
	if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
		return bl_fail_null("not a regular file");
	if (s.st_size > BL_RUN_FILE_BYTES)
		return bl_fail_null("%lld bytes are too many for this file", (long long)s.st_size);
	char *bytes = malloc((size_t)s.st_size + 1);
	int64_t got = bytes ? bl_file_get(fd, bytes, (size_t)s.st_size, 0) : -1;
	*n = got > 0 ? (size_t)got : 0;
	if (got >= 0)
		return bytes;
	free(bytes);
	return bl_fail_null("%s", strerror(errno));
}

static int read_open(int fd, bl_run_file *out)
{
	size_t n;
	char *bytes = read_bytes(fd, &n);
	int rc = bytes ? parse(bytes, n, out) : -1;
	free(bytes);
	if (rc != 0)
		bl_run_file_free(out);
	return rc;
}

int bl_run_file_read(const char *folder, bl_run_file *out)
{
	memset(out, 0, sizeof *out);
	char *path = bl_runs_path(folder, BL_RUN_FILE);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1, rc = -1;
	if (fd < 0 && path)
		rc = errno == ENOENT ? 1 : bl_fail("%s: %s", path, strerror(errno));
	else if (path && (rc = read_open(fd, out)) != 0)
		bl_fail_prefix("%s: ", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

/* --- Writing ---------------------------------------------------------------------------------- */

/* In a text that is not UTF-8, bytes from 128 on are replaced. */
static json_t *text_of(const char *text)
{
	json_t *s = json_string(text);
	char *copy = s ? NULL : strdup(text);
	for (char *c = copy; c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	if (copy)
		s = json_string(copy);
	free(copy);
	return s;
}

static json_t *number_of(double v)
{
	return v == floor(v) && fabs(v) < 1e15 ? json_integer((json_int_t)v) : json_real(v);
}

/* NULL: there is no memory for all of it. */
static json_t *facts_of(const bl_facts *f)
{
	json_t *o = json_object();
	bool fine = o;
	for (int i = 0; fine && i < f->n; i++) {
		const bl_fact *at = &f->at[i];
		if ((at->text || isfinite(at->number)) && bl_text_is_utf8(at->name))
			fine = json_object_set_new(o, at->name, at->text ? text_of(at->text) : number_of(at->number)) == 0;
	}
	if (fine)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *member_of(const bl_run_file *f, const struct member *m)
{
	const void *at = (const char *)f + m->offset;
	switch (m->kind) {
	case TEXT: return text_of(at);
	case WHOLE: return json_integer(*(const int64_t *)at);
	case INT: return json_integer(*(const int *)at);
	case TIME: return json_real(*(const double *)at);
	case FACTS: return facts_of(at);
	}
	return NULL;
}

static char *print(const bl_run_file *f)
{
	json_t *root = json_object();
	bool fine = json_object_set_new(root, "format", json_integer(FORMAT)) == 0;
	for (int i = 0; fine && i < MEMBERS; i++)
		fine = json_object_set_new(root, members[i].name, member_of(f, &members[i])) == 0;
	json_t *tags = json_array();
	for (int i = 0; fine && i < f->tags; i++)
		fine = json_array_append_new(tags, text_of(f->tag[i])) == 0;
	fine = json_object_set_new(root, "tags", tags) == 0 && fine;
	char *text = fine ? bl_json_text(root, JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) : NULL;
	json_decref(root);
	return text ? text : bl_fail_null("no memory for a run's facts");
}

int bl_run_file_write(const char *folder, const bl_run_file *f)
{
	char *path = bl_runs_path(folder, BL_RUN_FILE), *text = path ? print(f) : NULL;
	struct stat s;
	bool link = text && lstat(path, &s) == 0 && S_ISLNK(s.st_mode);
	int rc = !text  ? -1
	         : link ? bl_fail("%s: a link, not a run's file", path)
	                : bl_file_write_private(path, text, strlen(text));
	free(text);
	free(path);
	return rc;
}

/* --- Changing --------------------------------------------------------------------------------- */

static bool is_current(int fd, const char *path)
{
	struct stat open_one, there;
	return fstat(fd, &open_one) == 0 && lstat(path, &there) == 0 && open_one.st_dev == there.st_dev &&
	       open_one.st_ino == there.st_ino;
}

/*
 * Opens and locks the file, and then checks that it still has that name.  -1 with errno: it cannot be opened; -2:
 * another process keeps it locked.
 */
static int open_locked(const char *path)
{
	for (int turn = 0; turn < LOCK_TRIES; turn++) {
		struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			return -1;
		bool locked = fcntl(fd, F_OFD_SETLK, &whole) == 0 || (errno != EAGAIN && errno != EACCES);
		if (locked && is_current(fd, path))
			return fd; /* also if the file system has no locks */
		close(fd);
		if (!locked)
			nanosleep(&(struct timespec){ .tv_nsec = LOCK_NS }, NULL);
	}
	return -2;
}

int bl_run_file_change(const char *folder, int (*change)(void *ctx, bl_run_file *f), void *ctx)
{
	bl_run_file f = { .tags = 0 };
	char *path = bl_runs_path(folder, BL_RUN_FILE);
	int fd = path ? open_locked(path) : -1, rc = 0;
	if (!path)
		return -1;
	if (fd == -2)
		rc = bl_fail("%s: another process has locked it", path);
	else if (fd < 0 && errno != ENOENT)
		rc = bl_fail("%s: %s", path, strerror(errno));
	else if (fd >= 0 && read_open(fd, &f) != 0)
		rc = bl_fail_prefix("%s: ", path);
	if (rc == 0)
		rc = change(ctx, &f);
	if (rc == 0)
		rc = bl_run_file_write(folder, &f);
	if (fd >= 0)
		close(fd);
	bl_run_file_free(&f);
	free(path);
	return rc;
}

/* --- Tags --------------------------------------------------------------------------------------- */

static int check_tag(const char *tag)
{
	if (!*tag || strlen(tag) >= BL_RUN_TAG)
		return bl_fail("the tag '%.20s...' is %s: expected 1 to %d bytes", tag, *tag ? "too long" : "empty",
		               BL_RUN_TAG - 1);
	for (const char *c = tag; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 127 || *c == ',')
			return bl_fail("the tag '%s' has a blank, a comma or a control character in it", tag);
	return 0;
}

int bl_run_file_tag(bl_run_file *f, const char *tag, bool on)
{
	int i = 0;
	if (check_tag(tag) != 0)
		return -1;
	while (i < f->tags && strcmp(f->tag[i], tag) != 0)
		i++;
	if (on == (i < f->tags))
		return 1;
	if (on && f->tags == BL_RUN_TAGS)
		return bl_fail("the run has %d tags already", BL_RUN_TAGS);
	if (on)
		snprintf(f->tag[f->tags++], BL_RUN_TAG, "%s", tag);
	else
		memmove(f->tag[i], f->tag[i + 1], (size_t)(--f->tags - i) * BL_RUN_TAG);
	return 0;
}
