/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode.h: image files, told apart by their first bytes. */
#ifndef DATA_DECODE_H
#define DATA_DECODE_H

#include <barlow/augment.h>

/* bl_scratch slots 8 to 10 belong to the decoders. */
enum { SLOT_FILE = 8, SLOT_PIXELS, SLOT_ROWS };

enum { BL_DECODER_BYTES = 1280 };

typedef struct bl_format bl_format;

/* A file that is open: its bytes and its size are read, its pixels are not.  It stays where it is until it is closed. */
typedef struct bl_encoded {
	const uint8_t *bytes;
	size_t n;
	int height, width;
	int channels;    /* that the pixels are to have: 1 or 3 */
	bool full_scale; /* no reduced copy, whatever the window allows */
	const bl_format *format;
	_Alignas(16) unsigned char decoder[BL_DECODER_BYTES]; /* the format's own */
} bl_encoded;

/*
 * The file's bytes lie in the thread's scratch until it opens the next, and so
 * do the pixels.  Messages name byte and reason; path is the caller's to add.
 * When open fails there is nothing to close.
 */
int bl_decode_open(bl_encoded *e, const char *path, int channels, bool full_scale);
/* At least the window, at no less than its scale; once.  out becomes all of the image, or a part. */
int bl_decode_read(bl_encoded *e, const bl_window *w, bl_image *out);
void bl_decode_close(bl_encoded *e);

/* A format: a const table at the end of its file, named in decode.c. */
struct bl_format {
	const char *name, *magic; /* what its files begin with, ... */
	size_t magic_size;        /* ... so many bytes */
	/* Sets height and width, which may be anything still.  When it fails, close is called all the same. */
	int (*open)(bl_encoded *e);
	int (*read)(bl_encoded *e, const bl_window *w, bl_image *out);
	void (*close)(bl_encoded *e);
};

/* For formats: space for the pixels of out, whose part is set. */
uint8_t *bl_decode_room(const bl_image *out);

/* n pixels of `from` channels as `to` channels: grey repeated, or the luminance as PIL takes it. */
void bl_decode_convert(const uint8_t *in, int from, uint8_t *out, int to, size_t n);

#endif
