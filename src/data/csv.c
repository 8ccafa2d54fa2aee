/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv.c: the data set data.csv: image files and labels that a text table lists. */
#include "base/path.h"
#include "data/csv_text.h"
#include "data/labels.h"
#include "data/pictures.h"

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/file.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BYTES = 1 << 30, MOST_FILE = 1 << 20 };

typedef struct csv {
	const char *path, *images, *labels, *separator;
	bool header;
	bl_pictures pictures;
} csv;

typedef struct source {
	char *folder;         /* folder of the table; paths are relative to it */
	bl_names files, keys; /* files: paths as written; keys: paths with labels, for the fingerprint */
	bl_mark *marks;
	bl_decode_options options;
	char **class_names;
} source;

/* --- images --- */

static void put_path(const void *source_, int64_t i, char path[BL_PATH_SIZE])
{
	const source *s = source_;
	const char *file = bl_names_get(&s->files, i);
	snprintf(path, BL_PATH_SIZE, "%s%s%s", *file == '/' ? "" : s->folder, *file == '/' ? "" : "/", file);
}

static bl_encoded *encoded(bl_opened *o)
{
	return (bl_encoded *)(void *)o->state;
}

static int open_row(bl_opened *o)
{
	const source *s = o->root->source;
	char path[BL_PATH_SIZE];
	put_path(s, o->row, path);
	if (bl_decode_open(encoded(o), path, &s->options, &s->marks[o->row]) < 0)
		return bl_fail_prefix("%s: ", path);
	o->height = encoded(o)->height;
	o->width = encoded(o)->width;
	return 0;
}

static int read_row(bl_opened *o, const bl_window *w, bl_image *out)
{
	char path[BL_PATH_SIZE];
	if (bl_decode_read(encoded(o), w, out) == 0)
		return 0;
	put_path(o->root->source, o->row, path);
	return bl_fail_prefix("%s: ", path);
}

static void close_row(bl_opened *o)
{
	bl_decode_close(encoded(o));
}

static char *path_of_row(const bl_dataset *root, int64_t i)
{
	char path[BL_PATH_SIZE];
	put_path(root->source, i, path);
	return strdup(path);
}

static const char *name_of_row(const bl_dataset *root, int64_t i)
{
	return bl_names_get(&((const source *)root->source)->keys, i);
}

static void free_source(source *s)
{
	bl_names_free(&s->files);
	bl_names_free(&s->keys);
	free(s->marks);
	free(s->class_names);
	free(s->folder);
	free(s);
}

static void clear(bl_dataset *root)
{
	free_source(root->source);
}

static const bl_dataset_ops ops = {
	.open = open_row,
	.read = read_row,
	.close = close_row,
	.path = path_of_row,
	.file_name = name_of_row,
	.clear = clear,
};

/* --- the table --- */

typedef struct table {
	const csv *settings;
	source *s;
	bl_names labels;
	int image, label; /* columns from 0; label -1: no labels; image -1: not known yet */
} table;

/* Returns the column, from 0, that `word` selects by name or by number from 1; -1 with bl_error. */
static int find_column(const table *t, const char *word, char **fields, int n)
{
	char known[512] = "", *end;
	for (int i = 0; t->settings->header && i < n; i++)
		if (strcmp(fields[i], word) == 0)
			return i;
	long number = strtol(word, &end, 10);
	if (*word && !*end && number >= 1 && number <= n)
		return (int)number - 1;
	for (int i = 0; i < n && strlen(known) < 400; i++)
		snprintf(known + strlen(known), sizeof known - strlen(known), "%s%.40s", i ? ", " : "", fields[i]);
	if (t->settings->header)
		return bl_fail("line 1: no column '%.60s'; there are %s", word, known);
	return bl_fail("no column '%.60s': expected a number from 1 to %d, as there is no header", word, n);
}

static int add_image(table *t, int64_t line, const char *file, const char *label)
{
	char key[2 * BL_PATH_SIZE];
	if (!*file)
		return bl_fail("line %" PRId64 ": the path of the image is empty", line);
	if (strlen(file) + strlen(t->s->folder) + 2 > BL_PATH_SIZE)
		return bl_fail("line %" PRId64 ": a path of more than %d bytes", line, BL_PATH_SIZE - 1);
	if (label && strlen(label) >= BL_PATH_SIZE)
		return bl_fail("line %" PRId64 ": a label of more than %d bytes", line, BL_PATH_SIZE - 1);
	snprintf(key, sizeof key, "%s%s%s", file, label ? "\t" : "", label ? label : "");
	if (bl_names_add(&t->s->files, file) < 0 || bl_names_add(&t->s->keys, key) < 0)
		return -1;
	return label ? bl_names_add(&t->labels, label) : 0;
}

