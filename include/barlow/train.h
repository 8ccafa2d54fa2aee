/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * train.h: the trainer: a thread that turns batches of views into steps, and publishes what it does (live.h).
 *
 * A step: next batch -> v1, v2, ... -> encoder -> projector (each view by itself)
 * -> loss -> backward -> optimiser -> record; commands are taken between steps.
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
	const char *name;              /* of the run; NULL: "run" */
	bl_dataset *data;              /* references to all of these are taken */
	bl_pipeline *first, *second;   /* which make views of one size */
	bl_pipeline *more[BL_VIEWS_MOST - 2]; /* those of further views, for losses of more than two; NULL behind the last */
	bl_batch_aug *batch_aug;       /* changes batches of all views; may be NULL */
	bl_module *encoder, *projector; /* projector may be NULL */
	bl_loss *loss;                 /* NULL: Barlow Twins at its defaults */
	bl_optim_config optim;
	bl_schedule schedule;          /* its warm-up and steps are the trainer's to fill in */
	double warmup_epochs;
	int batch;
	double epochs;                 /* may be a fraction */
	int64_t max_steps;             /* > 0: stop there, schedules still by epochs */
	double seconds;                /* > 0: stop after the step that uses up so much training time, as the column "time" counts it */
	uint64_t seed;
	int loader_threads;
	double clip;                   /* > 0: gradient norm is clipped to it */
	bl_precision precision;        /* of the network's linear layers in training steps, forward and backward */
	const char *live_path;         /* NULL: in memory only */
	bl_keep keep;                  /* snapshots of the past */
	double snapshot_hz;            /* snapshots a second at most while somebody looks; 0: 10 */
	/* A quick kNN during training: 0 turns it off. */
	double knn_every;              /* epochs */
	bl_dataset *knn_refs, *knn_queries;
	int knn_k;
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST]; /* normalisation of unaugmented images (evaluation) */
	const bl_choices *choices;     /* of the convolutions, recorded with an earlier run, looked at by bl_trainer_new only; may be NULL */
	/*
	 * Epochs between checkpoints of a run that has a place (bl_trainer_keep).  0: at the end of each, and ten minutes
	 * after the last, as long as they take at most 1% of the training time; negative: only at the end and when asked.
	 */
	double checkpoint_every;
	int checkpoints;               /* how many of the newest are kept; 0 or 1: the newest */
	/* May modules have been trained by another run, which has ended?  Then, or if weights were loaded, the run is warm. */
	bool warm_start;
} bl_trainer_config;

/*
 * Checks all shapes by a dry forward of one batch's shape.  The modules are the trainer's until it has ended: refused are
 * modules of a run that has begun and not ended, and, without warm_start, those that another run has trained.  Who made
 * no step yet can be taken its modules away, and then makes none.
 */
bl_trainer *bl_trainer_new(const bl_trainer_config *c);
void bl_trainer_free(bl_trainer *t);                    /* stops and joins first */

int bl_trainer_start(bl_trainer *t);                    /* in the background; also resumes a paused one */
int bl_trainer_command(bl_trainer *t, bl_command c);    /* taken at the next step boundary */
/*
 * Sets what may be changed while it trains, from the next step on: settable settings of the optimiser ("lr", "weight_decay") and
 * of the loss ("lambda"), by their names, or with "optim." or "loss." before them, and those of the views' operators
 * ("views.jitter.p" of all views, "views[2].jitter.p" of one).  Setting lr keeps lr_bias in proportion.
 */
int bl_trainer_set(bl_trainer *t, const char *name, double value);
int bl_trainer_may_set(bl_trainer *t, const char *name, double value); /* would it be taken: 0, or negative with bl_error */
double bl_trainer_get(bl_trainer *t, const char *name); /* as it is in force; NaN where there is nothing of that name */
void bl_trainer_loss_settings(bl_trainer *t, void *out); /* all of the loss's in force, into room for BL_LOSS_ROOM doubles */
const char *bl_trainer_settable(bl_trainer *t, int i);   /* the i-th such name, from 0; NULL behind the last */
/*
 * A condition that is looked at after each step, by the thread that made it, between two steps: holds(ctx, t) is 1 where it
 * does: then the run pauses, and its journal and message say so; 0; or negative with bl_error, at which it pauses, too.
 * release(ctx) is called when it is taken off.
 */
