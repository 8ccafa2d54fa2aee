/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manual.c: prints the commands as sections of the manual page. */
#include "cli/command.h"

/*
 * Writes each line as a paragraph of roff.  Hyphens and backslashes are escaped, and so is a dot or quote at the beginning of
 * a line, since roff would take it for the beginning of a request.
 */
static void write_text(FILE *f, const char *text)
{
	bool begin = true;
	for (; *text; text++) {
		if (begin && (*text == '.' || *text == '\''))
			fputs("\\&", f);
		if (*text == '-')
			fputs("\\-", f);
		else if (*text == '\\')
			fputs("\\e", f);
		else
			fputc(*text, f);
		begin = *text == '\n';
		if (begin && text[1])
			fputs(".PP\n", f);
	}
}

static void write_synopsis(const bl_subcommand *c, FILE *f)
{
	fprintf(f, "\\fBbarlow%s%s\\fR", c->name ? " " : "", c->name ? c->name : "");
	if (c->options)
		fputs(" [\\fIoptions\\fR]", f);
	if (c->operand)
		fprintf(f, c->rest ? " [\\fI%s\\fR [\\fIarguments\\fR]]" : c->needed ? " \\fI%s\\fR" : " [\\fI%s\\fR]", c->operand);
	if (c->many)
		fputs(" ...", f);
	fputc('\n', f);
}

static void write_option(const bl_option *o, FILE *f)
{
	fputs(".TP\n", f);
	if (o->letter)
		fprintf(f, "\\fB\\-%c\\fR%s", o->letter, o->name ? ", " : "");
	if (o->name) {
		fputs("\\fB\\-\\-", f);
		write_text(f, o->name);
		fputs("\\fR", f);
	}
	if (o->argument)
		fprintf(f, " \\fI%s\\fR", o->argument);
	fputc('\n', f);
	write_text(f, o->help);
	fputc('\n', f);
}

static void write_options(const bl_subcommand *c, FILE *f)
{
	for (const bl_option *o = c->options; o && o->help; o++)
		write_option(o, f);
	write_option(&bl_option_help, f);
}

void bl_subcommands_manual(FILE *f)
{
	fputs(".SH SYNOPSIS\n", f);
	write_synopsis(&bl_subcommand_script, f);
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++) {
		fputs(".br\n", f);
		write_synopsis(*c, f);
	}
	fputs(".SH DESCRIPTION\n", f);
	write_text(f, bl_subcommand_script.about);
	fputs(".SH OPTIONS\n", f);
	write_options(&bl_subcommand_script, f);
	fputs(".SH COMMANDS\n", f);
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++) {
		fputs(".SS ", f);
		write_synopsis(*c, f);
		write_text(f, (*c)->about);
		write_options(*c, f);
	}
}
