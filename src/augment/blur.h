/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blur.h: smoothing by a Gaussian. */
#ifndef AUGMENT_BLUR_H
#define AUGMENT_BLUR_H

#include "augment/canvas.h"

/* All planes in place, `reach` sigmas far; mirrored at the edges.  0, or negative with bl_error. */
int bl_blur(canvas *c, float sigma, float reach);

#endif
