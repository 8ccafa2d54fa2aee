/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path.h (private): the parts of a path. */
#ifndef BARLOW_BASE_PATH_H
#define BARLOW_BASE_PATH_H

#include <string.h>

/* The part of a path after the last slash; the whole path if there is no slash or nothing after it. */
static inline const char *bl_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

/* The part of a path before the last slash, or "." if there is no slash, as a new string; NULL: no memory. */
static inline char *bl_path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

#endif
