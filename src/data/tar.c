/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tar.c: the data set data.tar: shards in WebDataset's format, which are plain tar archives of images and labels.
 *
 * Successive files whose names differ only behind the first dot are a sample, as in WebDataset: 000123.jpg, 000123.cls,
 * 000123.json.  The archives are read once to make an index; later, images are read at their offsets, in any order.
 */
#include "base/path.h"
#include "data/archive.h"
#include "data/braces.h"
#include "data/labels.h"
#include "data/pictures.h"
#include "data/tar_label.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/text.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IMAGE = 1 << 28, MOST_LABEL = 1 << 20, MESSAGE_NAME = 200 };

typedef struct tar {
	const char *path, *labels, *image;
	bl_pictures pictures;
} tar;

struct shard {
	char *path;
	struct stat as_it_was;
};

typedef struct piece {
	int64_t offset, size;
	int shard;
} piece;

typedef struct source {
	struct shard *shards;
	int n_shards;
	piece *images;
	int64_t n, room;
	bl_names files, keys; /* names of the images in their shards; these with labels, for the fingerprint */
	bl_decode_options options;
	char **class_names;
} source;

/* --- images --- */

static bl_encoded *encoded(bl_opened *o)
{
	return (bl_encoded *)(void *)o->state;
}

/* If rc is negative, puts shard and file before the decoder's message. */
static int named(const source *s, int64_t i, int rc)
{
	return rc < 0 ? bl_fail_prefix("%s: %.*s: ", s->shards[s->images[i].shard].path, MESSAGE_NAME, bl_names_get(&s->files, i))
	              : 0;
}

static int open_row(bl_opened *o)
{
	const source *s = o->root->source;
	const piece *p = &s->images[o->row];
	const struct shard *in = &s->shards[p->shard];
	uint8_t *bytes = bl_scratch(SLOT_FILE, (size_t)p->size + 1);
	if (!bytes || bl_archive_read(in->path, &in->as_it_was, p->offset, p->size, bytes) < 0)
		return -1;
	if (named(s, o->row, bl_decode_open_bytes(encoded(o), bytes, (size_t)p->size, &s->options)) < 0)
		return -1;
	o->height = encoded(o)->height;
	o->width = encoded(o)->width;
	return 0;
}

static int read_row(bl_opened *o, const bl_window *w, bl_image *out)
{
	return named(o->root->source, o->row, bl_decode_read(encoded(o), w, out));
}

static void close_row(bl_opened *o)
{
	bl_decode_close(encoded(o));
}

/* "shards/000.tar/key.jpg" */
static char *path_of_row(const bl_dataset *root, int64_t i)
{
	const source *s = root->source;
	const char *shard = s->shards[s->images[i].shard].path, *file = bl_names_get(&s->files, i);
	size_t size = strlen(shard) + strlen(file) + 2;
	char *path = malloc(size);
	if (path)
		snprintf(path, size, "%s/%s", shard, file);
	return path;
}

static char *holder_of_row(const bl_dataset *root, int64_t i)
{
	const source *s = root->source;
	return strdup(s->shards[s->images[i].shard].path);
}

static const char *name_of_row(const bl_dataset *root, int64_t i)
{
	return bl_names_get(&((const source *)root->source)->keys, i);
}

static void free_source(source *s)
{
	for (int k = 0; k < s->n_shards; k++)
		free(s->shards[k].path);
	free(s->shards);
	free(s->images);
	bl_names_free(&s->files);
	bl_names_free(&s->keys);
	free(s->class_names);
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
	.holder = holder_of_row,
	.file_name = name_of_row,
	.clear = clear,
};

/* --- samples --- */

typedef enum label_kind { NO_LABELS, CLS, JSON, UNKNOWN } label_kind;

/* Successive files whose names agree up to the last dot: an image, a label or both. */
typedef struct part {
	bool has_image;
	piece image;
	char *image_name;
	char *label; /* its text, or NULL */
} part;

/* The sample that is being collected, and which files are images and labels. */
typedef struct gathering {
	source *s;
	bl_names labels;
	label_kind kind;           /* UNKNOWN until the first sample decides it */
	const char *key;           /* of the JSON object, or NULL */
	const char *image;         /* ending of the images, from the first dot of the name, or NULL: every image */
	char sample[BL_PATH_SIZE]; /* up to the first dot of the file name, with folders */
	char stem[BL_PATH_SIZE];   /* of the last part, up to the last dot */
	part *parts;
	int64_t n, room;
} gathering;

