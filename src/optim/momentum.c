/* SPDX-License-Identifier: GPL-3.0-or-later */
/* momentum.c: updates a piece of the parameters with momentum, for SGD and LARS (equations: optim.h). */
#include "optim/optim.h"

void bl_optim_momentum(const bl_optim_job *j, const bl_optim_piece *q, const bl_optim_push *by)
{
	const bl_optim *o = j->o;
	float lr = (float)bl_optim_rate(j, q->param), wd = by->wd, mom = by->momentum;
	float trust = by->trust, own = by->nesterov ? 1 : 0, past = by->nesterov ? mom : 1;
	float *restrict p = j->values + q->from, *restrict mu = o->state[0] + q->from;
	const float *restrict g = j->grads + q->from;
	for (int64_t i = 0; i < q->count; i++) {
		float d = trust * (g[i] + wd * p[i]);
		mu[i] = mom * mu[i] + d;
		p[i] -= lr * (own * d + past * mu[i]);
	}
}
