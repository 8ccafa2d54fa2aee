/* SPDX-License-Identifier: GPL-3.0-or-later */
/* asks.c: what viewers, in any process, want to see: the last to ask wins, and is forgotten when it does not renew. */
#include "live/livefile.h"

#include <barlow/error.h>
#include <string.h>
#include <time.h>

enum { HOLDS_MS = 3000 };

struct copy {
	uint64_t ticket, stamp, region[LIVE_ASK_WORDS], check;
};
_Static_assert(sizeof(struct copy) == sizeof(struct live_ask), "a copy of an ask is read in one go");
_Static_assert(sizeof(bl_region) <= 8 * LIVE_ASK_WORDS, "a region fits an ask");

static uint64_t milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* FNV-1a over words; that of an empty slot is not 0. */
static uint64_t check_of(const struct copy *c)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325), words[LIVE_ASK_WORDS + 2] = { c->ticket, c->stamp };
	memcpy(words + 2, c->region, sizeof c->region);
	for (int i = 0; i < LIVE_ASK_WORDS + 2; i++)
		h = (h ^ words[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void put(struct live_ask *a, const struct copy *c)
{
	atomic_store_explicit(&a->ticket, c->ticket, memory_order_relaxed);
	atomic_store_explicit(&a->stamp, c->stamp, memory_order_relaxed);
	for (int i = 0; i < LIVE_ASK_WORDS; i++)
		atomic_store_explicit(&a->region[i], c->region[i], memory_order_relaxed);
	atomic_store_explicit(&a->check, c->check, memory_order_release);
}

int bl_live_ask(bl_live *l, const bl_region *r)
{
	if (!l->front)
		return bl_fail("live: opened read-only: nothing can be asked");
	if (bl_livefile_size(l) < (int64_t)offsetof(struct live_image, info))
		return bl_fail("live: the file was cut short");
	struct live_asks *asks = &l->front->asks;
	struct copy c = { .ticket = atomic_fetch_add(&asks->tickets, 1), .stamp = milliseconds() };
	memcpy(c.region, r, sizeof *r);
	c.check = check_of(&c);
	put(&asks->ask[c.ticket % LIVE_ASKS], &c);
	return 0;
}

/* Stamps may be a little ahead of a clock that was read a little before. */
static bool stands(const struct copy *c, uint64_t now)
{
	return c->check == check_of(c) && now - c->stamp + HOLDS_MS <= 2 * HOLDS_MS;
}

bool bl_live_asked(const bl_live *l, bl_region *out)
{
	struct copy c[LIVE_ASKS];
	int last = -1;
	uint64_t now = milliseconds();
	if (!bl_livefile_load(l, offsetof(struct live_image, asks.ask), c, sizeof c))
		return false;
	for (int i = 0; i < LIVE_ASKS; i++)
		if (stands(&c[i], now) && (last < 0 || c[i].ticket > c[last].ticket))
			last = i;
	if (last >= 0)
		memcpy(out, c[last].region, sizeof *out);
	return last >= 0;
}
