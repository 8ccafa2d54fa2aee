/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * snapshots.c: the list of snapshots of the past.
 *
 * When the list is full, every second snapshot is dropped and the interval is doubled, so the snapshots are spread over
 * the run, however long it becomes.  The first snapshot is never dropped.  The newest snapshot, which is stored apart from
 * the list, is returned as its last one.  In the file, snapshots are appended, or written to the space of dropped snapshots.
 */
#include "live/livefile.h"

#include <stdlib.h>
#include <string.h>

enum { READ_TRIES = 8, BLOB_MOST = 8 << 20, IN_MEMORY = LIVE_SNAPSHOTS_SOME };

/* --- The trainer's side -------------------------------------------------- */

static void publish_list(bl_live *l)
{
	const struct live_list *k = &l->writer->list;
	bl_writer_turn(l, SECTION_SNAPSHOTS, k, offsetof(struct live_list, kept) + (size_t)k->n * sizeof k->kept[0]);
}

static bool due(const struct live_list *k, int64_t step)
{
	return k->n == 0 || step >= k->kept[k->n - 1].step + k->interval;
}

/*
 * Drops every second snapshot.  The list is published at once, so that no reader reads a snapshot whose space is
 * reused.
 */
static void thin(bl_live *l)
{
	struct live_writer *w = l->writer;
	struct live_list *k = &w->list;
	int64_t n = 0;
	for (int64_t i = 0; i < k->n; i++) {
		char *blob = w->blob[i];
		w->blob[i] = NULL;
		if (i % 2 == 1) {
			if (!blob)
				w->hole[w->holes++] = k->kept[i];
			continue;
		}
		k->kept[n] = k->kept[i];
		w->blob[n++] = blob;
	}
	k->n = n;
	k->interval *= 2;
	publish_list(l);
}

/* Returns space in the file for n bytes: that of a dropped snapshot if one is large enough, otherwise at the end. */
static struct live_stored room_for(bl_live *l, size_t n)
{
	struct live_writer *w = l->writer;
	for (int i = 0; i < w->holes; i++)
		if (w->hole[i].room >= n) {
			struct live_stored found = w->hole[i];
			w->hole[i] = w->hole[--w->holes];
			return found;
		}
	return (struct live_stored){ .at = bl_writer_room(l, n), .room = n };
}

static void to_file(bl_live *l, int64_t i, const char *bytes)
{
	struct live_stored *k = &l->writer->list.kept[i], room = room_for(l, k->size);
	k->at = room.at;
	k->room = room.room;
	bl_writer_put(l, k->at, bytes, k->size);
}

/* Returns a slot that no snapshot of the list occupies; NULL: there is none, or no memory. */
static char *free_slot(struct live_writer *w, int32_t d)
{
	if (!w->slots) {
		w->slot_size = bl_pack_snapshot_most(d);
		w->slots = malloc(w->slot_size * IN_MEMORY);
	}
	for (int k = 0; w->slots && k < IN_MEMORY; k++) {
		char *slot = w->slots + (size_t)k * w->slot_size;
		int64_t i = 0;
		while (i < w->list.n && w->blob[i] != slot)
			i++;
		if (i == w->list.n)
			return slot;
	}
	return NULL;
}

static void add(bl_live *l, const bl_snapshot *s)
{
	struct live_writer *w = l->writer;
	size_t size = bl_pack(s, true, w->packed);
	int64_t i = w->list.n;
	char *blob = bl_writer_has_file(l) ? NULL : free_slot(w, s->d);
	if (!bl_writer_has_file(l) && (!blob || size > w->slot_size))
		return;
	w->list.kept[i] = (struct live_stored){ .step = s->step, .size = size };
	w->blob[i] = blob;
	w->list.n++;
	if (blob)
		memcpy(blob, w->packed, size);
	else
		to_file(l, i, w->packed);
	publish_list(l);
}

/* Whether the snapshot is due is checked again after thinning, which doubles the interval. */
void bl_snapshots_add(bl_live *l, const bl_snapshot *s)
{
	struct live_writer *w = l->writer;
	int64_t most = bl_writer_has_file(l) || w->most < IN_MEMORY ? w->most : IN_MEMORY;
	if (most > l->capacity)
		most = l->capacity;
	if (most > 0 && due(&w->list, s->step) && w->list.n >= most)
		thin(l);
	if (due(&w->list, s->step) && w->list.n < most)
		add(l, s);
}

