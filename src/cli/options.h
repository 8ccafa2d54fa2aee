/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options.h: the command line, understood. */
#ifndef BARLOW_CLI_OPTIONS_H
#define BARLOW_CLI_OPTIONS_H

#include <stdbool.h>

enum { EXIT_USAGE = 2 };

typedef struct bl_options {
	const char **code; /* of each -e, in order */
	int n_code;
	bool interactive;  /* -i */
	bool profile;      /* --profile */
	int threads;       /* -t; 0: the default */
	const char *script; /* NULL: none; "-": standard input */
	char **argv;       /* script's name and arguments */
	int argc;
} bl_options;

/* Negative: go on.  Else the program ends with this status, having said why (usage) or what was asked (-h, -v). */
int bl_options_parse(bl_options *o, int argc, char **argv);
/* A number of threads, as -t has it; negative, having said why, where it is none. */
int bl_options_threads(const char *text);
void bl_options_free(bl_options *o);

#endif
