/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * runs.h: the folders of runs: where they are, what they contain, and how to find a run.
 *
 * A run's folder contains `live` (live.h), `recipe.lua`, `weights.safetensors`, `checkpoint.safetensors` and sometimes
 * `start.safetensors` (checkpoint.h), and `journal` (journal.h).  New folders are made in bl_runs_root, unless the user
 * names another one.  Functions return 0, or negative with bl_error, unless they say otherwise.  Functions that return
 * char * return a new string, which the caller frees, or NULL with bl_error.
 */
#ifndef BARLOW_RUNS_H
#define BARLOW_RUNS_H

#include <barlow/live.h>

#include <stddef.h>

#define BL_RUN_LIVE "live"
#define BL_RUN_RECIPE "recipe.lua"
#define BL_RUN_WEIGHTS "weights.safetensors"
#define BL_RUN_PARENT "parent"           /* of forks: the step and the folder of the original run */
#define BL_RUN_JOURNAL "journal"         /* changes during training: journal.h */
#define BL_RUN_START "start.safetensors" /* of runs that start from given weights */
#define BL_RUN_CHECKPOINT "checkpoint.safetensors"

/* $XDG_DATA_HOME/barlow/runs, or its default below HOME. */
char *bl_runs_root(void);
/* Makes a new private folder in bl_runs_root for a run that starts now: NAME-YYYYmmdd-HHMMSS. */
char *bl_runs_folder_new(const char *name);
/* Makes a folder that the user names, if it is missing.  1 with bl_error: a run or its files would be overwritten. */
int bl_runs_folder_take(const char *folder);
/*
 * Writes n bytes of text as the run's recipe.  An existing recipe with another text, for example an edited one, is
 * renamed to the first free name of recipe.lua.1, recipe.lua.2, ...  On failure the existing file is unchanged.
 */
int bl_runs_write_recipe(const char *folder, const char *text, size_t n);

/*
 * 0 if this process can repeat steps of the run with the same bits.  Negative with bl_error: the run was made by
 * another version, CPU or BLAS core, or these are not known.
 */
int bl_runs_check_replay(const char *folder);

/* folder/file */
char *bl_runs_path(const char *folder, const char *file);

/* The content of a run's folder when it was last read. */
typedef struct bl_run {
	char *id, *folder; /* name and path of the folder */
	bool broken;       /* the live file cannot be read; info.message states the reason */
	bool alive;        /* the run's process exists */
	bl_live_info info;
	bl_columns columns; /* of the records */
	bl_record last;     /* the last record; step 0 and all NaN: there is none yet */
	bl_record measured; /* as last, but a column without a value has its latest earlier value */
	double knn;         /* the last measured kNN accuracy; NaN: none */
	int64_t read;       /* number of records that were read for `last` and `measured` */
} bl_run;

typedef struct bl_runs {
	bl_run *run; /* newest first */
	int n;
} bl_runs;

bool bl_run_going(const bl_run *r);             /* does the run's process exist, and has the run not ended? */
const char *bl_run_state_text(const bl_run *r); /* the state's name, "killed" or "broken" */

/*
 * Lists the runs in the folder root; the list is empty if root is missing.  Unchanged entries are copied from an
 * earlier list `before`, which may be NULL.  The caller frees the list; NULL with bl_error.
 */
bl_runs *bl_runs_list(const char *root, const bl_runs *before);
void bl_runs_free(bl_runs *r);
/*
 * The index of the run that `what` names: the name of a folder, the name of a run (the newest of that name), or the
 * beginning of the name of exactly one folder.  -1: there is none.
 */
int bl_runs_find(const bl_runs *r, const char *what);

/*
 * Opens the live file of the run that `what` names, as for bl_runs_find or by the path of a folder or file.  what NULL:
 * the newest run that is running, or else the newest run.  *commands states whether commands should be possible; on
 * return it states whether they are, which is false for files of other users.  NULL with bl_error.
 */
bl_live *bl_runs_open(const char *what, bool *commands);

/*
 * The folder of a run that can be resumed.  what is as for bl_runs_open, but the folder need not contain a live file.
 * what NULL: the newest run that was stopped or killed; failed runs are not considered.  NULL with bl_error: the run
 * has no checkpoint, or a process is running it.
 */
char *bl_runs_resumable(const char *what);
/*
 * Locks the run in the folder, so that no other process can resume it, and removes incomplete files.  Returns a lock
 * for bl_runs_release; negative with bl_error: another process is running or resuming the run.
 */
int bl_runs_claim(const char *folder);
void bl_runs_release(int claim);

/*
 * Makes a new run that continues from the checkpoint of the run in the folder `from`, which is not changed and may be
 * running.  The new folder contains copies of the checkpoint, of the recipe and the files that it reads, and of the
 * records so far.  `into` is a folder without a run; NULL: a new folder in bl_runs_root.  Returns the path of the new
 * folder.
 */
char *bl_runs_fork(const char *from, const char *into);
/*
 * The path of the checkpoint of that step.  NULL with bl_error: there is none; a run keeps only the newest ones
 * (bl_trainer_config.checkpoints).
 */
char *bl_runs_checkpoint(const char *folder, int64_t step);
/* The folder of the run that this run was forked from; *step receives the step.  NULL with bl_error: it is no fork. */
char *bl_runs_parent(const char *folder, int64_t *step);
/*
 * Deletes a run that is not running.  If its folder is in bl_runs_root, the whole folder is deleted.  Otherwise the
 * run's files are deleted, and the folder if it is empty then.  Links are not followed.  On failure a part may have
 * been deleted.
 */
int bl_runs_delete(const char *folder);
/*
 * Moves a run in bl_runs_root that is not running into the folder `trash` beside bl_runs_root, from which the user may
 * restore it.  Returns the new path.
 */
char *bl_runs_to_trash(const char *folder);
int64_t bl_runs_size(const char *folder); /* size of the folder's files on disk in bytes; 0: it cannot be read */
/*
 * Removes incomplete files that killed processes have left in the folder of a run that is not running: files with the
 * names of barlow's temporary files that are at least a minute old and whose writers no longer exist.  dry: counts them
 * only. Negative with bl_error: another process is running or resuming the run.
 */
typedef struct bl_leftovers {
	int files;
	int64_t bytes; /* on disk */
} bl_leftovers;
int bl_runs_tidy(const char *folder, bool dry, bl_leftovers *removed);

/* Changes tags and notes in run.json (run_file.h).  If a run of an older version has no such file, it is created. */
typedef struct bl_run_edit {
	const char *const *add, *const *drop; /* tags */
	int adds, drops;
	const char *notes; /* NULL: they are not changed */
} bl_run_edit;
int bl_runs_edit(const char *folder, const bl_run_edit *e);

#endif
