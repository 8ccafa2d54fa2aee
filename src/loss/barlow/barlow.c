/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * barlow.c: the Barlow Twins loss and its gradient, with C in memory (direct) or without it (gram).
 *
 * Let E_ii = 0 and, for i != j, E_ij = C_ij, or C_ij + 1 in the dialect hsic.  Let W be the weight of the invariance.
 * Up to the factor `scale`, the loss is L = W sum_i (1 - C_ii)^2 + lambda ||E||_F^2.  With w_i = -2 W (1 - C_ii), its
 * gradients are:
 *
 *   direct  dzA = (2 lambda zB E^T + zB diag(w)) / N       dzB = (2 lambda zA E + zA diag(w)) / N
 *   gram    E^T is C^T without its diagonal, and zB C^T = (zB zB^T) zA / N = G_B zA / N.  Therefore
 *           dzA = 2 lambda G_B zA / N^2 + (zB diag(w - 2 lambda C_ii)) / N, and dzB accordingly.
 *           In hsic, E^T has an additional 1 off the diagonal, which adds 2 lambda (rowsum(zB) 1^T - zB) / N.
 */
#include "base/clones.h"
#include "grad/node.h"
#include "loss/barlow/direct.h"
#include "loss/barlow/gram.h"
#include "tensor/matrix/blas.h"
#include "tensor/matrix/panel.h"

#include <barlow/memory.h>

#include <math.h>
#include <string.h>

/* The context of the backward pass. */
typedef struct state {
	bl_standard s;
	bool gram, hsic;
	bool whole; /* z is in memory; false: it is computed again, one panel at a time */
	double lambda, invariance, scale;
	float *m[2];     /* direct: m[0] is E (D,D); gram: the data of g */
	bl_tensor *g[2]; /* gram: G_A and G_B (N,N), which may be shared with other pairs of views; NULL otherwise */
	double *row[2];  /* hsic in the gram form: row sums of z (N); NULL otherwise */
} state;

bl_barlow_form bl_barlow_pick(bl_barlow_form form, int64_t n, int64_t d)
{
	/*
	 * If D is 1, C has no off-diagonal elements.  The redundancy is exactly 0 in direct, but a rounding error in
	 * gram.
	 */
	if (d == 1)
		return BL_FORM_DIRECT;
	/*
	 * Multiplications forward and backward: gram N^2 D (two half matrices) and 2 N^2 D; direct N D^2 and 2 N D^2.
	 */
	if (form == BL_FORM_AUTO)
		return n < d ? BL_FORM_GRAM : BL_FORM_DIRECT;
	return form;
}

/*
 * If c is the mean of the diagonal, L >= W D (1 - c)^2 + K c^2 with K = lambda (D^2/r - D).  The minimum is at
 * c = W D / (W D + K) or, if the diagonal cannot be that large, at its largest possible value.
 */
double bl_barlow_floor(const bl_barlow_config *c, int64_t n, int64_t d)
{
	double rank = (double)(d < n - 1 ? d : n - 1), size = (double)d, side = c->invariance * size;
	if (c->dialect == BL_DIALECT_HSIC || c->lambda > c->invariance || rank < 1)
		return NAN;
	double k = c->lambda * (size * size / rank - size), best = side > 0 ? side / (side + k) : 0;
	bool unbiased = c->dialect == BL_DIALECT_ALGORITHM1 || c->dialect == BL_DIALECT_UNBIASED;
	double most = unbiased ? (double)(n - 1) / (double)n : 1;
	if (best < most)
		return side > 0 ? c->scale * side * k / (side + k) : 0;
	return c->scale * (side * (1 - most) * (1 - most) + k * most * most);
}

static int check(const bl_barlow_config *c)
{
	if (!(c->lambda >= 0) || isinf(c->lambda))
		return bl_fail("lambda must be a number >= 0, got %g", c->lambda);
	if (!(c->invariance >= 0) || isinf(c->invariance))
		return bl_fail("invariance must be a number >= 0, got %g", c->invariance);
	if (!(c->scale > 0) || isinf(c->scale))
		return bl_fail("scale must be a number > 0, got %g", c->scale);
	return 0;
}

