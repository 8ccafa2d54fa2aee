/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * train.h: the trainer: a thread that makes training steps from batches of views, and publishes them (live.h).
 *
 * A step: next batch -> v1, v2, ... -> encoder -> projector (each view
 * separately) -> loss -> backward -> optimiser -> record; commands are executed
 * between steps.  Functions that can fail and return int return 0, or negative
 * with bl_error, unless they say otherwise.
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
	bl_dataset *data;                     /* references to all of these are taken */
	bl_pipeline *first, *second;          /* make the two views, of the same size */
	bl_pipeline *more[BL_VIEWS_MOST - 2]; /* of further views, for losses of more than two; NULL after the last */
	bl_batch_aug *batch_aug;              /* changes batches of all views; may be NULL */
	bl_module *encoder, *projector;       /* projector may be NULL */
	bl_loss *loss;                        /* NULL: Barlow Twins at its defaults */
	bl_optim_config optim;
	bl_schedule schedule; /* the trainer fills in its warm-up and steps */
	double warmup_epochs;
	int batch;
	double epochs;     /* may be a fraction */
	int64_t max_steps; /* > 0: stop there; schedules still follow the epochs */
	double seconds;    /* > 0: budget of training time (column "time"), which the last step may exceed */
	uint64_t seed;
	int loader_threads;
	double clip;            /* > 0: gradient norm is clipped to it */
	bl_precision precision; /* of the network's linear layers in training steps, forward and backward */
	const char *live_path;  /* NULL: in memory only */
	bl_keep keep;           /* snapshots of the past */
	double snapshot_hz;     /* the largest number of snapshots per second while there are viewers; 0: 10 */
	/* A quick kNN during training: 0 turns it off. */
	double knn_every; /* epochs */
	bl_dataset *knn_refs, *knn_queries;
	int knn_k;
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST]; /* normalisation of unaugmented images (evaluation) */
	const bl_choices *choices; /* convolution choices of an earlier run, used in bl_trainer_new only; may be NULL */
	/*
	 * Epochs between checkpoints of a run that has a place (bl_trainer_save_to).  0: at the end of each, and ten
	 * minutes after the last, as long as they take at most 1% of the training time; negative: only at the end and
	 * when asked.
	 */
	double checkpoint_every;
	int checkpoints; /* number of the newest that are kept; 0 or 1: the newest */
	/* Accept modules that another, ended run has trained?  With these, or with loaded weights, the run is warm. */
	bool warm_start;
} bl_trainer_config;

/*
 * Checks all shapes by a dry forward pass of one batch's shape.  The trainer owns the modules until it has ended:
 * modules of a run that has begun and not ended are refused and, without warm_start, those that another run has
 * trained.  A trainer that has made no step yet can lose its modules to another one, and then makes none.  NULL with
 * bl_error.
 */
bl_trainer *bl_trainer_new(const bl_trainer_config *c);
void bl_trainer_free(bl_trainer *t); /* stops and joins first */

int bl_trainer_start(bl_trainer *t);                 /* in the background; also resumes a paused one */
int bl_trainer_command(bl_trainer *t, bl_command c); /* executed at the next step boundary */
/*
 * Changes a setting from the next step on: settable settings of the optimiser ("lr", "weight_decay") and of the loss
 * ("lambda"), by their names, or prefixed by "optim." or "loss.", and those of the views' operators ("views.jitter.p"
 * of all views, "views[2].jitter.p" of one).  Setting lr keeps lr_bias in proportion.
 */
int bl_trainer_set(bl_trainer *t, const char *name, double value);
int bl_trainer_may_set(bl_trainer *t, const char *name, double value); /* would bl_trainer_set accept it? */
double bl_trainer_get(bl_trainer *t, const char *name);                /* the value in force; NaN: there is no such setting */
void bl_trainer_loss_settings(bl_trainer *t, void *out);               /* the loss's settings in force, into BL_LOSS_ROOM doubles */
const char *bl_trainer_settable(bl_trainer *t, int i);                 /* the i-th such name, from 0; NULL after the last */
/*
 * A condition that is checked after each step, by the thread that made the step, between two steps.  If holds(ctx, t)
 * returns 1, the run pauses, and its journal and message say so; 0: it goes on; negative with bl_error: it pauses, too.
 * release(ctx) is called when the condition is removed.
 */
typedef struct bl_condition {
	int (*holds)(void *ctx, bl_trainer *t);
	void (*release)(void *ctx);
	void *ctx;
} bl_condition;
void bl_trainer_break_when(bl_trainer *t, const bl_condition *c); /* replaces the current one; NULL: none */
/*
 * Has the condition paused the run?  True from when its state is BL_RUN_PAUSED, and a checkpoint that was due has been
 * saved, until the run is resumed.  A call that returns true marks the break as known (bl_standing.at_break).
 */
