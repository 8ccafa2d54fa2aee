/* SPDX-License-Identifier: GPL-3.0-or-later */
/* newest.c: writes and reads the newest snapshot. */
#include "live/livefile.h"

#include <stdlib.h>

enum { READ_TRIES = 64, BLOB_MOST = 8 << 20 };

/*
 * The newest snapshot is written alternately to two places.  One that does not fit gets a new place at the end of
 * the file, with spare room for parts that later snapshots may have in addition (spectrum, pairs, points), so that few
 * places are abandoned.
 */
void bl_newest_publish(bl_live *l, const bl_snapshot *s)
{
	struct live_writer *w = l->writer;
	w->newest_size = bl_pack(s, false, w->newest);
	w->snapshots++;
	int area = (int)(w->snapshots & 1);
	if (w->newest_size > w->area[area].room && bl_writer_has_file(l)) {
		w->area[area].room = w->newest_size + w->newest_size / 4;
		w->area[area].at = bl_writer_room(l, w->area[area].room);
	}
	bl_writer_put(l, w->area[area].at, w->newest, w->newest_size);
	bl_writer_state(l);
}

static bool newest_blob(const bl_live *l, struct live_state *s)
{
	return bl_disk_newest(l->fd, &l->section[SECTION_STATE], s, sizeof *s) && s->snapshot_size > 0 &&
	       s->snapshot_size <= BLOB_MOST && s->snapshot_at < (UINT64_C(1) << 48);
}

/* If the snapshot was overwritten while it was read, its checksum is wrong, and it is read again. */
static bool snapshot_in_file(const bl_live *l, bl_snapshot *out)
{
	struct live_state s, again;
	bool whole = false;
	for (int i = 0; i < READ_TRIES && !whole && newest_blob(l, &s); i++) {
		char *bytes = malloc(s.snapshot_size);
		whole = bytes && bl_disk_read(l->fd, s.snapshot_at, bytes, s.snapshot_size) &&
		        bl_unpack(bytes, s.snapshot_size, out);
		free(bytes);
		if (!whole && newest_blob(l, &again) && again.snapshots == s.snapshots)
			break; /* nothing new was written: it is damaged */
	}
	return whole;
}

int64_t bl_live_snapshot(const bl_live *l, bl_snapshot *out)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	if (!l->writer)
		return snapshot_in_file(l, out) ? out->step : -1;
	pthread_mutex_lock(lock);
	bool there = l->writer->newest_size > 0 && bl_unpack(l->writer->newest, l->writer->newest_size, out);
	pthread_mutex_unlock(lock);
	return there ? out->step : -1;
}

int64_t bl_live_newest_step(const bl_live *l)
{
	struct live_state s;
	char head[LIVE_PACK_HEAD];
	if (l->writer)
		return l->writer->newest_size ? bl_pack_step(l->writer->newest) : -1;
	if (!newest_blob(l, &s) || !bl_disk_read(l->fd, s.snapshot_at, head, sizeof head))
		return -1;
	return bl_pack_step(head);
}

uint64_t bl_live_snapshots(const bl_live *l)
{
	struct live_state s;
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	if (!l->writer)
		return bl_disk_newest(l->fd, &l->section[SECTION_STATE], &s, sizeof s) ? s.snapshots : 0;
	pthread_mutex_lock(lock);
	uint64_t n = l->writer->snapshots;
	pthread_mutex_unlock(lock);
	return n;
}
