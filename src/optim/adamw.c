/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * adamw.c: AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101).  In step t, from 1:
 *
 *   p -= lr wd p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
 *   p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 */
#include "optim/optim.h"

typedef struct adamw {
	BL_OPTIM_SETTINGS;
	double beta1, beta2, eps;
	bool decay_all;
} adamw;

static const bl_field fields[] = {
	BL_OPTIM_COMMON(adamw, 1e-3, 0, 1e-2, "decoupled weight decay; of weights only, unless decay_all"),
	BL_FIELD(DOUBLE, adamw, beta1, BL_DEFAULT(.9), BL_BELOW(0, 1), .help = "decay rate of the running mean of gradients"),
	BL_FIELD(DOUBLE, adamw, beta2, BL_DEFAULT(.999), BL_BELOW(0, 1),
	         .help = "decay rate of the running mean of squared gradients"),
	BL_FIELD(DOUBLE, adamw, eps, BL_DEFAULT(1e-8), BL_AT_LEAST(0),
	         .help = "added to the square root of the mean squared gradient"),
	BL_FIELD(
		BOOL, adamw, decay_all, BL_DEFAULT(false),
		.help = "decay biases and the scales and shifts of norms, too, as PyTorch's AdamW does with every parameter that it is given; "
			"recipes of self-supervised learning exclude them, since decay draws scales and shifts to 0"),
	BL_FIELD_END,
};

static void piece(void *ctx, int64_t chunk)
{
	const bl_optim_job *j = ctx;
	const bl_optim *o = j->o;
	const bl_optim_piece *q = o->piece + chunk;
	adamw own = BL_OPTIM_OWN(adamw, o);
	double lr = bl_optim_rate(j, q->param), t = (double)o->steps;
	float keep = (float)(1 - lr * bl_optim_decay(o, q->param, own.decay_all));
	float move = (float)(lr / (1 - pow(own.beta1, t)));
	float b1 = (float)own.beta1, b2 = (float)own.beta2;
	float c1 = (float)(1 - own.beta1), c2 = (float)(1 - own.beta2);
	float root = (float)(1 / sqrt(1 - pow(own.beta2, t))), eps = (float)own.eps;
	float *restrict p = j->values + q->from, *restrict m = o->state[0] + q->from, *restrict v = o->state[1] + q->from;
	const float *restrict g = j->grads + q->from;
	for (int64_t i = 0; i < q->count; i++) {
		m[i] = b1 * m[i] + c1 * g[i];
		v[i] = b2 * v[i] + c2 * g[i] * g[i];
		p[i] = keep * p[i] - move * m[i] / (sqrtf(v[i]) * root + eps);
	}
}

static void step(const bl_optim_job *j)
{
	bl_parallel(j->o->pieces, piece, (void *)j);
}

const bl_optim_ops bl_adamw = {
	.name = "adamw",
	.help = "Adam with decoupled weight decay.",
	.fields = fields,
	.state = { "m", "v" },
	.step = step,
};
