/* SPDX-License-Identifier: GPL-3.0-or-later */
/* folder.c: the data set data.folder: image files in folders, decoded on demand. */
#include "base/path.h"
#include "data/listing.h"
#include "data/pictures.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 16 };

typedef struct source {
	char *folder;
	const char *endings; /* borrowed during construction; NULL: those of all formats */
	bl_listing files;
	bl_mark *marks; /* of the images */
	bl_decode_options options;
	char **class_names;
	int classes;
	char **skipped; /* "path: reason" */
	int64_t n_skipped;
} source;

/* --- Images ---------------------------------------------------------------------- */

static void put_path(const void *source_, int64_t i, char path[BL_PATH_SIZE])
{
	const source *s = source_;
	snprintf(path, BL_PATH_SIZE, "%s/%s", s->folder, bl_names_get(&s->files.images, i));
}

/* Puts the file's path in front of the decoder's message. */
static int named(const source *s, int64_t i, int rc)
{
	return rc < 0 ? bl_fail_prefix("%s/%s: ", s->folder, bl_names_get(&s->files.images, i)) : 0;
}

static int open_file(const source *s, int64_t i, bl_encoded *e)
{
	char path[BL_PATH_SIZE];
	put_path(s, i, path);
	return named(s, i, bl_decode_open(e, path, &s->options, &s->marks[i]));
}

static bl_encoded *encoded(bl_opened *o)
{
	_Static_assert(sizeof(bl_encoded) <= BL_OPENED_BYTES, "an open file fits into an opened image");
	return (bl_encoded *)(void *)o->state;
}

