/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cross_entropy.c: L = mean over rows n of  lse_n - x[n, label_n],  lse_n = log sum_k exp x[n,k];
 * dx[n,k] = (exp(x[n,k] - lse_n) - [k = label_n]) / N.
 */
#include "grad/node.h"

#include <barlow/memory.h>

#include <math.h>

typedef struct ce_node {
	double *lse;
	int32_t *labels;
} ce_node;

enum { ROWS = 32 }; /* number of rows in a chunk */

typedef struct ce_job {
	const ce_node *nd;
	const bl_tensor *x;
	bl_tensor *dx;
	float scale;
	bool add;
} ce_job;

static void ce_release(void *ctx)
{
	ce_node *nd = ctx;
	bl_block_give(nd->lse);
	bl_block_give(nd->labels);
}

/* Subtracts the largest element first, so that exp does not overflow. */
static double log_sum_exp(const float *x, int64_t n, int64_t step)
{
	float largest = x[0];
	double sum = 0;
	for (int64_t k = 1; k < n; k++)
		largest = x[k * step] > largest ? x[k * step] : largest;
	for (int64_t k = 0; k < n; k++)
		sum += expf(x[k * step] - largest);
	return largest + log(sum);
}

static void forward_rows(void *ctx, int64_t chunk)
{
	const ce_job *j = ctx;
	const bl_tensor *x = j->x;
	for (int64_t n = chunk * ROWS; n < x->shape[0] && n < (chunk + 1) * ROWS; n++)
		j->nd->lse[n] = log_sum_exp(x->data + n * x->stride[0], x->shape[1], x->stride[1]);
}

static void backward_rows(void *ctx, int64_t chunk)
{
	const ce_job *j = ctx;
	const bl_tensor *x = j->x;
	int64_t classes = x->shape[1];
	for (int64_t n = chunk * ROWS; n < x->shape[0] && n < (chunk + 1) * ROWS; n++) {
		const float *row = x->data + n * x->stride[0];
		float *dx = j->dx->data + n * classes;
		double lse = j->nd->lse[n];
		for (int64_t k = 0; k < classes; k++) {
			float hit = k == j->nd->labels[n], p = expf((float)(row[k * x->stride[1]] - lse));
			dx[k] = (j->add ? dx[k] : 0) + (p - hit) * j->scale;
		}
	}
}

static void each_row(bl_parallel_fn *fn, ce_job *j)
{
	bl_parallel((j->x->shape[0] + ROWS - 1) / ROWS, fn, j);
}

static int ce_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	ce_job j = { .nd = ctx, .x = in[0], .scale = dout->data[0] / (float)in[0]->shape[0] };
	(void)out;
	j.dx = bl_grad_sink(in[0], &j.add);
	if (!j.dx)
		return -1;
	each_row(backward_rows, &j);
	return 0;
}

static int ce_check(const bl_tensor *x, const int32_t *labels)
{
	char text[BL_SHAPE_TEXT];
	if (x->ndim != 2 || bl_tensor_count(x) == 0)
		return bl_fail("cross_entropy: expected logits (N, K), got shape %s", bl_tensor_text(x, text));
	for (int64_t n = 0; n < x->shape[0]; n++)
		if (labels[n] < 0 || labels[n] >= x->shape[1])
			return bl_fail("cross_entropy: label %d of row %lld is outside 0..%lld: the logits are %s", (int)labels[n],
			               (long long)n, (long long)x->shape[1] - 1, bl_tensor_text(x, text));
	return 0;
}

static bl_tensor *ce_value(const bl_tensor *x, const ce_node *nd)
{
	double sum = 0;
	each_row(forward_rows, &(ce_job){ .nd = nd, .x = x });
	for (int64_t n = 0; n < x->shape[0]; n++)
		sum += nd->lse[n] - x->data[n * x->stride[0] + nd->labels[n] * x->stride[1]];
	return bl_tensor_scalar((float)(sum / (double)x->shape[0]));
}

bl_tensor *bl_cross_entropy(bl_tensor *logits, const int32_t *labels)
{
	if (ce_check(logits, labels))
		return NULL;
	int64_t rows = logits->shape[0];
	ce_node nd = { bl_block_take((size_t)rows * sizeof *nd.lse), bl_block_take((size_t)rows * sizeof *nd.labels) };
	for (int64_t n = 0; nd.labels && n < rows; n++)
		nd.labels[n] = labels[n];
	bl_tensor *y = nd.lse && nd.labels ? ce_value(logits, &nd) : NULL;
	return bl_node_attach(y, BL_OP_cross_entropy, 1, &logits, ce_back, &nd, sizeof nd, ce_release);
}
