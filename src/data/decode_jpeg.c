/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * decode_jpeg.c: decodes JPEG files with libjpeg-turbo: only the rows and columns that are needed, at scale 1/2, 1/4 or
 * 1/8 if that suffices (the inverse transform of a block of 8 x 8 then yields 4, 2 or 1 pixels per side).
 *
 * Damage about which the library only warns is accepted, as in other programs, but an image whose data end too early is
 * refused.
 */
#include "base/bounded.h"
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

enum {
	MOST_SCANS = 200, /* of a progressive file; each scan is a pass over the whole image */
	ROWS_AT_ONCE = 16,
	CONTEXT = 2, /* columns on either side of the window, for the interpolation of chroma */
};
#define MOST_MEMORY (700L << 20) /* a progressive image of 100 million pixels without subsampling */

typedef struct job {
	struct jpeg_decompress_struct c;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf escape; /* an error handler must not return to the library */
	bl_encoded *e;
	bl_image *out;
	bl_window window;
	uint8_t *pixels;
} job;

static job *job_of(bl_encoded *e)
{
	_Static_assert(sizeof(job) <= BL_DECODER_BYTES, "the decoder's state fits into bl_encoded");
	return (job *)(void *)e->decoder;
}

static void escape_at(job *j, size_t at, const char *reason)
{
	bl_fail("byte %zu: %s", at, reason);
	longjmp(j->escape, 1);
}

static void escape(job *j, const char *reason)
{
	escape_at(j, j->c.src ? j->e->n - j->c.src->bytes_in_buffer : 0, reason);
}

static void on_error(j_common_ptr c)
{
	char reason[JMSG_LENGTH_MAX];
	c->err->format_message(c, reason);
	escape(c->client_data, reason);
}

static void on_message(j_common_ptr c, int level)
{
	job *j = c->client_data;
	if (level < 0 && c->err->msg_code == JWRN_JPEG_EOF)
		escape_at(j, j->e->n, "the file ends within the image");
	if (level < 0 && c->err->msg_code == JWRN_HIT_MARKER)
		escape(j, "the image's data end too early");
}

static void on_progress(j_common_ptr c)
{
	if (((j_decompress_ptr)c)->input_scan_number > MOST_SCANS)
		escape(c->client_data, "more than 200 scans, which no ordinary file has");
}

static void open_library(job *j)
{
	j->c.err = jpeg_std_error(&j->errors);
	j->c.client_data = j;
	j->errors.error_exit = on_error;
	j->errors.emit_message = on_message;
	jpeg_create_decompress(&j->c);
	j->progress.progress_monitor = on_progress;
	j->c.progress = &j->progress;
	j->c.mem->max_memory_to_use = MOST_MEMORY;
	jpeg_mem_src(&j->c, j->e->bytes, j->e->n);
}

/* The library converts everything but CMYK to grey or RGB; put_cmyk converts CMYK. */
static void choose_colours(job *j)
{
	J_COLOR_SPACE in = j->c.jpeg_color_space;
	if (in == JCS_UNKNOWN)
		escape(j, "components of unknown meaning, expected grey, RGB, YCbCr, CMYK or YCCK");
	j->c.out_color_space = j->e->options.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
	if (in == JCS_CMYK || in == JCS_YCCK)
		j->c.out_color_space = JCS_CMYK;
}

static int reduced(int n, int eighths)
{
	return (n * eighths + 7) / 8;
}

/* Crops the columns.  The library moves the left edge to the start of a block, and returns the new edge in `left`. */
static void choose_columns(job *j, int eighths)
{
	int width = (int)j->c.output_width;
	int from = (int)bl_bounded(j->window.left * eighths / 8 - CONTEXT, 0, width);
	int to = (int)bl_bounded(reduced(j->window.left + j->window.width, eighths) + CONTEXT, 0, width);
	JDIMENSION left = (JDIMENSION)from, n = (JDIMENSION)(to - from);
	if (to - from < width)
		jpeg_crop_scanline(&j->c, &left, &n);
	else
		left = 0;
	j->out->part.left = (int)left;
	j->out->part.width = (int)j->c.output_width;
}

/* a * b / 255, rounded as in PIL. */
static unsigned part_of(unsigned a, unsigned b)
{
	unsigned v = a * b + 128;
	return ((v >> 8) + v) >> 8;
}

/*
 * Converts CMYK to the wanted channels.  255 means no ink, as Adobe writes it.  Files without Adobe's marker are read
 * in the same way, as PIL does, because nearly all of them are inverted, too.
 */
