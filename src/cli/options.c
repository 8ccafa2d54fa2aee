/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options.c: barlow [options] [script [arguments]] */
#include "cli/options.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: barlow [options] [script [arguments]]\n"
	"       barlow watch [options] [run]\n"
	"       barlow tune [options] [recipe.lua | run]\n"
	"       barlow resume [options] [run]\n"
	"  -e CODE         run CODE (may be given more than once)\n"
	"  -i              prompt after running\n"
	"  -t, --threads N work with N threads (default: one a core)\n"
	"  --profile       print where the time of training steps went\n"
	"  -v, --version   print the version\n"
	"  -h, --help      print this\n"
	"  -               read the script from standard input\n"
	"watch shows a run of any process, live or past; see barlow watch --help.\n"
	"tune measures which convolution algorithms are fastest here; see barlow tune --help.\n"
	"resume goes on with a run that was stopped or killed; see barlow resume --help.\n"
	"Without script or -e, on a terminal: the prompt.  There, help() and ?name help on.\n";

static const struct option long_options[] = {
	{ "threads", required_argument, NULL, 't' },
	{ "profile", no_argument, NULL, 'p' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int usage(const char *what, const char *which)
{
	fprintf(stderr, "barlow: %s '%s'\nTry 'barlow --help'.\n", what, which);
	return EXIT_USAGE;
}

static int bad_option(int c, char **argv)
{
	char short_name[3] = { '-', (char)optopt, 0 };
	const char *name = optopt ? short_name : argv[optind - 1];
	return usage(c == ':' ? "an argument is missing after" : "unknown option", name);
}

int bl_options_threads(const char *text)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (!errno && end != text && !*end && n >= 1 && n <= BL_THREADS_MAX)
		return (int)n;
	fprintf(stderr, "barlow: option -t: expected a number of threads from 1 to %d, got '%s'\n", BL_THREADS_MAX, text);
	return -1;
}

static int parse_threads(bl_options *o)
{
	o->threads = bl_options_threads(optarg);
	return o->threads < 0 ? EXIT_USAGE : -1;
}

static int parse_one(bl_options *o, int c, char **argv)
{
	switch (c) {
	case 'e': o->code[o->n_code++] = optarg; return -1;
	case 'i': o->interactive = true; return -1;
	case 'p': o->profile = true; return -1;
	case 't': return parse_threads(o);
	case 'v': return puts(PACKAGE_STRING) < 0;
	case 'h': return fputs(help, stdout) < 0;
	default: return bad_option(c, argv);
	}
}

int bl_options_parse(bl_options *o, int argc, char **argv)
{
	*o = (bl_options){ .code = calloc((size_t)argc + 1, sizeof *o->code) };
	if (!o->code) {
		fputs("barlow: no memory\n", stderr);
		return EXIT_FAILURE;
	}
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "+:e:it:vh", long_options, NULL)) >= 0;) {
		int status = parse_one(o, c, argv);
		if (status >= 0)
			return status;
	}
	o->script = optind < argc ? argv[optind] : NULL;
	o->argv = argv + optind;
	o->argc = argc - optind;
	return -1;
}

void bl_options_free(bl_options *o)
{
	free(o->code);
}
