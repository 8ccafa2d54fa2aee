/* SPDX-License-Identifier: GPL-3.0-or-later */
/* float_image.c: converts bytes to planes of floats, and planes to the view. */
#include "augment/float_image.h"

#include <stdbool.h>
#include <string.h>

void bl_float_image_open(float_image *c, const bl_image *in)
{
	bool part = in->part.eighths;
	*c = (float_image){ .channels = in->channels, .scale = 1 };
	if (in->type == BL_PIXEL_FLOAT32)
		c->values = in->values;
	else
		c->pixels = in->pixels;
	bl_float_image_resize(c, part ? in->part.height : in->height, part ? in->part.width : in->width);
	if (!part)
		return;
	c->scale = (float)in->part.eighths / 8;
	c->top = in->part.top;
	c->left = in->part.left;
}

void bl_float_image_resize(float_image *c, int height, int width)
{
	c->height = height;
	c->width = width;
	c->plane = bl_float_image_room(height, width);
}

void bl_float_image_swap(float_image *c)
{
	float *data = c->data;
	c->data = c->spare;
	c->spare = data;
}

void bl_float_image_pack(float_image *c, size_t plane)
{
	size_t bytes = (size_t)c->height * (size_t)c->width * sizeof *c->data;
	bool closer = plane < c->plane;
	if (plane == c->plane)
		return;
	for (int i = 1; i < c->channels; i++) {
		size_t k = (size_t)(closer ? i : c->channels - i);
		memmove(c->data + k * plane, c->data + k * c->plane, bytes);
	}
	c->plane = plane;
}

INLINE void unpack(const uint8_t *in, float *out, size_t n, size_t plane, int channels)
{
	for (int k = 0; k < channels; k++)
		for (size_t i = 0; i < n; i++)
			out[(size_t)k * plane + i] = in[i * (size_t)channels + (size_t)k] * (1.0f / 255);
}

BL_CLONES static void unpack_any(const uint8_t *in, float *out, size_t n, size_t plane, int channels)
{
	if (channels == 1)
		unpack(in, out, n, plane, 1);
	else if (channels == 3)
		unpack(in, out, n, plane, 3);
	else
		unpack(in, out, n, plane, channels);
}

static void unpack_floats(const float *in, float *out, size_t n, size_t plane, int channels)
{
	for (int k = 0; k < channels; k++)
		for (size_t i = 0; i < n; i++)
			out[(size_t)k * plane + i] = in[i * (size_t)channels + (size_t)k];
}

void bl_float_image_load(float_image *c)
{
	size_t n = (size_t)c->height * (size_t)c->width;
	if (c->pixels)
		unpack_any(c->pixels, c->data, n, c->plane, c->channels);
	else if (c->values)
		unpack_floats(c->values, c->data, n, c->plane, c->channels);
	c->pixels = NULL;
	c->values = NULL;
}

static void reverse(float *v, int n)
{
	for (int i = 0, j = n - 1; i < j; i++, j--) {
		float t = v[i];
		v[i] = v[j];
		v[j] = t;
	}
}

void bl_float_image_mirror(float_image *c)
{
	for (int k = 0; k < c->channels; k++)
		for (int y = 0; y < c->height; y++)
			reverse(c->data + (size_t)k * c->plane + (size_t)y * (size_t)c->width, c->width);
}

BL_CLONES static void store1(const float *in, size_t n, float scale, float shift, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = in[i] * scale + shift;
}

BL_CLONES static void store3(const float *in, size_t plane, size_t n, const float *scale, const float *shift, float *out)
{
	const float *r = in, *g = in + plane, *b = in + 2 * plane;
	float r1 = scale[0], g1 = scale[1], b1 = scale[2], r0 = shift[0], g0 = shift[1], b0 = shift[2];
	for (size_t i = 0; i < n; i++) {
		out[3 * i] = r[i] * r1 + r0;
		out[3 * i + 1] = g[i] * g1 + g0;
		out[3 * i + 2] = b[i] * b1 + b0;
	}
}

static void store_any(const float_image *c, size_t n, const float *scale, const float *shift, float *out)
{
	size_t channels = (size_t)c->channels;
	for (size_t k = 0; k < channels; k++)
		for (size_t i = 0; i < n; i++)
			out[i * channels + k] = c->data[k * c->plane + i] * scale[k] + shift[k];
}

void bl_float_image_store(const float_image *c, const float *scale, const float *shift, float *out)
{
	size_t n = (size_t)c->height * (size_t)c->width;
	if (c->channels == 1)
		store1(c->data, n, scale[0], shift[0], out);
	else if (c->channels == 3)
		store3(c->data, c->plane, n, scale, shift, out);
	else
		store_any(c, n, scale, shift, out);
}
