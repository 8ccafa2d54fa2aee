/* SPDX-License-Identifier: GPL-3.0-or-later */
/* motion.c: affine motions of images in both backends. */
#include "augment/motion.h"
#include "augment/warp.h"

#include <math.h>

/* The inverse of the motion, which maps output positions to input positions, both relative to the fixed point. */
static void inverse(const motion *by, double m[8])
{
	double a = cos(by->angle - by->shear_y) / cos(by->shear_y), b = -a * tan(by->shear_x) - sin(by->angle);
	double c = sin(by->angle - by->shear_y) / cos(by->shear_y), d = -c * tan(by->shear_x) + cos(by->angle);
	m[0] = d / by->scale, m[1] = -b / by->scale, m[2] = -m[0] * by->dx - m[1] * by->dy;
	m[3] = -c / by->scale, m[4] = a / by->scale, m[5] = -m[3] * by->dx - m[4] * by->dy;
	m[6] = m[7] = 0;
}

/* Converts m from positions relative to the upper left corner to positions relative to the centre, as bl_warp uses. */
static void from_centre(double m[8], double cx, double cy)
{
	m[2] += -cx + m[0] * cx + m[1] * cy;
	m[5] += -cy + m[3] * cx + m[4] * cy;
}

/*
 * Converts m from positions relative to the centre to positions relative to the upper left corner, as PIL uses.  The sums
 * have torchvision's order: PIL truncates values, so a difference in the last bit could change a level.
 */
static void from_corner(double m[8], const motion *by, double cx, double cy)
{
	m[2] = m[0] * (-cx - by->dx) + m[1] * (-cy - by->dy) + cx;
	m[5] = m[3] * (-cx - by->dx) + m[4] * (-cy - by->dy) + cy;
}

void bl_motion_apply(float_image *c, const motion *by, backend way)
{
	double m[8], cx = .5 * c->width, cy = .5 * c->height;
	inverse(by, m);
	if (way == BACKEND_TENSOR) {
		if (by->corner)
			from_centre(m, cx, cy);
		bl_warp(c, m, by->nearest);
		return;
	}
	if (!by->corner)
		from_corner(m, by, cx, cy);
	if (by->nearest)
		bl_pil_warp_nearest(c, m);
	else
		bl_pil_warp(c, m);
}