static int add_row(gathering *g, const part *p, const char *label)
{
	source *s = g->s;
	if (s->n == s->room) {
		int64_t room = s->room ? 2 * s->room : 1024;
		piece *more = realloc(s->images, (size_t)room * sizeof *more);
		if (!more)
			return bl_fail("no memory for %" PRId64 " images", room);
		s->images = more;
		s->room = room;
	}
	s->images[s->n++] = p->image;
	char key[2 * BL_PATH_SIZE];
	snprintf(key, sizeof key, "%s%s%.*s", p->image_name, label ? "\t" : "", BL_PATH_SIZE, label ? label : "");
	if (bl_names_add(&s->files, p->image_name) < 0 || bl_names_add(&s->keys, key) < 0)
		return -1;
	return label ? bl_names_add(&g->labels, label) : 0;
}

static void clear_parts(gathering *g)
{
	for (int64_t k = 0; k < g->n; k++) {
		free(g->parts[k].image_name);
		free(g->parts[k].label);
	}
	g->n = 0;
	g->stem[0] = '\0';
}

static const char *first_dot(const char *name)
{
	const char *slash = strrchr(name, '/');
	return strchr(slash ? slash + 1 : name, '.');
}

static int no_label(const gathering *g, const part *p, int64_t images, const char *shared)
{
	const char *shard = g->s->shards[p->image.shard].path;
	if (!shared)
		return bl_fail("%s: sample %.*s has no label (%s), others have one", shard, MESSAGE_NAME, g->sample,
		               g->kind == CLS ? ".cls" : ".json");
	return bl_fail("%s: sample %.*s has %" PRId64 " images and one label; image = \"%.*s\" selects this image of each sample",
	               shard, MESSAGE_NAME, g->sample, images, MESSAGE_NAME, first_dot(p->image_name) + 1);
}

/*
 * Adds the images of the complete sample.  If no label was found by the end of the first sample with an image, there are no
 * labels.  An image has the label with the same name up to the last dot.  The only image of a sample may have any label of
 * the sample: x.left.jpg has that of x.cls.
 */
static int finish_sample(gathering *g)
{
	int64_t images = 0;
	const char *shared = NULL;
	for (int64_t k = 0; k < g->n; k++) {
		images += g->parts[k].has_image;
		if (!g->parts[k].has_image && !shared)
			shared = g->parts[k].label;
	}
	if (images > 0 && g->kind == UNKNOWN)
		g->kind = NO_LABELS;
	int rc = 0;
	for (int64_t k = 0; rc == 0 && k < g->n; k++) {
		const part *p = &g->parts[k];
		const char *label = p->label ? p->label : images == 1 ? shared : NULL;
		if (p->has_image)
			rc = g->kind != NO_LABELS && !label ? no_label(g, p, images, shared) : add_row(g, p, label);
	}
	clear_parts(g);
	return rc;
}

/* Returns the part whose stem is the n bytes at name: the last part, or a new one; NULL with bl_error. */
static part *part_of(gathering *g, const char *name, size_t n)
{
	if (g->n > 0 && strlen(g->stem) == n && memcmp(g->stem, name, n) == 0)
		return &g->parts[g->n - 1];
	if (g->n == g->room) {
		int64_t room = g->room ? 2 * g->room : 8;
		part *more = realloc(g->parts, (size_t)room * sizeof *more);
		if (!more)
			return bl_fail_null("no memory for a sample of %" PRId64 " files", room);
		g->parts = more;
		g->room = room;
	}
	snprintf(g->stem, sizeof g->stem, "%.*s", (int)n, name);
	g->parts[g->n] = (part){ .has_image = false };
	return &g->parts[g->n++];
}

/* Returns the text of a label's file as a new string. */
static char *read_label(const gathering *g, const bl_archive_entry *e, int shard)
{
	const struct shard *in = &g->s->shards[shard];
	if (e->size > MOST_LABEL)
		return bl_fail_null("%s: %.*s: %" PRId64 " bytes, expected a label of at most %d", in->path, MESSAGE_NAME, e->name,
		                    e->size, MOST_LABEL);
	char *text = calloc((size_t)e->size + 1, 1);
	if (!text)
		return bl_fail_null("%s: no memory for a label", in->path);
	if (bl_archive_read(in->path, &in->as_it_was, e->offset, e->size, text) == 0)
		return text;
	free(text);
	return NULL;
}

