/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * npz.c: NumPy's .npz files.  Such a file is a zip archive (PKWARE's APPNOTE.TXT) of .npy files, stored or deflated.
 * The directory at the archive's end contains the position and length of each file.
 */
#include "tensor/file/npy.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/tensor.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { END_SIZE = 22, ENTRY_SIZE = 46, LOCAL_SIZE = 30, COMMENT_MOST = 65535, STORED = 0, DEFLATED = 8, ENCRYPTED = 1 };
/* The highest compression ratio of deflate (zlib's technical notes). */
enum { MOST_RATIO = 1032 };

typedef struct archive {
	const char *path;
	const uint8_t *b;
	size_t n;
} archive;

typedef struct entry {
	unsigned method, flags;
	uint32_t crc;
	size_t packed, size, local;
	const char *name; /* not terminated by a NUL */
	size_t name_size;
} entry;

static unsigned read16(const uint8_t *b)
{
	return (unsigned)b[0] | (unsigned)b[1] << 8;
}

static uint32_t read32(const uint8_t *b)
{
	return (uint32_t)read16(b) | (uint32_t)read16(b + 2) << 16;
}

/* O_NONBLOCK: opening a FIFO must not block. */
bool bl_npz_is(const char *path)
{
	uint8_t head[4];
	struct stat s;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	ssize_t n = fstat(fd, &s) == 0 && S_ISREG(s.st_mode) ? read(fd, head, sizeof head) : -1;
	close(fd);
	return n > 0 && bl_npz_begins(head, (size_t)n);
}

/* Finds the record that ends the archive; only a comment may follow it. */
static const uint8_t *find_end(const archive *a)
{
	for (size_t back = END_SIZE; back <= a->n && back <= END_SIZE + COMMENT_MOST; back++)
		if (memcmp(a->b + a->n - back, "PK\5\6", 4) == 0)
			return a->b + a->n - back;
	return bl_fail_null("%s: no end of a zip archive: the file is cut short", a->path);
}

/* Reads the directory's entry at *at, and moves *at to the next one. */
static int read_entry(const archive *a, size_t *at, entry *e)
{
	if (*at > a->n || a->n - *at < ENTRY_SIZE || memcmp(a->b + *at, "PK\1\2", 4) != 0)
		return bl_fail("%s: byte %zu: no entry of the zip archive's directory there", a->path, *at);
	const uint8_t *b = a->b + *at;
	size_t size = ENTRY_SIZE + (size_t)read16(b + 28) + read16(b + 30) + read16(b + 32);
	*e = (entry){ .flags = read16(b + 8),
		      .method = read16(b + 10),
		      .crc = read32(b + 16),
		      .packed = read32(b + 20),
		      .size = read32(b + 24),
		      .local = read32(b + 42),
		      .name = (const char *)b + ENTRY_SIZE,
		      .name_size = read16(b + 28) };
	if (a->n - *at < size)
		return bl_fail("%s: byte %zu: the file ends within its directory", a->path, *at);
	*at += size;
	if (e->packed == UINT32_MAX || e->size == UINT32_MAX || e->local == UINT32_MAX)
		return bl_fail("%s: %.*s has more than 4 GiB, which is not read", a->path, (int)e->name_size, e->name);
	return 0;
}

static const uint8_t *find_data(const archive *a, const entry *e)
{
	if (e->local > a->n || a->n - e->local < LOCAL_SIZE || memcmp(a->b + e->local, "PK\3\4", 4) != 0)
		return bl_fail_null("%s: byte %zu: %.*s does not begin there", a->path, e->local, (int)e->name_size, e->name);
	const uint8_t *b = a->b + e->local;
	size_t start = e->local + LOCAL_SIZE + read16(b + 26) + read16(b + 28);
	if (start > a->n || e->packed > a->n - start)
		return bl_fail_null("%s: the file ends within %.*s", a->path, (int)e->name_size, e->name);
	return a->b + start;
}

