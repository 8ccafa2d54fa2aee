/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listing.h: the image files of a folder and all below it, in a fixed order. */
#ifndef DATA_LISTING_H
#define DATA_LISTING_H

#include <stddef.h>
#include <stdint.h>

enum { BL_PATH_SIZE = 4096 };

/* Paths are relative to the folder: "cat/1.jpg". */
typedef struct bl_listing {
	char *text; /* all of them, each with its zero */
	size_t used, room;
	size_t *at; /* where in text each begins, in order */
	int64_t n, places;
	int64_t others; /* files that are no images by their name, ... */
	char other[256]; /* ... and one of them */
	char empty[256]; /* a folder directly below it without images in it; "": there is none */
} bl_listing;

/*
 * Files whose name ends in .jpg, .jpeg or .png, in whatever case, sorted by the
 * folder directly below `folder`, then by the folder they are in, then by name,
 * as torchvision does.  Names that begin with a dot are passed over.  Fails for
 * a folder that cannot be read.
 */
int bl_listing_read(bl_listing *l, const char *folder);
void bl_listing_free(bl_listing *l);

const char *bl_listing_path(const bl_listing *l, int64_t i);
/* Length of the first part of the path, 0: the file lies in the folder itself. */
size_t bl_listing_class_length(const char *path);

#endif
