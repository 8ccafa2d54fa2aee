/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resample.h (private): resamples a rectangle of an image to another size. */
#ifndef BARLOW_AUGMENT_RESAMPLE_H
#define BARLOW_AUGMENT_RESAMPLE_H

#include "augment/float_image.h"

#include <stdbool.h>

/* A rectangle of whole pixels. */
typedef struct box {
	int top, left, height, width;
} box;

/* A rectangle in pixels of the whole image, which may begin and end within a pixel. */
typedef struct patch {
	float top, left, height, width;
} patch;

static inline patch bl_patch_of(const box *b)
{
	return (patch){ (float)b->top, (float)b->left, (float)b->height, (float)b->width };
}

/*
 * Replaces the image by the patch, resampled to height x width and, if mirror, mirrored from left to right.  The filter
 * is bicubic (a = -1/2) with antialiasing.  As in PIL, pixels outside of the patch are not used, and values are clipped
 * to 0..1.  0, or negative with bl_error.
 */
int bl_resample(float_image *c, patch from, int height, int width, bool mirror);

#endif
