/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure_record.c: writes records to figures' files, and reads them.  Files are not trusted: lengths are checked first. */
#define _GNU_SOURCE 1 /* memmem */
#include "figure/figure_record.h"
#include "base/text_stream.h"

#include <barlow/file.h>
#include <barlow/hash.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { FILE_MOST = 256 << 20, RECORD_MOST = 64 << 20, LINE = 200, CHUNK_HEAD = 8, CHUNK_REST = 12, PNG_HEAD = 33 };

static const char svg_open[] = "\n<metadata id=\"barlow-figure\">", svg_close[] = "</metadata>";
static const char line_mark[] = "barlow-figure ";
static const char png_mark[] = "\x89PNG\r\n\x1a\n";
/* Keyword; compressed; method deflate; empty language; empty translated keyword (PNG, 11.3.4.5). */
static const char png_text[] = "barlow-figure\0\1\0\0";
enum { PNG_TEXT = sizeof png_text };

/* --- Growing buffers -------------------------------------------------------------------- */

typedef struct bytes {
	char *at;
	size_t n;
	FILE *out;
} bytes;

static bool begin(bytes *b)
{
	b->out = bl_text_stream_begin(&b->at, &b->n);
	return b->out != NULL;
}

static void *end(bytes *b, size_t *n)
{
	bool whole = bl_text_stream_end(b->out, &b->at);
	*n = b->n;
	return whole ? b->at : bl_fail_null("no memory for a figure");
}

