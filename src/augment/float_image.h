/* SPDX-License-Identifier: GPL-3.0-or-later */
/* float_image.h: the image that operators change: planes of floats. */
#ifndef BARLOW_AUGMENT_FLOAT_IMAGE_H
#define BARLOW_AUGMENT_FLOAT_IMAGE_H

#include "base/clones.h"

#include <barlow/augment.h>

#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

/*
 * Values are in 0..1 until they are normalised.  While `pixels` or `values` is not NULL, the image has not been loaded,
 * and the content of `data` is undefined.
 */
typedef struct float_image {
	int channels, height, width;
	size_t plane;          /* number of floats from one plane to the next */
	float *data, *spare;   /* operators that cannot work in place write to spare, and then swap both */
	const uint8_t *pixels; /* (H,W,C), or NULL */
	const float *values;   /* (H,W,C) of a float32 image, or NULL */
	float scale;           /* scale of `pixels`; boxes of operators refer to scale 1 */
	int top, left;         /* position of the first element of `pixels` in the whole image at scale `scale` */
} float_image;

/* The number of floats from one plane to the next, rounded up to whole cache lines. */
static inline size_t bl_float_image_room(int height, int width)
{
	return ((size_t)height * (size_t)width + 15) / 16 * 16;
}

/* Makes c refer to the image's pixels without loading them.  The caller has to set data and spare. */
void bl_float_image_open(float_image *c, const bl_image *in);
/* Sets height and width; the content of data becomes invalid. */
void bl_float_image_resize(float_image *c, int height, int width);
void bl_float_image_swap(float_image *c); /* exchanges data and spare */
/* Moves the planes in data so that they are `plane` floats apart; height * width <= plane <= bl_float_image_room. */
void bl_float_image_pack(float_image *c, size_t plane);
/* Converts the pixels to planes in data, unless this has been done. */
void bl_float_image_load(float_image *c);
void bl_float_image_mirror(float_image *c); /* mirrors data from left to right */
/* out (H,W,C) = data * scale + shift, per channel */
void bl_float_image_store(const float_image *c, const float *scale, const float *shift, float *out);

#endif
