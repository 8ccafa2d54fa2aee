/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recorded.c: data sets in recipes: by absolute path, with a fingerprint.
 *
 * Moved files are searched for below BARLOW_DATA: a set recorded as /a/b/c in BARLOW_DATA/c, BARLOW_DATA,
 * BARLOW_DATA/b/c, BARLOW_DATA/a/b/c; the first with the right fingerprint is taken.
 */
#include "lua/bind/face.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_PATH = 4096, MOST_PARTS = 64, MESSAGE = 1024 };

/* Of a pattern of names, "shard-{00..11}.tar", its folder. */
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

/* root, with the last `parts` parts of the recorded path behind it.  False: it has fewer, or that is too long. */
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

/* why: of the first place where there was something. */
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

static const char *said_root; /* by a command's --data */

int bl_lua_data_lies(const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return bl_fail("--data %s: there is no such file or folder", path);
	said_root = path;
	return 0;
}

static bool said_used;
static char said_why[MESSAGE]; /* why something there is no set of the recipe's */

static void note_said(bool used, const char *why)
{
	said_used = said_used || used;
	if (*why && !*said_why)
		snprintf(said_why, sizeof said_why, "%s", why);
}

int bl_lua_data_found(lua_State *L)
{
	if (said_root && !said_used)
		return luaL_error(L, "--data %s: none of the run's images are there%s%s", said_root, *said_why ? ": " : "",
		                  said_why);
	return 0;
}

bl_dataset *bl_lua_open_recorded(const bl_recorded *r)
{
	const char *root = said_root ? said_root : getenv(BL_DATA_VARIABLE);
	bool moved = root && *root;
	char why[MESSAGE] = "";
	if (!r->fingerprint)
		return r->open(r->ctx, r->first, r->second);
	bl_dataset *d = moved ? open_moved(r, root, why) : NULL;
	note_said(d != NULL, why);
	if (!d)
		d = open_checked(r, r->first, r->second);
	if (d)
		return d;
	if (*why)
		return bl_fail_null("%s", why);
	if (moved)
		return bl_fail_null("%s; nor is it in %s, where %s says that data lie", bl_error(), root,
		                    said_root ? "--data" : BL_DATA_VARIABLE);
	return bl_fail_null("%s; where they were moved, --data PATH of barlow resume, fork and tune, or " BL_DATA_VARIABLE
	                    " in the environment, says where they are",
	                    bl_error());
}
