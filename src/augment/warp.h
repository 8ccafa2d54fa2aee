/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warp.h (private): resamples images as torchvision does for tensors (grid_sample, zeros outside, align_corners=False).
 * The output pixel with its centre at (x, y) is the input at (u, v).  Both positions are relative to the image's
 * centre.
 */
#ifndef BARLOW_AUGMENT_WARP_H
#define BARLOW_AUGMENT_WARP_H

#include "augment/float_image.h"

#include <stdbool.h>

/*
 * u = (m[0] x + m[1] y + m[2]) / w, v = (m[3] x + m[4] y + m[5]) / w, w = m[6] x + m[7] y + 1.  nearest: takes the
 * nearest pixel; false: bilinear.
 */
void bl_warp(float_image *c, const double m[8], bool nearest);
/* (u, v) = (x, y) + (dx, dy), bilinear.  dx and dy (height,width) are the displacements of the pixels, in pixels. */
void bl_warp_by(float_image *c, const float *dx, const float *dy);

#endif
