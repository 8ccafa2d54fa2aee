/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * decode_tiff.c: decodes the first image of TIFF files with libtiff.  Grey and RGB images of 8 or 16 bits, with or
 * without alpha, are read directly.  libtiff converts all others (palettes, CMYK, tiles, separate planes) to RGB; their
 * alpha is ignored.
 */
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <stdio.h>
#include <string.h>
#include <tiffio.h>

enum { REASON = 256 };
#define MOST_MEMORY (700L << 20)

typedef struct job {
	TIFF *tiff;
	const bl_encoded *e;
	uint64_t at;         /* offset of the next read */
	char reason[REASON]; /* the library's first error */
	uint16_t bits, samples, photometric;
} job;

static job *job_of(bl_encoded *e)
{
	_Static_assert(sizeof(job) <= BL_DECODER_BYTES, "the decoder's state fits into bl_encoded");
	return (job *)(void *)e->decoder;
}

/* --- A file in memory --- */

static tmsize_t on_read(thandle_t handle, void *out, tmsize_t n)
{
	job *j = handle;
	uint64_t left = j->at < j->e->n ? j->e->n - j->at : 0, take = n < 0 ? 0 : (uint64_t)n < left ? (uint64_t)n : left;
	if (take)
		memcpy(out, j->e->bytes + j->at, take);
	j->at += take;
	return (tmsize_t)take;
}

static tmsize_t on_write(thandle_t handle, void *bytes, tmsize_t n)
{
	(void)handle, (void)bytes, (void)n;
	return 0;
}

static toff_t on_seek(thandle_t handle, toff_t to, int whence)
{
	job *j = handle;
	j->at = whence == SEEK_SET ? to : whence == SEEK_CUR ? j->at + to : j->e->n + to;
	return j->at;
}

static int on_close(thandle_t handle)
{
	(void)handle;
	return 0;
}

static toff_t on_size(thandle_t handle)
{
	return ((const job *)handle)->e->n;
}

/* Records the first error for our message.  Nothing is written to standard error. */
static int on_error(TIFF *tiff, void *handle, const char *module, const char *format, va_list arguments)
{
	job *j = handle;
	(void)tiff, (void)module;
	if (!j->reason[0])
		vsnprintf(j->reason, sizeof j->reason, format, arguments);
	return 1;
}

/* One warning is treated as an error: a tag, such as the palette, that lies behind the end of the file. */
static int on_warning(TIFF *tiff, void *handle, const char *module, const char *format, va_list arguments)
{
	return strstr(format, "IO error during reading") ? on_error(tiff, handle, module, format, arguments) : 1;
}

static int fail_library(const job *j, const char *otherwise)
{
	return bl_fail("TIFF: %s", j->reason[0] ? j->reason : otherwise);
}

/* --- Reading --- */

static bool is_tiff(const uint8_t *b, size_t n)
{
	return n >= 8 && (memcmp(b, "II*\0", 4) == 0 || memcmp(b, "MM\0*", 4) == 0 || memcmp(b, "II+\0", 4) == 0 ||
	                  memcmp(b, "MM\0+", 4) == 0);
}

static int open_library(job *j)
{
	TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
	if (!o)
		return bl_fail("no memory for libtiff");
	TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, j);
	TIFFOpenOptionsSetWarningHandlerExtR(o, on_warning, j);
	TIFFOpenOptionsSetMaxSingleMemAlloc(o, MOST_MEMORY);
	j->tiff = TIFFClientOpenExt("image", "rm", j, on_read, on_write, on_seek, on_close, on_size, NULL, NULL, o);
	TIFFOpenOptionsFree(o);
	return j->tiff ? 0 : fail_library(j, "its header is damaged");
}

