/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dataset.h: what a dataset is made of, for the files that make one. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <barlow/data.h>

#include <pthread.h>
#include <stdatomic.h>

/*
 * A root set owns its images; a subset has rows into its root and nothing of
 * its own.  Nothing changes after it is made, but for the statistics, which
 * are worked out under the lock when first asked for.
 */
struct bl_dataset {
	atomic_int refs;
	char *name;
	int64_t n;
	int channels, height, width;
	int classes;                    /* 0: no labels */
	const char *const *class_names; /* static, one a class, or NULL */

	uint8_t *memory;       /* what to free, with ... */
	const uint8_t *pixels; /* ... the images of n * (H,W,C) somewhere in it */
	int32_t *labels;

	const char *const *factor_names; /* static, NULL-terminated, or NULL */
	int factor_count;
	float *factors; /* (n, factor_count) */

	bl_dataset *root; /* of a subset, or NULL */
	int64_t *rows;    /* in root */

	pthread_mutex_t lock;
	bool measured;
	float mean[4], std[4];
};

/* New root set without images yet; the caller fills the rest in and gives up with bl_dataset_unref. */
bl_dataset *bl_dataset_make(const char *name, int64_t n, int channels, int height, int width);

/* Allocates d->memory for all images and points d->pixels at it. */
int bl_dataset_room(bl_dataset *d);

/* Where the numbers of row i are: the root set, and *i becomes the row there. */
const bl_dataset *bl_dataset_root(const bl_dataset *d, int64_t *i);

/* Fails, naming the row and the length, unless 0 <= row < length. */
int bl_dataset_check_row(const bl_dataset *d, int64_t row);

#endif
