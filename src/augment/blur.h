/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blur.h: Gaussian blur. */
#ifndef AUGMENT_BLUR_H
#define AUGMENT_BLUR_H

#include "augment/canvas.h"

/* Blurs all planes in place; the kernel reaches `reach` sigmas, edges are mirrored.  0, or negative with bl_error. */
int bl_blur(canvas *c, float sigma, float reach);

#endif
