/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fashion.c: Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) in a folder, as Debian packs it. */
#include "data/dataset.h"

#include <barlow/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBIAN_FOLDER "/usr/share/datasets/fashion-mnist"
#define DEBIAN_PACKAGE "dataset-fashion-mnist"

enum { PATH_SIZE = 4096, CLASSES = 10 };

static const char *const class_names[CLASSES] = {
	"T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
};

/* folder/stem.gz, or folder/stem where only that is there. */
static int find(const char *folder, const char *stem, char path[PATH_SIZE])
{
	const char *const ends[] = { ".gz", "" };
	for (int i = 0; i < 2; i++) {
		if (snprintf(path, PATH_SIZE, "%s/%s%s", folder, stem, ends[i]) >= PATH_SIZE)
			return bl_fail("%.100s...: the folder's name is longer than %d bytes", folder, PATH_SIZE);
		if (access(path, F_OK) == 0)
			return 0;
	}
	return bl_fail("%s/%s.gz: no such file; Fashion-MNIST comes with Debian's package %s (apt install %s)", folder,
		       stem, DEBIAN_PACKAGE, DEBIAN_PACKAGE);
}

bl_dataset *bl_dataset_fashion(const char *folder, bool train)
{
	char images[PATH_SIZE], labels[PATH_SIZE];
	if (!folder)
		folder = DEBIAN_FOLDER;
	if (find(folder, train ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte", images) < 0 ||
	    find(folder, train ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte", labels) < 0)
		return NULL;
	bl_dataset *d = bl_dataset_idx(images, labels);
	if (!d)
		return NULL;
	if (d->classes > CLASSES)
		bl_fail("%s: label %d, expected 0 to %d: this is not Fashion-MNIST", labels, d->classes - 1,
			CLASSES - 1);
	else if (bl_dataset_rename(d, train ? "fashion-mnist train" : "fashion-mnist test") == 0 &&
		 bl_dataset_set_origin(d, 0, folder) == 0) {
		d->classes = CLASSES;
		d->class_names = class_names;
		return d;
	}
	bl_dataset_unref(d);
	return NULL;
}

typedef struct fashion {
	bool train;
	const char *folder;
} fashion;

static const bl_field fields[] = {
	BL_FIELD(BOOL, fashion, train, BL_DEFAULT(true), .help = "the 60000 training images; false: the 10000 of the test set"),
	BL_FIELD(TEXT, fashion, folder, BL_OTHERWISE(DEBIAN_FOLDER), .help = "where its four files lie"),
	BL_FIELD_END,
};

static bl_dataset *make(const void *settings)
{
	const fashion *s = settings;
	return bl_dataset_fashion(s->folder, s->train);
}

const bl_data_kind bl_data_fashion = {
	.name = "fashion", .help = "Fashion-MNIST (Debian package dataset-fashion-mnist).",
	.example = "pcall(data.fashion, {train = false})", .fields = fields, .paths = { "folder" }, .make = make,
};
