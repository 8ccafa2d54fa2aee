/* SPDX-License-Identifier: GPL-3.0-or-later */
/* centre.c: prepares an image for evaluation: resizes the shorter side and crops the centre, both in one pass. */
#include "augment/window.h"
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/resample.h"

#include <barlow/memory.h>

#include <math.h>
#include <string.h>

static int at_least(int n, int least)
{
	return n < least ? least : n;
}

void bl_centre_size(int h, int w, int height, int width, int *resized_h, int *resized_w)
{
	*resized_h = (int)lrint(height * 8 / 7.0);
	*resized_w = (int)lrint(width * 8 / 7.0);
	if ((int64_t)h * width <= (int64_t)w * height)
		*resized_w = at_least((int)((double)*resized_h * w / h), width);
	else
		*resized_h = at_least((int)((double)*resized_w * h / w), height);
}

/*
 * The part of the image that torchvision's Resize and CenterCrop select, in pixels of the image.  Both round to whole
 * pixels.
 */
static patch centre_of(int h, int w, int height, int width)
{
	int resized_h, resized_w;
	if (h == height && w == width)
		return (patch){ 0, 0, (float)h, (float)w };
	bl_centre_size(h, w, height, width, &resized_h, &resized_w);
	float down = (float)h / (float)resized_h, across = (float)w / (float)resized_w;
	return (patch){
		.top = down * (float)lrint((resized_h - height) / 2.0),
		.left = across * (float)lrint((resized_w - width) / 2.0),
		.height = down * (float)height,
		.width = across * (float)width,
	};
}

static int whole(float from, float length, int most)
{
	int end = (int)ceilf(from + length);
	return (end < most ? end : most) - (int)from;
}

bl_window bl_centre_window(int h, int w, int height, int width)
{
	patch a = centre_of(h, w, height, width);
	float scale = fmaxf((float)height / a.height, (float)width / a.width);
	return (bl_window){ (int)a.top, (int)a.left, whole(a.top, a.height, h), whole(a.left, a.width, w), fminf(scale, 1) };
}

static int resize_part(const bl_image *in, patch from, int height, int width, const float *scale, const float *shift, float *out)
{
	float_image c;
	bl_float_image_open(&c, in);
	size_t result = bl_float_image_room(height, width), larger = c.values && c.plane > result ? c.plane : result;
	larger *= (size_t)in->channels * sizeof(float);
	c.data = bl_scratch(SLOT_IMAGE, larger);
	c.spare = bl_scratch(SLOT_SPARE, larger);
	if (!c.data || !c.spare || bl_resample(&c, from, height, width, false) < 0)
		return -1;
	bl_float_image_store(&c, scale, shift, out);
	return 0;
}

int bl_centre_apply(const bl_image *in, int height, int width, const float *scale, const float *shift, float *out)
{
	return resize_part(in, centre_of(in->height, in->width, height, width), height, width, scale, shift, out);
}

int bl_image_resize(const bl_image *in, int height, int width, float *out)
{
	float one[BL_CHANNELS_MOST], zero[BL_CHANNELS_MOST] = { 0 };
	for (int c = 0; c < BL_CHANNELS_MOST; c++)
		one[c] = 1;
	return resize_part(in, (patch){ 0, 0, (float)in->height, (float)in->width }, height, width, one, zero, out);
}

/* Crops the centre of each plane, and moves it to the beginning of the plane. */
static void crop_centre(float_image *c, int height, int width)
{
	size_t top = (size_t)lrint((c->height - height) / 2.0), left = (size_t)lrint((c->width - width) / 2.0), plane = c->plane;
	for (int k = 0; k < c->channels; k++)
		for (size_t y = 0; y < (size_t)height; y++)
			memmove(c->data + (size_t)k * plane + y * (size_t)width,
			        c->data + (size_t)k * plane + (top + y) * (size_t)c->width + left, (size_t)width * sizeof *c->data);
	c->height = height;
	c->width = width;
}

int bl_centre_apply_pil(const bl_image *in, int height, int width, const float *scale, const float *shift, float *out)
{
	float_image c;
	int h, w;
	bl_centre_size(in->height, in->width, height, width, &h, &w);
	bl_float_image_open(&c, in);
	size_t bytes = bl_float_image_room(h, w) * (size_t)in->channels * sizeof(float);
	c.data = bl_scratch(SLOT_IMAGE, bytes);
	c.spare = bl_scratch(SLOT_SPARE, bytes);
	if (!c.data || !c.spare ||
	    bl_pil_resample(&c, (patch){ 0, 0, (float)in->height, (float)in->width }, h, w, PIL_BILINEAR, false) < 0)
		return -1;
	crop_centre(&c, height, width);
	bl_float_image_store(&c, scale, shift, out);
	return 0;
}
