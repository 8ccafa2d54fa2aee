/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * optim.h: optimisers over flat parameters, and learning-rate schedules.
 *
 * Weights have one rate; biases and norms (parameters of one dimension) have
 * another.  State is in flat arrays beside the parameters.
 *
 * bl_optim_name, bl_optim_fields and the like list the kinds and their settings.
 * To add a kind, add a file in src/optim and a line in src/optim/optimisers.c.
 */
#ifndef BARLOW_OPTIM_H
#define BARLOW_OPTIM_H

#include <barlow/field.h>
#include <barlow/nn.h>

/* --- Optimisers: "sgd", "lars", "adamw" --- */

enum { BL_OPTIM_ROOM = 16 };
typedef struct bl_optim_ops bl_optim_ops;
/* Settings that the kind's fields describe, in room; all begin with these three. */
typedef struct bl_optim_config {
	const bl_optim_ops *ops;
	union {
		struct {
			double lr;           /* base rate of weights */
			double lr_bias;      /* base rate of biases and norms; 0: the same as lr */
			double weight_decay; /* sgd: L2 on all; lars: weights only; adamw: decoupled, weights only unless decay_all */
		};
		double room[BL_OPTIM_ROOM];
	};
} bl_optim_config;

const char *bl_optim_name(int i);                  /* of the i-th kind, from 0; NULL behind the last */
const char *bl_optim_help(const char *kind);       /* a line; NULL with bl_error */
const bl_field *bl_optim_fields(const char *kind); /* of room; NULL with bl_error: there is no such kind */
/* A kind with its default settings; ops is NULL, with bl_error, if there is no such kind. */
bl_optim_config bl_optim_default(const char *kind);
int bl_optim_set(bl_optim_config *c, const char *name, double value); /* negative with bl_error */
double bl_optim_get(const bl_optim_config *c, const char *name);      /* NaN: the kind has no such setting */
const char *bl_optim_kind(const bl_optim_config *c);

typedef struct bl_optim bl_optim;
/* p must outlive it; settings are checked and copied; NULL with bl_error. */
bl_optim *bl_optim_new(const bl_optim_config *c, bl_params *p);
void bl_optim_free(bl_optim *o);
/* One step with rates base * factor.  Uses bl_params_grads. */
void bl_optim_step(bl_optim *o, double factor);
bl_optim_config *bl_optim_settings(bl_optim *o); /* may be changed between steps */
/* State for checkpoints, borrowed: the k-th flat array ("momentum", "m", "v"), NULL after the last, and the step count.
   The arrays have bl_params_count floats; name may be NULL. */
float *bl_optim_state(bl_optim *o, int k, const char **name);
int64_t *bl_optim_count(bl_optim *o);

/* --- Schedules: "constant", "cosine" --- */

/* The factor on the base rate at a step: step / warmup at first, then that of the kind.  See bl_schedule_at. */
enum { BL_SCHEDULE_ROOM = 8 };
typedef struct bl_schedule_ops bl_schedule_ops;
typedef struct bl_schedule {
	const bl_schedule_ops *ops;    /* NULL: constant */
	int64_t warmup, steps;         /* linear warm-up from 0 over the first `warmup` steps */
	double room[BL_SCHEDULE_ROOM]; /* settings that the kind's fields describe */
} bl_schedule;

const char *bl_schedule_name(int i);                  /* of the i-th kind, from 0; NULL behind the last */
const bl_field *bl_schedule_fields(const char *kind); /* of room; NULL with bl_error: there is no such kind */
/* A kind with its default settings and 0 steps; ops is NULL, with bl_error, if there is no such kind. */
bl_schedule bl_schedule_default(const char *kind);
int bl_schedule_set(bl_schedule *s, const char *name, double value); /* negative with bl_error */
const char *bl_schedule_kind(const bl_schedule *s);                  /* its name, static */
int bl_schedule_check(const bl_schedule *s);                         /* of room: 0, or negative with bl_error */
/*
 * The factor at `step`, from 0.  "constant": 1 after the warm-up.  "cosine": q + last (1 - q), q = (1 + cos(pi t)) / 2,
 * where t goes from 0 at the end of the warm-up to 1 at `steps` and stays there.
 */
double bl_schedule_at(const bl_schedule *s, int64_t step);

#endif
