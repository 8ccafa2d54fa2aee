/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data.h: datasets (images with labels) and the loader that makes batches of views.
 *
 * A dataset is reference-counted and immutable; subsets share their parent's
 * images.  Images are (H,W,C) interleaved, uint8 or float32 (bl_image says which).
 */
#ifndef BARLOW_DATA_H
#define BARLOW_DATA_H

#include <barlow/augment.h>
#include <barlow/field.h>
#include <barlow/random.h>
#include <barlow/tensor.h>

typedef struct bl_dataset bl_dataset;

/*
 * A kind of data set: what it is called, its settings, and how one is made of them.  Constructors of the Lua face
 * (data.NAME), help, recipes and data.list() are made from these tables.  To add a kind is a file in src/data with its
 * table at the end, and a line in src/data/list.c.
 */
enum { BL_DATA_ROOM = 128 }; /* doubles that hold the settings of any kind */
typedef struct bl_data_kind {
	const char *name, *help; /* "idx"; a line */
	const char *example;     /* Lua that runs by itself, with or without the files */
	const bl_field *fields;
	const char *paths[2];    /* its settings that say where files lie, in the order of bl_dataset_origin; NULL: none */
	bool sized;              /* its setting `size`, float[2], is in force as {height, width} of the set, given or not */
	bl_dataset *(*make)(const void *settings); /* NULL with bl_error */
	/*
	 * Of sets that are found without naming a place: 0 and the path of their folder, or negative with bl_error, which says
	 * where they were looked for and how to get them.  NULL: the user says where.
	 */
	int (*find)(char *path, size_t size);
} bl_data_kind;

/* i counts from 0; NULL behind the last. */
const bl_data_kind *bl_data_kind_at(int i);
/*
 * One of a kind by names and values as text, ended by NULL; what is left out has its default:
 *     bl_dataset_of("idx", (const char *[]){ "images", "train-images", "labels", "train-labels", NULL })
 * NULL with bl_error, naming the nearest kind or setting where there is none of a name.
 */
bl_dataset *bl_dataset_of(const char *kind, const char *const *settings);

/*
 * IDX files as MNIST and its kin come, plain or gzip (told by content): images (N,H,W) or (N,H,W,C) of unsigned bytes, of
 * other integers in 0..255, or of floats in 0..1; labels (N), or (N,K), of which the first column is the class (QMNIST).
 * labels_path may be NULL.  Messages name the file and what was wrong in it:
 * magic, length, cut-off gzip, label count against image count.
 */
bl_dataset *bl_dataset_idx(const char *images_path, const char *labels_path);

/* Fashion-MNIST from a folder, NULL: where it is found, such as /usr/share/datasets/fashion-mnist (Debian's dataset-fashion-mnist). */
bl_dataset *bl_dataset_fashion(const char *folder, bool train);

/*
 * Coloured shapes on textured ground, image i a function of (seed, i) alone.
 * Classes: disc, square, triangle, ring, cross, star, ... (10).
 */
typedef struct bl_shapes_config {
	int64_t n;       /* images, 10000 */
	int size;        /* side in pixels, 32 */
	int channels;    /* 3, or 1 */
	uint64_t seed;
} bl_shapes_config;
bl_dataset *bl_dataset_shapes(const bl_shapes_config *c);

/*
 * From a tensor (N,C,H,W) with values in 0..1, C up to BL_CHANNELS_MOST, and labels (0-based) or NULL.  The values are kept
 * as they are: as float32, or as bytes where all of them are multiples of 1 / 255.
 */
bl_dataset *bl_dataset_tensor(const bl_tensor *images, const int32_t *labels);

/*
 * Vectors of features, (N,D): images of one row and one channel whose values may be any finite numbers.  standardise: each
 * feature is brought to mean 0 and standard deviation 1, by its own, or, where `like` is not NULL, as that set of vectors is.
 */
bl_dataset *bl_dataset_vectors(const bl_tensor *features, const int32_t *labels, const bl_dataset *like, bool standardise);
bool bl_dataset_is_vectors(const bl_dataset *d);
/* An operator that exchanges each feature of a vector, with probability p, for that of a vector drawn from the set. */
bl_aug *bl_aug_new_feature_mix(bl_dataset *from, float p);
/* 0, or negative naming the operator that cannot work on what the set has. */
int bl_dataset_check_pipeline(const bl_dataset *d, const bl_pipeline *p);

/* What a function of a set gets, and where it puts what it makes. */
typedef struct bl_data_call {
	int64_t row;        /* from 0 */
	int label;          /* of the image that is changed, from 0, -1: none; a function that is asked for it puts it there */
	bool labelled;      /* it is asked for it */
	bl_rng *rng;        /* a stream that is the image's own */
	const bl_image *in; /* what is changed; NULL: nothing */
	int channels, height, width;
	float *out;         /* (channels, height, width), in 0..1 */
} bl_data_call;

/*
 * Images that a function makes, each when it is asked for: image i is the same whenever it is.  `apply` is called by
 * several threads at once; `release` is called with the context in the end, and may be NULL.
 */