static void put_number(uint8_t out[4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t number_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* --- Writing ------------------------------------------------------------------------------ */

/* Writes the text as a compressed text chunk of a PNG.  False: no memory. */
static bool put_chunk(FILE *out, const char *text)
{
	size_t n = strlen(text);
	uLongf packed = compressBound(n);
	uint8_t *chunk = malloc(4 + PNG_TEXT + packed), number[4];
	bool fine = chunk && compress2(chunk + 4 + PNG_TEXT, &packed, (const Bytef *)text, n, 9) == Z_OK;
	if (fine) {
		size_t size = PNG_TEXT + packed;
		memcpy(chunk, "iTXt", 4);
		memcpy(chunk + 4, png_text, PNG_TEXT);
		put_number(number, (uint32_t)size);
		fwrite(number, 1, 4, out);
		fwrite(chunk, 1, 4 + size, out);
		put_number(number, (uint32_t)crc32_z(0, chunk, 4 + size));
		fwrite(number, 1, 4, out);
	}
	free(chunk);
	return fine;
}

/* The byte of the picture before which the record is inserted; 0: the picture is invalid. */
static size_t place_of(bl_form form, const char *picture, size_t n)
{
	const char *svg, *tag;
	switch (form) {
	case BL_FORM_SVG:
		svg = memmem(picture, n, "<svg", 4);
		tag = svg ? memchr(svg, '>', n - (size_t)(svg - picture)) : NULL;
		return tag ? (size_t)(tag + 1 - picture) : 0;
	case BL_FORM_PNG: return n > PNG_HEAD ? PNG_HEAD : 0; /* after the header */
	default: return n;
	}
}

/* A PDF ends with the offset of its cross-reference table; this end has to be repeated after the comments. */
static void put_end_of_pdf(FILE *out, const char *picture, size_t n)
{
	static const char word[] = "startxref";
	const char *last = NULL;
	for (const char *p = picture; (p = memmem(p, n - (size_t)(p - picture), word, sizeof word - 1)); p++)
		last = p;
	unsigned long long where = 0;
	char digits[32] = "";
	if (last) {
		size_t room = n - (size_t)(last - picture) - (sizeof word - 1);
		memcpy(digits, last + sizeof word - 1, room < sizeof digits - 1 ? room : sizeof digits - 1);
		where = strtoull(digits, NULL, 10);
	}
	fprintf(out, "startxref\n%llu\n%%%%EOF\n", where);
}

/* The record with the picture's hash as its first member. */
static char *with_hash(const char *record, const char hash[BL_HASH_TEXT])
{
	size_t size = strlen(record) + BL_HASH_TEXT + 32;
	char *all = malloc(size);
	if (all)
		snprintf(all, size, "{\"picture\":\"%s\",%s", hash, record + 1);
	return all;
}

/* A copy of the picture of *n bytes with the record before byte `before` and the tail at the end; *n becomes its length. */
static void *insert(bl_form form, const char *picture, size_t before, size_t *n, const char *tail, size_t tail_n,
                    const char *record)
{
	bytes b;
	bool fine = true;
	if (!begin(&b))
		return bl_fail_null("no memory for a figure");
	fwrite(picture, 1, before, b.out);
	if (form == BL_FORM_SVG)
		fprintf(b.out, "%s%s%s", svg_open, record, svg_close);
	else if (form == BL_FORM_PNG)
		fine = put_chunk(b.out, record);
	else /* comment lines that are short enough for TeX and PDF */
		for (size_t length = strlen(record), at = 0; at < length; at += LINE)
			fprintf(b.out, "%c%s%.*s\n", form == BL_FORM_GP ? '#' : '%', line_mark, LINE, record + at);
	fwrite(picture + before, 1, *n - before, b.out);
	fwrite(tail, 1, tail_n, b.out);
	void *all = end(&b, n);
	if (fine || !all)
		return all;
	free(all);
	return bl_fail_null("no memory for a figure");
}

void *bl_record_put(bl_form form, const void *picture, size_t *n, const char *record)
{
	size_t before = place_of(form, picture, *n), tail_n;
	bytes tail;
	char hash[BL_HASH_TEXT];
	bl_hash h;
	if (before == 0)
		return bl_fail_null("gnuplot wrote no picture in the expected format");
	if (!begin(&tail))
		return bl_fail_null("no memory for a figure");
	if (form == BL_FORM_PDF)
		put_end_of_pdf(tail.out, picture, *n);
	char *tail_text = end(&tail, &tail_n);
	bl_hash_begin(&h);
	bl_hash_add(&h, picture, *n);
	bl_hash_add(&h, tail_text, tail_text ? tail_n : 0);
	bl_hash_end(&h, hash);
	char *text = with_hash(record, hash);
	void *all = text && tail_text ? insert(form, picture, before, n, tail_text, tail_n, text) : NULL;
	free(text);
	free(tail_text);
	return all ? all : bl_fail_null("no memory for a figure");
}

/* --- Reading ------------------------------------------------------------------------------ */

static char *none(void)
{
	return bl_fail_null("it contains no record by barlow of where its data came from");
}

/* The hash of a file's bytes without those from `from` to `to`. */
static void hash_around(const char *all, size_t n, size_t from, size_t to, char out[BL_FIGURE_HASH])
{
	bl_hash h;
	bl_hash_begin(&h);
	bl_hash_add(&h, all, from);
	bl_hash_add(&h, all + to, n - to);
	bl_hash_end(&h, out);
}

/* Decompresses a record of a PNG, in growing buffers, since its size is not stored. */
static char *unpack(const uint8_t *packed, size_t n)
{
	char *out = NULL;
	for (size_t room = 1 << 20; room <= RECORD_MOST; room *= 4) {
		uLongf size = room - 1;
		char *more = realloc(out, room);
		if (!more)
			break;
		out = more;
		int rc = uncompress((Bytef *)out, &size, packed, n);
		out[rc == Z_OK ? size : 0] = '\0';
		if (rc == Z_OK)
			return out;
		if (rc != Z_BUF_ERROR)
			break;
	}
	free(out);
	return bl_fail_null("its record is damaged, or larger than %d MB", RECORD_MOST >> 20);
}

static char *of_png(const uint8_t *p, size_t n, char picture[BL_FIGURE_HASH])
{
	for (size_t at = CHUNK_HEAD; at + CHUNK_REST <= n;) {
		size_t size = number_at(p + at);
		if (size > n - at - CHUNK_REST)
			break;
		const uint8_t *body = p + at + 4;
		if (size > PNG_TEXT && !memcmp(body, "iTXt", 4) && !memcmp(body + 4, png_text, PNG_TEXT)) {
			if (number_at(body + 4 + size) != crc32_z(0, body, 4 + size))
				return bl_fail_null("its record is damaged: its checksum does not match");
			hash_around((const char *)p, n, at, at + CHUNK_REST + size, picture);
			return unpack(body + 4 + PNG_TEXT, size - PNG_TEXT);
		}
		at += CHUNK_REST + size;
	}
	return none();
}

static char *of_svg(const char *p, size_t n, char picture[BL_FIGURE_HASH])
{
	const char *from = memmem(p, n, svg_open, sizeof svg_open - 1);
	if (!from)
		return none();
	const char *text = from + sizeof svg_open - 1;
	const char *to = memmem(text, n - (size_t)(text - p), svg_close, sizeof svg_close - 1);
	if (!to)
		return none();
	hash_around(p, n, (size_t)(from - p), (size_t)(to - p) + sizeof svg_close - 1, picture);
	size_t length = (size_t)(to - text);
	char *out = length <= RECORD_MOST ? malloc(length + 1) : NULL;
	if (!out)
		return bl_fail_null("its record is larger than %d MB", RECORD_MOST >> 20);
	memcpy(out, text, length);
	out[length] = '\0';
	return out;
}

/* Reads a record from comment lines anywhere in the file. */
static char *of_lines(const char *p, size_t n, char comment, char picture[BL_FIGURE_HASH])
{
	bytes b;
	bl_hash h;
	size_t size, mark = sizeof line_mark - 1;
	if (!begin(&b))
		return bl_fail_null("no memory for a figure's record");
	bl_hash_begin(&h);
	for (const char *at = p, *last = p + n; at < last;) {
		const char *newline = memchr(at, '\n', (size_t)(last - at)), *next = newline ? newline + 1 : last;
		size_t line = (size_t)(next - at);
		if (line > mark + 1 && at[0] == comment && !memcmp(at + 1, line_mark, mark))
			fwrite(at + 1 + mark, 1, line - 1 - mark - (newline != NULL), b.out);
		else
			bl_hash_add(&h, at, line);
		at = next;
	}
	bl_hash_end(&h, picture);
	char *text = end(&b, &size);
	if (text && size > 0 && size <= RECORD_MOST)
		return text;
	free(text);
	return none();
}

char *bl_figure_record_of(const void *all, size_t n, char picture[BL_FIGURE_HASH])
{
	const char *p = all;
	if (n > PNG_HEAD && !memcmp(p, png_mark, sizeof png_mark - 1))
		return of_png(all, n, picture);
	if (n > 4 && !memcmp(p, "%PDF", 4))
		return of_lines(p, n, '%', picture);
	if (memmem(p, n < 4096 ? n : 4096, "<svg", 4))
		return of_svg(p, n, picture);
	return of_lines(p, n, n && p[0] == '%' ? '%' : '#', picture);
}

char *bl_figure_record(const char *path, char picture[BL_FIGURE_HASH])
{
	struct stat st;
	size_t n;
	if (stat(path, &st) == 0 && st.st_size > FILE_MOST)
		return bl_fail_null("%s: a file of %lld MB is not a figure by barlow", path, (long long)st.st_size >> 20);
	void *all = bl_file_read(path, &n);
	if (!all)
		return NULL;
	char *record = bl_figure_record_of(all, n, picture);
	free(all);
	if (!record)
		bl_fail_prefix("%s: ", path);
	return record;
}
