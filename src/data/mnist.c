/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mnist.c: data sets that are distributed as IDX files: MNIST (LeCun et al. 1998), Fashion-MNIST (Xiao et al. 2017),
 * Kuzushiji-MNIST (Clanuwat et al. 2018), QMNIST (Yadav, Bottou 2019) and EMNIST (Cohen et al. 2017).  The images of
 * EMNIST are stored transposed.
 */
#include "data/dataset.h"
#include "data/places.h"

#include <barlow/error.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct variant {
	bl_place_of place;
	const char *name;           /* name of the set, without "train" or "test" */
	const char *files[2][2];    /* of the training and the test set: images, labels */
	const char *const *classes; /* names of the classes */
	int n_classes;
	int first_label; /* number of the first class in the files */
	bool transposed;
} variant;

#define USUAL_FILES \
	{ \
		{ "train-images-idx3-ubyte", "train-labels-idx1-ubyte" }, \
		{ \
			"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" \
		} \
	}

/*
 * Classes of EMNIST: digits, capital letters, small letters.  In `merged`, a small letter that looks like its capital
 * has no class of its own.
 */
static const char *const characters[] = {
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K",
	"L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "a", "b", "c", "d", "e", "f",
	"g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z",
};
static const char *const merged[] = {
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N",
	"O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t",
};
static const char *const clothes[] = {
	"T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
};
static const char *const kana[] = { "o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo" };

/* --- Construction --------------------------------------------------------------------- */

static void transpose(bl_dataset *d)
{
	int side = d->height;
	for (int64_t i = 0; i < d->n; i++) {
		uint8_t *p = d->memory + i * side * side;
		for (int y = 0; y < side; y++)
			for (int x = 0; x < y; x++) {
				uint8_t v = p[y * side + x];
				p[y * side + x] = p[x * side + y];
				p[x * side + y] = v;
			}
	}
}

static int name_classes(bl_dataset *d, const variant *v, const char *labels)
{
	for (int64_t i = 0; i < d->n; i++) {
		int label = d->labels[i] - v->first_label;
		if (label < 0 || label >= v->n_classes)
			return bl_fail("%s: label %" PRId32 " of image %" PRId64 ", expected %d to %d: this is not %s", labels,
			               d->labels[i], i + 1, v->first_label, v->first_label + v->n_classes - 1, v->place.title);
		d->labels[i] = label;
	}
	d->classes = v->n_classes;
	d->class_names = v->classes;
	return 0;
}

static int finish_set(bl_dataset *d, const variant *v, const bl_found *found, bool train)
{
	char name[64];
	snprintf(name, sizeof name, "%s %s", v->name, train ? "train" : "test");
	if (!d->memory || d->channels != 1 || (v->transposed && d->height != d->width))
		return bl_fail("%s: images of %d x %d, %d channels, expected grey bytes%s: this is not %s", found->file[0],
		               d->height, d->width, d->channels, v->transposed ? ", square" : "", v->place.title);
	if (v->transposed)
		transpose(d);
	if (name_classes(d, v, found->file[1]) < 0 || bl_dataset_rename(d, name) < 0)
		return -1;
	free(d->origin[1]);
	d->origin[1] = NULL;
	return bl_dataset_set_origin(d, 0, found->folder);
}

