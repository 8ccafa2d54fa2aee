/* SPDX-License-Identifier: GPL-3.0-or-later */
/* matmul.c: products of matrices.  Gradients are written directly to the gradients of the inputs. */
#include "grad/dims.h"
#include "grad/node.h"
#include "tensor/matrix/blas.h"
#include "tensor/matrix/gemm_bf16.h"

#include <barlow/ambient.h>
#include <barlow/profile.h>

/* A matrix as an argument of BLAS.  Its rows or, if it is stored transposed, its columns are `ld` floats apart. */
typedef struct matrix {
	bool transposed;
	int64_t ld;
	const float *data;
	bl_tensor *copy; /* copy of a tensor whose strides BLAS does not support; otherwise NULL */
} matrix;

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Does BLAS support these strides?  Sets *ld.  The stride of a dimension of size 1 has no meaning. */
static bool blas_supports(int64_t inner_size, int64_t inner_stride, int64_t outer_size, int64_t outer_stride, int64_t *ld)
{
	*ld = outer_size > 1 ? outer_stride : most(inner_size, 1);
	return (inner_stride == 1 || inner_size <= 1) && *ld >= most(inner_size, 1);
}

static bool matrix_of(const bl_tensor *t, matrix *m)
{
	*m = (matrix){ .data = t->data };
	if (blas_supports(t->shape[1], t->stride[1], t->shape[0], t->stride[0], &m->ld))
		return true;
	m->transposed = blas_supports(t->shape[0], t->stride[0], t->shape[1], t->stride[1], &m->ld);
	if (m->transposed)
		return true;
	m->copy = bl_tensor_contiguous((bl_tensor *)t);
	m->ld = most(t->shape[1], 1);
	m->data = m->copy ? m->copy->data : NULL;
	return m->copy != NULL;
}

bl_precision bl_grad_precision(bl_precision p)
{
	bl_ambient *here = bl_ambient_here();
	bl_precision was = (bl_precision)here->precision;
	here->precision = (int)p;
	return was;
}

/* c (m,n) = a b or, with `add`, c += a b; the sums have k terms. */
static int multiply(const matrix *a, const matrix *b, int64_t k, bl_precision how, bool add, bl_tensor *c)
{
	int64_t m = c->shape[0], n = c->shape[1], ld = most(n, 1);
	if (how == BL_PRECISION_BF16)
		return bl_gemm_bf16_parallel(a->transposed, b->transposed, m, n, k, a->data, a->ld, b->data, b->ld, add, c->data,
		                             ld);
	bl_gemm_parallel(a->transposed, b->transposed, m, n, k, 1, a->data, a->ld, b->data, b->ld, add ? 1 : 0, c->data, ld);
	return 0;
}

/* c = a b or, with `add`, c += a b; a is transposed if ta, and b if tb.  c is row-major. */
static int product(const bl_tensor *a, bool ta, const bl_tensor *b, bool tb, bl_precision how, bool add, bl_tensor *c)
{
	matrix x = { 0 }, y = { 0 };
	int64_t k = a->shape[ta ? 0 : 1];
	int rc = matrix_of(a, &x) && matrix_of(b, &y) ? 0 : -1;
	bl_profile_work(2. * (double)(c->shape[0] * c->shape[1]) * (double)k);
	x.transposed ^= ta;
	y.transposed ^= tb;
	if (!rc)
		rc = multiply(&x, &y, k, how, add, c);
	bl_tensor_unref(x.copy);
	bl_tensor_unref(y.copy);
	return rc;
}

/* Adds the product of a and b to the gradient of t, if t requires one. */
static int product_grad(bl_tensor *t, const bl_tensor *a, bool ta, const bl_tensor *b, bool tb, bl_precision how)
{
	bool add;
	if (!bl_grad_wants(t))
		return 0;
	bl_tensor *sink = bl_grad_sink(t, &add);
	return sink ? product(a, ta, b, tb, how, add, sink) : -1;
}

/* y (M,N) = a (M,K) b (K,N);  da = dy b^T,  db = a^T dy */
static int mm_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	(void)ctx, (void)out;
	if (product_grad(in[0], dout, false, in[1], true, BL_PRECISION_FLOAT32))
		return -1;
	return product_grad(in[1], in[0], true, dout, false, BL_PRECISION_FLOAT32);
}

