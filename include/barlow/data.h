/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data.h: datasets (images with labels) and the loader that makes batches of views.
 *
 * A dataset is reference-counted and immutable; subsets share their parent's
 * images.  Images are (H,W,C) interleaved, uint8 or float32 (bl_image.type).
 * Functions that make a dataset return a new reference, or NULL with bl_error;
 * those that can fail and return int return 0, or negative with bl_error, unless
 * they say otherwise.
 */
#ifndef BARLOW_DATA_H
#define BARLOW_DATA_H

#include <barlow/augment.h>
#include <barlow/field.h>
#include <barlow/random.h>
#include <barlow/tensor.h>

typedef struct bl_dataset bl_dataset;

/*
 * A kind of data set: its name, its settings, and the function that makes one from them.  The constructors of the Lua
 * face (data.NAME), help, recipes and data.list() are made from these tables.  To add a kind, add a file in src/data
 * with its table at the end, and a line in src/data/data_kinds.c.
 */
enum { BL_DATA_ROOM = 128 }; /* doubles that hold the settings of any kind */
typedef struct bl_data_kind {
	const char *name, *help; /* "idx"; a line */
	const char *example;     /* Lua that runs by itself, with or without the files */
	const bl_field *fields;
	const char *paths[2]; /* names of its settings that are paths, in the order of bl_dataset_origin; NULL: none */
	bool sized;           /* its setting `size`, float[2], is {height, width} of the set, whether given or not */
	bl_dataset *(*make)(const void *settings); /* NULL with bl_error */
	/*
	 * For sets that are found without a path: returns 0 and the path of their folder, or negative with bl_error, which
	 * says where they were searched and how to get them.  NULL: the user gives the path.
	 */
	int (*find)(char *path, size_t size);
} bl_data_kind;

/* i counts from 0; NULL after the last. */
const bl_data_kind *bl_data_kind_at(int i);
/*
 * Makes a set of a kind from names and values as text, ended by NULL; settings that are left out have their defaults:
 *     bl_dataset_of("idx", (const char *[]){ "images", "train-images", "labels", "train-labels", NULL })
 * For an unknown kind or setting, bl_error names the nearest one.
 */
bl_dataset *bl_dataset_of(const char *kind, const char *const *settings);

/*
 * IDX files, the format of MNIST, plain or gzip (detected by content): images (N,H,W) or (N,H,W,C) of unsigned bytes,
 * of other integers in 0..255, or of floats in 0..1; labels (N), or (N,K), whose first column is the class (QMNIST).
 * labels_path may be NULL.  Messages name the file and the fault: magic, length, truncated gzip, number of labels.
 */
bl_dataset *bl_dataset_idx(const char *images_path, const char *labels_path);

/*
 * Fashion-MNIST from a folder; NULL: it is searched for, for example in /usr/share/datasets/fashion-mnist (Debian's
 * dataset-fashion-mnist).  train: the training set, else the test set.
 */
bl_dataset *bl_dataset_fashion(const char *folder, bool train);

/*
 * Coloured shapes on textured ground; image i is a function of (seed, i) alone.
 * Classes: disc, square, triangle, ring, cross, star, ... (10).
 */
typedef struct bl_shapes_config {
	int64_t n;    /* number of images, 1 to 2^32 - 1; the default of data.shapes is 10000 */
	int size;     /* side in pixels; 32 there */
	int channels; /* 3, or 1 */
	uint64_t seed;
} bl_shapes_config;
bl_dataset *bl_dataset_shapes(const bl_shapes_config *c);

/*
 * A set from a tensor (N,C,H,W) with values in 0..1, C up to BL_CHANNELS_MOST, and N labels (0-based) or NULL.  The
 * values are copied without loss: as float32, or as bytes if all of them are multiples of 1 / 255.
 */
bl_dataset *bl_dataset_tensor(const bl_tensor *images, const int32_t *labels);

