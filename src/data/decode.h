/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode.h: image files, JPEG or PNG, told apart by their first bytes. */
#ifndef DATA_DECODE_H
#define DATA_DECODE_H

#include "data/dataset.h"

/* bl_scratch slots 8 to 10 belong to the decoders. */
enum { SLOT_FILE = 8, SLOT_PIXELS, SLOT_ROWS };

/* A file, and what is wanted of it. */
typedef struct bl_encoded {
	const char *path;
	const uint8_t *bytes;
	size_t n;
	int channels;        /* that the pixels are to have: 1 or 3 */
	bool full_scale;     /* no reduced copy, whatever the wish allows */
	const bl_wish *wish; /* NULL: all of it */
} bl_encoded;

/*
 * The image in path, or what e->wish wants of it (bytes and n are not read).
 * The pixels lie in the thread's scratch until its next call.  Negative: the
 * message names path, byte and reason.
 */
int bl_decode(const bl_encoded *e, bl_image *out);

int bl_decode_jpeg(const bl_encoded *e, bl_image *out);
int bl_decode_png(const bl_encoded *e, bl_image *out);

/*
 * For the two above, once they know the size: fills in out but for its pixels,
 * and the window that is needed.  1: decode it; 0: the size was all; negative:
 * the image is too large.
 */
int bl_decode_plan(const bl_encoded *e, int64_t height, int64_t width, bl_image *out, bl_window *r);

/* Space for the pixels of out, whose part is set. */
uint8_t *bl_decode_room(const bl_encoded *e, const bl_image *out);

/* n pixels of `from` channels as `to` channels: grey repeated, or the luminance as PIL takes it. */
void bl_decode_convert(const uint8_t *in, int from, uint8_t *out, int to, size_t n);

#endif
