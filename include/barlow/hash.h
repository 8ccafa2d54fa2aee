/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hash.h: SHA-256 (FIPS 180-4), to detect whether bytes have changed. */
#ifndef BARLOW_HASH_H
#define BARLOW_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { BL_HASH_TEXT = 65 }; /* bytes of its text with the NUL */

typedef struct bl_hash {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64]; /* the incomplete block */
} bl_hash;

void bl_hash_begin(bl_hash *h);
void bl_hash_add(bl_hash *h, const void *bytes, size_t n);
void bl_hash_end(bl_hash *h, char out[BL_HASH_TEXT]);                 /* in hexadecimal */
void bl_hash_of(const void *bytes, size_t n, char out[BL_HASH_TEXT]); /* all three in one call */

#endif
