/* SPDX-License-Identifier: GPL-3.0-or-later */
/* motion.h: images turned, sheared, scaled and moved, as F.affine of torchvision does it; black outside. */
#ifndef BARLOW_AUGMENT_MOTION_H
#define BARLOW_AUGMENT_MOTION_H

#include "augment/pil.h"

typedef struct motion {
	double angle, shear_x, shear_y; /* radians, clockwise */
	double scale, dx, dy;           /* pixels */
	bool corner;                    /* the upper left corner stays where it is, otherwise the centre */
	bool nearest;                   /* pixel, otherwise bilinear */
} motion;

/* In place, on what has been read. */
void bl_motion_apply(float_image *c, const motion *by, backend way);

#endif
