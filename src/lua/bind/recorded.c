/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recorded.c: opens the data sets of recipes, which are recorded by absolute path and fingerprint.
 *
 * Moved files are searched for below the folder of --data or BARLOW_DATA: for a set that was recorded as /a/b/c, FOLDER/c,
 * FOLDER, FOLDER/b/c and FOLDER/a/b/c are tried.  The first set with the recorded fingerprint is used.
 */
#include "lua/bind/face.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_PATH = 4096, MOST_PARTS = 64, MESSAGE = 1024 };

/* Returns whether the path exists or, for a pattern of names ("shard-{00..11}.tar"), whether its folder does. */
static bool is_there(const char *path)
{
	char folder[MOST_PATH];
	const char *brace = strchr(path, '{');
	if (!brace)
		return access(path, F_OK) == 0;
	while (brace > path && *brace != '/')
		brace--;
	snprintf(folder, sizeof folder, "%.*s", (int)(brace - path), path);
	return access(folder, F_OK) == 0;
}

/* Appends the last `parts` components of `recorded` to root.  False: `recorded` has fewer, or `out` does not exist. */
static bool moved_path(char out[MOST_PATH], const char *root, const char *recorded, int parts)
{
	const char *at = recorded + strlen(recorded);
	for (int k = 0; k < parts; k++)
		do
			if (at-- == recorded)
				return false;
		while (*at != '/');
	int n = snprintf(out, MOST_PATH, "%s%s", root, at);
	return n > 0 && n < MOST_PATH && is_there(out);
}

static bl_dataset *open_checked(const bl_recorded *r, const char *first, const char *second)
{
	bl_dataset *d = r->open(r->ctx, first, second);
	if (d && bl_dataset_check_fingerprint(d, r->fingerprint) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

/* Returns the set below root, or NULL; then `why` is the error of the first path that exists, or "". */
static bl_dataset *open_moved(const bl_recorded *r, const char *root, char why[MESSAGE])
{
	char first[MOST_PATH], second[MOST_PATH];
	for (int turn = 0; turn < MOST_PARTS; turn++) {
		int parts = turn < 2 ? 1 - turn : turn;
		if (!moved_path(first, root, r->first, parts) ||
		    (r->second && (parts == 0 || !moved_path(second, root, r->second, parts))))
			continue;
		bl_dataset *d = open_checked(r, first, r->second ? second : NULL);
		if (d)
			return d;
		if (!*why)
			snprintf(why, MESSAGE, "%s", bl_error());
	}
	return NULL;
}

static const char *given_root; /* the path of a command's --data; NULL: none was given */

int bl_lua_set_data_path(const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return bl_fail("--data %s: there is no such file or folder", path);
	given_root = path;
	return 0;
}

static bool given_used;
static char given_why[MESSAGE]; /* the first reason why a data set below given_root was refused */

int bl_lua_data_found(lua_State *L)
{
	if (given_root && !given_used)
		return luaL_error(L, "--data %s: none of the run's images are there%s%s", given_root, *given_why ? ": " : "",
		                  given_why);
	return 0;
}

bl_dataset *bl_lua_open_recorded(const bl_recorded *r)
{
	const char *root = given_root ? given_root : getenv(BL_DATA_VARIABLE);
	bool moved = root && *root;
	char why[MESSAGE] = "";
	if (!r->fingerprint)
		return r->open(r->ctx, r->first, r->second);
	bl_dataset *d = moved ? open_moved(r, root, why) : NULL;
	given_used |= d != NULL;
	if (*why && !*given_why)
		snprintf(given_why, sizeof given_why, "%s", why);
	if (!d)
		d = open_checked(r, r->first, r->second);
	if (d)
		return d;
	if (*why)
		return bl_fail_null("%s", why);
	if (moved)
		return bl_fail_null("%s; it was not found below %s either (%s)", bl_error(), root,
		                    given_root ? "--data" : BL_DATA_VARIABLE);
	return bl_fail_null(
		"%s; if the files were moved, give their folder by --data PATH of barlow resume, fork and tune, or by " BL_DATA_VARIABLE
		" in the environment",
		bl_error());
}
