/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_completions.c: barlow completions: a shell's completions of the command line. */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

static const char *const shells[] = { "bash", "zsh", "fish", NULL };
static void (*const writers[])(FILE *f) = { bl_subcommands_bash, bl_subcommands_zsh, bl_subcommands_fish };

static int completions(const bl_subcommand *self, const void *options, const bl_texts *operands)
{
	(void)options;
	for (int i = 0; shells[i]; i++)
		if (strcmp(shells[i], operands->text[0]) == 0) {
			writers[i](stdout);
			return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		}
	return bl_subcommand_refuse(self, "expected bash, zsh or fish, got '%s'", operands->text[0]);
}

const bl_subcommand bl_subcommand_completions = {
	.name = "completions",
	.summary = "print completions of barlow's command line for a shell",
	.operand = "shell",
	.thing = BL_THING_WORD,
	.words = shells,
	.needed = true,
	.about =
		"Prints the completions for bash, zsh or fish. They are installed with barlow; if the shell does not find them, for "
		"example because of another prefix, load them yourself: source <(barlow completions bash).\n",
	.run = completions,
};
