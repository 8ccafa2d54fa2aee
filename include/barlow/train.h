/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * train.h: the trainer: a thread that makes training steps from batches of views, and publishes their results (live.h).
 *
 * A step: next batch -> v1, v2, ... -> encoder -> projector (each view separately) -> loss -> backward -> optimiser
 * -> record.  Commands are executed between steps.  Functions that can fail and return int return 0, or negative with
 * bl_error, unless they say otherwise.
 */
#ifndef BARLOW_TRAIN_H
#define BARLOW_TRAIN_H

#include <barlow/data.h>
#include <barlow/error.h>
#include <barlow/grad.h>
#include <barlow/live.h>
#include <barlow/loss.h>
#include <barlow/optim.h>

typedef struct bl_trainer bl_trainer;

typedef struct bl_trainer_config {
	const char *name;                     /* of the run; NULL: "run" */
	bl_dataset *data;                     /* references to this and to the objects below are taken */
	bl_pipeline *first, *second;          /* make the two views; both have the same output size */
	bl_pipeline *more[BL_VIEWS_MOST - 2]; /* of further views, for losses with more than two views; NULL after the last */
	bl_batch_aug *batch_aug;              /* changes whole batches; may be NULL */
	bl_module *encoder, *projector;       /* projector may be NULL */
	bl_loss *loss;                        /* NULL: Barlow Twins with its default settings */
	bl_optim_config optim;
	bl_schedule schedule; /* the trainer fills in its warm-up and steps */
	double warmup_epochs;
	int batch;
	double epochs;     /* may be a fraction */
	int64_t max_steps; /* > 0: stop after that many steps; schedules still end at `epochs` */
	double seconds;    /* > 0: budget of training time (column "time"); the last step may exceed it */
	uint64_t seed;
	int loader_threads;
	double clip;            /* > 0: the largest norm of the gradient; larger gradients are scaled down to it */
	bl_precision precision; /* of the network's linear layers in training steps, forward and backward */
	const char *live_path;  /* path of the live file; NULL: the run is in memory only */
	bl_keep keep;           /* selects the earlier snapshots that are saved */
	double snapshot_hz;     /* the largest number of snapshots per second while there are viewers; 0: 10 */
	double knn_every;       /* epochs between quick kNN evaluations during training; 0: none */
	bl_dataset *knn_refs, *knn_queries;
	int knn_k;
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST]; /* normalisation of unaugmented images (evaluation) */
	const bl_choices *choices; /* convolution choices of an earlier run, used in bl_trainer_new only; may be NULL */
	/*
	 * Epochs between checkpoints of a run that is stored on disk (bl_trainer_save_to).  0: checkpoints at the end of
	 * each epoch and after every ten minutes of training, but never so often that they take more than 1% of the
	 * training time.  Negative: checkpoints only on request and at the end of the run.
	 */
	double checkpoint_every;
	int checkpoints; /* number of newest checkpoints that stay on disk; 0: 1 */
	/*
	 * Accept modules that an earlier, ended run has trained.  A run that starts from such modules or from loaded
	 * weights is called warm.
	 */
	bool warm_start;
} bl_trainer_config;

/*
 * Makes a trainer, and checks all shapes by a dry forward pass with the shape of a batch.  The modules belong to the
 * run from its first step to its end.  Modules of another run that has begun and not ended are refused; without
 * warm_start, modules that another run has trained are refused, too.  If another trainer begins to train the modules
 * before this trainer's first step, this trainer cannot make steps any more.  NULL with bl_error.
 */
bl_trainer *bl_trainer_new(const bl_trainer_config *c);
void bl_trainer_free(bl_trainer *t); /* stops the thread and waits for its end first */

int bl_trainer_start(bl_trainer *t);                 /* makes steps in the background; also resumes a paused run */
int bl_trainer_command(bl_trainer *t, bl_command c); /* executed at the next step boundary */
/*
 * Changes a setting from the next step on.  Settable settings are those of the optimiser ("lr", "weight_decay") and of
 * the loss ("lambda"), which may have the prefix "optim." or "loss.", and those of the views' operators
 * ("views.jitter.p" for all views, "views[2].jitter.p" for one).  Setting lr changes lr_bias in proportion.
 */
