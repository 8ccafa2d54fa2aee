/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode.c: reads image files, finds their format, and does what all formats have in common. */
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/memory.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES ((int64_t)256 << 20)
#define MOST_PIXELS INT64_C(100000000)

extern const bl_format bl_format_bmp, bl_format_gif, bl_format_jpeg, bl_format_png, bl_format_pnm, bl_format_tiff,
	bl_format_webp; /* defined at the end of their files */
static const bl_format *const formats[] = {
	&bl_format_jpeg, &bl_format_png, &bl_format_webp, &bl_format_tiff, &bl_format_gif, &bl_format_bmp, &bl_format_pnm,
};

enum { FORMATS = sizeof formats / sizeof *formats };

/* --- Names ------------------------------------------------------------------------ */

/* Returns the next word of a list and its length *n; NULL behind the last word. */
static const char *next_word(const char *list, size_t *n)
{
	list += strspn(list, " ");
	*n = strcspn(list, " ");
	return *n ? list : NULL;
}

static bool ends_in(const char *ending, const char *list)
{
	size_t n;
	for (; (list = next_word(list, &n)) != NULL; list += n)
		if (strlen(ending) == n && strncasecmp(ending, list, n) == 0)
			return true;
	return false;
}

bool bl_decode_is_named(const char *name, const char *endings)
{
	const char *dot = strrchr(name, '.');
	if (!dot || endings)
		return dot && ends_in(dot + 1, endings);
	for (int i = 0; i < FORMATS; i++)
		if (ends_in(dot + 1, formats[i]->endings))
			return true;
	return false;
}

const char *bl_decode_endings(char *buf, size_t size)
{
	size_t at = 0, n, m;
	const char *word;
	buf[0] = '\0';
	for (int i = 0; i < FORMATS; i++)
		for (word = formats[i]->endings; (word = next_word(word, &n)) != NULL && at + n + 8 < size; word += n) {
			bool last = i == FORMATS - 1 && !next_word(word + n, &m);
			at += (size_t)snprintf(buf + at, size - at, "%s.%.*s", at == 0 ? "" : last ? " or " : ", ", (int)n, word);
		}
	return buf;
}

/* --- Bytes ------------------------------------------------------------------------ */

static int read_open(int fd, bl_encoded *e, const bl_mark *as_it_was)
{
	struct stat s;
	if (fstat(fd, &s) < 0)
		return bl_fail("%s", strerror(errno));
	if (!S_ISREG(s.st_mode))
		return bl_fail("not a file");
	if (as_it_was && bl_mark_check(as_it_was, &s) < 0)
		return -1;
	if (s.st_size > MOST_BYTES)
		return bl_fail("%" PRId64 " bytes, expected at most %" PRId64, (int64_t)s.st_size, MOST_BYTES);
	uint8_t *bytes = bl_scratch(SLOT_FILE, (size_t)s.st_size + 1);
	if (!bytes)
		return -1;
	int64_t n = bl_file_get(fd, bytes, (size_t)s.st_size, 0);
	if (n < 0)
		return bl_fail("%s", strerror(errno));
	struct stat now;
	if (n < s.st_size || (fstat(fd, &now) == 0 && now.st_size != s.st_size))
		return bl_fail("it was changed while it was read: %" PRId64 " bytes before, %" PRId64 " after", (int64_t)s.st_size,
		               n < s.st_size ? n : (int64_t)now.st_size);
	e->bytes = bytes;
	e->n = (size_t)n;
	return 0;
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
static int read_file(const char *path, bl_encoded *e, const bl_mark *as_it_was)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return bl_fail("%s", strerror(errno));
	int rc = read_open(fd, e, as_it_was);
	close(fd);
	return rc;
}

static int fail_format(const bl_encoded *e)
{
	const uint8_t *b = e->bytes;
	char names[128] = "";
	size_t at = 0;
	for (int i = 0; i < FORMATS; i++)
		at += (size_t)snprintf(names + at, sizeof names - at, "%s%s",
		                       i == 0            ? ""
		                       : i < FORMATS - 1 ? ", "
		                                         : " or ",
		                       formats[i]->name);
	if (e->n < 4)
		return bl_fail("%zu bytes, expected a %s file", e->n, names);
	return bl_fail("byte 0: %02x %02x %02x %02x, expected the first bytes of a %s file", b[0], b[1], b[2], b[3], names);
}

static int find_format(bl_encoded *e)
{
	for (int i = 0; i < FORMATS; i++)
		if (formats[i]->is(e->bytes, e->n)) {
			e->format = formats[i];
			return 0;
		}
	return fail_format(e);
}

/*
 * Exchanges height and width if the orientation exchanges rows and columns.  This converts the file's size to the
 * wanted image's size, or back.
 */
static void turn_size(bl_encoded *e)
{
	if (e->orientation >= 5) {
		int height = e->height;
		e->height = e->width;
		e->width = height;
	}
}

