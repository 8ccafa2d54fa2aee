/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history.c: the prompt's history file.  Nobody else may read it; without a home there is none. */
#include "cli/prompt.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>

enum { LINES_KEPT = 5000 };

static char path[PATH_MAX]; /* "": no history file */

static int make_folders(char *file)
{
	for (char *slash = strchr(file + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		int failed = mkdir(file, 0700) < 0 && errno != EEXIST;
		*slash = '/';
		if (failed)
			return -1;
	}
	return 0;
}

static int find_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n = -1;
	if (state && *state == '/')
		n = snprintf(path, sizeof path, "%s/barlow/history", state);
	else if (home && *home == '/')
		n = snprintf(path, sizeof path, "%s/.local/state/barlow/history", home);
	return n > 0 && n < (int)sizeof path ? 0 : -1;
}

void bl_history_load(void)
{
	using_history();
	stifle_history(LINES_KEPT);
	mode_t mask = umask(077);
	FILE *f = find_path() == 0 && make_folders(path) == 0 ? fopen(path, "a") : NULL;
	umask(mask);
	if (!f) {
		path[0] = 0;
		return;
	}
	fclose(f);
	chmod(path, 0600);
	read_history(path);
}

void bl_history_add(const char *line)
{
	HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
	if (!*line || (last && strcmp(last->line, line) == 0))
		return;
	add_history(line);
	if (*path && append_history(1, path) == 0)
		return;
	path[0] = 0; /* a folder that went away: go on without */
}