int bl_trainer_set(bl_trainer *t, const char *name, double value);
int bl_trainer_may_set(bl_trainer *t, const char *name, double value); /* 0 if bl_trainer_set would accept the value */
double bl_trainer_get(bl_trainer *t, const char *name);                /* the current value; NaN: no such setting */
void bl_trainer_loss_settings(bl_trainer *t, void *out);               /* copies the loss's settings (BL_LOSS_ROOM) */
const char *bl_trainer_settable(bl_trainer *t, int i);                 /* settable name i, from 0; NULL after them */
/*
 * A condition, which is checked after each step in the thread that makes the steps.  If holds(ctx, t) returns 1, the run
 * pauses, and the journal and the run's message say so.  If it returns 0, the run continues.  If it returns a negative
 * number with bl_error, the run pauses as well.  release(ctx) is called when the condition is removed.
 */
typedef struct bl_condition {
	int (*holds)(void *ctx, bl_trainer *t);
	void (*release)(void *ctx);
	void *ctx;
} bl_condition;
void bl_trainer_break_when(bl_trainer *t, const bl_condition *c); /* replaces the current condition; NULL: removes it */
/*
 * Has the condition paused the run?  False until the state is BL_RUN_PAUSED and a checkpoint that was due is saved; then
 * true until the run is resumed.  A call that returns true marks the break as reported (bl_trainer_status.at_break).
 */
bool bl_trainer_at_break(bl_trainer *t);
/*
 * The number of executed commands of this kind.  The result of BL_CMD_EVAL, a kNN accuracy, is stored in the next
 * record or, if the run is paused, in the run's message.
 */
int64_t bl_trainer_requests(bl_trainer *t, bl_command_kind kind);
/*
 * Waits until the thread has ended or `seconds` have passed; negative seconds: without limit.  Returns 1 if the
 * thread has ended, 0 if it is running, negative with bl_error if the run has failed.
 */
int bl_trainer_wait(bl_trainer *t, double seconds);
/*
 * Writes the warnings since the last call into out, as one printable line; false: there are none.  The trainer warns
 * if the live file could not be written, was truncated or was rewritten, and if the journal is incomplete.  A repeated
 * warning is reported once; at the run's end, the number of its repetitions is reported.
 */
bool bl_trainer_trouble(bl_trainer *t, char *out, size_t size);
/* Adds a warning. */
void bl_trainer_complain(bl_trainer *t, const char *fmt, ...) BL_PRINTF(2, 3);
/*
 * Adds a user's value to the next record, in the column of that name, which is created if necessary.  The value is
 * dropped if there is no later record.  Any thread may call this.  Negative with bl_error: the name is invalid, or
 * belongs to a column of the trainer.
 */
int bl_trainer_log(bl_trainer *t, const char *name, double value);
double bl_trainer_seconds(const bl_trainer *t); /* the budget of training time in seconds; 0: none */
bl_run_state bl_trainer_state(const bl_trainer *t);
bool bl_trainer_launched(bl_trainer *t); /* did bl_trainer_start begin steps in the background? */
bl_live *bl_trainer_live(bl_trainer *t); /* borrowed */

/*
 * Stores the run on disk.  Its live file is moved to live_path.  The thread that makes the steps calls save(ctx, why)
 * between steps: at intervals (checkpoint_every), on request, and when the run ends.  If a save fails, the journal
 * records it, and the run continues.  To be called before the run starts.  On failure nothing has changed.
 */
typedef enum bl_save_why { BL_SAVE_REGULAR, BL_SAVE_ASKED, BL_SAVE_END } bl_save_why;
typedef int (*bl_trainer_save)(void *ctx, bl_save_why why);
int bl_trainer_save_to(bl_trainer *t, const char *live_path, bl_trainer_save save, void *ctx);
/*
 * To be called if storing the run has failed; bl_error() contains the reason.  The run's end then counts as not saved.
 */
