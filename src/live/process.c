/* SPDX-License-Identifier: GPL-3.0-or-later */
/* process.c: is the process that wrote a live file still there, or one that got its number later? */
#include "live/livefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
uint64_t bl_process_start(int64_t pid)
{
	char path[64], text[1024];
	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	read_text(path, text, sizeof text);
	char *at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

void bl_process_boot(char boot[40])
{
	memset(boot, 0, 40);
	size_t n = read_text("/proc/sys/kernel/random/boot_id", boot, 40);
	if (n > 0 && boot[n - 1] == '\n')
		boot[n - 1] = '\0';
}

/* A pid that exists is the trainer's only if it started when the trainer did, in the same boot. */
bool bl_live_writer_alive(const bl_live *l)
{
	char boot[40];
	if (l->pid <= 0 || l->pid > INT_MAX || (kill((pid_t)l->pid, 0) != 0 && errno != EPERM))
		return false;
	bl_process_boot(boot);
	if (strcmp(boot, l->boot) != 0)
		return false;
	uint64_t ticks = bl_process_start(l->pid);
	return ticks == 0 || l->pid_ticks == 0 || ticks == l->pid_ticks;
}
