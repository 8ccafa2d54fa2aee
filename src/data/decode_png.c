/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * decode_png.c: decodes PNG files with libpng row by row, down to the last row that is needed, and stores only the
 * window.  An interlaced file is decoded as a whole.
 */
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <png.h>
#include <setjmp.h>
#include <string.h>

typedef struct job {
	png_structp png;
	png_infop info;
	jmp_buf escape;
	bl_encoded *e;
	size_t at; /* bytes read so far */
	bl_image *out;
	bl_window window;
	int channels; /* of libpng's rows: 1 to 4 */
	uint8_t *pixels, *rows;
} job;

static job *job_of(bl_encoded *e)
{
	_Static_assert(sizeof(job) <= BL_DECODER_BYTES, "the decoder's state fits into bl_encoded");
	return (job *)(void *)e->decoder;
}

static void on_error(png_structp png, png_const_charp reason)
{
	job *j = png_get_error_ptr(png);
	bl_fail("byte %zu: %s", j->at, reason);
	longjmp(j->escape, 1);
}

static void on_warning(png_structp png, png_const_charp reason)
{
	(void)png, (void)reason;
}

static void on_read(png_structp png, png_bytep out, size_t n)
{
	job *j = png_get_io_ptr(png);
	if (n > j->e->n - j->at)
		png_error(png, "the file ends within the image");
	memcpy(out, j->e->bytes + j->at, n);
	j->at += n;
}

/* Chunks that do not affect pixels are skipped without being unpacked: compressed text and profiles may be huge. */
static int open_library(job *j)
{
	j->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, j, on_error, on_warning);
	j->info = j->png ? png_create_info_struct(j->png) : NULL;
	if (!j->info)
		return bl_fail("no memory for libpng");
	png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_set_read_fn(j->png, j, on_read);
	png_read_info(j->png, j->info);
	return 0;
}

/* Makes libpng convert any file to grey or RGB of 8 bits, with alpha if the options need it. */
static void choose_colours(job *j)
{
	int type = png_get_color_type(j->png, j->info), depth = png_get_bit_depth(j->png, j->info);
	bool alpha = j->e->options.over && ((type & PNG_COLOR_MASK_ALPHA) || png_get_valid(j->png, j->info, PNG_INFO_tRNS));
	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_palette_to_rgb(j->png);
	if (type == PNG_COLOR_TYPE_GRAY && depth < 8)
		png_set_expand_gray_1_2_4_to_8(j->png);
	if (alpha && !(type & PNG_COLOR_MASK_ALPHA))
		png_set_tRNS_to_alpha(j->png);
	if (depth == 16)
		png_set_scale_16(j->png);
	if (!alpha)
		png_set_strip_alpha(j->png);
	j->channels = (type & PNG_COLOR_MASK_COLOR ? 3 : 1) + alpha;
}

static void choose_part(job *j)
{
	const bl_window *r = &j->window;
	if (r->height == j->out->height && r->width == j->out->width)
		return;
	j->out->part.eighths = 8;
	j->out->part.top = r->top;
	j->out->part.left = r->left;
	j->out->part.height = r->height;
	j->out->part.width = r->width;
}

/* Stores row y of the image if it lies in the window. */
static void keep_row(const job *j, const uint8_t *row, int y)
{
	const bl_window *r = &j->window;
	size_t width = (size_t)r->width, pitch = width * (size_t)j->e->options.channels;
	if (y >= r->top && y < r->top + r->height)
		bl_decode_put(j->e, row + (size_t)r->left * (size_t)j->channels, j->channels,
		              j->pixels + (size_t)(y - r->top) * pitch, width);
}

static void read_in_order(job *j)
{
	for (int y = 0; y < j->window.top + j->window.height; y++) {
		png_read_row(j->png, j->rows, NULL);
		keep_row(j, j->rows, y);
	}
}

static void read_interlaced(job *j, int passes, size_t pitch)
{
	for (int pass = 0; pass < passes; pass++)
		for (int y = 0; y < j->out->height; y++)
			png_read_row(j->png, j->rows + (size_t)y * pitch, NULL);
	for (int y = 0; y < j->out->height; y++)
		keep_row(j, j->rows + (size_t)y * pitch, y);
}

static int read_part(job *j)
{
	int passes = png_set_interlace_handling(j->png);
	png_read_update_info(j->png, j->info);
	size_t pitch = png_get_rowbytes(j->png, j->info);
	j->rows = bl_scratch(SLOT_ROWS, passes > 1 ? pitch * (size_t)j->out->height : pitch);
	j->pixels = bl_decode_room(j->out);
	if (!j->rows || !j->pixels)
		return -1;
	if (passes > 1)
		read_interlaced(j, passes, pitch);
	else
		read_in_order(j);
	j->out->pixels = j->pixels;
	return 0;
}

static int read_header(job *j)
{
	if (open_library(j) < 0)
		return -1;
	j->e->height = (int)png_get_image_height(j->png, j->info);
	j->e->width = (int)png_get_image_width(j->png, j->info);
	return 0;
}

static int decode(job *j)
{
	choose_colours(j);
	choose_part(j);
	return read_part(j);
}

/* Calls work(j).  Errors of the library return here by longjmp. */
static int guarded(job *j, int (*work)(job *))
{
	return setjmp(j->escape) == 0 ? work(j) : -1;
}

static int open_png(bl_encoded *e)
{
	job *j = job_of(e);
	*j = (job){ .e = e };
	return guarded(j, read_header);
}

static int read_png(bl_encoded *e, const bl_window *w, bl_image *out)
{
	job *j = job_of(e);
	j->window = *w;
	j->out = out;
	return guarded(j, decode);
}

static void close_png(bl_encoded *e)
{
	job *j = job_of(e);
	png_destroy_read_struct(&j->png, &j->info, NULL);
}

static bool is_png(const uint8_t *b, size_t n)
{
	return n >= 8 && memcmp(b, "\x89PNG\r\n\x1a\n", 8) == 0;
}

/* A chunk consists of length, type, data and checksum.  The eXIf chunk may precede or follow the pixels. */
static const uint8_t *exif_of(const bl_encoded *e, size_t *n)
{
	const uint8_t *b = e->bytes;
	for (size_t at = 8; e->n - at >= 12;) {
		size_t length = (size_t)b[at] << 24 | (size_t)b[at + 1] << 16 | (size_t)b[at + 2] << 8 | b[at + 3];
		if (length > e->n - at - 12)
			return NULL;
		if (memcmp(b + at + 4, "eXIf", 4) == 0) {
			*n = length;
			return b + at + 8;
		}
		at += 12 + length;
	}
	return NULL;
}

const bl_format bl_format_png = {
	.name = "PNG",
	.endings = "png",
	.is = is_png,
	.open = open_png,
	.read = read_png,
	.close = close_png,
	.exif = exif_of,
};