void bl_trainer_unsaved(bl_trainer *t);
/* Waits until the trainer is between two steps, then calls the save callback as for a requested checkpoint. */
int bl_trainer_save_now(bl_trainer *t);
/* Sets the run's message to a text that names this file of saved weights.  Only between two steps. */
void bl_trainer_weights_saved(bl_trainer *t, const char *path);
/* 0, or negative with bl_error: the run has ended, its end was not saved, and it has not been saved since. */
int bl_trainer_saved(bl_trainer *t);

/* The number of runs of this process, including freed ones, whose end was not saved. */
int bl_trainers_unsaved(void);
/* The oldest message about such a run that was not returned before: a new string; NULL: there is none. */
char *bl_trainers_unsaved_message(void);
/*
 * To be called before the process ends, by a thread that makes no steps.  Every running run that is stored on disk is
 * stopped at its next step boundary and saved.  `why` is recorded in its journal, and tell(ctx, line) is called with a
 * line about it.  Afterwards no trainer can be made, freed, started or stepped: a thread that tries this waits
 * until the process ends, or its call fails.
 */
void bl_trainers_end(const char *why, void (*tell)(void *ctx, const char *line), void *ctx);

/* State of a run of this process. */
typedef struct bl_trainer_status {
	int64_t id; /* of the trainer, from 1 on; never reused */
	bl_live_info info;
	bl_live *live;  /* borrowed; only the thread that frees trainers may use it */
	bool fresh;     /* this process has started the run in the background */
	bool end_known; /* the program has waited for the end of the run, or has stopped it */
	bool at_break;  /* the run is at a break, and bl_trainer_at_break has not reported it yet */
} bl_trainer_status;
/* Writes the states of the trainers of this process, oldest first, at most `most`, into out.  Returns their number. */
int bl_trainers_standing(bl_trainer_status *out, int most);

/*
 * Saves the running runs of the process that are stored on disk, each at its next step boundary, as requested
 * checkpoints of the author `who` (bl_change.who).
 */
void bl_trainers_save(const char *who);

/*
 * The journal: all changes of settings and other events during training, from the first step of the run.  It is stored
 * in memory and passed to a callback, which writes it to disk (journal.h).
 */
enum { BL_CHANGE_NAME = 32, BL_CHANGE_WHO = 32, BL_CHANGE_TEXT = 160 };
typedef struct bl_change {
	int64_t step;              /* number of steps before the change, which takes effect in the next step */
	double time;               /* seconds since 1970 */
	double old, value;         /* of a setting; NaN: another event */
	char name[BL_CHANGE_NAME]; /* "lambda", "lr"; "start", "pause", "resume", "step", "stop", "checkpoint", ... */
	char who[BL_CHANGE_WHO];   /* author: "script", "prompt", "process 4711" (another process), "replay", "trainer" */
	char text[BL_CHANGE_TEXT]; /* details, or "" */
} bl_change;
int64_t bl_trainer_changes(bl_trainer *t);                        /* the number of changes; any thread may call it */
bool bl_trainer_change(bl_trainer *t, int64_t i, bl_change *out); /* change i, from 0; false: there is none */
/*
 * Sets the callback that is called between steps for each later change: tell(ctx, change).  If it returns a negative
 * number because it could not store the change, a warning is added, and the run continues.
 */
typedef int (*bl_change_callback)(void *ctx, const bl_change *c);
void bl_trainer_journal(bl_trainer *t, bl_change_callback tell, void *ctx);
/* Sets the journal of a resumed run (bl_trainer_resume_at) to its n earlier changes, and appends the resumption. */
int bl_trainer_take_changes(bl_trainer *t, const bl_change *c, int64_t n);
/*
 * Repeats changes of settings: those of the n changes that belong to steps from..to (inclusive).  Each change is made
 * in its step, so that a run that is rebuilt from its recipe computes the same bits.  The steps must be in the future.
 * The changes are copied.  Negative with bl_error: a change cannot be repeated.
 */
