/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cache.h: decoded images at hand: in memory from their first use on, or all of them in a file of the user's cache folder.
 *
 * An image is kept as bytes, all of it, at a size that evaluation needs: as large as it is, or with its shorter side 8/7 of
 * the set's size.  Views are cut from that copy.
 */
#ifndef BARLOW_DATA_CACHE_H
#define BARLOW_DATA_CACHE_H

#include "data/dataset.h"
#include "data/decode.h"

typedef enum bl_cache_kind { BL_CACHE_NONE, BL_CACHE_MEMORY, BL_CACHE_DISK } bl_cache_kind;

extern const char *const bl_cache_words[]; /* "none", "memory", "disk" */
#define BL_CACHE_HELP \
	"\"memory\" keeps images decoded from their first use on, \"disk\" in a file that all runs share; they are made smaller, to 8/7 of " \
	"'size', and views are cut from that"

/* For the makers of root sets, when all else is done; `wish` is how pixels are wanted.  Negative with bl_error. */
int bl_cache_begin(bl_dataset *root, bl_cache_kind kind, const bl_wish *wish);
void bl_cache_free(bl_cache *c); /* NULL is fine */
/* Image o->row of o->root: its size, and o->at_hand, which is good until the thread opens its next image. */
int bl_cache_open(bl_opened *o);

/* --- an image as it is kept (cache_decode.c) --- */

/* The size at which an image of h x w is kept for a set of height x width. */
void bl_cache_size(int h, int w, int height, int width, int *kept_h, int *kept_w);
/* One image of the root set as it is kept, h x w x channels bytes of it in `out`. */
int bl_cache_decode(const bl_dataset *root, int64_t row, int h, int w, uint8_t *out);

/* --- the file (cache_file.c) --- */

typedef struct bl_cache_file bl_cache_file;

/* The file of that key, or a new one, in which all images are.  NULL with bl_error. */
bl_cache_file *bl_cache_file_open(const bl_dataset *root, const char *key);
void bl_cache_file_close(bl_cache_file *f);
void bl_cache_file_size(const bl_cache_file *f, int64_t row, int *h, int *w);
/* Fails where the file was cut off or changed. */
int bl_cache_file_read(const bl_cache_file *f, int64_t row, uint8_t *out);

#endif
