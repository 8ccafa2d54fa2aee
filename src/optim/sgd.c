/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sgd.c: d = g + wd p;  mu = momentum mu + d;  p -= lr (nesterov ? d + momentum mu : mu) */
#include "optim/optim.h"

typedef struct sgd {
	BL_OPTIM_SETTINGS;
	double momentum;
	bool nesterov;
} sgd;

static const bl_field fields[] = {
	BL_OPTIM_COMMON(sgd, .06, 0, 0, "L2 penalty on all parameters, including biases and norms, as in PyTorch"),
	BL_FIELD(DOUBLE, sgd, momentum, BL_DEFAULT(.9), BL_BELOW(0, 1), .help = "factor of the previous update in the next one"),
	BL_FIELD(BOOL, sgd, nesterov, BL_DEFAULT(false), .help = "use Nesterov momentum"),
	BL_FIELD_END,
};

static void piece(void *ctx, int64_t chunk)
{
	const bl_optim_job *j = ctx;
	const bl_optim *o = j->o;
	const bl_optim_piece *q = o->piece + chunk;
	sgd own = BL_OPTIM_OWN(sgd, o);
	bl_optim_momentum(j, q,
	                  &(bl_optim_push){ .wd = (float)bl_optim_decay(o, q->param, true),
	                                    .trust = 1,
	                                    .momentum = (float)own.momentum,
	                                    .nesterov = own.nesterov });
}

static void step(const bl_optim_job *j)
{
	bl_parallel(j->o->pieces, piece, (void *)j);
}

const bl_optim_ops bl_sgd = {
	.name = "sgd",
	.help = "Stochastic gradient descent with momentum.",
	.fields = fields,
	.state = { "momentum" },
	.step = step,
};
