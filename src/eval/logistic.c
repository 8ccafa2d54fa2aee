/* SPDX-License-Identifier: GPL-3.0-or-later */
/* logistic.c: multinomial logistic regression on standardised features: the function that L-BFGS minimises. */
#include "eval/logistic.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include "tensor/matrix/blas.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* A block of rows stays in the second-level cache between the two products that need it. */
enum { CHUNKS = 32, BLOCK_FLOATS = 1 << 17, BLOCK_MIN = 16, BLOCK_MAX = 256 };

static const double flat = 1e-6; /* a column with a deviation below this fraction of its mean is constant */

static const float *row_of(const bl_feature_rows *r, int64_t i)
{
	return r->x + (r->index ? r->index[i] : i) * r->width;
}

static int32_t label_of(const bl_feature_rows *r, int64_t i)
{
	return r->labels[r->index ? r->index[i] : i];
}

static int64_t chunks_of(const bl_feature_rows *r)
{
	return r->n < CHUNKS ? r->n : CHUNKS;
}

/* Column sums of (x - mean)^power, power 1 or 2, for each chunk. */
typedef struct moments {
	const bl_feature_rows *rows;
	const double *mean;
	int power;
	double *sums; /* (CHUNKS,width) */
} moments;

static void moments_chunk(void *ctx, int64_t chunk)
{
	const moments *m = ctx;
	int64_t width = m->rows->width, from, to;
	double *sum = m->sums + chunk * width;

	bl_chunk_range(m->rows->n, chunks_of(m->rows), chunk, &from, &to);
	memset(sum, 0, (size_t)width * sizeof(*sum));
	for (int64_t i = from; i < to; i++) {
		const float *x = row_of(m->rows, i);

		for (int64_t j = 0; j < width; j++) {
			double d = x[j] - m->mean[j];

			sum[j] += m->power == 1 ? d : d * d;
		}
	}
}

/* Computes each column's mean of (x - mean)^power over all rows, into the first row of sums. */
static void take_moments(moments *m)
{
	int64_t width = m->rows->width, chunks = chunks_of(m->rows);

	bl_parallel(chunks, moments_chunk, m);
	for (int64_t c = 1; c < chunks; c++)
		for (int64_t j = 0; j < width; j++)
			m->sums[j] += m->sums[c * width + j];
	for (int64_t j = 0; j < width; j++)
		m->sums[j] /= (double)m->rows->n;
}

int bl_scaler_fit(bl_scaler *s, const bl_feature_rows *r)
{
	size_t n = (size_t)r->width;
	double *mean = bl_block_take((CHUNKS + 1) * n * sizeof(*mean));
	moments m = { .rows = r, .mean = mean, .power = 1, .sums = mean ? mean + n : NULL };

	s->mean = bl_block_take(n * sizeof(*s->mean));
	s->scale = bl_block_take(n * sizeof(*s->scale));
	if (mean && s->mean && s->scale) {
		memset(mean, 0, n * sizeof(*mean));
		take_moments(&m);
		memcpy(mean, m.sums, n * sizeof(*mean));
		m.power = 2;
		take_moments(&m);
		for (size_t j = 0; j < n; j++) {
			double std = sqrt(m.sums[j]);

			s->mean[j] = (float)mean[j];
			s->scale[j] = std > flat * fabs(mean[j]) ? (float)(1 / std) : 0;
		}
	}
	bl_block_give(mean);
	return mean && s->mean && s->scale ? 0 : -1;
}

void bl_scaler_free(bl_scaler *s)
{
	bl_block_give(s->mean);
	bl_block_give(s->scale);
}

/* One pass over the rows, which computes the loss and, if wanted, the gradient and the predicted classes. */
typedef struct pass {
	const bl_logistic *l;
	int64_t block; /* rows of a block */
	const double *bias;
	float *w;      /* (K,F) */
	float *dw;     /* (chunks,K,F), or NULL: no gradient wanted */
	double *dbias; /* (chunks,K) */
	double loss[CHUNKS];
	int64_t correct[CHUNKS];
	int32_t *guess; /* class of each row; NULL: not wanted */
	atomic_bool failed;
} pass;

static void standardise_row(const float *restrict x, const float *restrict mean, const float *restrict scale, int64_t width,
                            float *restrict z)
{
	for (int64_t j = 0; j < width; j++)
		z[j] = (x[j] - mean[j]) * scale[j];
}

static void standardise(const bl_logistic *l, int64_t from, int64_t n, float *z)
{
	int64_t width = l->rows.width;

	for (int64_t i = 0; i < n; i++)
		standardise_row(row_of(&l->rows, from + i), l->scaler->mean, l->scaler->scale, width, z + i * width);
}

/*
 * Adds the bias to the logits and returns their cross-entropy.  Replaces the logits by its gradient with respect to them,
 * softmax - onehot.  *class becomes the class with the largest logit.
 */
static double softmax_row(float *logits, const double *bias, int classes, int32_t label, int32_t *class)
{
	double sum = 0, label_logit = logits[label] + bias[label], top;
	int best = 0;

	for (int k = 0; k < classes; k++) {
		logits[k] += (float)bias[k];
		if (logits[k] > logits[best])
			best = k;
	}
	top = logits[best];
	*class = best;
	for (int k = 0; k < classes; k++) {
		logits[k] = expf(logits[k] - (float)top);
		sum += logits[k];
	}
	for (int k = 0; k < classes; k++)
		logits[k] = (float)(logits[k] / sum);
	logits[label] -= 1;
	return log(sum) + top - label_logit;
}

