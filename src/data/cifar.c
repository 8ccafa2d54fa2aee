/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cifar.c: CIFAR-10 and CIFAR-100 (Krizhevsky 2009), in the binary version or in Python's version.  An image has 3 x 32
 * x 32 bytes, one plane per colour.  In the binary version, each image follows its label or, in CIFAR-100, its coarse
 * and its fine label.  Python's version is a pickled dictionary of `data` and `labels`, or `coarse_labels` and
 * `fine_labels`.
 */
#include "data/dataset.h"
#include "data/gunzip.h"
#include "data/pickle.h"
#include "data/places.h"

#include <barlow/error.h>
#include <barlow/file.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, IMAGE = 3 * PLANE, FILES_MOST = 5 };

typedef struct part {
	const char *binary[FILES_MOST + 1], *python[FILES_MOST + 1]; /* ended by NULL */
} part;

typedef struct set {
	bl_place_of place;
	const char *name;
	part train, test;
	int labels; /* label bytes before each image in the binary version */
	const char *python_labels;
	int at; /* index of the label that is used */
	const char *const *classes;
	int n_classes;
} set;

/* --- Reading ---------------------------------------------------------------------- */

/* Converts one plane per colour into three bytes per pixel. */
static void interleave(const uint8_t *planes, uint8_t *out)
{
	for (int i = 0; i < PLANE; i++)
		for (int c = 0; c < 3; c++)
			out[3 * i + c] = planes[c * PLANE + i];
}

static int put_label(bl_dataset *d, int64_t row, int64_t label, const set *s, const char *path)
{
	if (label < 0 || label >= s->n_classes)
		return bl_fail("%s: label %" PRId64 " of image %" PRId64 ", expected 0 to %d: this is not %s", path, label, row + 1,
		               s->n_classes - 1, s->place.title);
	d->labels[row] = (int32_t)label;
	return 0;
}

/* Allocates memory for n more images at the end of the set. */
static int grow(bl_dataset *d, int64_t n)
{
	uint8_t *memory = realloc(d->memory, (size_t)(d->n + n) * IMAGE);
	if (memory)
		d->memory = memory;
	int32_t *labels = realloc(d->labels, (size_t)(d->n + n) * sizeof *labels);
	if (labels)
		d->labels = labels;
	if (!memory || !labels)
		return bl_fail("%s: no memory for %" PRId64 " images", d->name, d->n + n);
	d->pixels = d->memory;
	return 0;
}

static int read_binary(bl_dataset *d, const set *s, const uint8_t *bytes, size_t n, const char *path)
{
	size_t record = IMAGE + (size_t)s->labels;
	if (n == 0 || n % record)
		return bl_fail("%s: %zu bytes, expected a multiple of %zu, the size of an image of %s", path, n, record,
		               s->place.title);
	int64_t images = (int64_t)(n / record);
	if (grow(d, images) < 0)
		return -1;
	for (int64_t i = 0; i < images; i++, bytes += record, d->n++) {
		if (put_label(d, d->n, bytes[s->at], s, path) < 0)
			return -1;
		interleave(bytes + s->labels, d->memory + d->n * IMAGE);
	}
	return 0;
}

static int take_pickled(bl_dataset *d, const set *s, const bl_pickle *p, const char *path)
{
	int64_t shape[2];
	const bl_pickle_value *root = bl_pickle_root(p), *labels = bl_pickle_get(p, root, s->python_labels);
	uint8_t *planes = bl_pickle_array(p, bl_pickle_get(p, root, "data"), 2, shape);
	if (!planes)
		return bl_fail_prefix("%s: 'data': ", path);
	int rc = 0;
	if (shape[1] != IMAGE || shape[0] < 1)
		rc = bl_fail("%s: 'data' is (%" PRId64 ", %" PRId64 "), expected (N, %d)", path, shape[0], shape[1], IMAGE);
	else if (!labels || labels->kind != BL_PICKLE_LIST || labels->count != shape[0])
		rc = bl_fail("%s: '%s' is not a list of %" PRId64 " labels", path, s->python_labels, shape[0]);
	else
		rc = grow(d, shape[0]);
	for (int64_t i = 0; i < shape[0] && rc == 0; i++) {
		const bl_pickle_value *label = bl_pickle_item(p, labels, (uint32_t)i);
		rc = put_label(d, d->n, label->kind == BL_PICKLE_INT ? label->integer : -1, s, path);
		if (rc == 0)
			interleave(planes + i * IMAGE, d->memory + d->n++ * IMAGE);
	}
	free(planes);
	return rc;
}

