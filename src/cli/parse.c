/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * parse.c: parses a command line by the command's table.
 *
 * The syntax is that of GNU's getopt_long: -t4, -t 4, --threads=4, --threads 4, several letters after one dash,
 * unambiguous abbreviations of names, options after operands, and -- before arguments that are not options.
 */
#include "cli/command.h"

#include <barlow/error.h>
#include <barlow/view.h>

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MOST = 64 };

const char *const bl_option_when[] = { "auto", "always", "never", NULL };

void bl_subcommand_colour(const char *when)
{
	static const bl_colours kinds[] = { BL_COLOURS_AUTO, BL_COLOURS_ALWAYS, BL_COLOURS_NEVER };
	for (int i = 0; when && bl_option_when[i]; i++)
		if (strcmp(when, bl_option_when[i]) == 0)
			bl_colours_set(kinds[i]);
}

int bl_subcommand_refuse(const bl_subcommand *c, const char *format, ...)
{
	const char *blank = c->name ? " " : "", *name = c->name ? c->name : "";
	va_list ap;
	fprintf(stderr, "barlow%s%s: ", blank, name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\nTry 'barlow%s%s --help'.\n", blank, name);
	return EXIT_USAGE;
}

/* The state of parsing.  Functions return an exit status, or -1 to continue. */
typedef struct parser {
	const bl_subcommand *command;
	char **argv; /* the remaining arguments */
	int argc;
	void *options;
	bl_texts operands;
} parser;

/* --- Values --------------------------------------------------------------------------- */

static int put_whole(const parser *p, const bl_option *o, const char *shown, const char *text)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < o->min || n > o->max)
		return bl_subcommand_refuse(p->command, "option %s: expected a number from %d to %d, got '%s'", shown, o->min,
		                            o->max, text);
	*(int *)((char *)p->options + o->offset) = (int)n;
	return -1;
}

static int put_size(const parser *p, const bl_option *o, const char *shown, const char *text)
{
	bl_size *s = (bl_size *)((char *)p->options + o->offset);
	char rest;
	if (sscanf(text, "%5dx%5d%c", &s->width, &s->height, &rest) == 2 && s->width > 0 && s->height > 0)
		return -1;
	return bl_subcommand_refuse(p->command, "option %s: expected WIDTHxHEIGHT as in 120x40, got '%s'", shown, text);
}

static int put_text(const parser *p, const bl_option *o, const char *shown, const char *text)
{
	char known[80] = "";
	const char *const *w = o->words;
	while (w && *w && strcmp(*w, text) != 0)
		w++;
	if (!w || *w) {
		*(const char **)((char *)p->options + o->offset) = text;
		return -1;
	}
	for (w = o->words; *w; w++) {
		size_t at = strlen(known);
		snprintf(known + at, sizeof known - at, "%s%s", w == o->words ? "" : w[1] ? ", " : " or ", *w);
	}
	return bl_subcommand_refuse(p->command, "option %s: expected %s, got '%s'", shown, known, text);
}

/* Appends to a list, which is allocated at its first text, with room for all arguments. */
static int put_more(parser *p, bl_texts *list, char *text)
{
	if (!list->text)
		list->text = calloc((size_t)p->argc + 2, sizeof *list->text);
	if (!list->text) {
		fputs("barlow: no memory\n", stderr);
		return EXIT_FAILURE;
	}
	list->text[list->n++] = text;
	return -1;
}

/* Stores an option's value: `given`, or, if it is NULL, the next argument. */
static int take(parser *p, const bl_option *o, const char *shown, char *given)
{
	char *at = (char *)p->options + o->offset;
	if (o == &bl_option_help)
		return bl_subcommand_print(p->command);
	if (o->kind != BL_OPTION_FLAG && !given) {
		if (p->argc == 0)
			return bl_subcommand_refuse(p->command, "an argument is missing after '%s'", shown);
		given = *p->argv++;
		p->argc--;
	}
	switch (o->kind) {
	case BL_OPTION_FLAG: *(bool *)at = true; return -1;
	case BL_OPTION_TEXT: return put_text(p, o, shown, given);
	case BL_OPTION_TEXTS: return put_more(p, (bl_texts *)at, given);
	case BL_OPTION_WHOLE: return put_whole(p, o, shown, given);
	case BL_OPTION_SIZE: return put_size(p, o, shown, given);
	}
	return -1;
}

/* --- Names ------------------------------------------------------------------------------- */

