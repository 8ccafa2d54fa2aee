/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pictures.c: JPEG and PNG files for tests. */
#include "pictures.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <png.h>

static FILE *create(const char *path)
{
	FILE *f = fopen(path, "wb");
	if (!f)
		fail_msg("%s cannot be written", path);
	return f;
}

/* clamps to 0..255 */
static double level(double x, double y, int channel, bool detailed, unsigned *grain)
{
	double v = 128 + 50 * sin(x * 6 + channel) + 40 * cos(y * 9 - x * 4 + 2 * channel);
	if (!detailed)
		return v;
	*grain = *grain * 1103515245u + 12345u;
	v += 30 * sin(x * 300) * sin(y * 250) + ((int)(x * 11) + (int)(y * 9)) % 2 * 60 - 30;
	return v + (double)(*grain >> 16 & 31) - 16;
}

uint8_t *pictures_paint(int height, int width, int channels, bool detailed, unsigned seed)
{
	uint8_t *p = malloc((size_t)height * (size_t)width * (size_t)channels), *at = p;
	double longer = height > width ? height : width;
	assert_non_null(p);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			for (int c = 0; c < channels; c++) {
				double v = level(x / longer + seed % 7, y / longer, c, detailed, &seed);
				*at++ = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
			}
	return p;
}

static void set_jpeg(struct jpeg_compress_struct *c, const pictures_jpeg *j)
{
	static const J_COLOR_SPACE spaces[] = { JCS_UNKNOWN, JCS_GRAYSCALE, JCS_UNKNOWN, JCS_RGB, JCS_CMYK };
	c->image_width = (JDIMENSION)j->width;
	c->image_height = (JDIMENSION)j->height;
	c->input_components = j->channels;
	c->in_color_space = spaces[j->channels];
	jpeg_set_defaults(c);
	jpeg_set_quality(c, j->quality ? j->quality : 95, TRUE);
	if (j->channels == 4)
		jpeg_set_colorspace(c, j->ycck ? JCS_YCCK : JCS_CMYK);
	if (j->unmarked)
		c->write_Adobe_marker = FALSE;
	if (j->channels == 3)
		c->comp_info[0].h_samp_factor = c->comp_info[0].v_samp_factor = j->sampling;
	if (j->progressive)
		jpeg_simple_progression(c);
}

void pictures_write_jpeg(const char *path, const pictures_jpeg *j, const uint8_t *pixels)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr errors;
	FILE *f = create(path);
	c.err = jpeg_std_error(&errors);
	jpeg_create_compress(&c);
	jpeg_stdio_dest(&c, f);
	set_jpeg(&c, j);
	jpeg_start_compress(&c, TRUE);
	for (int y = 0; y < j->height; y++) {
		JSAMPROW row = (JSAMPROW)pixels + (size_t)y * (size_t)j->width * (size_t)j->channels;
		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	fclose(f);
}

size_t pictures_pitch(const pictures_png *p)
{
	static const int samples[] = { 1, 0, 3, 1, 2, 0, 4 };
	return ((size_t)p->width * (size_t)(samples[p->type] * p->depth) + 7) / 8;
}

static void set_palette(png_structp png, png_infop info, const pictures_png *p)
{
	png_color colours[256];
	png_byte alpha[256];
	int n = 1 << p->depth;
	for (int i = 0; i < n; i++) {
		colours[i] = (png_color){ (png_byte)i, (png_byte)(255 - i), (png_byte)(i / 2) };
		alpha[i] = (png_byte)(i % 2 ? 255 : 0);
	}
	png_set_PLTE(png, info, colours, n);
	if (p->transparent)
		png_set_tRNS(png, info, alpha, n, NULL);
}

void pictures_write_png(const char *path, const pictures_png *p, const uint8_t *rows)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_color_16 clear = { .red = 3, .green = 3, .blue = 3, .gray = 1 };
	FILE *f = create(path);
	png_init_io(png, f);
	png_set_IHDR(png, info, (png_uint_32)p->width, (png_uint_32)p->height, p->depth, p->type,
	             p->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
	             PNG_FILTER_TYPE_DEFAULT);
	if (p->type == PICTURES_PALETTE)
		set_palette(png, info, p);
	else if (p->transparent)
		png_set_tRNS(png, info, NULL, 0, &clear);
	png_write_info(png, info);
	int passes = png_set_interlace_handling(png);
	for (int pass = 0; pass < passes; pass++)
		for (int y = 0; y < p->height; y++)
			png_write_row(png, rows + (size_t)y * pictures_pitch(p));
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	fclose(f);
}