static bl_dataset *make_variant(const variant *v, const char *folder, bool train)
{
	bl_found found;
	const char *const files[] = { v->files[!train][0], v->files[!train][1], NULL };
	if (bl_places_find(&v->place, folder, files, &found) < 0)
		return NULL;
	bl_dataset *d = bl_dataset_idx(found.file[0], found.file[1]);
	if (d && finish_set(d, v, &found, train) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

/* --- Sets without splits ---------------------------------------------------------------- */

typedef struct settings {
	bool train;
	const char *folder;
} settings;

#define PLACES "the folder that data.list() names"
/* clang-format off */
#define FIELDS(train_help_) \
	{ \
		BL_FIELD(BOOL, settings, train, BL_DEFAULT(true), .help = train_help_), \
		BL_FIELD(TEXT, settings, folder, BL_OTHERWISE(PLACES), .help = "folder of the set's files"), \
		BL_FIELD_END, \
	}
/* clang-format on */

static const variant of_fashion = {
	.place = { "Fashion-MNIST", (const char *const[]){ "fashion-mnist", "FashionMNIST/raw", "fashion", NULL },
	           "it comes with Debian's package dataset-fashion-mnist (apt install dataset-fashion-mnist)" },
	.name = "fashion-mnist",
	.files = USUAL_FILES,
	.classes = clothes,
	.n_classes = 10,
};
static const variant of_mnist = {
	.place = { "MNIST", (const char *const[]){ "mnist", "MNIST/raw", "MNIST", NULL },
	           "its four files are at yann.lecun.com/exdb/mnist and mirrors; torchvision's copy works, too" },
	.name = "mnist",
	.files = USUAL_FILES,
	.classes = characters,
	.n_classes = 10,
};
static const variant of_kmnist = {
	.place = { "Kuzushiji-MNIST", (const char *const[]){ "kmnist", "KMNIST/raw", NULL },
	           "its four files are at codh.rois.ac.jp/kmnist; torchvision's copy works, too" },
	.name = "kmnist",
	.files = USUAL_FILES,
	.classes = kana,
	.n_classes = 10,
};
static const variant of_qmnist = {
	.place = { "QMNIST", (const char *const[]){ "qmnist", "QMNIST/raw", NULL },
	           "its files are at github.com/facebookresearch/qmnist; torchvision's copy works, too" },
	.name = "qmnist",
	.files = { { "qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int" },
	           { "qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int" } },
	.classes = characters,
	.n_classes = 10,
};

static const bl_field fashion_fields[] = FIELDS("the 60000 training images; false: the 10000 of the test set");
static const bl_field mnist_fields[] = FIELDS("the 60000 training images; false: the 10000 of the test set");
static const bl_field kmnist_fields[] = FIELDS("the 60000 training images; false: the 10000 of the test set");
static const bl_field qmnist_fields[] =
	FIELDS("the 60000 training images; false: the 60000 of the test set, of which the first 10000 are MNIST's");

bl_dataset *bl_dataset_fashion(const char *folder, bool train)
{
	return make_variant(&of_fashion, folder, train);
}

#define KIND(name_) \
	static bl_dataset *make_##name_(const void *s) \
	{ \
		return make_variant(&of_##name_, ((const settings *)s)->folder, ((const settings *)s)->train); \
	} \
	static int find_##name_(char *path, size_t size) \
	{ \
		return bl_places_have(&of_##name_.place, of_##name_.files[0][0], path, size); \
	}
KIND(fashion)
KIND(mnist)
KIND(kmnist)
KIND(qmnist)

const bl_data_kind bl_data_fashion = {
	.name = "fashion",
	.help = "Fashion-MNIST (Debian package dataset-fashion-mnist): clothes, 28 x 28, grey.",
	.example = "pcall(data.fashion, {train = false})",
	.fields = fashion_fields,
	.paths = { "folder" },
	.make = make_fashion,
	.find = find_fashion,
};
const bl_data_kind bl_data_mnist = {
	.name = "mnist",
	.help = "MNIST: digits, 28 x 28, grey.",
	.example = "pcall(data.mnist, {train = false})",
	.fields = mnist_fields,
	.paths = { "folder" },
	.make = make_mnist,
	.find = find_mnist,
};
const bl_data_kind bl_data_kmnist = {
	.name = "kmnist",
	.help = "Kuzushiji-MNIST: cursive Japanese characters, 28 x 28, grey.",
	.example = "pcall(data.kmnist, {train = false})",
	.fields = kmnist_fields,
	.paths = { "folder" },
	.make = make_kmnist,
	.find = find_kmnist,
};
const bl_data_kind bl_data_qmnist = {
	.name = "qmnist",
	.help = "QMNIST: MNIST reconstructed, with all of its test images.",
	.example = "pcall(data.qmnist, {train = false})",
	.fields = qmnist_fields,
	.paths = { "folder" },
	.make = make_qmnist,
	.find = find_qmnist,
};

/* --- EMNIST and its six splits ------------------------------------------------------------- */

enum { SPLITS = 6 };
static const char *const splits[] = { "byclass", "bymerge", "balanced", "letters", "digits", "mnist", NULL };

typedef struct emnist {
	bool train;
	const char *folder;
	int split;
} emnist;

static const bl_field emnist_fields[] = {
	BL_FIELD(BOOL, emnist, train, BL_DEFAULT(true), .help = "the training images; false: those of the test set"),
	BL_FIELD(TEXT, emnist, folder, BL_OTHERWISE(PLACES), .help = "folder of the set's files"),
	BL_FIELD(CHOICE, emnist, split, BL_DEFAULT(2), .choices = splits,
	         .help = "62 classes (byclass), 47 (bymerge, balanced), 26 letters, or 10 digits (digits, mnist)"),
	BL_FIELD_END,
};

static const bl_place_of emnist_place = {
	"EMNIST",
	(const char *const[]){ "emnist", "EMNIST/raw", "gzip", "EMNIST/raw/gzip", NULL },
	"its files (gzip.zip) are at nist.gov/itl/products-and-services/emnist-dataset; torchvision's copy works, too",
};

static bl_dataset *make_emnist(const void *s)
{
	static const struct {
		const char *const *names;
		int n, first;
	} of[SPLITS] = {
		{ characters, 62, 0 },      { merged, 47, 0 },     { merged, 47, 0 },
		{ characters + 36, 26, 1 }, { characters, 10, 0 }, { characters, 10, 0 },
	};
	const emnist *e = s;
	char name[64], images[128], labels[128];
	const char *part = e->train ? "train" : "test";
	assert(e->split >= 0 && e->split < SPLITS);
	snprintf(name, sizeof name, "emnist %s", splits[e->split]);
	snprintf(images, sizeof images, "emnist-%s-%s-images-idx3-ubyte", splits[e->split], part);
	snprintf(labels, sizeof labels, "emnist-%s-%s-labels-idx1-ubyte", splits[e->split], part);
	const variant v = {
		.place = emnist_place,
		.name = name,
		.files = { { images, labels }, { images, labels } },
		.classes = of[e->split].names,
		.n_classes = of[e->split].n,
		.first_label = of[e->split].first,
		.transposed = true,
	};
	return make_variant(&v, e->folder, e->train);
}

static int find_emnist(char *path, size_t size)
{
	return bl_places_have(&emnist_place, "emnist-balanced-train-images-idx3-ubyte", path, size);
}

const bl_data_kind bl_data_emnist = {
	.name = "emnist",
	.help = "EMNIST: letters and digits, 28 x 28, grey, turned upright.",
	.example = "pcall(data.emnist, {split = \"letters\"})",
	.fields = emnist_fields,
	.paths = { "folder" },
	.make = make_emnist,
	.find = find_emnist,
};
