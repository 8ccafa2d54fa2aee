/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache_folder.c: the folder of files that can be generated again. */
#include "store/cache_folder.h"

#include <barlow/error.h>
#include <barlow/runs.h>

#include <stdlib.h>

/* XDG base directory specification: a path that is not absolute is ignored. */
char *bl_cache_folder(const char *what)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (cache && *cache == '/')
		return bl_runs_path(cache, "barlow");
	if (home && *home == '/')
		return bl_runs_path(home, ".cache/barlow");
	return bl_fail_null("no folder for %s: neither XDG_CACHE_HOME nor HOME is an absolute path", what);
}
