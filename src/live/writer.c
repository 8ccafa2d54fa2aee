/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer.c: writes parts of a run's live file, and records failures.
 *
 * All functions are called with the handle's lock held.  While the file is broken, nothing is written until
 * whole_file.c rewrites the file.
 */
#include "live/livefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

bool bl_writer_has_file(const bl_live *l)
{
	return l->fd >= 0 && !l->writer->broken;
}

void bl_writer_problem(bl_live *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(l->writer->problem, sizeof l->writer->problem, fmt, ap);
	va_end(ap);
	l->writer->spoken = false;
}

void bl_writer_fail(bl_live *l, int err)
{
	struct live_writer *w = l->writer;
	if (!w->broken && !(w->failing && w->failed == err))
		bl_writer_problem(l, "the run's live file cannot be written: %s; training continues, records are kept in memory",
		                  strerror(err));
	w->broken = w->failing = true;
	w->failed = err;
	w->retry_at = bl_disk_ms() + LIVE_RETRY_MS;
}

void bl_writer_put(bl_live *l, uint64_t at, const void *in, size_t n)
{
	int err = bl_writer_has_file(l) ? bl_disk_write(l->fd, at, in, n) : 0;
	if (err != 0)
		bl_writer_fail(l, err);
}

/* If a turn is half written, its checksum is wrong, and the previous turn is still intact. */
void bl_writer_turn(bl_live *l, int section, const void *in, size_t n)
{
	const struct live_section *s = &l->section[section];
	uint64_t turn = ++l->writer->turn[section];
	struct live_turn t = { turn, n, bl_disk_check(turn, in, n) };
	char bytes[sizeof t + sizeof(struct live_list)]; /* the list is the largest of the data that are written here */
	if (!bl_writer_has_file(l))
		return;
	memcpy(bytes, &t, sizeof t);
	memcpy(bytes + sizeof t, in, n);
	bl_writer_put(l, s->at + (turn & 1) * (s->size / 2), bytes, sizeof t + n);
}

void bl_writer_state(bl_live *l)
{
	struct live_writer *w = l->writer;
	int area = (int)(w->snapshots & 1);
	struct live_state s = { (uint64_t)w->written,
		                w->snapshots,
		                (uint32_t)w->columns.n,
		                (uint32_t)w->extents,
		                w->newest_size ? w->area[area].at : 0,
		                w->newest_size };
	bl_writer_turn(l, SECTION_STATE, &s, sizeof s);
}

/* If the file system does not support reserving space, the file is only extended; later writes may then fail. */
uint64_t bl_writer_room(bl_live *l, size_t n)
{
	struct live_writer *w = l->writer;
	uint64_t at = w->end;
	if (!bl_writer_has_file(l) || n == 0)
		return at;
	int err = posix_fallocate(l->fd, (off_t)at, (off_t)n);
	if (err == EOPNOTSUPP || err == EINVAL)
		err = ftruncate(l->fd, (off_t)(at + n)) == 0 ? 0 : errno;
	if (err != 0)
		bl_writer_fail(l, err);
	w->end = bl_live_aligned(at + n);
	return at;
}

bool bl_writer_has(const bl_live *l, uint64_t at, const void *bytes, size_t n)
{
	char there[CHUNK];
	for (size_t done = 0; done < n; done += CHUNK) {
		size_t now = n - done < CHUNK ? n - done : CHUNK;
		if (!bl_disk_read(l->fd, at + done, there, now) || memcmp(there, (const char *)bytes + done, now) != 0)
			return false;
	}
	return true;
}
