/* SPDX-License-Identifier: GPL-3.0-or-later */
/* livefile.c: creates, moves, opens, checks and closes handles of live files. */
#include "live/livefile.h"

#include <barlow/process.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 4096 };

/* --- Handles ------------------------------------------------------------ */

static void writer_free(struct live_writer *w)
{
	if (!w)
		return;
	bl_records_free(w);
	free(w->slots);
	free(w->newest);
	free(w->packed);
	free(w->path);
	free(w->owner);
	free(w);
}

void bl_livefile_free(bl_live *l)
{
	writer_free(l->writer);
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

static double seconds_since_1970(void)
{
	struct timespec now = { 0 };
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

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
	l->started = seconds_since_1970();
	l->pid = getpid();
	l->pid_ticks = bl_process_born(l->pid);
	bl_process_boot(l->boot, sizeof l->boot);
	return l;
}

/* The file is named last, so that readers see only a complete one.  0, or an errno; then l is in memory again. */
static int move_to(bl_live *l, const char *temporary, const char *path)
{
	struct live_writer *w = l->writer;
	l->fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (l->fd < 0)
		return errno;
	w->problem[0] = '\0';
	errno = 0;
	bl_writer_all(l);
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

/* Training goes on without room on disk: the handle then stays in memory, and the info's `message` says why. */
int bl_live_take_place(bl_live *l, const char *path)
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
	if (!path || bl_live_take_place(l, path) == 0)
		return l;
	bl_livefile_free(l);
	return NULL;
}

/* --- Closing ------------------------------------------------------------ */

/* Gives back the space reserved for records that never came, if nothing was written behind it. */
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
 * In a run that keeps records only, the newest snapshot serves viewers while it trains.  At the end a file without it
 * and without spare space is written beside the old one and replaces it; if that fails, the old file stays.
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
	bl_writer_all(l);
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

/* --- Opening ------------------------------------------------------------ */

static int64_t size_of(int fd)
{
	struct stat s;
	return fstat(fd, &s) == 0 ? (int64_t)s.st_size : 0;
}

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
	return bl_fail("%s: live file without a section '%s'", path, name);
}

static int find_sections(bl_live *l, const struct live_header *h, const char *path)
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
	for (int i = 0; i < SECTIONS; i++)
		if (find_section(l, h, i, wanted[i].name, wanted[i].least, path) != 0)
			return -1;
	return 0;
}

static int check_header(const struct live_header *h, const char *path)
{
	if (h->version != LIVE_VERSION)
		return bl_fail("%s: live file of version %u, this program reads versions 2 and %d", path, h->version, LIVE_VERSION);
	if (h->mark != LIVE_MARK)
		return bl_fail("%s: live file of another byte order", path);
	if (h->check != bl_disk_check(0, h, offsetof(struct live_header, check)) || h->sections > LIVE_SECTIONS_MAX)
		return bl_fail("%s: the head of the live file is damaged", path);
	if (h->capacity < 1 || h->capacity > LIVE_CAPACITY_MAX)
		return bl_fail("%s: live file with room for %lld records", path, (long long)h->capacity);
	return 0;
}

int bl_livefile_sections(bl_live *l, const struct live_header *h, const char *path)
{
	return check_header(h, path) == 0 ? find_sections(l, h, path) : -1;
}

static int adopt_header(bl_live *l, const struct live_header *h, const char *path)
{
	if (bl_livefile_sections(l, h, path) != 0)
		return -1;
	l->capacity = h->capacity;
	l->pid = h->pid;
	l->pid_ticks = h->pid_ticks;
	memcpy(l->boot, h->boot, sizeof l->boot);
	l->boot[sizeof l->boot - 1] = '\0';
	l->cache = calloc(1, sizeof *l->cache);
	return l->cache ? 0 : bl_fail("live: no memory for a reader");
}

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

/* A file of the previous version becomes a run in memory, which takes no commands. */
static bl_live *open_file(int fd, bool writable, const char *path)
{
	struct live_header h;
	if (!bl_disk_read(fd, 0, &h, sizeof h))
		return bl_fail_null("%s: %lld bytes are too few for a live file (%zu and more)", path, (long long)size_of(fd),
		                    sizeof h);
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
	l->commands = writable;
	if (adopt_header(l, &h, path) == 0) {
		l->fd = fd;
		return l;
	}
	bl_livefile_free(l);
	return NULL;
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

/* A pid that exists is the trainer's only if it started when the trainer did, in the same boot. */
bool bl_live_writer_alive(const bl_live *l)
{
	char boot[sizeof l->boot];
	bl_process_boot(boot, sizeof boot);
	return strcmp(boot, l->boot) == 0 && bl_process_lives(l->pid, l->pid_ticks);
}

/* Can everything that a reader may ask for be read? */
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
