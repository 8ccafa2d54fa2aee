/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs.h (private): functions that the files about run folders share. */
#ifndef BARLOW_STORE_RUNS_H
#define BARLOW_STORE_RUNS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * runs.c: returns the path of the live file of the run that `what` means (see bl_runs_open); the file need not exist.
 * The caller frees the path.  NULL with bl_error.
 */
char *bl_runs_live_path(const char *what);

/*
 * fork.c: records in the folder `into` that its run continues from a step of the run in `from`.  Negative with
 * bl_error.
 */
int bl_runs_write_parent(const char *from, const char *into, int64_t step);

/*
 * run_folder.c: is the entry a folder, or a link to one, whose name does not begin with a dot?  In the folder of all
 * runs, such an entry is a run.
 */
bool bl_runs_is_folder(DIR *d, const struct dirent *e);

/*
 * run_names.c: bl_runs_files has the names of all files of a run, ended by NULL.  bl_runs_is_leftover: is this the name
 * of a temporary file?  bl_runs_is_file: is the name in bl_runs_files, or that of a temporary file or of a checkpoint of
 * an earlier step?
 */
extern const char *const bl_runs_files[];
bool bl_runs_is_file(const char *name);
bool bl_runs_is_leftover(const char *name);
int64_t bl_runs_leftover_writer(const char *name); /* pid of its writer; 0: it is no temporary file */

/* run_resume.c: 0, or negative with bl_error: a process is running the run in the folder. */
int bl_runs_check_idle(const char *folder);

#endif
