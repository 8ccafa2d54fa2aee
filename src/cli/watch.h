/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watch.h: barlow watch [options] [run]: the screen of a run of any process, and of the past. */
#ifndef BARLOW_CLI_WATCH_H
#define BARLOW_CLI_WATCH_H

/* argv[0] is "watch".  Returns the program's exit status. */
int bl_watch_main(int argc, char **argv);

#endif
