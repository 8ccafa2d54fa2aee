/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trainer.h: the struct of a trainer, shared by trainer.c (creation), control.c (thread, commands), exclusive.c (the section
 * below), state.c (state and messages), break.c (conditions that pause it), set.c (settings that may change), changes.c (its
 * journal), step.c (one step), record.c (its records), nan_guard.c (numbers that are not finite), save.c (saving), resume.c
 * (continuing a run), trainers.c (the list of trainers), unsaved.c (ends that were not saved), ending.c (the end of the
 * process), ownership.c (which trainer owns the modules).
 *
 * Two locks.  The *exclusive section* is held for a whole step, or by another thread (a guest) between two steps: its
 * holder may use weights, optimiser, last embeddings and counters.  `lock` is held briefly and guards the members that are
 * marked below.
 */
#ifndef BARLOW_TRAIN_TRAINER_H
#define BARLOW_TRAIN_TRAINER_H

#include <barlow/ambient.h>
#include <barlow/error.h>
#include <barlow/train.h>
#include <pthread.h>
#include <stdatomic.h>

#include "monitor/monitor.h"

enum { RATE_WINDOW = 20, VIEW_NAMES = 64 };

/* Seconds of the last steps, for images/s. */
struct rate {
	double seconds[RATE_WINDOW], sum;
	int n, next;
};

/* Copies of the buffers (running statistics) as they were before the step, so that a failed step can be undone. */
struct nan_guard {
	bl_tensor **live, **copy;
	int n;
};

struct exclusive {
	bool taken;
	pthread_t holder;
	int depth;  /* a holder may enter again */
	int guests; /* waiting: they go before the next step */
};

/* guarded by the trainer's lock, but for tell and ctx */
struct changes {
	bl_change *at;
	int64_t n, room;
	int64_t next;         /* of those to be made again: the first that was not */
	bl_trainer_tell tell; /* NULL: nobody keeps them */
	void *ctx;
	int lost; /* how many could not be kept */
};

/* Copies of all parameters and buffers, in the order of bl_module_each, encoder before projector. */
struct start {
	bl_tensor **tensor;
	int n;
};

struct bl_trainer {
	bl_trainer_config config;
	int views;                            /* of an image */
	bl_pipeline *pipeline[BL_VIEWS_MOST]; /* theirs; borrowed from config */
	bl_loader *loader;
	bl_params *params;
	bl_optim *optim;
	char view_name[VIEW_NAMES][BL_CHANGE_NAME]; /* settings of the views' operators that may change: "views.jitter.p" */
	int view_names;
	bl_progress_setting set[BL_PROGRESS_SETTINGS]; /* what was set of views and optimiser, beside its rates, the newest last */
	int sets;
	double loss_settings[BL_LOSS_ROOM]; /* in force; the exclusive section's holder's */
	int32_t *labels;                    /* of the batch; NULL: the loss does not ask, or there are none */
	bl_schedule schedule;
	int64_t steps_per_epoch, steps, knn_steps; /* knn_steps 0: no kNN */
	int64_t save_steps;                        /* between checkpoints; 0: while they are cheap; negative: none */
	int64_t d;                                 /* width of the embeddings */
	bl_choices *choices;                       /* of every convolution of the run */
	int32_t *ref_labels, *query_labels;
	bl_live *live;
	bl_monitor *monitor;
	bl_source source;               /* of what the monitor shows */
	bl_provenance *provenance;      /* the modules' */
	bool warm;                      /* its weights are not freshly drawn; settled when it begins */
	bl_condition condition;         /* the exclusive section's holder's; no holds: there is none */
	struct changes changes, replay; /* the journal; changes that are to be made again */
	bool begun;                     /* a step was, or is about to be made */
	struct start start;             /* what it starts from, if warm; empty before it begins */

