/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * svhn.c: SVHN, cropped digits (Netzer et al. 2011): MATLAB files with the variables X (32, 32, 3, N), whose first
 * index varies fastest, and y (N, 1), where 10 (or 0) stands for the digit 0.
 */
#include "data/dataset.h"
#include "data/mat5.h"
#include "data/places.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, IMAGE = 3 * PLANE, CLASSES = 10 };
enum { TRAIN, TEST, EXTRA };
static const char *const parts[] = { "train", "test", "extra", NULL };
static const char *const files[][2] = { { "train_32x32.mat", NULL }, { "test_32x32.mat", NULL }, { "extra_32x32.mat", NULL } };
static const char *const class_names[CLASSES] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };

static const bl_place_of place = {
	"SVHN",
	(const char *const[]){ "svhn", "SVHN", "", NULL },
	"train_32x32.mat, test_32x32.mat and extra_32x32.mat are at ufldl.stanford.edu/housenumbers",
};

static bl_dataset *make_images(const bl_mat5 *x, const char *path, int part)
{
	char name[32];
	if (x->ndim != 4 || x->shape[0] != SIDE || x->shape[1] != SIDE || x->shape[2] != 3 || x->shape[3] < 1 || !x->bytes)
		return bl_fail_null("%s: 'X' of %d dimensions, expected uint8 (32, 32, 3, N): this is not SVHN's cropped digits",
		                    path, x->ndim);
	snprintf(name, sizeof name, "svhn %s", parts[part]);
	bl_dataset *d = bl_dataset_make(name, x->shape[3], 3, SIDE, SIDE);
	if (!d || bl_dataset_room(d) < 0) {
		bl_dataset_unref(d);
		return NULL;
	}
	for (int64_t i = 0; i < d->n; i++)
		for (int c = 0; c < 3; c++)
			for (int k = 0; k < PLANE; k++)
				d->memory[i * IMAGE + (k % SIDE * SIDE + k / SIDE) * 3 + c] = x->bytes[i * IMAGE + c * PLANE + k];
	return d;
}

static int add_labels(bl_dataset *d, const bl_mat5 *y, const char *path)
{
	if (y->count != d->n)
		return bl_fail("%s: 'y' has %" PRId64 " labels, expected %" PRId64, path, y->count, d->n);
	d->labels = malloc((size_t)d->n * sizeof *d->labels);
	if (!d->labels)
		return bl_fail("%s: no memory for %" PRId64 " labels", path, d->n);
	for (int64_t i = 0; i < d->n; i++) {
		double v = y->bytes ? y->bytes[i] : y->numbers[i];
		if (!(v >= 0 && v <= CLASSES) || v != (int)v)
			return bl_fail("%s: label %g of image %" PRId64 ", expected 0 to 10", path, v, i + 1);
		d->labels[i] = (int32_t)v % CLASSES;
	}
	d->classes = CLASSES;
	d->class_names = class_names;
	return 0;
}

static bl_dataset *read_part(int part, const bl_found *found)
{
	bl_mat5 x, y;
	const char *path = found->file[0];
	if (bl_mat5_read(path, "X", &x) < 0)
		return NULL;
	bl_dataset *d = make_images(&x, path, part);
	bl_mat5_clear(&x);
	if (!d || bl_mat5_read(path, "y", &y) < 0) {
		bl_dataset_unref(d);
		return NULL;
	}
	int rc = add_labels(d, &y, path);
	bl_mat5_clear(&y);
	if (rc == 0 && bl_dataset_set_origin(d, 0, found->folder) == 0 && bl_dataset_add_archive(d, path) == 0)
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
	         .help = "73257 images (train), 26032 (test), or 531131 easier ones (extra)"),
	BL_FIELD(TEXT, settings, folder, BL_OTHERWISE("the folder that data.list() names"), .help = "folder of the set's files"),
	BL_FIELD_END,
};

static bl_dataset *make(const void *settings_)
{
	const settings *s = settings_;
	bl_found *found = malloc(sizeof *found);
	bl_dataset *d = NULL;
	if (!found)
		return bl_fail_null("SVHN: no memory");
	if (bl_places_find(&place, s->folder, files[s->part], found) == 0)
		d = read_part(s->part, found);
	free(found);
	return d;
}

static int find(char *path, size_t size)
{
	return bl_places_have(&place, files[TRAIN][0], path, size);
}

const bl_data_kind bl_data_svhn = {
	.name = "svhn",
	.help = "SVHN: house numbers, cropped to a digit, 32 x 32, colour.",
	.example = "pcall(data.svhn, {part = \"test\"})",
	.fields = fields,
	.paths = { "folder" },
	.make = make,
	.find = find,
};
