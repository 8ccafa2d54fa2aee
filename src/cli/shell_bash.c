/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shell_bash.c: completions for bash: a shell function made from the table. */
#include "cli/command.h"

static const char head[] =
	"# bash completion for barlow, made by: barlow completions bash\n"
	"_barlow_runs() {\n"
	"\tlocal run\n"
	"\tfor run in \"${XDG_DATA_HOME:-$HOME/.local/share}/barlow/runs/$1\"*/; do\n"
	"\t\t[[ ! -d $run ]] || { run=${run%/}; printf '%s\\n' \"${run##*/}\"; }\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_barlow() {\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= options= thing= words=\n"
	"\t((COMP_CWORD > 1)) && command=${COMP_WORDS[1]}\n"
	"\tcase $command in\n";

static const char tail[] =
	"\tesac\n"
	"\tCOMPREPLY=()\n"
	"\tif [[ $current == -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase $thing in\n"
	"\trun) mapfile -t COMPREPLY < <(_barlow_runs \"$current\"; compgen -d -- \"$current\") ;;\n"
	"\tscript) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\"; compgen -f -X '!*.lua' -- \"$current\"; compgen -d -- \"$current\") ;;\n"
	"\tfile) mapfile -t COMPREPLY < <(compgen -f -- \"$current\") ;;\n"
	"\tfolder) mapfile -t COMPREPLY < <(compgen -d -- \"$current\") ;;\n"
	"\tword) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\") ;;\n"
	"\tesac\n"
	"\t[[ $thing == word ]] || compopt -o filenames 2>/dev/null\n"
	"}\n"
	"complete -F _barlow barlow\n";

static const char *thing_name(bl_thing t)
{
	switch (t) {
	case BL_THING_TEXT: return "nothing";
	case BL_THING_FILE: return "file";
	case BL_THING_FOLDER: return "folder";
	case BL_THING_SCRIPT: return "script";
	case BL_THING_RUN: return "run";
	case BL_THING_COMMAND:
	case BL_THING_WORD: return "word";
	}
	return "nothing";
}

static void write_options(const bl_subcommand *c, FILE *f)
{
	fputs("\t\toptions='", f);
	for (const bl_option *o = c->options; o && o->help; o++) {
		if (o->letter)
			fprintf(f, "-%c ", o->letter);
		if (o->name)
			fprintf(f, "--%s ", o->name);
	}
	fputs("-h --help'\n", f);
}

static void write_words(const char *const *words, FILE *f)
{
	for (const char *const *w = words; w && *w; w++)
		fprintf(f, "%s%s", w == words ? "" : " ", *w);
}

static void write_operand(const bl_subcommand *c, FILE *f)
{
	fprintf(f, "\t\tthing=%s words='", c->operand ? thing_name(c->thing) : "nothing");
	write_words(c->words, f);
	for (const bl_subcommand *const *each = bl_subcommands; (c->thing == BL_THING_COMMAND || c->rest) && *each; each++)
		fprintf(f, "%s%s", each == bl_subcommands ? "" : " ", (*each)->name);
	fputs("'\n", f);
	if (c->many)
		fprintf(f, "\t\t((COMP_CWORD == 2)) || thing=%s words=\n", thing_name(c->others));
	if (c->rest) /* further words are arguments of the script */
		fputs("\t\t((COMP_CWORD == 1)) || thing=file\n", f);
}

/* Completes the argument of the previous word, if that is an option. */
static void write_arguments(const bl_subcommand *c, FILE *f)
{
	fputs("\t\tcase $previous in\n", f);
	for (const bl_option *o = c->options; o && o->help; o++) {
		if (!o->argument)
			continue;
		fputs("\t\t", f);
		if (o->letter)
			fprintf(f, "-%c%s", o->letter, o->name ? " | " : "");
		if (o->name)
			fprintf(f, "--%s", o->name);
		fprintf(f, ") thing=%s words='", thing_name(o->thing));
		write_words(o->words, f);
		fputs("' ;;\n", f);
	}
	fputs("\t\t*) ;;\n\t\tesac\n\t\t;;\n", f);
}

static void write_command(const bl_subcommand *c, FILE *f)
{
	fprintf(f, "\t%s)\n", c->name ? c->name : "*");
	write_options(c, f);
	write_operand(c, f);
	write_arguments(c, f);
}

void bl_subcommands_bash(FILE *f)
{
	fputs(head, f);
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++)
		write_command(*c, f);
	write_command(&bl_subcommand_script, f);
	fputs(tail, f);
}
