/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warp.h: pixels taken from elsewhere in the image, as torchvision's tensor backend does it (grid_sample, zeros outside,
 * align_corners = false): output pixel centre (x, y) comes from (u, v), both counted from the image's centre.
 */
#ifndef BARLOW_AUGMENT_WARP_H
#define BARLOW_AUGMENT_WARP_H

#include "augment/float_image.h"

#include <stdbool.h>

/* u = (m[0] x + m[1] y + m[2]) / w, v = (m[3] x + m[4] y + m[5]) / w, w = m[6] x + m[7] y + 1 */
void bl_warp(float_image *c, const double m[8], bool nearest);
/* (u, v) = (x, y) + (dx, dy) at each pixel; the displacements, in pixels, are planes as large as the image without a gap. */
void bl_warp_by(float_image *c, const float *dx, const float *dy);

#endif
