/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hash.h: SHA-256 (FIPS 180-4), which is used to detect changes of files and data. */
#ifndef BARLOW_HASH_H
#define BARLOW_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { BL_HASH_TEXT = 65 }; /* 64 hexadecimal digits and a NUL */

typedef struct bl_hash {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64]; /* the last block, while it is incomplete */
} bl_hash;

void bl_hash_begin(bl_hash *h);
void bl_hash_add(bl_hash *h, const void *bytes, size_t n);
void bl_hash_end(bl_hash *h, char out[BL_HASH_TEXT]);                 /* writes the hash in hexadecimal */
void bl_hash_of(const void *bytes, size_t n, char out[BL_HASH_TEXT]); /* the hash of n bytes in one call */

#endif
