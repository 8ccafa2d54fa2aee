/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode.h: decodes image files; their first bytes select the format. */
#ifndef BARLOW_DATA_DECODE_H
#define BARLOW_DATA_DECODE_H

#include "data/marks.h"

#include <barlow/augment.h>

/* bl_scratch slots 8 to 11 belong to the decoders. */
enum { SLOT_FILE = 8, SLOT_PIXELS, SLOT_ROWS, SLOT_TURNED };

enum { BL_DECODER_BYTES = 1280 };

typedef struct bl_format bl_format;

/* How the images of a data set are decoded. */
typedef struct bl_decode_options {
	int channels;      /* 1 or 3 */
	bool full_scale;   /* decode at full size, even if a reduced copy would suffice for the window */
	bool orient;       /* turn the image as its EXIF orientation says */
	bool over;         /* composite transparent pixels over `ground`; else ignore alpha */
	uint8_t ground[3]; /* red, green, blue */
} bl_decode_options;

/*
 * An open file: its bytes are read and its size is known, but its pixels are not decoded yet.  The struct must not be
 * moved while it is open.
 */
typedef struct bl_encoded {
	const uint8_t *bytes;
	size_t n;
	int height, width; /* of the turned image; in the functions of a format: before turning */
	bl_decode_options options;
	int orientation; /* 1 to 8 as in EXIF; 1: the image is not turned */
	const bl_format *format;
	_Alignas(16) unsigned char decoder[BL_DECODER_BYTES]; /* private to the format */
} bl_encoded;

/*
 * Opens a file.  The file's bytes, and later its pixels, are in the thread's scratch memory until it opens the next
 * file.  Negative with bl_error, also if the file has changed since *as_it_was (NULL: any file is accepted); after a
 * failure, nothing has to be closed.  Messages state the reason, and where possible the byte; the caller adds the path.
 */
int bl_decode_open(bl_encoded *e, const char *path, const bl_decode_options *options, const bl_mark *as_it_was);
/* The same for n bytes in memory, which must stay valid until the image is closed. */
int bl_decode_open_bytes(bl_encoded *e, const uint8_t *bytes, size_t n, const bl_decode_options *options);
/*
 * Decodes at least the window, at no less than its scale; may be called once.  *out becomes the whole image or a part.
 */
int bl_decode_read(bl_encoded *e, const bl_window *w, bl_image *out);
void bl_decode_close(bl_encoded *e);

/*
 * bl_decode_is_named: does the name end in one of the endings ("jpg png") or, if endings is NULL, in an ending of any
 * format? bl_decode_endings writes the endings of all formats into buf, for messages: ".jpg, .jpeg, ... or .pnm".
 */
bool bl_decode_is_named(const char *name, const char *endings);
const char *bl_decode_endings(char *buf, size_t size);

/* A format: a const table at the end of its file, listed in decode.c. */
struct bl_format {
	const char *name, *endings;                 /* "JPEG"; endings of file names: "jpg jpeg" */
	bool (*is)(const uint8_t *bytes, size_t n); /* do the bytes begin as this format does? */
	/*
	 * Sets height and width, which the caller checks.  Negative with bl_error; close is called in this case, too.
	 */
	int (*open)(bl_encoded *e);
	int (*read)(bl_encoded *e, const bl_window *w, bl_image *out);
	void (*close)(bl_encoded *e); /* NULL: there is nothing to close */
	/*
	 * Returns the EXIF block, which begins as a TIFF file does, and its length; NULL: the file has none.  The
	 * pointer to the function is NULL if the format has no EXIF blocks.
	 */
	const uint8_t *(*exif)(const bl_encoded *e, size_t *n);
};

/* Returns the orientation in an EXIF block, 1 to 8; 1 if it is missing or invalid (exif.c). */
int bl_exif_orientation(const uint8_t *bytes, size_t n);

/*
 * For formats (decode_pixels.c): returns scratch memory for the pixels of out, whose size and part are set; NULL with
 * bl_error.
 */
uint8_t *bl_decode_room(const bl_image *out);

/* Converts n pixels of `from` channels to `to` channels, 1 or 3: grey is repeated, luminance is computed as in PIL. */
void bl_decode_convert(const uint8_t *in, int from, uint8_t *out, int to, size_t n);

/* Converts n pixels of `from` channels (grey, grey and alpha, RGB, RGB and alpha) to n pixels of options.channels channels. */
void bl_decode_put(const bl_encoded *e, const uint8_t *in, int from, uint8_t *out, size_t n);

#endif
