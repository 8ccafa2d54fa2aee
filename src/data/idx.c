/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * idx.c: the IDX files of MNIST and its kin.
 *
 * 00 00 TYPE NDIM, then NDIM sizes (32 bits, big-endian), then the numbers.
 * Only unsigned bytes (type 08) occur: images (N,H,W) or (N,H,W,C), labels (N).
 */
#include "data/dataset.h"
#include "data/gunzip.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UBYTE = 0x08, MOST_DIMS = 4, LABEL_DIMS = 1, IMAGE_DIMS = 3, COLOUR_DIMS = 4 };

static uint32_t big_endian(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int fail_magic(const char *path, uint32_t magic, const char *what, int least, int most)
{
	char other[64] = "";
	if (most > least)
		snprintf(other, sizeof other, " or 0x%08x", UBYTE << 8 | most);
	return bl_fail("%s: byte 0: magic number 0x%08" PRIx32 ", expected 0x%08x%s (unsigned bytes, %s)", path,
		       magic, UBYTE << 8 | least, other, what);
}

/* Magic and sizes of a file of `what`, with least..most dimensions; returns how many. */
static int read_header(bl_gunzip *g, const char *path, const char *what, int least, int most,
		       uint32_t size[MOST_DIMS])
{
	uint8_t b[4 * MOST_DIMS];
	if (bl_gunzip_read(g, b, 4, "the magic number") < 0)
		return -1;
	int ndim = b[3];
	if (b[0] || b[1] || b[2] != UBYTE || ndim < least || ndim > most)
		return fail_magic(path, big_endian(b), what, least, most);
	if (bl_gunzip_read(g, b, 4 * (size_t)ndim, "the sizes") < 0)
		return -1;
	for (int i = 0; i < ndim; i++) {
		size[i] = big_endian(b + 4 * i);
		if (size[i] == 0 || size[i] > INT32_MAX)
			return bl_fail("%s: byte %d: size %" PRIu32 " of dimension %d, expected 1 to %" PRId32, path,
				       4 + 4 * i, size[i], i + 1, INT32_MAX);
	}
	return ndim;
}

/* Nothing is allocated for a header that promises what the file cannot hold. */
static int check_promise(const bl_gunzip *g, const char *path, int ndim, const uint32_t *size)
{
	size_t header = 4 + 4 * (size_t)ndim, total = 1;
	bool over = false;
	for (int i = 0; i < ndim; i++)
		over |= __builtin_mul_overflow(total, (size_t)size[i], &total);
	if (over || total > SIZE_MAX - header || total + header > bl_gunzip_bound(g)) {
		char text[64];
		int n = snprintf(text, sizeof text, "%" PRIu32, size[0]);
		for (int i = 1; i < ndim; i++)
			n += snprintf(text + n, sizeof text - (size_t)n, " x %" PRIu32, size[i]);
		return bl_fail("%s: byte 4: sizes %s, but the file can hold %zu bytes after its header of %zu", path,
			       text, bl_gunzip_bound(g) > header ? bl_gunzip_bound(g) - header : 0, header);
	}
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static bl_dataset *read_images(bl_gunzip *g, const char *path)
{
	uint32_t size[MOST_DIMS];
	int ndim = read_header(g, path, "3 dimensions: images", IMAGE_DIMS, COLOUR_DIMS, size);
	if (ndim < 0 || check_promise(g, path, ndim, size) < 0)
		return NULL;
	int channels = ndim == COLOUR_DIMS ? (int)size[3] : 1;
	bl_dataset *d = bl_dataset_make(base_name(path), size[0], channels, (int)size[1], (int)size[2]);
	if (!d)
		return NULL;
	size_t bytes = (size_t)size[0] * size[1] * size[2] * (size_t)channels;
	if (bl_dataset_room(d) == 0 && bl_gunzip_read(g, d->memory, bytes, "the pixels") == 0 &&
	    bl_gunzip_finish(g) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

/* Bytes become int32 in place: from the back, so that none is overwritten before it is read. */
static void widen(bl_dataset *d, int32_t *labels)
{
	const uint8_t *bytes = (const uint8_t *)labels;
	for (int64_t i = d->n - 1; i >= 0; i--) {
		uint8_t v = bytes[i];
		labels[i] = v;
		if (v >= d->classes)
			d->classes = v + 1;
	}
	d->labels = labels;
}

static int read_labels(bl_gunzip *g, const char *path, const char *images_path, bl_dataset *d)
{
	uint32_t size[MOST_DIMS];
	if (read_header(g, path, "1 dimension: labels", LABEL_DIMS, LABEL_DIMS, size) < 0)
		return -1;
	if (size[0] != d->n)
		return bl_fail("%s: byte 4: %" PRIu32 " labels, expected %" PRId64 ", as many as %s has images", path,
			       size[0], d->n, images_path);
	int32_t *labels = malloc((size_t)d->n * sizeof *labels);
	if (!labels)
		return bl_fail("%s: no memory for %" PRId64 " labels", path, d->n);
	if (bl_gunzip_read(g, labels, (size_t)d->n, "the labels") < 0 || bl_gunzip_finish(g) < 0) {
		free(labels);
		return -1;
	}
	widen(d, labels);
	return 0;
}

static int add_labels(bl_dataset *d, const char *path, const char *images_path)
{
	bl_gunzip *g = bl_gunzip_open(path);
	int rc = g ? read_labels(g, path, images_path, d) : -1;
	bl_gunzip_close(g);
	return rc;
}

static int note_file(bl_dataset *d, int k, const char *path)
{
	return bl_dataset_set_origin(d, k, path) < 0 ? -1 : bl_dataset_add_archive(d, path);
}

bl_dataset *bl_dataset_idx(const char *images_path, const char *labels_path)
{
	bl_gunzip *g = bl_gunzip_open(images_path);
	bl_dataset *d = g ? read_images(g, images_path) : NULL;
	bl_gunzip_close(g);
	if (!d)
		return NULL;
	if (note_file(d, 0, images_path) == 0 &&
	    (!labels_path || (add_labels(d, labels_path, images_path) == 0 && note_file(d, 1, labels_path) == 0)))
		return d;
	bl_dataset_unref(d);
	return NULL;
}

typedef struct idx {
	const char *images, *labels;
} idx;

static const bl_field fields[] = {
	BL_FIELD(TEXT, idx, images, BL_REQUIRED, .position = 1, .help = "path of the file of images"),
	BL_FIELD(TEXT, idx, labels, BL_OTHERWISE("no labels"), .position = 2, .help = "path of the file of their labels"),
	BL_FIELD_END,
};

static bl_dataset *make(const void *settings)
{
	const idx *s = settings;
	return bl_dataset_idx(s->images, s->labels);
}

const bl_data_kind bl_data_idx = {
	.name = "idx", .help = "IDX files, as MNIST comes in, plain or gzip.",
	.example = "pcall(data.idx, {images = \"t10k-images-idx3-ubyte.gz\"})",
	.fields = fields, .paths = { "images", "labels" }, .make = make,
};
