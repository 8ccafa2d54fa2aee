/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tune.h: barlow tune [options] [recipe or run]: measures which convolution algorithms are fastest here. */
#ifndef BARLOW_CLI_TUNE_H
#define BARLOW_CLI_TUNE_H

/* argv[0] is "tune".  Returns the program's exit status. */
int bl_tune_main(int argc, char **argv);

#endif