static void release(void *ctx)
{
	state *t = ctx;
	for (int v = 0; v < 2; v++)
		bl_tensor_unref(t->g[v]);
	bl_block_give(t->gram ? NULL : t->m[0]);
	bl_block_give(t->row[0]);
	bl_standard_free(&t->s);
}

/* A sum over a square matrix: each row has a partial sum in double, and these are added in the order of the rows. */
typedef struct rows {
	const state *t;
	int64_t side;
	double *sum;
} rows;

enum { LANES = 8 };

static double fold(const double lane[LANES])
{
	return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* sum a_i b_i in double, in a fixed order that allows vectorisation. */
BL_CLONES_EXACT static double dot(const float *a, const float *b, int64_t n)
{
	double lane[LANES] = { 0 };
	int64_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int k = 0; k < LANES; k++)
			lane[k] += (double)a[i + k] * (double)b[i + k];
	for (; i < n; i++)
		lane[i % LANES] += (double)a[i] * (double)b[i];
	return fold(lane);
}

static double total(const double *v, int64_t n)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += v[i];
	return sum;
}

static int sum_rows(const state *t, int64_t side, bl_parallel_fn *fn, double *sum)
{
	rows r = { t, side, bl_scratch(1, (size_t)side * sizeof *r.sum) };
	if (!r.sum)
		return -1;
	bl_parallel(side, fn, &r);
	*sum = total(r.sum, side);
	return 0;
}

static int direct(state *t, double *redundancy)
{
	t->m[0] = bl_block_take((size_t)(t->s.d * t->s.d) * sizeof *t->m[0]);
	return t->m[0] ? bl_direct_error(&t->s, t->hsic, t->m[0], redundancy) : -1;
}

static void gram_row(void *ctx, int64_t i)
{
	const rows *r = ctx;
	r->sum[i] = dot(r->t->m[0] + i * r->side, r->t->m[1] + i * r->side, r->side);
}

static void z_row(void *ctx, int64_t i)
{
	const state *t = ctx;
	const bl_standard *s = &t->s;
	for (int v = 0; v < 2; v++) {
		const float *z = s->z[v] + i * s->d;
		double lane[LANES] = { 0 };
		for (int64_t j = 0; j < s->d; j++)
			lane[j % LANES] += (double)z[j];
		t->row[v][i] = fold(lane);
	}
}

/* sum_ij C_ij = sum_n rowsum(zA)_n rowsum(zB)_n / N */
static double sum_of_c(const state *t)
{
	double sum = 0;
	for (int64_t i = 0; i < t->s.n; i++)
		sum += t->row[0][i] * t->row[1][i];
	return sum / (double)t->s.n;
}

/*
 * Sets t->g[v] to the Gram matrix in `kept` or, if there is none, to a new matrix.  made[v] is the data of a new
 * matrix, which the caller has to compute, and otherwise NULL.
 */
static int take_grams(state *t, bl_tensor **const kept[2], float *made[2])
{
	for (int v = 0; v < 2; v++) {
		bool known = kept[v] && *kept[v];
		t->g[v] = known ? bl_tensor_ref(*kept[v]) : bl_tensor_new(2, (int64_t[]){ t->s.n, t->s.n });
		if (!t->g[v])
			return -1;
		t->m[v] = t->g[v]->data;
		made[v] = known ? NULL : t->m[v];
	}
	return 0;
}

static int multiply(state *t, bl_tensor **const kept[2])
{
	const bl_standard *s = &t->s;
	float *made[2];
	if (take_grams(t, kept, made) != 0)
		return -1;
	if (t->hsic) {
		t->row[0] = bl_block_take((size_t)(2 * s->n) * sizeof *t->row[0]);
		if (!t->row[0])
			return -1;
		t->row[1] = t->row[0] + s->n;
	}
	if (!t->whole)
		return bl_gram_pair(s, made, t->hsic ? t->row : NULL);
	if (bl_standard_whole(&t->s, NULL, 0) != 0)
		return -1;
	bl_syrk_pair_parallel(s->n, s->d, s->z, s->d, made, s->n);
	if (t->hsic)
		bl_parallel(s->n, z_row, t);
	return 0;
}

