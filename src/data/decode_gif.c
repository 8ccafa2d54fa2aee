/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode_gif.c: decodes the first frame of GIF files with giflib, and fills the area around the frame as PIL does. */
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <gif_lib.h>
#include <string.h>

enum { COLOURS = 256, RGBA = 4 };

typedef struct job {
	GifFileType *gif;
	const bl_encoded *e;
	size_t at;       /* bytes read so far */
	int transparent; /* index of the transparent colour, or NO_TRANSPARENT_COLOR */
} job;

static job *job_of(bl_encoded *e)
{
	_Static_assert(sizeof(job) <= BL_DECODER_BYTES, "the decoder's state fits into bl_encoded");
	return (job *)(void *)e->decoder;
}

static int on_read(GifFileType *gif, GifByteType *out, int n)
{
	job *j = gif->UserData;
	size_t left = j->e->n - j->at, take = n < 0 ? 0 : (size_t)n < left ? (size_t)n : left;
	memcpy(out, j->e->bytes + j->at, take);
	j->at += take;
	return (int)take;
}

static int fail_library(const job *j, int code)
{
	const char *text = GifErrorString(code);
	if (j->at == j->e->n)
		return bl_fail("byte %zu: the file ends within the image", j->at);
	return bl_fail("byte %zu: %s", j->at, text ? text : "its GIF data are damaged");
}

static bool is_gif(const uint8_t *b, size_t n)
{
	return n >= 6 && (memcmp(b, "GIF87a", 6) == 0 || memcmp(b, "GIF89a", 6) == 0);
}

static int open_gif(bl_encoded *e)
{
	job *j = job_of(e);
	int code = 0;
	*j = (job){ .e = e, .transparent = NO_TRANSPARENT_COLOR };
	j->gif = DGifOpen(j, on_read, &code);
	if (!j->gif)
		return fail_library(j, code);
	e->height = j->gif->SHeight;
	e->width = j->gif->SWidth;
	return 0;
}

/* Reads an extension before the frame.  The graphics control extension names the transparent colour. */
static int read_extension(job *j)
{
	int code;
	GifByteType *block;
	GraphicsControlBlock control;
	if (DGifGetExtension(j->gif, &code, &block) != GIF_OK)
		return fail_library(j, j->gif->Error);
	if (code == GRAPHICS_EXT_FUNC_CODE && block && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
		j->transparent = control.TransparentColor;
	while (block)
		if (DGifGetExtensionNext(j->gif, &block) != GIF_OK)
			return fail_library(j, j->gif->Error);
	return 0;
}

static int find_frame(job *j)
{
	GifRecordType type;
	for (;;) {
		if (DGifGetRecordType(j->gif, &type) != GIF_OK)
			return fail_library(j, j->gif->Error);
		if (type == TERMINATE_RECORD_TYPE)
			return bl_fail("byte %zu: a GIF file without a frame", j->at);
		if (type == IMAGE_DESC_RECORD_TYPE)
			return DGifGetImageDesc(j->gif) == GIF_OK ? 0 : fail_library(j, j->gif->Error);
		if (type == EXTENSION_RECORD_TYPE && read_extension(j) < 0)
			return -1;
	}
}

static int read_palette(const job *j, uint8_t palette[COLOURS][RGBA])
{
	const ColorMapObject *map = j->gif->Image.ColorMap ? j->gif->Image.ColorMap : j->gif->SColorMap;
	if (!map)
		return bl_fail("byte %zu: a GIF file without a palette", j->at);
	memset(palette, 0, COLOURS * RGBA);
	for (int i = 0; i < COLOURS; i++) {
		if (i < map->ColorCount)
			memcpy(palette[i], (uint8_t[]){ map->Colors[i].Red, map->Colors[i].Green, map->Colors[i].Blue }, 3);
		palette[i][3] = i == j->transparent ? 0 : 255;
	}
	return 0;
}

/* Writes the part of row y of the frame that lies within the image. */
static void put_row(const job *j, const GifPixelType *line, int y, uint8_t palette[COLOURS][RGBA], uint8_t *pixels)
{
	const bl_encoded *e = j->e;
	const GifImageDesc *frame = &j->gif->Image;
	int row = frame->Top + y;
	for (int x = 0; row < e->height && x < frame->Width && frame->Left + x < e->width; x++)
		bl_decode_put(e, palette[line[x]], RGBA,
		              pixels + ((size_t)row * (size_t)e->width + (size_t)(frame->Left + x)) * (size_t)e->options.channels,
		              1);
}

static int read_rows(job *j, uint8_t palette[COLOURS][RGBA], uint8_t *pixels)
{
	static const int first[] = { 0, 4, 2, 1 }, every[] = { 8, 8, 4, 2 };
	const GifImageDesc *frame = &j->gif->Image;
	GifPixelType *line = bl_scratch(SLOT_ROWS, (size_t)frame->Width + 1);
	if (!line)
		return -1;
	for (int pass = 0; pass < (frame->Interlace ? 4 : 1); pass++)
		for (int y = frame->Interlace ? first[pass] : 0; y < frame->Height; y += frame->Interlace ? every[pass] : 1) {
			if (DGifGetLine(j->gif, line, frame->Width) != GIF_OK)
				return fail_library(j, j->gif->Error);
			put_row(j, line, y, palette, pixels);
		}
	return 0;
}

static int read_gif(bl_encoded *e, const bl_window *w, bl_image *out)
{
	job *j = job_of(e);
	uint8_t palette[COLOURS][RGBA];
	(void)w;
	uint8_t *pixels = bl_decode_room(out);
	if (!pixels || find_frame(j) < 0 || read_palette(j, palette) < 0)
		return -1;
	const uint8_t *fill = palette[j->transparent == NO_TRANSPARENT_COLOR ? 0 : j->transparent & 255];
	for (size_t i = 0; i < (size_t)e->height * (size_t)e->width; i++)
		bl_decode_put(e, fill, RGBA, pixels + i * (size_t)e->options.channels, 1);
	out->pixels = pixels;
	return read_rows(j, palette, pixels);
}

static void close_gif(bl_encoded *e)
{
	int code;
	if (job_of(e)->gif)
		DGifCloseFile(job_of(e)->gif, &code);
}

const bl_format bl_format_gif = {
	.name = "GIF",
	.endings = "gif",
	.is = is_gif,
	.open = open_gif,
	.read = read_gif,
	.close = close_gif,
};
