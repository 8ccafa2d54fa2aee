/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cache.h: caches of decoded images: in memory, where an image is stored at its first use, or in a file in the user's
 * cache folder, which contains all images.
 *
 * A cache stores each image whole, as bytes, and reduced so that its shorter side is 8/7 of the set's size; a smaller
 * image keeps its size.  Views are cropped from this copy.
 */
#ifndef BARLOW_DATA_CACHE_H
#define BARLOW_DATA_CACHE_H

#include "data/dataset.h"
#include "data/decode.h"

typedef enum bl_cache_kind { BL_CACHE_NONE, BL_CACHE_MEMORY, BL_CACHE_DISK } bl_cache_kind;

extern const char *const bl_cache_words[]; /* "none", "memory", "disk" */
#define BL_CACHE_HELP \
	"\"memory\" stores each decoded image at its first use, \"disk\" stores all in a file that all runs share; images are " \
	"reduced so that the shorter side is 8/7 of 'size', and views are cropped from them"

/*
 * Adds a cache to a root set that is complete otherwise; `options` describes the wanted pixels.  With BL_CACHE_DISK, opens
 * the cache file or writes it, which reads all images.  Negative with bl_error.
 */
int bl_cache_begin(bl_dataset *root, bl_cache_kind kind, const bl_decode_options *options);
void bl_cache_free(bl_cache *c); /* c may be NULL */
/*
 * Opens image o->row of o->root from the cache: sets the size, and o->at_hand, which is valid until the thread opens
 * its next image.  Negative with bl_error.
 */
int bl_cache_open(bl_opened *o);

/* --- decoding for a cache (cache_decode.c) --- */

/* Computes the size at which a cache stores an image of h x w that belongs to a set of height x width. */
void bl_cache_size(int h, int w, int height, int width, int *kept_h, int *kept_w);
/*
 * Decodes an image of the root set at its stored size h x w into `out`, h x w x channels bytes.  Negative with
 * bl_error.
 */
int bl_cache_decode(const bl_dataset *root, int64_t row, int h, int w, uint8_t *out);

/* --- the file (cache_file.c) --- */

typedef struct bl_cache_file bl_cache_file;

/* Opens the cache file of that key, or writes a new one with all images.  NULL with bl_error. */
bl_cache_file *bl_cache_file_open(const bl_dataset *root, const char *key);
void bl_cache_file_close(bl_cache_file *f);
void bl_cache_file_size(const bl_cache_file *f, int64_t row, int *h, int *w);
/*
 * Reads an image, whose size bl_cache_file_size returns, into `out`.  Negative with bl_error if the file was truncated
 * or changed.
 */
int bl_cache_file_read(const bl_cache_file *f, int64_t row, uint8_t *out);

#endif
