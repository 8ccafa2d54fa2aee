/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pictures.h: JPEG and PNG files for tests, written with the libraries themselves. */
#ifndef BARLOW_TESTS_C_PICTURES_H
#define BARLOW_TESTS_C_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Paints a picture (H,W,C) of smooth waves; with `detailed` it also has fine stripes, edges and grain. */
uint8_t *pictures_paint(int height, int width, int channels, bool detailed, unsigned seed); /* the caller frees it */

typedef struct pictures_jpeg {
	int height, width, channels; /* channels: 1, 3, or 4 for CMYK */
	int sampling;                /* of chroma: 1 (1 x 1) or 2 (2 x 2) */
	bool progressive;
	bool ycck;     /* 4 channels are stored as YCCK */
	bool unmarked; /* 4 channels have no Adobe marker */
	int quality;   /* 0 selects 95 */
} pictures_jpeg;
void pictures_write_jpeg(const char *path, const pictures_jpeg *j, const uint8_t *pixels);

typedef struct pictures_png {
	int height, width;
	int type, depth; /* as in png.h: PICTURES_GREY, ..., 1 to 16 bits */
	bool interlaced;
	bool transparent; /* it has a tRNS chunk for half of the palette, or for one colour */
} pictures_png;
enum { PICTURES_GREY = 0, PICTURES_RGB = 2, PICTURES_PALETTE = 3, PICTURES_GREY_ALPHA = 4, PICTURES_RGB_ALPHA = 6 };

/* The rows are in the format of the file, each a whole number of bytes; the palette maps i to (i, 255 - i, i / 2). */
void pictures_write_png(const char *path, const pictures_png *p, const uint8_t *rows);
/* The number of bytes of a row. */
size_t pictures_pitch(const pictures_png *p);

#endif