static void put_cmyk(const job *j, const uint8_t *in, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++, in += 4) {
		uint8_t rgb[3];
		for (int k = 0; k < 3; k++)
			rgb[k] = (uint8_t)(in[3] - part_of(255u - in[k], in[3]));
		bl_decode_convert(rgb, 3, out + i * (size_t)j->e->options.channels, j->e->options.channels, 1);
	}
}

/* Reads up to n rows, the first of which is row `at` of the part, and returns their number. */
static int read_rows(job *j, int at, int n, uint8_t *cmyk)
{
	size_t width = j->c.output_width, pitch = width * (size_t)j->e->options.channels;
	JSAMPROW rows[ROWS_AT_ONCE];
	for (int i = 0; i < n; i++)
		rows[i] = cmyk ? cmyk + (size_t)i * width * 4 : j->pixels + (size_t)(at + i) * pitch;
	int got = (int)jpeg_read_scanlines(&j->c, rows, (JDIMENSION)n);
	if (got < 1)
		escape(j, "rows are missing");
	for (int i = 0; cmyk && i < got; i++)
		put_cmyk(j, rows[i], j->pixels + (size_t)(at + i) * pitch, width);
	return got;
}

static int read_part(job *j)
{
	uint8_t *cmyk = NULL;
	if (j->c.out_color_space == JCS_CMYK && !(cmyk = bl_scratch(SLOT_ROWS, (size_t)ROWS_AT_ONCE * 4 * j->c.output_width)))
		return -1;
	if (j->out->part.top > 0)
		jpeg_skip_scanlines(&j->c, (JDIMENSION)j->out->part.top);
	for (int y = 0; y < j->out->part.height;) {
		int left = j->out->part.height - y;
		y += read_rows(j, y, left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE, cmyk);
	}
	j->out->pixels = j->pixels;
	return 0;
}

static int read_header(job *j)
{
	open_library(j);
	jpeg_read_header(&j->c, TRUE);
	j->e->height = (int)j->c.image_height;
	j->e->width = (int)j->c.image_width;
	return 0;
}

static int decode(job *j)
{
	int eighths = 8;
	while (!j->e->options.full_scale && eighths > 1 && (float)eighths / 2 >= 8 * j->window.scale)
		eighths /= 2;
	choose_colours(j);
	j->c.scale_num = (unsigned)eighths;
	j->c.scale_denom = 8;
	jpeg_start_decompress(&j->c);
	choose_columns(j, eighths);
	int from = j->window.top * eighths / 8, to = reduced(j->window.top + j->window.height, eighths);
	bool all = eighths == 8 && from == 0 && to == j->out->height && j->out->part.width == j->out->width;
	j->out->part.eighths = all ? 0 : eighths;
	j->out->part.top = from;
	j->out->part.height = to - from;
	j->pixels = bl_decode_room(j->out);
	return j->pixels ? read_part(j) : -1;
}

/* Calls work(j).  Errors of the library return here by longjmp. */
static int guarded(job *j, int (*work)(job *))
{
	return setjmp(j->escape) == 0 ? work(j) : -1;
}

static int open_jpeg(bl_encoded *e)
{
	job *j = job_of(e);
	*j = (job){ .e = e };
	return guarded(j, read_header);
}

static int read_jpeg(bl_encoded *e, const bl_window *w, bl_image *out)
{
	job *j = job_of(e);
	j->window = *w;
	j->out = out;
	return guarded(j, decode);
}

static void close_jpeg(bl_encoded *e)
{
	jpeg_destroy_decompress(&job_of(e)->c);
}

static bool is_jpeg(const uint8_t *b, size_t n)
{
	return n >= 3 && b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff;
}

/* The EXIF block is in an APP1 segment before the pixels. */
static const uint8_t *exif_of(const bl_encoded *e, size_t *n)
{
	const uint8_t *b = e->bytes;
	for (size_t at = 2; at + 4 <= e->n && b[at] == 0xff && b[at + 1] != 0xda;) {
		size_t length = (size_t)b[at + 2] << 8 | b[at + 3];
		if (length < 2 || length > e->n - at - 2)
			return NULL;
		if (b[at + 1] == 0xe1 && length > 8 && memcmp(b + at + 4, "Exif\0", 6) == 0) {
			*n = length - 8;
			return b + at + 10;
		}
		at += 2 + length;
	}
	return NULL;
}

const bl_format bl_format_jpeg = {
	.name = "JPEG",
	.endings = "jpg jpeg jfif jpe",
	.is = is_jpeg,
	.open = open_jpeg,
	.read = read_jpeg,
	.close = close_jpeg,
	.exif = exif_of,
};
