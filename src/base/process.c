/* SPDX-License-Identifier: GPL-3.0-or-later */
/* process.c: starting other processes and telling them apart. */
#include <barlow/error.h>
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

/* --- who a process is --- */

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Field 3 (state) and 22 (start) of /proc/PID/stat: they follow the name, which ends with the last parenthesis. */
static bool read_stat(int64_t pid, char *state, uint64_t *born)
{
	char path[64], text[1024];
	unsigned long long start;
	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	if (!read_text(path, text, sizeof text))
		return false;
	const char *at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", state, &start) != 2)
		return false;
	*born = start;
	return true;
}

/* As one word, without blanks. */
static void set_host_and_boot(bl_process_id *id)
{
	memset(id->host, 0, sizeof id->host);
	if (gethostname(id->host, 65) != 0 || !*id->host)
		strcpy(id->host, "-");
	id->host[64] = '\0';
	for (char *c = id->host; *c; c++)
		if (*c <= ' ')
			*c = '_';
	/* Containers of one host may have its name and its boot, and each numbers its own processes. */
	char boot[64], space[64] = "";
	ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
	if (n < 0 || !read_text("/proc/sys/kernel/random/boot_id", boot, sizeof boot))
		strcpy(boot, "-");
	boot[strcspn(boot, " \n")] = '\0';
	snprintf(id->boot, sizeof id->boot, "%.23s/%.15s", boot, space + strcspn(space, "["));
}

void bl_process_self(bl_process_id *id)
{
	char state;
	*id = (bl_process_id){ .pid = getpid() };
	set_host_and_boot(id);
	if (!read_stat(id->pid, &state, &id->born))
		id->born = 0;
}

bool bl_process_is_here(const bl_process_id *id)
{
	bl_process_id here = { .pid = 0 };
	set_host_and_boot(&here);
	return strcmp(id->host, here.host) == 0 && strcmp(id->boot, here.boot) == 0;
}

bool bl_process_alive(const bl_process_id *id)
{
	char state = 'R';
	uint64_t born = 0;
	if (id->pid <= 0 || id->pid > INT_MAX || (kill((pid_t)id->pid, 0) != 0 && errno == ESRCH))
		return false;
	if (!read_stat(id->pid, &state, &born))
		return true; /* without /proc there is only its number */
	return state != 'Z' && state != 'X' && (id->born == 0 || born == id->born);
}

/* --- starting one --- */

/* The environment with the extra ones in place of those of the same name; the caller frees the list. */
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

/* A group of its own: Ctrl-C at the terminal is for who started it, and he tells it what to do. */
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
	rc = rc ? rc : posix_spawnattr_setpgroup(attributes, 0);
	return rc ? rc : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
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
