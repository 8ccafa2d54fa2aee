/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pil_warp.c: PIL's Image.transform (libImaging/Geometry.c). */
#include "augment/pil.h"
#include "augment/pil_level.h"

#include <math.h>
#include <stdint.h>

/* The number of fractional bits of the positions of PIL's nearest-pixel filter. */
enum { FIXED_BITS = 16 };

INLINE int within(int i, int n)
{
	return i < 0 ? 0 : i < n ? i : n - 1;
}

INLINE double between(int a, int b, double t)
{
	return a + (b - a) * t;
}

/* Returns the truncated level at (x, y), a position inside the image, relative to its upper left corner. */
static int bilinear(const float *p, int height, int width, double x, double y)
{
	int left = (int)floor(x - .5), top = (int)floor(y - .5), l = within(left, width), r = within(left + 1, width);
	double right = x - .5 - left, low = y - .5 - top;
	const float *a = p + (size_t)within(top, height) * (size_t)width, *b = p + (size_t)within(top + 1, height) * (size_t)width;
	double above = between(bl_pil_level(a[l]), bl_pil_level(a[r]), right);
	double below = between(bl_pil_level(b[l]), bl_pil_level(b[r]), right);
	return (int)(above + (below - above) * low);
}

void bl_pil_warp(float_image *c, const double a[8])
{
	for (int row = 0; row < c->height; row++)
		for (int column = 0; column < c->width; column++) {
			double x = column + .5, y = row + .5, w = a[6] * x + a[7] * y + 1;
			double u = (a[0] * x + a[1] * y + a[2]) / w, v = (a[3] * x + a[4] * y + a[5]) / w;
			size_t at = (size_t)row * (size_t)c->width + (size_t)column;
			bool inside = u >= 0 && u < c->width && v >= 0 && v < c->height;
			for (int k = 0; k < c->channels; k++)
				c->spare[(size_t)k * c->plane + at] =
					inside ? bl_pil_value(bilinear(c->data + (size_t)k * c->plane, c->height, c->width, u, v))
					       : 0;
		}
	bl_float_image_swap(c);
}

static int64_t fixed(double v)
{
	return (int64_t)floor(v * (1 << FIXED_BITS) + .5);
}

/* As in PIL, the steps between pixels are rounded before they are summed, so the error grows with the distance from the corner. */
void bl_pil_warp_nearest(float_image *c, const double a[6])
{
	const int64_t right[2] = { fixed(a[0]), fixed(a[3]) }, down[2] = { fixed(a[1]), fixed(a[4]) };
	int64_t u0 = fixed(a[2] + a[0] * .5 + a[1] * .5), v0 = fixed(a[5] + a[3] * .5 + a[4] * .5);
	for (int row = 0; row < c->height; row++, u0 += down[0], v0 += down[1])
		for (int column = 0; column < c->width; column++) {
			int64_t u = (u0 + column * right[0]) >> FIXED_BITS, v = (v0 + column * right[1]) >> FIXED_BITS;
			size_t at = (size_t)row * (size_t)c->width + (size_t)column;
			bool inside = u >= 0 && u < c->width && v >= 0 && v < c->height;
			for (int k = 0; k < c->channels; k++)
				c->spare[(size_t)k * c->plane + at] =
					inside ? bl_pil_value(bl_pil_level(c->data[(size_t)k * c->plane +
				                                                   (size_t)v * (size_t)c->width + (size_t)u]))
					       : 0;
		}
	bl_float_image_swap(c);
}