static int open_tiff(bl_encoded *e)
{
	job *j = job_of(e);
	uint32_t width = 0, height = 0;
	*j = (job){ .e = e };
	if (open_library(j) < 0)
		return -1;
	TIFFGetField(j->tiff, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(j->tiff, TIFFTAG_IMAGELENGTH, &height);
	e->width = width > INT32_MAX ? INT32_MAX : (int)width;
	e->height = height > INT32_MAX ? INT32_MAX : (int)height;
	return 0;
}

/* Can rows be read directly?  libtiff converts all other images.  Sets bits, samples and photometric. */
static bool is_plain(job *j)
{
	uint16_t planes = 0, format = 0;
	TIFFGetFieldDefaulted(j->tiff, TIFFTAG_BITSPERSAMPLE, &j->bits);
	TIFFGetFieldDefaulted(j->tiff, TIFFTAG_SAMPLESPERPIXEL, &j->samples);
	TIFFGetFieldDefaulted(j->tiff, TIFFTAG_PLANARCONFIG, &planes);
	TIFFGetFieldDefaulted(j->tiff, TIFFTAG_SAMPLEFORMAT, &format);
	if (!TIFFGetField(j->tiff, TIFFTAG_PHOTOMETRIC, &j->photometric))
		return false;
	bool grey = j->photometric == PHOTOMETRIC_MINISBLACK && (j->samples == 1 || j->samples == 2);
	bool colour = j->photometric == PHOTOMETRIC_RGB && (j->samples == 3 || j->samples == 4);
	uint64_t row = (uint64_t)j->e->width * j->samples * j->bits / 8;
	return (grey || colour) && (j->bits == 8 || j->bits == 16) && planes == PLANARCONFIG_CONTIG &&
	       format == SAMPLEFORMAT_UINT && !TIFFIsTiled(j->tiff) && TIFFScanlineSize64(j->tiff) == row;
}

/* Converts n samples of 16 bits to 8 bits in place. */
static void narrow(uint8_t *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t v;
		memcpy(&v, row + 2 * i, sizeof v);
		row[i] = (uint8_t)((v * 255u + 32767u) / 65535u);
	}
}

static int read_plain(job *j, uint8_t *pixels)
{
	size_t n = (size_t)j->e->width * j->samples, pitch = (size_t)j->e->width * (size_t)j->e->options.channels;
	uint8_t *row = bl_scratch(SLOT_ROWS, n * j->bits / 8);
	for (int y = 0; row && y < j->e->height; y++) {
		if (TIFFReadScanline(j->tiff, row, (uint32_t)y, 0) < 0)
			return fail_library(j, "rows are missing");
		if (j->bits == 16)
			narrow(row, n);
		bl_decode_put(j->e, row, j->samples, pixels + (size_t)y * pitch, (size_t)j->e->width);
	}
	return row ? 0 : -1;
}

/* Reads the image as it is stored, without turning, because decode.c applies the orientation. */
static int read_converted(job *j, uint8_t *pixels)
{
	char why[1024] = "";
	uint16_t orientation = ORIENTATION_TOPLEFT;
	size_t n = (size_t)j->e->width * (size_t)j->e->height;
	uint32_t *raster = bl_scratch(SLOT_ROWS, n * sizeof *raster);
	if (!raster)
		return -1;
	if (!TIFFRGBAImageOK(j->tiff, why))
		return bl_fail("TIFF: %s", why);
	TIFFGetFieldDefaulted(j->tiff, TIFFTAG_ORIENTATION, &orientation);
	if (!TIFFReadRGBAImageOriented(j->tiff, (uint32_t)j->e->width, (uint32_t)j->e->height, raster, orientation, 1))
		return fail_library(j, "its pixels are damaged");
	for (size_t i = 0; i < n; i++) {
		uint8_t rgb[3] = { (uint8_t)TIFFGetR(raster[i]), (uint8_t)TIFFGetG(raster[i]), (uint8_t)TIFFGetB(raster[i]) };
		bl_decode_put(j->e, rgb, 3, pixels + i * (size_t)j->e->options.channels, 1);
	}
	return 0;
}

static int read_tiff(bl_encoded *e, const bl_window *w, bl_image *out)
{
	job *j = job_of(e);
	uint8_t *pixels = bl_decode_room(out);
	(void)w;
	out->pixels = pixels;
	if (!pixels)
		return -1;
	if ((is_plain(j) ? read_plain(j, pixels) : read_converted(j, pixels)) < 0)
		return -1;
	/* The library reports success after some of its errors. */
	return j->reason[0] ? fail_library(j, j->reason) : 0;
}

static void close_tiff(bl_encoded *e)
{
	if (job_of(e)->tiff)
		TIFFClose(job_of(e)->tiff);
}

static const uint8_t *exif_of(const bl_encoded *e, size_t *n)
{
	*n = e->n;
	return e->bytes;
}

const bl_format bl_format_tiff = {
	.name = "TIFF",
	.endings = "tif tiff",
	.is = is_tiff,
	.open = open_tiff,
	.read = read_tiff,
	.close = close_tiff,
	.exif = exif_of,
};
