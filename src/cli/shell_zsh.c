/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shell_zsh.c: completions for zsh, as arguments of its function _arguments. */
#include "cli/command.h"

#include <string.h>

static const char head[] =
	"#compdef barlow\n"
	"# zsh completion for barlow, made by: barlow completions zsh\n"
	"_barlow_runs() {\n"
	"\tlocal -a runs\n"
	"\truns=(${XDG_DATA_HOME:-$HOME/.local/share}/barlow/runs/*(N/:t))\n"
	"\t(( $#runs )) && compadd -a runs\n"
	"\t_files -/\n"
	"}\n"
	"\n"
	"_barlow_commands() {\n"
	"\tlocal -a commands\n"
	"\tcommands=(\n";

static const char tail[] =
	"}\n"
	"\n"
	"if [[ ${funcstack[1]} == _barlow ]]; then _barlow \"$@\"; else compdef _barlow barlow; fi\n";

/* Writes text inside of single quotes, with a backslash before the characters in `special`. */
static void write_quoted(const char *text, const char *special, FILE *f)
{
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", f);
		else
			fprintf(f, "%s%c", strchr(special, *text) ? "\\" : "", *text);
}

static void write_action(bl_thing t, const char *const *words, FILE *f)
{
	switch (t) {
	case BL_THING_TEXT: return;
	case BL_THING_FILE: fputs("_files", f); return;
	case BL_THING_FOLDER: fputs("_files -/", f); return;
	case BL_THING_SCRIPT: fputs("_barlow_first", f); return;
	case BL_THING_RUN: fputs("_barlow_runs", f); return;
	case BL_THING_COMMAND: fputs("_barlow_commands", f); return;
	case BL_THING_WORD: break;
	}
	fputc('(', f);
	for (const char *const *w = words; w && *w; w++)
		fprintf(f, "%s%s", w == words ? "" : " ", *w);
	fputc(')', f);
}

/* Writes an option in the form 'NAME[help]:argument:action'. */
static void write_form(const bl_option *o, const char *dashes, const char *name, FILE *f)
{
	fprintf(f, " \\\n\t\t'%s%s%s[", o->kind == BL_OPTION_TEXTS ? "*" : "", dashes, name);
	write_quoted(o->help, "[]:\\", f);
	fputc(']', f);
	if (o->argument) {
		fprintf(f, ":%s:", o->argument);
		write_action(o->thing, o->words, f);
	}
	fputc('\'', f);
}

static void write_option(const bl_option *o, FILE *f)
{
	char letter[2] = { o->letter, '\0' };
	if (o->letter)
		write_form(o, "-", letter, f);
	if (o->name)
		write_form(o, "--", o->name, f);
}

static void write_arguments(const bl_subcommand *c, FILE *f)
{
	fputs("_arguments -s -S", f);
	for (const bl_option *o = c->options; o && o->help; o++)
		write_option(o, f);
	write_option(&bl_option_help, f);
	if (c->operand) {
		fprintf(f, " \\\n\t\t'1:%s:", c->operand);
		write_action(c->thing, c->words, f);
		fputc('\'', f);
	}
	if (c->many) {
		fputs(" \\\n\t\t'*:argument:", f);
		write_action(c->others, NULL, f);
		fputc('\'', f);
	}
	fputs(c->rest ? " \\\n\t\t'*::argument:_files'\n" : "\n", f);
}

static void write_commands(FILE *f)
{
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++) {
		fprintf(f, "\t\t'%s:", (*c)->name);
		write_quoted((*c)->summary, "\\", f);
		fputs("'\n", f);
	}
	fputs("\t)\n\t_describe command commands\n}\n\n_barlow_first() {\n\t_barlow_commands\n\t_files -g '*.lua'\n}\n\n", f);
}

void bl_subcommands_zsh(FILE *f)
{
	fputs(head, f);
	write_commands(f);
	fputs("_barlow() {\n\tlocal command=\n\t(( CURRENT > 2 )) && command=$words[2]\n\tcase $command in\n", f);
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++) {
		fprintf(f, "\t%s)\n\t\tshift words\n\t\t(( CURRENT-- ))\n\t\t", (*c)->name);
		write_arguments(*c, f);
		fputs("\t\t;;\n", f);
	}
	fputs("\t*)\n\t\t", f);
	write_arguments(&bl_subcommand_script, f);
	fputs("\t\t;;\n\tesac\n", f);
	fputs(tail, f);
}
