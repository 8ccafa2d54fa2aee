/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * decode_pnm.c: decodes PBM, PGM and PPM files of text (P1 to P3) or bytes (P4 to P6).  The header consists of the
 * kind, the width, the height and, except for bitmaps, the greatest value.  In files of bytes, one space separates the
 * header from the pixels.
 */
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <string.h>

typedef struct job {
	int kind;  /* 1 to 6 */
	size_t at; /* offset of the next byte */
	unsigned most;
} job;

static job *job_of(bl_encoded *e)
{
	_Static_assert(sizeof(job) <= BL_DECODER_BYTES, "the decoder's state fits into bl_encoded");
	return (job *)(void *)e->decoder;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_pnm(const uint8_t *b, size_t n)
{
	return n >= 3 && b[0] == 'P' && b[1] >= '1' && b[1] <= '6' && (is_space(b[2]) || b[2] == '#');
}

/* Skips spaces, and comments from # to the end of the line. */
static void skip_spaces(const bl_encoded *e, job *j)
{
	for (; j->at < e->n && (is_space(e->bytes[j->at]) || e->bytes[j->at] == '#'); j->at++)
		if (e->bytes[j->at] == '#')
			while (j->at + 1 < e->n && e->bytes[j->at + 1] != '\n')
				j->at++;
}

static int take_number(const bl_encoded *e, job *j, const char *what, unsigned most, unsigned *out)
{
	unsigned v = 0;
	skip_spaces(e, j);
	size_t start = j->at;
	for (; j->at < e->n && e->bytes[j->at] >= '0' && e->bytes[j->at] <= '9'; j->at++) {
		v = v * 10 + (unsigned)(e->bytes[j->at] - '0');
		if (v > most)
			return bl_fail("byte %zu: %s of more than %u", start, what, most);
	}
	if (j->at == start)
		return bl_fail(j->at == e->n ? "byte %zu: the file ends before %s" : "byte %zu: expected %s", j->at, what);
	*out = v;
	return 0;
}

static int channels_of(const job *j)
{
	return j->kind == 3 || j->kind == 6 ? 3 : 1;
}

static bool is_bitmap(const job *j)
{
	return j->kind == 1 || j->kind == 4;
}

/* Returns the bytes of a row in a file of bytes (P4 to P6). */
static size_t pitch_of(const bl_encoded *e, const job *j)
{
	if (j->kind == 4)
		return ((size_t)e->width + 7) / 8;
	return (size_t)e->width * (size_t)channels_of(j) * (j->most > 255 ? 2 : 1);
}

static int open_pnm(bl_encoded *e)
{
	job *j = job_of(e);
	unsigned width, height;
	*j = (job){ .kind = e->bytes[1] - '0', .at = 2, .most = 1 };
	if (take_number(e, j, "its width", 1u << 30, &width) < 0 || take_number(e, j, "its height", 1u << 30, &height) < 0)
		return -1;
	if (!is_bitmap(j) && take_number(e, j, "its greatest value", 65535, &j->most) < 0)
		return -1;
	if (width == 0 || height == 0 || j->most == 0)
		return bl_fail("%u x %u pixels with the greatest value %u, expected at least 1 for all three", height, width,
		               j->most);
	e->width = (int)width;
	e->height = (int)height;
	if (j->kind < 4)
		return 0;
	j->at++;
	if (j->at > e->n || e->n - j->at < pitch_of(e, j) * (size_t)e->height)
		return bl_fail("byte %zu: the file ends within the image", e->n);
	return 0;
}

static uint8_t scaled(const job *j, unsigned v)
{
	return (uint8_t)(v >= j->most ? 255 : (v * 255 + j->most / 2) / j->most);
}

static void bytes_to_row(const bl_encoded *e, const job *j, int y, uint8_t *row)
{
	const uint8_t *in = e->bytes + j->at + (size_t)y * pitch_of(e, j);
	size_t n = (size_t)e->width * (size_t)channels_of(j);
	for (size_t i = 0; i < n; i++)
		if (j->kind == 4)
			row[i] = in[i / 8] >> (7 - i % 8) & 1 ? 0 : 255;
		else
			row[i] = scaled(j, j->most > 255 ? (unsigned)in[2 * i] << 8 | in[2 * i + 1] : in[i]);
}

/* Reads a bit of a text bitmap.  Its digit need not have spaces around it. */
static int take_bit(const bl_encoded *e, job *j, uint8_t *out)
{
	skip_spaces(e, j);
	if (j->at == e->n)
		return bl_fail("byte %zu: the file ends within the image", j->at);
	uint8_t c = e->bytes[j->at++];
	if (c != '0' && c != '1')
		return bl_fail("byte %zu: expected 0 or 1", j->at - 1);
	*out = c == '1' ? 0 : 255;
	return 0;
}

static int text_to_row(const bl_encoded *e, job *j, uint8_t *row)
{
	size_t n = (size_t)e->width * (size_t)channels_of(j);
	for (size_t i = 0; i < n; i++) {
		unsigned v;
		if (j->kind == 1) {
			if (take_bit(e, j, row + i) < 0)
				return -1;
			continue;
		}
		if (take_number(e, j, "a value", 65535, &v) < 0)
			return -1;
		row[i] = scaled(j, v);
	}
	return 0;
}

static int read_pnm(bl_encoded *e, const bl_window *w, bl_image *out)
{
	job j = *job_of(e);
	size_t width = (size_t)e->width;
	uint8_t *row = bl_scratch(SLOT_ROWS, width * (size_t)channels_of(&j)), *pixels = bl_decode_room(out);
	(void)w;
	if (!row || !pixels)
		return -1;
	for (int y = 0; y < e->height; y++) {
		if (j.kind >= 4)
			bytes_to_row(e, &j, y, row);
		else if (text_to_row(e, &j, row) < 0)
			return -1;
		bl_decode_put(e, row, channels_of(&j), pixels + (size_t)y * width * (size_t)e->options.channels, width);
	}
	out->pixels = pixels;
	return 0;
}

const bl_format bl_format_pnm = {
	.name = "PNM",
	.endings = "pbm pgm ppm pnm",
	.is = is_pnm,
	.open = open_pnm,
	.read = read_pnm,
};
