/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main.c: arranges for a check at exit that all output was written, and for the handling of signals, then runs the command
 * that the first argument names, or else a script or the prompt (script.c).
 */
#include "cli/command.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/signals.h"

#include <barlow/error.h>
#include <barlow/tensor.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	if (bl_kernel_check() < 0) {
		fprintf(stderr, "barlow: %s\n", bl_error());
		return EXIT_FAILURE;
	}
	bl_run_need_room(0);
	if (bl_output_install() != 0 || bl_signals_install() != 0)
		return EXIT_FAILURE;
	bl_subcommands = bl_subcommand_table;
	const bl_subcommand *c = argc > 1 ? bl_subcommand_find(argv[1]) : NULL;
	return c ? bl_subcommand_main(c, argc - 1, argv + 1) : bl_subcommand_main(&bl_subcommand_script, argc, argv);
}
