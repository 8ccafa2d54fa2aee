/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * decode_bmp.c: decodes uncompressed Windows BMP files: 1, 4 and 8 bits with a palette, and 16, 24 and 32 bits; bit
 * masks (compression 3) may define the colours of 16 and 32 bits.  Rows are padded to 4 bytes and stored from the
 * bottom up, or from the top down if the height is negative.
 */
#include "data/decode.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <string.h>

enum { FILE_HEAD = 14, INFO_HEAD = 40, MASKS_AT = FILE_HEAD + INFO_HEAD, RGBA = 4 };

typedef struct job {
	bool downward;
	int bits, colours;
	size_t palette, pixels, pitch; /* offsets of palette and pixels; bytes of a row */
	uint32_t mask[RGBA];           /* for 16 and 32 bits: red, green, blue, alpha */
} job;

static job *job_of(bl_encoded *e)
{
	_Static_assert(sizeof(job) <= BL_DECODER_BYTES, "the decoder's state fits into bl_encoded");
	return (job *)(void *)e->decoder;
}

static uint32_t read32(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool is_bmp(const uint8_t *b, size_t n)
{
	return n >= 2 && b[0] == 'B' && b[1] == 'M';
}

static int read_masks(bl_encoded *e, job *j, uint32_t head, uint32_t compression)
{
	const uint8_t *b = e->bytes;
	static const uint32_t of16[RGBA] = { 0x7c00, 0x3e0, 0x1f, 0 }, of32[RGBA] = { 0xff0000, 0xff00, 0xff, 0 };
	memcpy(j->mask, j->bits == 16 ? of16 : of32, sizeof j->mask);
	if (compression == 0)
		return 0;
	size_t n = head >= 56 ? 4 : 3;
	if (e->n < MASKS_AT + 4 * n)
		return bl_fail("byte %zu: the file ends within its header", e->n);
	for (size_t k = 0; k < n; k++)
		j->mask[k] = read32(b + MASKS_AT + 4 * k);
	return 0;
}

static int check_kind(const job *j, uint32_t compression)
{
	static const int known[] = { 1, 4, 8, 16, 24, 32 };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (j->bits == known[i] && (compression == 0 || (compression == 3 && (j->bits == 16 || j->bits == 32))))
			return 0;
	return bl_fail("byte 28: a BMP file of %d bits and compression %" PRIu32
	               ", expected 1, 4, 8, 16, 24 or 32 bits without "
	               "compression",
	               j->bits, compression);
}

static int place_parts(bl_encoded *e, job *j, uint32_t head, uint32_t colours, uint32_t compression)
{
	size_t masks = compression == 3 && head == INFO_HEAD ? 12 : 0;
	j->palette = FILE_HEAD + (size_t)head + masks;
	j->colours = j->bits > 8 ? 0 : colours == 0 || colours > 1u << j->bits ? 1 << j->bits : (int)colours;
	j->pixels = read32(e->bytes + 10);
	j->pitch = ((size_t)e->width * (size_t)j->bits + 31) / 32 * 4;
	size_t need;
	if (__builtin_mul_overflow(j->pitch, (size_t)e->height, &need) || j->pixels > e->n || need > e->n - j->pixels)
		return bl_fail("byte %zu: the file ends within the image: %d x %d pixels of %d bits need %zu bytes behind byte %zu",
		               e->n, e->height, e->width, j->bits, need, j->pixels);
	if (j->palette > e->n || (size_t)j->colours * 4 > e->n - j->palette)
		return bl_fail("byte %zu: the file ends within its palette of %d colours", e->n, j->colours);
	return 0;
}

static int open_bmp(bl_encoded *e)
{
	job *j = job_of(e);
	const uint8_t *b = e->bytes;
	*j = (job){ .bits = 0 };
	if (e->n < MASKS_AT)
		return bl_fail("byte %zu: the file ends within its header", e->n);
	uint32_t head = read32(b + FILE_HEAD), compression = read32(b + 30);
	int32_t height = (int32_t)read32(b + 22), width = (int32_t)read32(b + 18);
	if (head < INFO_HEAD || head > 1024)
		return bl_fail("byte 14: a BMP header of %" PRIu32 " bytes, expected 40 to 1024", head);
	if (height == INT32_MIN || height == 0 || width < 1)
		return bl_fail("byte 18: %" PRId32 " x %" PRId32 " pixels, expected at least one", height, width);
	j->downward = height < 0;
	e->height = height < 0 ? -height : height;
	e->width = width;
	j->bits = b[28] | b[29] << 8;
	if (check_kind(j, compression) < 0 || read_masks(e, j, head, compression) < 0)
		return -1;
	return place_parts(e, j, head, read32(b + 46), compression);
}

/* Scales the bits of v under the mask to 0..255.  255 if there is no mask, as is usual for alpha. */
static uint8_t masked(uint32_t v, uint32_t mask)
{
	if (!mask)
		return 255;
	int shift = __builtin_ctz(mask);
	uint64_t most = mask >> shift, part = (v & mask) >> shift;
	return (uint8_t)((part * 255 + most / 2) / most);
}

static void pixel_of(const bl_encoded *e, const job *j, const uint8_t *row, int x, uint8_t rgba[RGBA])
{
	const uint8_t *p = row + (size_t)x * (size_t)j->bits / 8;
	if (j->bits <= 8) {
		int per = 8 / j->bits, index = *p >> (per - 1 - x % per) * j->bits & ((1 << j->bits) - 1);
		const uint8_t *colour = e->bytes + j->palette + 4 * (size_t)(index < j->colours ? index : 0);
		memcpy(rgba, (uint8_t[]){ colour[2], colour[1], colour[0], 255 }, RGBA);
	} else if (j->bits == 24) {
		memcpy(rgba, (uint8_t[]){ p[2], p[1], p[0], 255 }, RGBA);
	} else {
		uint32_t v = j->bits == 16 ? (uint32_t)(p[0] | p[1] << 8) : read32(p);
		for (int k = 0; k < RGBA; k++)
			rgba[k] = masked(v, j->mask[k]);
	}
}

static int read_bmp(bl_encoded *e, const bl_window *w, bl_image *out)
{
	const job *j = job_of(e);
	uint8_t *pixels = bl_decode_room(out), rgba[RGBA];
	size_t channels = (size_t)e->options.channels;
	(void)w;
	for (int y = 0; pixels && y < e->height; y++) {
		const uint8_t *row = e->bytes + j->pixels + (size_t)(j->downward ? y : e->height - 1 - y) * j->pitch;
		for (int x = 0; x < e->width; x++) {
			pixel_of(e, j, row, x, rgba);
			bl_decode_put(e, rgba, RGBA, pixels + ((size_t)y * (size_t)e->width + (size_t)x) * channels, 1);
		}
	}
	out->pixels = pixels;
	return pixels ? 0 : -1;
}

const bl_format bl_format_bmp = { .name = "BMP", .endings = "bmp dib", .is = is_bmp, .open = open_bmp, .read = read_bmp };
