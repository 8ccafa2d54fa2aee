/* SPDX-License-Identifier: GPL-3.0-or-later */
/* usage.c: prints the help of a command, or of the program (-h). */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 100, COLUMN = 80 };

const bl_option bl_option_help = { .letter = 'h', .name = "help", .kind = BL_OPTION_FLAG, .help = "print this help" };

void bl_subcommand_usage(const bl_subcommand *c, FILE *f)
{
	fprintf(f, "barlow%s%s%s", c->name ? " " : "", c->name ? c->name : "", c->options ? " [options]" : "");
	if (c->operand) /* in brackets if it is optional */
		fprintf(f, c->rest ? " [%s [arguments]]" : c->needed ? " %s" : " [%s]", c->operand);
	if (c->many)
		fputs(" ...", f);
}

int bl_option_columns(const bl_option *o, char *text, size_t size)
{
	char letter[3] = { '-', o->letter, '\0' };
	return snprintf(text, size, "%s%s%s%s%s%s", o->letter ? letter : "", o->letter && o->name ? ", " : "", o->name ? "--" : "",
	                o->name ? o->name : "", o->argument ? " " : "", o->argument ? o->argument : "");
}

static void write_option(const bl_option *o, int width, FILE *f)
{
	char text[COLUMN];
	bl_option_columns(o, text, sizeof text);
	fprintf(f, "  %-*s  %s\n", width, text, o->help);
}

static void write_options(const bl_subcommand *c, FILE *f)
{
	char text[COLUMN];
	int width = bl_option_columns(&bl_option_help, text, sizeof text); /* of the widest option */
	for (const bl_option *o = c->options; o && o->help; o++) {
		int n = bl_option_columns(o, text, sizeof text);
		width = n > width ? n : width;
	}
	for (const bl_option *o = c->options; o && o->help; o++)
		write_option(o, width, f);
	write_option(&bl_option_help, width, f);
}

/* Writes paragraphs, filled to lines of WIDTH columns. */
static void write_filled(const char *text, FILE *f)
{
	size_t at = 0;
	for (const char *word = text; *word; word += strspn(word, " ")) {
		size_t n = strcspn(word, " \n");
		if (at > 0 && at + 1 + n > WIDTH) {
			fputc('\n', f);
			at = 0;
		}
		fprintf(f, "%s%.*s", at ? " " : "", (int)n, word);
		at += n + (at > 0);
		word += n;
		if (*word == '\n') {
			fputc('\n', f);
			at = 0;
			word++;
		}
	}
}

static void write_commands(FILE *f)
{
	int width = 0;
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++)
		width = (int)strlen((*c)->name) > width ? (int)strlen((*c)->name) : width;
	fputs("commands (barlow COMMAND --help prints more):\n", f);
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++)
		fprintf(f, "  %-*s  %s\n", width, (*c)->name, (*c)->summary);
}

int bl_subcommand_print(const bl_subcommand *c)
{
	fputs("usage: ", stdout);
	bl_subcommand_usage(c, stdout);
	for (const bl_subcommand *const *each = bl_subcommands; !c->name && *each; each++) {
		fputs("\n       ", stdout);
		bl_subcommand_usage(*each, stdout);
	}
	fputc('\n', stdout);
	write_options(c, stdout);
	if (!c->name)
		write_commands(stdout);
	write_filled(c->about, stdout);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
