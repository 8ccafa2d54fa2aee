/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache_folder.c: where files lie that can be made again. */
#include "store/cache_folder.h"

#include <barlow/error.h>
#include <barlow/runs.h>

#include <stdlib.h>

/* As the XDG base directory specification has it: what is not absolute does not count. */
char *bl_cache_folder(const char *what)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (cache && *cache == '/')
		return bl_runs_path(cache, "barlow");
	if (home && *home == '/')
		return bl_runs_path(home, ".cache/barlow");
	return bl_fail_null("no place for %s: neither XDG_CACHE_HOME nor HOME is set", what);
}
