/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listing.c: walks through a folder and lists its files. */
#define _GNU_SOURCE /* qsort_r */
#include "data/decode.h"
#include "data/listing.h"

#include <barlow/error.h>

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A folder of the walk; `up` points to the folder that contains it.  Links to these folders are not followed. */
struct level {
	dev_t device;
	ino_t inode;
	const struct level *up;
};

struct walk {
	bl_listing *l;
	char path[BL_PATH_SIZE];
	const char *endings;
	size_t base; /* offset of the relative part of path */
	int64_t entries;
};

/*
 * After this number of entries that are no images, the walk fails, so that it does not take hours in a wrong folder
 * (such as the root of the file system).
 */
enum { OTHERS_MAX = 2000 * 1000 };

/* Allocates room for one more path of `size` bytes. */
static int make_room(bl_names *l, size_t size)
{
	if (l->used + size > l->room) {
		size_t room = 2 * (l->room + size);
		char *text = realloc(l->text, room);
		if (!text)
			return bl_fail("no memory for the names of files");
		l->text = text;
		l->room = room;
	}
	if (l->n == l->places) {
		int64_t places = l->places ? 2 * l->places : 1024;
		size_t *at = realloc(l->at, (size_t)places * sizeof *at);
		if (!at)
			return bl_fail("no memory for the names of files");
		l->at = at;
		l->places = places;
	}
	return 0;
}

int bl_names_add(bl_names *l, const char *name)
{
	size_t size = strlen(name) + 1;
	if (make_room(l, size) < 0)
		return -1;
	memcpy(l->text + l->used, name, size);
	l->at[l->n++] = l->used;
	l->used += size;
	return 0;
}

static int add_file(struct walk *w)
{
	const char *path = w->path + w->base;
	if (bl_decode_is_named(strrchr(w->path, '/') + 1, w->endings))
		return bl_names_add(&w->l->images, path);
	return w->l->n_others++ < BL_OTHERS_MOST ? bl_names_add(&w->l->others, path) : 0;
}

static int add_lost(struct walk *w, const char *why)
{
	char text[BL_PATH_SIZE + 64];
	snprintf(text, sizeof text, "%s: %s", w->path + w->base, why);
	return w->l->n_lost++ < BL_OTHERS_MOST ? bl_names_add(&w->l->lost, text) : 0;
}

typedef enum kind { FOLDER, REGULAR, OTHER, NOWHERE, CIRCLE } kind;

/*
 * Returns the kind of an entry; links are followed.  If stat fails for another reason than a broken or circular link,
 * the entry counts as a file, and reading it will fail.
 */
static kind kind_of(const char *path, unsigned char type, struct level *below)
{
	struct stat s;
	if (type == DT_REG)
		return REGULAR;
	if (stat(path, &s) < 0)
		return errno == ENOENT ? NOWHERE : errno == ELOOP ? CIRCLE : REGULAR;
	if (!S_ISDIR(s.st_mode))
		return S_ISREG(s.st_mode) ? REGULAR : OTHER;
	*below = (struct level){ .device = s.st_dev, .inode = s.st_ino };
	return FOLDER;
}

static bool is_within(const struct level *l, const struct level *ups)
{
	for (; ups; ups = ups->up)
		if (ups->device == l->device && ups->inode == l->inode)
			return true;
	return false;
}

static int walk_folder(struct walk *w, size_t length, const struct level *here);

static int visit_folder(struct walk *w, size_t length, const char *name, const struct level *here, const struct level *below)
{
	char *kept = w->l->empty;
	int64_t before = w->l->images.n;
	if (is_within(below, here))
		return add_lost(w, "a link to a folder that contains it");
	if (walk_folder(w, length, below) < 0)
		return -1;
	/*
	 * Of several empty folders the first by name is recorded, because the file system determines the order of the
	 * walk.
	 */
	if (!here->up && w->l->images.n == before && (!kept[0] || strcmp(name, kept) < 0))
		snprintf(kept, sizeof w->l->empty, "%.255s", name);
	return 0;
}

