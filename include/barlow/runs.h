/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * runs.h: the folders of runs: their location, their content, and how to find one.
 *
 * A run's folder has `live` (live.h), `recipe.lua`, `weights.safetensors`,
 * `checkpoint.safetensors`, perhaps `start.safetensors` (checkpoint.h), and `journal` (journal.h).
 * New folders are made in bl_runs_root, unless the user names another one.
 * Functions return 0, or negative with bl_error, unless they say otherwise;
 * those that return char * return a new string, which the caller frees, or NULL with bl_error.
 */
#ifndef BARLOW_RUNS_H
#define BARLOW_RUNS_H

#include <barlow/live.h>

#include <stddef.h>

#define BL_RUN_LIVE "live"
#define BL_RUN_RECIPE "recipe.lua"
#define BL_RUN_WEIGHTS "weights.safetensors"
#define BL_RUN_PARENT "parent"           /* of forks: a step, and the folder that they were forked from */
#define BL_RUN_JOURNAL "journal"         /* of what was changed: journal.h */
#define BL_RUN_START "start.safetensors" /* of runs that start from given weights */
#define BL_RUN_CHECKPOINT "checkpoint.safetensors"

/* $XDG_DATA_HOME/barlow/runs, or its default below HOME. */
char *bl_runs_root(void);
/* Makes a new private folder in bl_runs_root for a run that starts now: NAME-YYYYmmdd-HHMMSS. */
char *bl_runs_folder_new(const char *name);
/* Makes the folder that a user chose, if it is missing.  1 with bl_error: a run or its files would be overwritten. */
int bl_runs_folder_take(const char *folder);
/*
 * Writes the text of n bytes as the run's recipe.  A different existing recipe, for example an edited one, is kept
 * under the first free name of recipe.lua.1, recipe.lua.2, ...  Negative with bl_error: the existing file is
 * unchanged.
 */
int bl_runs_write_recipe(const char *folder, const char *text, size_t n);

/*
 * Can this process repeat steps of the run to the same bits?  Negative with bl_error: another version, CPU or BLAS core
 * made it, or that is not known.
 */
int bl_runs_check_replay(const char *folder);

/* folder/file */
char *bl_runs_path(const char *folder, const char *file);

/* A folder among the runs, as last read. */
typedef struct bl_run {
	char *id, *folder; /* the folder's name, and its path */
	bool broken;       /* its live file cannot be read: info.message says why */
	bool alive;        /* its process exists */
	bl_live_info info;
	bl_columns columns; /* of its records */
	bl_record last;     /* step 0 and all NaN: none yet */
	bl_record measured; /* the same, but rarely measured columns have their newest value */
	double knn;         /* the last measured, or NaN */
	int64_t read;       /* number of records that were read for `last` and `measured` */
} bl_run;

typedef struct bl_runs {
	bl_run *run; /* newest first */
	int n;
} bl_runs;

bool bl_run_going(const bl_run *r);             /* its process exists, and the run has not ended */
const char *bl_run_state_text(const bl_run *r); /* the state's name, "killed" or "broken" */

/*
 * Lists the runs in root; empty if root is missing.  `before`: an earlier list, from which unchanged entries are
 * copied; may be NULL.
 */
bl_runs *bl_runs_list(const char *root, const bl_runs *before);
void bl_runs_free(bl_runs *r);
/*
 * The index of a run by its folder's name, its own name (the newest), or the beginning of one folder's name.  -1:
 * none.
 */
int bl_runs_find(const bl_runs *r, const char *what);

/*
 * Opens the live file of a run, named as above or by the path of a folder or file; NULL: the newest running one, else
 * the newest.  *commands: whether commands should be possible, and on return whether they are (not for files of other
 * users).
 */
bl_live *bl_runs_open(const char *what, bool *commands);

/*
 * The folder of a run to resume, named as above, but the path of a folder need not have a live file; NULL: the newest
 * that was stopped or killed, not one that failed.  NULL with bl_error if it has no checkpoint, or is running in some
 * process.
 */
char *bl_runs_resumable(const char *what);
/*
 * Locks the run in the folder against being resumed by another process, until bl_runs_release(result).  Incomplete
 * files are removed.  Negative with bl_error: it is running, or being resumed, elsewhere.
 */
int bl_runs_claim(const char *folder);
void bl_runs_release(int claim);

/*
 * Makes a new run that continues from the checkpoint of another, which is not changed and may be running: a folder with
 * copies of checkpoint, recipe and the files that the recipe reads, and the records so far.  `into`: a folder without a
 * run; NULL: a new one among all runs.  Returns the folder, a new string; NULL with bl_error.
 */
char *bl_runs_fork(const char *from, const char *into);
/* The path of the checkpoint of that step.  NULL with bl_error: it was not kept (bl_trainer_config.checkpoints). */
char *bl_runs_checkpoint(const char *folder, int64_t step);
/* The folder that a run was forked from; *step: at which step.  NULL with bl_error: it is no fork. */
char *bl_runs_parent(const char *folder, int64_t *step);
/*
 * Deletes a run that is not running.  In bl_runs_root, the whole folder is deleted; in a folder elsewhere, which its
 * user chose, the run's files are, and the folder if it is empty then.  Links are not followed.  Negative with
 * bl_error: nothing was deleted, or only a part.
 */
int bl_runs_delete(const char *folder);
/*
 * Moves a run in bl_runs_root that is not running into the folder `trash` beside bl_runs_root, from which the user may
 * restore it.  Returns its new path, a new string; NULL with bl_error.
 */
char *bl_runs_to_trash(const char *folder);
int64_t bl_runs_size(const char *folder); /* bytes that the folder's files take on disk; 0: it cannot be read */
/*
 * Removes from the folder of a run that is not running what killed saves left half written: files with the names of
 * barlow's own temporary files, a minute old or older, whose writers are dead.  dry: only counts.  Negative with bl_error: the
 * run is running or resumed elsewhere.
 */
typedef struct bl_leftovers {
	int files;
	int64_t bytes; /* on disk */
} bl_leftovers;
int bl_runs_tidy(const char *folder, bool dry, bl_leftovers *removed);

/* Changes tags and notes in run.json (run_file.h), which is created for a run of an older version. */
typedef struct bl_run_edit {
	const char *const *add, *const *drop; /* tags */
	int adds, drops;
	const char *notes; /* NULL: they are not changed */
} bl_run_edit;
int bl_runs_edit(const char *folder, const bl_run_edit *e);

#endif