static void pass_block(pass *p, int64_t chunk, int64_t from, int64_t n, float *z, float *logits)
{
	int64_t width = p->l->rows.width, k = p->l->classes;

	standardise(p->l, from, n, z);
	bl_gemm(false, true, n, k, width, 1, z, width, p->w, width, 0, logits, k);
	for (int64_t i = 0; i < n; i++) {
		int32_t label = label_of(&p->l->rows, from + i), class;

		p->loss[chunk] += softmax_row(logits + i * k, p->bias, (int)k, label, &class);
		p->correct[chunk] += class == label;
		if (p->guess)
			p->guess[from + i] = class;
		for (int64_t c = 0; p->dw && c < k; c++)
			p->dbias[chunk * k + c] += logits[i * k + c];
	}
	if (p->dw)
		bl_gemm(true, false, k, width, n, 1, logits, k, z, width, 1, p->dw + chunk * k * width, width);
}

static void pass_chunk(void *ctx, int64_t chunk)
{
	pass *p = ctx;
	int64_t width = p->l->rows.width, k = p->l->classes, from, to;
	float *z = bl_block_take((size_t)(p->block * (width + k)) * sizeof(*z));

	p->loss[chunk] = 0;
	p->correct[chunk] = 0;
	if (!z) {
		atomic_store(&p->failed, true);
		return;
	}
	if (p->dw) {
		memset(p->dw + chunk * k * width, 0, (size_t)(k * width) * sizeof(*p->dw));
		memset(p->dbias + chunk * k, 0, (size_t)k * sizeof(*p->dbias));
	}
	bl_chunk_range(p->l->rows.n, chunks_of(&p->l->rows), chunk, &from, &to);
	for (; from < to; from += p->block)
		pass_block(p, chunk, from, to - from < p->block ? to - from : p->block, z, z + p->block * width);
	bl_block_give(z);
}

static int64_t block_rows(int64_t width)
{
	int64_t n = BLOCK_FLOATS / width;

	return n < BLOCK_MIN ? BLOCK_MIN : n > BLOCK_MAX ? BLOCK_MAX : n;
}

/* Runs the pass.  Sums loss and correct answers over the chunks; the gradient stays in parts.  -1: there is no memory. */
static int pass_run(pass *p, const double *w, double *loss, int64_t *correct)
{
	int64_t n = p->l->classes * p->l->rows.width, chunks = chunks_of(&p->l->rows);

	p->block = block_rows(p->l->rows.width);
	p->bias = w + n;
	for (int64_t i = 0; i < n; i++)
		p->w[i] = (float)w[i];
	bl_parallel(chunks, pass_chunk, p);
	*loss = 0;
	*correct = 0;
	for (int64_t c = 0; c < chunks; c++) {
		*loss += p->loss[c];
		*correct += p->correct[c];
	}
	return atomic_load(&p->failed) ? -1 : 0;
}

/* gradient = (sum over chunks + l2 W) / rows, without a penalty on the biases; returns l2 / 2 |W|^2, not divided by rows. */
static double gather_gradient(const pass *p, const double *w, double *gradient)
{
	int64_t k = p->l->classes, n = k * p->l->rows.width, chunks = chunks_of(&p->l->rows);
	double rows = (double)p->l->rows.n, square = 0;

	for (int64_t i = 0; i < n; i++) {
		square += w[i] * w[i];
		gradient[i] = p->l->l2 * w[i] / rows;
	}
	memset(gradient + n, 0, (size_t)k * sizeof(*gradient));
	for (int64_t c = 0; c < chunks; c++) {
		for (int64_t i = 0; i < n; i++)
			gradient[i] += p->dw[c * n + i] / rows;
		for (int64_t i = 0; i < k; i++)
			gradient[n + i] += p->dbias[c * k + i] / rows;
	}
	return p->l->l2 * square / 2;
}

int bl_logistic_evaluate(void *ctx, const double *w, double *f, double *gradient)
{
	const bl_logistic *l = ctx;
	int64_t n = l->classes * l->rows.width, chunks = chunks_of(&l->rows), correct;
	pass p = { .l = l };
	int rc = -1;

	p.dbias = bl_block_take((size_t)(chunks * l->classes) * sizeof(*p.dbias) + (size_t)((chunks + 1) * n) * sizeof(*p.w));
	if (p.dbias) {
		p.w = (float *)(p.dbias + chunks * l->classes);
		p.dw = p.w + n;
		rc = pass_run(&p, w, f, &correct);
	}
	if (rc == 0)
		*f = (*f + gather_gradient(&p, w, gradient)) / (double)l->rows.n;
	bl_block_give(p.dbias);
	return rc;
}

int bl_logistic_score(const bl_logistic *l, const double *w, double *loss, double *accuracy, int32_t *guess)
{
	pass p = { .l = l, .guess = guess, .w = bl_block_take((size_t)(l->classes * l->rows.width) * sizeof(float)) };
	int64_t correct;
	int rc = p.w ? pass_run(&p, w, loss, &correct) : -1;

	if (rc == 0) {
		*loss /= (double)l->rows.n;
		*accuracy = (double)correct / (double)l->rows.n;
	}
	bl_block_give(p.w);
	return rc;
}

/* w ((x - mean) scale) + b = (w scale) x + (b - sum w scale mean) */
void bl_logistic_unscale(const bl_logistic *l, const double *w, float *weight, float *bias)
{
	int64_t width = l->rows.width, k = l->classes;

	for (int64_t c = 0; c < k; c++) {
		double shift = 0;

		for (int64_t j = 0; j < width; j++) {
			double v = w[c * width + j] * (double)l->scaler->scale[j];

			weight[c * width + j] = (float)v;
			shift += v * (double)l->scaler->mean[j];
		}
		bias[c] = (float)(w[k * width + c] - shift);
	}
}