static int take_row(void *ctx, int64_t line, char **fields, int n)
{
	table *t = ctx;
	const csv *c = t->settings;
	if (bl_check_given_up())
		return -1;
	if (t->image < 0) {
		t->image = c->images ? find_column(t, c->images, fields, n) : 0;
		t->label = c->labels ? find_column(t, c->labels, fields, n) : -1;
		if (t->image < 0 || (c->labels && t->label < 0))
			return -1;
		if (c->header)
			return 0;
	}
	return add_image(t, line, fields[t->image], t->label >= 0 ? fields[t->label] : NULL);
}

static char *read_text(const char *path, size_t *n)
{
	struct stat st;
	if (stat(path, &st) == 0 && st.st_size > MOST_BYTES)
		return bl_fail_null("%s: %" PRId64 " bytes, expected a table of at most %d", path, (int64_t)st.st_size, MOST_BYTES);
	char *text = bl_file_read(path, n), *more = text ? realloc(text, *n + 1) : NULL;
	if (text && !more) {
		free(text);
		return bl_fail_null("%s: no memory to read it", path);
	}
	return more;
}

static int read_table(table *t, const char *path)
{
	size_t n;
	char *text = read_text(path, &n);
	if (!text)
		return -1;
	int rc = bl_csv_read(text, n, *t->settings->separator, take_row, t);
	free(text);
	if (rc < 0)
		return bl_fail_prefix("%s: ", path);
	return t->s->files.n ? 0 : bl_fail("%s: it lists no images", path);
}

/* --- construction --- */

/* Takes ownership of t->s, also on failure. */
static bl_dataset *make_set(table *t)
{
	const csv *c = t->settings;
	source *s = t->s;
	bl_dataset *d = bl_dataset_make_source(bl_path_name(c->path), s->files.n, s->options.channels, 1, 1, &ops);
	if (!d) {
		free_source(s);
		return NULL;
	}
	d->source = s;
	if (bl_dataset_set_origin(d, 0, c->path) == 0 && (s->marks = bl_marks_take(s->files.n, put_path, s)) != NULL &&
	    (t->label < 0 || bl_labels_of_texts(d, &t->labels, &s->class_names) == 0) &&
	    bl_pictures_finish(d, &c->pictures, &s->options) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

static bl_dataset *make(const void *settings)
{
	const csv *c = settings;
	if (strlen(c->separator) != 1 || strchr("\"\r\n", *c->separator))
		return bl_fail_null("data.csv: 'separator' must be one byte, no quote and no line end, got '%.20s'", c->separator);
	table t = { .settings = c, .image = -1, .label = -1, .s = calloc(1, sizeof(source)) };
	bl_dataset *d = NULL;
	if (!t.s || !(t.s->folder = bl_path_folder(c->path))) {
		free(t.s);
		return bl_fail_null("%s: no memory", c->path);
	}
	if (bl_pictures_options(&c->pictures, "data.csv", &t.s->options) == 0 && read_table(&t, c->path) == 0)
		d = make_set(&t);
	else
		free_source(t.s);
	bl_names_free(&t.labels);
	return d;
}

static const bl_field fields[] = {
	BL_FIELD(TEXT, csv, path, BL_REQUIRED, .position = 1,
	         .help = "the table, a text file whose fields are quoted where needed (RFC 4180)"),
	BL_FIELD(TEXT, csv, images, BL_OTHERWISE("the first column"),
	         .help = "column of the image files' paths, by name or number; they are relative to the table's folder"),
	BL_FIELD(TEXT, csv, labels, BL_OTHERWISE("no labels"),
	         .help = "column of labels, by name or number: whole numbers are classes from 0, other texts are classes by name"),
	BL_FIELD(BOOL, csv, header, BL_DEFAULT(true), .help = "the first row has the names of the columns"),
	BL_FIELD(TEXT, csv, separator, BL_TEXT(","), .help = "separator of fields: \",\", \";\" or \"\\t\""),
	BL_PICTURES_FIELDS(csv),
	BL_FIELD_END,
};

const bl_data_kind bl_data_csv = {
	.name = "csv",
	.help = "Image files that a table lists, with their labels; read when they are needed.",
	.example = "pcall(data.csv, {path = \"/labels.csv\", labels = \"species\"})",
	.fields = fields,
	.paths = { "path" },
	.sized = true,
	.make = make,
};