static int unpack(const entry *e, const uint8_t *in, uint8_t *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)e->packed };
	z.next_out = out;
	z.avail_out = (uInt)e->size;
	if (inflateInit2(&z, -15) != Z_OK)
		return -1;
	int rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return rc == Z_STREAM_END && z.avail_out == 0 ? 0 : -1;
}

/* The uncompressed bytes of the entry, which the caller frees. */
static uint8_t *read_bytes(const archive *a, const entry *e)
{
	const uint8_t *in = find_data(a, e);
	if (!in)
		return NULL;
	if ((e->method != STORED && e->method != DEFLATED) || (e->flags & ENCRYPTED))
		return bl_fail_null("%s: %.*s is packed by method %u%s, expected 0 or 8", a->path, (int)e->name_size, e->name,
		                    e->method, e->flags & ENCRYPTED ? " and encrypted" : "");
	if (e->method == STORED ? e->size != e->packed : e->size / MOST_RATIO > e->packed)
		return bl_fail_null("%s: %.*s of %zu bytes cannot be in %zu", a->path, (int)e->name_size, e->name, e->size,
		                    e->packed);
	uint8_t *out = malloc(e->size + 1);
	if (!out)
		return bl_fail_null("%s: no memory for the %zu bytes of %.*s", a->path, e->size, (int)e->name_size, e->name);
	if (e->method == STORED)
		memcpy(out, in, e->size);
	if ((e->method == DEFLATED && unpack(e, in, out) < 0) || crc32_z(crc32(0, NULL, 0), out, e->size) != e->crc) {
		free(out);
		return bl_fail_null("%s: %.*s is damaged", a->path, (int)e->name_size, e->name);
	}
	return out;
}

/* Passes an array to `give`.  The array's name is that of the file without ".npy". */
static int give_array(const archive *a, const entry *e, bl_npz_give *give, void *ctx)
{
	char name[BL_NPZ_NAME], text[BL_NPZ_NAME + 512];
	if (e->name_size >= sizeof name)
		return bl_fail("%s: an array with a name of %zu bytes, expected fewer than %d", a->path, e->name_size, BL_NPZ_NAME);
	memcpy(name, e->name, e->name_size);
	name[e->name_size] = '\0';
	snprintf(text, sizeof text, "%.500s: %s", a->path, name);
	if (e->name_size < 4 || strcmp(name + e->name_size - 4, ".npy") != 0)
		return bl_fail("%s: no array of NumPy's, whose names end in .npy", text);
	uint8_t *bytes = read_bytes(a, e);
	bl_tensor *t = bytes ? bl_npy_read(text, bytes, e->size) : NULL;
	free(bytes);
	if (!t)
		return -1;
	name[e->name_size - 4] = '\0';
	give(ctx, name, t);
	return 0;
}

static int read_archive(const archive *a, bl_npz_give *give, void *ctx)
{
	const uint8_t *end = find_end(a);
	if (!end)
		return -1;
	unsigned n = read16(end + 10);
	size_t at = read32(end + 16);
	if (n == UINT16_MAX || at == UINT32_MAX)
		return bl_fail("%s: a zip archive of more than 4 GiB or 65534 arrays, which is not read", a->path);
	for (unsigned i = 0; i < n; i++) {
		entry e;
		if (read_entry(a, &at, &e) < 0 || give_array(a, &e, give, ctx) < 0)
			return -1;
	}
	return 0;
}

int bl_npz_load(const char *path, bl_npz_give *give, void *ctx)
{
	archive a = { .path = path };
	uint8_t *b = bl_file_read(path, &a.n);
	if (!b)
		return -1;
	a.b = b;
	int rc = bl_npz_begins(b, a.n) ? read_archive(&a, give, ctx) : bl_fail("%s: byte 0: not a .npz file: no PK there", path);
	free(b);
	return rc;
}
