/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listing.h: lists the files of a folder and of its subfolders in a fixed order. */
#ifndef BARLOW_DATA_LISTING_H
#define BARLOW_DATA_LISTING_H

#include <stddef.h>
#include <stdint.h>

enum { BL_PATH_SIZE = 4096 };

/* A list of names, stored one behind the other with their terminating zeros. */
typedef struct bl_names {
	char *text;
	size_t used, room;
	size_t *at;        /* offset of each name in text */
	int64_t n, places; /* names; elements allocated for `at` */
} bl_names;

/* Paths are relative to the folder: "cat/1.jpg". */
typedef struct bl_listing {
	bl_names images, others; /* others: files whose names are not of images, at most BL_OTHERS_MOST */
	int64_t n_others;        /* number of all such files */
	bl_names lost;           /* "cat/1.jpg: why": broken or circular links, and pipes and the like; at most BL_OTHERS_MOST */
	int64_t n_lost;
	char empty[256]; /* name of a folder directly below the listed one that contains no images; "": there is none */
} bl_listing;

enum { BL_OTHERS_MOST = 10000 };

/*
 * Lists the files whose names end in one of `endings` ("jpg png"; NULL: the endings of all image formats), in upper or
 * lower case, and all other files.  They are sorted as in torchvision: by the folder directly below `folder`, then by
 * the folder that contains the file, then by name.  Links are followed, except links back to a folder that contains
 * them.  Names that begin with a dot are skipped.  Negative with bl_error if a folder cannot be read; the caller calls
 * bl_listing_free in this case, too.
 */
int bl_listing_read(bl_listing *l, const char *folder, const char *endings);
void bl_listing_free(bl_listing *l);

int bl_names_add(bl_names *l, const char *name); /* an empty list is all zeros; negative with bl_error */
void bl_names_free(bl_names *l);
const char *bl_names_get(const bl_names *l, int64_t i);
/* Returns the length of the first folder's name in the path; 0: the file is directly in the listed folder. */
size_t bl_listing_class_length(const char *path);

#endif
