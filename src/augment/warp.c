/* SPDX-License-Identifier: GPL-3.0-or-later */
/* warp.c: resamples images by a transformation of the plane. */
#include "augment/warp.h"

#include <math.h>

/* The value of pixel (x, y) of a plane; 0 outside of the plane. */
INLINE float value(const float *p, int height, int width, int y, int x)
{
	return y >= 0 && y < height && x >= 0 && x < width ? p[(size_t)y * (size_t)width + (size_t)x] : 0;
}

static float bilinear(const float *p, int height, int width, float x, float y)
{
	if (!(x > -1 && x < (float)width && y > -1 && y < (float)height))
		return 0;
	int left = (int)floorf(x), top = (int)floorf(y);
	float right = x - (float)left, low = y - (float)top;
	float a = value(p, height, width, top, left), b = value(p, height, width, top, left + 1);
	float c = value(p, height, width, top + 1, left), d = value(p, height, width, top + 1, left + 1);
	return (a * (1 - right) + b * right) * (1 - low) + (c * (1 - right) + d * right) * low;
}

static void take(float_image *c, size_t at, float x, float y, bool nearest)
{
	for (int k = 0; k < c->channels; k++) {
		const float *p = c->data + (size_t)k * c->plane;
		bool near = nearest && x > -1 && x < (float)c->width && y > -1 && y < (float)c->height;
		c->spare[(size_t)k * c->plane + at] = near      ? value(p, c->height, c->width, (int)rintf(y), (int)rintf(x))
		                                      : nearest ? 0
		                                                : bilinear(p, c->height, c->width, x, y);
	}
}

void bl_warp(float_image *c, const double m[8], bool nearest)
{
	double cx = .5 * c->width - .5, cy = .5 * c->height - .5;
	for (int row = 0; row < c->height; row++)
		for (int column = 0; column < c->width; column++) {
			double x = column - cx, y = row - cy, w = m[6] * x + m[7] * y + 1;
			double u = (m[0] * x + m[1] * y + m[2]) / w, v = (m[3] * x + m[4] * y + m[5]) / w;
			take(c, (size_t)row * (size_t)c->width + (size_t)column, (float)(u + cx), (float)(v + cy), nearest);
		}
	bl_float_image_swap(c);
}

void bl_warp_by(float_image *c, const float *dx, const float *dy)
{
	for (int row = 0; row < c->height; row++)
		for (int column = 0; column < c->width; column++) {
			size_t at = (size_t)row * (size_t)c->width + (size_t)column;
			take(c, at, (float)column + dx[at], (float)row + dy[at], false);
		}
	bl_float_image_swap(c);
}
