/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * runs.h: the folders of runs: where they lie, what is in them, and which one is meant.
 *
 * A run's folder has `live` (live.h), `recipe.lua`, `weights.safetensors`,
 * `checkpoint.safetensors`, perhaps `start.safetensors` (checkpoint.h), and `journal` (journal.h).
 * All of them lie in one place unless their users put them elsewhere.
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

/* $XDG_DATA_HOME/barlow/runs, or what stands for it below HOME.  Strings from here are new: the caller frees them. */
char *bl_runs_root(void);
/* A new folder in it for a run that starts now, which nobody else may enter: NAME-YYYYmmdd-HHMMSS. */
char *bl_runs_folder_new(const char *name);
/* The folder that a user chose, made where it is missing.  1: it holds a run, or a file that a run would overwrite. */
int bl_runs_folder_take(const char *folder);
/*
 * Writes the text of n bytes as the run's recipe.  Another text that is there, as when somebody edited it, is kept under the
 * first free name of recipe.lua.1, recipe.lua.2, ...  Negative with bl_error: what is there stays as it is.
 */
int bl_runs_write_recipe(const char *folder, const char *text, size_t n);

/*
 * May steps of the run be made again by this process, to the same bits?  Negative with bl_error: another version, CPU or BLAS core
 * made it, or nobody knows.
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
	bl_record measured; /* the same, but of columns that are measured now and then the newest value there is */
	double knn;         /* the last measured, or NaN */
	int64_t read;       /* records looked at for these two */
} bl_run;

typedef struct bl_runs {
	bl_run *run; /* newest first */
	int n;
} bl_runs;

bool bl_run_going(const bl_run *r);        /* its process lives, and it is not over */
const char *bl_run_state_text(const bl_run *r); /* the state's name, "killed" or "broken" */

/*
 * What lies in root; nothing where that is missing.  `before`: an earlier list, from which is taken what cannot have
 * changed; may be NULL.
 */
bl_runs *bl_runs_list(const char *root, const bl_runs *before);
void bl_runs_free(bl_runs *r);
/* The run meant by a folder's name, a run's name (the newest of it), or how one folder's name begins.  -1: none. */
int bl_runs_find(const bl_runs *r, const char *what);

/*
 * The live file of the run that is meant: as above, or by the path of a folder or file; NULL: the newest that is going
 * on, else the newest.  *commands: whether it is to take commands, and then whether it does (a file of somebody else).
 */
bl_live *bl_runs_open(const char *what, bool *commands);

/*
 * The folder of the run that is to go on: meant as above, but the path of a folder need not have a live file; NULL: the
 * newest that was stopped or killed, not one that failed.  NULL with bl_error where it has no checkpoint, or is going on in some process.
 */
char *bl_runs_resumable(const char *what);
/*
 * Makes sure that nobody else goes on with the run in the folder, until bl_runs_release(what this returned).  What was
 * left half written there is removed.  Negative: it is going on, or being resumed, elsewhere.
 */
int bl_runs_claim(const char *folder);
void bl_runs_release(int claim);

/*
 * A new run that goes on from the checkpoint of another one, which it leaves as it is, also while that goes on: a folder with
 * copies of checkpoint, recipe and what the recipe reads, and the records so far.  `into`: a folder that holds no run; NULL: a
 * new one among all runs.  Returns the folder, a new string.
 */
char *bl_runs_fork(const char *from, const char *into);
/* The file of a checkpoint of that step, where the run kept it (bl_trainer_config.checkpoints), a new string. */
char *bl_runs_checkpoint(const char *folder, int64_t step);
/* The folder that a run was forked from, a new string, and at which step.  NULL with bl_error: it is no fork. */
char *bl_runs_parent(const char *folder, int64_t *step);
/*
 * Removes a run that is not going on.  One that lies among all runs goes with all that is in its folder; of a folder
 * elsewhere, which its user chose, the run's files go, and the folder if nothing else is in it.  No link is followed.  Negative
 * with bl_error: nothing was removed, or not all.
 */
int bl_runs_delete(const char *folder);
/*
 * Moves a run that is not going on, and lies among all runs, into the folder `trash` beside these, from where its user may take
 * it back.  Where it lies now, a new string.  NULL with bl_error.
 */
char *bl_runs_to_trash(const char *folder);
int64_t bl_runs_size(const char *folder); /* bytes that the folder's files take on disk; 0: it cannot be read */

/* Tags and notes, in run.json (run_file.h); a run of a version before gets one. */
typedef struct bl_run_edit {
	const char *const *add, *const *drop; /* tags */
	int adds, drops;
	const char *notes; /* NULL: they stay as they are */
} bl_run_edit;
int bl_runs_edit(const char *folder, const bl_run_edit *e);

#endif
