/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kept.c: snapshots kept from the past.
 *
 * When all slots are taken, every second one is let go and the interval is
 * doubled: so they stay spread over the run, however long it gets.  The first
 * stays for ever; the newest snapshot counts as the last one kept.
 */
#include "live/livefile.h"

#include <string.h>

enum { READ_TRIES = 8 };

#define AT(member) offsetof(struct live_image, member)

/* --- The trainer's side -------------------------------------------------- */

static void publish_list(bl_live *l)
{
	bl_live_turn_publish(l, &l->image->header.kept, AT(list), &l->list, sizeof l->list);
}

static bool due(const struct live_list *k, int64_t step)
{
	return k->n == 0 || step >= k->at[k->n - 1].step + k->interval;
}

/* Published at once, so that no reader looks for a slot that is about to be written again. */
static void thin(bl_live *l)
{
	struct live_list *k = &l->list;
	int64_t n = 0;
	for (int64_t i = 0; i < k->n; i += 2)
		k->at[n++] = k->at[i];
	k->n = n;
	k->interval *= 2;
	publish_list(l);
}

static int64_t free_slot(const struct live_list *k)
{
	bool used[LIVE_KEPT] = { false };
	int64_t slot = 0;
	for (int64_t i = 0; i < k->n; i++)
		used[k->at[i].slot] = true;
	while (used[slot])
		slot++;
	return slot;
}

static void store(bl_live *l, int64_t slot, const bl_snapshot *s)
{
	size_t at = AT(kept) + (size_t)slot * sizeof(struct live_kept) + offsetof(struct live_kept, bytes);
	struct live_turn *turn = &l->image->kept[slot].turn;
	atomic_store_explicit(&turn->begun, (uint64_t)s->step, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	bl_livefile_store(l, at, s, KEPT_HEAD);
	bl_livefile_store(l, at + KEPT_HEAD, (const char *)s + KEPT_POINTS, KEPT_TAIL);
	atomic_store_explicit(&turn->done, (uint64_t)s->step, memory_order_release);
}

static void add(bl_live *l, const bl_snapshot *s)
{
	struct live_list *k = &l->list;
	int64_t slot = free_slot(k);
	store(l, slot, s);
	k->at[k->n].slot = slot;
	k->at[k->n++].step = s->step;
	publish_list(l);
}

/* A snapshot after a thinning may have to wait for the next interval after all. */
void bl_live_keep(bl_live *l, const bl_snapshot *s)
{
	struct live_list *k = &l->list;
	int64_t slots = bl_livefile_slots(l->capacity);
	if (due(k, s->step) && k->n == slots)
		thin(l);
	if (due(k, s->step) && k->n < slots)
		add(l, s);
}

/* --- The reader's side --------------------------------------------------- */

static bool list_sane(const bl_live *l, const struct live_list *k)
{
	int64_t before = 0, slots = bl_livefile_slots(l->capacity);
	if (k->n < 0 || k->n > slots)
		return false;
	for (int64_t i = 0; i < k->n; before = k->at[i++].step)
		if (k->at[i].slot < 0 || k->at[i].slot >= slots || k->at[i].step <= before)
			return false;
	return true;
}

static int64_t read_list(const bl_live *l, struct live_list *k)
{
	if (bl_live_turn_newest(l, AT(header.kept), AT(list), sizeof *k, k, sizeof *k) != 1 || !list_sane(l, k))
		k->n = 0;
	return k->n;
}

static int64_t newest_step(const bl_live *l)
{
	int64_t step;
	int got = bl_live_turn_newest(l, AT(header.snapshot), AT(snapshot), sizeof(bl_snapshot), &step, sizeof step);
	return got == 1 ? step : -1;
}

/* The newest takes the place of the last in the list when that is the same one: it has the views. */
static int64_t count(const bl_live *l, struct live_list *k)
{
	int64_t n = read_list(l, k), last = n > 0 ? k->at[n - 1].step : 0, newest = newest_step(l);
	k->n -= newest == last && n > 0;
	return k->n + (newest >= last && newest > 0);
}

int bl_live_kept(const bl_live *l)
{
	struct live_list k;
	return (int)count(l, &k);
}

static bool load(const bl_live *l, int64_t slot, int64_t step, bl_snapshot *out)
{
	size_t at = AT(kept) + (size_t)slot * sizeof(struct live_kept), bytes = at + offsetof(struct live_kept, bytes);
	memset(out, 0, sizeof *out);
	if (bl_livefile_word(l, at + offsetof(struct live_turn, done)) != (uint64_t)step ||
	    !bl_livefile_load(l, bytes, out, KEPT_HEAD) ||
	    !bl_livefile_load(l, bytes + KEPT_HEAD, (char *)out + KEPT_POINTS, KEPT_TAIL))
		return false;
	atomic_thread_fence(memory_order_acquire);
	out->view_row = out->view_label = -1;
	return bl_livefile_word(l, at + offsetof(struct live_turn, begun)) == (uint64_t)step && out->step == step;
}

/* A slot that was let go meanwhile is none of the list that is read next. */
int64_t bl_live_kept_snapshot(const bl_live *l, int i, bl_snapshot *out)
{
	struct live_list k;
	for (int tries = 0; i >= 0 && tries < READ_TRIES; tries++) {
		int64_t n = count(l, &k);
		if (i >= k.n)
			return i < n ? bl_live_snapshot(l, out) : -1;
		if (load(l, k.at[i].slot, k.at[i].step, out))
			return bl_live_snapshot_clean(out) ? out->step : -1;
	}
	return -1;
}

/* --- From one file to another ---------------------------------------------- */

/* At their old interval, which all but the newest keep, so that later ones do not crowd them out. */
void bl_live_keep_past(bl_live *l, const bl_live *past, int64_t until, bl_snapshot *s)
{
	struct live_list k;
	if (read_list(past, &k) > 0 && k.interval > 0 && k.interval <= past->capacity)
		l->list.interval = k.interval;
	for (int i = 0; i < bl_live_kept(past); i++)
		if (bl_live_kept_snapshot(past, i, s) > 0 && s->step <= until)
			bl_live_publish(l, s);
}