	/* Of the exclusive section's holder. */
	struct nan_guard guard;
	int64_t step;
	double trained; /* seconds */
	struct rate rate;
	bl_tensor *z[2];      /* newest embeddings, outside the graph */
	int64_t *rows;        /* data set rows of the batch */
	double *partial;      /* of the gradient's norm */
	volatile int cancel;  /* ends a kNN under way */
	bool knn_asked;       /* by a command: the next step measures it, or who waits instead of stepping */
	bl_trainer_save save; /* NULL: the run has no place of its own */
	void *save_ctx;
	char why_unsaved[256]; /* why it has none; "": nobody wanted one */
	double saved_at;       /* seconds of training at the last save */
	double save_cost;      /* the seconds that it took */

	/* Under the locks of trainers.c and unsaved.c. */
	bl_trainer *next;
	char unsaved[320]; /* why the run's end was not saved; "" where it was */

	/* Under lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct exclusive exclusive;
	bl_live_info info; /* info.state is the state */
	pthread_t thread;
	bool joinable, active; /* there is a thread to join; it has not ended */
	bool ending;           /* it is about to */
	bool paused, stopping, quit;
	bool at_break;                  /* its condition held after the last step, or failed */
	bool break_known;               /* somebody has asked for that */
	char save_asked[BL_CHANGE_WHO]; /* who wants a checkpoint that is not in the mailbox; "": nobody */
	bool restart;                   /* start() has put a resume in the mailbox: no stop before it counts */
	bool ending_asked;              /* to stop for good, as the process ends */
	char ending_why[64];
	bool ended_by_hand;       /* there was no thread then, which would have saved */
	int64_t id;               /* from 1 on, of all trainers of the process */
	bool launched, end_known; /* it had a thread; somebody waited for its end since */
	int64_t allowance;        /* single steps to do though paused */
	int64_t requests[BL_CMD_KINDS];
	char trouble[1024]; /* what bl_trainer_complain was given, until it is asked for */
	struct told {
		char text[200];
		int n;
	} told[8];        /* what it was given so far, and how often */
	bl_record logged; /* values of bl_trainer_log for the next record; NaN: none */
};

/* trainer.c */
bl_loss_dialect bl_trainer_dialect(const bl_trainer *t); /* of the matrix that is shown */

/* break.c, by the exclusive section's holder: after a step; before one; and at the trainer's end. */
void bl_break_look(bl_trainer *t);
void bl_break_leave(bl_trainer *t);
void bl_break_leave_locked(bl_trainer *t); /* the same, by who holds its lock */
void bl_break_free(bl_trainer *t);

/* changes.c, by the exclusive section's holder */
void bl_changes_who(char out[BL_CHANGE_WHO], int64_t sender); /* sender: a process; 0: this one */
void bl_changes_add(bl_trainer *t, bl_change c);              /* with the step and time of now */
void bl_changes_event(bl_trainer *t, const char *name, const char *who, const char *text);
int bl_changes_append(struct changes *j, const bl_change *c);
void bl_changes_free(bl_trainer *t);
/* changes_replay.c: makes again what is due at the next step */
void bl_changes_replay_due(bl_trainer *t);

/* ownership.c */
int bl_ownership_check(const bl_trainer_config *c); /* may a new trainer have its modules? */
int bl_ownership_take(bl_trainer *t);               /* it has them */
int bl_ownership_begin(bl_trainer *t);              /* before steps are made: are they its own still? */
void bl_ownership_free(bl_trainer *t);

/* exclusive.c: the holder may enter again.  Guests go before the next step. */
void bl_exclusive_init(bl_trainer *t); /* and the lock */
void bl_exclusive_enter(bl_trainer *t, bool guest);
void bl_exclusive_leave(bl_trainer *t);
/* The run's context, for what computes for it: its convolutions' choices.  bl_ambient_leave ends it. */
bl_ambient bl_trainer_enter(const bl_trainer *t);

/* control.c */
void bl_trainer_control_end(bl_trainer *t); /* stops and joins */
/* At the next step boundary; then waits for that, and sees to it that the run is saved as at its end. */
void bl_trainer_ask_to_stop(bl_trainer *t, const char *why);
void bl_trainer_ask_to_save(bl_trainer *t, const char *who); /* a checkpoint at the next one */
void bl_trainer_stop_and_save(bl_trainer *t, const char *why);

