/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data.h: data sets (images with labels) and the loader that makes batches of views.
 *
 * A data set is reference-counted and immutable, except for bl_dataset_set_statistics; subsets share the images of
 * their parent.  Images are (H,W,C) interleaved, uint8 or float32 (bl_image.type).  Functions that make a data set
 * return a new reference, or NULL with bl_error.  Functions that return int and can fail return 0, or negative with
 * bl_error, unless they say otherwise.
 */
#ifndef BARLOW_DATA_H
#define BARLOW_DATA_H

#include <barlow/augment.h>
#include <barlow/field.h>
#include <barlow/random.h>
#include <barlow/tensor.h>

typedef struct bl_dataset bl_dataset;

/*
 * A kind of data set: its name, its settings, and the function that makes a data set from settings.  The Lua
 * constructors (data.NAME), help, recipes and data.list() are made from these tables.  To add a kind, add a file in
 * src/data with its table at the end, and a line in src/data/data_kinds.c.
 */
enum { BL_DATA_ROOM = 128 }; /* doubles that hold the settings of any kind */
typedef struct bl_data_kind {
	const char *name, *help; /* such as "idx"; one line */
	const char *example;     /* Lua code that runs by itself, whether or not the files exist */
	const bl_field *fields;
	const char *paths[2]; /* names of the settings that are paths, in the order of bl_dataset_origin; NULL: none */
	bool sized;           /* has a setting `size`, float[2]; recipes always state it, as {height, width} */
	bl_dataset *(*make)(const void *settings); /* NULL with bl_error */
	/*
	 * For sets that are searched for in well-known folders: returns 0 and the path of the set's folder, or negative
	 * with bl_error, which names the folders that were searched and how to get the set.  NULL: the user gives the
	 * path.
	 */
	int (*find)(char *path, size_t size);
} bl_data_kind;

/* The i-th kind, from 0; NULL after the last.  Static. */
const bl_data_kind *bl_data_kind_at(int i);
/*
 * Makes a set of a kind from the names and values of settings as text, ended by NULL.  Settings that are left out have
 * their defaults:
 *
 *     bl_dataset_of("idx", (const char *[]){ "images", "train-images", "labels", "train-labels", NULL })
 *
 * If a kind or setting is unknown, bl_error names the nearest one.
 */
bl_dataset *bl_dataset_of(const char *kind, const char *const *settings);

/*
 * A set from IDX files, the format of MNIST, which may be compressed with gzip (detected by content).  Images are
 * (N,H,W) or (N,H,W,C): unsigned bytes, other integers in 0..255, or floats in 0..1.  Labels are (N), or (N,K) with the
 * class in the first column (QMNIST).  labels_path may be NULL.  Messages name the file and what is wrong with it:
 * magic number, length, truncated gzip data, number of labels.
 */
bl_dataset *bl_dataset_idx(const char *images_path, const char *labels_path);

/*
 * Fashion-MNIST from a folder.  If folder is NULL, well-known folders are searched, such as
 * /usr/share/datasets/fashion-mnist (Debian's dataset-fashion-mnist).  train: true for the training set, false for the
 * test set.
 */
bl_dataset *bl_dataset_fashion(const char *folder, bool train);

/*
 * Coloured shapes on a textured background; image i depends only on (seed, i).
 * Classes: disc, square, triangle, ring, cross, star, ... (10).
 */
typedef struct bl_shapes_config {
	int64_t n;    /* number of images, 1 to 2^32 - 1; Lua's data.shapes has the default 10000 */
	int size;     /* side in pixels; Lua's data.shapes has the default 32 */
	int channels; /* 3 or 1 */
	uint64_t seed;
} bl_shapes_config;
bl_dataset *bl_dataset_shapes(const bl_shapes_config *c);

/*
 * A set from a tensor (N,C,H,W) with values in 0..1, C at most BL_CHANNELS_MOST, and N labels (from 0) or NULL.  The
 * values are copied without loss: as bytes if all of them are multiples of 1 / 255, otherwise as float32.
 */
bl_dataset *bl_dataset_tensor(const bl_tensor *images, const int32_t *labels);

/*
 * A set of feature vectors from a tensor (N,D), and N labels (from 0) or NULL.  The vectors are images of one row and
 * one channel whose values may be any finite numbers.  standardise: each feature is shifted and scaled to mean 0 and
 * standard deviation 1.  If `like` is not NULL, each feature is shifted and scaled as in that set instead.
 */