static int check_matrices(const char *op, const char *second, const bl_tensor *a, const bl_tensor *b)
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	if (a->ndim == 2 && b->ndim == 2)
		return 0;
	return bl_fail("%s: expected two matrices, got shape %s and %sshape %s", op, bl_tensor_text(a, at), second,
	               bl_tensor_text(b, bt));
}

bl_tensor *bl_mm(bl_tensor *a, bl_tensor *b)
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	if (check_matrices("mm", "", a, b))
		return NULL;
	if (a->shape[1] != b->shape[0])
		return bl_fail_null("mm: shapes %s and %s do not fit: %lld columns against %lld rows", bl_tensor_text(a, at),
		                    bl_tensor_text(b, bt), (long long)a->shape[1], (long long)b->shape[0]);
	bl_tensor *y = bl_tensor_new(2, (int64_t[]){ a->shape[0], b->shape[1] });
	if (y && product(a, false, b, false, BL_PRECISION_FLOAT32, false, y)) {
		bl_tensor_unref(y);
		return NULL;
	}
	return bl_node_attach(y, BL_OP_mm, 2, (bl_tensor *[]){ a, b }, mm_back, NULL, 0, NULL);
}

bl_tensor *bl_matmul(bl_tensor *a, bl_tensor *b)
{
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	bool row = a->ndim == 1, column = b->ndim == 1;
	if (a->ndim < 1 || a->ndim > 2 || b->ndim < 1 || b->ndim > 2 || a->shape[a->ndim - 1] != b->shape[0])
		return bl_fail_null("matmul: shapes %s and %s do not fit: expected (M, K) or (K), and (K, N) or (K)",
		                    bl_tensor_text(a, at), bl_tensor_text(b, bt));
	int64_t shape[2], n = 0;
	bl_tensor *x = row ? bl_reshape(a, 2, (int64_t[]){ 1, a->shape[0] }) : bl_tensor_ref(a);
	bl_tensor *z = column ? bl_reshape(b, 2, (int64_t[]){ b->shape[0], 1 }) : bl_tensor_ref(b);
	bl_tensor *y = x && z ? bl_mm(x, z) : NULL, *out = y;
	if (!row)
		shape[n++] = a->shape[0];
	if (!column)
		shape[n++] = b->shape[1];
	if (y && n < 2) {
		out = bl_reshape(y, (int)n, shape);
		bl_tensor_unref(y);
	}
	bl_tensor_unref(x);
	bl_tensor_unref(z);
	return out;
}

/* y (N,O) = x (N,I) w^T + b;  dx = dy w,  dw (O,I) = dy^T x,  db = column sums of dy */
static int linear_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const bl_precision how = *(bl_precision *)ctx;
	(void)out;
	if (product_grad(in[0], dout, false, in[1], false, how) || product_grad(in[1], dout, true, in[0], false, how))
		return -1;
	return in[2] ? bl_broadcast_grad(in[2], dout, 1) : 0;
}

static int linear_check(const bl_tensor *x, const bl_tensor *w, const bl_tensor *b)
{
	char xt[BL_SHAPE_TEXT], wt[BL_SHAPE_TEXT];
	if (check_matrices("linear", "a weight of ", x, w))
		return -1;
	if (x->shape[1] != w->shape[1])
		return bl_fail("linear: input %s and weight %s do not fit: %lld features against %lld", bl_tensor_text(x, xt),
		               bl_tensor_text(w, wt), (long long)x->shape[1], (long long)w->shape[1]);
	if (b && (b->ndim != 1 || b->shape[0] != w->shape[0]))
		return bl_fail("linear: bias %s and weight %s do not fit: expected a bias of %lld", bl_tensor_text(b, xt),
		               bl_tensor_text(w, wt), (long long)w->shape[0]);
	return 0;
}

bl_tensor *bl_linear(bl_tensor *x, bl_tensor *w, bl_tensor *b)
{
	if (linear_check(x, w, b))
		return NULL;
	const bl_precision how = (bl_precision)bl_ambient_here()->precision;
	bl_tensor *y = bl_tensor_new(2, (int64_t[]){ x->shape[0], w->shape[0] });
	if (y && b) {
		bl_tensor rows = bl_broadcast_view(b, 2, y->shape);
		bl_tensor_copy(y, &rows);
	}
	if (y && product(x, false, w, true, how, b != NULL, y)) {
		bl_tensor_unref(y);
		return NULL;
	}
	return bl_node_attach(y, BL_OP_linear, 3, (bl_tensor *[]){ x, w, b }, linear_back, &how, sizeof how, NULL);
}