static char *trim(char *text)
{
	size_t n = strlen(text), from = strspn(text, " \t\r\n");
	while (n > from && strchr(" \t\r\n", text[n - 1]))
		n--;
	text[n] = '\0';
	memmove(text, text + from, n - from + 1);
	return text;
}

static int take_label(gathering *g, const bl_archive_entry *e, int shard, label_kind kind, size_t stem)
{
	if (g->kind == UNKNOWN)
		g->kind = kind;
	part *p = g->kind == kind ? part_of(g, e->name, stem) : NULL;
	if (!p)
		return g->kind == kind ? -1 : 0;
	if (p->label)
		return 0;
	char *text = read_label(g, e, shard);
	if (!text)
		return -1;
	p->label = kind == CLS ? bl_text_copy(trim(text)) : bl_tar_label(text, (size_t)e->size, g->key);
	free(text);
	if (p->label && *p->label && strlen(p->label) < BL_PATH_SIZE)
		return 0;
	if (p->label)
		bl_fail("expected a label of 1 to %d bytes", BL_PATH_SIZE - 1);
	return bl_fail_prefix("%s: %.*s: ", g->s->shards[shard].path, MESSAGE_NAME, e->name);
}

static int take_image(gathering *g, const bl_archive_entry *e, int shard, size_t stem)
{
	const char *in = g->s->shards[shard].path;
	part *p = part_of(g, e->name, stem);
	if (!p)
		return -1;
	if (p->has_image)
		return bl_fail("%s: sample %.*s has two images: %.*s is the second; image = \"%.*s\" selects it", in, MESSAGE_NAME,
		               g->stem, MESSAGE_NAME, e->name, MESSAGE_NAME, first_dot(e->name) + 1);
	if (e->size > MOST_IMAGE)
		return bl_fail("%s: %.*s: %" PRId64 " bytes, expected an image of at most %d", in, MESSAGE_NAME, e->name, e->size,
		               MOST_IMAGE);
	p->has_image = true;
	p->image = (piece){ e->offset, e->size, shard };
	p->image_name = strdup(e->name);
	return p->image_name ? 0 : bl_fail("%s: no memory", in);
}

typedef struct visit {
	gathering *g;
	int shard;
} visit;

static int take_entry(void *ctx, const bl_archive_entry *e)
{
	const visit *v = ctx;
	gathering *g = v->g;
	const char *slash = strrchr(e->name, '/'), *first = first_dot(e->name), *last = first ? strrchr(first, '.') : NULL;
	size_t length = strlen(e->name), stem = last ? (size_t)(last - e->name) : length;
	size_t n = first ? (size_t)(first - e->name) : length;
	if (length >= BL_PATH_SIZE)
		return bl_fail("%s: a name of more than %d bytes", g->s->shards[v->shard].path, BL_PATH_SIZE - 1);
	if ((slash ? slash[1] : e->name[0]) == '.')
		return 0;
	if (strlen(g->sample) != n || memcmp(g->sample, e->name, n) != 0) {
		if (finish_sample(g) < 0)
			return -1;
		snprintf(g->sample, sizeof g->sample, "%.*s", (int)n, e->name);
	}
	const char *ending = last ? last + 1 : "";
	if (strcmp(ending, "cls") == 0)
		return take_label(g, e, v->shard, CLS, stem);
	if (strcmp(ending, "json") == 0 && (g->kind == JSON || (g->kind == UNKNOWN && g->key)))
		return take_label(g, e, v->shard, JSON, stem);
	if (!bl_decode_is_named(e->name, NULL) || (g->image && strcmp(first + 1, g->image) != 0))
		return 0;
	return take_image(g, e, v->shard, stem);
}

/* A sample ends where its shard does. */
static int read_shard(gathering *g, int shard)
{
	struct shard *s = &g->s->shards[shard];
	visit v = { g, shard };
	g->sample[0] = '\0';
	if (bl_archive_index(s->path, &s->as_it_was, take_entry, &v) < 0)
		return -1;
	return finish_sample(g);
}

