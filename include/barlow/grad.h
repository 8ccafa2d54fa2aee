/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grad.h: operations on tensors, recorded so that they can be differentiated.
 *
 * Each function computes its result at once and, when an argument requires a
 * gradient and recording is on, records a node for the backward pass.
 * bl_backward walks from a scalar to the leaves in the reverse order of
 * creation.  All results are new references; NULL with bl_error on a wrong
 * shape (both shapes are named).
 */
#ifndef BARLOW_GRAD_H
#define BARLOW_GRAD_H

#include <barlow/convolution.h>
#include <barlow/tensor.h>

/* Leaves. */
void bl_tensor_set_requires_grad(bl_tensor *t, bool on); /* t is a leaf (made by no recorded operation) */
bool bl_tensor_requires_grad(const bl_tensor *t);
bool bl_tensor_is_leaf(const bl_tensor *t);
bl_tensor *bl_tensor_grad(const bl_tensor *t); /* borrowed; NULL before any backward */
void bl_tensor_zero_grad(bl_tensor *t);        /* bl_tensor_grad is NULL again; its memory is kept for the next */
bl_tensor *bl_tensor_detach(bl_tensor *t);     /* same numbers, outside the graph */

/*
 * Adds the gradients of `t` (a scalar, or with `seed` of t's shape) to the
 * gradient of every leaf that requires one.  The graph is freed on the way: a
 * second backward through it fails and says so.  0, or negative with bl_error.
 */
int bl_backward(bl_tensor *t, const bl_tensor *seed);

/* Turns recording on or off for the calling thread; returns the previous state.  It is on initially. */
bool bl_grad_enable(bool on);

/*
 * Precision of the factors in the products of bl_linear: float32, or rounded to bfloat16 (8 bits, to the nearest) for
 * the product alone.  Sums, results and parameters are float32 in both cases.
 */
typedef enum bl_precision { BL_PRECISION_FLOAT32, BL_PRECISION_BF16 } bl_precision;
/*
 * Sets it for the calling thread's bl_linear and their backward passes; returns the previous one.  Initially float32.
 */
bl_precision bl_grad_precision(bl_precision p);

/* Elementwise, with NumPy's broadcasting. */
bl_tensor *bl_add(bl_tensor *a, bl_tensor *b);
bl_tensor *bl_sub(bl_tensor *a, bl_tensor *b);
bl_tensor *bl_mul(bl_tensor *a, bl_tensor *b);
bl_tensor *bl_div(bl_tensor *a, bl_tensor *b);
bl_tensor *bl_affine(bl_tensor *a, float scale, float shift); /* scale * a + shift */
bl_tensor *bl_pow(bl_tensor *a, float exponent);
bl_tensor *bl_exp(bl_tensor *a);
bl_tensor *bl_log(bl_tensor *a);
bl_tensor *bl_sqrt(bl_tensor *a);
bl_tensor *bl_abs(bl_tensor *a);
bl_tensor *bl_tanh(bl_tensor *a);
bl_tensor *bl_sigmoid(bl_tensor *a);
bl_tensor *bl_relu(bl_tensor *a);
bl_tensor *bl_clamp(bl_tensor *a, float lo, float hi);
bl_tensor *bl_maximum(bl_tensor *a, bl_tensor *b); /* ties: the gradient goes to a */
bl_tensor *bl_minimum(bl_tensor *a, bl_tensor *b);

/* 1 where the comparison holds, else 0, with broadcasting; no gradient flows.  Non-zero is true; NaN equals nothing. */
typedef enum bl_comparison {
	BL_LT,
	BL_LE,
	BL_GT,
	BL_GE,
	BL_EQ,
	BL_NE,
	BL_LOGICAL_AND,
	BL_LOGICAL_OR,
	BL_LOGICAL_XOR
} bl_comparison;
bl_tensor *bl_compare(bl_comparison how, bl_tensor *a, bl_tensor *b);
/* a where mask is not 0, else b, with broadcasting of all three. */
bl_tensor *bl_where(bl_tensor *mask, bl_tensor *a, bl_tensor *b);

