/* SPDX-License-Identifier: GPL-3.0-or-later */
/* output.h (private): checks at the end of the program that its output was written. */
#ifndef BARLOW_CLI_OUTPUT_H
#define BARLOW_CLI_OUTPUT_H

/* To be called before a file is opened, and before other functions are registered with atexit(), so that the check runs last. */
int bl_output_install(void);
/* Makes the check at once, for code that ends the process without exit().  If output was lost, ends the process with status 1. */
void bl_output_check(void);

#endif
