/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gradcheck.c: compares gradients with central differences. */
#include "grad/node.h"

#include <barlow/random.h>

#include <math.h>

/* Fixed weights.  Without them, the gradient of a constant sum, such as that of a softmax, would be 0 in any case. */
static bl_tensor *weights_for(const bl_tensor *y)
{
	bl_tensor *w = bl_tensor_new(y->ndim, y->shape);
	if (w)
		bl_tensor_uniform(w, 1234, 0, .5f, 1.5f);
	return w;
}

static double weighted_sum(const bl_tensor *y, const bl_tensor *w)
{
	bl_tensor *c = bl_tensor_contiguous((bl_tensor *)y);
	double sum = 0;
	int64_t n = bl_tensor_count(y);
	for (int64_t i = 0; c && i < n; i++)
		sum += (double)c->data[i] * w->data[i];
	bl_tensor_unref(c);
	return c ? sum : NAN;
}

static double value(bl_gradcheck_fn *f, void *ctx, bl_tensor *const *inputs, const bl_tensor *w)
{
	bool was = bl_grad_enable(false);
	bl_tensor *y = f(ctx, inputs);
	bl_grad_enable(was);
	double v = y ? weighted_sum(y, w) : NAN;
	bl_tensor_unref(y);
	return v;
}

static bl_tensor *analytic(bl_gradcheck_fn *f, void *ctx, bl_tensor *const *inputs)
{
	bl_tensor *y = f(ctx, inputs), *w = y ? weights_for(y) : NULL;
	if (!w || bl_backward(y, w)) {
		bl_tensor_unref(w);
		w = NULL;
	}
	bl_tensor_unref(y);
	return w;
}

static void unravel(const bl_tensor *t, int64_t i, int64_t *index)
{
	for (int d = t->ndim - 1; d >= 0; d--) {
		index[d] = i % t->shape[d];
		i /= t->shape[d];
	}
}

/* Returns the largest difference over the elements of input k. */
static double check_input(bl_gradcheck_fn *f, void *ctx, bl_tensor *const *inputs, int k, const bl_tensor *w, float h)
{
	bl_tensor *x = inputs[k], *g = bl_tensor_grad(x);
	double worst = 0;
	for (int64_t i = 0; i < bl_tensor_count(x); i++) {
		int64_t at[BL_MAXDIM] = { 0 };
		unravel(x, i, at);
		float old = bl_tensor_at(x, at), up = old + h, down = old - h;
		bl_tensor_put(x, at, up);
		double plus = value(f, ctx, inputs, w);
		bl_tensor_put(x, at, down);
		double minus = value(f, ctx, inputs, w);
		bl_tensor_put(x, at, old);
		double numeric = (plus - minus) / ((double)up - down), exact = g ? bl_tensor_at(g, at) : 0;
		double scale = fmax(1, fmax(fabs(numeric), fabs(exact))), error = fabs(numeric - exact) / scale;
		worst = error <= worst ? worst : error; /* NaN stays NaN */
	}
	return worst;
}

double bl_gradcheck(bl_gradcheck_fn *f, void *ctx, bl_tensor *const *inputs, int n, float h)
{
	double worst = 0;
	for (int k = 0; k < n; k++)
		bl_tensor_zero_grad(inputs[k]);
	bl_tensor *w = analytic(f, ctx, inputs);
	if (!w)
		return -1;
	for (int k = 0; k < n; k++) {
		double e = inputs[k]->leaf_grad ? check_input(f, ctx, inputs, k, w, h) : 0;
		worst = e <= worst ? worst : e;
	}
	bl_tensor_unref(w);
	return isnan(worst) ? bl_fail("gradient check: a value or a gradient is NaN") : worst;
}
