/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trainer.h: the struct of a trainer, shared by trainer.c (creation), control.c (thread, commands), exclusive.c (the
 * section below), state.c (state and messages), break.c (conditions that pause it), set.c and set_views.c (settings
 * that may change), changes.c and changes_replay.c (its journal), step.c (one step), record.c (its records),
 * nan_guard.c (numbers that are not finite), save.c (saving), resume.c (continuing a run), trainers.c (the list of
 * trainers), unsaved.c (ends that were not saved), ending.c (the end of the process), ownership.c (which trainer owns
 * the modules).
 *
 * There are two locks.  The *exclusive section* is held for a whole step, or by another thread (a guest) between two
 * steps.  Its holder may use weights, optimiser, last embeddings and counters.  `lock` is held briefly and guards the
 * members that are marked below.
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
	int depth;  /* how often the holder has entered without leaving; it may enter again */
	int guests; /* number of waiting guests, who enter before the next step */
};

/* A list of changes: the journal, or changes to be repeated.  Guarded by the trainer's lock, except tell and ctx. */
struct changes {
	bl_change *at;
	int64_t n, room;
	int64_t next;            /* index of the next change to be repeated */
	bl_change_callback tell; /* NULL: changes are not stored on disk */
	void *ctx;
	int lost; /* number of changes that could not be stored */
};

/* Copies of all parameters and buffers, in the order of bl_module_each, encoder before projector. */
struct start {
	bl_tensor **tensor;
	int n;
};

struct bl_trainer {
	bl_trainer_config config;
	int views;                            /* number of views of an image */
	bl_pipeline *pipeline[BL_VIEWS_MOST]; /* of the views; borrowed from config */
	bl_loader *loader;
	bl_params *params;
	bl_optim *optim;
	char view_name[VIEW_NAMES][BL_CHANGE_NAME]; /* settings of the views' operators that may change: "views.jitter.p" */
	int view_names;
	bl_progress_setting set[BL_PROGRESS_SETTINGS]; /* changed ones of views and optimiser, except rates; newest last */
	int sets;
	double loss_settings[BL_LOSS_ROOM]; /* in force; used by the holder of the exclusive section */
	int32_t *labels;                    /* of the batch; NULL: the loss does not use them, or there are none */
	bl_schedule schedule;
	int64_t steps_per_epoch, steps, knn_steps; /* knn_steps 0: no kNN */
	int64_t save_steps;                        /* steps between saves; 0: chosen by cost; negative: no saves */
	int64_t d;                                 /* width of the embeddings */
	bl_choices *choices;                       /* algorithms of every convolution of the run */
	int32_t *ref_labels, *query_labels;
	bl_live *live;
	bl_monitor *monitor;
	bl_source source;               /* for the monitor */
	bl_provenance *provenance;      /* of the modules */
	bool warm;                      /* the run starts from loaded or trained weights; fixed when it begins */
	bl_condition condition;         /* used by the holder of the exclusive section; holds NULL: none */
	struct changes changes, replay; /* the journal; changes to be repeated */
	bool begun;                     /* a step was made, or is about to be made */
	struct start start;             /* starting weights if warm; empty before the run begins */

	/* Used by the holder of the exclusive section. */
	struct nan_guard guard;
	int64_t step;
	int64_t done_at; /* the step whose "done" is in the journal */
	double trained;  /* seconds */
	struct rate rate;
	bl_tensor *z[2];      /* newest embeddings, outside the graph */
	int64_t *rows;        /* data set rows of the batch */
	double *partial;      /* partial sums of the gradient's norm */
	volatile int cancel;  /* nonzero: the current kNN ends */
	bool knn_asked;       /* a command requested a kNN, which the next step or the waiting thread measures */
	bl_trainer_save save; /* NULL: the run is not stored on disk */
	void *save_ctx;
	char why_unsaved[256]; /* why the run could not be stored; "": it could, or storing was not requested */
	double saved_at;       /* seconds of training at the last save */
	double save_cost;      /* seconds that the last save took */

	/* `next` is guarded by the lock of trainers.c, `unsaved` by that of unsaved.c. */
	bl_trainer *next;
	char unsaved[320]; /* why the run's end was not saved; "": it was */