/* If this replaces a lost file, snapshots that were stored only in that file are lost, too. */
void bl_snapshots_write(bl_live *l)
{
	struct live_writer *w = l->writer;
	int64_t n = 0;
	w->holes = 0;
	for (int64_t i = 0; i < w->list.n; i++) {
		char *blob = w->blob[i];
		w->blob[i] = NULL;
		if (!blob)
			continue;
		w->list.kept[n] = w->list.kept[i];
		to_file(l, n, blob);
		if (!bl_writer_has_file(l))
			w->blob[n] = blob;
		n++;
	}
	w->list.n = n;
	publish_list(l);
	if (bl_writer_has_file(l)) {
		free(w->slots);
		w->slots = NULL;
	}
}

int bl_live_set_keep(bl_live *l, bl_keep keep)
{
	static const int64_t most[] = {
		[BL_KEEP_RECORDS] = 0, [BL_KEEP_SOME] = LIVE_SNAPSHOTS_SOME, [BL_KEEP_ALL] = LIVE_SNAPSHOTS_ALL
	};
	if (!l->writer || l->fd >= 0 || l->writer->list.n > 0)
		return bl_fail("live: the snapshots to keep must be chosen before the run has a file or snapshots");
	if (keep < BL_KEEP_SOME || keep > BL_KEEP_RECORDS)
		return bl_fail("live: there is no snapshot policy %d", (int)keep);
	l->writer->most = most[keep];
	return 0;
}

/* --- The reader's side --------------------------------------------------- */

static bool list_sane(const struct live_list *k)
{
	int64_t before = 0;
	if (k->n < 0 || k->n > LIVE_SNAPSHOTS_ALL)
		return false;
	for (int64_t i = 0; i < k->n; before = k->kept[i++].step)
		if (k->kept[i].step <= before || k->kept[i].size > BLOB_MOST || k->kept[i].at > (UINT64_C(1) << 48))
			return false;
	return true;
}

static void read_list(const bl_live *l, struct live_list *k)
{
	if (l->writer)
		*k = l->writer->list;
	else if (!bl_disk_newest(l->fd, &l->section[SECTION_SNAPSHOTS], k, sizeof *k) || !list_sane(k))
		k->n = 0;
}

/* If the newest snapshot is also the last of the list, the newest is used, since it has the views. */
static int64_t count(const bl_live *l, struct live_list *k)
{
	read_list(l, k);
	int64_t last = k->n > 0 ? k->kept[k->n - 1].step : 0, newest = bl_live_newest_step(l);
	k->n -= newest == last && k->n > 0;
	return k->n + (newest >= last && newest > 0);
}

/* Returns how many of n snapshots readers get: at most BL_SNAPSHOTS_MAX, spread over the run. */
static int64_t shown(int64_t n)
{
	return n < BL_SNAPSHOTS_MAX ? n : BL_SNAPSHOTS_MAX;
}

static int64_t place(int64_t i, int64_t n)
{
	return n > BL_SNAPSHOTS_MAX ? i * (n - 1) / (BL_SNAPSHOTS_MAX - 1) : i;
}

int bl_live_snapshot_count(const bl_live *l)
{
	struct live_list k;
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	pthread_mutex_lock(lock);
	int64_t n = count(l, &k);
	pthread_mutex_unlock(lock);
	return (int)shown(n);
}

static bool load(const bl_live *l, int64_t i, const struct live_stored *k, bl_snapshot *out)
{
	const char *blob = l->writer ? l->writer->blob[i] : NULL;
	if (blob)
		return bl_unpack(blob, k->size, out);
	char *bytes = malloc(k->size);
	bool whole = bytes && l->fd >= 0 && bl_disk_read(l->fd, k->at, bytes, k->size) && bl_unpack(bytes, k->size, out);
	free(bytes);
	return whole && out->step == k->step;
}

/* If the snapshot was dropped after the list was read, reads the list again. */
int64_t bl_live_snapshot_at(const bl_live *l, int i, bl_snapshot *out)
{
	struct live_list k;
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	int64_t found = -1;
	bool newest = false;
	pthread_mutex_lock(lock);
	for (int tries = 0; i >= 0 && tries < READ_TRIES && found < 0 && !newest; tries++) {
		int64_t n = count(l, &k), at = place(i, n);
		newest = i < shown(n) && at >= k.n;
		if (i >= shown(n))
			break;
		if (!newest && load(l, at, &k.kept[at], out))
			found = out->step;
	}
	pthread_mutex_unlock(lock);
	return newest ? bl_live_snapshot(l, out) : found;
}

/*
 * Sets the interval of a resumed run to that of its old file.  With a shorter one, later snapshots would fill the list, and
 * earlier ones would be dropped.
 */
void bl_snapshots_interval(bl_live *l, const bl_live *past)
{
	struct live_list k;
	pthread_mutex_t *lock = (pthread_mutex_t *)&past->lock;
	pthread_mutex_lock(lock);
	read_list(past, &k);
	pthread_mutex_unlock(lock);
	if (k.n > 0 && k.interval > 0 && k.interval <= past->capacity)
		l->writer->list.interval = k.interval;
}
