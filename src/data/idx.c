/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * idx.c: IDX files, the format of MNIST and similar sets.
 *
 * A file consists of the bytes 00 00 TYPE NDIM, of NDIM sizes (32 bits, big-endian), and of the numbers, big-endian,
 * too.  The shape of images is (N,H,W) or (N,H,W,C); they are mostly unsigned bytes.  The shape of labels is (N), or
 * (N,K) with the class first (QMNIST).
 */
#include "base/path.h"
#include "data/dataset.h"
#include "data/gunzip.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UBYTE = 0x08, BYTE, SHORT = 0x0b, INT, FLOAT, DOUBLE };
enum { MOST_DIMS = 4, LABEL_DIMS = 1, COLUMNS_DIMS = 2, IMAGE_DIMS = 3, COLOUR_DIMS = 4, MOST_CLASSES = 1000000, BLOCK = 1 << 13 };

typedef struct header {
	int type, ndim;
	uint32_t size[MOST_DIMS];
} header;

static size_t item_size(int type)
{
	static const size_t sizes[] = { [UBYTE] = 1, [BYTE] = 1, [SHORT] = 2, [INT] = 4, [FLOAT] = 4, [DOUBLE] = 8 };
	return type >= 0 && (size_t)type < sizeof sizes / sizeof *sizes ? sizes[type] : 0;
}

static bool is_float(int type)
{
	return type == FLOAT || type == DOUBLE;
}

#define AS(type_) \
	({ \
		type_ v_; \
		memcpy(&v_, b, sizeof v_); \
		(double)v_; \
	})

static double item(int type, const uint8_t *in)
{
	uint8_t b[8];
	size_t n = item_size(type);
	for (size_t i = 0; i < n; i++)
		b[i] = in[n - 1 - i];
	switch (type) {
	case UBYTE: return *b;
	case BYTE: return AS(int8_t);
	case SHORT: return AS(int16_t);
	case INT: return AS(int32_t);
	case FLOAT: return AS(float);
	default: return AS(double);
	}
}