static int gram(state *t, bl_tensor **const kept[2], double *redundancy)
{
	const bl_standard *s = &t->s;
	double n = (double)s->n, d = (double)s->d, squares = 0, sum;
	if (multiply(t, kept) != 0 || sum_rows(t, s->n, gram_row, &sum) != 0)
		return -1;
	for (int64_t i = 0; i < s->d; i++)
		squares += s->diag[i] * s->diag[i];
	*redundancy = sum / (n * n) - squares;
	if (t->hsic)
		*redundancy += 2 * (sum_of_c(t) - total(s->diag, s->d)) + d * d - d;
	return 0;
}

static double invariance(const bl_standard *s)
{
	double sum = 0;
	for (int64_t i = 0; i < s->d; i++)
		sum += (1 - s->diag[i]) * (1 - s->diag[i]);
	return sum;
}

static int compute(state *t, const bl_barlow_config *c, bl_tensor **const kept[2], bl_barlow_terms *terms)
{
	if ((t->gram ? gram(t, kept, &terms->redundancy) : direct(t, &terms->redundancy)) != 0)
		return -1;
	terms->invariance = invariance(&t->s);
	if (terms->redundancy < 0) /* in the gram form it is a difference, which rounding may make negative */
		terms->redundancy = 0;
	terms->total = c->scale * (c->invariance * terms->invariance + c->lambda * terms->redundancy);
	return 0;
}

/* The backward pass, one panel of columns at a time, so that dz stays in a core's cache until dx is computed. */
typedef struct back {
	const state *t;
	double up; /* the gradient of the loss times scale */
	struct {
		int view;
		float *dx;
		bool add;
	} to[2];
	int count;
	const float *row[2]; /* hsic in the gram form: (N), row[v][n] is added to row n of dz; NULL otherwise */
	atomic_bool failed;
} back;

/* Columns from..from+width-1, and panels for them: z of both views, the right factor of a product, and dz. */
typedef struct place {
	int64_t from, width, step;
	float *z[2], *panel, *dz;
} place;

/* The panel that is the right factor of the product: of z (gram), or of E^T or E (direct). */
static const float *right_side(const state *t, int view, const place *p)
{
	int64_t d = t->s.d;
	if (t->gram)
		return p->z[view];
	(view == 0 ? bl_panel_turn : bl_panel_copy)(t->m[0], d, d, p->from, p->panel);
	return p->panel;
}

static void product(const state *t, int view, const place *p)
{
	const bl_standard *s = &t->s;
	int64_t k = t->gram ? s->n : s->d;
	bl_panel_multiply(&(bl_panel_product){ .rows = s->n,
	                                       .cols = p->step,
	                                       .k = k,
	                                       .a = t->gram ? t->m[!view] : s->z[!view],
	                                       .lda = k,
	                                       .panel = right_side(t, view, p),
	                                       .c = p->dz,
	                                       .ldc = p->step });
}

/* Adds the terms of the diagonal and, in hsic, of the row sums to dz, and computes dx. */
static void finish(const back *b, int which, const place *p)
{
	const state *t = b->t;
	int view = b->to[which].view;
	double n = (double)t->s.n, by = 2 * b->up / n;
	float w[BL_STANDARD_COLUMNS];
	for (int64_t j = 0; j < p->width; j++) {
		double c = t->s.diag[p->from + j];
		w[j] = (float)(by * (t->invariance * (c - 1) - (t->gram ? t->lambda * (c + t->hsic) : 0)));
	}
	bl_standard_part part = { .view = view,
		                  .from = p->from,
		                  .width = p->width,
		                  .z = p->z[view],
		                  .other = p->z[!view],
		                  .dz = p->dz,
		                  .pitch = p->step,
		                  .w = w,
		                  .row = b->row[!view],
		                  .k = (float)(t->gram ? by * t->lambda / n : by * t->lambda) };
	bl_standard_back(&t->s, &part, b->to[which].dx, b->to[which].add);
}

