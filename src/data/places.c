/* SPDX-License-Identifier: GPL-3.0-or-later */
/* places.c: searches a few folders for the files of a data set. */
#include "data/places.h"

#include <barlow/error.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOTS = 3 };

typedef struct search {
	const bl_place_of *set;
	const char *const *files;
	bl_found *out;
	char looked[1024]; /* the folders that were searched, for the message */
} search;

static bool find_file(const char *folder, const char *file, char path[BL_PLACE_PATH])
{
	static const char *const ends[] = { "", ".gz" };
	for (int i = 0; i < 2; i++)
		if (snprintf(path, BL_PLACE_PATH, "%s/%s%s", folder, file, ends[i]) < BL_PLACE_PATH && access(path, F_OK) == 0)
			return true;
	return false;
}

/* Are all files of the set in root/folder (or in root if folder is "")?  Stores their paths in s->out. */
static bool try_folder(search *s, const char *root, const char *folder)
{
	char *path = s->out->folder;
	size_t at = strlen(s->looked);
	if (snprintf(path, BL_PLACE_PATH, "%s%s%s", root, *folder ? "/" : "", folder) >= BL_PLACE_PATH)
		return false;
	snprintf(s->looked + at, sizeof s->looked - at, "%s%s", at ? ", " : "", path);
	for (int i = 0; s->files[i]; i++)
		if (!find_file(path, s->files[i], s->out->file[i]))
			return false;
	return true;
}

static bool try_root(search *s, const char *root)
{
	for (const char *const *folder = s->set->folders; *folder; folder++)
		if (try_folder(s, root, *folder))
			return true;
	return false;
}

static int make_roots(char roots[ROOTS][BL_PLACE_PATH])
{
	const char *data = getenv("BARLOW_DATA"), *share = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	int n = 0;
	if (data && *data)
		n += snprintf(roots[n], BL_PLACE_PATH, "%s", data) < BL_PLACE_PATH;
	if (share && *share == '/')
		n += snprintf(roots[n], BL_PLACE_PATH, "%s/datasets", share) < BL_PLACE_PATH;
	else if (home && *home == '/')
		n += snprintf(roots[n], BL_PLACE_PATH, "%s/.local/share/datasets", home) < BL_PLACE_PATH;
	snprintf(roots[n++], BL_PLACE_PATH, "/usr/share/datasets");
	return n;
}

int bl_places_find(const bl_place_of *set, const char *folder, const char *const *files, bl_found *out)
{
	search s = { .set = set, .files = files, .out = out };
	char roots[ROOTS][BL_PLACE_PATH];
	int n = folder ? 0 : make_roots(roots);
	if (folder && (try_folder(&s, folder, "") || try_root(&s, folder)))
		return 0;
	for (int i = 0; i < n; i++)
		if (try_root(&s, roots[i]))
			return 0;
	return bl_fail("%s: no %s (or %s.gz) in %s; %s", set->title, files[0], files[0], s.looked, set->how);
}

int bl_places_have(const bl_place_of *set, const char *file, char *path, size_t size)
{
	bl_found *found = malloc(sizeof *found);
	if (!found)
		return bl_fail("%s: no memory", set->title);
	int rc = bl_places_find(set, NULL, (const char *const[]){ file, NULL }, found);
	if (rc == 0)
		snprintf(path, size, "%s", found->folder);
	free(found);
	return rc;
}