/* Lists the options of the command, and --help.  Returns their number. */
static int list_options(const bl_subcommand *c, const bl_option *list[OPTIONS_MOST])
{
	int n = 0;
	for (const bl_option *o = c->options; o && o->help && n < OPTIONS_MOST - 1; o++)
		list[n++] = o;
	list[n++] = &bl_option_help;
	return n;
}

static int unknown_name(const parser *p, const bl_option *const *list, int n, const char *name)
{
	const char *names[OPTIONS_MOST + 1];
	int known = 0;
	for (int i = 0; i < n; i++)
		if (list[i]->name)
			names[known++] = list[i]->name;
	names[known] = NULL;
	const char *near = bl_nearest(name, names);
	if (near)
		return bl_subcommand_refuse(p->command, "unknown option '--%s' (did you mean '--%s'?)", name, near);
	return bl_subcommand_refuse(p->command, "unknown option '--%s'", name);
}

/* Finds an option by its name, or by an unambiguous abbreviation. */
static int find_name(const parser *p, const char *name, const bl_option **out)
{
	const bl_option *list[OPTIONS_MOST];
	int n = list_options(p->command, list), matches = 0;
	for (int i = 0; i < n; i++) {
		if (!list[i]->name || strncmp(list[i]->name, name, strlen(name)) != 0)
			continue;
		*out = list[i];
		matches++;
		if (strcmp(list[i]->name, name) == 0)
			return -1;
	}
	if (matches == 1 && *name)
		return -1;
	return matches > 1 && *name ? bl_subcommand_refuse(p->command, "option '--%s' is ambiguous", name)
	                            : unknown_name(p, list, n, name);
}

/* Reads --name or --name=value; the word is cut at the '='. */
static int take_name(parser *p, char *word)
{
	char *value = strchr(word, '=');
	const bl_option *o = NULL;
	if (value)
		*value = '\0';
	int status = find_name(p, word + 2, &o);
	if (status >= 0)
		return status;
	if (value && o->kind == BL_OPTION_FLAG)
		return bl_subcommand_refuse(p->command, "option '--%s' takes no argument", o->name);
	return take(p, o, word, value ? value + 1 : NULL);
}

/* Reads -a, -abc or -aVALUE. */
static int take_letters(parser *p, char *word)
{
	const bl_option *list[OPTIONS_MOST];
	int n = list_options(p->command, list);
	for (char *at = word + 1; *at; at++) {
		const char shown[3] = { '-', *at, '\0' };
		int i = 0;
		while (i < n && list[i]->letter != *at)
			i++;
		if (i == n)
			return bl_subcommand_refuse(p->command, "unknown option '%s'", shown);
		bool last = list[i]->kind != BL_OPTION_FLAG;
		int status = take(p, list[i], shown, last && at[1] ? at + 1 : NULL);
		if (status >= 0 || last)
			return status;
	}
	return -1;
}

/* --- The command line --------------------------------------------------------------------- */

static int take_operand(parser *p, char *word)
{
	const bl_subcommand *c = p->command;
	if (!c->operand)
		return bl_subcommand_refuse(c, "'%s' is one argument too many", word);
	if (p->operands.n > 0 && !c->rest && !c->many)
		return bl_subcommand_refuse(c, "one %s at a time: '%s' is one argument too many", c->operand, word);
	return put_more(p, &p->operands, word);
}

static int read_all(parser *p)
{
	bool options = true;
	int status = -1;
	while (p->argc > 0 && status < 0) {
		char *word = *p->argv++;
		p->argc--;
		if (!options || word[0] != '-' || !word[1]) {
			status = take_operand(p, word);
			options = options && !p->command->rest;
		} else if (strcmp(word, "--") == 0) {
			options = false;
		} else {
			status = word[1] == '-' ? take_name(p, word) : take_letters(p, word);
		}
	}
	if (status < 0 && p->command->needed && p->operands.n == 0)
		return bl_subcommand_refuse(p->command, "expected %s", p->command->operand);
	return status;
}

int bl_subcommand_main(const bl_subcommand *c, int argc, char **argv)
{
	parser p = { .command = c, .argv = argv + 1, .argc = argc > 0 ? argc - 1 : 0, .options = calloc(1, c->size + 1) };
	if (!p.options) {
		fputs("barlow: no memory\n", stderr);
		return EXIT_FAILURE;
	}
	int status = read_all(&p);
	if (status < 0)
		status = c->run(c, p.options, &p.operands);
	for (const bl_option *o = c->options; o && o->help; o++)
		if (o->kind == BL_OPTION_TEXTS)
			free(((bl_texts *)((char *)p.options + o->offset))->text);
	free(p.operands.text);
	free(p.options);
	return status;
}
