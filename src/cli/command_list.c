/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * command_list.c: finds commands by name.
 *
 * The list itself is in commands.c.  main sets the pointer to it, so that code that uses the list (help, completions, the
 * manual) does not depend on the commands.
 */
#include "cli/command.h"

#include <barlow/error.h>
#include <string.h>

enum { COMMANDS_MOST = 64 };

const bl_subcommand *const *bl_subcommands;

const bl_subcommand *bl_subcommand_find(const char *name)
{
	for (const bl_subcommand *const *c = bl_subcommands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

const char *bl_subcommand_nearest(const char *name)
{
	const char *names[COMMANDS_MOST + 1] = { NULL };
	for (int i = 0; bl_subcommands[i] && i < COMMANDS_MOST; i++)
		names[i] = bl_subcommands[i]->name;
	return bl_nearest(name, names);
}
