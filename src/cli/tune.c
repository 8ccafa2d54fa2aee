/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tune.c: barlow tune: its options; the measuring is lua/tune.lua's. */
#include "cli/tune.h"
#include "cli/options.h"
#include "cli/run.h"

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/tuned.h>

#include <getopt.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"usage: barlow tune [options] [recipe.lua | run]\n"
	"  -t, --threads N measure with N threads (default: one a core)\n"
	"  --forget        remove what was found: the fixed rule chooses again\n"
	"  -h, --help      print this\n"
	"Measures the algorithms of convolutions for the shapes of a recipe or run, or else for those of the networks that\n"
	"barlow comes with, and keeps the fastest for later runs.  A run that exists keeps the choices it began with.\n";

enum { OPT_FORGET = 256 };

static const struct option long_options[] = {
	{ "threads", required_argument, NULL, 't' },
	{ "forget", no_argument, NULL, OPT_FORGET },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int fail(void)
{
	fprintf(stderr, "barlow tune: %s\n", bl_error());
	return EXIT_FAILURE;
}

static int forget(void)
{
	char *path = bl_tuned_path();
	int rc = path ? bl_tuned_forget() : -1;
	if (rc >= 0)
		printf(rc ? "nothing was kept in %s\n" : "removed %s\n", path);
	free(path);
	return rc < 0 ? fail() : EXIT_SUCCESS;
}

static int parse_one(bool *forgetting, int c, char **argv)
{
	int threads;
	switch (c) {
	case OPT_FORGET: *forgetting = true; return -1;
	case 'h': return fputs(help, stdout) < 0;
	case 't':
		threads = bl_options_threads(optarg);
		return threads < 0 ? EXIT_USAGE : (bl_threads_set(threads), -1);
	}
	fprintf(stderr, "barlow tune: %s '%s'\nTry 'barlow tune --help'.\n",
	        c == ':' ? "an argument is missing after" : "unknown option", argv[optind - 1]);
	return EXIT_USAGE;
}

/* Negative: go on.  Else the exit status. */
static int parse(bool *forgetting, int argc, char **argv)
{
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":t:h", long_options, NULL)) >= 0;) {
		int status = parse_one(forgetting, c, argv);
		if (status >= 0)
			return status;
	}
	if (argc - optind <= (*forgetting ? 0 : 1))
		return -1;
	fprintf(stderr, "barlow tune: '%s' is one argument too many\nTry 'barlow tune --help'.\n", argv[argc - 1]);
	return EXIT_USAGE;
}

static int measure(const char *what)
{
	lua_State *L = bl_run_state_new(&(bl_options){ 0 });
	if (!L)
		return EXIT_FAILURE;
	lua_pushstring(L, what); /* nil where there is none */
	lua_setglobal(L, "what");
	int status = bl_run_code(L, "require('barlow.tune').main(what)");
	return bl_run_close(L, status);
}

int bl_tune_main(int argc, char **argv)
{
	bool forgetting = false;
	int status = parse(&forgetting, argc, argv);
	if (status >= 0)
		return status;
	return forgetting ? forget() : measure(optind < argc ? argv[optind] : NULL);
}