bool bl_trainer_at_break(bl_trainer *t);
/*
 * Number of commands of this kind executed.  BL_CMD_EVAL: kNN goes into the next record or, if paused, into the
 * message.
 */
int64_t bl_trainer_requests(bl_trainer *t, bl_command_kind kind);
/*
 * Waits until the thread has ended or `seconds` have passed (< 0: for ever).  1: ended, 0: running, negative: it
 * failed.
 */
int bl_trainer_wait(bl_trainer *t, double seconds);
/*
 * Warnings since the last call, in one printable line: the live file could not be written, was truncated or
 * rewritten; the journal is incomplete.  Repeated ones are reported once, and counted at the run's end.  False: none.
 */
bool bl_trainer_trouble(bl_trainer *t, char *out, size_t size);
/* Adds a warning. */
void bl_trainer_complain(bl_trainer *t, const char *fmt, ...) BL_PRINTF(2, 3);
/*
 * Adds a user's value to the next record, in a column of this name, which is created if necessary; after the last
 * record it is dropped.  From any thread.  Negative: the name is invalid or one of the trainer's.
 */
int bl_trainer_log(bl_trainer *t, const char *name, double value);
double bl_trainer_seconds(const bl_trainer *t); /* its budget of training time; 0: none */
bl_run_state bl_trainer_state(const bl_trainer *t);
bool bl_trainer_launched(bl_trainer *t); /* did bl_trainer_start begin steps in the background? */
bl_live *bl_trainer_live(bl_trainer *t); /* borrowed */

/*
 * Stores the run on disk: its live file moves to live_path, and the callback save(ctx, why) is called between steps, by
 * the thread that makes them, at intervals (checkpoint_every), on request, and when the run ends.  A save that fails is
 * journaled, and the run goes on.  To be called before the run starts; on failure nothing has changed.
 */
typedef enum bl_save_why { BL_SAVE_REGULAR, BL_SAVE_ASKED, BL_SAVE_END } bl_save_why;
typedef int (*bl_trainer_save)(void *ctx, bl_save_why why);
int bl_trainer_save_to(bl_trainer *t, const char *live_path, bl_trainer_save save, void *ctx);
/* To be called when storing the run has failed; bl_error() has the reason.  The run's end counts as not saved. */
void bl_trainer_unsaved(bl_trainer *t);
/* Calls it now, between two steps, as for a requested checkpoint. */
int bl_trainer_save_now(bl_trainer *t);
void bl_trainer_weights_saved(bl_trainer *t, const char *path); /* sets the run's message; only between two steps */
/* 0, or negative with bl_error: the run has ended, and neither its end nor anything since then was saved. */
int bl_trainer_saved(bl_trainer *t);

/* The number of runs of this process, also freed ones, whose end was not saved; and the oldest message about one, which
 * is returned once: a new string, or NULL. */
int bl_trainers_unsaved(void);
char *bl_trainers_unsaved_message(void);
/*
 * To be called before the process ends, not from a thread that makes steps.  Every running run that is stored on disk
 * is stopped at its next step boundary and saved; `why` goes into its journal, and a line about it to tell(ctx,
 * line).  From then on no trainer can be made, freed, started or stepped: a thread that tries waits for the end or
 * gets an error.
 */
void bl_trainers_end(const char *why, void (*tell)(void *ctx, const char *line), void *ctx);

/* State of a run of this process. */
typedef struct bl_standing {
	int64_t id; /* of the trainer, from 1 on; never reused */
	bl_live_info info;
	bl_live *live;  /* borrowed: only for the thread that frees trainers */
	bool fresh;     /* it was started in the background by this process */
	bool end_known; /* the program waited for its end, or stopped it */
	bool at_break;  /* the run is at a break, and bl_trainer_at_break has not reported it yet */
} bl_standing;
/* All trainers of the process, the oldest first, at most `most`.  Returns how many. */
int bl_trainers_standing(bl_standing *out, int most);

/*
 * Saves every running run of the process that is stored on disk, at its next step boundary, as a requested
 * checkpoint.
 */
void bl_trainers_save(const char *who);

/*
 * The journal: all changes of settings and other events while the run trained, from its first step on.  It is kept in
 * memory and passed to a callback that writes it to disk (journal.h).
 */
