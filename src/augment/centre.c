/* SPDX-License-Identifier: GPL-3.0-or-later */
/* centre.c: an image as evaluation sees it: the shorter side resized, the centre cropped, both in one pass. */
#include "augment/window.h"
#include "augment/resample.h"

#include <barlow/memory.h>

#include <math.h>

#define KEPT (7.0f / 8) /* of the larger of two crops that fit: 224 of 256 pixels */

static int part_of(float length, int most)
{
	long n = lrintf(length);
	return n < 1 ? 1 : n > most ? most : (int)n;
}

bl_window bl_centre_window(int h, int w, int height, int width)
{
	float down = (float)h / (float)height, across = (float)w / (float)width;
	float step = KEPT * (down < across ? down : across); /* pixels of the image to one of the result */
	int kept_h = h, kept_w = w;
	if (h != height || w != width) {
		kept_h = part_of(step * (float)height, h);
		kept_w = part_of(step * (float)width, w);
	}
	return bl_window_for((h - kept_h) / 2, (w - kept_w) / 2, kept_h, kept_w, height, width);
}

int bl_centre_apply(const bl_image *in, int height, int width, const float *scale, const float *shift, float *out)
{
	bl_window r = bl_centre_window(in->height, in->width, height, width);
	size_t larger = bl_canvas_room(height, width) * (size_t)in->channels * sizeof(float);
	canvas c;
	bl_canvas_open(&c, in);
	c.data = bl_scratch(SLOT_IMAGE, larger);
	c.spare = bl_scratch(SLOT_SPARE, larger);
	if (!c.data || !c.spare ||
	    bl_resample(&c, (struct box){ r.top, r.left, r.height, r.width }, height, width, false) < 0)
		return -1;
	bl_canvas_store(&c, scale, shift, out);
	return 0;
}
