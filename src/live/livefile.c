/* SPDX-License-Identifier: GPL-3.0-or-later */
/* livefile.c: creates, moves, checks and closes handles of live files. */
#include "base/wall_time.h"
#include "live/livefile.h"

#include <barlow/process.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 4096 };

/* --- Handles ------------------------------------------------------------ */

void bl_livefile_free(bl_live *l)
{
	struct live_writer *w = l->writer;
	if (w) {
		bl_records_free(w);
		free(w->slots);
		free(w->newest);
		free(w->packed);
		free(w->path);
		free(w->owner);
		free(w);
	}
	free(l->cache);
	pthread_mutex_destroy(&l->lock);
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	free(l);
}

bl_live *bl_livefile_handle(void)
{
	bl_live *l = calloc(1, sizeof *l);
	if (!l)
		return bl_fail_null("live: no memory for a handle");
	atomic_init(&l->refs, 1);
	pthread_mutex_init(&l->lock, NULL);
	l->fd = -1;
	return l;
}

bl_live *bl_live_ref(bl_live *l)
{
	atomic_fetch_add(&l->refs, 1);
	return l;
}

/* --- Creating ----------------------------------------------------------- */

bl_live *bl_livefile_writer(int64_t steps, const bl_columns *columns)
{
	bl_live *l = bl_livefile_handle();
	struct live_writer *w = l ? calloc(1, sizeof *w) : NULL;
	if (!w) {
		if (l)
			bl_livefile_free(l);
		return bl_fail_null("live: no memory for a run");
	}
	l->writer = w;
	l->commands = true;
	w->newest = malloc(bl_pack_most());
	w->packed = malloc(bl_pack_most());
	if (!w->newest || !w->packed) {
		bl_livefile_free(l);
		return bl_fail_null("live: no memory for snapshots");
	}
	if (columns)
		w->columns = *columns;
	w->most = LIVE_SNAPSHOTS_SOME;
	w->list.interval = 1;
	l->capacity = steps > 0 ? steps : 1;
	l->started = bl_wall_seconds();
	l->pid = getpid();
	l->pid_ticks = bl_process_born(l->pid);
	bl_process_boot(l->boot, sizeof l->boot);
	return l;
}

/*
 * Writes the file and then renames it, so that readers see only a complete file.  Returns 0 or an errno; after a
 * failure, the run is in memory only.
 */
static int move_to(bl_live *l, const char *temporary, const char *path)
{
	struct live_writer *w = l->writer;
	l->fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (l->fd < 0)
		return errno;
	w->problem[0] = '\0';
	errno = 0;
	bl_whole_write(l);
	int err = w->broken ? w->failed : bl_disk_sync(l->fd);
	if (err == 0 && rename(temporary, path) != 0)
		err = errno;
	if (err == 0) {
		free(w->path);
		w->path = realpath(path, NULL);
		return 0;
	}
	unlink(temporary);
	close(l->fd);
	l->fd = -1;
	w->broken = w->failing = false;
	w->problem[0] = '\0';
	return err;
}

static int name_temporary(const char *path, char temporary[NAME_MAX_BYTES])
{
	if (snprintf(temporary, NAME_MAX_BYTES, "%s.%ld.new", path, (long)getpid()) >= NAME_MAX_BYTES)
		return bl_fail("live: file name of %zu bytes is too long", strlen(path));
	return 0;
}

int bl_live_move(bl_live *l, const char *path)
{
	char temporary[NAME_MAX_BYTES];
	if (!l->writer || l->fd >= 0)
		return bl_fail("live: only a run that is kept in memory can move to a file");
	if (name_temporary(path, temporary) != 0)
		return -1;
	pthread_mutex_lock(&l->lock);
	int err = move_to(l, temporary, path);
	pthread_mutex_unlock(&l->lock);
	return err == 0 ? 0 : bl_fail("live: %s: %s", path, strerror(err));
}

/* If there is no room on disk, training continues: the handle stays in memory, and the info's `message` says why. */
int bl_live_move_to_file(bl_live *l, const char *path)
{
	char temporary[NAME_MAX_BYTES];
	bl_live_info info;
	if (name_temporary(path, temporary) != 0)
		return -1;
	pthread_mutex_lock(&l->lock);
	int err = move_to(l, temporary, path);
	pthread_mutex_unlock(&l->lock);
	if (err != 0 && err != ENOSPC && err != EDQUOT && err != EFBIG && err != EOPNOTSUPP)
		return bl_fail("live: %s: %s", path, strerror(err));
	if (err == 0)
		return 0;
	bl_live_info_get(l, &info);
	snprintf(info.message, sizeof info.message, "kept in memory only: %.150s: %s", path, strerror(err));
	bl_live_set_info(l, &info);
	return 0;
}

