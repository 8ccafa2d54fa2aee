/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * linalg.c: linear systems, Cholesky factors, eigenvalues and singular values.
 *
 * Gradients are those of Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic
 * differentiation".
 */
#include "grad/dims.h"
#include "grad/node.h"
#include "tensor/matrix/lapack.h"

#include <barlow/memory.h>

#include <math.h>

/* --- conversion to double and back --- */

static double *doubles(int64_t n)
{
	return bl_block_take((size_t)n * sizeof(double));
}

/* A new block with the elements as doubles, row-major.  NULL with bl_error: an element is not finite, or no memory. */
static double *load(const char *op, const bl_tensor *t)
{
	char text[BL_SHAPE_TEXT];
	int64_t n = bl_tensor_count(t), bad = bl_tensor_find_nonfinite(t);
	if (bad >= 0)
		return bl_fail_null("%s: element %lld of the matrix %s is not finite", op, (long long)bad, bl_tensor_text(t, text));
	double *out = doubles(n);
	float *in = bl_block_take((size_t)n * sizeof *in);
	if (in && out) {
		bl_tensor_read(t, in);
		for (int64_t i = 0; i < n; i++)
			out[i] = in[i];
	} else {
		bl_block_give(out);
		out = NULL;
	}
	bl_block_give(in);
	return out;
}

static bl_tensor *store(int ndim, const int64_t *shape, const double *v)
{
	bl_tensor *t = bl_tensor_new(ndim, shape);
	for (int64_t i = 0; t && i < bl_tensor_count(t); i++)
		t->data[i] = (float)v[i];
	return t;
}

static int check_square(const char *op, const bl_tensor *a)
{
	char text[BL_SHAPE_TEXT];
	if (a->ndim == 2 && a->shape[0] == a->shape[1] && a->shape[0] > 0)
		return 0;
	return bl_fail("%s: expected a square matrix, got shape %s", op, bl_tensor_text(a, text));
}

/* As load, for a symmetric matrix; NULL with bl_error also if the matrix is not square or not symmetric. */
static double *load_symmetric(const char *op, const bl_tensor *t)
{
	double *a = check_square(op, t) < 0 ? NULL : load(op, t), most = 0;
	int64_t n = a ? t->shape[0] : 0;
	for (int64_t i = 0; i < n * n; i++)
		most = fmax(most, fabs(a[i]));
	for (int64_t i = 0; i < n; i++)
		for (int64_t j = 0; j < i; j++) {
			double x = a[i * n + j], y = a[j * n + i];
			if (fabs(x - y) <= 1e-4 * most)
				continue;
			bl_block_give(a);
			return bl_fail_null("%s: the matrix is not symmetric: element (%lld, %lld) is %g, (%lld, %lld) is %g", op,
			                    (long long)i, (long long)j, x, (long long)j, (long long)i, y);
		}
	return a;
}

/* --- solve: x = a^-1 b;  db = a^-T dx,  da = -db x^T --- */

/* Transposes a matrix.  bl_lu_solve requires the right-hand sides, which are the columns of b (n,right), as rows. */
static void turn(const double *from, int64_t rows, int64_t columns, double *to)
{
	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < columns; j++)
			to[j * rows + i] = from[i * columns + j];
}

/* a^-1 b or, if transposed, a^-T b, as a tensor without a node. */
static bl_tensor *solution(const char *op, const bl_tensor *a, bool transposed, const bl_tensor *b)
{
	int64_t n = a->shape[0], right = b->ndim == 2 ? b->shape[1] : 1, rc = -1;
	double *m = load(op, a), *x = m ? load(op, b) : NULL, *rows = x ? doubles(n * right) : NULL;
	if (rows) {
		turn(x, n, right, rows);
		rc = right ? bl_lu_solve(n, right, m, transposed, rows) : 0;
		turn(rows, right, n, x);
	}
	if (rc > 0)
		bl_fail("%s: the matrix is singular: pivot %lld of its LU factors is 0", op, (long long)rc);
	bl_tensor *y = rc == 0 ? store(b->ndim, b->shape, x) : NULL;
	bl_block_give(m);
	bl_block_give(x);
	bl_block_give(rows);
	return y;
}