/*
 * Vectors of features, (N,D): images of one row and one channel whose values may be any finite numbers.  standardise:
 * each feature is scaled to mean 0 and standard deviation 1, by its own statistics or, unless NULL, by those of the
 * set `like`.
 */
bl_dataset *bl_dataset_vectors(const bl_tensor *features, const int32_t *labels, const bl_dataset *like, bool standardise);
bool bl_dataset_is_vectors(const bl_dataset *d);
/* An operator that replaces each feature of a vector, with probability p, by that of a vector drawn from the set. */
bl_aug *bl_aug_new_feature_mix(bl_dataset *from, float p);
/* 0, or negative with bl_error naming the operator that does not support the set's images. */
int bl_dataset_check_pipeline(const bl_dataset *d, const bl_pipeline *p);

/* Arguments of a set's function, and its output. */
typedef struct bl_data_call {
	int64_t row;        /* from 0 */
	int label;          /* label of `in`, from 0; -1: none.  If labelled, the function writes the label here */
	bool labelled;      /* the function has to set label */
	bl_rng *rng;        /* the image's own random stream */
	const bl_image *in; /* the image to change; NULL: the function makes one */
	int channels, height, width;
	float *out; /* (channels, height, width), in 0..1 */
} bl_data_call;

/*
 * Images that a function makes on demand; image i is the same at every call.  `apply` is called by several threads at
 * once; `release` is called with the context when the set is freed, and may be NULL.
 */
typedef struct bl_data_function {
	const char *name; /* static; part of the key of its random stream */
	int64_t n;
	int channels, height, width;
	int classes;                    /* 0: no labels */
	const char *const *class_names; /* as many as classes, or NULL; copied */
	const int32_t *labels;          /* from 0; copied.  NULL: the function is called for all images now and sets them */
	uint64_t seed;                  /* of its random streams */
	int (*apply)(void *context, bl_data_call *call); /* negative: bl_error */
	void (*release)(void *context);
	void *context;
} bl_data_function;
/* Takes ownership of the context, also on failure. */
bl_dataset *bl_dataset_function(const bl_data_function *f);
/*
 * A set whose images are those of another set, changed by a function, in training and evaluation alike; labels, classes
 * and paths are unchanged.  In f, channels or size 0 mean those of the set; n, classes, class_names and labels are ignored.
 */
bl_dataset *bl_dataset_map(bl_dataset *of, const bl_data_function *f);

/*
 * Image files of a folder and all below it, sorted: JPEG, PNG, WebP, TIFF (first image), GIF (first frame), BMP, PNM.
 * Images are recognised by name, their format by content; names that begin with a dot are skipped.  Its subfolders are
 * classes, as in torchvision's ImageFolder; without any there are no labels.  Files are read on demand.  Pixels are
 * converted to 8 bits and the given number of channels.  Images of more than 100 million pixels, and files of more than
 * 256 MiB, are refused.
 */
typedef struct bl_folder_config {
	const char *path;
	const char *endings; /* only files whose names end in one of these, "jpg png"; NULL: those of all formats */
	int channels;        /* 3, or 1; 0: 3 */
	int height, width;   /* size in evaluation.  0: the first image's size, or 224 x 224 if that is larger */
	bool unlabelled;     /* folders are not classes */
	bool skip_broken;    /* decode everything now and leave out the files that fail */
	bool full_scale;     /* decode JPEGs at their full size, even if a view needs less */
	bool orient;         /* turn images as their EXIF orientation says */
	bool pil;            /* evaluation resizes as PIL does, bilinear, to bytes */
	bool over;           /* composite transparent images over `background`; else their alpha is ignored */
	float background[3]; /* red, green, blue in 0..1 */
	int cache;           /* decoded images are cached: 0: not, 1: in memory, 2: in a file of the user's cache folder */
} bl_folder_config;
bl_dataset *bl_dataset_folder(const bl_folder_config *c);
/*
 * The number of files in the folder that are not read: those left out as broken, and those whose names are not of
 * images. bl_dataset_skipped is the number of texts about them, "path: reason" (owned by the set; NULL: no such k);
 * of the latter files at most 10000 are named one by one, and a last text gives the number of the others.
 */
