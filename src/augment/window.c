/* SPDX-License-Identifier: GPL-3.0-or-later */
/* window.c: parts of images: the part that is needed, and the part that is available. */
#include "augment/window.h"

#include <math.h>

bl_window bl_window_for(int top, int left, int h, int w, int height, int width)
{
	float scale = fmaxf((float)height / (float)h, (float)width / (float)w);
	return (bl_window){ top, left, h, w, fminf(scale, 1) };
}

static void join(int *from, int *length, int other, int other_length)
{
	int end = *from + *length, other_end = other + other_length;
	*from = *from < other ? *from : other;
	*length = (end > other_end ? end : other_end) - *from;
}

void bl_window_join(bl_window *out, const bl_window *other)
{
	join(&out->top, &out->height, other->top, other->height);
	join(&out->left, &out->width, other->left, other->width);
	out->scale = out->scale > other->scale ? out->scale : other->scale;
}

/*
 * Sets *start and *length to the range of whole pixels of an image that are covered by n pixels, from pixel `from` on, of
 * its copy at scale eighths / 8.  The image has `most` pixels in this direction.
 */
static void covered_range(int from, int n, int eighths, int most, int *start, int *length)
{
	int end = (from + n) * 8 / eighths;
	*start = (from * 8 + eighths - 1) / eighths;
	*length = (end < most ? end : most) - *start;
}

bl_window bl_image_window(const bl_image *im)
{
	bl_window r = { 0, 0, im->height, im->width, 1 };
	if (!im->part.eighths)
		return r;
	covered_range(im->part.top, im->part.height, im->part.eighths, im->height, &r.top, &r.height);
	covered_range(im->part.left, im->part.width, im->part.eighths, im->width, &r.left, &r.width);
	r.scale = (float)im->part.eighths / 8;
	return r;
}
