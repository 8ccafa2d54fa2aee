/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mailbox.c: commands to a trainer, from many senders in any process.
 *
 * A sender holds the mailbox's lock while it finds the next ticket, which is one more than the last, and writes its
 * slot.  The trainer takes no lock.
 */
#include "live/livefile.h"

#include <string.h>
#include <unistd.h>

static uint64_t check_of(const struct live_slot *s)
{
	return bl_disk_check(s->ticket, &s->kind, offsetof(struct live_slot, check) - offsetof(struct live_slot, kind));
}

static bool waits(const struct live_slot *s, uint64_t taken)
{
	return s->ticket > taken && s->ticket <= taken + LIVE_SLOTS && s->check == check_of(s);
}

static struct live_slot slot_of(const bl_command *c, uint64_t ticket)
{
	struct live_slot s = { .ticket = ticket, .kind = (uint64_t)c->kind, .sender = (uint64_t)c->sender };
	memcpy(&s.value, &c->value, sizeof s.value);
	memcpy(s.name, c->name, sizeof s.name);
	s.check = check_of(&s);
	return s;
}

static int send_by_file(bl_live *l, const bl_command *c)
{
	const struct live_section *at = &l->section[SECTION_MAILBOX];
	struct live_mailbox m;
	if (bl_disk_lock(l->fd, at) != 0)
		return -1;
	int rc = bl_disk_read(l->fd, at->at, &m, sizeof m) && m.magic == LIVE_MAILBOX_MAGIC
	                 ? 0
	                 : bl_fail("live: the file was truncated");
	uint64_t last = m.taken;
	for (int i = 0; rc == 0 && i < LIVE_SLOTS; i++)
		if (waits(&m.slot[i], m.taken) && m.slot[i].ticket > last)
			last = m.slot[i].ticket;
	if (rc == 0 && last == m.taken + LIVE_SLOTS)
		rc = bl_fail("live: %d commands are waiting already", LIVE_SLOTS);
	struct live_slot s = slot_of(c, last + 1);
	size_t place = offsetof(struct live_mailbox, slot) + (size_t)(s.ticket % LIVE_SLOTS) * sizeof s;
	if (rc == 0 && bl_disk_write(l->fd, at->at + place, &s, sizeof s) != 0)
		rc = bl_fail("live: the command could not be written");
	bl_disk_unlock(l->fd, at);
	return rc;
}

static int send_in_memory(struct live_writer *w, const bl_command *c)
{
	if (w->queued == LIVE_SLOTS)
		return bl_fail("live: %d commands are waiting already", LIVE_SLOTS);
	w->queue[w->queued++] = *c;
	return 0;
}

int bl_live_send(bl_live *l, bl_command c)
{
	if (!l->commands)
		return bl_fail("live: opened read-only: no commands can be sent");
	c.sender = getpid();
	c.name[sizeof c.name - 1] = '\0';
	pthread_mutex_lock(&l->lock);
	int rc = l->writer && !bl_writer_has_file(l) ? send_in_memory(l->writer, &c) : send_by_file(l, &c);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

static const struct live_slot *oldest(const struct live_mailbox *m, uint64_t taken)
{
	const struct live_slot *best = NULL;
	for (int i = 0; i < LIVE_SLOTS; i++)
		if (waits(&m->slot[i], taken) && (!best || m->slot[i].ticket < best->ticket))
			best = &m->slot[i];
	return best;
}

static bool take_from_file(bl_live *l, bl_command *out)
{
	struct live_mailbox m;
	struct live_writer *w = l->writer;
	const struct live_section *at = &l->section[SECTION_MAILBOX];
	if (!bl_writer_has_file(l))
		return false;
	if (!bl_disk_read(l->fd, at->at, &m, sizeof m) || m.magic != LIVE_MAILBOX_MAGIC) {
		bl_whole_spoilt(l);
		return false;
	}
	const struct live_slot *s = oldest(&m, w->taken);
	/*
	 * Reading the slots is not atomic: an earlier command may have been written after its slot was read as empty.
	 * Senders write one after another, so all commands before this one are there when the slots are read again.
	 */
	if (s && s->ticket != w->taken + 1)
		s = bl_disk_read(l->fd, at->at, &m, sizeof m) ? oldest(&m, w->taken) : NULL;
	if (!s)
		return false;
	w->taken = s->ticket;
	bl_writer_put(l, at->at + offsetof(struct live_mailbox, taken), &w->taken, sizeof w->taken);
	*out = (bl_command){ .kind = s->kind < BL_CMD_KINDS ? (bl_command_kind)s->kind : BL_CMD_NONE,
		             .sender = (int64_t)s->sender };
	memcpy(&out->value, &s->value, sizeof out->value);
	memcpy(out->name, s->name, sizeof out->name - 1);
	return true;
}

static bool take_from_memory(struct live_writer *w, bl_command *out)
{
	if (w->queued == 0)
		return false;
	*out = w->queue[0];
	memmove(&w->queue[0], &w->queue[1], (size_t)--w->queued * sizeof w->queue[0]);
	return true;
}

/* Commands of an unknown kind are dropped, because any process that may write to the file can put them there. */
bool bl_live_take(bl_live *l, bl_command *out)
{
	bool found = false;
	if (!l->writer)
		return false;
	pthread_mutex_lock(&l->lock);
	bl_whole_check(l);
	do
		found = take_from_file(l, out) || take_from_memory(l->writer, out);
	while (found && (out->kind <= BL_CMD_NONE || out->kind >= BL_CMD_KINDS));
	pthread_mutex_unlock(&l->lock);
	return found;
}