int64_t bl_dataset_unread(const bl_dataset *d);
int64_t bl_dataset_skipped(const bl_dataset *d);
const char *bl_dataset_skipped_reason(const bl_dataset *d, int64_t k);

/*
 * The set's k-th path, absolute, in the order of the paths of the set's kind (bl_data_kind.paths): a folder, or the IDX
 * files of images (0) and labels (1).  NULL: there is none.  Borrowed from the set, or from the set that it is a part
 * of.
 */
const char *bl_dataset_origin(const bl_dataset *d, int k);
/*
 * A fingerprint that distinguishes these files from others at the same path.  For a folder it covers the number and
 * names of all files, and size and content of at most 64, chosen by their names alone; for other sets, the files that
 * hold the images and labels.  A line of less than 400 bytes, computed at the first call, borrowed from the set or from
 * the set that it is a part of.  "": the images come from no file.  NULL with bl_error: a file cannot be read.
 */
const char *bl_dataset_fingerprint(bl_dataset *d);
/* Reads the files again.  0: they have that fingerprint; negative: bl_error says how they differ. */
int bl_dataset_check_fingerprint(bl_dataset *d, const char *fingerprint);

/* Writes the shape of a set in memory, and hashes of its images and labels, as a line of text into out; returns out. */
enum { BL_CONTENT_TEXT = 128 };
const char *bl_dataset_content(const bl_dataset *d, char out[BL_CONTENT_TEXT]);

bl_dataset *bl_dataset_select(bl_dataset *d, const int64_t *rows, int64_t n); /* n >= 1 rows, 0-based, copied */
/*
 * Two parts, new references; the first has `fraction` (0..1, exclusive), drawn by seed, stratified if there are
 * labels.
 */
int bl_dataset_split(bl_dataset *d, double fraction, uint64_t seed, bl_dataset **first, bl_dataset **second);

/*
 * per_class images of each class, drawn by seed; with the same seed a smaller set is a part of a larger one.  Fails
 * naming a class that has fewer.
 */
bl_dataset *bl_dataset_few(bl_dataset *d, int64_t per_class, uint64_t seed);
/*
 * per_class images (0: as many as the largest class has) of each class that has any.  Images of a smaller class are all
 * taken, some or all of them several times; of a larger class a part is drawn by seed.
 */
bl_dataset *bl_dataset_balance(bl_dataset *d, int64_t per_class, uint64_t seed);
/*
 * The concatenation of n sets; references are taken.  All have the same number of channels; evaluation uses the size of
 * the first.  There are labels if all sets have them: classes of the same name are one class, or, if a set has no class
 * names, classes of the same number.
 */
bl_dataset *bl_dataset_concat(bl_dataset *const *parts, int n);

/*
 * Reads every image and calls the callback `broken` on this thread for the row of each that cannot be read.
 * Returns their number; negative with bl_error: the check could not be run.
 */
int64_t bl_dataset_verify(const bl_dataset *d, void (*broken)(void *ctx, int64_t row, const char *why), void *ctx);
/* The same check: 0, or negative with a message that names the first few broken images. */
int bl_dataset_check_images(const bl_dataset *d);

bl_dataset *bl_dataset_ref(bl_dataset *d);
void bl_dataset_unref(bl_dataset *d);

const char *bl_dataset_name(const bl_dataset *d); /* "fashion-mnist train" */
int64_t bl_dataset_length(const bl_dataset *d);
int bl_dataset_channels(const bl_dataset *d);
/* The size of every image; if sizes differ (bl_dataset_folder), that of an image in evaluation. */
int bl_dataset_height(const bl_dataset *d);
int bl_dataset_width(const bl_dataset *d);
int bl_dataset_classes(const bl_dataset *d);                       /* 0: no labels */
const char *bl_dataset_class_name(const bl_dataset *d, int label); /* borrowed; NULL: it has none */
/*
 * Writes the class's name into out or, if it has none, its number: from 1 if the labels came from the caller, else as
 * in the files.
 */
