/* SPDX-License-Identifier: GPL-3.0-or-later */
/* process.c: starts and identifies processes. */
#define _GNU_SOURCE /* POSIX_SPAWN_SETSID */
#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/process.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* --- identity --- */

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int64_t n = fd >= 0 ? bl_file_get(fd, text, size - 1, 0) : -1;
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Fields of /proc/PID/stat; all are 0 if it cannot be read. */
struct stat_line {
	char state;
	uint64_t threads, born; /* fields 20 and 22 */
};

/* Fields are counted from the last ')', since the name in field 2 may contain any character. */
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
			out.born = strtoull(at, NULL, 10);
	}
	return out;
}

/* A process whose main thread has ended has the state Z, too, but it is alive while it has other threads. */
static bool is_zombie(const struct stat_line *s)
{
	return (s->state == 'Z' && s->threads <= 1) || s->state == 'X';
}

uint64_t bl_process_born(int64_t pid)
{
	return read_stat(pid).born;
}

bool bl_process_lives(int64_t pid, uint64_t born)
{
	if (pid <= 0 || pid > INT_MAX || (kill((pid_t)pid, 0) != 0 && errno != EPERM))
		return false;
	struct stat_line s = read_stat(pid);
	return !is_zombie(&s) && (s.born == 0 || born == 0 || s.born == born);
}

void bl_process_boot(char *boot, size_t size)
{
	read_text("/proc/sys/kernel/random/boot_id", boot, size);
	boot[strcspn(boot, " \n")] = '\0';
}

/* Sets host and boot, without blanks. */
static void set_host_and_boot(bl_process_id *id)
{
	memset(id->host, 0, sizeof id->host);
	if (gethostname(id->host, 65) != 0 || !*id->host)
		strcpy(id->host, "-");
	id->host[64] = '\0';
	for (char *c = id->host; *c; c++)
		if (*c <= ' ')
			*c = '_';
	/* A container may have the host's name and boot, but its own process numbers; so the PID namespace is added. */
	char boot[64], space[64] = "";
	bl_process_boot(boot, sizeof boot);
	if (readlink("/proc/self/ns/pid", space, sizeof space - 1) < 0 || !*boot)
		strcpy(boot, "-");
	snprintf(id->boot, sizeof id->boot, "%.23s/%.15s", boot, space + strcspn(space, "["));
}

void bl_process_self(bl_process_id *id)
{
	*id = (bl_process_id){ .pid = getpid(), .born = bl_process_born(getpid()) };
	set_host_and_boot(id);
}

bool bl_process_is_here(const bl_process_id *id)
{
	bl_process_id here = { .pid = 0 };
	set_host_and_boot(&here);
	return strcmp(id->host, here.host) == 0 && strcmp(id->boot, here.boot) == 0;
}

bool bl_process_alive(const bl_process_id *id)
{
	return bl_process_lives(id->pid, id->born);
}

/* --- starting a process --- */

/* The environment with the variables `extra`, which replace variables of the same names; the caller frees the list. */
static char **environment_with(const char *const extra[])
{
	size_t n = 0, more = 0;
	while (environ[n])
		n++;
	while (extra && extra[more])
		more++;
	char **list = calloc(n + more + 1, sizeof *list);
	if (!list)
		return NULL;
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		bool replaced = false;
		for (size_t j = 0; j < more; j++)
			replaced |= strncmp(environ[i], extra[j], strcspn(extra[j], "=") + 1) == 0;
		if (!replaced)
			list[k++] = environ[i];
	}
	for (size_t j = 0; j < more; j++)
		list[k++] = (char *)(uintptr_t)extra[j];
	return list;
}

/* The process gets its own session, so that Ctrl-C at the terminal does not reach it. */
static int set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes, const char *log)
{
	sigset_t none, usual;
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGINT);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGHUP);
	sigaddset(&usual, SIGTERM);
	int rc = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	rc = rc ? rc : posix_spawn_file_actions_addopen(files, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(files, STDOUT_FILENO, STDERR_FILENO);
	rc = rc ? rc : posix_spawnattr_setsigmask(attributes, &none);
	rc = rc ? rc : posix_spawnattr_setsigdefault(attributes, &usual);
	return rc ? rc : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
}

int64_t bl_process_spawn(char *const argv[], const char *log, const char *const extra[])
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	pid_t pid;
	char **environment = environment_with(extra);
	if (!environment)
		return bl_fail("no memory to start %s", argv[0]);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	int rc = set_up(&files, &attributes, log);
	rc = rc ? rc : posix_spawnp(&pid, argv[0], &files, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	free(environment);
	return rc ? bl_fail("cannot start %s (its log: %s): %s", argv[0], log, strerror(rc)) : pid;
}

int bl_process_poll(int64_t pid, int *status)
{
	int how;
	pid_t rc;
	do
		rc = pid > 0 && pid <= INT_MAX ? waitpid((pid_t)pid, &how, WNOHANG) : (errno = ECHILD, -1);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return bl_fail("process %lld: %s", (long long)pid, strerror(errno));
	if (rc == 0)
		return 0;
	*status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
	return 1;
}

char *bl_process_program(void)
{
	const char *given = getenv("BARLOW");
	char path[PATH_MAX];
	ssize_t n = given && *given ? 0 : readlink("/proc/self/exe", path, sizeof path - 1);
	if (n > 0)
		path[n] = '\0';
	char *out = strdup(given && *given ? given : n > 0 ? path : "barlow");
	return out ? out : bl_fail_null("no memory for the program's path");
}