static int visit(struct walk *w, size_t length, const struct dirent *entry, const struct level *here)
{
	struct level below;
	size_t more = strlen(entry->d_name) + 1;
	if (entry->d_name[0] == '.')
		return 0;
	if (++w->entries - w->l->images.n > OTHERS_MAX)
		return bl_fail("%.*s: it contains more than %d files and folders that are not images", (int)w->base - 1, w->path,
		               OTHERS_MAX);
	if (length + more >= sizeof w->path)
		return bl_fail("%.200s...: a path of more than %zu bytes", w->path, sizeof w->path - 1);
	w->path[length] = '/';
	memcpy(w->path + length + 1, entry->d_name, more);
	switch (kind_of(w->path, entry->d_type, &below)) {
	case REGULAR: return add_file(w);
	case NOWHERE: return add_lost(w, "a broken link");
	case CIRCLE: return add_lost(w, "a circular link");
	case OTHER: return add_lost(w, "not a regular file");
	case FOLDER: break;
	}
	below.up = here;
	return visit_folder(w, length + more, entry->d_name, here, &below);
}

static int walk_folder(struct walk *w, size_t length, const struct level *here)
{
	DIR *d = opendir(w->path);
	int rc = 0;
	if (!d)
		return bl_fail("%s: %s", w->path, strerror(errno));
	for (struct dirent *entry; rc == 0 && (entry = readdir(d)) != NULL; w->path[length] = '\0')
		rc = visit(w, length, entry, here);
	closedir(d);
	return rc;
}

size_t bl_listing_class_length(const char *path)
{
	const char *slash = strchr(path, '/');
	return slash ? (size_t)(slash - path) : 0;
}

static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (size_t)(slash - path) : 0;
}

/* Compares the n bytes at a with the m bytes at b. */
static int compare_parts(const char *a, size_t n, const char *b, size_t m)
{
	int c = memcmp(a, b, n < m ? n : m);
	return c ? c : (n > m) - (n < m);
}

static int compare(const void *x, const void *y, void *text)
{
	const char *a = (const char *)text + *(const size_t *)x, *b = (const char *)text + *(const size_t *)y;
	int c = compare_parts(a, bl_listing_class_length(a), b, bl_listing_class_length(b));
	if (c == 0)
		c = compare_parts(a, folder_length(a), b, folder_length(b));
	return c ? c : strcmp(a + folder_length(a), b + folder_length(b));
}

static void sort(bl_names *l)
{
	if (l->n)
		qsort_r(l->at, (size_t)l->n, sizeof *l->at, compare, l->text);
}

int bl_listing_read(bl_listing *l, const char *folder, const char *endings)
{
	struct walk w = { .l = l, .endings = endings };
	struct level top;
	size_t length = strlen(folder);
	*l = (bl_listing){ .n_others = 0 };
	while (length > 1 && folder[length - 1] == '/')
		length--;
	if (length == 0 || length >= sizeof w.path)
		return bl_fail("%.100s: expected the path of a folder, 1 to %zu bytes", folder, sizeof w.path - 1);
	memcpy(w.path, folder, length);
	w.base = length + 1;
	errno = 0;
	if (kind_of(w.path, DT_UNKNOWN, &top) != FOLDER)
		return bl_fail("%s: %s", w.path, errno ? strerror(errno) : "not a folder");
	if (walk_folder(&w, length, &top) < 0)
		return -1;
	sort(&l->images);
	sort(&l->others);
	sort(&l->lost);
	return 0;
}

void bl_names_free(bl_names *l)
{
	free(l->text);
	free(l->at);
	*l = (bl_names){ .n = 0 };
}

void bl_listing_free(bl_listing *l)
{
	bl_names_free(&l->images);
	bl_names_free(&l->others);
	bl_names_free(&l->lost);
	*l = (bl_listing){ .n_others = 0 };
}

const char *bl_names_get(const bl_names *l, int64_t i)
{
	return l->text + l->at[i];
}