	/* Guarded by `lock`. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct exclusive exclusive;
	bl_live_info info; /* info.state is the state */
	pthread_t thread;
	bool joinable, active; /* the thread must be joined; it has not ended */
	bool ending;           /* the thread is about to end */
	bool paused, stopping, quit;
	bool at_break;                  /* the condition held after the last step, or failed */
	bool break_known;               /* bl_trainer_at_break has reported it */
	char save_asked[BL_CHANGE_WHO]; /* who requested a checkpoint without the mailbox; "": nobody */
	bool restart;                   /* bl_trainer_start has sent a resume: an earlier stop is ignored */
	bool ending_asked;              /* the run must stop, because the process ends */
	char ending_why[64];
	bool ended_by_hand;       /* there was no thread that saves the run at its end */
	int64_t id;               /* from 1 on, of all trainers of the process */
	bool launched, end_known; /* a thread was started; a caller waited for its end */
	int64_t allowance;        /* single steps to be made while paused */
	int64_t requests[BL_CMD_KINDS];
	char trouble[1024]; /* warnings that bl_trainer_trouble has not returned yet */
	struct told {
		char text[200];
		int n;
	} told[8];        /* kinds of warnings so far, and their numbers */
	bl_record logged; /* values of bl_trainer_log for the next record; NaN: none */
};

/* trainer.c: the dialect of the matrix C that is shown. */
bl_loss_dialect bl_trainer_dialect(const bl_trainer *t);

/*
 * break.c, called by the holder of the exclusive section.  bl_break_check checks the condition after a step.
 * bl_break_leave, called before a step, ends a pause at the condition.
 */
void bl_break_check(bl_trainer *t);
void bl_break_leave(bl_trainer *t);
void bl_break_leave_locked(bl_trainer *t); /* the same with `lock` held */
void bl_break_free(bl_trainer *t);

/*
 * changes.c, called by the holder of the exclusive section.  bl_changes_add appends a change to the journal, with the
 * current step and time.  bl_changes_event appends one without values.  If the journal cannot be stored, they warn.
 */
void bl_changes_who(char out[BL_CHANGE_WHO], int64_t sender); /* writes the author; sender: a pid, 0: this process */
void bl_changes_add(bl_trainer *t, bl_change c);
void bl_changes_event(bl_trainer *t, const char *name, const char *who, const char *text);
int bl_changes_append(struct changes *j, const bl_change *c); /* to the list only; negative with bl_error */
void bl_changes_free(bl_trainer *t);
/* changes_replay.c: repeats the changes that are due before the next step. */
void bl_changes_replay_due(bl_trainer *t);

/* ownership.c; negative with bl_error. */
int bl_ownership_check(const bl_trainer_config *c); /* fails if a new trainer must not own these modules */
int bl_ownership_take(bl_trainer *t);               /* makes t the owner of its modules */
int bl_ownership_begin(bl_trainer *t);              /* called before steps; fails if t no longer owns them */
void bl_ownership_free(bl_trainer *t);

/* exclusive.c: the thread that holds the section may enter it again.  Guests enter before the next step. */
void bl_exclusive_init(bl_trainer *t); /* also initialises `lock` */
void bl_exclusive_enter(bl_trainer *t, bool guest);
void bl_exclusive_leave(bl_trainer *t);
/* Enters the run's context, that is, its choices of convolution algorithms.  bl_ambient_leave leaves it. */
bl_ambient bl_trainer_enter(const bl_trainer *t);

/* control.c: ends and joins the trainer's thread, for bl_trainer_free. */
void bl_trainer_control_end(bl_trainer *t);
/*
 * bl_trainer_request_stop requests a stop at the next step boundary.  bl_trainer_stop_and_save waits for it, and saves
 * the run if the trainer has no thread that does so.  bl_trainer_request_save requests a checkpoint at the next step
 * boundary.
 */
void bl_trainer_request_stop(bl_trainer *t, const char *why);
void bl_trainer_request_save(bl_trainer *t, const char *who);
void bl_trainer_stop_and_save(bl_trainer *t, const char *why);

/* state.c */
void bl_trainer_note(bl_trainer *t, const char *fmt, ...) BL_PRINTF(2, 3); /* sets the message that screens show */
void bl_trainer_count_trouble(bl_trainer *t); /* at the run's end: reports the number of each repeated warning */
bool bl_trainer_spent(const bl_trainer *t);   /* is its budget of seconds used up? */
/*
 * Is the run over, by its number of steps or its budget of seconds?  If so, bl_trainer_check_over is negative with
 * bl_error.
 */
bool bl_trainer_over(const bl_trainer *t);
int bl_trainer_check_over(const bl_trainer *t);