static int read_file(bl_dataset *d, const set *s, bool python, const char *path)
{
	size_t n;
	uint8_t *bytes = bl_gunzip_all(path, &n);
	if (!bytes)
		return -1;
	bl_pickle *p = python ? bl_pickle_read(bytes, n) : NULL;
	int rc = !python ? read_binary(d, s, bytes, n, path) : p ? take_pickled(d, s, p, path) : bl_fail_prefix("%s: ", path);
	bl_pickle_free(p);
	free(bytes);
	return rc < 0 ? rc : bl_dataset_add_archive(d, path);
}

/* --- Construction ------------------------------------------------------------------- */

static bl_dataset *read_files(const set *s, const bl_found *found, const char *const *files, bool python, bool train)
{
	char name[64];
	snprintf(name, sizeof name, "%s %s", s->name, train ? "train" : "test");
	bl_dataset *d = bl_dataset_make(name, 1, 3, SIDE, SIDE);
	if (!d)
		return NULL;
	d->n = 0;
	d->classes = s->n_classes;
	d->class_names = s->classes;
	int rc = bl_dataset_set_origin(d, 0, found->folder);
	for (int i = 0; rc == 0 && files[i]; i++)
		rc = read_file(d, s, python, found->file[i]);
	if (rc == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

/* Reads the binary version if it is found, else Python's. */
static bl_dataset *make_set(const set *s, const char *folder, bool train)
{
	const part *p = train ? &s->train : &s->test;
	bl_found *found = malloc(sizeof *found);
	bl_dataset *d = NULL;
	if (!found)
		return bl_fail_null("%s: no memory", s->place.title);
	if (bl_places_find(&s->place, folder, p->binary, found) == 0)
		d = read_files(s, found, p->binary, false, train);
	else if (bl_places_find(&s->place, folder, p->python, found) == 0)
		d = read_files(s, found, p->python, true, train);
	free(found);
	return d;
}

static const char *const names10[] = {
	"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
};
static const char *const fine[] = {
	"apple",       "aquarium_fish", "baby",         "bear",         "beaver",     "bed",        "bee",       "beetle",
	"bicycle",     "bottle",        "bowl",         "boy",          "bridge",     "bus",        "butterfly", "camel",
	"can",         "castle",        "caterpillar",  "cattle",       "chair",      "chimpanzee", "clock",     "cloud",
	"cockroach",   "couch",         "crab",         "crocodile",    "cup",        "dinosaur",   "dolphin",   "elephant",
	"flatfish",    "forest",        "fox",          "girl",         "hamster",    "house",      "kangaroo",  "keyboard",
	"lamp",        "lawn_mower",    "leopard",      "lion",         "lizard",     "lobster",    "man",       "maple_tree",
	"motorcycle",  "mountain",      "mouse",        "mushroom",     "oak_tree",   "orange",     "orchid",    "otter",
	"palm_tree",   "pear",          "pickup_truck", "pine_tree",    "plain",      "plate",      "poppy",     "porcupine",
	"possum",      "rabbit",        "raccoon",      "ray",          "road",       "rocket",     "rose",      "sea",
	"seal",        "shark",         "shrew",        "skunk",        "skyscraper", "snail",      "snake",     "spider",
	"squirrel",    "streetcar",     "sunflower",    "sweet_pepper", "table",      "tank",       "telephone", "television",
	"tiger",       "tractor",       "train",        "trout",        "tulip",      "turtle",     "wardrobe",  "whale",
	"willow_tree", "wolf",          "woman",        "worm",
};
static const char *const coarse[] = {
	"aquatic_mammals",
	"fish",
	"flowers",
	"food_containers",
	"fruit_and_vegetables",
	"household_electrical_devices",
	"household_furniture",
	"insects",
	"large_carnivores",
	"large_man-made_outdoor_things",
	"large_natural_outdoor_scenes",
	"large_omnivores_and_herbivores",
	"medium_mammals",
	"non-insect_invertebrates",
	"people",
	"reptiles",
	"small_mammals",
	"trees",
	"vehicles_1",
	"vehicles_2",
};

static const set cifar10 = {
	.place = { "CIFAR-10", (const char *const[]){ "cifar-10-batches-bin", "cifar-10-batches-py", "cifar10", NULL },
	           "get cifar-10-binary.tar.gz or cifar-10-python.tar.gz from cs.toronto.edu/~kriz/cifar.html and unpack it" },
	.name = "cifar10",
	.train = { { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", NULL },
	           { "data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", NULL } },
	.test = { { "test_batch.bin", NULL }, { "test_batch", NULL } },
	.labels = 1,
	.python_labels = "labels",
	.classes = names10,
	.n_classes = 10,
};
static const set cifar100 = {
	.place = { "CIFAR-100", (const char *const[]){ "cifar-100-binary", "cifar-100-python", "cifar100", NULL },
	           "get cifar-100-binary.tar.gz or cifar-100-python.tar.gz from cs.toronto.edu/~kriz/cifar.html and unpack it" },
	.name = "cifar100",
	.train = { { "train.bin", NULL }, { "train", NULL } },
	.test = { { "test.bin", NULL }, { "test", NULL } },
	.labels = 2,
	.python_labels = "fine_labels",
	.at = 1,
	.classes = fine,
	.n_classes = 100,
};

enum { FINE, COARSE };
static const char *const levels[] = { "fine", "coarse", NULL };

typedef struct settings {
	bool train;
	const char *folder;
	int labels; /* FINE or COARSE, of CIFAR-100 */
} settings;

#define PLACES "the folder that data.list() names"

static const bl_field fields10[] = {
	BL_FIELD(BOOL, settings, train, BL_DEFAULT(true), .help = "the 50000 training images; false: the 10000 of the test set"),
	BL_FIELD(TEXT, settings, folder, BL_OTHERWISE(PLACES), .help = "folder of the set's files"),
	BL_FIELD_END,
};
static const bl_field fields100[] = {
	BL_FIELD(BOOL, settings, train, BL_DEFAULT(true), .help = "the 50000 training images; false: the 10000 of the test set"),
	BL_FIELD(TEXT, settings, folder, BL_OTHERWISE(PLACES), .help = "folder of the set's files"),
	BL_FIELD(CHOICE, settings, labels, BL_DEFAULT(FINE), .choices = levels, .help = "100 classes (fine), or 20 (coarse)"),
	BL_FIELD_END,
};

static bl_dataset *make10(const void *settings_)
{
	const settings *s = settings_;
	return make_set(&cifar10, s->folder, s->train);
}

static bl_dataset *make100(const void *settings_)
{
	const settings *s = settings_;
	set wanted = cifar100;
	if (s->labels == COARSE) {
		wanted.python_labels = "coarse_labels";
		wanted.at = 0;
		wanted.classes = coarse;
		wanted.n_classes = 20;
	}
	return make_set(&wanted, s->folder, s->train);
}

static int find(const set *s, char *path, size_t size)
{
	return bl_places_have(&s->place, s->test.binary[0], path, size) == 0
	               ? 0
	               : bl_places_have(&s->place, s->test.python[0], path, size);
}

static int find10(char *path, size_t size)
{
	return find(&cifar10, path, size);
}

static int find100(char *path, size_t size)
{
	return find(&cifar100, path, size);
}

const bl_data_kind bl_data_cifar10 = {
	.name = "cifar10",
	.help = "CIFAR-10: things and animals, 32 x 32, colour.",
	.example = "pcall(data.cifar10, {train = false})",
	.fields = fields10,
	.paths = { "folder" },
	.make = make10,
	.find = find10,
};
const bl_data_kind bl_data_cifar100 = {
	.name = "cifar100",
	.help = "CIFAR-100: things and animals, 32 x 32, colour, 100 classes.",
	.example = "pcall(data.cifar100, {labels = \"coarse\"})",
	.fields = fields100,
	.paths = { "folder" },
	.make = make100,
	.find = find100,
};
