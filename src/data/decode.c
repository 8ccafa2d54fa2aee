/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode.c: image files: the bytes, which format, and what all formats share. */
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES ((int64_t)256 << 20)
#define MOST_PIXELS INT64_C(100000000)

extern const bl_format bl_format_jpeg, bl_format_png; /* at the end of their files */
static const bl_format *const formats[] = { &bl_format_jpeg, &bl_format_png };

enum { FORMATS = sizeof formats / sizeof *formats };

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
		return bl_fail("%s", strerror(errno));
	if (!S_ISREG(s.st_mode))
		return bl_fail("not a file");
	if (s.st_size > MOST_BYTES)
		return bl_fail("%" PRId64 " bytes, expected at most %" PRId64, (int64_t)s.st_size, MOST_BYTES);
	uint8_t *bytes = bl_scratch(SLOT_FILE, (size_t)s.st_size + 1);
	if (!bytes)
		return -1;
	int64_t n = read_all(fd, bytes, s.st_size);
	if (n < 0)
		return bl_fail("%s", strerror(errno));
	e->bytes = bytes;
	e->n = (size_t)n;
	return 0;
}

/* Without waiting for a writer, should it be a pipe. */
static int read_file(const char *path, bl_encoded *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return bl_fail("%s", strerror(errno));
	int rc = read_open(fd, e);
	close(fd);
	return rc;
}

static int fail_format(const bl_encoded *e)
{
	const uint8_t *b = e->bytes;
	if (e->n < 4)
		return bl_fail("%zu bytes, expected a JPEG or PNG file", e->n);
	return bl_fail("byte 0: %02x %02x %02x %02x, expected ff d8 ff (JPEG) or 89 50 4e 47 (PNG)", b[0], b[1], b[2], b[3]);
}

static int find_format(bl_encoded *e)
{
	for (int i = 0; i < FORMATS; i++)
		if (e->n >= formats[i]->magic_size && memcmp(e->bytes, formats[i]->magic, formats[i]->magic_size) == 0) {
			e->format = formats[i];
			return 0;
		}
	return fail_format(e);
}

static int open_format(bl_encoded *e)
{
	if (e->format->open(e) < 0)
		return -1;
	if (e->height < 1 || e->width < 1 || (int64_t)e->height * e->width > MOST_PIXELS)
		return bl_fail("%d x %d pixels, expected at most %" PRId64 " million", e->height, e->width,
			       MOST_PIXELS / 1000000);
	return 0;
}

int bl_decode_open(bl_encoded *e, const char *path, int channels, bool full_scale)
{
	e->channels = channels;
	e->full_scale = full_scale;
	if (read_file(path, e) < 0 || find_format(e) < 0)
		return -1;
	if (open_format(e) == 0)
		return 0;
	e->format->close(e);
	return -1;
}

int bl_decode_read(bl_encoded *e, const bl_window *w, bl_image *out)
{
	*out = (bl_image){ .height = e->height, .width = e->width, .channels = e->channels };
	return e->format->read(e, w, out);
}

void bl_decode_close(bl_encoded *e)
{
	e->format->close(e);
}

uint8_t *bl_decode_room(const bl_image *out)
{
	size_t n = out->part.eighths ? (size_t)out->part.height * (size_t)out->part.width
				     : (size_t)out->height * (size_t)out->width;
	return bl_scratch(SLOT_PIXELS, n * (size_t)out->channels);
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
