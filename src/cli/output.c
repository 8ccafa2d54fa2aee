/* SPDX-License-Identifier: GPL-3.0-or-later */
/* output.c: at the end of the program, whatever ends it: what it printed has been written, or it says so and ends with status 1. */
#include "cli/output.h"
#include "cli/signals.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a write that failed earlier the reason is not known any more.  A closed pipe ends the program by its signal instead. */
static void check(void)
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

int bl_output_install(void)
{
	return atexit(check) == 0 ? 0 : -1;
}