/* Matrix product: (M,K) x (K,N) -> (M,N). */
bl_tensor *bl_mm(bl_tensor *a, bl_tensor *b);
/* The same, also of vectors: (M,K) x (K) -> (M), (K) x (K,N) -> (N), (K) x (K) -> a scalar. */
bl_tensor *bl_matmul(bl_tensor *a, bl_tensor *b);
/* x (N,I), w (O,I), b (O) or NULL -> (N,O) = x w^T + b */
bl_tensor *bl_linear(bl_tensor *x, bl_tensor *w, bl_tensor *b);

/* Reductions.  dim < 0 counts from the end; BL_ALL reduces everything to a scalar. */
enum { BL_ALL = 1000 };
bl_tensor *bl_sum(bl_tensor *a, int dim, bool keepdim);
bl_tensor *bl_mean(bl_tensor *a, int dim, bool keepdim);
bl_tensor *bl_var(bl_tensor *a, int dim, bool keepdim, bool unbiased);
bl_tensor *bl_std(bl_tensor *a, int dim, bool keepdim, bool unbiased);
bl_tensor *bl_max(bl_tensor *a, int dim, bool keepdim); /* first of equal ones takes the gradient */
bl_tensor *bl_min(bl_tensor *a, int dim, bool keepdim);

bl_tensor *bl_cumsum(bl_tensor *a, int dim);
/* (sum |x|^p)^(1/p), p > 0, INFINITY the largest |x|; of p = 2 the gradient at 0 is 0. */
bl_tensor *bl_norm(bl_tensor *a, double p, int dim, bool keepdim);

/*
 * Sorts along dim in ascending or descending order; *places becomes a new tensor of the result's shape with the index,
 * from 0, that each element had.  The order is stable, NaN counts as the largest.  topk: the first k of that order.
 */
bl_tensor *bl_sort(bl_tensor *a, int dim, bool descend, bl_tensor **places);
bl_tensor *bl_topk(bl_tensor *a, int64_t k, int dim, bool largest, bl_tensor **places);

/*
 * Linear algebra, computed in double precision.  Matrices that are not finite are refused, and, where a symmetric one
 * is required, those that are not symmetric (by more than 1e-4 of the largest element).
 */
bl_tensor *bl_linalg_solve(bl_tensor *a, bl_tensor *b); /* a (N,N), b (N) or (N,M) -> x of b's shape, a x = b */
bl_tensor *bl_linalg_inverse(bl_tensor *a);
bl_tensor *bl_linalg_cholesky(bl_tensor *a); /* L, lower triangular, of a = L L^T */
/* Eigenvalues (N) of a symmetric matrix, ascending; column k of *vectors, unless NULL, is the kth eigenvector, without
   gradient. */
bl_tensor *bl_linalg_eigh(bl_tensor *a, bl_tensor **vectors);
/* a (M,N) = u diag(s) vt: s (K), descending, K = min(M,N); *u (M,K) and *vt (K,N), unless NULL, have no gradient. */
bl_tensor *bl_linalg_svd(bl_tensor *a, bl_tensor **u, bl_tensor **vt);

/* Shapes: views where strides allow, else copies. */
bl_tensor *bl_transpose(bl_tensor *a, int d0, int d1);
bl_tensor *bl_permute(bl_tensor *a, const int *order);
bl_tensor *bl_reshape(bl_tensor *a, int ndim, const int64_t *shape); /* one size may be -1 */
bl_tensor *bl_flatten(bl_tensor *a); /* (N,...) -> (N,-1), in (C,H,W) order whatever the memory order */
bl_tensor *bl_narrow(bl_tensor *a, int dim, int64_t start, int64_t length);
bl_tensor *bl_select(bl_tensor *a, int dim, int64_t index); /* drops the dimension */
bl_tensor *bl_expand(bl_tensor *a, int ndim, const int64_t *shape);
bl_tensor *bl_index_rows(bl_tensor *a, const int64_t *rows, int64_t n); /* (R,...) -> (n,...) */
/*
 * y[i,j,k] = a[i,places[i,j,k],k] for dim 1, and so on; places, from 0, may be smaller than a along other dimensions.
 */
