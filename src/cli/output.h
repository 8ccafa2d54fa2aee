/* SPDX-License-Identifier: GPL-3.0-or-later */
/* output.h (private): what was printed must have been written when the program ends. */
#ifndef BARLOW_CLI_OUTPUT_H
#define BARLOW_CLI_OUTPUT_H

/* Before anything else asks for its turn at exit: what is asked for first comes last. */
int bl_output_install(void);

#endif
