/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mailbox.c: commands to a trainer: many senders, in any process; one taker. */
#include "live/livefile.h"

#include <barlow/error.h>
#include <string.h>
#include <unistd.h>

static struct live_slot *claim(struct live_mailbox *m)
{
	for (int i = 0; i < LIVE_SLOTS; i++) {
		uint64_t expected = SLOT_FREE;
		if (atomic_compare_exchange_strong(&m->slot[i].state, &expected, SLOT_BUSY))
			return &m->slot[i];
	}
	return NULL;
}

/* The size is looked at first: a mailbox cut off under the mapping would be a SIGBUS. */
int bl_live_send(bl_live *l, bl_command c)
{
	uint64_t value;
	if (!l->front)
		return bl_fail("live: opened read-only: no commands can be sent");
	if (bl_livefile_size(l) < (int64_t)offsetof(struct live_image, info))
		return bl_fail("live: the file was cut short");
	struct live_slot *s = claim(&l->front->mailbox);
	if (!s)
		return bl_fail("live: %d commands are waiting already", LIVE_SLOTS);
	memcpy(&value, &c.value, sizeof value);
	atomic_store_explicit(&s->ticket, atomic_fetch_add(&l->front->mailbox.tickets, 1), memory_order_relaxed);
	atomic_store_explicit(&s->kind, (uint64_t)c.kind, memory_order_relaxed);
	atomic_store_explicit(&s->value, value, memory_order_relaxed);
	atomic_store_explicit(&s->sender, (uint64_t)getpid(), memory_order_relaxed);
	uint64_t name[BL_COLUMN_NAME / 8];
	memcpy(name, c.name, sizeof name);
	for (int i = 0; i < BL_COLUMN_NAME / 8; i++)
		atomic_store_explicit(&s->name[i], name[i], memory_order_relaxed);
	atomic_store_explicit(&s->state, SLOT_READY, memory_order_release);
	return 0;
}

static struct live_slot *scan(struct live_mailbox *m)
{
	struct live_slot *best = NULL;
	for (int i = 0; i < LIVE_SLOTS; i++) {
		struct live_slot *s = &m->slot[i];
		if (atomic_load_explicit(&s->state, memory_order_acquire) != SLOT_READY)
			continue;
		if (!best || atomic_load_explicit(&s->ticket, memory_order_relaxed) <
		             atomic_load_explicit(&best->ticket, memory_order_relaxed))
			best = s;
	}
	return best;
}

/*
 * One scan may pass a slot before its command comes and see a later one
 * further on.  Whoever saw the later one sees all sent before it, so a scan
 * that finds the same again has found the oldest.
 */
static struct live_slot *oldest(struct live_mailbox *m)
{
	struct live_slot *found = scan(m), *before;
	do {
		before = found;
		found = scan(m);
	} while (found != before);
	return found;
}

/* A kind that is none of ours is dropped: anyone who may write the file could have put it there. */
bool bl_live_take(bl_live *l, bl_command *out)
{
	struct live_slot *s;
	while (l->image && (s = oldest(&l->image->mailbox))) {
		uint64_t kind = atomic_load_explicit(&s->kind, memory_order_relaxed);
		uint64_t value = atomic_load_explicit(&s->value, memory_order_relaxed), name[BL_COLUMN_NAME / 8];
		for (int i = 0; i < BL_COLUMN_NAME / 8; i++)
			name[i] = atomic_load_explicit(&s->name[i], memory_order_relaxed);
		out->sender = (int64_t)atomic_load_explicit(&s->sender, memory_order_relaxed);
		atomic_store_explicit(&s->state, SLOT_FREE, memory_order_release);
		if (kind <= BL_CMD_NONE || kind >= BL_CMD_KINDS)
			continue;
		out->kind = (bl_command_kind)kind;
		memcpy(&out->value, &value, sizeof value);
		memcpy(out->name, name, sizeof out->name);
		out->name[sizeof out->name - 1] = '\0';
		return true;
	}
	return false;
}
