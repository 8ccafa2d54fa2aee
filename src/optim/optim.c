/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * optim.c: SGD, LARS and AdamW over flat parameters.
 *
 * Parameters are cut into pieces that lie in one parameter each and depend on
 * its length alone, so that any number of threads makes the same bits.  p is
 * the parameter, g its gradient, lr and wd as they are for this parameter:
 *
 *   sgd    d = g + wd p;  mu = momentum mu + d;  p -= lr (nesterov ? d + momentum mu : mu)
 *   lars   d = g + wd p;  d *= eta |p| / |d|, weights only;  mu = momentum mu + d;  p -= lr mu
 *   adamw  p -= lr wd p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
 *          p -= lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)
 */
#include "tensor/tensor.h"

#include <barlow/memory.h>
#include <barlow/optim.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 14, LANES = 8, STATES = 2 };

typedef struct piece {
	int param;
	int64_t from, count;
} piece;

struct bl_optim {
	bl_optim_config c;
	bl_params *p;
	float *state[STATES];
	int64_t steps;
	piece *piece;
	int64_t pieces;
	double (*norm)[2]; /* lars, a piece: sums of p^2 and d^2 */
	float *trust;      /* lars, a parameter: eta |p| / |d|, or 1 */
};

static const char *const state_names[][STATES + 1] = {
	[BL_OPTIM_SGD] = { "momentum" },
	[BL_OPTIM_LARS] = { "momentum" },
	[BL_OPTIM_ADAMW] = { "m", "v" },
};

bl_optim_config bl_optim_default(bl_optim_kind kind)
{
	static const bl_optim_config defaults[] = {
		[BL_OPTIM_SGD] = { .lr = .06, .momentum = .9, .weight_decay = 5e-4 },
		[BL_OPTIM_LARS] = { .lr = .2, .lr_bias = .0048, .momentum = .9, .weight_decay = 1e-6, .eta = .001 },
		[BL_OPTIM_ADAMW] = { .lr = 1e-3, .weight_decay = 1e-2, .beta1 = .9, .beta2 = .999, .eps = 1e-8 },
	};
	bl_optim_config c = defaults[kind];
	c.kind = kind;
	return c;
}

static int64_t pieces_of(const bl_param *q)
{
	return (q->count + PIECE - 1) / PIECE;
}

static void cut(bl_optim *o)
{
	piece *at = o->piece;
	for (int i = 0; i < bl_params_length(o->p); i++) {
		const bl_param *q = bl_params_get(o->p, i);
		for (int64_t k = 0; k < q->count; k += PIECE)
			*at++ = (piece){ i, q->start + k, q->count - k < PIECE ? q->count - k : PIECE };
	}
}

static int take_memory(bl_optim *o)
{
	size_t bytes = (size_t)bl_params_count(o->p) * sizeof(float), n = (size_t)bl_params_length(o->p);
	for (int i = 0; i < bl_params_length(o->p); i++)
		o->pieces += pieces_of(bl_params_get(o->p, i));
	o->piece = malloc(((size_t)o->pieces + 1) * sizeof *o->piece);
	o->norm = malloc(((size_t)o->pieces + 1) * sizeof *o->norm);
	o->trust = malloc((n + 1) * sizeof *o->trust);
	if (!o->piece || !o->norm || !o->trust)
		return bl_fail("optimiser: out of memory");
	for (int k = 0; state_names[o->c.kind][k]; k++) {
		o->state[k] = bl_block_take(bytes);
		if (!o->state[k])
			return -1;
		memset(o->state[k], 0, bytes);
	}
	return 0;
}

static int at_least_0(const char *what, double value)
{
	if (value >= 0 && !isinf(value))
		return 0;
	return bl_fail("optimiser: %s must be a number >= 0, got %g", what, value);
}

static int below_1(const char *what, double value)
{
	if (value >= 0 && value < 1)
		return 0;
	return bl_fail("optimiser: %s must be at least 0 and below 1, got %g", what, value);
}

static int check(const bl_optim_config *c)
{
	if (at_least_0("lr", c->lr) || at_least_0("lr_bias", c->lr_bias) || at_least_0("weight_decay", c->weight_decay))
		return -1;
	if (c->kind == BL_OPTIM_ADAMW)
		return below_1("beta1", c->beta1) || below_1("beta2", c->beta2) ? -1 : at_least_0("eps", c->eps);
	return c->kind == BL_OPTIM_LARS && at_least_0("eta", c->eta) ? -1 : below_1("momentum", c->momentum);
}

bl_optim *bl_optim_new(const bl_optim_config *c, bl_params *p)
{
	if (check(c))
		return NULL;
	bl_optim *o = calloc(1, sizeof *o);
	if (!o)
		return bl_fail_null("optimiser: out of memory");
	o->c = *c;
	o->p = p;
	if (take_memory(o)) {
		bl_optim_free(o);
		return NULL;
	}
	cut(o);
	return o;
}

void bl_optim_free(bl_optim *o)
{
	if (!o)
		return;
	for (int k = 0; k < STATES; k++)
		bl_block_give(o->state[k]);
	free(o->piece);
	free(o->norm);
	free(o->trust);
	free(o);
}

bl_optim_config *bl_optim_settings(bl_optim *o)
{
	return &o->c;
}

