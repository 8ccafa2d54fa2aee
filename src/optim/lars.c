/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lars.c: LARS (You et al. 2017, arXiv 1708.03888), as in the code of the authors of Barlow Twins:
 *
 *   d = g + wd p;  d *= eta |p| / |d|;  mu = momentum mu + d;  p -= lr mu
 *
 * For biases and norms, wd is 0 and the factor eta |p| / |d| is 1.  The factor is also 1 if |p| or |d| (with `apart`, |g|)
 * is 0.  With `apart`, the factor is that of You et al., eta |p| / (|g| + wd |p| + 1e-8).  With `clip`, a factor f, of
 * either form, is replaced by min(f / lr, 1).
 */
#include "optim/optim.h"

enum { LANES = 8 };

static const double apart_eps = 1e-8;

typedef struct lars {
	BL_OPTIM_SETTINGS;
	double momentum, eta;
	bool clip, apart;
} lars;

static const bl_field fields[] = {
	BL_OPTIM_COMMON(lars, .2, .0048, 1e-6, "L2 penalty on weights"),
	BL_FIELD(DOUBLE, lars, momentum, BL_DEFAULT(.9), BL_BELOW(0, 1), .help = "factor of the previous update in the next one"),
	BL_FIELD(DOUBLE, lars, eta, BL_DEFAULT(.001), BL_AT_LEAST(0),
	         .help = "trust coefficient: the norm of a weight's update is lr eta times that of the weight"),
	BL_FIELD(
		BOOL, lars, clip, BL_DEFAULT(false),
		.help = "the update's norm is eta times the weight's, and at most lr times the gradient's, as in solo-learn's recipes"),
	BL_FIELD(BOOL, lars, apart, BL_DEFAULT(false),
	         .help = "divide by |g| + wd |p| instead of |g + wd p|, as You et al. and solo-learn do"),
	BL_FIELD_END,
};

typedef double norms[2]; /* for each piece, in o->work: the sums of p^2 and d^2 or, with `apart`, of p^2 and g^2 */

static norms *norms_of(const bl_optim *o)
{
	return o->work;
}

static float *trust_of(const bl_optim *o) /* the factor of each parameter, in o->work */
{
	return (float *)(norms_of(o) + o->pieces);
}

static size_t room(const bl_optim *o)
{
	return (size_t)o->pieces * sizeof(norms) + (size_t)bl_params_length(o->p) * sizeof(float);
}

/* Has LANES separate sums, so that the compiler can vectorise the loop without changing the order of additions. */
static void norm_piece(void *ctx, int64_t chunk)
{
	const bl_optim_job *j = ctx;
	const bl_optim_piece *q = j->o->piece + chunk;
	const float *p = j->values + q->from, *g = j->grads + q->from;
	double pp[LANES] = { 0 }, dd[LANES] = { 0 };
	float wd = BL_OPTIM_OWN(lars, j->o).apart ? 0 : (float)bl_optim_decay(j->o, q->param, false);
	for (int64_t i = 0; i < q->count; i += LANES)
		for (int64_t k = 0; k < LANES && i + k < q->count; k++) {
			double d = (double)(g[i + k] + wd * p[i + k]);
			pp[k] += (double)p[i + k] * (double)p[i + k];
			dd[k] += d * d;
		}
	double *out = norms_of(j->o)[chunk];
	out[0] = out[1] = 0;
	for (int k = 0; k < LANES; k++) {
		out[0] += pp[k];
		out[1] += dd[k];
	}
}

/* The factor of a weight.  The argument p is |p|; the argument d is |d| or, with `apart`, |g|.  Both are above 0. */
static double trust(const bl_optim_job *j, int param, double p, double d)
{
	lars own = BL_OPTIM_OWN(lars, j->o);
	double below = own.apart ? d + bl_optim_decay(j->o, param, false) * p + apart_eps : d;
	double factor = own.eta * p / below;
	return own.clip ? fmin(factor / bl_optim_rate(j, param), 1) : factor;
}

static void find_trust(const bl_optim_job *j)
{
	const bl_optim *o = j->o;
	const norms *part = norms_of(o);
	bl_parallel(o->pieces, norm_piece, (void *)j);
	for (int i = 0; i < bl_params_length(o->p); i++) {
		double p = 0, d = 0;
		for (int64_t k = bl_optim_pieces_of(bl_params_get(o->p, i)); k > 0; k--, part++) {
			p += (*part)[0];
			d += (*part)[1];
		}
		bool scaled = bl_optim_is_weight(o, i) && p > 0 && d > 0;
		trust_of(o)[i] = scaled ? (float)trust(j, i, sqrt(p), sqrt(d)) : 1;
	}
}

static void piece(void *ctx, int64_t chunk)
{
	const bl_optim_job *j = ctx;
	const bl_optim *o = j->o;
	const bl_optim_piece *q = o->piece + chunk;
	bl_optim_momentum(j, q,
	                  &(bl_optim_push){ .wd = (float)bl_optim_decay(o, q->param, false),
	                                    .trust = trust_of(o)[q->param],
	                                    .momentum = (float)BL_OPTIM_OWN(lars, o).momentum });
}

static void step(const bl_optim_job *j)
{
	find_trust(j);
	bl_parallel(j->o->pieces, piece, (void *)j);
}

const bl_optim_ops bl_lars = {
	.name = "lars",
	.help = "LARS as in the code of the authors of Barlow Twins.",
	.fields = fields,
	.state = { "momentum" },
	.room = room,
	.step = step,
};
