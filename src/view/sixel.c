/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sixel.c: does the terminal support sixels?  It is queried for its primary attributes (DA1, "\033[c") and answers
 * "\033[?62;4;6c", where 4 stands for sixels.
 *
 * A terminal that does not know this query does not answer, so the timeout is short.  If input is waiting already, no query
 * is sent, so that no key is lost.  Bytes that are not part of the answer are returned to the terminal's input if the
 * system allows it.
 */
#define _GNU_SOURCE 1
#include "view/figure_show.h"
#include "view/guard.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { WAIT_MS = 250, ANSWER_MOST = 256 };

static bool waits(int fd, int ms)
{
	return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, ms) == 1;
}

/* The length of an answer "ESC [ ? digits and semicolons c" at p; 0: there is none. */
static size_t answer_at(const char *p, size_t n)
{
	size_t i = 3;
	if (n < 4 || p[0] != '\033' || p[1] != '[' || p[2] != '?')
		return 0;
	while (i < n && (p[i] == ';' || (p[i] >= '0' && p[i] <= '9')))
		i++;
	return i < n && p[i] == 'c' ? i + 1 : 0;
}

/* Is 4 one of the numbers after "ESC [ ?"? */
static bool says_sixels(const char *p, size_t n)
{
	for (size_t i = 3; i < n; i++)
		if (p[i] == '4' && (p[i - 1] == '?' || p[i - 1] == ';') && (p[i + 1] == ';' || p[i + 1] == 'c'))
			return true;
	return false;
}

/* Returns bytes to the terminal's input: those that are not the answer were typed by the user. */
static void give_back(int fd, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ioctl(fd, TIOCSTI, &bytes[i]) < 0)
			return; /* not allowed: they are lost */
}

/* Reads up to the answer; returns whether it says that sixels are supported. */
static bool read_answer(int fd)
{
	char got[ANSWER_MOST];
	size_t n = 0;
	while (n < sizeof got && waits(fd, WAIT_MS)) {
		ssize_t more = read(fd, got + n, 1);
		if (more <= 0)
			break;
		n++;
		for (size_t at = 0; at < n && got[n - 1] == 'c'; at++) {
			size_t length = answer_at(got + at, n - at);
			if (!length)
				continue;
			bool says = says_sixels(got + at, length);
			give_back(fd, got, at);
			return says;
		}
	}
	give_back(fd, got, n);
	return false;
}

/* Sends the query and reads the answer, in modes without echo. */
static bool query(int in, int out)
{
	struct termios before, quiet;
	if (waits(in, 0) || tcgetattr(in, &before) < 0)
		return false;
	quiet = before;
	quiet.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	if (tcsetattr(in, TCSANOW, &quiet) < 0)
		return false;
	bool says = write(out, "\033[c", 3) == 3 && read_answer(in);
	tcsetattr(in, TCSANOW, &before);
	return says;
}

bool bl_terminal_has_sixels(int in, int out)
{
	static int known = -1;
	const char *term = getenv("TERM");
	if (!isatty(in) || !isatty(out) || !term || !strcmp(term, "dumb") || !strncmp(term, "linux", 5))
		return false;
	if (known < 0 && waits(in, 0))
		return false; /* the terminal is queried only if no input is waiting */
	if (known < 0) {
		bl_guard_hold();
		known = query(in, out);
		bl_guard_release();
	}
	return known;
}
