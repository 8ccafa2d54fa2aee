/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watch.c: barlow watch: its options, which run is meant, then the screen or one frame as text. */
#include "cli/watch.h"
#include "cli/options.h"

#include <barlow/error.h>
#include <barlow/runs.h>
#include <barlow/view.h>

#include <getopt.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char help[] =
	"usage: barlow watch [options] [run]\n"
	"  --read-only     only look: no key changes the run\n"
	"  --once          print one frame as plain text, and end\n"
	"  --size WxH      of that frame (default: the terminal's, else 80x24)\n"
	"  -h, --help      print this\n"
	"The run is given by its name, the beginning of its folder's name, or the path of its folder or live file.\n"
	"Without: the newest that is going on, else the newest.\n";

enum { OPT_READ_ONLY = 256, OPT_ONCE, OPT_SIZE };

static const struct option long_options[] = {
	{ "read-only", no_argument, NULL, OPT_READ_ONLY }, { "once", no_argument, NULL, OPT_ONCE },
	{ "size", required_argument, NULL, OPT_SIZE },     { "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct wish {
	bool read_only, once;
	int width, height; /* 0: the terminal's */
	const char *run;   /* NULL: the newest */
};

static int parse_size(struct wish *w)
{
	char rest;
	if (sscanf(optarg, "%5dx%5d%c", &w->width, &w->height, &rest) == 2 && w->width > 0 && w->height > 0)
		return -1;
	fprintf(stderr, "barlow watch: option --size: expected WIDTHxHEIGHT as in 120x40, got '%s'\n", optarg);
	return EXIT_USAGE;
}

static int parse_one(struct wish *w, int c, char **argv)
{
	switch (c) {
	case OPT_READ_ONLY: w->read_only = true; return -1;
	case OPT_ONCE: w->once = true; return -1;
	case OPT_SIZE: return parse_size(w);
	case 'h': return fputs(help, stdout) < 0;
	}
	fprintf(stderr, "barlow watch: %s '%s'\nTry 'barlow watch --help'.\n",
	        c == ':' ? "an argument is missing after" : "unknown option", argv[optind - 1]);
	return EXIT_USAGE;
}

/* Negative: go on.  Else the exit status. */
static int parse(struct wish *w, int argc, char **argv)
{
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":h", long_options, NULL)) >= 0;) {
		int status = parse_one(w, c, argv);
		if (status >= 0)
			return status;
	}
	w->run = optind < argc ? argv[optind] : NULL;
	if (argc - optind <= 1)
		return -1;
	fprintf(stderr, "barlow watch: one run at a time, but there is also '%s'\n", argv[optind + 1]);
	return EXIT_USAGE;
}

static int fail(void)
{
	fprintf(stderr, "barlow watch: %s\n", bl_error());
	return EXIT_FAILURE;
}

static void find_size(struct wish *w)
{
	struct winsize s;
	if (w->width > 0)
		return;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &s) == 0 && s.ws_col > 0 && s.ws_row > 1;
	w->width = known ? s.ws_col : 80;
	w->height = known ? s.ws_row - 1 : 24; /* the prompt needs a row */
}

static int print_frame(const bl_live *run, struct wish *w)
{
	find_size(w);
	char *text = bl_watch_text(run, w->width, w->height);
	if (!text)
		return fail();
	bool bad = fputs(text, stdout) < 0 || fflush(stdout) != 0;
	free(text);
	if (!bad)
		return EXIT_SUCCESS;
	perror("barlow watch: standard output");
	return EXIT_FAILURE;
}

/* q, Q and Ctrl-C all leave; only Q has told the run anything. */
static int show(bl_live *run, bool read_only)
{
	return bl_watch(run, &(bl_watch_config){ .stay = true, .read_only = read_only }) < 0 ? fail() : EXIT_SUCCESS;
}

int bl_watch_main(int argc, char **argv)
{
	struct wish w = { .run = NULL };
	int status = parse(&w, argc, argv);
	if (status >= 0)
		return status;
	setlocale(LC_CTYPE, "");
	bool commands = !w.read_only && !w.once;
	bl_live *run = bl_runs_open(w.run, &commands);
	if (!run)
		return fail();
	status = w.once ? print_frame(run, &w) : show(run, !commands);
	bl_live_close(run);
	return status;
}