bl_live *bl_live_create(const char *path, const bl_live_info *info, const bl_columns *columns)
{
	if (info->steps < 0 || info->steps > LIVE_CAPACITY_MAX)
		return bl_fail_null("live: %lld steps: expected 0 to %lld", (long long)info->steps, (long long)LIVE_CAPACITY_MAX);
	bl_live *l = bl_livefile_writer(info->steps, columns);
	if (!l)
		return NULL;
	bl_live_set_info(l, info);
	if (!path || bl_live_move_to_file(l, path) == 0)
		return l;
	bl_livefile_free(l);
	return NULL;
}

/* --- Closing ------------------------------------------------------------ */

/* Truncates the file to release space that was reserved for further records, unless other data follow it in the file. */
static void trim(bl_live *l)
{
	struct live_writer *w = l->writer;
	const struct memory_extent *m = w->extents ? &w->extent[w->extents - 1] : NULL;
	if (!m || !bl_writer_has_file(l))
		return;
	uint64_t row = 8 * (2 + (uint64_t)m->columns), end = m->at + (uint64_t)m->room * row;
	if (end + LIVE_ALIGN > w->end && ftruncate(l->fd, (off_t)(m->at + (uint64_t)m->n * row)) != 0)
		errno = 0; /* the file stays longer, which does no harm */
}

/*
 * If a run stores records only, its file contains the newest snapshot for viewers while it trains.  At the end, a file
 * without this snapshot and without reserved space replaces the old one; if that fails, the old file stays.
 */
static void leave_records(bl_live *l)
{
	struct live_writer *w = l->writer;
	char temporary[NAME_MAX_BYTES];
	int old = l->fd;
	if (!bl_writer_has_file(l) || !w->path || !bl_owner_named(l) || name_temporary(w->path, temporary) != 0)
		return;
	l->fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (l->fd < 0) {
		l->fd = old;
		return;
	}
	w->newest_size = 0;
	w->snapshots = 0;
	for (int i = 0; i < w->extents; i++)
		w->extent[i].room = w->extent[i].n;
	bl_whole_write(l);
	if (w->broken || bl_disk_sync(l->fd) != 0 || rename(temporary, w->path) != 0)
		unlink(temporary);
	close(old);
}

void bl_live_close(bl_live *l)
{
	if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	if (l->writer && l->writer->most == 0)
		leave_records(l);
	else if (l->writer)
		trim(l);
	bl_livefile_free(l);
}

/* --- The header of a file ----------------------------------------------- */

static int find_section(bl_live *l, const struct live_header *h, int which, const char *name, size_t least, const char *path)
{
	for (uint64_t i = 0; i < h->sections; i++) {
		const struct live_section *s = &h->section[i];
		if (strncmp(s->name, name, LIVE_SECTION_NAME) != 0)
			continue;
		if (s->size < least || s->size > (UINT64_C(1) << 30) || s->at > (UINT64_C(1) << 40))
			return bl_fail("%s: its section '%s' has %llu bytes, expected %zu and more", path, name,
			               (unsigned long long)s->size, least);
		l->section[which] = *s;
		return 0;
	}
	return bl_fail("%s: the live file has no section '%s'", path, name);
}

int bl_livefile_sections(bl_live *l, const struct live_header *h, const char *path)
{
	static const struct {
		const char *name;
		size_t least;
	} wanted[SECTIONS] = {
		[SECTION_MAILBOX] = { "mailbox", sizeof(struct live_mailbox) },
		[SECTION_ASKS] = { "asks", sizeof(struct live_asks) },
		[SECTION_INFO] = { "info", 2 * sizeof(struct live_turn) },
		[SECTION_STATE] = { "state", 2 * sizeof(struct live_turn) },
		[SECTION_COLUMNS] = { "columns", BL_COLUMNS_MAX * sizeof(bl_column) },
		[SECTION_EXTENTS] = { "extents", LIVE_EXTENTS_MAX * sizeof(struct live_extent) },
		[SECTION_SNAPSHOTS] = { "kept", 2 * sizeof(struct live_turn) },
	};
	if (h->version != LIVE_VERSION)
		return bl_fail("%s: the live file has version %u; this program reads versions 2 and %d", path, h->version,
		               LIVE_VERSION);
	if (h->mark != LIVE_MARK)
		return bl_fail("%s: the live file was written in another byte order", path);
	if (h->check != bl_disk_check(0, h, offsetof(struct live_header, check)) || h->sections > LIVE_SECTIONS_MAX)
		return bl_fail("%s: the header of the live file is damaged", path);
	if (h->capacity < 1 || h->capacity > LIVE_CAPACITY_MAX)
		return bl_fail("%s: the live file says that its run has %lld steps: expected 1 to %lld", path,
		               (long long)h->capacity, (long long)LIVE_CAPACITY_MAX);
	for (int i = 0; i < SECTIONS; i++)
		if (find_section(l, h, i, wanted[i].name, wanted[i].least, path) != 0)
			return -1;
	return 0;
}
