/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * command.h: the program's commands as data.
 *
 * A command is one file, cmd_NAME.c, with a const `bl_subcommand_NAME` at its end, and a line in local.mk.  Parsing,
 * messages, -h, the sections of the manual and the completions of three shells use this table.
 */
#ifndef BARLOW_CLI_COMMAND_H
#define BARLOW_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { EXIT_USAGE = 2 };

/* Arguments in their order, borrowed from argv. */
typedef struct bl_texts {
	char **text;
	int n;
} bl_texts;

typedef struct bl_size {
	int width, height; /* 0: not given */
} bl_size;

/* The type of an option's value, a member of the command's struct. */
typedef enum bl_option_kind {
	BL_OPTION_FLAG,  /* bool; takes no argument */
	BL_OPTION_TEXT,  /* const char *, NULL when not given */
	BL_OPTION_TEXTS, /* bl_texts: may be given more than once */
	BL_OPTION_WHOLE, /* int within min..max */
	BL_OPTION_SIZE,  /* bl_size, as 120x40 */
} bl_option_kind;

/* The kind of an argument, for completion. */
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
	const char *argument; /* its name in help, such as "N"; NULL: it is a flag */
	bl_thing thing;
	const char *const *words; /* the texts that it may be, ended by NULL; NULL: any */
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
	          .help = "work with N threads (default: one per core); results do not depend on N")

struct bl_subcommand {
	const char *name;         /* NULL: the program without a command */
	const char *summary;      /* one line, without a full stop */
	const bl_option *options; /* -h, --help is added to them */
	const char *operand;      /* name of its operand: "run"; NULL: there is none */
	bl_thing thing;           /* the kind of the operand */
	const char *const *words; /* of a BL_THING_WORD: the words, ended by NULL */
	bool needed;              /* the operand is required */
	bool many;                /* further operands may follow, also after options */
	bl_thing others;          /* the kind of further operands */
	bool rest;                /* everything after the operand, also options, is for the script: its arguments */
	const char *about;        /* full sentences; paragraphs end with a line end */
	size_t size;              /* size of its struct, which is zeros at first */
	/* `options` is that struct.  Returns the exit status. */
	int (*run)(const bl_subcommand *self, const void *options, const bl_texts *operands);
};

extern const bl_subcommand bl_subcommand_script;         /* script.c: the program without a command */
extern const bl_subcommand *const bl_subcommand_table[]; /* commands.c, made from local.mk; ended by NULL */

/* command_list.c: the table of the program's commands; main sets it to bl_subcommand_table. */
extern const bl_subcommand *const *bl_subcommands;
const bl_subcommand *bl_subcommand_find(const char *name); /* NULL: there is none */
const char *bl_subcommand_nearest(const char *name);       /* the command with the nearest name, or NULL */

/* parse.c: parses argv from [1] on, and runs the command.  Returns the exit status. */
int bl_subcommand_main(const bl_subcommand *c, int argc, char **argv);
void bl_subcommand_colour(const char *when); /* applies the value of --color; NULL: it was not given */
/* Prints "barlow NAME: message\nTry 'barlow NAME --help'." to standard error.  Returns EXIT_USAGE. */
int bl_subcommand_refuse(const bl_subcommand *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* usage.c */
void bl_subcommand_usage(const bl_subcommand *c, FILE *f);          /* "barlow watch [options] [run]" */
int bl_subcommand_print(const bl_subcommand *c);                    /* prints the help; returns the exit status */
int bl_option_columns(const bl_option *o, char *text, size_t size); /* "-t, --threads N"; returns its width */
extern const bl_option bl_option_help;                              /* -h, --help */

/* manual.c and shell_*.c: the table as a manual page and as completions */
void bl_subcommands_manual(FILE *f);
void bl_subcommands_bash(FILE *f);
void bl_subcommands_zsh(FILE *f);
void bl_subcommands_fish(FILE *f);

#endif
