/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blur.h: Gaussian blur. */
#ifndef BARLOW_AUGMENT_BLUR_H
#define BARLOW_AUGMENT_BLUR_H

#include "augment/float_image.h"

/*
 * Blurs all planes in place.  The kernel extends `reach` sigmas to each side; the image is mirrored at its edges.  0,
 * or negative with bl_error.
 */
int bl_blur(float_image *c, float sigma, float reach);

#endif
