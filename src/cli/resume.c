/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resume.c: barlow resume: its options; the run itself is lua/resume.lua's. */
#include "cli/resume.h"
#include "cli/options.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <barlow/parallel.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"usage: barlow resume [options] [run]\n"
	"  --plain         progress lines also on a terminal, instead of the screen\n"
	"  --data PATH     look for the images there, where they were moved; they have to be the same ones\n"
	"  -t, --threads N work with N threads (default: one a core)\n"
	"  -h, --help      print this\n"
	"Goes on from the run's last checkpoint, to the same bits as if it had never stopped.  The run is given by its name,\n"
	"the beginning of its folder's name, or the path of its folder.  Without: the newest that did not come to its end.\n";

static const struct option long_options[] = {
	{ "plain", no_argument, NULL, 'p' },
	{ "data", required_argument, NULL, 'd' },
	{ "threads", required_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct wish {
	bool plain;
	const char *data; /* NULL: where the recipe says, or BARLOW_DATA */
	int threads;     /* 0: the default */
	const char *run; /* NULL: the newest */
};

static int parse_one(struct wish *w, int c, char **argv)
{
	switch (c) {
	case 'p': w->plain = true; return -1;
	case 'd': w->data = optarg; return -1;
	case 't': return (w->threads = bl_options_threads(optarg)) < 0 ? EXIT_USAGE : -1;
	case 'h': return fputs(help, stdout) < 0;
	}
	fprintf(stderr, "barlow resume: %s '%s'\nTry 'barlow resume --help'.\n",
	        c == ':' ? "an argument is missing after" : "unknown option", argv[optind - 1]);
	return EXIT_USAGE;
}

/* Negative: go on.  Else the exit status. */
static int parse(struct wish *w, int argc, char **argv)
{
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":t:h", long_options, NULL)) >= 0;) {
		int status = parse_one(w, c, argv);
		if (status >= 0)
			return status;
	}
	w->run = optind < argc ? argv[optind] : NULL;
	if (argc - optind <= 1)
		return -1;
	fprintf(stderr, "barlow resume: one run at a time, but there is also '%s'\n", argv[optind + 1]);
	return EXIT_USAGE;
}

static int call_main(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.resume", "main", 2);
}

static int resume(lua_State *L, const struct wish *w)
{
	lua_pushcfunction(L, call_main);
	lua_pushstring(L, w->run);
	lua_pushboolean(L, w->plain);
	if (lua_pcall(L, 2, 0, 0) == LUA_OK)
		return EXIT_SUCCESS;
	bl_signals_yield();
	fflush(stdout);
	fprintf(stderr, "barlow resume: %s\n", luaL_tolstring(L, -1, NULL));
	return EXIT_FAILURE;
}

int bl_resume_main(int argc, char **argv)
{
	struct wish w = { .run = NULL };
	int status = parse(&w, argc, argv);
	if (status >= 0)
		return status;
	bl_threads_set(w.threads);
	if (w.data)
		setenv(BL_DATA_VARIABLE, w.data, 1);
	lua_State *L = bl_run_state_new(&(bl_options){ .argc = 0 });
	if (!L)
		return EXIT_FAILURE;
	return bl_run_close(L, resume(L, &w));
}