bl_dataset *bl_dataset_vectors(const bl_tensor *features, const int32_t *labels, const bl_dataset *like, bool standardise);
bool bl_dataset_is_vectors(const bl_dataset *d);
/*
 * An operator that replaces each feature of a vector, with probability p, by that feature of a vector drawn from the
 * set.
 */
bl_aug *bl_aug_new_feature_mix(bl_dataset *from, float p);
/* 0 if all operators of p support the set's images; otherwise bl_error names one that does not. */
int bl_dataset_check_pipeline(const bl_dataset *d, const bl_pipeline *p);

/* Arguments of a set's function, and its output. */
typedef struct bl_data_call {
	int64_t row;        /* from 0 */
	int label;          /* label of `in`, from 0; -1: none.  If labelled is true, the function sets it */
	bool labelled;      /* the function has to set the label */
	bl_rng *rng;        /* the image's own random stream */
	const bl_image *in; /* the image to change; NULL: the function makes one */
	int channels, height, width;
	float *out; /* (channels, height, width), in 0..1 */
} bl_data_call;

/*
 * A set of images that a function makes on demand; image i has to be the same at every call.  Several threads may call
 * `apply` at once.  `release`, which may be NULL, is called with the context when the set is freed.
 */
typedef struct bl_data_function {
	const char *name; /* static; part of the key of the random streams */
	int64_t n;
	int channels, height, width;
	int classes;                    /* 0: no labels */
	const char *const *class_names; /* (classes), copied; or NULL */
	const int32_t *labels;          /* (n), from 0, copied; NULL: found by calling the function for every image */
	uint64_t seed;                  /* of the random streams */
	int (*apply)(void *context, bl_data_call *call); /* returns 0, or negative with bl_error */
	void (*release)(void *context);
	void *context;
} bl_data_function;
/* Takes ownership of the context, also on failure. */
bl_dataset *bl_dataset_function(const bl_data_function *f);
/*
 * A set whose images are those of the set `of`, changed by a function, in training and in evaluation.  Labels, classes
 * and paths are those of `of`.  In f, channels, height or width 0 stand for those of `of`; n, classes, class_names and
 * labels are ignored.
 */
bl_dataset *bl_dataset_map(bl_dataset *of, const bl_data_function *f);

/*
 * A set of the image files in a folder and in all folders below it, sorted by path: JPEG, PNG, WebP, TIFF (first
 * image), GIF (first frame), BMP, PNM.  The ending of a file's name decides whether it is an image, and its content
 * decides the format; names that begin with a dot are skipped.  The folder's subfolders are the classes, as in
 * torchvision's ImageFolder; without subfolders there are no labels.  Files are read on demand.  Pixels are converted
 * to 8 bits and to the given number of channels.  Images of more than 100 million pixels and files of more than 256 MiB
 * are refused.
 */
typedef struct bl_folder_config {
	const char *path;
	const char *endings; /* use files whose names end in one of these: "jpg png"; NULL: those of all formats */
	int channels;        /* 3 or 1; 0: 3 */
	int height, width;   /* size in evaluation; 0: that of the first image, at most 224 x 224 */
	bool unlabelled;     /* folders are not classes */
	bool skip_broken;    /* decode all files now, and leave out those that cannot be decoded */
	bool full_scale;     /* decode JPEGs at full size, even if a view needs fewer pixels */
	bool orient;         /* apply the EXIF orientation of images */
	bool pil;            /* in evaluation, resize bilinearly to bytes, as PIL does */
	bool over;           /* composite transparent images over `background`; false: ignore their alpha channel */
	float background[3]; /* red, green, blue in 0..1 */
	int cache;           /* of decoded images; 0: none, 1: in memory, 2: in a file in the user's cache folder */
} bl_folder_config;
bl_dataset *bl_dataset_folder(const bl_folder_config *c);
/*
 * The number of files in the folder that are not part of the set: broken files that were left out, files whose names
 * are not those of images, and links and special files that cannot be read.
 */
int64_t bl_dataset_unread(const bl_dataset *d);
/*
 * bl_dataset_skipped_reason returns the k-th text, "path: reason", about these files, 0 <= k < bl_dataset_skipped.  The
 * text is owned by the set; NULL: there is no such text.  For each kind of file that is not a broken file, at most
 * 10000 texts describe single files; one more text states how many other files there are.
 */
