/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_help.c: barlow help: the help of a command or of the program, or the manual page's sections about the commands. */
#include "cli/command.h"

#include <stdlib.h>

struct values {
	bool manual;
};

static const bl_option options[] = {
	BL_OPTION(FLAG, struct values, manual, .name = "man", .help = "print the manual page's sections about the commands"),
	BL_OPTION_END,
};

static int help(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	const struct values *v = options_read;
	if (v->manual) {
		bl_subcommands_manual(stdout);
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (!operands->n)
		return bl_subcommand_print(&bl_subcommand_script);
	const char *word = operands->text[0], *near = bl_subcommand_nearest(word);
	const bl_subcommand *c = bl_subcommand_find(word);
	if (c)
		return bl_subcommand_print(c);
	if (near)
		return bl_subcommand_refuse(self, "there is no command '%s' (did you mean '%s'?)", word, near);
	return bl_subcommand_refuse(self, "there is no command '%s'", word);
}

const bl_subcommand bl_subcommand_help = {
	.name = "help",
	.summary = "print what a command does and its options",
	.options = options,
	.operand = "command",
	.thing = BL_THING_COMMAND,
	.about = "Prints the same as the command's option --help; without a command, the help of the program.\n",
	.size = sizeof(struct values),
	.run = help,
};
