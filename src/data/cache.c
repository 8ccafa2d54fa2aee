/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache.c: caches decoded images in memory or in a file. */
#include "data/cache.h"
#include "augment/window.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

const char *const bl_cache_words[] = { "none", "memory", "disk", NULL };

typedef struct kept {
	int height, width;
	uint8_t pixels[];
} kept;

struct bl_cache {
	int64_t n;
	_Atomic(kept *) *image; /* in memory; NULL: not used yet */
	bl_cache_file *file;
};

/* --- in memory --- */

static int size_of(const bl_dataset *root, int64_t row, int *h, int *w)
{
	bl_opened o = { .root = root, .row = row, .channels = root->channels, .type = BL_PIXEL_UINT8 };
	if (root->ops->open(&o) < 0)
		return -1;
	bl_cache_size(o.height, o.width, root->height, root->width, h, w);
	if (root->ops->close)
		root->ops->close(&o);
	return 0;
}

static kept *decode(const bl_dataset *root, int64_t row)
{
	int h, w;
	if (size_of(root, row, &h, &w) < 0)
		return NULL;
	kept *k = malloc(sizeof *k + (size_t)h * (size_t)w * (size_t)root->channels);
	if (!k)
		return bl_fail_null("%s: no memory to keep image %" PRId64 " of %d x %d", root->name, row + 1, h, w);
	*k = (kept){ h, w };
	if (bl_cache_decode(root, row, h, w, k->pixels) == 0)
		return k;
	free(k);
	return NULL;
}

/* If two threads decode the same image, the cache stores the result of the thread that finishes first. */
static int open_in_memory(bl_opened *o, bl_cache *c)
{
	kept *k = atomic_load(&c->image[o->row]), *none = NULL;
	if (!k) {
		if (!(k = decode(o->root, o->row)))
			return -1;
		if (!atomic_compare_exchange_strong(&c->image[o->row], &none, k)) {
			free(k);
			k = none;
		}
	}
	o->height = k->height;
	o->width = k->width;
	o->at_hand = k->pixels;
	return 0;
}

static int open_in_file(bl_opened *o, const bl_cache *c)
{
	bl_cache_file_size(c->file, o->row, &o->height, &o->width);
	uint8_t *pixels = bl_scratch(SLOT_FILE, (size_t)o->height * (size_t)o->width * (size_t)o->channels);
	if (!pixels || bl_cache_file_read(c->file, o->row, pixels) < 0)
		return -1;
	o->at_hand = pixels;
	return 0;
}

int bl_cache_open(bl_opened *o)
{
	bl_cache *c = o->root->cache;
	return c->file ? open_in_file(o, c) : open_in_memory(o, c);
}

/* --- creation and release --- */

void bl_cache_free(bl_cache *c)
{
	if (!c)
		return;
	for (int64_t i = 0; c->image && i < c->n; i++)
		free(atomic_load(&c->image[i]));
	free(c->image);
	bl_cache_file_close(c->file);
	free(c);
}

/* Adds size and modification time of every file to *crc, because the fingerprint covers the content of a few files only. */
static int hash_files(const bl_dataset *root, uLong *crc)
{
	char text[96];
	struct stat st;
	for (int64_t i = 0; i < root->n; i++) {
		char *path = (root->ops->holder ? root->ops->holder : root->ops->path)(root, i);
		int rc = path ? stat(path, &st) : -1;
		if (rc < 0)
			bl_fail("%s: its size and modification time cannot be read", path ? path : root->name);
		free(path);
		if (rc < 0)
			return -1;
		int n = snprintf(text, sizeof text, "%" PRId64 " %" PRId64 ".%09ld\n", (int64_t)st.st_size,
		                 (int64_t)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
		*crc = crc32_z(*crc, (const Bytef *)text, (size_t)n);
	}
	return 0;
}

/* Writes the key of a cache file: everything that the decoded pixels depend on. */
static int put_key(bl_dataset *root, const bl_decode_options *w, char *key, size_t size)
{
	const char *fingerprint = bl_dataset_fingerprint(root);
	uLong files = crc32(0, NULL, 0);
	if (!fingerprint || hash_files(root, &files) < 0)
		return -1;
	snprintf(key, size, "%s\n%s\nfiles %08lx, %d x %d, %d channels, full %d, turned %d, over %d %d %d %d\n",
	         bl_dataset_origin(root, 0), fingerprint, files, root->height, root->width, w->channels, w->full_scale, w->orient,
	         w->over, w->ground[0], w->ground[1], w->ground[2]);
	return 0;
}

int bl_cache_begin(bl_dataset *root, bl_cache_kind kind, const bl_decode_options *options)
{
	char key[8192];
	if (kind == BL_CACHE_NONE)
		return 0;
	bl_cache *c = calloc(1, sizeof *c);
	if (!c)
		return bl_fail("%s: no memory for a cache", root->name);
	c->n = root->n;
	int rc = 0;
	if (kind == BL_CACHE_DISK)
		rc = put_key(root, options, key, sizeof key) == 0 && (c->file = bl_cache_file_open(root, key)) != NULL ? 0 : -1;
	else if (!(c->image = calloc((size_t)c->n, sizeof *c->image)))
		rc = bl_fail("%s: no memory to keep %" PRId64 " images", root->name, c->n);
	if (rc < 0)
		bl_cache_free(c);
	else
		root->cache = c;
	return rc;
}