static uint32_t big_endian(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int fail_magic(const char *path, uint32_t magic, const char *what, int least, int most)
{
	char other[64] = "";
	if (most > least)
		snprintf(other, sizeof other, " or 0x%08x", UBYTE << 8 | most);
	return bl_fail("%s: byte 0: magic number 0x%08" PRIx32
	               ", expected 0x%08x%s (unsigned bytes, %s), or the same with elements of another type",
	               path, magic, UBYTE << 8 | least, other, what);
}

/* Reads the header of a file of `what`, which must have least..most dimensions. */
static int read_header(bl_gunzip *g, const char *path, const char *what, int least, int most, header *h)
{
	uint8_t b[4 * MOST_DIMS];
	if (bl_gunzip_read(g, b, 4, "the magic number") < 0)
		return -1;
	h->type = b[2];
	h->ndim = b[3];
	if (b[0] || b[1] || !item_size(h->type) || h->ndim < least || h->ndim > most)
		return fail_magic(path, big_endian(b), what, least, most);
	if (bl_gunzip_read(g, b, 4 * (size_t)h->ndim, "the sizes") < 0)
		return -1;
	for (int i = 0; i < h->ndim; i++) {
		h->size[i] = big_endian(b + 4 * i);
		if (h->size[i] == 0 || h->size[i] > INT32_MAX)
			return bl_fail("%s: byte %d: size %" PRIu32 " of dimension %d, expected 1 to %" PRId32, path, 4 + 4 * i,
			               h->size[i], i + 1, INT32_MAX);
	}
	return 0;
}

/* Refuses sizes that the file cannot contain, before anything is allocated. */
static int check_sizes(const bl_gunzip *g, const char *path, const header *h)
{
	size_t start = 4 + 4 * (size_t)h->ndim, total = item_size(h->type);
	bool over = false;
	for (int i = 0; i < h->ndim; i++)
		over |= __builtin_mul_overflow(total, (size_t)h->size[i], &total);
	if (over || total > SIZE_MAX - start || total + start > bl_gunzip_bound(g)) {
		char text[64];
		int n = snprintf(text, sizeof text, "%" PRIu32, h->size[0]);
		for (int i = 1; i < h->ndim; i++)
			n += snprintf(text + n, sizeof text - (size_t)n, " x %" PRIu32, h->size[i]);
		return bl_fail("%s: byte 4: sizes %s, but the file can hold %zu bytes after its header of %zu", path, text,
		               bl_gunzip_bound(g) > start ? bl_gunzip_bound(g) - start : 0, start);
	}
	return 0;
}

/* Reads numbers of another type than unsigned bytes, a block at a time. */
static int convert(bl_gunzip *g, const char *path, bl_dataset *d, int type, size_t n)
{
	uint8_t block[8 * BLOCK];
	size_t size = item_size(type);
	double most = is_float(type) ? 1 : 255;
	for (size_t at = 0; at < n;) {
		size_t some = n - at < BLOCK ? n - at : BLOCK;
		if (bl_gunzip_read(g, block, some * size, "the pixels") < 0)
			return -1;
		for (size_t i = 0; i < some; i++, at++) {
			double v = item(type, block + i * size);
			if (!(v >= 0 && v <= most))
				return bl_fail("%s: number %zu of the images (counted from 0) is %g, expected 0 to %g", path, at, v,
				               most);
			if (is_float(type))
				d->values[at] = (float)v;
			else
				d->memory[at] = (uint8_t)v;
		}
	}
	return 0;
}

static int read_pixels(bl_gunzip *g, const char *path, bl_dataset *d, int type, size_t n)
{
	if (is_float(type) && !(d->values = malloc(n * sizeof *d->values)))
		return bl_fail("%s: no memory for %zu values", path, n);
	if (!is_float(type) && bl_dataset_room(d) < 0)
		return -1;
	int rc = type == UBYTE ? bl_gunzip_read(g, d->memory, n, "the pixels") : convert(g, path, d, type, n);
	return rc < 0 ? rc : bl_gunzip_finish(g);
}

static bl_dataset *read_images(bl_gunzip *g, const char *path)
{
	header h;
	if (read_header(g, path, "3 dimensions: images", IMAGE_DIMS, COLOUR_DIMS, &h) < 0 || check_sizes(g, path, &h) < 0)
		return NULL;
	int channels = h.ndim == COLOUR_DIMS ? (int)h.size[3] : 1;
	bl_dataset *d = bl_dataset_make(bl_path_name(path), h.size[0], channels, (int)h.size[1], (int)h.size[2]);
	if (!d)
		return NULL;
	size_t n = (size_t)h.size[0] * h.size[1] * h.size[2] * (size_t)channels;
	if (read_pixels(g, path, d, h.type, n) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

/* Reads the labels: the first of `columns` numbers of each row. */
static int read_classes(bl_gunzip *g, const char *path, int type, uint32_t columns, bl_dataset *d)
{
	uint8_t b[8];
	for (int64_t i = 0; i < d->n; i++)
		for (uint32_t k = 0; k < columns; k++) {
			if (bl_gunzip_read(g, b, item_size(type), "the labels") < 0)
				return -1;
			if (k > 0)
				continue;
			double v = item(type, b);
			if (!(v >= 0 && v < MOST_CLASSES))
				return bl_fail("%s: label %" PRId64 " is %g, expected 0 to %d", path, i + 1, v, MOST_CLASSES - 1);
			d->labels[i] = (int32_t)v;
			if (d->labels[i] >= d->classes)
				d->classes = d->labels[i] + 1;
		}
	return bl_gunzip_finish(g);
}

static int read_labels(bl_gunzip *g, const char *path, const char *images_path, bl_dataset *d)
{
	header h;
	if (read_header(g, path, "1 dimension: labels", LABEL_DIMS, COLUMNS_DIMS, &h) < 0)
		return -1;
	if (is_float(h.type))
		return bl_fail("%s: byte 2: floating-point labels, expected integers", path);
	if (h.size[0] != d->n)
		return bl_fail("%s: byte 4: %" PRIu32 " labels, expected %" PRId64 ", as many as %s has images", path, h.size[0],
		               d->n, images_path);
	if (check_sizes(g, path, &h) < 0)
		return -1;
	d->labels = malloc((size_t)d->n * sizeof *d->labels);
	if (!d->labels)
		return bl_fail("%s: no memory for %" PRId64 " labels", path, d->n);
	return read_classes(g, path, h.type, h.ndim == COLUMNS_DIMS ? h.size[1] : 1, d);
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
	int rc = d ? note_file(d, 0, images_path) : -1;
	if (rc == 0 && labels_path) {
		g = bl_gunzip_open(labels_path);
		rc = g ? read_labels(g, labels_path, images_path, d) : -1;
		bl_gunzip_close(g);
		if (rc == 0)
			rc = note_file(d, 1, labels_path);
	}
	if (rc == 0)
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
	.name = "idx",
	.help = "IDX files, the format of MNIST, plain or gzip.",
	.example = "pcall(data.idx, {images = \"t10k-images-idx3-ubyte.gz\"})",
	.fields = fields,
	.paths = { "images", "labels" },
	.make = make,
};
