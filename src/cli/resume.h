/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resume.h: barlow resume [options] [run]: a run goes on in the foreground. */
#ifndef BARLOW_CLI_RESUME_H
#define BARLOW_CLI_RESUME_H

/* argv[0] is "resume".  Returns the program's exit status. */
int bl_resume_main(int argc, char **argv);

#endif