enum { BL_CHANGE_NAME = 32, BL_CHANGE_WHO = 32, BL_CHANGE_TEXT = 160 };
typedef struct bl_change {
	int64_t step;              /* steps made before it; it holds from the next one on */
	double time;               /* seconds since 1970 */
	double old, value;         /* of a setting; NaN: another event */
	char name[BL_CHANGE_NAME]; /* "lambda", "lr"; "start", "pause", "resume", "step", "stop", "checkpoint", ... */
	char who[BL_CHANGE_WHO];   /* "script", "prompt", "process 4711" (another one), "replay", "trainer" */
	char text[BL_CHANGE_TEXT]; /* details, or "" */
} bl_change;
int64_t bl_trainer_changes(bl_trainer *t);                        /* the number of changes; any thread may call it */
bool bl_trainer_change(bl_trainer *t, int64_t i, bl_change *out); /* change i, from 0; false: there is none */
/*
 * Calls tell(ctx, change) for each later change, between steps.  If it returns a negative number, the change was not
 * stored: a warning is set, and the run goes on.
 */
typedef int (*bl_trainer_tell)(void *ctx, const bl_change *c);
void bl_trainer_journal(bl_trainer *t, bl_trainer_tell tell, void *ctx);
/* Takes over the journal of the run that the trainer resumes (bl_trainer_resume_at), and appends the resumption. */
int bl_trainer_take_changes(bl_trainer *t, const bl_change *c, int64_t n);
/*
 * Repeats the changes of settings among the n, for the steps from..to (inclusive), each at its step, so that a run
 * that is rebuilt from its recipe gives the same bits.  Only for future steps; copied.  Negative: one cannot be
 * repeated.
 */
int bl_trainer_replay(bl_trainer *t, const bl_change *c, int64_t n, int64_t from, int64_t to);
/* Sets the author that the journal gives for this process's own commands, a static text; initially "script". */
void bl_trainer_called_by(const char *who);

/* These functions are to be called between steps: the trainer does not run, or is paused. */
int bl_trainer_steps(bl_trainer *t, int64_t n); /* makes n steps now, in the calling thread */
bl_params *bl_trainer_params(bl_trainer *t);    /* borrowed */
bl_optim *bl_trainer_optim(bl_trainer *t);      /* borrowed */
/*
 * The configuration that it was made with, borrowed; bl_trainer_get returns settings in force.  name and live_path are
 * NULL.
 */
const bl_trainer_config *bl_trainer_settings(const bl_trainer *t);
int64_t bl_trainer_steps_per_epoch(const bl_trainer *t);
/* Does it start from weights that were not freshly drawn?  Determined by the first step; bl_start_save saves them. */
bool bl_trainer_warm(const bl_trainer *t);
/* For a warm trainer that has begun: initial parameter or buffer k, in the order of bl_module_each; else NULL. */
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

/* Progress of a run: together with weights, buffers and the optimiser's state it determines how the run goes on. */
typedef struct bl_progress {
	int64_t step;   /* done */
	double trained; /* seconds */
	double lr, lr_bias;
	int n; /* settable settings of the loss */
	bl_progress_value loss[BL_PROGRESS_VALUES];
	int64_t changes; /* entries in the journal; negative: not known */
	int settings;    /* changed settings of views and optimiser, except its rates, in the order of change */
	bl_progress_setting setting[BL_PROGRESS_SETTINGS];
} bl_progress;
bl_progress bl_trainer_progress(bl_trainer *t); /* the current progress, for a checkpoint */
/*
 * Sets the progress of a new trainer; the caller sets weights and the rest.  `past` is the live file of the run so
 * far, whose records and kept snapshots up to that step are copied; may be NULL.  The journal says "resumed at step
 * N", followed by `remark`.  On failure nothing has changed.
 */
int bl_trainer_resume_at(bl_trainer *t, const bl_progress *p, const bl_live *past, const char *remark);

/*
 * The algorithms of all convolutions of the run by shape, for views and kNN images: fixed when the trainer is made,
 * so any thread may read them.  Borrowed.
 */
const bl_choices *bl_trainer_choices(const bl_trainer *t);
/* Chooses again by the current tuned choices; does nothing after the first step or once the choices were recorded. */
void bl_trainer_choose_again(bl_trainer *t);

/* The correlation matrix (D,D) of the newest embeddings, a new tensor, computed at a step boundary, for which this
   waits.  NULL before the first step. */
bl_tensor *bl_trainer_correlation(bl_trainer *t);
/* The newest embeddings (N,D) of view 0 or 1: a new reference; NULL before the first step.  Call between steps. */
bl_tensor *bl_trainer_embeddings(bl_trainer *t, int view);
/*
 * Runs fn(ctx) while the trainer is held at a step boundary (at once when it does not run), in the run's context
 * (ambient.h): convolutions go by the run's choices.
 */
void bl_trainer_between_steps(bl_trainer *t, void (*fn)(void *), void *ctx);

#endif