int64_t bl_dataset_skipped(const bl_dataset *d);
const char *bl_dataset_skipped_reason(const bl_dataset *d, int64_t k);

/*
 * The absolute path k of the set, in the order of bl_data_kind.paths: a folder (0), or the IDX files of images (0) and
 * labels (1).  NULL: there is no such path.  The text is borrowed from the set or from its root set.
 */
const char *bl_dataset_origin(const bl_dataset *d, int k);
/*
 * A fingerprint that distinguishes the set's files from other files at the same paths.  For a folder it covers the
 * number and names of all files, and the size and content of at most 64 files, which are selected by their names.  For
 * other sets it covers the files of the images and labels.  It is a line of less than 400 bytes, computed at the first
 * call and borrowed from the set or from its root set.  "": the images are not read from files.  NULL with bl_error: a
 * file cannot be read.
 */
const char *bl_dataset_fingerprint(bl_dataset *d);
/* Reads the files again.  0: they have that fingerprint; negative: bl_error describes the difference. */
int bl_dataset_check_fingerprint(bl_dataset *d, const char *fingerprint);

/* Writes a line with the shape of a set in memory, and hashes of its images and labels, into out, and returns out. */
enum { BL_CONTENT_TEXT = 128 };
const char *bl_dataset_content(const bl_dataset *d, char out[BL_CONTENT_TEXT]);

/* The subset of n >= 1 rows, which count from 0 and are copied. */
bl_dataset *bl_dataset_select(bl_dataset *d, const int64_t *rows, int64_t n);
/*
 * Splits a set into two parts, which are new references.  The first part has the fraction 0 < `fraction` < 1 of the
 * images.  The images are drawn by seed, for each class separately if there are labels.
 */
int bl_dataset_split(bl_dataset *d, double fraction, uint64_t seed, bl_dataset **first, bl_dataset **second);

/*
 * A subset with per_class images of each class, drawn by seed.  With the same seed, a smaller subset is a part of a
 * larger one.  Fails if a class has fewer images; bl_error names the class.
 */
bl_dataset *bl_dataset_few(bl_dataset *d, int64_t per_class, uint64_t seed);
/*
 * A set with per_class images of each class that has any; per_class 0 stands for the size of the largest class.  From a
 * class with more images, per_class are drawn by seed.  A class with fewer images contributes all of them, and images
 * are repeated until there are per_class.
 */
bl_dataset *bl_dataset_balance(bl_dataset *d, int64_t per_class, uint64_t seed);
/*
 * The concatenation of n sets; references are taken.  All sets must have the same number of channels; evaluation uses
 * the size of the first set.  There are labels if all sets have labels.  Classes are identified by name or, if a set
 * has no class names, by number.
 */
bl_dataset *bl_dataset_concat(bl_dataset *const *parts, int n);

/*
 * Reads every image, and calls `broken` on this thread for each image that cannot be read.  Returns the number of such
 * images; negative with bl_error: the check was interrupted, or there was no memory.
 */
int64_t bl_dataset_verify(const bl_dataset *d, void (*broken)(void *ctx, int64_t row, const char *why), void *ctx);
/* As bl_dataset_verify, but returns 0, or negative with a bl_error that names the first few broken images. */
int bl_dataset_check_images(const bl_dataset *d);

bl_dataset *bl_dataset_ref(bl_dataset *d);
void bl_dataset_unref(bl_dataset *d);

const char *bl_dataset_name(const bl_dataset *d); /* "fashion-mnist train" */
int64_t bl_dataset_length(const bl_dataset *d);
int bl_dataset_channels(const bl_dataset *d);
/* The size of the images in pixels.  If their sizes differ (bl_dataset_folder), it is the size used in evaluation. */
int bl_dataset_height(const bl_dataset *d);
int bl_dataset_width(const bl_dataset *d);
int bl_dataset_classes(const bl_dataset *d);                       /* 0: no labels */
const char *bl_dataset_class_name(const bl_dataset *d, int label); /* borrowed; NULL: the class has no name */
/*
 * Writes the name of a class into out or, if the class has no name, its number.  The numbers begin at 1 if the caller
 * gave the labels; otherwise they are those in the files.
 */