bl_tensor *bl_gather(bl_tensor *a, int dim, bl_tensor *places);
bl_tensor *bl_masked_select(bl_tensor *a, const bl_tensor *mask); /* (n): elements where mask, of a's shape, is not 0 */
bl_tensor *bl_cat(bl_tensor *const *parts, int n, int dim);
bl_tensor *bl_stack(bl_tensor *const *parts, int n, int dim); /* of equal shapes, along a new dimension */
bl_tensor *bl_flip(bl_tensor *a, int dim);                    /* a copy with the dimension in reverse order */
bl_tensor *bl_diag(bl_tensor *a);                             /* (N,N) -> (N), or (N) -> (N,N) */

/* Networks.  Images are (N,C,H,W). */
typedef struct bl_conv_shape {
	int stride, padding, groups; /* the same along both axes */
	int dilation;                /* from tap to tap; 0 counts as 1 */
} bl_conv_shape;
/*
 * x (N,C,H,W), w (K,C/groups,R,S), b (K) or NULL -> (N,K,P,Q), P = (H + 2 padding - dilation (R - 1) - 1) / stride +
 * 1
 */
bl_tensor *bl_conv2d(bl_tensor *x, bl_tensor *w, bl_tensor *b, bl_conv_shape s);
/* The same by this algorithm in all directions, if it supports the shape and no other is forced. */
bl_tensor *bl_conv2d_by(bl_tensor *x, bl_tensor *w, bl_tensor *b, bl_conv_shape s, bl_conv_algorithm algorithm);

typedef struct bl_norm_args {
	bl_tensor *gamma, *beta;               /* (C) each, or both NULL: no affine part */
	bl_tensor *running_mean, *running_var; /* (C) each, or both NULL: none kept.  Written in training. */
	bool training;                         /* batch statistics, else the running ones */
	float momentum, eps;                   /* PyTorch's .1 and 1e-5; running_var takes the unbiased variance */
	bl_tensor *residual;                   /* added after the affine part, or NULL */
	bool relu;                             /* max(0, .) last */
} bl_norm_args;
/* x (N,C) or (N,C,H,W): one memory pass each way for batch norm, residual sum and ReLU together. */
bl_tensor *bl_batchnorm(bl_tensor *x, const bl_norm_args *args);

bl_tensor *bl_maxpool2d(bl_tensor *x, int kernel, int stride, int padding);
/* The zeros of the padding count in the mean, as by default in PyTorch. */
bl_tensor *bl_avgpool2d(bl_tensor *x, int kernel, int stride, int padding);
bl_tensor *bl_global_avgpool(bl_tensor *x); /* (N,C,H,W) -> (N,C,1,1) */

/* Mean over rows of -log softmax(logits)[label].  logits (N,K), labels in 0..K-1. */
bl_tensor *bl_cross_entropy(bl_tensor *logits, const int32_t *labels);

/*
 * Records a custom operation: the caller has computed out from inputs; the
 * callback backward gets d(loss)/d(out) and calls bl_grad_add for each input
 * that requires a gradient.  release(ctx) is called when the node is freed
 * (also on failure).  0, or negative with bl_error.
 * Used by the losses, and by layers written in Lua.
 */
typedef int bl_backward_fn(void *ctx, bl_tensor *const *inputs, const bl_tensor *out, const bl_tensor *dout);
int bl_grad_record(bl_tensor *out, const char *name, bl_tensor *const *inputs, int n, bl_backward_fn *backward, void *ctx,
                   void (*release)(void *));
/* Is recording on, and does any of these inputs require a gradient? */
bool bl_grad_wanted(bl_tensor *const *inputs, int n);
/* Adds g (t's shape) to t's gradient; does nothing when t requires none. */
int bl_grad_add(bl_tensor *t, const bl_tensor *g);

/*
 * Gradient check: f maps the inputs to a tensor; every input that requires a
 * gradient is compared, element by element, with central differences of
 * sum(f(inputs) * fixed random weights) in steps of h.  Returns the worst
 * |analytic - numeric| / max(1, |analytic|, |numeric|), or a negative number
 * with bl_error.
 */
typedef bl_tensor *bl_gradcheck_fn(void *ctx, bl_tensor *const *inputs);
double bl_gradcheck(bl_gradcheck_fn *f, void *ctx, bl_tensor *const *inputs, int n, float h);

/* The names of the operations, NULL-terminated. */
const char *const *bl_op_names(void);

#endif
