/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * whole_file.c: the layout of the live file, and rewriting the whole file from memory.
 *
 * The writer tries to rewrite a broken file every few seconds.  A file that was truncated or overwritten is rewritten
 * as soon as this is noticed.
 */
#include "live/livefile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 50, CHECK_MS = 1000 };

static const char *const names[SECTIONS] = { "mailbox", "asks", "info", "state", "columns", "extents", "kept" };

static size_t turn_room(size_t n)
{
	return 2 * bl_live_aligned(sizeof(struct live_turn) + n);
}

/* Sets the places of all sections, with a list of `most` snapshots, and returns the offset of their end. */
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
	uint64_t at = bl_live_aligned(sizeof(struct live_header));
	for (int i = 0; i < SECTIONS; i++) {
		struct live_section *s = &l->section[i];
		*s = (struct live_section){ .at = at, .size = size[i] };
		snprintf(s->name, sizeof s->name, "%s", names[i]);
		at = bl_live_aligned(at + size[i]);
	}
	return at;
}

/* The length 0 is arbitrary: the length of the list of snapshots changes only the size of the last section. */
void bl_whole_usual_sections(bl_live *l)
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

/* The header is written last: without it, no reader accepts the file. */
void bl_whole_write(bl_live *l)
{
	struct live_writer *w = l->writer;
	struct live_mailbox m = { .magic = LIVE_MAILBOX_MAGIC, .taken = w->taken };
	struct live_asks none = { 0 };
	w->broken = false;
	if (ftruncate(l->fd, 0) != 0)
		bl_writer_fail(l, errno);
	w->end = place_sections(l, w->most);
	bl_writer_room(l, 0);
	bl_writer_put(l, l->section[SECTION_MAILBOX].at, &m, sizeof m);
	bl_writer_put(l, l->section[SECTION_ASKS].at, &none, sizeof none);
	/*
	 * Extends the file to the end of the sections, so that each can be read whole although less was written to it.
	 */
	if (bl_writer_has_file(l) && ftruncate(l->fd, (off_t)w->end) != 0)
		bl_writer_fail(l, errno);
	bl_records_write(l);
	bl_snapshots_write(l);
	write_newest(l);
	bl_writer_turn(l, SECTION_INFO, &w->info, sizeof w->info);
	bl_writer_state(l);
	struct live_header h = header_of(l);
	bl_writer_put(l, 0, &h, sizeof h);
}

static void write_anew(bl_live *l, const char *why)
{
	struct live_writer *w = l->writer;
	bl_whole_write(l);
	if (w->broken)
		return;
	w->failing = false;
	bl_writer_problem(l, "%s; it was written again", why);
}

void bl_whole_spoilt(bl_live *l)
{
	write_anew(l, "the run's live file was truncated or overwritten by another program");
	if (l->writer->broken && l->writer->problem[0] == '\0')
		bl_writer_problem(
			l, "the run's live file was truncated by another program, and cannot be written again; training continues");
}

void bl_live_check_file(bl_live *l)
{
	struct live_writer *w = l->writer;
	if (!w)
		return;
	pthread_mutex_lock(&l->lock);
	w->look_at = w->retry_at = w->check_at = 0;
	bl_whole_check(l);
	pthread_mutex_unlock(&l->lock);
}

void bl_whole_check(bl_live *l)
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
			w->look_at = w->retry_at = now + LIVE_RETRY_MS;
	} else if (w->broken)
		write_anew(l, "the run's live file could not be written for some time");
	else if ((uint64_t)s.st_size < w->end - LIVE_ALIGN)
		bl_whole_spoilt(l);
	else if (now >= w->check_at) {
		/* Snapshots, info and state are not compared: they have checksums, and are soon written again. */
		struct live_header h = header_of(l);
		w->check_at = now + CHECK_MS;
		if (!bl_writer_has(l, 0, &h, sizeof h) || !bl_records_whole(l))
			bl_whole_spoilt(l);
	}
}
