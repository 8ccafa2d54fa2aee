/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * optim.h (private): optimisers and schedules as const tables of operations.
 *
 * Each parameter is divided into pieces, which depend on its length alone, so that results are bit-identical for any
 * number of threads.
 */
#ifndef BARLOW_OPTIM_OPTIM_H
#define BARLOW_OPTIM_OPTIM_H

#include "tensor/tensor.h"

#include <barlow/optim.h>

#include <math.h>
#include <string.h>

enum { OPTIM_STATES = 2 };

typedef struct bl_optim_piece {
	int param;
	int64_t from, count;
} bl_optim_piece;

/* The data of one step. */
typedef struct bl_optim_job {
	bl_optim *o;
	float *values;
	const float *grads;
	double factor; /* factor on the learning rates */
} bl_optim_job;

struct bl_optim_ops {
	const char *name, *help;
	const bl_field *fields;              /* BL_OPTIM_COMMON, then the kind's own; at most BL_OPTIM_ROOM doubles */
	const char *state[OPTIM_STATES + 1]; /* names of the flat arrays of its state, NULL after the last */
	size_t (*room)(const bl_optim *o);   /* size of o->work in bytes; NULL: 0 */
	void (*step)(const bl_optim_job *j); /* o->steps includes this step */
};

struct bl_optim {
	bl_optim_config c;
	bl_params *p;
	float *state[OPTIM_STATES];
	int64_t steps;
	bl_optim_piece *piece;
	int64_t pieces;
	void *work;
};

/* The settings that come first in every kind. */
#define BL_OPTIM_SETTINGS double lr, lr_bias, weight_decay
/* clang-format off */
#define BL_OPTIM_COMMON(struct_, lr_, lr_bias_, decay_, decays_) \
	BL_FIELD(DOUBLE, struct_, lr, BL_DEFAULT(lr_), BL_AT_LEAST(0), .settable = true, .help = "learning rate of weights"), \
	BL_FIELD(DOUBLE, struct_, lr_bias, BL_DEFAULT(lr_bias_), BL_AT_LEAST(0), .settable = true, \
	         .help = "learning rate of biases and norms; 0: the same as lr"), \
	BL_FIELD(DOUBLE, struct_, weight_decay, BL_DEFAULT(decay_), BL_AT_LEAST(0), .settable = true, .help = decays_)
/* clang-format on */

/* A copy of o's settings as the struct of the kind. */
#define BL_OPTIM_OWN(type_, o_) \
	({ \
		type_ own_; \
		_Static_assert(sizeof own_ <= sizeof(o_)->c.room, "the settings have room"); \
		memcpy(&own_, (o_)->c.room, sizeof own_); \
		own_; \
	})

/*
 * Does the parameter have more than one dimension?  Biases and the parameters of norms have one; the code of the
 * paper's authors distinguishes them in this way.
 */
bool bl_optim_is_weight(const bl_optim *o, int param);
double bl_optim_rate(const bl_optim_job *j, int param);        /* the learning rate in this step */
double bl_optim_decay(const bl_optim *o, int param, bool all); /* weight_decay; 0 for biases and norms unless `all` */
int64_t bl_optim_pieces_of(const bl_param *q);                 /* number of pieces */

/* momentum.c: d = trust (g + wd p); mu = momentum mu + d; p -= lr (nesterov ? d + momentum mu : mu) */
typedef struct bl_optim_push {
	float wd, momentum, trust;
	bool nesterov;
} bl_optim_push;
void bl_optim_momentum(const bl_optim_job *j, const bl_optim_piece *q, const bl_optim_push *by);

struct bl_schedule_ops {
	const char *name;
	const bl_field *fields; /* in a struct of at most BL_SCHEDULE_ROOM doubles */
	/* t: share of the steps after the warm-up that have been made, 0 to 1 */
	double (*factor)(const void *settings, double t);
};

#endif