static int open_format(bl_encoded *e)
{
	size_t n;
	if (e->format->open(e) < 0)
		return -1;
	if (e->height < 1 || e->width < 1 || (int64_t)e->height * e->width > MOST_PIXELS)
		return bl_fail("%d x %d pixels, expected at most %" PRId64 " million", e->height, e->width, MOST_PIXELS / 1000000);
	const uint8_t *exif = e->options.orient && e->format->exif ? e->format->exif(e, &n) : NULL;
	e->orientation = exif ? bl_exif_orientation(exif, n) : 1;
	if (e->orientation > 1)
		e->options.full_scale = true; /* pixels of a reduced copy would be displaced after turning */
	turn_size(e);
	return 0;
}

static int open_read(bl_encoded *e)
{
	if (find_format(e) < 0)
		return -1;
	if (open_format(e) == 0)
		return 0;
	bl_decode_close(e);
	return -1;
}

int bl_decode_open_bytes(bl_encoded *e, const uint8_t *bytes, size_t n, const bl_decode_options *options)
{
	e->options = *options;
	e->bytes = bytes;
	e->n = n;
	return open_read(e);
}

int bl_decode_open(bl_encoded *e, const char *path, const bl_decode_options *options, const bl_mark *as_it_was)
{
	e->options = *options;
	return read_file(path, e, as_it_was) < 0 ? -1 : open_read(e);
}

void bl_decode_close(bl_encoded *e)
{
	if (e->format->close)
		e->format->close(e);
}

/* --- Turning ------------------------------------------------------------------------ */

/* A rectangle of an image of height x width. */
typedef struct box {
	int top, left, height, width;
} box;

/*
 * An EXIF orientation maps the file's image to the wanted image in two steps.  Orientations 5 to 8 first exchange rows
 * and columns.  Then columns (2 and 6), rows (4 and 8) or both (3 and 7) are mirrored.
 */
static bool exchanges(int orientation)
{
	return orientation >= 5;
}

static bool mirrors_columns(int orientation)
{
	return orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
}

static bool mirrors_rows(int orientation)
{
	return orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
}

static void exchange(int *a, int *b)
{
	int c = *a;
	*a = *b;
	*b = c;
}

/* Maps a box of the wanted image, height x width, to the file's image. */
static box box_in_file(box b, int orientation, int height, int width)
{
	if (mirrors_rows(orientation))
		b.top = height - b.top - b.height;
	if (mirrors_columns(orientation))
		b.left = width - b.left - b.width;
	if (exchanges(orientation)) {
		exchange(&b.top, &b.left);
		exchange(&b.height, &b.width);
	}
	return b;
}

/* The inverse map; height x width is the size of the wanted image here, too. */
static box box_in_wanted(box b, int orientation, int height, int width)
{
	if (exchanges(orientation)) {
		exchange(&b.top, &b.left);
		exchange(&b.height, &b.width);
	}
	if (mirrors_rows(orientation))
		b.top = height - b.top - b.height;
	if (mirrors_columns(orientation))
		b.left = width - b.left - b.width;
	return b;
}

/* Turns `in`, the part `from` of the file's image, and writes it to `out`, height x width pixels. */
static void turn_pixels(const uint8_t *in, const box *from, uint8_t *out, int height, int width, int channels, int orientation)
{
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++) {
			int row = mirrors_rows(orientation) ? height - 1 - y : y,
			    column = mirrors_columns(orientation) ? width - 1 - x : x;
			size_t at = exchanges(orientation) ? (size_t)column * (size_t)from->width + (size_t)row
			                                   : (size_t)row * (size_t)from->width + (size_t)column;
			memcpy(out + ((size_t)y * (size_t)width + (size_t)x) * (size_t)channels, in + at * (size_t)channels,
			       (size_t)channels);
		}
}

/*
 * Turns *out, which is the file's image or a part of it at full size.  height x width is the size of the wanted image.
 * Negative with bl_error.
 */
static int turn(int orientation, int height, int width, bl_image *out)
{
	bool part = out->part.eighths != 0;
	box from = part ? (box){ out->part.top, out->part.left, out->part.height, out->part.width }
	                : (box){ 0, 0, out->height, out->width };
	box to = box_in_wanted(from, orientation, height, width);
	uint8_t *pixels = bl_scratch(SLOT_TURNED, (size_t)to.height * (size_t)to.width * (size_t)out->channels);
	if (!pixels)
		return -1;
	turn_pixels(out->pixels, &from, pixels, to.height, to.width, out->channels, orientation);
	out->pixels = pixels;
	out->height = height;
	out->width = width;
	if (part) {
		out->part.top = to.top;
		out->part.left = to.left;
		out->part.height = to.height;
		out->part.width = to.width;
	}
	return 0;
}

static int read_turned(bl_encoded *e, const bl_window *w, bl_image *out)
{
	int height = e->height, width = e->width;
	box b = box_in_file((box){ w->top, w->left, w->height, w->width }, e->orientation, height, width);
	bl_window there = { b.top, b.left, b.height, b.width, 1 };
	turn_size(e);
	out->height = e->height;
	out->width = e->width;
	int rc = e->format->read(e, &there, out);
	turn_size(e);
	return rc < 0 ? rc : turn(e->orientation, height, width, out);
}

int bl_decode_read(bl_encoded *e, const bl_window *w, bl_image *out)
{
	*out = (bl_image){ .height = e->height, .width = e->width, .channels = e->options.channels };
	return e->orientation > 1 ? read_turned(e, w, out) : e->format->read(e, w, out);
}