void bl_dataset_class_text(const bl_dataset *d, int label, char *out, size_t size);
/*
 * The whole image i.  The pixels are borrowed from the set or, if it reads
 * files, from the thread, until its next call.  Negative: a file cannot be read.
 */
int bl_dataset_image(const bl_dataset *d, int64_t i, bl_image *out);
/* The image's own height and width, without decoding its pixels. */
int bl_dataset_image_size(const bl_dataset *d, int64_t i, int *height, int *width);
char *bl_dataset_path(const bl_dataset *d, int64_t i); /* of its file; the caller frees it.  NULL: it has none */
int bl_dataset_label(const bl_dataset *d, int64_t i);  /* -1: none */

/*
 * Names of the known causes of an image ("x", "y", "size", "hue", "rotation", "class"), NULL-terminated and borrowed;
 * NULL: the set has none.  bl_dataset_factor is the value of a cause, by its index, for image i.
 */
const char *const *bl_dataset_factor_names(const bl_dataset *d);
float bl_dataset_factor(const bl_dataset *d, int64_t i, int factor);

/*
 * Mean and standard deviation of each channel over the set (values / 255),
 * computed once.  If the set reads files, over at most 1024 of its images, evenly
 * spread, JPEGs decoded at a reduced scale.  Negative: a file cannot be read.
 */
int bl_dataset_statistics(bl_dataset *d, float *mean, float *std);
/*
 * Replaces both from now on: `channels` values each.  Negative with bl_error: a value is not finite, or a std not above
 * 0.
 */
int bl_dataset_set_statistics(bl_dataset *d, const float *mean, const float *std);

/*
 * Images rows[0..n-1] without augmentation, (x / 255 - mean) / std, as a new
 * tensor (n,C,H,W), channels-last.  If sizes differ, the shorter side is resized
 * to 8/7 of the set's size and the centre is taken, as torchvision's Resize(256)
 * and CenterCrop(224) do; an image that has the set's size is not resized.
 */
bl_tensor *bl_dataset_batch(bl_dataset *d, const int64_t *rows, int64_t n, const float *mean, const float *std);

/*
 * The loader prepares batches of augmented views in its own threads.  Batch k
 * of an epoch is a function of (seed, epoch, k): order and draws do not depend
 * on threads.  The last, smaller batch of an epoch is dropped.
 */
typedef struct bl_loader bl_loader;
typedef struct bl_loader_config {
	bl_dataset *data;                  /* a reference is taken */
	bl_pipeline *views[BL_VIEWS_MOST]; /* T, T', ...: references are taken; sizes may differ */
	int n_views;                       /* 1 to BL_VIEWS_MOST */
	bl_batch_aug *batch_aug;           /* changes batches, in the loader's threads; a reference is taken; may be NULL */
	int batch;                         /* >= 2, <= length of data */
	uint64_t seed;
	int threads; /* 0: as many as bl_threads() */
	int ahead;   /* batches kept ready, 0: 3 */
} bl_loader_config;
bl_loader *bl_loader_new(const bl_loader_config *c); /* NULL with bl_error */
void bl_loader_free(bl_loader *l);
int64_t bl_loader_steps(const bl_loader *l); /* batches in an epoch */
/* Makes `step` the next batch (0-based in the whole run: epoch = step / steps).  Discards prepared batches. */
void bl_loader_seek(bl_loader *l, int64_t step);
/* The same, and from there on these pipelines make the views: as many as before, with the same view sizes. */
void bl_loader_views(bl_loader *l, bl_pipeline *const *views, int64_t step);
/*
 * Waits for the next batch: n_views views (B,C,h,w), channels-last, new references, and its B rows in the set, 0-based
 * (rows may be NULL).  0, or negative: an error in a loader thread, naming the row.
 */
int bl_loader_next(bl_loader *l, bl_tensor **views, int64_t *rows);
double bl_loader_waited(const bl_loader *l); /* seconds that bl_loader_next has waited so far */

#endif
