/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resample.h: a box of an image, brought to another size. */
#ifndef BARLOW_AUGMENT_RESAMPLE_H
#define BARLOW_AUGMENT_RESAMPLE_H

#include "augment/float_image.h"

#include <stdbool.h>

/* A rectangle of whole pixels. */
typedef struct box {
	int top, left, height, width;
} box;

/* A rectangle in pixels of the whole image, which may begin and end within one. */
typedef struct patch {
	float top, left, height, width;
} patch;

static inline patch bl_patch_of(const box *b)
{
	return (patch){ (float)b->top, (float)b->left, (float)b->height, (float)b->width };
}

/*
 * The float_image becomes the patch, resampled to height x width, mirrored left to
 * right where asked.  Bicubic (a = -1/2) with antialiasing, no pixel outside
 * of the patch is read, as PIL does it; values stay within 0..1.
 */
int bl_resample(float_image *c, patch from, int height, int width, bool mirror);

#endif
