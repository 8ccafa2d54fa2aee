/* SPDX-License-Identifier: GPL-3.0-or-later */
/* livefile.c: making, opening, checking and closing live files; the words in them are moved here, ordered in live.c. */
#include "live/livefile.h"

#include <barlow/error.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- Moving words ------------------------------------------------------- */

static bool read_all(int fd, size_t at, void *out, size_t n)
{
	char *to = out;
	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		at += (size_t)got;
		n -= (size_t)got;
	}
	return true;
}

bool bl_livefile_load(const bl_live *l, size_t at, void *out, size_t n)
{
	if (!l->image)
		return read_all(l->fd, at, out, n);
	_Atomic uint64_t *from = (_Atomic uint64_t *)((char *)l->image + at);
	for (size_t i = 0; i < n / 8; i++) {
		uint64_t word = atomic_load_explicit(&from[i], memory_order_relaxed);
		memcpy((char *)out + 8 * i, &word, 8);
	}
	return true;
}

void bl_livefile_store(bl_live *l, size_t at, const void *in, size_t n)
{
	_Atomic uint64_t *to = (_Atomic uint64_t *)((char *)l->image + at);
	for (size_t i = 0; i < n / 8; i++) {
		uint64_t word;
		memcpy(&word, (const char *)in + 8 * i, 8);
		atomic_store_explicit(&to[i], word, memory_order_relaxed);
	}
}

uint64_t bl_livefile_word(const bl_live *l, size_t at)
{
	uint64_t word = 0;
	bool there = bl_livefile_load(l, at, &word, sizeof word);
	atomic_thread_fence(memory_order_acquire);
	return there ? word : 0;
}

int64_t bl_livefile_size(const bl_live *l)
{
	struct stat s;
	if (l->image)
		return (int64_t)l->length;
	return fstat(l->fd, &s) == 0 ? (int64_t)s.st_size : 0;
}

/* --- Who writes --------------------------------------------------------- */

