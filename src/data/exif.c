/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exif.c: reads the orientation from an EXIF block (TIFF 6.0), which consists of the byte order, the number 42, the
 * offset of the list of entries, and the entries of 12 bytes each.
 */
#include "data/decode.h"

#include <string.h>

enum { HEAD = 8, ENTRY = 12, TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3 };

typedef struct block {
	const uint8_t *bytes;
	size_t n;
	bool big; /* big-endian */
} block;

static unsigned read16(const block *b, size_t at)
{
	const uint8_t *p = b->bytes + at;
	return b->big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static size_t read32(const block *b, size_t at)
{
	return b->big ? (size_t)read16(b, at) << 16 | read16(b, at + 2) : (size_t)read16(b, at + 2) << 16 | read16(b, at);
}

static int orientation_in(const block *b, size_t list)
{
	if (list > b->n || b->n - list < 2)
		return 1;
	size_t count = read16(b, list), most = (b->n - list - 2) / ENTRY;
	for (size_t i = 0; i < count && i < most; i++) {
		size_t at = list + 2 + ENTRY * i;
		if (read16(b, at) != TAG_ORIENTATION)
			continue;
		unsigned v = read16(b, at + 2) == TYPE_SHORT ? read16(b, at + 8) : 1;
		return v >= 1 && v <= 8 ? (int)v : 1;
	}
	return 1;
}

int bl_exif_orientation(const uint8_t *bytes, size_t n)
{
	block b = { bytes, n, false };
	if (n >= 6 && memcmp(bytes, "Exif\0", 6) == 0) /* some writers repeat the signature of the JPEG segment */
		b = (block){ bytes + 6, n - 6, false };
	if (b.n < HEAD)
		return 1;
	b.big = b.bytes[0] == 'M';
	if ((memcmp(b.bytes, "II", 2) != 0 && memcmp(b.bytes, "MM", 2) != 0) || read16(&b, 2) != 42)
		return 1;
	return orientation_in(&b, read32(&b, 4));
}
