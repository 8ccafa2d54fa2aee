/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer.c: the copy of a run on disk: writing it, noting when that fails, and writing it anew.
 *
 * All is done under the handle's lock.  While the file is broken nothing is written; every few seconds it is tried to
 * write it anew from memory, and so at once when somebody has cut it short.
 */
#include "live/livefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RETRY_MS = 3000, LOOK_MS = 50, CHECK_MS = 1000, CHUNK = 1 << 16 };

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

static void fail(bl_live *l, int err)
{
	struct live_writer *w = l->writer;
	if (!w->broken && !(w->failing && w->failed == err))
		bl_writer_problem(l, "the run's live file cannot be written: %s; training goes on, records are kept in memory",
		                  strerror(err));
	w->broken = w->failing = true;
	w->failed = err;
	w->retry_at = bl_disk_ms() + RETRY_MS;
}

void bl_writer_put(bl_live *l, uint64_t at, const void *in, size_t n)
{
	int err = bl_writer_has_file(l) ? bl_disk_write(l->fd, at, in, n) : 0;
	if (err != 0)
		fail(l, err);
}

/* A half-written turn has no check that fits, and the one before it stays. */
void bl_writer_turn(bl_live *l, int section, const void *in, size_t n)
{
	const struct live_section *s = &l->section[section];
	uint64_t turn = ++l->writer->turn[section];
	struct live_turn t = { turn, n, bl_disk_check(turn, in, n) };
	char bytes[sizeof t + sizeof(struct live_list)]; /* the largest there is */
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

static uint64_t aligned(uint64_t n)
{
	return (n + LIVE_ALIGN - 1) / LIVE_ALIGN * LIVE_ALIGN;
}

/* A file system that cannot reserve is none to complain about: the write itself will tell. */
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
		fail(l, err);
	w->end = aligned(at + n);
	return at;
}

/* --- The whole file ------------------------------------------------------------- */

static const char *const names[SECTIONS] = { "mailbox", "asks", "info", "state", "columns", "extents", "kept" };

static size_t turn_room(size_t n)
{
	return 2 * aligned(sizeof(struct live_turn) + n);
}

/* Where they end. */
static uint64_t place_sections(bl_live *l, int64_t most)
{
	const size_t size[SECTIONS] = {
		sizeof(struct live_mailbox),
		sizeof(struct live_asks),
		turn_room(sizeof(bl_live_info)),
		turn_room(sizeof(struct live_state)),
		BL_COLUMNS_MAX * sizeof(bl_column),
		LIVE_EXTENTS_MAX * sizeof(struct live_extent),
		turn_room(offsetof(struct live_list, kept) + (size_t)most * sizeof(struct live_stored)),
	};
	uint64_t at = aligned(sizeof(struct live_header));
	for (int i = 0; i < SECTIONS; i++) {
		struct live_section *s = &l->section[i];
		*s = (struct live_section){ .at = at, .size = size[i] };
		snprintf(s->name, sizeof s->name, "%s", names[i]);
		at = aligned(at + size[i]);
	}
	return at;
}

/* How many snapshots are kept makes a difference for the last of them only. */
void bl_writer_usual_sections(bl_live *l)
{
	place_sections(l, 0);
}

static struct live_header header_of(const bl_live *l)
{
	struct live_header h = { .version = LIVE_VERSION,
		                 .mark = LIVE_MARK,
		                 .capacity = l->capacity,
		                 .pid = l->pid,
		                 .pid_ticks = l->pid_ticks,
		                 .sections = SECTIONS };
	memcpy(h.magic, LIVE_MAGIC, sizeof h.magic);
	memcpy(h.boot, l->boot, sizeof h.boot);
	memcpy(h.section, l->section, sizeof l->section);
	h.check = bl_disk_check(0, &h, offsetof(struct live_header, check));
	return h;
}

static void write_header(bl_live *l)
{
	struct live_header h = header_of(l);
	bl_writer_put(l, 0, &h, sizeof h);
}

static void write_newest(bl_live *l)
{
	struct live_writer *w = l->writer;
	memset(w->area, 0, sizeof w->area);
	if (w->newest_size == 0)
		return;
	int area = (int)(w->snapshots & 1);
	w->area[area].at = bl_writer_room(l, w->newest_size);
	w->area[area].room = w->newest_size;
	bl_writer_put(l, w->area[area].at, w->newest, w->newest_size);
}

/* The header comes last: before it nobody believes anything. */
void bl_writer_all(bl_live *l)
{
	struct live_writer *w = l->writer;
	struct live_mailbox m = { .magic = LIVE_MAILBOX_MAGIC, .taken = w->taken };
	struct live_asks none = { 0 };
	w->broken = false;
	if (ftruncate(l->fd, 0) != 0)
		fail(l, errno);
	w->end = place_sections(l, w->most);
	bl_writer_room(l, 0);
	bl_writer_put(l, l->section[SECTION_MAILBOX].at, &m, sizeof m);
	bl_writer_put(l, l->section[SECTION_ASKS].at, &none, sizeof none);
	/* So that sections which are shorter at first can be read whole. */
	if (bl_writer_has_file(l) && ftruncate(l->fd, (off_t)w->end) != 0)
		fail(l, errno);
	bl_records_write(l);
	bl_snapshots_write(l);
	write_newest(l);
	bl_writer_turn(l, SECTION_INFO, &w->info, sizeof w->info);
	bl_writer_state(l);
	write_header(l);
}

static void write_anew(bl_live *l, const char *why)
{
	struct live_writer *w = l->writer;
	bl_writer_all(l);
	if (w->broken)
		return;
	w->failing = false;
	bl_writer_problem(l, "%s; it was written anew", why);
}

void bl_writer_spoilt(bl_live *l)
{
	write_anew(l, "the run's live file was cut short or overwritten by somebody");
	if (l->writer->broken && l->writer->problem[0] == '\0')
		bl_writer_problem(l, "the run's live file was cut short by somebody, and cannot be written anew; training goes on");
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

/* Snapshots and what changes at every step carry checks of their own, and are soon written again. */
static bool is_whole(bl_live *l)
{
	struct live_header h = header_of(l);
	return bl_writer_has(l, 0, &h, sizeof h) && bl_records_whole(l);
}

void bl_live_look_after(bl_live *l)
{
	struct live_writer *w = l->writer;
	if (!w)
		return;
	pthread_mutex_lock(&l->lock);
	w->look_at = w->retry_at = w->check_at = 0;
	bl_writer_look_after(l);
	pthread_mutex_unlock(&l->lock);
}

void bl_writer_look_after(bl_live *l)
{
	struct live_writer *w = l->writer;
	struct stat s;
	int64_t now = bl_disk_ms();
	if (l->fd < 0 || now < (w->broken ? w->retry_at : w->look_at))
		return;
	w->look_at = now + LOOK_MS;
	if (fstat(l->fd, &s) != 0)
		return;
	if (!bl_owner_named(l)) {
		if (!bl_owner_regain(l))
			w->look_at = w->retry_at = now + RETRY_MS;
	} else if (w->broken)
		write_anew(l, "the run's live file could not be written for some time");
	else if ((uint64_t)s.st_size < w->end - LIVE_ALIGN)
		bl_writer_spoilt(l);
	else if (now >= w->check_at) {
		w->check_at = now + CHECK_MS;
		if (!is_whole(l))
			bl_writer_spoilt(l);
	}
}