int bl_trainer_replay(bl_trainer *t, const bl_change *c, int64_t n, int64_t from, int64_t to);
/* Sets the author of this process's own commands in the journal: a static text, initially "script". */
void bl_trainer_called_by(const char *who);

/* The functions below must be called between steps, while the trainer does not run or is paused. */
int bl_trainer_steps(bl_trainer *t, int64_t n); /* makes n steps in the calling thread before it returns */
bl_params *bl_trainer_params(bl_trainer *t);    /* borrowed */
bl_optim *bl_trainer_optim(bl_trainer *t);      /* borrowed */
/*
 * The configuration that the trainer was made with, borrowed; name and live_path are NULL in it.  bl_trainer_get
 * returns the current values of settings.
 */
const bl_trainer_config *bl_trainer_settings(const bl_trainer *t);
int64_t bl_trainer_steps_per_epoch(const bl_trainer *t);
/* Does the trainer start from trained or loaded weights?  Determined at the first step; bl_start_save saves them. */
bool bl_trainer_warm(const bl_trainer *t);
/* Initial parameter or buffer k of a warm trainer that has begun, in the order of bl_module_each; NULL for others. */
const bl_tensor *bl_trainer_start_tensor(const bl_trainer *t, int k);

enum { BL_PROGRESS_VALUES = 16 };
typedef struct bl_progress_value {
	char name[BL_LOSS_NAME];
	double value;
} bl_progress_value;

enum { BL_PROGRESS_SETTINGS = 16 };
typedef struct bl_progress_setting {
	char name[BL_CHANGE_NAME]; /* "views.jitter.p", "weight_decay" */
	double value;
} bl_progress_setting;

/* Progress of a run.  Progress, weights, buffers and the optimiser's state determine all later steps of the run. */
typedef struct bl_progress {
	int64_t step;   /* number of steps made */
	double trained; /* training time in seconds */
	double lr, lr_bias;
	int n; /* number of settable settings of the loss */
	bl_progress_value loss[BL_PROGRESS_VALUES];
	int64_t changes; /* number of changes in the journal; negative: not known */
	int settings;    /* number of changed settings of views and optimiser, except lr and lr_bias, in the order of change */
	bl_progress_setting setting[BL_PROGRESS_SETTINGS];
} bl_progress;
bl_progress bl_trainer_progress(bl_trainer *t); /* the current progress, for a checkpoint */
/*
 * Sets the progress of a new trainer; the caller sets weights, buffers and the optimiser's state.  `past`, which may be
 * NULL, is the live file of the run so far; its records and saved snapshots up to step p->step are copied.  "resumed at
 * step N" and `remark` are written into the journal.  On failure nothing has changed.
 */
int bl_trainer_resume_at(bl_trainer *t, const bl_progress *p, const bl_live *past, const char *remark);

/*
 * The algorithms of all convolutions of the run by shape, for views and kNN images, borrowed.  They are fixed when the
 * trainer is made, so that any thread may read them.
 */
const bl_choices *bl_trainer_choices(const bl_trainer *t);
/*
 * Waits until the trainer is between two steps, and chooses the algorithms of bl_trainer_choices again, from the
 * current tuned choices.  Does nothing after the first step.
 */
void bl_trainer_choose_again(bl_trainer *t);

/*
 * Waits for a step boundary, and computes the correlation matrix (D,D) of the newest embeddings as a new tensor.  NULL
 * before the first step.
 */
bl_tensor *bl_trainer_correlation(bl_trainer *t);
/* The newest embeddings (N,D) of view 0 or 1, a new reference; NULL before the first step.  Call between steps. */
bl_tensor *bl_trainer_embeddings(bl_trainer *t, int view);
/*
 * Waits until the trainer is between two steps, and calls fn(ctx) in the run's context (ambient.h) before the next
 * step.
 */
void bl_trainer_between_steps(bl_trainer *t, void (*fn)(void *), void *ctx);

#endif
