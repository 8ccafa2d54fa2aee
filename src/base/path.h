/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path.h (private): the parts of a path. */
#ifndef BARLOW_BASE_PATH_H
#define BARLOW_BASE_PATH_H

#include <string.h>

/* What follows the last slash; all of it where nothing does. */
static inline const char *bl_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

/* A new string: what stands before the last slash, "." where there is none; NULL where there is no memory. */
static inline char *bl_path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

#endif
