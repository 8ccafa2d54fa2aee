/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode.h: image files, told apart by their first bytes. */
#ifndef BARLOW_DATA_DECODE_H
#define BARLOW_DATA_DECODE_H

#include "data/marks.h"

#include <barlow/augment.h>

/* bl_scratch slots 8 to 11 belong to the decoders. */
enum { SLOT_FILE = 8, SLOT_PIXELS, SLOT_ROWS, SLOT_TURNED };

enum { BL_DECODER_BYTES = 1280 };

typedef struct bl_format bl_format;

/* How pixels are wanted. */
typedef struct bl_wish {
	int channels;      /* 1 or 3 */
	bool full_scale;   /* no reduced copy, whatever the window allows */
	bool orient;       /* turned as EXIF says, if it does */
	bool over;         /* what is transparent lies over `ground`; else alpha is ignored */
	uint8_t ground[3]; /* red, green, blue */
} bl_wish;

/* A file that is open: its bytes and its size are read, its pixels are not.  It stays where it is until it is closed. */
typedef struct bl_encoded {
	const uint8_t *bytes;
	size_t n;
	int height, width; /* as wanted; inside of a format: as the file has them */
	bl_wish wish;
	int orientation; /* 1 to 8 as in EXIF; 1: as it lies in the file */
	const bl_format *format;
	_Alignas(16) unsigned char decoder[BL_DECODER_BYTES]; /* the format's own */
} bl_encoded;

/*
 * The file's bytes lie in the thread's scratch until it opens the next, and so
 * do the pixels.  Messages name byte and reason; path is the caller's to add.
 * When open fails there is nothing to close; as it does for a file that is not
 * as it was (NULL: any will do).
 */
int bl_decode_open(bl_encoded *e, const char *path, const bl_wish *wish, const bl_mark *as_it_was);
/* The same for bytes that stay where they are until it is closed. */
int bl_decode_open_bytes(bl_encoded *e, const uint8_t *bytes, size_t n, const bl_wish *wish);
/* At least the window, at no less than its scale; once.  out becomes all of the image, or a part. */
int bl_decode_read(bl_encoded *e, const bl_window *w, bl_image *out);
void bl_decode_close(bl_encoded *e);

/*
 * Does the name end in one of the endings, "jpg png"; NULL: as those of image files do?  All of the latter as a text for
 * messages: ".jpg, .jpeg, ... or .ppm".
 */
bool bl_decode_is_named(const char *name, const char *endings);
const char *bl_decode_endings(char *buf, size_t size);

/* A format: a const table at the end of its file, named in decode.c. */
struct bl_format {
	const char *name, *endings;                 /* "JPEG"; of its files' names, with a space between: "jpg jpeg" */
	bool (*is)(const uint8_t *bytes, size_t n); /* told by how its files begin */
	/* Sets height and width, which may be anything still.  When it fails, close is called all the same. */
	int (*open)(bl_encoded *e);
	int (*read)(bl_encoded *e, const bl_window *w, bl_image *out);
	void (*close)(bl_encoded *e); /* NULL: there is nothing to close */
	/* Its EXIF block, which begins as a TIFF file does; NULL where there is none.  NULL: such files have none. */
	const uint8_t *(*exif)(const bl_encoded *e, size_t *n);
};

/* The orientation that an EXIF block names, 1 to 8; 1 where it names none that makes sense (exif.c). */
int bl_exif_orientation(const uint8_t *bytes, size_t n);

/* For formats, decode_pixels.c: space for the pixels of out, whose part is set. */
uint8_t *bl_decode_room(const bl_image *out);

/* n pixels of `from` channels as `to` channels: grey repeated, or the luminance as PIL takes it. */
void bl_decode_convert(const uint8_t *in, int from, uint8_t *out, int to, size_t n);

/* n pixels of `from` channels (grey, grey and alpha, RGB, RGB and alpha) as they are wanted: (n, wish.channels). */
void bl_decode_put(const bl_encoded *e, const uint8_t *in, int from, uint8_t *out, size_t n);

#endif
