/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hash.c: SHA-256, FIPS 180-4, sections 5 and 6.2. */
#include <barlow/hash.h>

#include <string.h>

enum { BLOCK = 64, ROUNDS = 64, LENGTH_AT = 56 };

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
static const uint32_t constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
	0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
	0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* Adds a block of 64 bytes (6.2.2). */
static void take_block(bl_hash *h, const uint8_t *block)
{
	uint32_t w[ROUNDS], v[8];
	for (int t = 0; t < 16; t++)
		w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 |
		       block[4 * t + 3];
	for (int t = 16; t < ROUNDS; t++) {
		uint32_t s0 = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ w[t - 15] >> 3;
		uint32_t s1 = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ w[t - 2] >> 10;
		w[t] = s1 + w[t - 7] + s0 + w[t - 16];
	}
	memcpy(v, h->state, sizeof v);
	for (int t = 0; t < ROUNDS; t++) {
		uint32_t sum1 = turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25), choose = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t sum0 = turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22);
		uint32_t most = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		uint32_t t1 = v[7] + sum1 + choose + constants[t] + w[t], t2 = sum0 + most;
		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h->state[i] += v[i];
}

void bl_hash_begin(bl_hash *h)
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	memcpy(h->state, start, sizeof start);
	h->bytes = 0;
}

void bl_hash_add(bl_hash *h, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	while (n) {
		size_t have = h->bytes % BLOCK, take = n < BLOCK - have ? n : BLOCK - have;
		memcpy(h->block + have, from, take);
		h->bytes += take;
		from += take;
		n -= take;
		if (have + take == BLOCK)
			take_block(h, h->block);
	}
}

/* Pads the message with a 1 bit, zeros and its length in bits (5.1.1). */
void bl_hash_end(bl_hash *h, char out[BL_HASH_TEXT])
{
	static const uint8_t one = 0x80, zero = 0;
	static const char digits[] = "0123456789abcdef";
	uint64_t bits = 8 * h->bytes;
	bl_hash_add(h, &one, 1);
	while (h->bytes % BLOCK != LENGTH_AT)
		bl_hash_add(h, &zero, 1);
	for (int i = 7; i >= 0; i--)
		bl_hash_add(h, &(uint8_t){ (uint8_t)(bits >> 8 * i) }, 1);
	for (int i = 0; i < BL_HASH_TEXT - 1; i++)
		out[i] = digits[h->state[i / 8] >> (28 - i % 8 * 4) & 15];
	out[BL_HASH_TEXT - 1] = '\0';
}

void bl_hash_of(const void *bytes, size_t n, char out[BL_HASH_TEXT])
{
	bl_hash h;
	bl_hash_begin(&h);
	bl_hash_add(&h, bytes, n);
	bl_hash_end(&h, out);
}
