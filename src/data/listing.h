/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listing.h: the files of a folder and all below it, in a fixed order. */
#ifndef BARLOW_DATA_LISTING_H
#define BARLOW_DATA_LISTING_H

#include <stddef.h>
#include <stdint.h>

enum { BL_PATH_SIZE = 4096 };

/* Names, each with its zero, one behind the other. */
typedef struct bl_names {
	char *text;
	size_t used, room;
	size_t *at; /* where in text each begins, in order */
	int64_t n, places;
} bl_names;

/* Paths are relative to the folder: "cat/1.jpg". */
typedef struct bl_listing {
	bl_names images, others; /* others: files that are no images by their name, of at most BL_OTHERS_MOST */
	int64_t n_others;        /* how many there are */
	bl_names lost;           /* "cat/1.jpg: why": links that lead nowhere or back, pipes; of at most BL_OTHERS_MOST */
	int64_t n_lost;
	char empty[256]; /* a folder directly below it without images in it; "": there is none */
} bl_listing;

enum { BL_OTHERS_MOST = 10000 };

/*
 * Files whose names end in one of `endings` ("jpg png"), NULL: as those of image files do, in whatever case, sorted by the
 * folder directly below `folder`, then by the folder they are in, then by name,
 * as torchvision does; and all other files.  Links are followed, but for those back to a folder that they are in.  Names
 * that begin with a dot are passed over.  Fails for a folder that cannot be read.
 */
int bl_listing_read(bl_listing *l, const char *folder, const char *endings);
void bl_listing_free(bl_listing *l);

int bl_names_add(bl_names *l, const char *name); /* begins with all zero */
void bl_names_free(bl_names *l);
const char *bl_names_get(const bl_names *l, int64_t i);
/* Length of the first part of the path, 0: the file lies in the folder itself. */
size_t bl_listing_class_length(const char *path);

#endif