typedef struct bl_data_function {
	const char *name; /* static: which tells its draws from those of others */
	int64_t n;
	int channels, height, width;
	int classes;                    /* 0: no labels */
	const char *const *class_names; /* so many, or NULL; copied */
	const int32_t *labels;          /* from 0; copied.  NULL: the function is called for all images at once, and gives them */
	uint64_t seed;                  /* of what it draws */
	int (*apply)(void *context, bl_data_call *call); /* negative: bl_error */
	void (*release)(void *context);
	void *context;
} bl_data_function;
/* Takes the context, also where it fails. */
bl_dataset *bl_dataset_function(const bl_data_function *f);
/*
 * The images of a set as a function changes them, in training and evaluation alike; labels, classes and paths stay.  Of f,
 * channels and size 0 are those of the set and its images; number, classes and labels are not looked at.
 */
bl_dataset *bl_dataset_map(bl_dataset *of, const bl_data_function *f);

/*
 * Image files of a folder and all below it, sorted: JPEG, PNG, WebP, TIFF (first image), GIF (first frame), BMP, PNM.  Which
 * files are images is told by their names, of which kind they are by their content; names that begin with a dot are passed
 * over.  Folders in it are classes, as in torchvision's ImageFolder; without any there are no labels.  Files are read when an
 * image is asked for.  Pixels become 8 bits and as many channels as asked for.  Images of more than 100 million pixels, and
 * files of more than 256 MiB, are refused.
 */
typedef struct bl_folder_config {
	const char *path;
	const char *endings; /* only files whose names end in one of these, "jpg png"; NULL: those of all formats */
	int channels;      /* 3, or 1; 0: 3 */
	int height, width; /* what evaluation sees.  0: the first image's size, or 224 x 224 where that is larger */
	bool unlabelled;   /* folders are no classes */
	bool skip_broken;  /* decode everything now and leave out what cannot be */
	bool full_scale;   /* decode JPEGs at their full size, even where a view needs less */
	bool orient;       /* turn images as their EXIF orientation says */
	bool pil;          /* evaluation's resize is PIL's, bilinear, to bytes */
	bool over;            /* transparent images lie over ... */
	float background[3]; /* ... this, red, green, blue in 0..1; else their alpha is ignored */
	int cache;         /* decoded images are kept: 0: not, 1: in memory, 2: in a file of the user's cache folder */
} bl_folder_config;
bl_dataset *bl_dataset_folder(const bl_folder_config *c);
/*
 * Files in the folder that are not read: those left out as broken, and those that are no image files by their names.
 * bl_dataset_skipped is how many texts name them, "path: reason" (owned by the set); of the latter at most 10000 are
 * named one by one, and a last text says how many more there are.
 */
int64_t bl_dataset_unread(const bl_dataset *d);
int64_t bl_dataset_skipped(const bl_dataset *d);
const char *bl_dataset_skipped_reason(const bl_dataset *d, int64_t k);

/*
 * Where the images come from, for who has to find the same ones again: absolute path k, in the order of the paths of the
 * set's kind: a folder, or the IDX files of images (0) and labels (1).  NULL: there is none.  Borrowed from the set, or
 * from what it is a part of.
 */
const char *bl_dataset_origin(const bl_dataset *d, int k);
/*
 * What tells these files from others at the same place: number and names of all, size and content of at most 64 of a
 * folder, chosen by their names alone, or of the files that hold all images and labels.  A line of text of less than 400 bytes, worked out when first
 * asked for; borrowed likewise.  "": the images come from no file.  NULL: a file cannot be read.
 */
const char *bl_dataset_fingerprint(bl_dataset *d);
/* 0: the files are those of that fingerprint.  Negative: bl_error says how they differ.  Reads them again. */
int bl_dataset_check_fingerprint(bl_dataset *d, const char *fingerprint);

/* Of a set in memory: its shape, and hashes of its images and labels, as a line of text, which is returned. */
enum { BL_CONTENT_TEXT = 128 };
const char *bl_dataset_content(const bl_dataset *d, char out[BL_CONTENT_TEXT]);

bl_dataset *bl_dataset_select(bl_dataset *d, const int64_t *rows, int64_t n); /* rows are 0-based */
/* Two parts, first of `fraction` (0..1), drawn by seed, with each class in proportion where there are labels. */
int bl_dataset_split(bl_dataset *d, double fraction, uint64_t seed, bl_dataset **first, bl_dataset **second);

/*
 * So many images of each class, drawn by seed; of one seed fewer are a part of more.  Fails naming a class that has not
 * as many.
 */
bl_dataset *bl_dataset_few(bl_dataset *d, int64_t per_class, uint64_t seed);
/*
 * As many images of each class that has any: 0: as the largest class has.  Of a smaller class all are taken, some or all of
 * them several times; of a larger one a part, drawn by seed.
 */
bl_dataset *bl_dataset_balance(bl_dataset *d, int64_t per_class, uint64_t seed);
/*
 * The images of n sets, one set behind the other; references are taken.  They have as many channels; evaluation sees all of
 * them at the size of the first.  There are labels where all have them: classes of one name are one class, or, where a set
 * has no names for them, classes of one number.
 */
