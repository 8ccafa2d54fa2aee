/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * disk.c: reads and writes bytes of a live file with pread and pwrite, computes checksums, reads the newest version of
 * data that are written alternately to two halves of a section (struct live_turn), and locks sections.
 */
#define _GNU_SOURCE /* locks of open file descriptions */
#include "live/livefile.h"

#include <barlow/file.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READ_TRIES = 64, LOCK_TRIES = 200, LOCK_PAUSE_NS = 1000000, TURN_BYTES = 8192 };

bool bl_disk_read(int fd, uint64_t at, void *out, size_t n)
{
	return bl_file_get(fd, out, n, (int64_t)at) == (int64_t)n;
}

int bl_disk_write(int fd, uint64_t at, const void *in, size_t n)
{
	const char *from = in;
	while (n > 0) {
		ssize_t put = pwrite(fd, from, n, (off_t)at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? errno : ENOSPC;
		from += put;
		at += (size_t)put;
		n -= (size_t)put;
	}
	return 0;
}

int bl_disk_sync(int fd)
{
	/* EINVAL: files of this kind cannot be flushed. */
	return fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

uint64_t bl_disk_check(uint64_t seed, const void *bytes, size_t n)
{
	const char *p = bytes;
	uint64_t h = (UINT64_C(0xcbf29ce484222325) ^ seed) * UINT64_C(0x100000001b3), word;
	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * UINT64_C(0x100000001b3);
	}
	word = 0;
	memcpy(&word, p, n);
	h = (h ^ word) * UINT64_C(0x100000001b3);
	return h ^ h >> 29; /* makes the low bits depend on the high bits, too */
}

/* --- Turns --------------------------------------------------------------------- */

static uint64_t turn_of(const char *half)
{
	uint64_t turn;
	memcpy(&turn, half, sizeof turn);
	return turn;
}

/* Copies the half with the newer turn to out if its checksum fits, otherwise the other half.  False: neither is intact. */
static bool newest_in(const char *bytes, size_t room, void *out, size_t n)
{
	const char *half[2] = { bytes, bytes + room };
	int first = turn_of(half[1]) > turn_of(half[0]);
	for (int i = 0; i < 2; i++) {
		const char *in = half[first ^ i];
		struct live_turn t;
		memcpy(&t, in, sizeof t);
		if (t.turn == 0 || t.length > room - sizeof t || t.check != bl_disk_check(t.turn, in + sizeof t, t.length))
			continue;
		size_t have = t.length < n ? t.length : n;
		memcpy(out, in + sizeof t, have);
		memset((char *)out + have, 0, n - have);
		return true;
	}
	return false;
}

bool bl_disk_newest(int fd, const struct live_section *s, void *out, size_t n)
{
	char few[TURN_BYTES], *bytes = s->size <= sizeof few ? few : malloc(s->size);
	bool found = false;
	for (int i = 0; i < READ_TRIES && !found && bytes && bl_disk_read(fd, s->at, bytes, s->size); i++) {
		found = newest_in(bytes, s->size / 2, out, n);
		if (!found && turn_of(bytes) == 0 && turn_of(bytes + s->size / 2) == 0)
			break; /* nothing was written yet */
		if (!found)
			sched_yield();
	}
	if (bytes != few)
		free(bytes);
	return found;
}

/* --- Locks --------------------------------------------------------------------- */

static struct flock lock_of(short type, const struct live_section *s)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)s->at, .l_len = (off_t)s->size };
}

/* Other processes hold the lock for microseconds.  On a file system without locks, checksums have to suffice. */
int bl_disk_lock(int fd, const struct live_section *s)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		struct flock lock = lock_of(F_WRLCK, s);
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES && errno != EINTR))
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = i < 20 ? 20000 : LOCK_PAUSE_NS }, NULL);
	}
	return bl_fail("live: another process holds the run's mailbox");
}

void bl_disk_unlock(int fd, const struct live_section *s)
{
	struct flock lock = lock_of(F_UNLCK, s);
	fcntl(fd, F_OFD_SETLK, &lock);
}

int64_t bl_disk_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
