/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sixel.c: asking a terminal for sixels, on a pseudo-terminal whose other side gives various answers, or none. */
#define _GNU_SOURCE 1
#include "support.h"

#include "view/figure_show.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { HAS = 10, HAS_NOT = 11, WAIT_MS = 5000 };

/*
 * Asks twice, but the terminal must receive only one query. Afterwards the modes of the terminal must be those of
 * before, and the typed text must still be readable.
 */
static void child(const char *slave, const char *term, const char *typed)
{
	struct termios before, after;
	char line[64] = "";
	int fd = open(slave, O_RDWR);
	setenv("TERM", term, 1);
	tcgetattr(fd, &before);
	if (*typed)
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, WAIT_MS);
	bool first = bl_terminal_has_sixels(fd, fd), second = bl_terminal_has_sixels(fd, fd);
	tcgetattr(fd, &after);
	if (first != second || before.c_lflag != after.c_lflag)
		_exit(1);
	if (*typed && (read(fd, line, sizeof line - 1) < 1 || strcmp(line, typed) != 0))
		_exit(2);
	_exit(first ? HAS : HAS_NOT);
}

/* Runs the child, stores the bytes that the terminal receives in asked, and returns the exit status of the child. */
static int ask(const char *term, const char *typed, const char *answer, char asked[64])
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), status;
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	const char *slave = ptsname(master);
	int keep = open(slave, O_RDWR | O_NOCTTY); /* so that typed text is kept for the child */
	struct termios mode;
	tcgetattr(keep, &mode);
	mode.c_lflag &= (tcflag_t)~ECHO;
	tcsetattr(keep, TCSANOW, &mode);
	if (*typed)
		assert_int_equal(write(master, typed, strlen(typed)), (ssize_t)strlen(typed));
	pid_t pid = fork();
	if (pid == 0)
		child(slave, term, typed);
	size_t n = 0;
	asked[0] = '\0';
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (poll(&(struct pollfd){ .fd = master, .events = POLLIN }, 1, 10) != 1)
			continue;
		ssize_t more = read(master, asked + n, 63 - n);
		n += more > 0 ? (size_t)more : 0;
		asked[n] = '\0';
		if (strstr(asked, "\033[c") && *answer) {
			assert_int_equal(write(master, answer, strlen(answer)), (ssize_t)strlen(answer));
			answer = "";
		}
	}
	close(keep);
	close(master);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_answers(void **state)
{
	(void)state;
	static const struct {
		const char *answer;
		int end;
	} all[] = {
		{ "\033[?62;4;6c", HAS },
		{ "\033[?4c", HAS },
		{ "\033[?64;1;4c", HAS },
		{ "\033[?1;2c", HAS_NOT },
		{ "\033[?64;14;44;40c", HAS_NOT },
		{ "x\033[?62;4c", HAS },
		{ "cc\033[Ac\033[?62;4c", HAS },
		{ "\033[?62;4", HAS_NOT },
		{ "", HAS_NOT },
		{ "ccc", HAS_NOT },
	};
	char asked[64];
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		int end = ask("xterm-256color", "", all[i].answer, asked);
		if (end != all[i].end)
			fail_msg("answer %d: it ended with %d, not %d", (int)i, end, all[i].end);
		assert_string_equal(asked, "\033[c");
	}
}

/* If text has been typed, the terminal is not queried, because the program may be about to read that text. */
static void test_typed_before(void **state)
{
	(void)state;
	char asked[64];
	assert_int_equal(ask("xterm", "ls\n", "\033[?62;4c", asked), HAS_NOT);
	assert_string_equal(asked, "");
}

static void test_not_asked(void **state)
{
	(void)state;
	char asked[64];
	assert_int_equal(ask("dumb", "", "\033[?62;4c", asked), HAS_NOT);
	assert_string_equal(asked, "");
	assert_int_equal(ask("linux", "", "\033[?62;4c", asked), HAS_NOT);
	assert_string_equal(asked, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_typed_before),
		cmocka_unit_test(test_not_asked),
	};
	return cmocka_run_group_tests_name("sixel", tests, NULL, NULL);
}
