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

/* What /proc/PID/stat says; zeros where it says nothing. */
struct stat_line {
	char state;
	uint64_t threads, start; /* fields 20 and 22 */
};

/* Fields are counted from the last ')', as the name in field 2 may hold anything. */
static struct stat_line read_stat(int64_t pid)
{
	struct stat_line out = { .state = '\0' };
	char path[64], text[1024];
	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	read_text(path, text, sizeof text);
	char *at = strrchr(text, ')');
	for (int field = 3; field <= 22 && at && (at = strchr(at + 1, ' ')); field++) {
		if (field == 3)
			out.state = at[1];
		else if (field == 20)
			out.threads = strtoull(at, NULL, 10);
		else if (field == 22)
			out.start = strtoull(at, NULL, 10);
	}
	return out;
}

uint64_t bl_process_start(int64_t pid)
{
	return read_stat(pid).start;
}

/* A zombie keeps its number and its start until its parent has asked for its end; one whose main thread only has ended lives. */
static bool is_zombie(const struct stat_line *s)
{
	return (s->state == 'Z' && s->threads <= 1) || s->state == 'X';
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
	struct stat_line s = read_stat(l->pid);
	return !is_zombie(&s) && (s.start == 0 || l->pid_ticks == 0 || s.start == l->pid_ticks);
}
