/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cache_file.c: decoded images in one file of the user's cache folder.
 *
 *     head | key | n times (offset, size, checksum) | pixels
 *
 * A file is written under a temporary name and renamed when it is complete, so readers see complete files only, even if
 * two processes write the same file.  A file that does not match its key is rewritten.
 */
#define _GNU_SOURCE /* mkostemp */
#include "data/cache.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/parallel.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 16, PATH = 4096, KEY_MOST = 1 << 16 };

typedef struct head {
	char magic[8];
	uint32_t order; /* always 1: shows the byte order */
	uint32_t key;   /* length of the key */
	uint64_t n;
} head;

typedef struct place {
	uint64_t offset;
	int32_t height, width;
	uint32_t crc, unused;
} place;

static const char magic[8] = "BLimage1";

struct bl_cache_file {
	int fd;
	char path[PATH];
	int64_t n;
	int channels;
	place *place;
};

/* --- bytes --- */

static int read_at(int fd, void *out, size_t n, uint64_t at)
{
	int64_t got = bl_file_get(fd, out, n, (int64_t)at);
	if (got < 0)
		return bl_fail("%s", strerror(errno));
	return (size_t)got == n ? 0 : bl_fail("it ends before byte %" PRIu64, at + (uint64_t)got);
}

static int write_at(int fd, const void *bytes, size_t n, uint64_t at)
{
	for (size_t have = 0; have < n;) {
		ssize_t put = pwrite(fd, (const char *)bytes + have, n - have, (off_t)(at + have));
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return bl_fail("%s", strerror(errno));
		have += (size_t)put;
	}
	return 0;
}

static size_t bytes_of(const bl_cache_file *f, int64_t row)
{
	return (size_t)f->place[row].height * (size_t)f->place[row].width * (size_t)f->channels;
}

/* --- path of the file --- */

static int put_path(char path[PATH], const char *key)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char folder[PATH - 64];
	int n = -1;
	if (cache && *cache == '/')
		n = snprintf(folder, sizeof folder, "%s/barlow/images", cache);
	else if (home && *home == '/')
		n = snprintf(folder, sizeof folder, "%s/.cache/barlow/images", home);
	if (n < 0 || n >= (int)sizeof folder)
		return bl_fail("no folder for decoded images: neither XDG_CACHE_HOME nor HOME is an absolute path");
	uLong a = crc32_z(0, (const Bytef *)key, strlen(key)), b = adler32_z(1, (const Bytef *)key, strlen(key));
	snprintf(path, PATH, "%s/%08lx%08lx", folder, a, b);
	return bl_file_make_folder(folder);
}

/* --- opening an existing file --- */

static int check_places(const bl_cache_file *f, uint64_t end, uint64_t size)
{
	for (int64_t i = 0; i < f->n; i++) {
		const place *p = &f->place[i];
		if (p->height < 1 || p->width < 1 || (uint64_t)p->height * (uint64_t)p->width > UINT32_MAX || p->offset != end)
			return -1;
		end += bytes_of(f, i);
	}
	return end == size ? 0 : -1;
}

/*
 * Is the file complete and written for this key?  Reads f->place.  If the result is false, the caller rewrites the
 * file.
 */
static bool is_whole(bl_cache_file *f, const char *key)
{
	head h;
	struct stat st;
	size_t n = strlen(key), places = (size_t)f->n * sizeof *f->place;
	char there[KEY_MOST];
	if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode) || read_at(f->fd, &h, sizeof h, 0) < 0)
		return false;
	if (memcmp(h.magic, magic, sizeof magic) != 0 || h.order != 1 || h.key != n || h.n != (uint64_t)f->n || n > sizeof there)
		return false;
	if (read_at(f->fd, there, n, sizeof h) < 0 || memcmp(there, key, n) != 0)
		return false;
	uint64_t at = sizeof h + n;
	return read_at(f->fd, f->place, places, at) == 0 && check_places(f, at + places, (uint64_t)st.st_size) == 0;
}

static bool open_whole(bl_cache_file *f, const char *key)
{
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0)
		return false;
	if (is_whole(f, key))
		return true;
	close(f->fd);
	f->fd = -1;
	return false;
}

/* --- writing a new file --- */

typedef struct making {
	const bl_dataset *root;
	bl_cache_file *f;
	bl_first_failure failure;
} making;

static int measure(const making *m, int64_t i)
{
	bl_opened o = { .root = m->root, .row = i, .channels = m->root->channels, .type = BL_PIXEL_UINT8 };
	if (m->root->ops->open(&o) < 0)
		return -1;
	place *p = &m->f->place[i];
	bl_cache_size(o.height, o.width, m->root->height, m->root->width, &p->height, &p->width);
	if (m->root->ops->close)
		m->root->ops->close(&o);
	return 0;
}