typedef struct bl_condition {
	int (*holds)(void *ctx, bl_trainer *t);
	void (*release)(void *ctx);
	void *ctx;
} bl_condition;
void bl_trainer_break_when(bl_trainer *t, const bl_condition *c); /* in the place of the one before; NULL: none */
/* Did it hold after the last step?  From then on until the run goes on.  Who asks knows it: it is no news any more. */
bool bl_trainer_at_break(bl_trainer *t);
/* Commands of this kind taken so far.  BL_CMD_EVAL: kNN in the next record, or, of a run that stands still, at once in its message. */
int64_t bl_trainer_requests(bl_trainer *t, bl_command_kind kind);
/* Waits until the thread has ended or `seconds` have passed (< 0: for ever).  1: ended, 0: still going, negative: it failed, see bl_error. */
int bl_trainer_wait(bl_trainer *t, double seconds);
/*
 * What the run's owner should hear of since the last call, in one line fit to be shown: that the live file could not be
 * written, was cut short or was written anew; that the journal lacks something.  What comes again is told once, and counted at
 * the run's end.  False: nothing.
 */
bool bl_trainer_trouble(bl_trainer *t, char *out, size_t size);
/* Adds to that. */
void bl_trainer_complain(bl_trainer *t, const char *fmt, ...) BL_PRINTF(2, 3);
/*
 * A value of the user's own for the next record, in a column by this name, which the run has from then on; behind the
 * last record it goes nowhere.  By any thread.  Negative: the name cannot be, or is the trainer's own.
 */
int bl_trainer_log(bl_trainer *t, const char *name, double value);
double bl_trainer_seconds(const bl_trainer *t); /* its budget of training time; 0: none */
bl_run_state bl_trainer_state(const bl_trainer *t);
bool bl_trainer_launched(bl_trainer *t);                /* did bl_trainer_start begin steps in the background? */
bl_live *bl_trainer_live(bl_trainer *t);                /* borrowed */

/*
 * Gives the run a place: its live file moves there, and save(ctx, why) is called between steps, by the thread that makes
 * them, every so often (checkpoint_every), whenever a checkpoint is asked for, and when the run ends.  A save that
 * fails is journaled, and the run goes on.  Before it starts; on failure all is as before.
 */
typedef enum bl_save_why { BL_SAVE_REGULAR, BL_SAVE_ASKED, BL_SAVE_END } bl_save_why;
typedef int (*bl_trainer_save)(void *ctx, bl_save_why why);
int bl_trainer_keep(bl_trainer *t, const char *live_path, bl_trainer_save save, void *ctx);
/* Calls it now, between two steps, as when a checkpoint is asked for. */
int bl_trainer_keep_now(bl_trainer *t);
void bl_trainer_weights_saved(bl_trainer *t, const char *path); /* the message says so; by who stands between two steps */
/* Negative, and bl_error says why: the run has ended and its end was not saved, nor was anything since.  Else 0. */
int bl_trainer_saved(bl_trainer *t);

/* Runs of this process, freed ones too, whose end was not saved; and the oldest message about one that nobody has taken
 * yet: a new string, or NULL. */
int bl_trainers_unsaved(void);
char *bl_trainers_unsaved_message(void);
/*
 * Before the process ends, and not from a thread that makes steps: every run that has a place and goes on is stopped at
 * its next step boundary and saved; `why` goes into its journal, and a line about it to tell(ctx, line).  From then on no
 * trainer can be made, freed, started or stepped: a thread that tries waits for the end or gets an error.
 */
void bl_trainers_end(const char *why, void (*tell)(void *ctx, const char *line), void *ctx);

/* How a run of this process stands. */
typedef struct bl_standing {
	int64_t id;         /* of the trainer, from 1 on; never another's */
	bl_live_info info;
	bl_live *live;      /* borrowed: only for the thread that frees trainers */
	bool fresh;         /* it was started in the background by this process */
	bool end_known;     /* somebody waited for its end, or stopped it */
	bool at_break;      /* bl_trainer_at_break, and nobody has asked for that yet */
} bl_standing;
/* All trainers of the process, the oldest first, `most` of them at most.  Returns how many. */
int bl_trainers_standing(bl_standing *out, int most);

/* Every run of the process that has a place and goes on is saved at its next step boundary, as when a checkpoint is asked for. */
void bl_trainers_save(const char *who);

/*
 * The journal: what was changed while the run trained, and what else happened to it, from its first step on.  It is kept
 * in memory and told to who keeps it on disk (journal.h).
 */
