/* SPDX-License-Identifier: GPL-3.0-or-later */
/* random.c: Philox4x32-10, and random numbers of several distributions. */
#include <barlow/random.h>

#include <math.h>
#include <string.h>

/* Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
void bl_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];
	for (int round = 0; round < 10; round++) {
		uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
		c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t)p1;
		c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t)p0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

void bl_rng_init(bl_rng *r, uint64_t seed, uint32_t epoch, uint32_t sample, uint32_t view)
{
	memset(r, 0, sizeof *r);
	r->key[0] = (uint32_t)seed;
	r->key[1] = (uint32_t)(seed >> 32);
	r->counter[1] = sample;
	r->counter[2] = view;
	r->counter[3] = epoch;
	r->used = 4;
}

/* The FNV-1a hash. */
static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261u;
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

/*
 * The new key is the Philox function of the purpose under the old key, so that keys of different purposes are
 * independent.
 */
void bl_rng_narrow(bl_rng *r, const char *purpose, uint32_t number)
{
	uint32_t out[4];
	bl_philox((uint32_t[]){ hash(purpose), number, 0, UINT32_MAX }, r->key, out);
	r->key[0] = out[0];
	r->key[1] = out[1];
}

static _Thread_local bl_rng_scope place;

bl_rng_scope bl_rng_enter(uint64_t seed, int64_t step, const char *what, uint32_t number)
{
	bl_rng_scope before = place;
	place = (bl_rng_scope){ what, number, seed, step, 0 };
	return before;
}

void bl_rng_leave(bl_rng_scope before)
{
	place = before;
}

bool bl_rng_of_call(bl_rng *r)
{
	if (!place.what)
		return false;
	bl_rng_init(r, place.seed, (uint32_t)place.step, place.calls++, BL_STREAM_CALL);
	bl_rng_narrow(r, place.what, place.number);
	return true;
}

uint32_t bl_rng_u32(bl_rng *r)
{
	if (r->used == 4) {
		bl_philox(r->counter, r->key, r->block);
		r->counter[0]++;
		r->used = 0;
	}
	return r->block[r->used++];
}

float bl_rng_uniform(bl_rng *r)
{
	return (float)(bl_rng_u32(r) >> 8) * 0x1p-24f;
}

float bl_rng_between(bl_rng *r, float lo, float hi)
{
	return lo + (hi - lo) * bl_rng_uniform(r);
}

float bl_rng_normal(bl_rng *r)
{
	double u = ((double)bl_rng_u32(r) + 1) * 0x1p-32; /* in (0, 1], so that the logarithm is finite */
	double v = (double)bl_rng_u32(r) * 0x1p-32;
	return (float)(sqrt(-2 * log(u)) * cos(2 * M_PI * v));
}

/* Lemire 2019, "Fast random integer generation in an interval": multiplication with rejection. */
uint32_t bl_rng_below(bl_rng *r, uint32_t n)
{
	uint64_t product = (uint64_t)bl_rng_u32(r) * n;
	if ((uint32_t)product < n) {
		uint32_t threshold = -n % n;
		while ((uint32_t)product < threshold)
			product = (uint64_t)bl_rng_u32(r) * n;
	}
	return (uint32_t)(product >> 32);
}

void bl_rng_shuffle(bl_rng *r, int64_t *v, int64_t n)
{
	for (int64_t i = n - 1; i > 0; i--) {
		int64_t j = bl_rng_below(r, (uint32_t)i + 1), t = v[i];
		v[i] = v[j];
		v[j] = t;
	}
}
