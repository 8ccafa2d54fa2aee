/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * output.c: checks, when the program calls exit() or a script calls os.exit(code, false), that all output was written.  If
 * some was lost, prints a message and ends the process with status 1.
 */
#include "cli/output.h"
#include "cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* If an earlier write failed, its reason is no longer known.  (A write to a closed pipe ends the program by SIGPIPE.) */
void bl_output_check(void)
{
	bool failed_before = ferror(stdout) != 0;
	errno = 0;
	bool fails = fflush(stdout) != 0;
	const char *why = fails ? strerror(errno) : "a part of it could not be written";
	if (!fails && !failed_before)
		return;
	bl_signals_yield();
	fprintf(stderr, "barlow: standard output: %s\n", why);
	fflush(stderr);
	_exit(EXIT_FAILURE);
}

/*
 * If a standard stream was closed before the program began, the next file that is opened would get the stream's number, and
 * everything printed would be written to that file.  Therefore /dev/null is opened under this number, in the mode that the
 * stream is not used in, so that reading or writing the stream still fails.
 */
static void occupy_closed(int fd, int mode)
{
	if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
		(void)!open("/dev/null", mode);
}

int bl_output_install(void)
{
	occupy_closed(STDIN_FILENO, O_WRONLY);
	occupy_closed(STDOUT_FILENO, O_RDONLY);
	occupy_closed(STDERR_FILENO, O_RDONLY);
	return atexit(bl_output_check) == 0 ? 0 : -1;
}