/* A view of a vector as a matrix of one column; a matrix is unchanged. */
static bl_tensor column(const bl_tensor *t)
{
	bl_tensor v = *t;
	if (t->ndim == 1) {
		v.ndim = 2;
		v.shape[1] = 1;
		v.stride[1] = 1;
	}
	return v;
}

/* scale u v^T with u (N,M) and v (P,M). */
static bl_tensor *outer(bl_tensor *u, bl_tensor *v, float scale)
{
	bl_tensor *turned = bl_transpose(v, 0, 1), *y = turned ? bl_mm(u, turned) : NULL;
	bl_tensor *out = y ? bl_affine(y, scale, 0) : NULL;
	bl_tensor_unref(turned);
	bl_tensor_unref(y);
	return out;
}

/* Adds g to t's gradient and releases g.  Returns -1 if g is NULL because of an earlier error. */
static int give(bl_tensor *t, bl_tensor *g)
{
	int rc = g ? bl_grad_add(t, g) : -1;
	bl_tensor_unref(g);
	return rc;
}

static int solve_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	(void)ctx;
	bl_tensor *db = solution("solve", in[0], true, dout);
	int rc = db ? bl_grad_add(in[1], db) : -1;
	if (rc == 0 && bl_grad_wants(in[0])) {
		bl_tensor u = column(db), v = column(out);
		rc = give(in[0], outer(&u, &v, -1));
	}
	bl_tensor_unref(db);
	return rc;
}

static bl_tensor *solve(const char *op, bl_tensor *a, bl_tensor *b)
{
	return bl_node_attach(solution(op, a, false, b), BL_OP_solve, 2, (bl_tensor *[]){ a, b }, solve_back, NULL, 0, NULL);
}

bl_tensor *bl_linalg_solve(bl_tensor *a, bl_tensor *b)
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	if (check_square("solve", a) < 0)
		return NULL;
	if (b->ndim < 1 || b->ndim > 2 || b->shape[0] != a->shape[0])
		return bl_fail_null("solve: shapes %s and %s do not fit: expected a right-hand side of %lld rows",
		                    bl_tensor_text(a, at), bl_tensor_text(b, bt), (long long)a->shape[0]);
	return solve("solve", a, b);
}

bl_tensor *bl_linalg_inverse(bl_tensor *a)
{
	if (check_square("inverse", a) < 0)
		return NULL;
	bl_tensor *ones = bl_tensor_full(1, a->shape, 1), *eye = ones ? bl_diag(ones) : NULL;
	bl_tensor *y = eye ? solve("inverse", a, eye) : NULL;
	bl_tensor_unref(ones);
	bl_tensor_unref(eye);
	return y;
}

/*
 * --- cholesky: a = L L^T
 *
 * da = sym(L^-T P L^-1), where P is the lower triangle of L^T dL with half the diagonal.
 */

static void halve_upper(bl_tensor *p)
{
	int64_t n = p->shape[0];
	for (int64_t i = 0; i < n; i++) {
		p->data[i * n + i] /= 2;
		for (int64_t j = i + 1; j < n; j++)
			p->data[i * n + j] = 0;
	}
}

/* (s + s^T) / 2 */
static bl_tensor *symmetric_part(bl_tensor *s)
{
	bl_tensor *turned = s ? bl_transpose(s, 0, 1) : NULL, *sum = turned ? bl_add(s, turned) : NULL;
	bl_tensor *out = sum ? bl_affine(sum, .5f, 0) : NULL;
	bl_tensor_unref(turned);
	bl_tensor_unref(sum);
	return out;
}

static int cholesky_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	(void)ctx;
	bl_tensor *turned = bl_transpose((bl_tensor *)out, 0, 1), *p = turned ? bl_mm(turned, (bl_tensor *)dout) : NULL;
	if (p)
		halve_upper(p);
	bl_tensor *m = p ? solution("cholesky", out, true, p) : NULL, *m_turned = m ? bl_transpose(m, 0, 1) : NULL;
	bl_tensor *s = m_turned ? solution("cholesky", out, true, m_turned) : NULL;
	int rc = give(in[0], symmetric_part(s));
	bl_tensor_unref(turned);
	bl_tensor_unref(p);
	bl_tensor_unref(m);
	bl_tensor_unref(m_turned);
	bl_tensor_unref(s);
	return rc;
}

