/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safe.h: a stranger's script. */
#ifndef BARLOW_CLI_SAFE_H
#define BARLOW_CLI_SAFE_H

#include "cli/command.h"

typedef struct bl_safe {
	const char *below;   /* a folder that may be read and written; NULL: nothing is written */
	int memory, seconds; /* MiB; 0: the usual */
} bl_safe;

/* Runs the script (with arguments) sandboxed.  Returns the exit status; what went wrong has been said. */
int bl_safe_run(const bl_safe *w, const bl_texts *script);

#endif
