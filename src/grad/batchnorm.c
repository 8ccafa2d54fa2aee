/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * batchnorm.c: batch norm with the residual sum and the ReLU that may follow it.
 *
 *   y = relu( gamma (x - mean) / sqrt(var + eps) + beta + residual )
 *
 * x is (N,C), or (N,C,H,W) with statistics over N, H, W.  The forward direction reads x in two passes, for the moments
 * and for y.  The backward direction has two passes as well, for the sums and for dx.
 */
#include "grad/node.h"
#include "tensor/kernel/kernel.h"

#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <math.h>

enum { CHUNK_FLOATS = 32 << 10 };

/* Arrays of c floats, in one block.  A mean is stored as two floats, mean + low, because one would not be exact enough. */
typedef struct context {
	int64_t n, c; /* pixels, channels */
	float *scale, *shift, *mean, *low, *invstd;
	bool training, relu;
} context;

static void context_release(void *p)
{
	bl_block_give(((context *)p)->scale);
}

static int context_room(context *x)
{
	x->scale = bl_block_take((size_t)(5 * x->c) * sizeof *x->scale);
	if (!x->scale)
		return -1;
	x->shift = x->scale + x->c;
	x->mean = x->shift + x->c;
	x->low = x->mean + x->c;
	x->invstd = x->low + x->c;
	return 0;
}

static int64_t rows_per_chunk(int64_t c)
{
	return c >= CHUNK_FLOATS ? 1 : CHUNK_FLOATS / c;
}

static int64_t chunks_of(const context *x)
{
	return (x->n + rows_per_chunk(x->c) - 1) / rows_per_chunk(x->c);
}

/* Returns the number of rows in chunk i, and sets *first to the first of them. */
static int64_t chunk_rows(const context *x, int64_t i, int64_t *first)
{
	int64_t rows = rows_per_chunk(x->c);
	*first = i * rows;
	return x->n - *first < rows ? x->n - *first : rows;
}

/* The moments of each chunk are combined in double precision (Chan et al. 1979). */
typedef struct moments_job {
	const context *x;
	const float *data;
	float *parts; /* [chunk][p, sum (x - p), sum (x - p)^2][c] */
} moments_job;

static void moments_chunk(void *ctx, int64_t i)
{
	const moments_job *j = ctx;
	int64_t first, n = chunk_rows(j->x, i, &first), c = j->x->c;
	float *part = j->parts + 3 * i * c;
	bl_kernel()->moments(n, c, j->data + first * c, part, part + c, part + 2 * c);
}

static void join(const moments_job *j, int64_t k, double *mean, double *var)
{
	double m = 0, m2 = 0, n = 0;
	for (int64_t i = 0; i < chunks_of(j->x); i++) {
		int64_t first, c = j->x->c;
		const float *part = j->parts + 3 * i * c + k;
		double rows = (double)chunk_rows(j->x, i, &first), sum = (double)part[c];
		double delta = (double)part[0] + sum / rows - m, total = n + rows;
		m += delta * rows / total;
		m2 += (double)part[2 * c] - sum * sum / rows + delta * delta * n * rows / total;
		n = total;
	}
	*mean = m;
	*var = m2 < 0 ? 0 : m2 / n; /* negative by rounding; NaN stays NaN */
}

static void update_running(const bl_norm_args *a, int64_t n, int64_t k, double mean, double var)
{
	if (!a->running_mean)
		return;
	float *m = a->running_mean->data + k, *v = a->running_var->data + k;
	double by = (double)a->momentum;
	*m = (float)((double)*m + by * (mean - (double)*m));
	*v = (float)((double)*v + by * (var * (double)n / (double)(n - 1) - (double)*v));
}