static size_t read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* Field 22 of /proc/PID/stat, counted from the last ')' as the name in field 2 may hold anything. */
uint64_t bl_livefile_process_start(int64_t pid)
{
	char path[64], text[1024];
	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	read_text(path, text, sizeof text);
	char *at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

void bl_livefile_boot(char boot[40])
{
	memset(boot, 0, 40);
	size_t n = read_text("/proc/sys/kernel/random/boot_id", boot, 40);
	if (n > 0 && boot[n - 1] == '\n')
		boot[n - 1] = '\0';
}

/* --- Where things lie --------------------------------------------------- */

/* A short run has a slot for each step, and a small file. */
int64_t bl_livefile_slots(int64_t capacity)
{
	return capacity < LIVE_KEPT ? capacity : LIVE_KEPT;
}

size_t bl_livefile_records_at(int64_t capacity)
{
	size_t end = offsetof(struct live_image, kept) + (size_t)bl_livefile_slots(capacity) * sizeof(struct live_kept);
	return (end + LIVE_ALIGN - 1) / LIVE_ALIGN * LIVE_ALIGN;
}

_Static_assert(offsetof(bl_record, value) == 8, "a record's values follow its step, as in the file");

size_t bl_livefile_row(const bl_live *l)
{
	return sizeof(double) * (1 + (size_t)l->columns.n);
}

/* --- Handles ------------------------------------------------------------ */

static void handle_free(bl_live *l)
{
	if (l->cache) {
		pthread_mutex_destroy(&l->cache->lock);
		free(l->cache);
	}
	pthread_mutex_destroy(&l->writing);
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	free(l);
}

static bl_live *handle_new(void)
{
	bl_live *l = calloc(1, sizeof *l);
	if (!l)
		return bl_fail_null("live: no memory for a handle");
	atomic_init(&l->refs, 1);
	pthread_mutex_init(&l->writing, NULL);
	l->fd = -1;
	return l;
}

bl_live *bl_live_ref(bl_live *l)
{
	atomic_fetch_add(&l->refs, 1);
	return l;
}

/* The room for records that never came is given back: readers use pread, so nobody has it mapped. */
static void unmap_writer(bl_live *l)
{
	munmap(l->image, l->length);
	off_t used = (off_t)(l->records_at + (size_t)l->written * bl_livefile_row(l));
	if (l->fd >= 0 && ftruncate(l->fd, used) != 0)
		errno = 0; /* it stays long: no harm */
}

void bl_live_close(bl_live *l)
{
	if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	if (l->image)
		unmap_writer(l);
	else if (l->front)
		munmap(l->front, offsetof(struct live_image, info));
	handle_free(l);
}

/* --- Creating ----------------------------------------------------------- */

static void header_fill(struct live_header *h, const bl_live *l)
{
	memcpy(h->magic, LIVE_MAGIC, sizeof h->magic);
	h->version = LIVE_VERSION;
	h->mark = LIVE_MARK;
	h->info_size = sizeof(bl_live_info);
	h->snapshot_size = sizeof(bl_snapshot);
	h->record_size = (uint32_t)bl_livefile_row(l);
	h->slots = LIVE_SLOTS;
	h->records_at = l->records_at;
	h->capacity = l->capacity;
	h->pid = l->pid;
	h->pid_ticks = l->pid_ticks;
	memcpy(h->boot, l->boot, sizeof h->boot);
}

/* Maps fd, or memory of this process where fd is negative. */
static int map_writer(bl_live *l, int fd)
{
	int flags = fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	void *p = mmap(NULL, l->length, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	l->image = l->front = p;
	l->fd = fd;
	header_fill(&l->image->header, l);
	l->image->columns.n = l->columns.n;
	memcpy(l->image->columns.column, l->columns.column, sizeof l->columns.column);
	return 0;
}

/*
 * A new file under a name of its own with all its room reserved: a disk that is
 * full must show here, not as a SIGBUS in the middle of training.
 * Returns the errno of what failed, 0 when all is well.
 */
static int map_file(bl_live *l, const char *temporary)
{
	int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	int err = posix_fallocate(fd, 0, (off_t)l->length);
	if (err == 0 && map_writer(l, fd) != 0)
		err = errno;
	if (err != 0) {
		close(fd);
		unlink(temporary);
	}
	return err;
}

/* Readers see the file only once it is whole: it gets its name last. */
static int name_file(bl_live *l, const char *temporary, const char *path)
{
	if (rename(temporary, path) == 0)
		return 0;
	int err = errno;
	unlink(temporary);
	munmap(l->image, l->length);
	close(l->fd);
	l->image = l->front = NULL;
	l->fd = -1;
	return err;
}

/* No room on disk is no reason not to train: then it is memory, and `message` says why. */
static int create_mapping(bl_live *l, const char *path, char *temporary, bl_live_info *info)
{
	int err = path ? map_file(l, temporary) : 0;
	if (path && err == 0) {
		bl_live_set_info(l, info);
		err = name_file(l, temporary, path);
	}
	if (err != 0 && err != ENOSPC && err != EDQUOT && err != EFBIG && err != EOPNOTSUPP)
		return bl_fail("live: %s: %s", path, strerror(err));
	if (l->image)
		return 0;
	if (map_writer(l, -1) != 0)
		return bl_fail("live: no memory for %lld records", (long long)l->capacity);
	if (err != 0)
		snprintf(info->message, sizeof info->message, "kept in memory only: %.150s: %s", path, strerror(err));
	bl_live_set_info(l, info);
	return 0;
}

static double seconds_since_1970(void)
{
	struct timespec now = { 0 };
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bl_live *writer_new(int64_t steps, const bl_columns *columns)
{
	bl_live *l = handle_new();
	if (!l)
		return NULL;
	if (columns)
		l->columns = *columns;
	l->capacity = steps > 0 ? steps : 1;
	l->records_at = bl_livefile_records_at(l->capacity);
	l->length = l->records_at + (size_t)l->capacity * bl_livefile_row(l);
	l->list.interval = 1;
	l->started = seconds_since_1970();
	l->pid = getpid();
	l->pid_ticks = bl_livefile_process_start(l->pid);
	bl_livefile_boot(l->boot);
	return l;
}

enum { NAME_MAX_BYTES = 4096 };

static int name_temporary(const char *path, char temporary[NAME_MAX_BYTES])
{
	if (snprintf(temporary, NAME_MAX_BYTES, "%s.%ld.new", path, (long)getpid()) >= NAME_MAX_BYTES)
		return bl_fail("live: file name of %zu bytes is too long", strlen(path));
	return 0;
}

bl_live *bl_live_create(const char *path, const bl_live_info *info, const bl_columns *columns)
{
	char temporary[NAME_MAX_BYTES];
	if (info->steps < 0 || info->steps > LIVE_CAPACITY_MAX)
		return bl_fail_null("live: %lld steps: expected 0 to %lld", (long long)info->steps,
		                    (long long)LIVE_CAPACITY_MAX);
	if (path && name_temporary(path, temporary) != 0)
		return NULL;
	bl_live *l = writer_new(info->steps, columns);
	if (!l)
		return NULL;
	bl_live_info first = *info;
	if (create_mapping(l, path, temporary, &first) == 0)
		return l;
	handle_free(l);
	return NULL;
}

/* Room for records that have not come is not touched, so that it costs no memory. */
static void copy_image(bl_live *l, const struct live_image *from)
{
	memcpy(l->image, from, l->records_at + (size_t)l->written * bl_livefile_row(l));
}

int bl_live_move(bl_live *l, const char *path)
{
	char temporary[NAME_MAX_BYTES];
	struct live_image *memory = l->image;
	if (!memory || l->fd >= 0)
		return bl_fail("live: only a run that is kept in memory can move to a file");
	if (name_temporary(path, temporary) != 0)
		return -1;
	int err = map_file(l, temporary);
	if (err == 0) {
		copy_image(l, memory);
		err = name_file(l, temporary, path);
	}
	if (err != 0) {
		l->image = l->front = memory;
		l->fd = -1;
		return bl_fail("live: %s: %s", path, strerror(err));
	}
	munmap(memory, l->length);
	return 0;
}

/* --- Opening ------------------------------------------------------------ */

static int check_sizes(const struct live_header *h, const char *path)
{
	if (h->info_size != sizeof(bl_live_info) || h->snapshot_size != sizeof(bl_snapshot) || h->slots != LIVE_SLOTS)
		return bl_fail("%s: live file of other sizes (info %u, snapshot %u) than here (%zu, %zu)", path, h->info_size,
		               h->snapshot_size, sizeof(bl_live_info), sizeof(bl_snapshot));
	if (h->capacity < 1 || h->capacity > LIVE_CAPACITY_MAX)
		return bl_fail("%s: live file with room for %lld records", path, (long long)h->capacity);
	if (h->records_at != bl_livefile_records_at(h->capacity))
		return bl_fail("%s: live file with records at byte %llu, expected %zu", path, (unsigned long long)h->records_at,
		               bl_livefile_records_at(h->capacity));
	return 0;
}

static int check_header(const struct live_header *h, const char *path)
{
	if (memcmp(h->magic, LIVE_MAGIC, sizeof h->magic) != 0)
		return bl_fail("%s: not a live file of barlow (wrong magic at byte 0)", path);
	if (h->version != LIVE_VERSION)
		return bl_fail("%s: live file of version %u, this program reads version %d", path, h->version, LIVE_VERSION);
	if (h->mark != LIVE_MARK)
		return bl_fail("%s: live file of another byte order", path);
	return check_sizes(h, path);
}

static int adopt_columns(bl_live *l, const struct live_header *h, const char *path)
{
	struct live_columns c;
	if (!read_all(l->fd, offsetof(struct live_image, columns), &c, sizeof c) || c.n < 0 || c.n > BL_COLUMNS_MAX)
		return bl_fail("%s: the columns of its records cannot be read", path);
	for (int i = 0; i < c.n; i++) {
		bl_column_clean(&c.column[i]);
		if (bl_columns_add(&l->columns, &c.column[i]) < 0)
			return bl_fail_prefix("%s: ", path);
	}
	if (h->record_size != bl_livefile_row(l))
		return bl_fail("%s: records of %u bytes, expected %zu", path, h->record_size, bl_livefile_row(l));
	return 0;
}

static int adopt_header(bl_live *l, const char *path)
{
	struct live_header h;
	if (bl_livefile_size(l) < (int64_t)offsetof(struct live_image, kept) || !read_all(l->fd, 0, &h, sizeof h))
		return bl_fail("%s: %lld bytes are too few for a live file (%zu and more)", path,
		               (long long)bl_livefile_size(l), offsetof(struct live_image, kept));
	if (check_header(&h, path) != 0 || adopt_columns(l, &h, path) != 0)
		return -1;
	l->capacity = h.capacity;
	l->records_at = bl_livefile_records_at(h.capacity);
	l->pid = h.pid;
	l->pid_ticks = h.pid_ticks;
	memcpy(l->boot, h.boot, sizeof l->boot);
	l->boot[sizeof l->boot - 1] = '\0';
	return 0;
}

/* O_NONBLOCK: a FIFO by that name must not hang us. */
static int open_regular(bl_live *l, const char *path, bool writable)
{
	struct stat s;
	l->fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (l->fd < 0 || fstat(l->fd, &s) != 0)
		return bl_fail("%s: %s", path, strerror(errno));
	if (!S_ISREG(s.st_mode))
		return bl_fail("%s: not a regular file", path);
	return 0;
}

static int map_front(bl_live *l, const char *path)
{
	void *p = mmap(NULL, offsetof(struct live_image, info), PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);
	if (p == MAP_FAILED)
		return bl_fail("%s: cannot map the mailbox: %s", path, strerror(errno));
	l->front = p;
	return 0;
}

static int cache_new(bl_live *l, const char *path)
{
	l->cache = calloc(1, sizeof *l->cache);
	l->path = strdup(path);
	if (!l->cache || !l->path) {
		free(l->cache);
		l->cache = NULL;
		return bl_fail("live: no memory for a reader");
	}
	pthread_mutex_init(&l->cache->lock, NULL);
	return 0;
}

bl_live *bl_live_open(const char *path, bool writable_mailbox)
{
	bl_live *l = handle_new();
	if (!l)
		return NULL;
	if (open_regular(l, path, writable_mailbox) == 0 && adopt_header(l, path) == 0 && cache_new(l, path) == 0 &&
	    (!writable_mailbox || map_front(l, path) == 0))
		return l;
	handle_free(l);
	return NULL;
}

static bool same_file(const bl_live *l, const char *path)
{
	struct stat here, there;
	return fstat(l->fd, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

const char *bl_live_path(const bl_live *l)
{
	return l->path;
}

bl_live *bl_live_open_next(const bl_live *l)
{
	if (!l->path || access(l->path, F_OK) != 0)
		return bl_fail_null("live: nothing follows a run that has no file");
	if (same_file(l, l->path))
		return bl_fail_null("%s: still the same run", l->path);
	return bl_live_open(l->path, l->front != NULL);
}
