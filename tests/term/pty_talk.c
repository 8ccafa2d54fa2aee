/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pty_talk.c: simulates a terminal, for tests of programs that ask terminals for information.
 *
 *     pty_talk STEP... -- PROGRAM [ARGUMENT...]
 *
 * Steps: wait:TEXT waits until the program has written TEXT since the previous wait; send:TEXT sends it; sleep:MS.
 * In TEXT \e is Esc, \r, \n, \a as in C, \d is Ctrl-D.  pty_talk ends with the program, prints its output with Esc as \e, and
 * returns its status, or 2 if TEXT was not written, or the program did not end, within 2 minutes.
 */
#define _GNU_SOURCE 1
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUTPUT_MOST = 1 << 20, SECONDS = 120 };

static char output[OUTPUT_MOST + 1];
static size_t output_n, seen;
static int terminal;

/* Waits for output for at most `ms`.  False: the program has ended. */
static int read_some(int ms)
{
	if (poll(&(struct pollfd){ .fd = terminal, .events = POLLIN }, 1, ms) != 1 || output_n == OUTPUT_MOST)
		return output_n < OUTPUT_MOST;
	ssize_t n = read(terminal, output + output_n, OUTPUT_MOST - output_n);
	if (n <= 0)
		return 0;
	output_n += (size_t)n;
	return 1;
}

static void print_output(void)
{
	for (size_t i = 0; i < output_n; i++)
		if (output[i] == '\033')
			fputs("\\e", stdout);
		else if (output[i] != '\r')
			putchar(output[i] == '\007' ? '!' : output[i]);
	putchar('\n');
}

static char *decoded(const char *text)
{
	static const char names[] = "ernad\\", bytes[] = "\033\r\n\007\004\\";
	char *out = malloc(strlen(text) + 1), *at = out;
	for (; out && *text; text++) {
		const char *name = *text == '\\' && text[1] ? strchr(names, text[1]) : NULL;
		*at++ = name ? bytes[name - names] : *text;
		text += name != NULL;
	}
	if (out)
		*at = '\0';
	return out;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int wait_for(const char *text)
{
	double end = now() + SECONDS;
	const char *at;
	while (!(at = memmem(output + seen, output_n - seen, text, strlen(text))))
		if (now() > end || !read_some(100))
			return -1;
	seen = (size_t)(at - output) + strlen(text);
	return 0;
}

static int step(const char *what)
{
	const char *colon = strchr(what, ':');
	char *text = colon ? decoded(colon + 1) : NULL;
	int rc = -1;
	if (text && strncmp(what, "wait:", 5) == 0)
		rc = wait_for(text);
	else if (text && strncmp(what, "send:", 5) == 0)
		rc = write(terminal, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	else if (text && strncmp(what, "sleep:", 6) == 0) {
		for (double end = now() + atof(text) / 1000; now() < end;)
			read_some(10);
		rc = 0;
	}
	free(text);
	return rc;
}

int main(int argc, char **argv)
{
	int program = 1, status = 0;
	struct winsize size = { .ws_row = 24, .ws_col = 100 };
	while (program < argc && strcmp(argv[program], "--") != 0)
		program++;
	if (program + 1 >= argc)
		return 2;
	pid_t child = forkpty(&terminal, NULL, NULL, &size);
	if (child == 0) {
		execv(argv[program + 1], argv + program + 1);
		_exit(127);
	}
	if (child < 0)
		return 2;
	for (int i = 1; i < program; i++)
		if (step(argv[i]) != 0) {
			printf("not done: %s\n", argv[i]);
			print_output();
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			return 2;
		}
	double end = now() + SECONDS;
	while (now() < end && read_some(1000))
		continue;
	if (now() >= end)
		puts("it does not end");
	kill(child, now() < end ? 0 : SIGKILL);
	waitpid(child, &status, 0);
	print_output();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