static int batch_statistics(context *x, const float *data, const bl_norm_args *a)
{
	moments_job j = { x, data, bl_block_take((size_t)(3 * chunks_of(x) * x->c) * sizeof *j.parts) };
	if (!j.parts)
		return -1;
	bl_parallel(chunks_of(x), moments_chunk, &j);
	if (bl_check_given_up()) { /* leaves the running statistics unchanged */
		bl_block_give(j.parts);
		return -1;
	}
	for (int64_t k = 0; k < x->c; k++) {
		double mean, var;
		join(&j, k, &mean, &var);
		x->mean[k] = (float)mean;
		x->low[k] = (float)(mean - (double)x->mean[k]);
		x->invstd[k] = (float)(1 / sqrt(var + a->eps));
		update_running(a, x->n, k, mean, var);
	}
	bl_block_give(j.parts);
	return 0;
}

static void running_statistics(context *x, const bl_norm_args *a)
{
	for (int64_t k = 0; k < x->c; k++) {
		x->mean[k] = a->running_mean->data[k];
		x->low[k] = 0;
		x->invstd[k] = (float)(1 / sqrt((double)a->running_var->data[k] + a->eps));
	}
}

static void fold_affine(context *x, const bl_norm_args *a)
{
	for (int64_t k = 0; k < x->c; k++) {
		float gamma = a->gamma ? a->gamma->data[k * a->gamma->stride[0]] : 1;
		float beta = a->beta ? a->beta->data[k * a->beta->stride[0]] : 0;
		x->scale[k] = gamma * x->invstd[k];
		x->shift[k] = (float)((double)beta - (double)x->low[k] * (double)x->scale[k]);
	}
}

typedef struct apply_job {
	const context *x;
	const float *data, *residual;
	float *y;
} apply_job;

static void apply_chunk(void *ctx, int64_t i)
{
	const apply_job *j = ctx;
	int64_t first, n = chunk_rows(j->x, i, &first), c = j->x->c;
	bl_kernel()->norm(&(bl_norm_row){ .n = n,
	                                  .c = c,
	                                  .x = j->data + first * c,
	                                  .residual = j->residual ? j->residual + first * c : NULL,
	                                  .scale = j->x->scale,
	                                  .shift = j->x->shift,
	                                  .mean = j->x->mean,
	                                  .y = j->y + first * c,
	                                  .relu = j->x->relu });
}

typedef struct back_job {
	const context *x;
	const float *data, *y, *dy;
	float *parts; /* [chunk][sum, dot][c]; dot uses x - mean without low */
	const float *by_g, *by_x, *by_1;
	float *dx, *dresidual;
	bool add, add_residual, has_residual;
} back_job;

static bl_norm_back back_args(const back_job *j, int64_t i)
{
	int64_t first, n = chunk_rows(j->x, i, &first), at = first * j->x->c;
	return (bl_norm_back){ .n = n,
		               .c = j->x->c,
		               .x = j->data + at,
		               .y = j->y + at,
		               .dy = j->dy + at,
		               .scale = j->x->scale,
		               .shift = j->x->shift,
		               .mean = j->x->mean,
		               .relu = j->x->relu,
		               .masked_by_y = j->has_residual,
		               .by_g = j->by_g,
		               .by_x = j->by_x,
		               .by_1 = j->by_1,
		               .dx = j->dx ? j->dx + at : NULL,
		               .dresidual = j->dresidual ? j->dresidual + at : NULL,
		               .add = j->add,
		               .add_residual = j->add_residual };
}

static void reduce_chunk(void *ctx, int64_t i)
{
	const back_job *j = ctx;
	bl_norm_back a = back_args(j, i);
	a.sum = j->parts + 2 * i * a.c;
	a.dot = a.sum + a.c;
	bl_kernel()->norm_reduce(&a);
}

static void back_chunk(void *ctx, int64_t i)
{
	bl_norm_back a = back_args(ctx, i);
	bl_kernel()->norm_apply(&a);
}

