#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes commands.c, the list of all commands.  Usage: commands.sh cmd_NAME.c...
set -eu
echo '/* SPDX-License-Identifier: GPL-3.0-or-later */'
echo '/* The list of all commands, made by commands.sh. */'
echo '#include "cli/command.h"'
echo
for file; do
	name=${file##*/cmd_}
	echo "extern const bl_subcommand bl_subcommand_${name%.c};"
done
echo
echo 'const bl_subcommand *const bl_subcommand_table[] = {'
for file; do
	name=${file##*/cmd_}
	echo "	&bl_subcommand_${name%.c},"
done
echo '	NULL,'
echo '};'
