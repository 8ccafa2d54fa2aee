/* SPDX-License-Identifier: GPL-3.0-or-later */
/* places.h: finds the files of well-known data sets. */
#ifndef BARLOW_DATA_PLACES_H
#define BARLOW_DATA_PLACES_H

#include <stddef.h>

enum { BL_PLACE_PATH = 4096, BL_PLACE_FILES = 8 };

/*
 * A set and where its files are searched for: in the folder that the user names, and in `folders` below it.  If the
 * user names none: in `folders` below $BARLOW_DATA, below the folder datasets in the user's data folder ($XDG_DATA_HOME
 * or ~/.local/share), and below /usr/share/datasets.  The name of each file may end in .gz.
 */
typedef struct bl_place_of {
	const char *title;          /* "MNIST" */
	const char *const *folders; /* usual folder names of the set; ended by NULL */
	const char *how;            /* how to get the files: the end of the message */
} bl_place_of;

typedef struct bl_found {
	char folder[BL_PLACE_PATH];
	char file[BL_PLACE_FILES][BL_PLACE_PATH];
} bl_found;

/*
 * Finds all of `files` (at most BL_PLACE_FILES, ended by NULL).  Negative with bl_error, which states where they were
 * searched for and how to get them.
 */
int bl_places_find(const bl_place_of *set, const char *folder, const char *const *files, bl_found *out);
/*
 * For data.list(): writes the path of the folder in which `file` is found if the user names no folder.  Negative with
 * bl_error, as bl_places_find.
 */
int bl_places_have(const bl_place_of *set, const char *file, char *path, size_t size);

#endif