static void total(const back_job *j, int64_t k, double *sum, double *dot)
{
	*sum = *dot = 0;
	for (int64_t i = 0; i < chunks_of(j->x); i++) {
		*sum += j->parts[2 * i * j->x->c + k];
		*dot += j->parts[(2 * i + 1) * j->x->c + k];
	}
}

static int give_vector(bl_tensor *t, const float *values)
{
	bl_tensor *g = bl_grad_wants(t) ? bl_tensor_from(1, t->shape, values) : NULL;
	int rc = !bl_grad_wants(t) ? 0 : g ? bl_grad_add(t, g) : -1;
	bl_tensor_unref(g);
	return rc;
}

/*
 * With s = sum g, d = sum g (x - mean):
 *   dx = scale (g - s/n - (x - mean) invstd^2 d/n),  dgamma = d invstd,  dbeta = s
 * In evaluation mode, mean and invstd are constants, and dx = scale g.  The results are vectors: [by_x, by_1, dgamma,
 * dbeta][c].
 */
static void solve(const back_job *j, float *vectors)
{
	const context *x = j->x;
	int64_t c = x->c;
	for (int64_t k = 0; k < c; k++) {
		double sum, dot, share = x->training ? (double)x->scale[k] / (double)x->n : 0;
		total(j, k, &sum, &dot);
		dot -= (double)x->low[k] * sum;
		vectors[k] = (float)(-share * x->invstd[k] * x->invstd[k] * dot);
		vectors[c + k] = (float)(-share * sum - (double)vectors[k] * (double)x->low[k]);
		vectors[2 * c + k] = (float)(dot * x->invstd[k]);
		vectors[3 * c + k] = (float)sum;
	}
}

static int back_with(back_job *j, bl_tensor *const *in, float *vectors)
{
	const context *x = j->x;
	bl_parallel(chunks_of(x), reduce_chunk, j);
	solve(j, vectors);
	j->by_g = x->scale;
	j->by_x = vectors;
	j->by_1 = vectors + x->c;
	bl_parallel(chunks_of(x), back_chunk, j);
	return give_vector(in[1], vectors + 2 * x->c) || give_vector(in[2], vectors + 3 * x->c) ? -1 : 0;
}

/* A new reference to t or, if t does not have the memory order that the kernels read, to a copy. */
static bl_tensor *pixels_of(const bl_tensor *t)
{
	return t->ndim == 4 ? bl_tensor_channels_last((bl_tensor *)t) : bl_tensor_contiguous((bl_tensor *)t);
}

static bool is_pixels(const bl_tensor *t)
{
	return t->ndim == 4 ? bl_tensor_is_channels_last(t) : bl_tensor_is_contiguous(t);
}

/*
 * Returns the tensor to which the kernels write the gradient of t.  If *direct is set to true, this is t's gradient
 * sink, and bl_grad_sink_over may use the memory of `spent` for it (NULL: none).  Otherwise this is a temporary tensor,
 * which add_temporary() adds to the gradient.
 */
static bl_tensor *sink_for(bl_tensor *t, bl_tensor *spent, bool *add, bool *direct)
{
	*add = false;
	*direct = bl_grad_wants(t) && is_pixels(t);
	if (*direct)
		return spent ? bl_grad_sink_over(t, spent, add) : bl_grad_sink(t, add);
	return t->ndim == 4 ? bl_tensor_new_image(t->shape[0], t->shape[1], t->shape[2], t->shape[3])
	                    : bl_tensor_new(t->ndim, t->shape);
}

static int add_temporary(bl_tensor *t, bl_tensor *g, bool direct)
{
	if (direct || !g)
		return 0;
	int rc = bl_grad_add(t, g);
	bl_tensor_unref(g);
	return rc;
}

