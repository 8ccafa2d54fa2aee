/* SPDX-License-Identifier: GPL-3.0-or-later */
/* progress.c: a progress bar on standard error for operations at the prompt that take more than a second. */
#include "cli/prompt.h"

#include <barlow/parallel.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELAY 1.  /* seconds before the bar is shown */
#define PERIOD .1 /* seconds between drawings */
enum { CELLS = 24 };

static struct {
	double began, drawn; /* times; 0: not yet */
} bar;

static void draw(const char *what, double done, double seconds)
{
	char cells[CELLS + 1];
	int full = (int)(done * CELLS), left = (int)(seconds * (1 - done) / (done > 0 ? done : 1) + .5);
	for (int i = 0; i < CELLS; i++)
		cells[i] = i < full ? '#' : '.';
	cells[CELLS] = '\0';
	fprintf(stderr, "\r%.20s [%s] %3.0f%%", what, cells, 100 * done);
	if (done > 0)
		fprintf(stderr, "  %d:%02d left", left / 60, left % 60);
	fputs("\033[K", stderr);
}

/* Shows the share of an operation that is done; what NULL: the operation has ended. */
static void show(const char *what, double done)
{
	double now = bl_now();
	if (!what) {
		if (bar.drawn > 0)
			fputs("\r\033[K", stderr);
		bar.began = bar.drawn = 0;
		return;
	}
	if (bar.began <= 0)
		bar.began = now;
	if (now - bar.began < DELAY || now - bar.drawn < PERIOD)
		return;
	fflush(stdout);
	draw(what, done, now - bar.began);
	bar.drawn = now;
}

bool bl_prompt_in_emacs(void)
{
	const char *emacs = getenv("INSIDE_EMACS");
	return emacs && strstr(emacs, "comint") && isatty(STDIN_FILENO);
}

void bl_progress_install(void)
{
	const char *term = getenv("TERM");
	bool able = isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0 && !bl_prompt_in_emacs();
	bl_advance_shown_by(able ? show : NULL);
}
