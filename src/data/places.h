/* SPDX-License-Identifier: GPL-3.0-or-later */
/* places.h: where the files of well-known data sets lie. */
#ifndef BARLOW_DATA_PLACES_H
#define BARLOW_DATA_PLACES_H

#include <stddef.h>

enum { BL_PLACE_PATH = 4096, BL_PLACE_FILES = 8 };

/*
 * A set's files.  They lie in the folder that the user names, or in one of `folders` in it; without a name, in one of
 * `folders` in $BARLOW_DATA, in datasets of the user's data folder ($XDG_DATA_HOME or ~/.local/share), or in
 * /usr/share/datasets.  A file may also be there with .gz behind its name.
 */
typedef struct bl_place_of {
	const char *title;          /* "MNIST" */
	const char *const *folders; /* as it is unpacked by others; ended by NULL */
	const char *how;            /* how to get it: a sentence's end */
} bl_place_of;

typedef struct bl_found {
	char folder[BL_PLACE_PATH];
	char file[BL_PLACE_FILES][BL_PLACE_PATH];
} bl_found;

/* All of `files` (at most BL_PLACE_FILES, ended by NULL).  Negative: bl_error says where they were looked for, and how to get them. */
int bl_places_find(const bl_place_of *set, const char *folder, const char *const *files, bl_found *out);
/* For data.list(): the folder in which `file` is found without the user's naming one.  Negative as above. */
int bl_places_have(const bl_place_of *set, const char *file, char *path, size_t size);

#endif
