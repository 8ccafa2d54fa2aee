/* SPDX-License-Identifier: GPL-3.0-or-later */
/* canvas.h: the image being worked on, as planes of float. */
#ifndef AUGMENT_CANVAS_H
#define AUGMENT_CANVAS_H

#include "base/clones.h"

#include <barlow/augment.h>

#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

/*
 * Values are in 0..1 until they are normalised.  While `pixels` or `values` is
 * set nothing has been read yet and `data` is empty.
 */
typedef struct canvas {
	int channels, height, width;
	size_t plane;          /* from one plane to the next */
	float *data, *spare;   /* who cannot work in place writes to spare and swaps */
	const uint8_t *pixels; /* (H,W,C), or NULL */
	const float *values;   /* the same of an image of floats */
	float scale;           /* of these pixels against the whole image, in whose pixels boxes are drawn, ... */
	int top, left;         /* ... and where they begin, at that scale */
} canvas;

/* Values from one plane to the next: whole cache lines. */
static inline size_t bl_canvas_room(int height, int width)
{
	return ((size_t)height * (size_t)width + 15) / 16 * 16;
}

/* The image's pixels, nothing read of them yet; who calls gives it data and spare. */
void bl_canvas_open(canvas *c, const bl_image *in);
/* Height and width become those; what is in data loses its meaning. */
void bl_canvas_resize(canvas *c, int height, int width);
void bl_canvas_swap(canvas *c);
/* Moves what is in data so that planes are `plane` apart: at least height * width, at most bl_canvas_room. */
void bl_canvas_pack(canvas *c, size_t plane);
/* Reads the pixels into data, where that has not been done. */
void bl_canvas_load(canvas *c);
void bl_canvas_mirror(canvas *c); /* left becomes right, in data */
/* out (H,W,C) = data * scale + shift, per channel */
void bl_canvas_store(const canvas *c, const float *scale, const float *shift, float *out);

#endif
