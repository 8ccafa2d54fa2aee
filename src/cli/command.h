/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * command.h: the program's commands as data.
 *
 * A command is one file, cmd_NAME.c, with a const `bl_subcommand_NAME` at its end, and a line in local.mk.  Parsing, messages,
 * -h, the manual's sections and the completions of three shells are made from it.
 */
#ifndef BARLOW_CLI_COMMAND_H
#define BARLOW_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { EXIT_USAGE = 2 };

/* Arguments, in their order; borrowed from argv. */
typedef struct bl_texts {
	char **text;
	int n;
} bl_texts;

typedef struct bl_size {
	int width, height; /* 0: not given */
} bl_size;

/* Where an option's value goes: the type of the member of the command's struct. */
typedef enum bl_option_kind {
	BL_OPTION_FLAG,  /* bool; takes no argument */
	BL_OPTION_TEXT,  /* const char *, NULL when not given */
	BL_OPTION_TEXTS, /* bl_texts: may be given more than once */
	BL_OPTION_WHOLE, /* int within min..max */
	BL_OPTION_SIZE,  /* bl_size, as 120x40 */
} bl_option_kind;

/* What an argument is, for those who complete it. */
typedef enum bl_thing {
	BL_THING_TEXT,
	BL_THING_FILE,
	BL_THING_FOLDER,
	BL_THING_SCRIPT,
	BL_THING_RUN,
	BL_THING_COMMAND,
	BL_THING_WORD,
} bl_thing;

typedef struct bl_subcommand bl_subcommand;
typedef struct bl_option {
	char letter;      /* 0: none */
	const char *name; /* without dashes; NULL: letter only */
	bl_option_kind kind;
	size_t offset;
	const char *argument; /* its name in help, as "N"; NULL of a flag */
	bl_thing thing;
	const char *const *words; /* which texts it may be, ended by NULL; NULL: any */
	int min, max;
	const char *help; /* NULL ends the list */
} bl_option;

/* clang-format off */
#define BL_OPTION(kind_, struct_, member_, ...) \
	{ .kind = BL_OPTION_##kind_, .offset = offsetof(struct_, member_), __VA_ARGS__ }
/* clang-format on */
/* --color of every command that draws, for bl_subcommand_colour. */
extern const char *const bl_option_when[]; /* auto, always, never */
#define BL_OPTION_COLOUR(struct_, member_) \
	BL_OPTION(TEXT, struct_, member_, .name = "color", .argument = "WHEN", .thing = BL_THING_WORD, .words = bl_option_when, \
	          .help = "auto: colours on a terminal that has them, unless NO_COLOR is set; always; or never")
#define BL_OPTION_END \
	{ \
		.help = NULL \
	}
/* -t of every command that computes */
#define BL_OPTION_THREADS(struct_, member_) \
	BL_OPTION(WHOLE, struct_, member_, .letter = 't', .name = "threads", .argument = "N", .min = 1, .max = BL_THREADS_MAX, \
	          .help = "work with N threads (default: one a core); results do not depend on it")

struct bl_subcommand {
	const char *name;         /* NULL: what the program does when its first argument is no command */
	const char *summary;      /* in one line, without a dot */
	const bl_option *options; /* -h, --help comes by itself */
	const char *operand;      /* what it is given beside options: "run"; NULL: nothing */
	bl_thing thing;           /* which is this */
	const char *const *words; /* of a BL_THING_WORD: which there are, ended by NULL */
	bool needed;              /* the operand cannot be left out */
	bool many;                /* further ones may follow, with options among them, ... */
	bl_thing others;          /* ... which are this */
	bool rest;                /* what follows the operand, options too, is not the program's: a script's arguments */
	const char *about;        /* full sentences; paragraphs end with a line end */
	size_t size;              /* of its struct, which begins as zeros */
	/* `options` is that struct.  Returns the exit status. */
	int (*run)(const bl_subcommand *self, const void *options, const bl_texts *operands);
};

extern const bl_subcommand bl_subcommand_script;         /* script.c: the one without a name */
extern const bl_subcommand *const bl_subcommand_table[]; /* commands.c, made from local.mk; ended by NULL */

/* command_list.c: that table, once main has set it. */
extern const bl_subcommand *const *bl_subcommands;
const bl_subcommand *bl_subcommand_find(const char *name); /* NULL: there is none */
const char *bl_subcommand_nearest(const char *name);       /* the one that was meant, or NULL */

/* parse.c: understands argv, of which [0] is not looked at, and runs the command.  Returns the exit status. */
int bl_subcommand_main(const bl_subcommand *c, int argc, char **argv);
void bl_subcommand_colour(const char *when); /* what --color said; NULL: nothing */
/* Says "barlow NAME: message\nTry 'barlow NAME --help'." on standard error.  Returns EXIT_USAGE. */
int bl_subcommand_refuse(const bl_subcommand *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* usage.c */
void bl_subcommand_usage(const bl_subcommand *c, FILE *f);          /* "barlow watch [options] [run]" */
int bl_subcommand_print(const bl_subcommand *c);                    /* prints it; the exit status */
int bl_option_columns(const bl_option *o, char *text, size_t size); /* "-t, --threads N"; its width */
extern const bl_option bl_option_help;                              /* -h, --help */

/* manual.c and shell_*.c: the whole table in other forms */
void bl_subcommands_manual(FILE *f);
void bl_subcommands_bash(FILE *f);
void bl_subcommands_zsh(FILE *f);
void bl_subcommands_fish(FILE *f);

#endif