bl_tensor *bl_linalg_cholesky(bl_tensor *a)
{
	double *m = load_symmetric("cholesky", a);
	int64_t rc = m ? bl_cholesky_factor(a->shape[0], m) : -1;
	if (rc > 0)
		bl_fail("cholesky: the matrix is not positive definite: its leading %lld x %lld part is not", (long long)rc,
		        (long long)rc);
	bl_tensor *y = rc == 0 ? store(2, a->shape, m) : NULL;
	bl_block_give(m);
	return bl_node_attach(y, BL_OP_cholesky, 1, &a, cholesky_back, NULL, 0, NULL);
}

/* --- eigenvalues and singular values: y = diag(u^T a v);  da = u diag(dy) v^T --- */

typedef struct factors {
	bl_tensor *u, *vt; /* (M,K), (K,N) */
} factors;

static void factors_release(void *ctx)
{
	factors *f = ctx;
	bl_tensor_unref(f->u);
	bl_tensor_unref(f->vt);
}

static int values_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const factors *f = ctx;
	(void)out;
	bl_tensor *scaled = bl_mul(f->u, (bl_tensor *)dout); /* column k times dout[k] */
	int rc = give(in[0], scaled ? bl_mm(scaled, f->vt) : NULL);
	bl_tensor_unref(scaled);
	return rc;
}

/* Sets *to, unless `to` is NULL, to a new reference to t, which may be NULL. */
static void show(bl_tensor **to, bl_tensor *t)
{
	if (to)
		*to = t ? bl_tensor_ref(t) : NULL;
}

/*
 * Reverses the eigenvalues w, which are in descending order, and sets f to the eigenvectors, which are the rows of v,
 * as columns in the same order.  Returns the eigenvalues as a new tensor, or NULL.
 */
static bl_tensor *ascending(int64_t n, double *w, const double *v, double *columns, factors *f)
{
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = 0; k < n; k++)
			columns[i * n + k] = v[(n - 1 - k) * n + i];
	for (int64_t k = 0; k < n / 2; k++) {
		double last = w[n - 1 - k];
		w[n - 1 - k] = w[k];
		w[k] = last;
	}
	f->u = store(2, (int64_t[]){ n, n }, columns);
	f->vt = f->u ? bl_transpose(f->u, 0, 1) : NULL;
	return f->vt ? store(1, &n, w) : NULL;
}

bl_tensor *bl_linalg_eigh(bl_tensor *a, bl_tensor **vectors)
{
	double *m = load_symmetric("eigh", a);
	int64_t n = m ? a->shape[0] : 0;
	double *w = m ? doubles(n) : NULL, *columns = w ? doubles(n * n) : NULL;
	factors f = { NULL, NULL };
	bl_tensor *y = columns && bl_eigh_vectors(n, m, w) == 0 ? ascending(n, w, m, columns, &f) : NULL;
	bl_block_give(m);
	bl_block_give(w);
	bl_block_give(columns);
	show(vectors, y ? f.u : NULL);
	return bl_node_attach(y, BL_OP_eigh, 1, &a, values_back, &f, sizeof f, factors_release);
}

bl_tensor *bl_linalg_svd(bl_tensor *a, bl_tensor **u, bl_tensor **vt)
{
	char text[BL_SHAPE_TEXT];
	if (a->ndim != 2 || bl_tensor_count(a) == 0)
		return bl_fail_null("svd: expected a matrix, got shape %s", bl_tensor_text(a, text));
	int64_t rows = a->shape[0], columns = a->shape[1], k = rows < columns ? rows : columns;
	double *m = load("svd", a), *s = m ? doubles(k + (rows + columns) * k) : NULL;
	factors f = { NULL, NULL };
	bl_tensor *y = NULL;
	if (s && bl_svd(rows, columns, m, s, s + k, s + k + rows * k) == 0) {
		f.u = store(2, (int64_t[]){ rows, k }, s + k);
		f.vt = store(2, (int64_t[]){ k, columns }, s + k + rows * k);
		y = f.u && f.vt ? store(1, &k, s) : NULL;
	}
	bl_block_give(m);
	bl_block_give(s);
	show(u, y ? f.u : NULL);
	show(vt, y ? f.vt : NULL);
	return bl_node_attach(y, BL_OP_svd, 1, &a, values_back, &f, sizeof f, factors_release);
}