/* state.c */
void bl_trainer_note(bl_trainer *t, const char *fmt, ...) BL_PRINTF(2, 3); /* the message that screens show */
void bl_trainer_count_trouble(bl_trainer *t);                              /* at the end: how often each was told */
bool bl_trainer_spent(const bl_trainer *t);                                /* its seconds are used up */
/* May no further step be made, by the number of steps or the seconds?  Says why in bl_error where asked. */
bool bl_trainer_over(const bl_trainer *t);
int bl_trainer_check_over(const bl_trainer *t);

/* set_views.c: settings of the views' operators by such names; by the exclusive section's holder. */
bool bl_views_named(const bl_trainer *t, const char *name);
double bl_views_get(const bl_trainer *t, const char *name); /* NaN: there is none */
int bl_views_check(const bl_trainer *t, const char *name, double value);
int bl_views_set(bl_trainer *t, const char *name, double value);
void bl_views_list(bl_trainer *t); /* into view_name, once */

/* set.c, by the exclusive section's holder, or before it runs. */
int bl_trainer_may_set_now(bl_trainer *t, const char *name, double value);
/* set.c, by the exclusive section's holder: sets a value of a checkpoint, without an entry in the journal. */
int bl_trainer_set_again(bl_trainer *t, const bl_progress_setting *s);
/* set.c, by the exclusive section's holder: sets a value, with an entry in the journal.  Negative with bl_error. */
int bl_trainer_set_now(bl_trainer *t, const char *name, double value, const char *who);

/* step.c: one step by the exclusive section's holder.  Negative: state is FAILED, weights and buffers as before. */
int bl_trainer_step(bl_trainer *t);
void bl_trainer_look_again(bl_trainer *t); /* while paused: answers what viewers ask */
/* A kNN that was asked for: whether there can be one, said where not; and, where no step will measure it, the value now. */
void bl_trainer_ask_knn(bl_trainer *t);
void bl_trainer_answer_knn(bl_trainer *t);
void bl_trainer_set_training(const bl_trainer_config *c, bool on); /* of both modules */
int64_t bl_trainer_norm_chunks(const bl_trainer *t);               /* partial sums of the gradient's norm */

/* record.c: what a step measured; the columns that records of it have, and its record. */
typedef struct bl_measured {
	bl_loss_result loss;
	double factor; /* of the learning rates, by the schedule */
	double grad_norm, images_per_s;
	double knn; /* NaN: not measured at this step */
} bl_measured;
int bl_trainer_columns(const bl_trainer *t, bl_columns *out);
bl_record bl_trainer_record(bl_trainer *t, const bl_measured *m); /* of the step after t->step */

/* save.c, by the exclusive section's holder: what the run's owner wants saved; a failure is journaled, and what was asked for. */
int bl_trainer_save_for(bl_trainer *t, bl_save_why why);
void bl_trainer_save_due(bl_trainer *t); /* after a step: if it is time for it */

/* nan_guard.c */
int bl_nan_guard_init(struct nan_guard *g, bl_module *encoder, bl_module *projector);
void bl_nan_guard_free(struct nan_guard *g);
void bl_nan_guard_save(struct nan_guard *g);
void bl_nan_guard_restore(struct nan_guard *g);
bool bl_nan_guard_finite(const struct nan_guard *g);
/* Names in bl_error which module first made a number that is not finite, from the views.  Returns -1. */
int bl_nan_guard_blame(bl_trainer *t, bl_tensor *const *view, const char *what);

/* trainers.c */
void bl_trainer_enlist(bl_trainer *t);
void bl_trainer_delist(bl_trainer *t);
bl_trainer *bl_trainers_lock(void); /* the newest; the list stays as it is until bl_trainers_unlock */
void bl_trainers_unlock(void);
void bl_trainers_forbid_steps(void); /* the process ends */
int bl_trainers_check_ending(void);  /* negative with bl_error: no step may be begun any more */

/* unsaved.c */
void bl_trainer_end_lost(bl_trainer *t, const char *why); /* the run's end was not saved */
void bl_trainer_end_saved(bl_trainer *t);                 /* it was, or something newer since */

#endif
