/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gunzip.c: reads a plain or gzip file as a sequence of plain bytes; messages state the byte at which reading failed.
 */
#include "data/gunzip.h"

#include <barlow/error.h>
#include <barlow/file.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* MOST_RATIO: the largest compression ratio of deflate (zlib's technical notes). */
enum { MOST_RATIO = 1032, WINDOW_GZIP = 15 + 16 };

struct bl_gunzip {
	char *path;
	uint8_t *bytes; /* content of the file, compressed or plain */
	size_t size;
	size_t taken; /* number of these that were consumed so far */
	size_t given; /* plain bytes that were returned so far */
	bool gzip, ended;
	z_stream z;
};

static int start(bl_gunzip *g)
{
	g->gzip = g->size >= 2 && g->bytes[0] == 0x1f && g->bytes[1] == 0x8b;
	if (g->gzip && inflateInit2(&g->z, WINDOW_GZIP) != Z_OK) {
		g->gzip = false;
		return bl_fail("%s: zlib does not start: %s", g->path, g->z.msg ? g->z.msg : "no memory");
	}
	return 0;
}

bl_gunzip *bl_gunzip_open(const char *path)
{
	bl_gunzip *g = calloc(1, sizeof *g);
	if (!g)
		return bl_fail_null("%s: no memory", path);
	g->path = strdup(path);
	g->bytes = g->path ? bl_file_read(path, &g->size) : NULL;
	if (!g->path)
		bl_fail("%s: no memory", path);
	if (g->bytes && start(g) == 0)
		return g;
	bl_gunzip_close(g);
	return NULL;
}

void bl_gunzip_close(bl_gunzip *g)
{
	if (!g)
		return;
	if (g->gzip)
		inflateEnd(&g->z);
	free(g->path);
	free(g->bytes);
	free(g);
}

size_t bl_gunzip_bound(const bl_gunzip *g)
{
	size_t most;
	if (!g->gzip)
		return g->size;
	return __builtin_mul_overflow(g->size, (size_t)MOST_RATIO, &most) ? SIZE_MAX : most;
}

static int fail_short(const bl_gunzip *g, size_t got, size_t wanted, const char *what)
{
	if (g->gzip && !g->ended)
		return bl_fail(
			"%s: the gzip data is cut short: the file ends at byte %zu, after %zu of the %zu bytes "
			"of %s (%zu plain bytes in all)",
			g->path, g->size, got, wanted, what, g->given + got);
	return bl_fail("%s: ends at %sbyte %zu, after %zu of the %zu bytes of %s", g->path, g->gzip ? "plain " : "", g->given + got,
	               got, wanted, what);
}

static int read_plain(bl_gunzip *g, void *out, size_t n, const char *what)
{
	if (n > g->size - g->taken)
		return fail_short(g, g->size - g->taken, n, what);
	memcpy(out, g->bytes + g->taken, n);
	g->taken += n;
	g->given += n;
	return 0;
}

/* zlib counts bytes in unsigned int, so longer buffers are processed in portions. */
static unsigned portion(size_t n)
{
	return n > UINT_MAX / 2 ? UINT_MAX / 2 : (unsigned)n;
}

/* Ends a member.  If another member follows, its plain bytes follow those of this member. */
static int end_member(bl_gunzip *g)
{
	const uint8_t *next = g->bytes + g->taken;
	g->ended = g->size - g->taken < 2 || next[0] != 0x1f || next[1] != 0x8b;
	if (!g->ended && inflateReset(&g->z) != Z_OK)
		return bl_fail("%s: zlib does not start again at byte %zu", g->path, g->taken);
	return 0;
}

/* Calls inflate once.  Returns the number of bytes written to out, or negative with bl_error. */
static int64_t inflate_some(bl_gunzip *g, uint8_t *out, size_t room)
{
	unsigned in = portion(g->size - g->taken), want = portion(room);
	g->z.next_in = g->bytes + g->taken;
	g->z.avail_in = in;
	g->z.next_out = out;
	g->z.avail_out = want;
	int rc = inflate(&g->z, Z_NO_FLUSH);
	g->taken += in - g->z.avail_in;
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return bl_fail("%s: bad gzip data before byte %zu of the file: %s", g->path, g->taken,
		               g->z.msg ? g->z.msg : zError(rc));
	int64_t made = want - g->z.avail_out;
	return rc == Z_STREAM_END && end_member(g) < 0 ? -1 : made;
}

static int read_gzip(bl_gunzip *g, uint8_t *out, size_t n, const char *what)
{
	size_t got = 0;
	while (got < n && !g->ended) {
		size_t before = g->taken;
		int64_t made = inflate_some(g, out + got, n - got);
		if (made < 0)
			return -1;
		got += (size_t)made;
		if (made == 0 && g->taken == before && !g->ended)
			break;
	}
	if (got < n)
		return fail_short(g, got, n, what);
	g->given += n;
	return 0;
}

int bl_gunzip_read(bl_gunzip *g, void *out, size_t n, const char *what)
{
	return g->gzip ? read_gzip(g, out, n, what) : read_plain(g, out, n, what);
}

/* Runs inflate to the end mark, where zlib checks length and checksum.  Any further plain byte is an error. */
static int finish_gzip(bl_gunzip *g)
{
	while (!g->ended) {
		uint8_t more;
		size_t before = g->taken;
		int64_t made = inflate_some(g, &more, 1);
		if (made < 0)
			return -1;
		if (made > 0)
			return bl_fail("%s: more plain bytes follow byte %zu, where the data should end", g->path, g->given);
		if (g->taken == before && !g->ended)
			return bl_fail("%s: the gzip data is cut short: the file ends at byte %zu, before its checksum", g->path,
			               g->size);
	}
	return 0;
}

int bl_gunzip_finish(bl_gunzip *g)
{
	size_t at;
	if (g->gzip && finish_gzip(g) < 0)
		return -1;
	for (at = g->taken; g->gzip && at < g->size && g->bytes[at] == 0; at++)
		;
	if (at == g->size)
		g->taken = at; /* zeros that pad the file */
	if (g->taken < g->size)
		return bl_fail("%s: %zu bytes too many: the data ends at byte %zu, the file at %zu", g->path, g->size - g->taken,
		               g->taken, g->size);
	return 0;
}

/* Returns all plain bytes of a gzip file; the caller frees them.  NULL with bl_error. */
static uint8_t *inflate_all(bl_gunzip *g, size_t *n)
{
	size_t room = 1 << 16, made = 0;
	uint8_t *out = NULL;
	while (!g->ended) {
		size_t before = g->taken;
		uint8_t *more = realloc(out, room);
		int64_t some = more ? inflate_some(g, more + made, room - made) : bl_fail("%s: no memory for its content", g->path);
		out = more ? more : out;
		if (some == 0 && g->taken == before && !g->ended)
			some = bl_fail("%s: the gzip data is cut short: the file ends at byte %zu", g->path, g->size);
		if (some < 0) {
			free(out);
			return NULL;
		}
		made += (size_t)some;
		room = made == room ? 2 * room : room;
	}
	*n = made;
	return out;
}

uint8_t *bl_gunzip_all(const char *path, size_t *n)
{
	bl_gunzip *g = bl_gunzip_open(path);
	uint8_t *out = NULL;
	if (g && g->gzip) {
		out = inflate_all(g, n);
		g->given = out ? *n : 0;
		if (out && bl_gunzip_finish(g) < 0) {
			free(out);
			out = NULL;
		}
	} else if (g) {
		out = g->bytes;
		*n = g->size;
		g->bytes = NULL;
	}
	bl_gunzip_close(g);
	return out;
}
