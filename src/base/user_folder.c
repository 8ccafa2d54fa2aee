/* SPDX-License-Identifier: GPL-3.0-or-later */
/* user_folder.c: the user's folders for data, caches and settings. */
#include <barlow/error.h>
#include <barlow/file.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *bl_file_user_folder(const char *variable, const char *below)
{
	const char *given = getenv(variable), *home = getenv("HOME");
	bool set = given && *given == '/';
	if (!set && !(home && *home == '/'))
		return bl_fail_null("neither %s nor HOME is an absolute path", variable);
	const char *root = set ? given : home;
	size_t n = strlen(root) + strlen(below) + sizeof "//barlow";
	char *path = malloc(n);
	if (!path)
		return bl_fail_null("no memory for a folder's name");
	snprintf(path, n, "%s%s%s/barlow", root, set ? "" : "/", set ? "" : below);
	return path;
}
