/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gnuplot.c: runs gnuplot as a child process, without a shell or file names.
 * The script is sent through a socket, because send() can suppress SIGPIPE
 * without changing the process's signals; picture and messages are written to
 * anonymous files, so that no pipe can fill up while the script is being sent.
 */
#define _GNU_SOURCE 1 /* memfd_create */
#include "figure/gnuplot.h"

#include <barlow/error.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* NOT_FOUND: the exit status of the child if the program does not exist and posix_spawn could not report it (POSIX). */
enum { MESSAGE_MAX = 600, NOT_FOUND = 127 };

struct child {
	pid_t pid;
	int to;       /* its standard input */
	int picture;  /* its standard output */
	int messages; /* its standard error */
};

static void close_if(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* The child blocks no signal, and SIGPIPE and SIGCHLD have their default actions, whatever this process blocks or ignores. */
static int set_signals(posix_spawnattr_t *attr)
{
	sigset_t none, standard;
	sigemptyset(&none);
	sigemptyset(&standard);
	sigaddset(&standard, SIGPIPE);
	sigaddset(&standard, SIGCHLD);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &standard);
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* Starts gnuplot.  0, or an errno. */
static int spawn(struct child *c, int in)
{
	char *argv[] = { "gnuplot", "-d", "-", NULL }; /* -d: gnuplot reads no init file */
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc = posix_spawn_file_actions_init(&files);
	if (rc)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (!rc) {
		posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
		posix_spawn_file_actions_adddup2(&files, c->picture, STDOUT_FILENO);
		posix_spawn_file_actions_adddup2(&files, c->messages, STDERR_FILENO);
		rc = set_signals(&attr);
		rc = rc ? rc : posix_spawnp(&c->pid, argv[0], &files, &attr, argv, environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

static int not_installed(void)
{
	return bl_fail("gnuplot, which draws the figures, is not installed: install Debian's package gnuplot-nox");
}

static int start(struct child *c)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return bl_fail("no pipe to gnuplot: %s", strerror(errno));
	c->to = pair[0];
	c->picture = memfd_create("picture", MFD_CLOEXEC);
	c->messages = memfd_create("messages", MFD_CLOEXEC);
	int rc = c->picture < 0 || c->messages < 0 ? errno : spawn(c, pair[1]);
	close(pair[1]);
	if (rc == ENOENT)
		return not_installed();
	return rc ? bl_fail("gnuplot does not start: %s", strerror(rc)) : 0;
}

/* Sends a piece of the script.  If the child has closed the socket, this is no error here, since its messages say why. */
static void feed(int to, const bl_piece *piece)
{
	const char *bytes = piece->bytes;
	for (size_t at = 0; at < piece->n;) {
		ssize_t done = send(to, bytes + at, piece->n - at, MSG_NOSIGNAL);
		if (done < 0 && errno != EINTR)
			return;
		at += done > 0 ? (size_t)done : 0;
	}
}

/* Waits for the child.  Returns its exit status; -1: a signal ended it. */
static int finish(const struct child *c)
{
	int status;
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0; /* this process ignores SIGCHLD, so the status is lost; the caller checks the picture */
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *read_whole(int fd, size_t *n)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return NULL;
	*n = (size_t)st.st_size;
	char *bytes = malloc(*n + 1);
	for (size_t at = 0; bytes && at < *n;) {
		ssize_t got = pread(fd, bytes + at, *n - at, (off_t)at);
		if (got <= 0 && !(got < 0 && errno == EINTR)) {
			free(bytes);
			return NULL;
		}
		at += got > 0 ? (size_t)got : 0;
	}
	if (bytes)
		bytes[*n] = '\0';
	return bytes;
}

/* Replaces every run of blanks and line ends by one blank. */
static void squeeze(char *text)
{
	char *to = text;
	for (const char *p = text; *p; p++) {
		char ch = (unsigned char)*p <= ' ' ? ' ' : *p;
		if (ch != ' ' || (to > text && to[-1] != ' '))
			*to++ = ch;
	}
	*to = '\0';
}

/* Fails with gnuplot's own message, which is in the file fd. */
static int fail_with_message(int fd, int status)
{
	size_t n;
	char *message = read_whole(fd, &n);
	if (message)
		squeeze(message);
	if (status == NOT_FOUND && message && !*message)
		not_installed();
	else
		bl_fail("gnuplot failed: %.*s", MESSAGE_MAX, message && *message ? message : "it wrote no message");
	free(message);
	return -1;
}

int bl_gnuplot_run(const bl_piece *pieces, int count, void **picture, size_t *n)
{
	struct child c = { .to = -1, .picture = -1, .messages = -1 };
	int rc = start(&c);
	for (int i = 0; rc == 0 && i < count; i++)
		feed(c.to, &pieces[i]);
	close_if(c.to); /* the end of the script */
	if (rc == 0) {
		int status = finish(&c);
		*picture = status == 0 ? read_whole(c.picture, n) : NULL;
		if (!*picture || *n == 0) {
			free(*picture);
			rc = fail_with_message(c.messages, status);
		}
	}
	close_if(c.picture);
	close_if(c.messages);
	return rc;
}
