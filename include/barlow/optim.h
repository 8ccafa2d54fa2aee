/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * optim.h: optimisers over flat parameters, and learning-rate schedules.
 *
 * Weights and the rest (biases, norms: parameters of one dimension) have rates
 * of their own.  State lies in flat arrays beside the parameters.
 */
#ifndef BARLOW_OPTIM_H
#define BARLOW_OPTIM_H

#include <barlow/nn.h>

typedef enum bl_optim_kind { BL_OPTIM_SGD, BL_OPTIM_LARS, BL_OPTIM_ADAMW } bl_optim_kind;

typedef struct bl_optim_config {
	bl_optim_kind kind;
	double lr;           /* base rate of weights */
	double lr_bias;      /* base rate of biases and norms; 0: the same as lr */
	double momentum;     /* sgd, lars: .9 */
	bool nesterov;       /* sgd */
	double weight_decay; /* sgd: L2 on all; lars: weights only; adamw: decoupled, weights only unless decay_all */
	bool decay_all;
	double eta;          /* lars: trust coefficient, .001 */
	double beta1, beta2, eps; /* adamw: .9 .999 1e-8 */
} bl_optim_config;
bl_optim_config bl_optim_default(bl_optim_kind kind);

typedef struct bl_optim bl_optim;
bl_optim *bl_optim_new(const bl_optim_config *c, bl_params *p); /* p must outlive it */
void bl_optim_free(bl_optim *o);
/* One step with rates base * factor.  Uses bl_params_grads. */
void bl_optim_step(bl_optim *o, double factor);
bl_optim_config *bl_optim_settings(bl_optim *o); /* may be changed between steps */
/* State for checkpoints: k-th flat array ("momentum", "m", "v"), NULL after the last; and the step count. */
float *bl_optim_state(bl_optim *o, int k, const char **name);
int64_t *bl_optim_count(bl_optim *o);

/* Factor on the base rate at `step` of `steps`. */
typedef enum bl_schedule_kind { BL_SCHEDULE_CONSTANT, BL_SCHEDULE_COSINE } bl_schedule_kind;
typedef struct bl_schedule {
	bl_schedule_kind kind;
	int64_t warmup, steps; /* linear warm-up from 0 over the first `warmup` steps */
	double last;           /* cosine ends at last (.001 in the authors' code) */
} bl_schedule;
double bl_schedule_at(const bl_schedule *s, int64_t step);

#endif