static bool take_place(const state *t, int64_t chunk, place *p)
{
	int64_t n = t->s.n;
	p->step = bl_panel_width();
	p->from = chunk * p->step;
	p->width = t->s.d - p->from < p->step ? t->s.d - p->from : p->step;
	p->dz = bl_scratch(0, (size_t)((3 * n + (t->gram ? 0 : t->s.d)) * p->step) * sizeof *p->dz);
	if (!p->dz)
		return false;
	p->z[0] = p->dz + n * p->step;
	p->z[1] = p->z[0] + n * p->step;
	p->panel = p->z[1] + n * p->step;
	return true;
}

static void back_panel(void *ctx, int64_t chunk)
{
	back *b = ctx;
	const state *t = b->t;
	place p;
	if (!take_place(t, chunk, &p)) {
		atomic_store(&b->failed, true);
		return;
	}
	for (int v = 0; v < 2; v++)
		if (t->whole)
			bl_panel_copy(t->s.z[v], t->s.n, t->s.d, p.from, p.z[v]);
		else
			bl_standard_again(&t->s, v, p.from, p.width, p.step, p.z[v]);
	for (int i = 0; i < b->count; i++) {
		product(t, b->to[i].view, &p);
		finish(b, i, &p);
	}
}

/* Sets b->row to 2 lambda rowsum(z) / N times the gradient of the loss, if row sums are used. */
static int scale_rows(back *b)
{
	const state *t = b->t;
	int64_t n = t->s.n;
	float *row = t->row[0] ? bl_scratch(1, (size_t)(2 * n) * sizeof *row) : NULL;
	if (!t->row[0])
		return 0;
	for (int v = 0; row && v < 2; v++) {
		b->row[v] = row + v * n;
		for (int64_t i = 0; i < n; i++)
			row[v * n + i] = (float)(2 * b->up / (double)n * t->lambda * t->row[v][i]);
	}
	return row ? 0 : -1;
}

static int run_back(back *b)
{
	bl_parallel(bl_panels(b->t->s.d), back_panel, b);
	b->count = 0;
	return atomic_load(&b->failed) ? bl_fail("no memory") : 0;
}

static int backward(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const state *t = ctx;
	back b = { .t = t, .up = t->scale * (double)dout->data[0] };
	(void)out;
	if (scale_rows(&b) != 0)
		return -1;
	for (int v = 0; v < 2; v++) {
		if (!bl_grad_wants(in[v]))
			continue;
		bl_tensor *dx = bl_grad_sink(in[v], &b.to[b.count].add);
		if (!dx)
			return -1;
		b.to[b.count].view = v;
		b.to[b.count++].dx = dx->data;
		if (v == 0 && in[0] == in[1] &&
		    run_back(&b) != 0) /* both gradients are added to the same tensor, one after the other */
			return -1;
	}
	return run_back(&b);
}

bl_tensor *bl_barlow_among(const bl_barlow_config *c, bl_tensor *const z[2], bl_tensor **const kept[2], bl_barlow_terms *terms)
{
	state t = { .hsic = c->dialect == BL_DIALECT_HSIC, .lambda = c->lambda, .invariance = c->invariance, .scale = c->scale };
	bl_barlow_terms own = { 0 };
	if (check(c) != 0 || bl_standard_open(&t.s, c->dialect, z[0], z[1]) != 0)
		return NULL;
	t.gram = bl_barlow_pick(c->form, t.s.n, t.s.d) == BL_FORM_GRAM;
	t.whole = !t.gram || t.s.n > BL_GRAM_BATCH;
	bl_tensor *out = compute(&t, c, kept, &own) != 0 ? NULL : bl_tensor_scalar((float)own.total);
	for (int v = 0; out && v < 2; v++)
		if (t.g[v] && kept[v] && !*kept[v]) /* new matrices are returned for use in later pairs */
			*kept[v] = bl_tensor_ref(t.g[v]);
	if (terms)
		*terms = own;
	_Static_assert(sizeof t <= BL_NODE_CONTEXT, "the state is the node's context");
	return bl_node_attach(out, BL_OP_correlation_loss, 2, z, backward, &t, sizeof t, release);
}

bl_tensor *bl_barlow(const bl_barlow_config *c, bl_tensor *za, bl_tensor *zb, bl_barlow_terms *terms)
{
	return bl_barlow_among(c, (bl_tensor *[]){ za, zb }, (bl_tensor * *[]){ NULL, NULL }, terms);
}
