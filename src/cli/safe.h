/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safe.h: runs an untrusted script. */
#ifndef BARLOW_CLI_SAFE_H
#define BARLOW_CLI_SAFE_H

#include "cli/command.h"

typedef struct bl_safe {
	const char *below;   /* a folder that may be read and written; NULL: nothing is written */
	int memory, seconds; /* limits, in MiB and in s; 0: the defaults */
} bl_safe;

/* Runs the script (with arguments) in a sandbox.  Returns the exit status; errors were printed. */
int bl_safe_run(const bl_safe *requested, const bl_texts *script);

#endif
