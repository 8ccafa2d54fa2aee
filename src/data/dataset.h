/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dataset.h: the struct of a data set, for the files that create data sets. */
#ifndef BARLOW_DATA_DATASET_H
#define BARLOW_DATA_DATASET_H

#include <barlow/data.h>

#include <pthread.h>
#include <stdatomic.h>

typedef struct bl_cache bl_cache; /* cache.h */

enum { BL_OPENED_BYTES = 1536, BL_ARCHIVES_MOST = 16 };

/*
 * An open image: its size is known, but its pixels are not read yet.  The struct must not be moved or copied while it
 * is open.  A thread has at most one open image.
 */
typedef struct bl_opened {
	int height, width, channels;
	bl_pixel_type type;
	const bl_dataset *root;
	int64_t row;                                       /* in root */
	const uint8_t *at_hand;                            /* the whole image in the root's cache; NULL: not cached */
	_Alignas(16) unsigned char state[BL_OPENED_BYTES]; /* private to the set's ops */
} bl_opened;

/* How a root set provides its images: each is opened, read once, and closed. */
typedef struct bl_dataset_ops {
	/* Opens image o->row and sets its size.  Negative with bl_error; after a failure, nothing has to be closed. */
	int (*open)(bl_opened *o);
	/*
	 * Reads the window or more of the image, at the window's scale or a larger one.  The pixels are valid until the
	 * thread opens its next image.
	 */
	int (*read)(bl_opened *o, const bl_window *w, bl_image *out);
	void (*close)(bl_opened *o);                      /* NULL: there is nothing to close */
	char *(*path)(const bl_dataset *root, int64_t i); /* of image i's file; the caller frees it.  NULL: no files */
	/*
	 * The name of image i in the fingerprint, borrowed: its path below the set's folder or in its archive, with its
	 * label if that is not part of the path.  NULL: images are not separate files.
	 */
	const char *(*file_name)(const bl_dataset *root, int64_t i);
	/*
	 * The path of the archive that contains image i; the caller frees it.  NULL: each image is a file of its own,
	 * at `path`.
	 */
	char *(*holder)(const bl_dataset *root, int64_t i);
	void (*clear)(bl_dataset *root); /* frees d->source; NULL: there is none */
} bl_dataset_ops;

/*
 * A root set owns its images; a subset only lists rows of its root.  A set does not change after its construction,
 * except for its statistics and its fingerprint, which are computed under the lock when they are first needed.
 */
struct bl_dataset {
	atomic_int refs;
	char *name;
	int64_t n;
	int channels, height, width;    /* if sizes of images differ: the size in evaluation */
	int classes;                    /* 0: no labels */
	const char *const *class_names; /* one per class, static or part of the source; or NULL */
	int first_class;                /* number shown for class 0: 1 if a caller gave the labels, 0 if a file did */

	const bl_dataset_ops *ops;
	bool reads;             /* images are read on demand */
	bool vectors;           /* images are vectors: one row, one channel, any values */
	struct bl_cache *cache; /* NULL: images are read again at each use */
	bool pil;               /* evaluation resizes images as PIL does */
	void *source;           /* private to ops */
	uint8_t *memory;        /* owned; contains `pixels` */
	const uint8_t *pixels;  /* uint8 images (n,H,W,C) */
	float *values;          /* or float32 images, owned */
	int32_t *labels;

	const char *const *factor_names; /* static, NULL-terminated, or NULL */
	int factor_count;
	float *factors; /* (n, factor_count) */

	bl_dataset *root; /* of a subset; NULL: this is a root set */
	int64_t *rows;    /* in root */

	char *origin[2];                 /* of a root set: absolute paths, in the order of bl_data_kind.paths; NULL: none */
	char *archive[BL_ARCHIVES_MOST]; /* absolute paths of the files that contain images and labels */
	int archives;                    /* 0: each image is a file, or there are no files */
	char *fingerprint;               /* computed at its first use, under the lock; NULL: not yet */

	pthread_mutex_t lock;
	bool measured;
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST];
};

/*
 * Makes a root set without images; NULL with bl_error.  The caller sets the other fields; if one of them cannot be set,
 * it calls bl_dataset_unref.
 */
bl_dataset *bl_dataset_make(const char *name, int64_t n, int channels, int height, int width);

/* Makes a root set whose images `ops` reads.  Their sizes may differ; height x width is the size in evaluation. */
bl_dataset *bl_dataset_make_source(const char *name, int64_t n, int channels, int height, int width, const bl_dataset_ops *ops);

/* Allocates d->memory for all images and points d->pixels at it. */
int bl_dataset_room(bl_dataset *d);

/* Are images read on demand?  Then their sizes may differ. */
bool bl_dataset_reads(const bl_dataset *d);

/*
 * bl_dataset_open opens image i and sets o's size.  Negative with bl_error; after a failure, nothing has to be closed.
 * bl_dataset_read reads at least the window w, or the whole image if w is NULL.  The pixels stay valid until the thread
 * opens its next image, even after bl_dataset_close.
 */
int bl_dataset_open(const bl_dataset *d, int64_t i, bl_opened *o);
int bl_dataset_read(bl_opened *o, const bl_window *w, bl_image *out);
void bl_dataset_close(bl_opened *o);

/* Returns the root set of d.  *i is a row of d, and becomes the row of the same image in the root set. */
const bl_dataset *bl_dataset_root(const bl_dataset *d, int64_t *i);

/* Records the k-th path of a root set; k as in bl_dataset_origin. */
int bl_dataset_set_origin(bl_dataset *d, int k, const char *path);
/* Records a file that contains images or labels.  The fingerprint covers these files in the order of the calls. */
int bl_dataset_add_archive(bl_dataset *d, const char *path);

/* Replaces the set's name by a copy of `name`. */
int bl_dataset_rename(bl_dataset *d, const char *name);

/*
 * The failure with the lowest row among several threads.  It has a copy of the message because each thread has its own
 * bl_error.
 */
typedef struct bl_first_failure {
	pthread_mutex_t lock;
	int64_t row; /* INT64_MAX: nothing failed */
	char message[1024];
} bl_first_failure;
void bl_first_failure_init(bl_first_failure *f);
void bl_first_failure_note(bl_first_failure *f, int64_t row); /* with this thread's bl_error() */
/* Returns 0, or negative with bl_error, the message of the lowest row.  After this call, f must not be used. */
int bl_first_failure_end(bl_first_failure *f);

/* Fails, naming the row and the length, unless 0 <= row < length. */
int bl_dataset_check_row(const bl_dataset *d, int64_t row);

#endif