static int backward(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const context *x = ctx;
	bool direct, residual_direct = true;
	back_job j = { .x = x, .has_residual = in[3] != NULL };
	bl_tensor *spent = in[3] == in[0] ? NULL : (bl_tensor *)dout; /* both inputs would use the same sink */
	bl_tensor *dx = sink_for(in[0], spent, &j.add, &direct), *dr = NULL;
	if (bl_grad_wants(in[3]))
		dr = sink_for(in[3], NULL, &j.add_residual, &residual_direct);
	bl_tensor *dy = pixels_of(dout), *data = pixels_of(in[0]);
	size_t floats = (size_t)(2 * chunks_of(x) * x->c);
	float *room = bl_block_take((floats + (size_t)(4 * x->c)) * sizeof *room);
	int rc = -1;
	if (dy && data && dx && room && (dr || !bl_grad_wants(in[3]))) {
		j.data = data->data;
		j.y = out->data;
		j.dy = dy->data;
		j.parts = room;
		j.dx = dx->data;
		j.dresidual = dr ? dr->data : NULL;
		rc = back_with(&j, in, room + floats);
	}
	rc |= add_temporary(in[0], dx, direct) | add_temporary(in[3], dr, residual_direct);
	bl_block_give(room);
	bl_tensor_unref(dy);
	bl_tensor_unref(data);
	return rc ? -1 : 0;
}

static int check_vector(const bl_tensor *t, const bl_tensor *x, const char *name)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];
	if (t && (t->ndim != 1 || t->shape[0] != x->shape[1]))
		return bl_fail("batchnorm: %s of shape %s for input %s: expected (%lld,)", name, bl_tensor_text(t, a),
		               bl_tensor_text(x, b), (long long)x->shape[1]);
	return 0;
}

static int check(const bl_tensor *x, const bl_norm_args *a)
{
	char s[BL_SHAPE_TEXT], r[BL_SHAPE_TEXT];
	if (x->ndim != 2 && x->ndim != 4)
		return bl_fail("batchnorm: expected (N, C) or (N, C, H, W), got %s", bl_tensor_text(x, s));
	if (check_vector(a->gamma, x, "weight") || check_vector(a->beta, x, "bias") ||
	    check_vector(a->running_mean, x, "running_mean") || check_vector(a->running_var, x, "running_var"))
		return -1;
	if (!a->training && !a->running_mean)
		return bl_fail("batchnorm: evaluation mode needs running statistics, and none are kept");
	if (a->residual && !bl_tensor_same_shape(a->residual, x))
		return bl_fail("batchnorm: residual %s for input %s", bl_tensor_text(a->residual, r), bl_tensor_text(x, s));
	if (a->training && x->shape[1] > 0 && bl_tensor_count(x) / x->shape[1] < 2)
		return bl_fail("batchnorm: training needs more than one value per channel, got input %s", bl_tensor_text(x, s));
	return 0;
}

static int statistics(context *c, const bl_tensor *x, const bl_norm_args *a)
{
	if (context_room(c))
		return -1;
	if (!a->training)
		running_statistics(c, a);
	else if (batch_statistics(c, x->data, a))
		return -1;
	fold_affine(c, a);
	return 0;
}

bl_tensor *bl_batchnorm(bl_tensor *x, const bl_norm_args *a)
{
	if (check(x, a))
		return NULL;
	context c = { .c = x->shape[1], .training = a->training, .relu = a->relu };
	c.n = c.c ? bl_tensor_count(x) / c.c : 0;
	bl_tensor *in = pixels_of(x), *residual = a->residual ? pixels_of(a->residual) : NULL, *y = NULL;
	if (in && (residual || !a->residual) && !statistics(&c, in, a)) {
		y = bl_tensor_like(in);
		apply_job j = { &c, in->data, residual ? residual->data : NULL, y ? y->data : NULL };
		if (y)
			bl_parallel(chunks_of(&c), apply_chunk, &j);
	}
	bl_tensor_unref(in);
	bl_tensor_unref(residual);
	return bl_node_attach(y, BL_OP_batchnorm, 4, (bl_tensor *[]){ x, a->gamma, a->beta, a->residual }, backward, &c, sizeof c,
	                      context_release);
}
