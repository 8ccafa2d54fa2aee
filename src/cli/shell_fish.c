/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shell_fish.c: completions for fish: a line for each command, option and word. */
#include "cli/command.h"

static const char head[] =
	"# fish completion for barlow, made by: barlow completions fish\n"
	"function __barlow_runs\n"
	"\tset -l data $XDG_DATA_HOME\n"
	"\ttest -n \"$data\"; or set data $HOME/.local/share\n"
	"\tfor run in $data/barlow/runs/*/\n"
	"\t\tstring replace -r '.*/([^/]*)/$' '$1' $run\n"
	"\tend\n"
	"end\n"
	"\n"
	"# The command is the first word, or there is none.\n"
	"function __barlow_command\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -q words[2]; and test \"$words[2]\" = \"$argv[1]\"\n"
	"end\n"
	"\n"
	"function __barlow_no_command\n"
	"\tset -l words (commandline -opc)\n"
	"\tnot set -q words[2]; or not contains -- $words[2] $argv\n"
	"end\n"
	"\n"
	"function __barlow_first\n"
	"\ttest (count (commandline -opc)) -eq 1\n"
	"end\n"
	"\n"
	"complete -c barlow -f\n";

static void write_quoted(const char *text, FILE *f)
{
	fputc('\'', f);
	for (; *text; text++)
		fprintf(f, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
	fputc('\'', f);
}

static void write_condition(const bl_subcommand *c, FILE *f)
{
	if (c->name) {
		fprintf(f, "complete -c barlow -n '__barlow_command %s'", c->name);
		return;
	}
	fputs("complete -c barlow -n '__barlow_no_command", f);
	for (const bl_subcommand *const *each = bl_subcommands; *each; each++)
		fprintf(f, " %s", (*each)->name);
	fputc('\'', f);
}

/* Writes the candidates of an argument; -F: files. */
static void write_thing(bl_thing t, const char *const *words, FILE *f)
{
	switch (t) {
	case BL_THING_TEXT: return;
	case BL_THING_FILE:
	case BL_THING_SCRIPT: fputs(" -F", f); return;
	case BL_THING_FOLDER: fputs(" -a '(__fish_complete_directories)'", f); return;
	case BL_THING_RUN: fputs(" -a '(__barlow_runs; __fish_complete_directories)'", f); return;
	case BL_THING_COMMAND:
	case BL_THING_WORD: break;
	}
	fputs(" -a '", f);
	for (const char *const *w = words; w && *w; w++)
		fprintf(f, "%s%s", w == words ? "" : " ", *w);
	for (const bl_subcommand *const *c = bl_subcommands; t == BL_THING_COMMAND && *c; c++)
		fprintf(f, "%s%s", c == bl_subcommands ? "" : " ", (*c)->name);
	fputc('\'', f);
}

static void write_option(const bl_subcommand *c, const bl_option *o, FILE *f)
{
	write_condition(c, f);
	if (o->letter)
		fprintf(f, " -s %c", o->letter);
	if (o->name)
		fprintf(f, " -l %s", o->name);
	if (o->argument) {
		fputs(" -x", f);
		write_thing(o->thing, o->words, f);
	}
	fputs(" -d ", f);
	write_quoted(o->help, f);
	fputc('\n', f);
}

static void write_command(const bl_subcommand *c, FILE *f)
{
	for (const bl_option *o = c->options; o && o->help; o++)
		write_option(c, o, f);
	write_option(c, &bl_option_help, f);
	if (!c->operand)
		return;
	write_condition(c, f);
	write_thing(c->thing, c->words, f);
	fputc('\n', f);
	if (!c->many || c->others == c->thing)
		return;
	write_condition(c, f);
	write_thing(c->others, NULL, f);
	fputc('\n', f);
}

void bl_subcommands_fish(FILE *f)
{
	fputs(head, f);
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++) {
		fprintf(f, "complete -c barlow -n __barlow_first -a %s -d ", (*c)->name);
		write_quoted((*c)->summary, f);
		fputc('\n', f);
	}
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++)
		write_command(*c, f);
	write_command(&bl_subcommand_script, f);
}