void bl_dataset_class_text(const bl_dataset *d, int label, char *out, size_t size);
/*
 * Sets *out to the whole image i.  A set in memory lends its own pixels.  If the set reads files, the pixels are in
 * memory of the calling thread and are valid until the thread opens another image.  Negative with bl_error: a file
 * cannot be read.
 */
int bl_dataset_image(const bl_dataset *d, int64_t i, bl_image *out);
/* The height and width of image i in pixels, before it is resized.  The pixels are not decoded. */
int bl_dataset_image_size(const bl_dataset *d, int64_t i, int *height, int *width);
char *bl_dataset_path(const bl_dataset *d, int64_t i); /* path of the image's file; the caller frees it.  NULL: none */
int bl_dataset_label(const bl_dataset *d, int64_t i);  /* -1: none */

/*
 * Names of the factors that an image was generated from ("x", "y", "size", "hue", "rotation", "class"), NULL-terminated
 * and borrowed.  NULL: the set has no factors.
 */
const char *const *bl_dataset_factor_names(const bl_dataset *d);
/* The value of a factor, given by its index in these names, for image i. */
float bl_dataset_factor(const bl_dataset *d, int64_t i, int factor);

/*
 * Mean and standard deviation (C) of each channel over the set, in units where the largest value of a byte is 1.  They
 * are computed once.  If the set reads files, they are those of at most 1024 images, evenly spread over the set, with
 * JPEGs decoded at a reduced scale.  Negative with bl_error: a file cannot be read.
 */
int bl_dataset_statistics(bl_dataset *d, float *mean, float *std);
/* Replaces these statistics.  Negative with bl_error: a value is not finite, or a standard deviation is not above 0. */
int bl_dataset_set_statistics(bl_dataset *d, const float *mean, const float *std);

/*
 * The images rows[0..n-1] without augmentation, (x - mean) / std with x in 0..1, as a new tensor (n,C,H,W),
 * channels-last. Images that do not have the set's size are resized so that the shorter side is 8/7 of the set's size,
 * and the centre is cropped, as by torchvision's Resize(256) and CenterCrop(224).
 */
bl_tensor *bl_dataset_batch(bl_dataset *d, const int64_t *rows, int64_t n, const float *mean, const float *std);

/*
 * The loader prepares batches of augmented views in its own threads.  Batch k of an epoch is a function of (seed,
 * epoch, k) and does not depend on the threads.  If the batch size does not divide the length of the set, the last,
 * smaller batch of an epoch is dropped.
 */
typedef struct bl_loader bl_loader;
typedef struct bl_loader_config {
	bl_dataset *data;                  /* a reference is taken */
	bl_pipeline *views[BL_VIEWS_MOST]; /* T, T', ...: references are taken; sizes may differ */
	int n_views;                       /* 1 to BL_VIEWS_MOST */
	bl_batch_aug *batch_aug;           /* called in the loader's threads; a reference is taken; may be NULL */
	int batch;                         /* images in a batch: at least 2, at most the length of data */
	uint64_t seed;
	int threads; /* 0: as many as bl_threads() */
	int ahead;   /* number of batches that are prepared ahead; 0: 3 */
} bl_loader_config;
bl_loader *bl_loader_new(const bl_loader_config *c); /* NULL with bl_error */
void bl_loader_free(bl_loader *l);
int64_t bl_loader_steps(const bl_loader *l); /* batches in an epoch */
/*
 * Makes batch `step` the next one.  Batches are counted from 0 over the whole run, so that epoch = step / steps.
 * Discards prepared batches.
 */
void bl_loader_seek(bl_loader *l, int64_t step);
/*
 * As bl_loader_seek, but also replaces the pipelines by n_views others, to which references are taken.  The sizes of
 * the views must not change.
 */
void bl_loader_views(bl_loader *l, bl_pipeline *const *views, int64_t step);
/*
 * Waits for the next batch of B images.  views receives n_views new tensors (B,C,h,w), channels-last.  rows, which may
 * be NULL, receives the B rows of the images in the set, from 0.  0, or negative with bl_error: an image could not be
 * made; the message names its row.
 */
int bl_loader_next(bl_loader *l, bl_tensor **views, int64_t *rows);
double bl_loader_waited(const bl_loader *l); /* total time that bl_loader_next has waited, in seconds */

#endif