float *bl_optim_state(bl_optim *o, int k, const char **name)
{
	const char *found = k >= 0 && k < STATES ? state_names[o->c.kind][k] : NULL;
	if (name)
		*name = found;
	return found ? o->state[k] : NULL;
}

int64_t *bl_optim_count(bl_optim *o)
{
	return &o->steps;
}

/* One step's work: what the pieces share. */
typedef struct job {
	bl_optim *o;
	float *values;
	const float *grads;
	double factor;
} job;

/* Biases and norms have one dimension; the authors' exclusions go by that. */
static bool is_weight(const bl_optim *o, int param)
{
	return bl_params_get(o->p, param)->ndim > 1;
}

static double rate(const job *j, int param)
{
	const bl_optim_config *c = &j->o->c;
	bool own = !is_weight(j->o, param) && c->lr_bias > 0;
	return j->factor * (own ? c->lr_bias : c->lr);
}

static double decay(const bl_optim *o, int param)
{
	bool all = o->c.kind == BL_OPTIM_SGD || (o->c.kind == BL_OPTIM_ADAMW && o->c.decay_all);
	return all || is_weight(o, param) ? o->c.weight_decay : 0;
}

/* SGD, and LARS, where d is scaled by trust. */
static void momentum_piece(void *ctx, int64_t chunk)
{
	const job *j = ctx;
	const bl_optim *o = j->o;
	const piece *q = o->piece + chunk;
	bool lars = o->c.kind == BL_OPTIM_LARS, nesterov = !lars && o->c.nesterov;
	float lr = (float)rate(j, q->param), wd = (float)decay(o, q->param), mom = (float)o->c.momentum;
	float trust = lars ? o->trust[q->param] : 1, own = nesterov ? 1 : 0, past = nesterov ? mom : 1;
	float *restrict p = j->values + q->from, *restrict mu = o->state[0] + q->from;
	const float *restrict g = j->grads + q->from;
	for (int64_t i = 0; i < q->count; i++) {
		float d = trust * (g[i] + wd * p[i]);
		mu[i] = mom * mu[i] + d;
		p[i] -= lr * (own * d + past * mu[i]);
	}
}

static void adamw_piece(void *ctx, int64_t chunk)
{
	const job *j = ctx;
	const bl_optim *o = j->o;
	const piece *q = o->piece + chunk;
	double lr = rate(j, q->param), t = (double)o->steps;
	float keep = (float)(1 - lr * decay(o, q->param)), step = (float)(lr / (1 - pow(o->c.beta1, t)));
	float b1 = (float)o->c.beta1, b2 = (float)o->c.beta2, c1 = (float)(1 - o->c.beta1),
	      c2 = (float)(1 - o->c.beta2);
	float root = (float)(1 / sqrt(1 - pow(o->c.beta2, t))), eps = (float)o->c.eps;
	float *restrict p = j->values + q->from, *restrict m = o->state[0] + q->from,
			*restrict v = o->state[1] + q->from;
	const float *restrict g = j->grads + q->from;
	for (int64_t i = 0; i < q->count; i++) {
		m[i] = b1 * m[i] + c1 * g[i];
		v[i] = b2 * v[i] + c2 * g[i] * g[i];
		p[i] = keep * p[i] - step * m[i] / (sqrtf(v[i]) * root + eps);
	}
}

/* Eight sums side by side, so that the compiler may vectorise without changing the order. */
static void norm_piece(void *ctx, int64_t chunk)
{
	const job *j = ctx;
	const piece *q = j->o->piece + chunk;
	const float *p = j->values + q->from, *g = j->grads + q->from;
	double pp[LANES] = { 0 }, dd[LANES] = { 0 };
	float wd = (float)decay(j->o, q->param);
	for (int64_t i = 0; i < q->count; i += LANES)
		for (int64_t k = 0; k < LANES && i + k < q->count; k++) {
			double d = (double)(g[i + k] + wd * p[i + k]);
			pp[k] += (double)p[i + k] * (double)p[i + k];
			dd[k] += d * d;
		}
	double *out = j->o->norm[chunk];
	out[0] = out[1] = 0;
	for (int k = 0; k < LANES; k++) {
		out[0] += pp[k];
		out[1] += dd[k];
	}
}

static void find_trust(const job *j)
{
	bl_optim *o = j->o;
	const double(*part)[2] = (const double(*)[2])o->norm;
	bl_parallel(o->pieces, norm_piece, (void *)j);
	for (int i = 0; i < bl_params_length(o->p); i++) {
		double p = 0, d = 0;
		for (int64_t k = pieces_of(bl_params_get(o->p, i)); k > 0; k--, part++) {
			p += (*part)[0];
			d += (*part)[1];
		}
		o->trust[i] = is_weight(o, i) && p > 0 && d > 0 ? (float)(o->c.eta * sqrt(p) / sqrt(d)) : 1;
	}
}

void bl_optim_step(bl_optim *o, double factor)
{
	job j = { o, bl_params_values(o->p), bl_params_grads(o->p), factor };
	o->steps++;
	if (o->c.kind == BL_OPTIM_LARS)
		find_trust(&j);
	bl_parallel(o->pieces, o->c.kind == BL_OPTIM_ADAMW ? adamw_piece : momentum_piece, &j);
}
