/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prompt_history.c: the prompt's history file, which only the user can read.  If neither XDG_STATE_HOME nor HOME is an
 * absolute path, there is no file.
 *
 * In the file, each entry, which may have several lines, follows a line with "#" and the seconds since 1970.  Sessions only
 * append entries.  Of equal entries, only the last is used; when the file is long, it is rewritten without the earlier ones.
 */
#include "cli/prompt.h"

#include <errno.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <readline/history.h>

enum { ENTRIES_MOST = 5000 };

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

/* Is it an older file without times, in which each line is an entry? */
static bool lacks_times(void)
{
	FILE *f = fopen(path, "r");
	int first = f ? getc(f) : EOF, second = f ? getc(f) : EOF;
	if (f)
		fclose(f);
	return first != EOF && (first != '#' || !isdigit(second));
}

static void free_entry(HIST_ENTRY *e)
{
	if (e)
		free_history_entry(e);
}

/* Gives an entry without a time the present time. */
static void stamp(HIST_ENTRY *e)
{
	if (e && (!e->timestamp || !*e->timestamp)) {
		char text[32];
		snprintf(text, sizeof text, "#%lld", (long long)time(NULL));
		free(e->timestamp);
		e->timestamp = strdup(text);
	}
}

typedef struct place {
	HIST_ENTRY *entry;
	int at;
} place;

static int compare_places(const void *a, const void *b)
{
	const place *p = a, *q = b;
	int by_text = strcmp(p->entry->line, q->entry->line);
	return by_text ? by_text : (p->at > q->at) - (p->at < q->at);
}

/* Removes all but the last of equal entries. */
static void remove_duplicates(void)
{
	HISTORY_STATE *s = history_get_history_state();
	place *sorted = s && s->length ? malloc(sizeof *sorted * (size_t)s->length) : NULL;
	if (sorted) {
		int n = s->length, kept = 0;
		for (int i = 0; i < n; i++)
			sorted[i] = (place){ s->entries[i], i };
		qsort(sorted, (size_t)n, sizeof *sorted, compare_places);
		for (int i = 0; i + 1 < n; i++)
			if (strcmp(sorted[i].entry->line, sorted[i + 1].entry->line) == 0) {
				s->entries[sorted[i].at] = NULL;
				free_entry(sorted[i].entry);
				sorted[i].entry = sorted[i + 1].entry; /* so that the freed entry is not compared again */
			}
		for (int i = 0; i < n; i++)
			if (s->entries[i])
				s->entries[kept++] = s->entries[i];
		s->entries[kept] = NULL;
		s->length = s->offset = kept;
		history_set_history_state(s);
	}
	free(sorted);
	free(s);
}

/* Removes the entries before entry `last` (counted from 0) that are equal to it. */
static void remove_equal(int last)
{
	HIST_ENTRY **all = history_list();
	for (int i = last - 1; i >= 0; i--)
		if (strcmp(all[i]->line, all[last]->line) == 0) {
			free_entry(remove_history(i));
			last--;
			all = history_list();
		}
}

/* Replaces the file atomically, so that another session that does so at the same time cannot damage it. */
static void rewrite_file(void)
{
	char scratch[PATH_MAX + 16];
	snprintf(scratch, sizeof scratch, "%s.%ld", path, (long)getpid());
	mode_t mask = umask(077);
	if (write_history(scratch) == 0)
		rename(scratch, path);
	umask(mask);
	unlink(scratch);
}

void bl_history_load(void)
{
	using_history();
	history_comment_char = '#';
	history_write_timestamps = 1;
	mode_t mask = umask(077);
	FILE *f = find_path() == 0 && make_folders(path) == 0 ? fopen(path, "a") : NULL;
	umask(mask);
	if (!f) {
		path[0] = 0;
		stifle_history(ENTRIES_MOST);
		return;
	}
	fclose(f);
	chmod(path, 0600);
	bool older = lacks_times();
	read_history(path);
	int read = history_length;
	for (int i = 0; i < history_length; i++)
		stamp(history_list()[i]);
	remove_duplicates();
	stifle_history(ENTRIES_MOST);
	if (older || read > 2 * ENTRIES_MOST)
		rewrite_file();
}

int bl_history_list(lua_State *L)
{
	HIST_ENTRY **all = history_list();
	lua_newtable(L);
	for (int i = 0; all && all[i]; i++) {
		lua_createtable(L, 0, 2);
		lua_pushstring(L, all[i]->line);
		lua_setfield(L, -2, "text");
		if (all[i]->timestamp && all[i]->timestamp[0] == '#') {
			lua_pushinteger(L, atoll(all[i]->timestamp + 1));
			lua_setfield(L, -2, "time");
		}
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

void bl_history_add(const char *line)
{
	HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
	if (!*line || (last && strcmp(last->line, line) == 0))
		return;
	add_history(line);
	stamp(history_list()[history_length - 1]);
	remove_equal(history_length - 1);
	if (*path && append_history(1, path) == 0)
		return;
	path[0] = 0; /* the folder was removed: continue without a history file */
}
