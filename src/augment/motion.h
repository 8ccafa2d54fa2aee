/* SPDX-License-Identifier: GPL-3.0-or-later */
/* motion.h: rotates, shears, scales and shifts images, as torchvision's F.affine; black outside of the image. */
#ifndef BARLOW_AUGMENT_MOTION_H
#define BARLOW_AUGMENT_MOTION_H

#include "augment/pil.h"

typedef struct motion {
	double angle, shear_x, shear_y; /* radians, clockwise */
	double scale, dx, dy;           /* scale: a factor; dx, dy: pixels */
	bool corner;                    /* the fixed point is the upper left corner; false: the centre */
	bool nearest;                   /* takes the nearest pixel; false: bilinear */
} motion;

/* Applies a motion in place, to an image that is loaded. */
void bl_motion_apply(float_image *c, const motion *by, backend way);

#endif
