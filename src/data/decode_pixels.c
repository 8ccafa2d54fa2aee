/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode_pixels.c: memory for pixels and conversion of pixels, shared by the decoders of all formats. */
#include "data/decode.h"

#include <barlow/memory.h>

#include <string.h>

uint8_t *bl_decode_room(const bl_image *out)
{
	size_t n =
		out->part.eighths ? (size_t)out->part.height * (size_t)out->part.width : (size_t)out->height * (size_t)out->width;
	return bl_scratch(SLOT_PIXELS, n * (size_t)out->channels);
}

void bl_decode_convert(const uint8_t *in, int from, uint8_t *out, int to, size_t n)
{
	if (from == to)
		memcpy(out, in, n * (size_t)to);
	else if (from == 1)
		for (size_t i = 0; i < n; i++)
			out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = in[i];
	else
		for (size_t i = 0; i < n; i++)
			out[i] = (uint8_t)((19595u * in[3 * i] + 38470u * in[3 * i + 1] + 7471u * in[3 * i + 2] + 32768u) >> 16);
}

/* Blends v over `ground` with alpha a / 255, rounded as in PIL. */
static uint8_t blend(uint8_t v, uint8_t ground, uint8_t a)
{
	unsigned sum = (unsigned)v * a + (unsigned)ground * (255u - a) + 128;
	return (uint8_t)(((sum >> 8) + sum) >> 8);
}

/* Converts a pixel with alpha to RGB: composites it over the ground if the options require this, else drops its alpha. */
static void flatten(const bl_encoded *e, const uint8_t *in, int from, uint8_t *rgb)
{
	uint8_t a = in[from - 1];
	for (int k = 0; k < 3; k++) {
		uint8_t v = in[from == 4 ? k : 0];
		rgb[k] = e->options.over ? blend(v, e->options.ground[k], a) : v;
	}
}

void bl_decode_put(const bl_encoded *e, const uint8_t *in, int from, uint8_t *out, size_t n)
{
	int to = e->options.channels;
	if (from == 1 || from == 3) {
		bl_decode_convert(in, from, out, to, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint8_t rgb[3];
		flatten(e, in + i * (size_t)from, from, rgb);
		if (from == 2 && to == 1 && !e->options.over)
			out[i] = rgb[0];
		else
			bl_decode_convert(rgb, 3, out + i * (size_t)to, to, 1);
	}
}
