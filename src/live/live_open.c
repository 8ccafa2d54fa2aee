/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live_open.c: opens live files of this version and of version 2 for reading, whether they are whole or damaged. */
#include "live/livefile.h"

#include <barlow/process.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: opening a FIFO of that name must not block. */
static int open_regular(const char *path, bool writable, struct stat *s)
{
	int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, s) != 0 || !S_ISREG(s->st_mode)) {
		bl_fail("%s: %s", path, fd < 0 ? strerror(errno) : "not a regular file");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/*
 * Opens the live file at fd.  A file of version 2 becomes a run in memory, which accepts no commands.  NULL with
 * bl_error.
 */
static bl_live *open_file(int fd, bool writable, const char *path)
{
	struct live_header h;
	struct stat s;
	if (!bl_disk_read(fd, 0, &h, sizeof h))
		return bl_fail_null("%s: %lld bytes are too few for a live file (%zu and more)", path,
		                    fstat(fd, &s) == 0 ? (long long)s.st_size : 0, sizeof h);
	bool magic = memcmp(h.magic, LIVE_MAGIC, sizeof h.magic) == 0;
	if (magic && h.version == 2)
		return bl_version2_open(fd, path);
	bl_live *l = bl_rescue(fd, &h, true, path);
	if (l)
		return l;
	if (!magic)
		return bl_fail_null("%s: not a live file of barlow (wrong magic at byte 0)", path);
	l = bl_livefile_handle();
	if (!l)
		return NULL;
	if (bl_livefile_sections(l, &h, path) == 0 && !(l->cache = calloc(1, sizeof *l->cache)))
		bl_fail("live: no memory for a reader");
	if (!l->cache) {
		bl_livefile_free(l);
		return NULL;
	}
	l->fd = fd;
	l->commands = writable;
	l->capacity = h.capacity;
	l->pid = h.pid;
	l->pid_ticks = h.pid_ticks;
	memcpy(l->boot, h.boot, sizeof l->boot);
	l->boot[sizeof l->boot - 1] = '\0';
	return l;
}

bl_live *bl_live_open(const char *path, bool writable_mailbox)
{
	struct stat s;
	int fd = open_regular(path, writable_mailbox, &s);
	if (fd < 0)
		return NULL;
	bl_live *l = open_file(fd, writable_mailbox, path);
	if (!l || l->fd != fd)
		close(fd);
	if (!l)
		return NULL;
	l->device = s.st_dev;
	l->inode = s.st_ino;
	l->path = strdup(path);
	if (l->path)
		return l;
	bl_livefile_free(l);
	return bl_fail_null("live: no memory for a reader");
}

/* A process with the trainer's pid is the trainer only if it started at the same time in the same boot. */
bool bl_live_writer_alive(const bl_live *l)
{
	char boot[sizeof l->boot];
	bl_process_boot(boot, sizeof boot);
	return strcmp(boot, l->boot) == 0 && bl_process_lives(l->pid, l->pid_ticks);
}

/* Can all records and snapshots be read?  s is memory for a snapshot. */
static bool is_whole(const bl_live *l, bl_snapshot *s)
{
	struct live_state state;
	bl_record r;
	int64_t n = bl_live_length(l);
	if (!bl_disk_newest(l->fd, &l->section[SECTION_STATE], &state, sizeof state) || state.records != (uint64_t)n)
		return false;
	for (int64_t i = 0; i < n; i++)
		if (!bl_live_record(l, i, &r))
			return false;
	for (int i = 0; i < bl_live_snapshot_count(l); i++)
		if (bl_live_snapshot_at(l, i, s) < 0)
			return false;
	return state.snapshot_size == 0 || bl_live_snapshot(l, s) > 0;
}

bl_live *bl_live_open_whole(const char *path, bool writable_mailbox)
{
	struct live_header h;
	bl_live *l = bl_live_open(path, writable_mailbox), *rescued = NULL;
	bl_snapshot *s = l && l->fd >= 0 ? malloc(sizeof *s) : NULL;
	if (s && !is_whole(l, s) && bl_disk_read(l->fd, 0, &h, sizeof h))
		rescued = bl_rescue(l->fd, &h, false, path);
	free(s);
	if (!rescued)
		return l;
	rescued->path = l->path;
	rescued->device = l->device;
	rescued->inode = l->inode;
	l->path = NULL;
	bl_livefile_free(l);
	return rescued;
}

const char *bl_live_damage(const bl_live *l)
{
	return l->damage[0] ? l->damage : NULL;
}

const char *bl_live_path(const bl_live *l)
{
	return l->path;
}

bl_live *bl_live_open_next(const bl_live *l)
{
	struct stat s;
	if (!l->path || stat(l->path, &s) != 0)
		return bl_fail_null("live: nothing follows a run that has no file");
	if (s.st_dev == l->device && s.st_ino == l->inode)
		return bl_fail_null("%s: still the same run", l->path);
	return bl_live_open(l->path, l->commands);
}
