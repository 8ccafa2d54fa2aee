/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decode_webp.c: decodes the window of WebP files with libwebp. */
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <string.h>
#include <webp/decode.h>

static bool is_webp(const uint8_t *b, size_t n)
{
	return n >= 12 && memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WEBP", 4) == 0;
}

static const char *reason(VP8StatusCode status)
{
	switch (status) {
	case VP8_STATUS_OUT_OF_MEMORY: return "no memory for the image";
	case VP8_STATUS_UNSUPPORTED_FEATURE: return "a feature that libwebp does not decode";
	case VP8_STATUS_NOT_ENOUGH_DATA: return "the file ends within the image";
	default: return "its WebP data are damaged";
	}
}

static int open_webp(bl_encoded *e)
{
	WebPBitstreamFeatures f;
	VP8StatusCode status = WebPGetFeatures(e->bytes, e->n, &f);
	if (status != VP8_STATUS_OK)
		return bl_fail("byte %zu: %s", e->n, reason(status));
	if (f.has_animation)
		return bl_fail("an animated WebP file, expected a still image");
	e->height = f.height;
	e->width = f.width;
	return 0;
}

/* Chooses the part to decode: it begins at an even row and column, as libwebp requires. */
static void choose_part(const bl_encoded *e, const bl_window *w, bl_image *out)
{
	if (w->height == e->height && w->width == e->width)
		return;
	out->part.eighths = 8;
	out->part.top = w->top & ~1;
	out->part.left = w->left & ~1;
	out->part.height = w->top + w->height - out->part.top;
	out->part.width = w->left + w->width - out->part.left;
}

static int decode(const bl_encoded *e, WebPDecoderConfig *c, const bl_image *out, uint8_t *rows, int channels)
{
	bool part = out->part.eighths;
	int height = part ? out->part.height : out->height, width = part ? out->part.width : out->width;
	size_t pitch = (size_t)width * (size_t)channels;
	c->options.use_cropping = part;
	c->options.crop_top = out->part.top;
	c->options.crop_left = out->part.left;
	c->options.crop_height = height;
	c->options.crop_width = width;
	c->output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
	c->output.is_external_memory = 1;
	c->output.u.RGBA = (WebPRGBABuffer){ .rgba = rows, .stride = (int)pitch, .size = pitch * (size_t)height };
	VP8StatusCode status = WebPDecode(e->bytes, e->n, c);
	WebPFreeDecBuffer(&c->output);
	return status == VP8_STATUS_OK ? 0 : bl_fail("byte %zu: %s", e->n, reason(status));
}

static int read_webp(bl_encoded *e, const bl_window *w, bl_image *out)
{
	WebPDecoderConfig c;
	if (!WebPInitDecoderConfig(&c))
		return bl_fail("libwebp is of another version than the one that barlow was built for");
	choose_part(e, w, out);
	int channels = e->options.over ? 4 : 3;
	size_t n =
		out->part.eighths ? (size_t)out->part.height * (size_t)out->part.width : (size_t)out->height * (size_t)out->width;
	uint8_t *rows = bl_scratch(SLOT_ROWS, n * (size_t)channels), *pixels = bl_decode_room(out);
	if (!rows || !pixels || decode(e, &c, out, rows, channels) < 0)
		return -1;
	bl_decode_put(e, rows, channels, pixels, n);
	out->pixels = pixels;
	return 0;
}

/* A RIFF chunk consists of type, length (little-endian) and data, padded to an even length. */
static const uint8_t *exif_of(const bl_encoded *e, size_t *n)
{
	const uint8_t *b = e->bytes;
	for (size_t at = 12; at < e->n && e->n - at >= 8;) {
		size_t length = (size_t)b[at + 7] << 24 | (size_t)b[at + 6] << 16 | (size_t)b[at + 5] << 8 | b[at + 4];
		if (length > e->n - at - 8)
			return NULL;
		if (memcmp(b + at, "EXIF", 4) == 0) {
			*n = length;
			return b + at + 8;
		}
		at += 8 + length + (length & 1);
	}
	return NULL;
}

const bl_format bl_format_webp = {
	.name = "WebP",
	.endings = "webp",
	.is = is_webp,
	.open = open_webp,
	.read = read_webp,
	.exif = exif_of,
};