enum { BL_CHANGE_NAME = 32, BL_CHANGE_WHO = 32, BL_CHANGE_TEXT = 160 };
typedef struct bl_change {
	int64_t step;      /* steps made before it; it holds from the next one on */
	double time;       /* seconds since 1970 */
	double old, value; /* of a setting; NaN: something else happened */
	char name[BL_CHANGE_NAME]; /* "lambda", "lr"; "start", "pause", "resume", "step", "stop", "checkpoint", "resumed", ... */
	char who[BL_CHANGE_WHO];   /* "script", "prompt", "viewer 4711" (a process), "replay", "trainer" */
	char text[BL_CHANGE_TEXT]; /* more of it, or "" */
} bl_change;
int64_t bl_trainer_changes(bl_trainer *t); /* how many there are; from any thread */
bool bl_trainer_change(bl_trainer *t, int64_t i, bl_change *out);
/* tell(ctx, change) is called with each from now on, between steps.  Negative: not kept, which is said; the run goes on. */
typedef int (*bl_trainer_tell)(void *ctx, const bl_change *c);
void bl_trainer_journal(bl_trainer *t, bl_trainer_tell tell, void *ctx);
/* Of a trainer that goes on with a run (bl_trainer_go_on): that one's journal, which then says so. */
int bl_trainer_take_changes(bl_trainer *t, const bl_change *c, int64_t n);
/*
 * Changes of settings among the n, of steps from..to (both in it), are made again, each where it was made: so a run that
 * is made anew from its recipe comes to the same bits.  Of steps to come; copied.  Negative: one cannot be made again.
 */
int bl_trainer_replay(bl_trainer *t, const bl_change *c, int64_t n, int64_t from, int64_t to);
/* What the journal calls this process's own commands: static text.  Otherwise "script". */
void bl_trainer_called_by(const char *who);

/* Between steps (the trainer not running, or paused), by the caller's thread. */
int bl_trainer_steps(bl_trainer *t, int64_t n);         /* n steps now, in this thread */
bl_params *bl_trainer_params(bl_trainer *t);
bl_optim *bl_trainer_optim(bl_trainer *t);
/* As it was made (bl_trainer_get has what was set since); borrowed.  Name and live_path are NULL. */
const bl_trainer_config *bl_trainer_settings(const bl_trainer *t);
int64_t bl_trainer_steps_per_epoch(const bl_trainer *t);
/* Does it start from other weights than freshly drawn ones?  Settled by the first step; bl_start_save keeps them. */
bool bl_trainer_warm(const bl_trainer *t);
/* Of a warm trainer that has begun: parameter or buffer k as it was then, in the order of bl_module_each; else NULL. */
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

/* Where a run stands, beside weights, buffers and the optimiser's state: with these it is all that decides how it goes on. */
typedef struct bl_progress {
	int64_t step;          /* done */
	double trained;        /* seconds */
	double lr, lr_bias;
	int n;                 /* settable settings of the loss */
	bl_progress_value loss[BL_PROGRESS_VALUES];
	int64_t changes;       /* in the journal by then; negative: not known */
	int settings;          /* of views and optimiser that were set, beside its rates, in the order of setting */
	bl_progress_setting setting[BL_PROGRESS_SETTINGS];
} bl_progress;
bl_progress bl_trainer_progress(bl_trainer *t);
/*
 * Puts a trainer that is new there; weights and the rest are the caller's to set.  `past` is the live file of the run so
 * far, whose records and kept snapshots of steps up to there come along; may be NULL.  The journal says "resumed at step
 * N", and `remark` behind it.  On failure nothing has changed.
 */
int bl_trainer_go_on(bl_trainer *t, const bl_progress *p, const bl_live *past, const char *remark);

/*
 * What every convolution of the run takes, by its shape, views and kNN images alike: settled when the trainer is made,
 * so it may be read by any thread.  Borrowed.
 */
const bl_choices *bl_trainer_choices(const bl_trainer *t);
/* Before the first step, and before the choices were recorded anywhere: by what is now tuned.  Later: nothing. */
void bl_trainer_choose_again(bl_trainer *t);

/* Newest embeddings' correlation matrix (D,D), computed now; safe while running (waits for the step boundary). NULL before the first step. */
bl_tensor *bl_trainer_correlation(bl_trainer *t);
/* Newest embeddings of view 0 or 1: a new reference; NULL before the first step.  Between steps. */
bl_tensor *bl_trainer_embeddings(bl_trainer *t, int view);
/* Runs fn(ctx) while the trainer stands at a step boundary (at once when it does not run). */
void bl_trainer_between_steps(bl_trainer *t, void (*fn)(void *), void *ctx);

#endif
