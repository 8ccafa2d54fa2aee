/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * asks.c: requests of viewers, in any process, for the region that they show.  The latest request counts, and expires
 * unless it is renewed.
 */
#include "live/livefile.h"

#include <string.h>

enum { HOLDS_MS = 3000 };

_Static_assert(sizeof(bl_region) <= 8 * LIVE_ASK_WORDS, "a region fits an ask");

/* Returns the checksum of a request.  It is not 0 for an empty slot, so an empty slot is not valid. */
static uint64_t check_of(const struct live_ask *a)
{
	return bl_disk_check(a->ticket, &a->stamp, offsetof(struct live_ask, check) - offsetof(struct live_ask, stamp));
}

/*
 * Is the request valid, and at most HOLDS_MS old?  Its stamp may also be up to HOLDS_MS later than `now`, because the
 * request may have been written after `now` was read.
 */
static bool stands(const struct live_ask *a, uint64_t now)
{
	return a->check == check_of(a) && now - a->stamp + HOLDS_MS <= 2 * HOLDS_MS;
}

static struct live_ask ask_of(uint64_t ticket, const bl_region *r)
{
	struct live_ask a = { .ticket = ticket, .stamp = (uint64_t)bl_disk_ms() };
	memcpy(a.region, r, sizeof *r);
	a.check = check_of(&a);
	return a;
}

static int ask_by_file(bl_live *l, const bl_region *r)
{
	const struct live_section *at = &l->section[SECTION_ASKS];
	struct live_asks asks;
	uint64_t last = 0, now = (uint64_t)bl_disk_ms();
	if (bl_disk_lock(l->fd, at) != 0)
		return -1;
	int rc = bl_disk_read(l->fd, at->at, &asks, sizeof asks) ? 0 : bl_fail("live: the file was truncated");
	for (int i = 0; rc == 0 && i < LIVE_ASKS; i++)
		if (stands(&asks.ask[i], now) && asks.ask[i].ticket > last)
			last = asks.ask[i].ticket;
	struct live_ask a = ask_of(last + 1, r);
	if (rc == 0 && bl_disk_write(l->fd, at->at + (size_t)(a.ticket % LIVE_ASKS) * sizeof a, &a, sizeof a) != 0)
		rc = bl_fail("live: the request could not be written");
	bl_disk_unlock(l->fd, at);
	return rc;
}

int bl_live_request(bl_live *l, const bl_region *r)
{
	int rc = 0;
	if (!l->commands)
		return bl_fail("live: opened read-only: requests cannot be sent");
	pthread_mutex_lock(&l->lock);
	if (l->writer && !bl_writer_has_file(l))
		l->writer->own_ask = ask_of(1, r);
	else
		rc = ask_by_file(l, r);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

static bool asked_in_file(const bl_live *l, struct live_ask *best, uint64_t now)
{
	struct live_asks asks;
	int last = -1;
	if (!bl_disk_read(l->fd, l->section[SECTION_ASKS].at, &asks, sizeof asks))
		return false;
	for (int i = 0; i < LIVE_ASKS; i++)
		if (stands(&asks.ask[i], now) && (last < 0 || asks.ask[i].ticket > asks.ask[last].ticket))
			last = i;
	if (last >= 0)
		*best = asks.ask[last];
	return last >= 0;
}

bool bl_live_requested(const bl_live *l, bl_region *out)
{
	struct live_ask best;
	uint64_t now = (uint64_t)bl_disk_ms();
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	pthread_mutex_lock(lock);
	bool found = false;
	if (l->writer && !bl_writer_has_file(l)) {
		best = l->writer->own_ask;
		found = stands(&best, now);
	} else {
		found = asked_in_file(l, &best, now);
	}
	pthread_mutex_unlock(lock);
	if (found)
		memcpy(out, best.region, sizeof *out);
	return found;
}