bl_dataset *bl_dataset_concat(bl_dataset *const *parts, int n);

/*
 * Reads every image and calls `broken` for each that cannot be read, by row, on this thread.  How many there are; negative
 * with bl_error: it could not be tried.
 */
int64_t bl_dataset_verify(const bl_dataset *d, void (*broken)(void *ctx, int64_t row, const char *why), void *ctx);
/* The same as 0, or negative with a message that names the first few. */
int bl_dataset_check_images(const bl_dataset *d);

bl_dataset *bl_dataset_ref(bl_dataset *d);
void bl_dataset_unref(bl_dataset *d);

const char *bl_dataset_name(const bl_dataset *d); /* "fashion-mnist train" */
int64_t bl_dataset_length(const bl_dataset *d);
int bl_dataset_channels(const bl_dataset *d);
/* Of every image; where they have sizes of their own (bl_dataset_folder): of an image as evaluation sees it. */
int bl_dataset_height(const bl_dataset *d);
int bl_dataset_width(const bl_dataset *d);
int bl_dataset_classes(const bl_dataset *d);                 /* 0: no labels */
const char *bl_dataset_class_name(const bl_dataset *d, int label); /* NULL when it has none */
/* The same; of a class without a name its number: from 1 where the labels are the caller's, else as files have it. */
void bl_dataset_class_text(const bl_dataset *d, int label, char *out, size_t size);
/*
 * All of image i.  The pixels are borrowed: from the set, or, where it reads
 * files, from the thread, until its next call.  Negative: a file cannot be read.
 */
int bl_dataset_image(const bl_dataset *d, int64_t i, bl_image *out);
/* Its own height and width, without its pixels. */
int bl_dataset_image_size(const bl_dataset *d, int64_t i, int *height, int *width);
char *bl_dataset_path(const bl_dataset *d, int64_t i);       /* of its file; the caller frees it.  NULL: it has none */
int bl_dataset_label(const bl_dataset *d, int64_t i);        /* -1: none */

/* Known causes of image i ("x", "y", "size", "hue", "rotation", "class"): names NULL-terminated, or NULL when the set has none. */
const char *const *bl_dataset_factor_names(const bl_dataset *d);
float bl_dataset_factor(const bl_dataset *d, int64_t i, int factor);

/*
 * Mean and standard deviation per channel over the set (values / 255), computed
 * once.  Of a set that reads files: over at most 1024 of its images, evenly
 * spread, JPEGs decoded at a reduced scale.  Negative: a file cannot be read.
 */
int bl_dataset_statistics(bl_dataset *d, float *mean, float *std);
/* These from now on instead, one of each a channel, std above 0: negative with bl_error where they are not. */
int bl_dataset_set_statistics(bl_dataset *d, const float *mean, const float *std);

/*
 * Images rows[0..n-1] unaugmented, (x / 255 - mean) / std, as (n,C,H,W)
 * channels-last.  Where images have sizes of their own, the shorter side becomes
 * 8/7 of the set's size and the centre is taken, as torchvision's Resize(256)
 * and CenterCrop(224) do; an image that has the set's size is taken as it is.
 */
bl_tensor *bl_dataset_batch(bl_dataset *d, const int64_t *rows, int64_t n, const float *mean, const float *std);

/*
 * The loader: batches of augmented views, made ahead by threads of its
 * own.  Batch k of an epoch is a function of (seed, epoch, k): order and draws
 * do not depend on threads.  The last, smaller batch of an epoch is dropped.
 */
typedef struct bl_loader bl_loader;
typedef struct bl_loader_config {
	bl_dataset *data;             /* a reference is taken */
	bl_pipeline *views[BL_VIEWS_MOST]; /* T, T', ...: references are taken; each has a size of its own */
	int n_views;                  /* 1 to BL_VIEWS_MOST */
	bl_batch_aug *batch_aug;      /* changes whole batches, in the loader's threads; a reference is taken; may be NULL */
	int batch;                    /* >= 2, <= length of data */
	uint64_t seed;
	int threads;                  /* 0: as many as bl_threads() */
	int ahead;                    /* batches kept ready, 0: 3 */
} bl_loader_config;
bl_loader *bl_loader_new(const bl_loader_config *c);
void bl_loader_free(bl_loader *l);
int64_t bl_loader_steps(const bl_loader *l); /* batches in an epoch */
/* Next batch is number `step` (0-based, whole run: epoch = step / steps).  Drops what was made ahead. */
void bl_loader_seek(bl_loader *l, int64_t step);
/* The same, and views are made by these pipelines from there on, as many as there were, which give views of the same sizes. */
void bl_loader_views(bl_loader *l, bl_pipeline *const *views, int64_t step);
/*
 * The next batch: n_views views (B,C,h,w) channels-last, new references, and its B rows in the set, 0-based (rows may be
 * NULL).  Waits.  Negative: an error in a loader thread, naming the row.
 */
int bl_loader_next(bl_loader *l, bl_tensor **views, int64_t *rows);
double bl_loader_waited(const bl_loader *l); /* seconds bl_loader_next has waited so far: near 0 when not starved */

#endif
