/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stl10.c: STL-10 (Coates, Ng, Lee 2011).  An image has 3 x 96 x 96 bytes, one plane per colour, column by column.
 * Labels are numbered from 1.  The file of unlabelled images has 2.8 GB, so images are read from their files on demand.
 */
#include "data/dataset.h"
#include "data/decode.h"
#include "data/gunzip.h"
#include "data/places.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/memory.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDE = 96, PLANE = SIDE * SIDE, IMAGE = 3 * PLANE, CLASSES = 10 };
enum { TRAIN, TEST, UNLABELED };
static const char *const parts[] = { "train", "test", "unlabeled", NULL };

static const char *const class_names[CLASSES] = {
	"airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck",
};

static const bl_place_of place = {
	"STL-10",
	(const char *const[]){ "stl10_binary", "stl10", NULL },
	"get stl10_binary.tar.gz from cs.stanford.edu/~acoates/stl10 and unpack it",
};

/* --- Images ----------------------------------------------------------------------- */

/* The file stays open, so another file that replaces it under the same name is never read. */
typedef struct source {
	int fd;
	char path[BL_PLACE_PATH];
} source;

static int open_row(bl_opened *o)
{
	o->height = o->width = SIDE;
	return 0;
}

static int read_bytes(const source *s, int64_t row, uint8_t *bytes)
{
	int64_t got = bl_file_get(s->fd, bytes, IMAGE, row * IMAGE);
	if (got < 0)
		return bl_fail("%s: %s", s->path, strerror(errno));
	if (got < IMAGE)
		return bl_fail("%s: it has become shorter since it was opened: image %" PRId64 " ends at byte %" PRId64 " of %d",
		               s->path, row + 1, got, IMAGE);
	return 0;
}

static int read_row(bl_opened *o, const bl_window *w, bl_image *out)
{
	uint8_t *bytes = bl_scratch(SLOT_FILE, IMAGE), *pixels = bl_scratch(SLOT_PIXELS, IMAGE);
	(void)w;
	if (!bytes || !pixels || read_bytes(o->root->source, o->row, bytes) < 0)
		return -1;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++)
			for (int c = 0; c < 3; c++)
				pixels[(y * SIDE + x) * 3 + c] = bytes[c * PLANE + x * SIDE + y];
	out->pixels = pixels;
	return 0;
}

static void clear(bl_dataset *root)
{
	source *s = root->source;
	close(s->fd);
	free(s);
}

static const bl_dataset_ops ops = { .open = open_row, .read = read_row, .clear = clear };

/* --- Construction ------------------------------------------------------------------- */

static int read_labels(bl_dataset *d, const char *path)
{
	size_t n;
	uint8_t *bytes = bl_gunzip_all(path, &n);
	int rc = 0;
	if (!bytes)
		return -1;
	d->labels = malloc((size_t)d->n * sizeof *d->labels);
	if (!d->labels)
		rc = bl_fail("%s: no memory for %" PRId64 " labels", path, d->n);
	else if (n != (size_t)d->n)
		rc = bl_fail("%s: %zu labels, expected %" PRId64 ", one byte for each image", path, n, d->n);
	for (int64_t i = 0; i < d->n && rc == 0; i++) {
		d->labels[i] = bytes[i] - 1;
		if (bytes[i] < 1 || bytes[i] > CLASSES)
			rc = bl_fail("%s: label %d of image %" PRId64 ", expected 1 to %d: this is not STL-10", path, bytes[i],
			             i + 1, CLASSES);
	}
	free(bytes);
	d->classes = CLASSES;
	d->class_names = class_names;
	return rc;
}

static source *open_source(const char *path, int64_t *n)
{
	struct stat st;
	source *s = calloc(1, sizeof *s);
	if (!s)
		return bl_fail_null("%s: no memory", path);
	snprintf(s->path, sizeof s->path, "%s", path);
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		bl_fail("%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		bl_fail("%s: not a file", path);
	else if (st.st_size == 0 || st.st_size % IMAGE)
		bl_fail("%s: %" PRId64 " bytes, expected a multiple of %d, the size of an image of STL-10 (unpacked, not gzip)",
		        path, (int64_t)st.st_size, IMAGE);
	else {
		*n = st.st_size / IMAGE;
		return s;
	}
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

static bl_dataset *read_part(int part, const bl_found *found)
{
	char name[64];
	int64_t n;
	source *s = open_source(found->file[0], &n);
	if (!s)
		return NULL;
	snprintf(name, sizeof name, "stl10 %s", parts[part]);
	bl_dataset *d = bl_dataset_make_source(name, n, 3, SIDE, SIDE, &ops);
	if (!d) {
		close(s->fd);
		free(s);
		return NULL;
	}
	d->source = s;
	bool labels = part != UNLABELED;
	if (bl_dataset_set_origin(d, 0, found->folder) == 0 && bl_dataset_add_archive(d, found->file[0]) == 0 &&
	    (!labels || (read_labels(d, found->file[1]) == 0 && bl_dataset_add_archive(d, found->file[1]) == 0)))
		return d;
	bl_dataset_unref(d);
	return NULL;
}

typedef struct settings {
	int part;
	const char *folder;
} settings;

static const bl_field fields[] = {
	BL_FIELD(CHOICE, settings, part, BL_DEFAULT(TRAIN), .choices = parts,
	         .help = "5000 images (train), 8000 (test), or 100000 without labels (unlabeled)"),
	BL_FIELD(TEXT, settings, folder, BL_OTHERWISE("the folder that data.list() names"), .help = "folder of the set's files"),
	BL_FIELD_END,
};

static bl_dataset *make(const void *settings_)
{
	static const char *const files[][3] = {
		{ "train_X.bin", "train_y.bin", NULL },
		{ "test_X.bin", "test_y.bin", NULL },
		{ "unlabeled_X.bin", NULL },
	};
	const settings *s = settings_;
	bl_found *found = malloc(sizeof *found);
	bl_dataset *d = NULL;
	if (!found)
		return bl_fail_null("STL-10: no memory");
	if (bl_places_find(&place, s->folder, files[s->part], found) == 0)
		d = read_part(s->part, found);
	free(found);
	return d;
}

static int find(char *path, size_t size)
{
	return bl_places_have(&place, "train_X.bin", path, size);
}

const bl_data_kind bl_data_stl10 = {
	.name = "stl10",
	.help = "STL-10: things and animals, 96 x 96, colour, most of them without labels.",
	.example = "pcall(data.stl10, {part = \"unlabeled\"})",
	.fields = fields,
	.paths = { "folder" },
	.make = make,
	.find = find,
};
