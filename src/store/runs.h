/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs.h (private): what the files of run folders share. */
#ifndef BARLOW_STORE_RUNS_H
#define BARLOW_STORE_RUNS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>

/* runs.c: the live file of the run that is meant (bl_runs_open), whether it is there or not; a new string. */
char *bl_runs_live_path(const char *what);

/* fork.c: writes into `into` that it goes on from that step of the run in `from`. */
int bl_runs_write_parent(const char *from, const char *into, int64_t step);

/* run_folder.c: is that a folder, or a link to one, whose name does not hide it?  Such an entry of the place of runs is a run's. */
bool bl_runs_is_folder(DIR *d, const struct dirent *e);

/* run_names.c: the names of all files that a run has, ended by NULL; is this one of them, or what was left half written? */
extern const char *const bl_runs_files[];
bool bl_runs_is_file(const char *name);
bool bl_runs_is_leftover(const char *name);
int64_t bl_runs_leftover_writer(const char *name); /* the process that wrote it; 0: it is none */

/* run_resume.c: negative with bl_error: the run in the folder is going on. */
int bl_runs_check_idle(const char *folder);

#endif
