/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dataset.h: what a dataset is made of, for the files that make one. */
#ifndef BARLOW_DATA_DATASET_H
#define BARLOW_DATA_DATASET_H

#include <barlow/data.h>

#include <pthread.h>
#include <stdatomic.h>

typedef struct bl_cache bl_cache; /* cache.h */

enum { BL_OPENED_BYTES = 1536, BL_ARCHIVES_MOST = 16 };

/*
 * An image that is open: its size is known, its pixels are not read yet.  It
 * stays where it is until it is closed, and a thread has one open at a time.
 */
typedef struct bl_opened {
	int height, width, channels;
	bl_pixel_type type;
	const bl_dataset *root;
	int64_t row;                                       /* in root */
	const uint8_t *at_hand;                            /* all of it, from the root's cache; NULL: it is read */
	_Alignas(16) unsigned char state[BL_OPENED_BYTES]; /* the set's own */
} bl_opened;

/* How a root set gives its images: open, read once, close. */
typedef struct bl_dataset_ops {
	/* Fills in the size of image o->row.  When it fails there is nothing to close. */
	int (*open)(bl_opened *o);
	/*
	 * At least the window at no less than its scale; all of the image will do.
	 * The pixels are good until the thread opens its next image.
	 */
	int (*read)(bl_opened *o, const bl_window *w, bl_image *out);
	void (*close)(bl_opened *o);                      /* NULL: there is nothing to close */
	char *(*path)(const bl_dataset *root, int64_t i); /* of its file, to be freed; NULL: no files */
	/* The same below the set's folder; borrowed.  NULL: no file an image. */
	const char *(*file_name)(const bl_dataset *root, int64_t i);
	/* The file that image i is in, to be freed; NULL: it is a file of its own, at `path`. */
	char *(*holder)(const bl_dataset *root, int64_t i);
	void (*clear)(bl_dataset *root); /* frees d->source; NULL: there is none */
} bl_dataset_ops;

/*
 * A root set owns its images; a subset has rows into its root and nothing of
 * its own.  Nothing changes after it is made, but for the statistics, which
 * are worked out under the lock when first asked for.
 */
struct bl_dataset {
	atomic_int refs;
	char *name;
	int64_t n;
	int channels, height, width;    /* where images have sizes of their own: the size that evaluation sees */
	int classes;                    /* 0: no labels */
	const char *const *class_names; /* static or part of the source, one a class, or NULL */
	int first_class;                /* what class 0 is called without a name: 1 where labels are the caller's, who counts
	                                   them from 1; else 0, the number that files have */

	const bl_dataset_ops *ops;
	bool reads;             /* images are read when asked for */
	bool vectors;           /* they are vectors: one row, one channel, any values */
	struct bl_cache *cache; /* NULL: images are read whenever they are asked for */
	bool pil;               /* evaluation resizes them as PIL does */
	void *source;           /* theirs */
	uint8_t *memory;        /* what to free, with ... */
	const uint8_t *pixels;  /* ... the images of n * (H,W,C) somewhere in it */
	float *values;          /* or these, to be freed: images of float32 */
	int32_t *labels;

	const char *const *factor_names; /* static, NULL-terminated, or NULL */
	int factor_count;
	float *factors; /* (n, factor_count) */

	bl_dataset *root; /* of a subset, or NULL */
	int64_t *rows;    /* in root */

	char *origin[2]; /* of a root set: absolute paths, as its kind names them (bl_data_kind.paths); NULL: none */
	char *archive[BL_ARCHIVES_MOST]; /* absolute paths of the files that hold its images and labels, ... */
	int archives;                    /* ... so many; 0: a file an image, or none */
	char *fingerprint;               /* under the lock, worked out when first asked for */

	pthread_mutex_t lock;
	bool measured;
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST];
};

/* New root set without images yet; the caller fills the rest in and gives up with bl_dataset_unref. */
bl_dataset *bl_dataset_make(const char *name, int64_t n, int channels, int height, int width);

/* The same for images with sizes of their own, which `ops` reads; evaluation sees them at height x width. */
bl_dataset *bl_dataset_make_source(const char *name, int64_t n, int channels, int height, int width, const bl_dataset_ops *ops);

/* Allocates d->memory for all images and points d->pixels at it. */
int bl_dataset_room(bl_dataset *d);

/* Are images read when asked for, and may have sizes of their own? */
bool bl_dataset_reads(const bl_dataset *d);

/*
 * Opens image i: o has its size then.  0, or negative with nothing to close.
 * What bl_dataset_read gives, all of the image (w NULL) or at least a part of
 * it, is good until the thread opens its next image, also when o is closed.
 */
int bl_dataset_open(const bl_dataset *d, int64_t i, bl_opened *o);
int bl_dataset_read(bl_opened *o, const bl_window *w, bl_image *out);
void bl_dataset_close(bl_opened *o);

/* Where the numbers of row i are: the root set, and *i becomes the row there. */
const bl_dataset *bl_dataset_root(const bl_dataset *d, int64_t *i);

/* Notes where a root set comes from, k as in bl_dataset_origin. */
int bl_dataset_set_origin(bl_dataset *d, int k, const char *path);
/* Notes a file that holds images or labels, in a fixed order: its content is part of the fingerprint. */
int bl_dataset_add_archive(bl_dataset *d, const char *path);

/* Another name. */
int bl_dataset_rename(bl_dataset *d, const char *name);

/* What failed first, by row, where several threads work: messages are each thread's own. */
typedef struct bl_first_failure {
	pthread_mutex_t lock;
	int64_t row; /* INT64_MAX: nothing did */
	char message[1024];
} bl_first_failure;
void bl_first_failure_init(bl_first_failure *f);
void bl_first_failure_note(bl_first_failure *f, int64_t row); /* bl_error() is why */
/* 0, or negative with the message of the lowest row.  Ends f. */
int bl_first_failure_end(bl_first_failure *f);

/* Fails, naming the row and the length, unless 0 <= row < length. */
int bl_dataset_check_row(const bl_dataset *d, int64_t row);

#endif
