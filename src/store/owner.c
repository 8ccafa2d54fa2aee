/* SPDX-License-Identifier: GPL-3.0-or-later */
/* owner.c: finds out from run.json which trainer owns the run in a folder, under the lock that also guards resuming. */
#include "store/owner.h"

#include <barlow/error.h>
#include <barlow/process.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 400, PAUSE_NS = 5000000 };

/* The count distinguishes the trainers of this process even if the system has no random numbers. */
void bl_owner_new(char owner[BL_OWNER_TEXT])
{
	static atomic_int count;
	uint64_t drawn = 0;
	if (getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) != (ssize_t)sizeof drawn)
		drawn = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
	snprintf(owner, BL_OWNER_TEXT, "%016" PRIx64 "-%d", drawn, atomic_fetch_add(&count, 1));
}

bool bl_owner_is(const bl_run_file *f, const char *owner)
{
	char boot[BL_RUN_TEXT];
	if (f->owner[0])
		return strcmp(f->owner, owner) == 0;
	bl_process_boot(boot, sizeof boot);
	return f->pid == 0 || (f->pid == getpid() && strcmp(f->boot, boot) == 0);
}

/* Takes the lock of bl_runs_claim without checking the run. */
static int lock_folder(const char *folder, bool wait)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bl_fail("%s: %s", folder, strerror(errno));
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
		if (!wait || i == TRIES) {
			close(fd);
			bl_fail("%s: another process is resuming the run", folder);
			return BL_LIVE_BUSY;
		}
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	return fd;
}

int bl_owner_claim(const char *path, const char *owner, bool wait)
{
	bl_run_file f;
	const char *slash = strrchr(path, '/');
	char *folder = strndup(path, slash ? (size_t)(slash - path) : 0);
	int fd = folder ? lock_folder(folder, wait) : bl_fail("no memory for a folder's name");
	if (fd >= 0 && bl_run_file_read(folder, &f) == 0) {
		if (!bl_owner_is(&f, owner)) {
			bl_fail("the run in %s was resumed elsewhere, by process %" PRId64 " on %s", folder, f.pid, f.host);
			close(fd);
			fd = -1;
		}
		bl_run_file_free(&f);
	}
	free(folder);
	return fd;
}
