/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * optim.h: optimisers over flat parameters, and learning-rate schedules.
 *
 * Weights have one learning rate; biases and the parameters of norms (all parameters with at most one dimension) have
 * another.  An optimiser stores its state (momentum, moments) in flat arrays with the layout of the parameters.
 * Formulas and their sources are in src/optim: LARS is You et al. 2017 (arXiv 1708.03888), AdamW is Loshchilov and
 * Hutter 2017 (arXiv 1711.05101).
 *
 * bl_optim_name and bl_optim_fields list the kinds of optimisers and their settings; bl_schedule_name and
 * bl_schedule_fields list those of schedules.  Strings and fields are static.  To add a kind, add a file in src/optim
 * and a line in src/optim/optimisers.c.
 */
#ifndef BARLOW_OPTIM_H
#define BARLOW_OPTIM_H

#include <barlow/field.h>
#include <barlow/nn.h>

/* --- Optimisers: "sgd", "lars", "adamw" --- */

enum { BL_OPTIM_ROOM = 16 };
typedef struct bl_optim_ops bl_optim_ops;
/*
 * The settings of an optimiser, laid out in `room` by the fields of its kind.  Every kind begins with the three members
 * below.
 */
typedef struct bl_optim_config {
	const bl_optim_ops *ops;
	union {
		struct {
			double lr;      /* base rate of weights */
			double lr_bias; /* base rate of biases and norms; 0: the same as lr */
			/*
			 * sgd: L2 penalty on all parameters; lars: L2 penalty on weights; adamw: decoupled decay of
			 * weights or, with decay_all, of all parameters
			 */
			double weight_decay;
		};
		double room[BL_OPTIM_ROOM];
	};
} bl_optim_config;

const char *bl_optim_name(int i);                  /* name of the i-th kind, from 0; NULL after the last */
const char *bl_optim_help(const char *kind);       /* one line; NULL with bl_error: no such kind */
const bl_field *bl_optim_fields(const char *kind); /* the fields of `room`; NULL with bl_error: no such kind */
/* A kind with its default settings; ops is NULL, with bl_error, if there is no such kind. */
bl_optim_config bl_optim_default(const char *kind);
/* 0, or negative with bl_error: the kind has no such setting, or value is out of its range. */
int bl_optim_set(bl_optim_config *c, const char *name, double value);
double bl_optim_get(const bl_optim_config *c, const char *name); /* NaN: the kind has no such setting */
const char *bl_optim_kind(const bl_optim_config *c);             /* the kind's name */

typedef struct bl_optim bl_optim;
/*
 * A new optimiser of p, which is borrowed and has to outlive the optimiser.  The settings are checked and copied.  The
 * caller frees the optimiser with bl_optim_free.  NULL with bl_error.
 */
bl_optim *bl_optim_new(const bl_optim_config *c, bl_params *p);
void bl_optim_free(bl_optim *o);
/* Takes one step with the gradients of bl_params_grads; learning rates are the base rates times factor. */
void bl_optim_step(bl_optim *o, double factor);
bl_optim_config *bl_optim_settings(bl_optim *o); /* borrowed; may be changed between steps */
/*
 * The state, for checkpoints; both pointers are borrowed.  bl_optim_state returns the k-th array, of bl_params_count
 * floats, and sets *name (unless name is NULL) to "momentum", "m" or "v"; NULL after the last.  bl_optim_count points
 * to the number of steps taken.
 */
float *bl_optim_state(bl_optim *o, int k, const char **name);
int64_t *bl_optim_count(bl_optim *o);

/* --- Schedules: "constant", "cosine" --- */

/* A schedule gives the factor on the base learning rates at each step, see bl_schedule_at. */
enum { BL_SCHEDULE_ROOM = 8 };
typedef struct bl_schedule_ops bl_schedule_ops;
typedef struct bl_schedule {
	const bl_schedule_ops *ops;    /* NULL: constant */
	int64_t warmup, steps;         /* linear warm-up from 0 over the first `warmup` steps */
	double room[BL_SCHEDULE_ROOM]; /* the settings, laid out by the fields of the kind */
} bl_schedule;

const char *bl_schedule_name(int i);                  /* name of the i-th kind, from 0; NULL after the last */
const bl_field *bl_schedule_fields(const char *kind); /* the fields of `room`; NULL with bl_error: no such kind */
/* A kind with its default settings and 0 steps; ops is NULL, with bl_error, if there is no such kind. */
bl_schedule bl_schedule_default(const char *kind);
/* 0, or negative with bl_error: the kind has no such setting, or value is out of its range. */
int bl_schedule_set(bl_schedule *s, const char *name, double value);
const char *bl_schedule_kind(const bl_schedule *s); /* the kind's name */
int bl_schedule_check(const bl_schedule *s);        /* checks the settings in `room`: 0, or negative with bl_error */
/*
 * The factor at `step`, counted from 0.  During the warm-up it is step / warmup.  After the warm-up it is 1 for
 * "constant", and q + last (1 - q) with q = (1 + cos(pi t)) / 2 for "cosine".  t increases linearly from 0 at the end
 * of the warm-up to 1 at `steps`, and is 1 after that.
 */
double bl_schedule_at(const bl_schedule *s, int64_t step);

#endif