static int read_shards(gathering *g, const char *pattern)
{
	source *s = g->s;
	bl_names names = { .n = 0 };
	int rc = bl_braces_expand(&names, pattern);
	if (rc == 0 && !(s->shards = calloc((size_t)names.n, sizeof *s->shards)))
		rc = bl_fail("%s: no memory for %" PRId64 " shards", pattern, names.n);
	for (int k = 0; rc == 0 && k < names.n; k++) {
		s->n_shards = k + 1;
		s->shards[k].path = strdup(bl_names_get(&names, k));
		rc = s->shards[k].path ? read_shard(g, k) : bl_fail("%s: no memory", pattern);
	}
	bl_names_free(&names);
	if (rc < 0)
		return -1;
	if (s->n == 0 && g->image)
		return bl_fail("%s: no file in it ends with .%s", pattern, g->image);
	return s->n ? 0 : bl_fail("%s: no image file in it", pattern);
}

/* --- the data set --- */

static int set_labels_kind(gathering *g, const char *labels)
{
	static const char json[] = "json:";
	g->kind = UNKNOWN;
	if (!labels)
		return 0;
	if (strncmp(labels, json, sizeof json - 1) == 0 && labels[sizeof json - 1]) {
		g->key = labels + sizeof json - 1;
		g->kind = JSON;
	} else if (strcmp(labels, "cls") == 0) {
		g->kind = CLS;
	} else if (strcmp(labels, "none") == 0) {
		g->kind = NO_LABELS;
	} else {
		return bl_fail("data.tar: 'labels' must be \"cls\", \"json:KEY\" or \"none\", got '%.60s'", labels);
	}
	return 0;
}

static int set_image(gathering *g, const char *image)
{
	char name[BL_PATH_SIZE];
	if (image && ((size_t)snprintf(name, sizeof name, ".%s", image) >= sizeof name || !bl_decode_is_named(name, NULL)))
		return bl_fail(
			"data.tar: 'image' must be the ending of an image file, such as \"jpg\" or \"left.png\", got '%.60s'",
			image);
	g->image = image;
	return 0;
}

/* Takes ownership of the source, also on failure. */
static bl_dataset *make_set(const tar *c, gathering *g)
{
	source *s = g->s;
	bl_dataset *d = bl_dataset_make_source(bl_path_name(c->path), s->n, s->options.channels, 1, 1, &ops);
	if (!d) {
		free_source(s);
		return NULL;
	}
	d->source = s;
	if (bl_dataset_set_origin(d, 0, c->path) == 0 &&
	    (g->labels.n == 0 || bl_labels_of_texts(d, &g->labels, &s->class_names) == 0) &&
	    bl_pictures_finish(d, &c->pictures, &s->options) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

static bl_dataset *make(const void *settings)
{
	const tar *c = settings;
	bl_dataset *d = NULL;
	gathering *g = calloc(1, sizeof *g);
	if (!g || !(g->s = calloc(1, sizeof *g->s))) {
		free(g);
		return bl_fail_null("%s: no memory", c->path);
	}
	if (bl_pictures_options(&c->pictures, "data.tar", &g->s->options) == 0 && set_labels_kind(g, c->labels) == 0 &&
	    set_image(g, c->image) == 0 && read_shards(g, c->path) == 0)
		d = make_set(c, g);
	else
		free_source(g->s);
	clear_parts(g);
	free(g->parts);
	bl_names_free(&g->labels);
	free(g);
	return d;
}

static const bl_field fields[] = {
	BL_FIELD(TEXT, tar, path, BL_REQUIRED, .position = 1,
	         .help = "a plain tar archive, or several: \"shards/train-{000..011}.tar\"; a sample is an image and the files "
	                 "whose names are the same up to the first dot"),
	BL_FIELD(
		TEXT, tar, labels, BL_OTHERWISE("\"cls\", where the first sample has it"),
		.help = "\"cls\": from files NAME.cls; \"json:KEY\": from a key of NAME.json; \"none\"; whole numbers are classes from 0, other "
			"texts are classes by name"),
	BL_FIELD(TEXT, tar, image, BL_OTHERWISE("every image"),
	         .help = "ending of the image to take of each sample, from the first dot of its name: \"left.jpg\" for x.left.jpg"),
	BL_PICTURES_FIELDS(tar),
	BL_FIELD_END,
};

const bl_data_kind bl_data_tar = {
	.name = "tar",
	.help = "Shards in the format of WebDataset: image files and their labels in plain tar archives, read without unpacking.",
	.example = "pcall(data.tar, \"/shards/train-{000..011}.tar\")",
	.fields = fields,
	.paths = { "path" },
	.sized = true,
	.make = make,
};
