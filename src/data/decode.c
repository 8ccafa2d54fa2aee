/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode.c: image files: the bytes, which format, and what both formats share. */
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES ((int64_t)256 << 20)
#define MOST_PIXELS INT64_C(100000000)

/* Every byte up to n, or up to where the file ends now. */
static int64_t read_all(int fd, uint8_t *bytes, int64_t n)
{
	int64_t have = 0;
	while (have < n) {
		ssize_t got = read(fd, bytes + have, (size_t)(n - have));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += got;
	}
	return have;
}

static int read_open(int fd, bl_encoded *e)
{
	struct stat s;
	if (fstat(fd, &s) < 0)
		return bl_fail("%s: %s", e->path, strerror(errno));
	if (!S_ISREG(s.st_mode))
		return bl_fail("%s: not a file", e->path);
	if (s.st_size > MOST_BYTES)
		return bl_fail("%s: %" PRId64 " bytes, expected at most %" PRId64, e->path, (int64_t)s.st_size,
			       MOST_BYTES);
	uint8_t *bytes = bl_scratch(SLOT_FILE, (size_t)s.st_size + 1);
	if (!bytes)
		return bl_fail_prefix("%s: ", e->path);
	int64_t n = read_all(fd, bytes, s.st_size);
	if (n < 0)
		return bl_fail("%s: %s", e->path, strerror(errno));
	e->bytes = bytes;
	e->n = (size_t)n;
	return 0;
}

/* Without waiting for a writer, should it be a pipe. */
static int read_file(bl_encoded *e)
{
	int fd = open(e->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return bl_fail("%s: %s", e->path, strerror(errno));
	int rc = read_open(fd, e);
	close(fd);
	return rc;
}

static bool begins(const bl_encoded *e, const char *magic, size_t n)
{
	return e->n >= n && memcmp(e->bytes, magic, n) == 0;
}

static int fail_format(const bl_encoded *e)
{
	const uint8_t *b = e->bytes;
	if (e->n < 4)
		return bl_fail("%s: %zu bytes, expected a JPEG or PNG file", e->path, e->n);
	return bl_fail("%s: byte 0: %02x %02x %02x %02x, expected ff d8 ff (JPEG) or 89 50 4e 47 (PNG)", e->path, b[0],
		       b[1], b[2], b[3]);
}

int bl_decode(const bl_encoded *wanted, bl_image *out)
{
	bl_encoded e = *wanted;
	if (read_file(&e) < 0)
		return -1;
	if (begins(&e, "\xff\xd8\xff", 3))
		return bl_decode_jpeg(&e, out);
	if (begins(&e, "\x89PNG\r\n\x1a\n", 8))
		return bl_decode_png(&e, out);
	return fail_format(&e);
}

int bl_decode_plan(const bl_encoded *e, int64_t height, int64_t width, bl_image *out, bl_window *r)
{
	if (height * width > MOST_PIXELS)
		return bl_fail("%s: %" PRId64 " x %" PRId64 " pixels, expected at most %" PRId64 " million", e->path,
			       height, width, MOST_PIXELS / 1000000);
	*out = (bl_image){ .height = (int)height, .width = (int)width, .channels = e->channels };
	*r = (bl_window){ 0, 0, (int)height, (int)width, 1 };
	if (e->wish && !e->wish->window(e->wish->ctx, (int)height, (int)width, r))
		return 0;
	assert(r->top >= 0 && r->left >= 0 && r->height > 0 && r->width > 0);
	assert(r->top + r->height <= height && r->left + r->width <= width);
	return 1;
}

uint8_t *bl_decode_room(const bl_encoded *e, const bl_image *out)
{
	size_t n = out->part.eighths ? (size_t)out->part.height * (size_t)out->part.width
				     : (size_t)out->height * (size_t)out->width;
	uint8_t *room = bl_scratch(SLOT_PIXELS, n * (size_t)out->channels);
	if (!room)
		bl_fail_prefix("%s: ", e->path);
	return room;
}

void bl_decode_convert(const uint8_t *in, int from, uint8_t *out, int to, size_t n)
{
	if (from == to)
		memcpy(out, in, n * (size_t)to);
	else if (from == 1)
		for (size_t i = 0; i < n; i++)
			out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = in[i];
	else
		for (size_t i = 0; i < n; i++)
			out[i] = (uint8_t)((19595u * in[3 * i] + 38470u * in[3 * i + 1] + 7471u * in[3 * i + 2] + 32768u) >> 16);
}