/*
 * set_views.c, called by the holder of the exclusive section: settings of the views' operators.  bl_views_named returns
 * whether the name has the form of such a setting, bl_views_get its value (NaN: no view has it).  bl_views_check fails
 * if the setting may not have the value, and bl_views_set sets it; both are negative with bl_error.
 */
bool bl_views_named(const bl_trainer *t, const char *name);
double bl_views_get(const bl_trainer *t, const char *name);
int bl_views_check(const bl_trainer *t, const char *name, double value);
int bl_views_set(bl_trainer *t, const char *name, double value);
void bl_views_list(bl_trainer *t); /* fills view_name; called once */

/*
 * set.c, called by the holder of the exclusive section, or before the run begins; negative with bl_error.
 * bl_trainer_may_set_now fails if the setting may not have the value.  bl_trainer_set_now sets it, with an entry in the
 * journal; bl_trainer_set_again sets a value from a checkpoint, without an entry.
 */
int bl_trainer_may_set_now(bl_trainer *t, const char *name, double value);
int bl_trainer_set_again(bl_trainer *t, const bl_progress_setting *s);
int bl_trainer_set_now(bl_trainer *t, const char *name, double value, const char *who);

/*
 * step.c: makes one step; called by the holder of the exclusive section.  Negative with bl_error: weights and buffers
 * are as before, and the state is FAILED unless the step was interrupted.
 */
int bl_trainer_step(bl_trainer *t);
void bl_trainer_answer_requests(bl_trainer *t); /* while paused: answers viewers' requests */
/*
 * bl_trainer_request_knn requests a kNN, or sets the message if there are no images for it.  bl_trainer_answer_knn measures
 * a requested kNN at once; it is called while no steps are made.
 */
void bl_trainer_request_knn(bl_trainer *t);
void bl_trainer_answer_knn(bl_trainer *t);
void bl_trainer_set_training(const bl_trainer_config *c, bool on); /* sets the mode of both modules */
int64_t bl_trainer_norm_chunks(const bl_trainer *t);               /* number of partial sums of the gradient's norm */

/*
 * record.c: the measurements of a step.  bl_trainer_columns writes the columns of the run's records; negative with
 * bl_error.  bl_trainer_record returns the record of step t->step + 1.
 */
typedef struct bl_measured {
	bl_loss_result loss;
	double factor; /* of the learning rates, by the schedule */
	double grad_norm, images_per_s;
	double knn; /* NaN: not measured at this step */
} bl_measured;
int bl_trainer_columns(const bl_trainer *t, bl_columns *out);
bl_record bl_trainer_record(bl_trainer *t, const bl_measured *m);

/*
 * save.c, called by the holder of the exclusive section: calls the run's callback.  A failure is journaled.  Negative
 * with bl_error.
 */
int bl_trainer_save_for(bl_trainer *t, bl_save_why why);
void bl_trainer_save_due(bl_trainer *t); /* called after a step; saves if a checkpoint is due */

/* nan_guard.c; bl_nan_guard_init is negative with bl_error. */
int bl_nan_guard_init(struct nan_guard *g, bl_module *encoder, bl_module *projector);
void bl_nan_guard_free(struct nan_guard *g);
void bl_nan_guard_save(struct nan_guard *g);         /* copies the buffers */
void bl_nan_guard_restore(struct nan_guard *g);      /* copies them back */
bool bl_nan_guard_finite(const struct nan_guard *g); /* are all buffers finite? */
/*
 * Computes the network from the views again, and names in bl_error the module that first produced a number that is not
 * finite.  Returns -1.
 */
int bl_nan_guard_blame(bl_trainer *t, bl_tensor *const *view, const char *what);

/* trainers.c */
void bl_trainer_enlist(bl_trainer *t);
void bl_trainer_delist(bl_trainer *t);
/* Returns the newest trainer.  The list does not change until bl_trainers_unlock. */
bl_trainer *bl_trainers_lock(void);
void bl_trainers_unlock(void);
/* Called when the process ends: from now on, bl_trainers_check_ending is negative with bl_error. */
void bl_trainers_forbid_steps(void);
int bl_trainers_check_ending(void);

/* unsaved.c: records that the run's end was not saved, or that its end or a later state was saved. */
void bl_trainer_end_lost(bl_trainer *t, const char *why);
void bl_trainer_end_saved(bl_trainer *t);

#endif