static int open_row(bl_opened *o)
{
	bl_encoded *e = encoded(o);
	if (open_file(o->root->source, o->row, e) < 0)
		return -1;
	o->height = e->height;
	o->width = e->width;
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

static char *path_of_row(const bl_dataset *root, int64_t i)
{
	char path[BL_PATH_SIZE];
	put_path(root->source, i, path);
	return strdup(path);
}

static const char *name_of_row(const bl_dataset *root, int64_t i)
{
	return bl_names_get(&((const source *)root->source)->files.images, i);
}

static void free_texts(char **texts, int64_t n)
{
	for (int64_t i = 0; texts && i < n; i++)
		free(texts[i]);
	free(texts);
}

static void free_source(source *s)
{
	bl_listing_free(&s->files);
	free(s->marks);
	free_texts(s->class_names, s->classes);
	free_texts(s->skipped, s->n_skipped);
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

/* --- Broken files ------------------------------------------------------------------ */

/* Reads the last row only: the decoder has to process all rows before it, but needs little memory. */
static int try_file(const source *s, int64_t i)
{
	bl_encoded e;
	bl_image im;
	if (open_file(s, i, &e) < 0)
		return -1;
	int rc = named(s, i, bl_decode_read(&e, &(bl_window){ e.height - 1, 0, 1, e.width, 1 }, &im));
	bl_decode_close(&e);
	return rc;
}

struct trial {
	source *s;
	char **reason; /* NULL: the file is whole, or there was no memory for the text */
};

static void try_chunk(void *ctx, int64_t chunk)
{
	struct trial *t = ctx;
	int64_t to = (chunk + 1) * CHUNK < t->s->files.images.n ? (chunk + 1) * CHUNK : t->s->files.images.n;
	for (int64_t i = chunk * CHUNK; i < to && !bl_given_up(); i++)
		if (try_file(t->s, i) < 0)
			t->reason[i] = strdup(bl_error());
}

/* Moves the reasons to s->skipped, and removes their files and marks from the lists. */
static void leave_out(source *s, char **reason)
{
	int64_t kept = 0;
	for (int64_t i = 0; i < s->files.images.n; i++)
		if (reason[i])
			s->skipped[s->n_skipped++] = reason[i];
		else {
			s->marks[kept] = s->marks[i];
			s->files.images.at[kept++] = s->files.images.at[i];
		}
	s->files.images.n = kept;
}

/* Allocates memory for n more reasons. */
static int room_for_reasons(source *s, int64_t n)
{
	char **more = realloc(s->skipped, (size_t)(s->n_skipped + n) * sizeof *more);
	if (!more)
		return bl_fail("%s: no memory for the reasons why %" PRId64 " files are left out", s->folder, n);
	s->skipped = more;
	return 0;
}

static int skip_broken(source *s)
{
	int64_t n = s->files.images.n, before = s->n_skipped;
	struct trial t = { .s = s, .reason = calloc((size_t)n, sizeof *t.reason) };
	if (!t.reason)
		return bl_fail("%s: no memory to try %" PRId64 " files", s->folder, n);
	int rc = room_for_reasons(s, n);
	if (rc == 0) {
		bl_parallel((n + CHUNK - 1) / CHUNK, try_chunk, &t);
		leave_out(s, t.reason);
	}
	free(t.reason);
	if (rc == 0 && bl_given_up())
		return bl_fail_interrupted("%s: interrupted", s->folder);
	if (rc < 0 || s->files.images.n)
		return rc;
	return bl_fail("%s: none of %" PRId64 " files can be read, the first: %s", s->folder, n, s->skipped[before]);
}

/* Adds a text for each name to s->skipped, and a last text with the number of the n files that are not in `names`. */
static int note(source *s, const bl_names *names, int64_t n, const char *why, const char *more)
{
	char text[BL_PATH_SIZE + 64];
	if (n > 0 && room_for_reasons(s, names->n + 1) < 0)
		return -1;
	for (int64_t i = 0; i < names->n + (n > names->n); i++) {
		if (i < names->n)
			snprintf(text, sizeof text, "%s%s", bl_names_get(names, i), why);
		else
			snprintf(text, sizeof text, "%" PRId64 " more %s", n - names->n, more);
		if (!(s->skipped[s->n_skipped] = strdup(text)))
			return bl_fail("%s: no memory to name %" PRId64 " files", s->folder, n);
		s->n_skipped++;
	}
	return 0;
}

static int64_t unnamed(const bl_names *names, int64_t n)
{
	return n > names->n ? n - names->n - 1 : 0; /* the last text counts as one */
}

int64_t bl_dataset_unread(const bl_dataset *d)
{
	const bl_dataset *root = d->root ? d->root : d;
	if (root->ops != &ops)
		return 0;
	const source *s = root->source;
	const bl_listing *l = &s->files;
	return s->n_skipped + unnamed(&l->others, l->n_others) + unnamed(&l->lost, l->n_lost);
}

int64_t bl_dataset_skipped(const bl_dataset *d)
{
	const bl_dataset *root = d->root ? d->root : d;
	return root->ops == &ops ? ((const source *)root->source)->n_skipped : 0;
}

const char *bl_dataset_skipped_reason(const bl_dataset *d, int64_t k)
{
	const bl_dataset *root = d->root ? d->root : d;
	return k >= 0 && k < bl_dataset_skipped(d) ? ((const source *)root->source)->skipped[k] : NULL;
}

/* --- Classes -------------------------------------------------------------------------- */

static int fail_empty(const source *s, const char *sub)
{
	const bl_listing *l = &s->files;
	char all[256], others[128] = "";
	if (l->n_others)
		snprintf(others, sizeof others, "; %" PRId64 " others, such as %.60s", l->n_others, bl_names_get(&l->others, 0));
	return bl_fail("%s%s%s: no image file in %s (names end in %s%s)", s->folder, sub ? "/" : "", sub ? sub : "",
	               sub ? "this class" : "it", s->endings ? s->endings : bl_decode_endings(all, sizeof all), others);
}

/*
 * Checks that all images are in class folders, or none.  Files are sorted by class; those without a class come first.
 */
static int check_layout(const source *s)
{
	const bl_names *l = &s->files.images;
	int64_t loose = 0;
	if (l->n == 0)
		return fail_empty(s, NULL);
	while (loose < l->n && bl_listing_class_length(bl_names_get(l, loose)) == 0)
		loose++;
	if (loose > 0 && loose < l->n)
		return bl_fail("%s: %" PRId64
		               " images beside folders of images (the first: %s): expected all of them in "
		               "folders, one folder per class, or labels = false",
		               s->folder, loose, bl_names_get(l, 0));
	if (loose == 0 && s->files.empty[0])
		return fail_empty(s, s->files.empty);
	return 0;
}

static bool same_class(const char *a, const char *b)
{
	size_t n = bl_listing_class_length(a);
	return n == bl_listing_class_length(b) && memcmp(a, b, n) == 0;
}

static int name_classes(source *s)
{
	int n = 1;
	for (int64_t i = 1; i < s->files.images.n; i++)
		n += !same_class(bl_names_get(&s->files.images, i - 1), bl_names_get(&s->files.images, i));
	s->class_names = calloc((size_t)n, sizeof *s->class_names);
	if (!s->class_names)
		return bl_fail("%s: no memory for %d classes", s->folder, n);
	for (int64_t i = 0; i < s->files.images.n; i++) {
		const char *path = bl_names_get(&s->files.images, i);
		if (i > 0 && same_class(bl_names_get(&s->files.images, i - 1), path))
			continue;
		char *name = strndup(path, bl_listing_class_length(path));
		if (!name)
			return bl_fail("%s: no memory for the names of classes", s->folder);
		s->class_names[s->classes++] = name;
	}
	return 0;
}

static int label(bl_dataset *d, const source *s)
{
	int class = 0;
	if (!s->class_names)
		return 0;
	d->labels = malloc((size_t)d->n * sizeof *d->labels);
	if (!d->labels)
		return bl_fail("%s: no memory for %" PRId64 " labels", s->folder, d->n);
	for (int64_t i = 0; i < d->n; i++) {
		const char *path = bl_names_get(&s->files.images, i);
		while (bl_listing_class_length(path) != strlen(s->class_names[class]) ||
		       strncmp(path, s->class_names[class], strlen(s->class_names[class])) != 0)
			class ++;
		d->labels[i] = class;
	}
	d->classes = s->classes;
	d->class_names = (const char *const *)s->class_names;
	return 0;
}

/* --- Construction -------------------------------------------------------------------- */

static int check(const bl_folder_config *c)
{
	if (!c->path)
		return bl_fail("folder: expected a path");
	if (c->channels != 0 && c->channels != 1 && c->channels != 3)
		return bl_fail("%s: channels = %d, expected 3 or 1", c->path, c->channels);
	if ((c->height == 0) != (c->width == 0) || c->height < 0 || c->width < 0 || c->height > BL_PICTURE_SIDE ||
	    c->width > BL_PICTURE_SIDE)
		return bl_fail("%s: size = %d x %d, expected 1 to %d pixels a side", c->path, c->height, c->width, BL_PICTURE_SIDE);
	return 0;
}

/* Lists the files and names the classes.  Broken files still count here, so leaving them out later changes no label. */
static int fill(source *s, const bl_folder_config *c)
{
	s->options = (bl_decode_options){
		.channels = c->channels ? c->channels : 3, .full_scale = c->full_scale, .orient = c->orient, .over = c->over
	};
	for (int k = 0; k < 3; k++)
		s->options.ground[k] = (uint8_t)lrintf(255 * c->background[k]);
	s->folder = strdup(c->path);
	if (!s->folder)
		return bl_fail("%s: no memory", c->path);
	for (size_t n = strlen(s->folder); n > 1 && s->folder[n - 1] == '/'; n--)
		s->folder[n - 1] = '\0';
	const bl_listing *l = &s->files;
	if (bl_listing_read(&s->files, s->folder, c->endings) < 0)
		return -1;
	/* Other files in the folder are no error, but they are reported. */
	if (note(s, &l->others, l->n_others, ": its name is not that of an image file",
	         "files whose names are not those of image files") < 0 ||
	    note(s, &l->lost, l->n_lost, "", "broken or circular links, or files that are not regular") < 0)
		return -1;
	if (c->unlabelled)
		return s->files.images.n ? 0 : check_layout(s);
	if (check_layout(s) < 0)
		return -1;
	return bl_listing_class_length(bl_names_get(&s->files.images, 0)) ? name_classes(s) : 0;
}

/* Takes ownership of the source, also on failure. */
static bl_dataset *make_set(source *s, const bl_folder_config *c)
{
	bl_dataset *d = bl_dataset_make_source(bl_path_name(s->folder), s->files.images.n, s->options.channels, 1, 1, &ops);
	if (!d) {
		free_source(s);
		return NULL;
	}
	d->source = s;
	d->pil = c->pil;
	if (bl_dataset_set_origin(d, 0, s->folder) == 0 && label(d, s) == 0 && bl_pictures_size(d, c->height, c->width) == 0 &&
	    bl_cache_begin(d, (bl_cache_kind)c->cache, &s->options) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

bl_dataset *bl_dataset_folder(const bl_folder_config *c)
{
	if (check(c) < 0)
		return NULL;
	source *s = calloc(1, sizeof *s);
	if (!s)
		return bl_fail_null("%s: no memory", c->path);
	s->endings = c->endings;
	if (fill(s, c) == 0 && (s->marks = bl_marks_take(s->files.images.n, put_path, s)) != NULL &&
	    (!c->skip_broken || skip_broken(s) == 0))
		return make_set(s, c);
	free_source(s);
	return NULL;
}

typedef struct folder {
	const char *path, *endings;
	float size[2];
	int channels;
	bl_list background;
	bool labels, orient, skip_broken, full_scale;
	bl_cache_kind cache;
	int backend;
} folder;

static const bl_field fields[] = {
	BL_FIELD(TEXT, folder, path, BL_REQUIRED, .position = 1,
	         .help = "the folder; folders in it are classes, sorted by name; files directly in it have no labels"),
	BL_FIELD(TEXT, folder, endings, BL_OTHERWISE("those of all formats that are read"),
	         .help = "reads only files with these extensions, as in \"jpg png\""),
	BL_FIELD(FLOATS, folder, size, BL_OTHERWISE("the first image's size, or 224 if a side is longer"),
	         BL_WITHIN(1, BL_PICTURE_SIDE), .count = 2,
	         .help = "side, or {height, width}, of default views and of images in evaluation, which are cropped after their "
	                 "shorter side is resized to 8/7 of it"),
	BL_FIELD(INT, folder, channels, BL_DEFAULT(3), BL_WITHIN(1, 3), .help = "3 or 1: all images are converted to it"),
	BL_FIELD(LIST, folder, background, BL_OTHERWISE("alpha is ignored"), BL_WITHIN(0, 1), .count = 3,
	         .help = "colour behind transparent pixels: grey, or {red, green, blue}"),
	BL_FIELD(BOOL, folder, orient, BL_DEFAULT(false), .help = "turns images as their EXIF orientation says"),
	BL_FIELD(BOOL, folder, labels, BL_DEFAULT(true), .help = "folders are classes"),
	BL_FIELD(BOOL, folder, skip_broken, BL_DEFAULT(false),
	         .help = "decodes all files now and leaves out broken ones (ds.skipped); otherwise a broken file is an error "
	                 "when it is needed"),
	BL_FIELD(BOOL, folder, full_scale, BL_DEFAULT(false), .help = "decodes JPEGs in full size even where a crop needs less"),
	BL_FIELD(CHOICE, folder, cache, BL_DEFAULT(BL_CACHE_NONE), .choices = bl_cache_words, .help = BL_CACHE_HELP),
	BL_FIELD(CHOICE, folder, backend, BL_DEFAULT(0), .choices = bl_picture_backends, .help = BL_PICTURE_BACKEND_HELP),
	BL_FIELD_END,
};

static bl_dataset *make(const void *settings)
{
	const folder *s = settings;
	for (int i = 0; i < 2; i++)
		if (s->size[i] != (float)(int)s->size[i])
			return bl_fail_null("data.folder: 'size' must be a number of pixels or {height, width}, got %g",
			                    (double)s->size[i]);
	bl_folder_config c = {
		.path = s->path,
		.endings = s->endings,
		.channels = s->channels,
		.height = (int)s->size[0],
		.width = (int)s->size[1],
		.unlabelled = !s->labels,
		.skip_broken = s->skip_broken,
		.full_scale = s->full_scale,
		.orient = s->orient,
		.over = s->background.n > 0,
		.cache = (int)s->cache,
		.pil = s->backend == 1,
	};
	if (bl_pictures_check_pil(c.pil, s->cache, "data.folder") < 0)
		return NULL;
	if (s->background.n == 2)
		return bl_fail_null("data.folder: 'background' has 2 numbers, expected 1 or 3");
	for (int k = 0; k < 3 && c.over; k++)
		c.background[k] = (float)s->background.v[s->background.n == 3 ? k : 0];
	return bl_dataset_folder(&c);
}

const bl_data_kind bl_data_folder = {
	.name = "folder",
	.help = "Image files in folders, one for each class, read when they are needed: JPEG, PNG, WebP, TIFF, GIF (first frame), BMP, PNM.",
	.example = "pcall(data.folder, \"/photographs\")",
	.fields = fields,
	.paths = { "path" },
	.sized = true,
	.make = make,
};