static int write_image(const making *m, int64_t i)
{
	bl_cache_file *f = m->f;
	place *p = &f->place[i];
	size_t n = bytes_of(f, i);
	uint8_t *pixels = malloc(n);
	int rc = pixels ? bl_cache_decode(m->root, i, p->height, p->width, pixels)
	                : bl_fail("no memory for an image of %zu bytes", n);
	if (rc == 0) {
		p->crc = (uint32_t)crc32_z(crc32(0, NULL, 0), pixels, n);
		if (write_at(f->fd, pixels, n, p->offset) < 0)
			rc = bl_fail_prefix("%s: ", f->path);
	}
	free(pixels);
	return rc;
}

static void each(making *m, int64_t chunk, int (*f)(const making *m, int64_t i))
{
	int64_t to = (chunk + 1) * CHUNK < m->root->n ? (chunk + 1) * CHUNK : m->root->n;
	for (int64_t i = chunk * CHUNK; i < to; i++)
		if (f(m, i) < 0)
			bl_first_failure_note(&m->failure, i);
}

static void measure_chunk(void *ctx, int64_t chunk)
{
	each(ctx, chunk, measure);
}
static void write_chunk(void *ctx, int64_t chunk)
{
	each(ctx, chunk, write_image);
}

static int for_all(const bl_dataset *root, bl_cache_file *f, bl_parallel_fn *fn)
{
	making m = { .root = root, .f = f };
	bl_first_failure_init(&m.failure);
	bl_parallel((root->n + CHUNK - 1) / CHUNK, fn, &m);
	int rc = bl_first_failure_end(&m.failure);
	return rc == 0 && bl_given_up() ? bl_fail_interrupted("%s: interrupted", f->path) : rc;
}

static int write_all(const bl_dataset *root, bl_cache_file *f, const char *key)
{
	head h = { .order = 1, .key = (uint32_t)strlen(key), .n = (uint64_t)f->n };
	uint64_t at = sizeof h + h.key, places = (uint64_t)f->n * sizeof *f->place, end = at + places;
	memcpy(h.magic, magic, sizeof magic);
	if (for_all(root, f, measure_chunk) < 0)
		return -1;
	for (int64_t i = 0; i < f->n; i++) {
		f->place[i].offset = end;
		end += bytes_of(f, i);
	}
	if (for_all(root, f, write_chunk) < 0)
		return -1;
	if (write_at(f->fd, &h, sizeof h, 0) < 0 || write_at(f->fd, key, h.key, sizeof h) < 0 ||
	    write_at(f->fd, f->place, places, at) < 0 || (fsync(f->fd) < 0 && bl_fail("%s", strerror(errno)) < 0))
		return bl_fail_prefix("%s: ", f->path);
	return 0;
}

/* Writes the file under a temporary name, and renames it when it is complete. */
static int make(const bl_dataset *root, bl_cache_file *f, const char *key)
{
	char name[PATH + 16];
	snprintf(name, sizeof name, "%s.XXXXXX", f->path);
	f->fd = mkostemp(name, O_CLOEXEC);
	if (f->fd < 0)
		return bl_fail("%s: %s", name, strerror(errno));
	int rc = write_all(root, f, key);
	if (rc == 0 && rename(name, f->path) < 0)
		rc = bl_fail("%s: %s", f->path, strerror(errno));
	if (rc < 0)
		unlink(name);
	return rc;
}

bl_cache_file *bl_cache_file_open(const bl_dataset *root, const char *key)
{
	bl_cache_file *f = calloc(1, sizeof *f);
	if (!f)
		return bl_fail_null("%s: no memory for a cache", root->name);
	f->fd = -1;
	f->n = root->n;
	f->channels = root->channels;
	f->place = calloc((size_t)f->n, sizeof *f->place);
	if (f->place && put_path(f->path, key) == 0 && (open_whole(f, key) || make(root, f, key) == 0))
		return f;
	if (!f->place)
		bl_fail("%s: no memory for a cache", root->name);
	bl_cache_file_close(f);
	return NULL;
}

void bl_cache_file_close(bl_cache_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	free(f->place);
	free(f);
}

void bl_cache_file_size(const bl_cache_file *f, int64_t row, int *h, int *w)
{
	*h = f->place[row].height;
	*w = f->place[row].width;
}

int bl_cache_file_read(const bl_cache_file *f, int64_t row, uint8_t *out)
{
	size_t n = bytes_of(f, row);
	int rc = read_at(f->fd, out, n, f->place[row].offset);
	if (rc == 0 && crc32_z(crc32(0, NULL, 0), out, n) != f->place[row].crc)
		rc = bl_fail("image %" PRId64 " differs from what was written", row + 1);
	return rc < 0 ? bl_fail_prefix("%s: this file of decoded images was changed (if you remove it, it is made again): ",
	                               f->path)
	              : 0;
}
