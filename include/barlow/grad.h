/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grad.h: operations on tensors, recorded so that they can be differentiated.
 *
 * Each function computes its result at once.  If an argument requires a gradient and recording is on, the function also
 * records a node for the backward pass.  bl_backward visits the nodes from a scalar to the leaves, in the reverse order
 * of their creation.
 *
 * Arguments are borrowed.  Results are new references; NULL with bl_error if there is no memory or a shape is wrong
 * (the message states both shapes).  Dimensions and indices count from 0; a negative dim counts from the end.
 */
#ifndef BARLOW_GRAD_H
#define BARLOW_GRAD_H

#include <barlow/convolution.h>
#include <barlow/tensor.h>

/* Leaves are tensors that are not the result of a recorded operation. */
void bl_tensor_set_requires_grad(bl_tensor *t, bool on); /* t has to be a leaf */
bool bl_tensor_requires_grad(const bl_tensor *t);        /* true also for results that depend on such a leaf */
bool bl_tensor_is_leaf(const bl_tensor *t);
bl_tensor *bl_tensor_grad(const bl_tensor *t); /* borrowed; NULL before the first gradient and after zero_grad */
void bl_tensor_zero_grad(bl_tensor *t);        /* makes bl_tensor_grad NULL; the memory is reused later */
bl_tensor *bl_tensor_detach(bl_tensor *t);     /* a view of t that is not part of the graph */

/*
 * Computes the gradient of the scalar `t` with respect to every leaf that requires a gradient, and adds it to the
 * leaf's gradient.  If `seed`, a tensor of t's shape, is not NULL, t may have any shape, and the gradient is that of
 * sum(seed * t). The graph is freed during the pass, so that a second backward pass through it fails.  0, or negative
 * with bl_error.
 */
int bl_backward(bl_tensor *t, const bl_tensor *seed);

/* Turns recording on or off for the calling thread; returns the previous state.  It is on initially. */
bool bl_grad_enable(bool on);

/*
 * The precision of the factors in the matrix products of bl_linear.  With BF16, each factor is rounded to the nearest
 * bfloat16 (8 bits of significand) for the product.  Sums, results and parameters are always float32.
 */
typedef enum bl_precision { BL_PRECISION_FLOAT32, BL_PRECISION_BF16 } bl_precision;
/*
 * Sets the precision for bl_linear on the calling thread, and for the backward passes of these calls.  Returns the
 * previous precision, which is float32 initially.
 */
bl_precision bl_grad_precision(bl_precision p);

/* Elementwise functions.  Functions of several tensors broadcast their shapes as NumPy does. */
bl_tensor *bl_add(bl_tensor *a, bl_tensor *b);
bl_tensor *bl_sub(bl_tensor *a, bl_tensor *b);
bl_tensor *bl_mul(bl_tensor *a, bl_tensor *b);
bl_tensor *bl_div(bl_tensor *a, bl_tensor *b);
bl_tensor *bl_affine(bl_tensor *a, float scale, float shift); /* scale * a + shift */
bl_tensor *bl_pow(bl_tensor *a, float exponent);              /* the exponent is a constant */
bl_tensor *bl_exp(bl_tensor *a);
bl_tensor *bl_log(bl_tensor *a);
bl_tensor *bl_sqrt(bl_tensor *a);
bl_tensor *bl_abs(bl_tensor *a);
bl_tensor *bl_tanh(bl_tensor *a);
bl_tensor *bl_sigmoid(bl_tensor *a); /* 1 / (1 + exp(-a)) */
bl_tensor *bl_relu(bl_tensor *a);
bl_tensor *bl_clamp(bl_tensor *a, float lo, float hi); /* min(max(a, lo), hi); NULL with bl_error: lo > hi */
bl_tensor *bl_maximum(bl_tensor *a, bl_tensor *b);     /* where a = b, a gets the whole gradient */
bl_tensor *bl_minimum(bl_tensor *a, bl_tensor *b);

/*
 * bl_compare: 1 where the comparison is true, otherwise 0, with broadcasting; the result has no gradient.  The logical
 * operations treat every value except 0 as true.  NaN is not equal to any value, not even to NaN.
 */
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
/* a where mask is not 0, otherwise b, with broadcasting of all three. */
bl_tensor *bl_where(bl_tensor *mask, bl_tensor *a, bl_tensor *b);

/* Matrix product: (M,K) x (K,N) -> (M,N). */
bl_tensor *bl_mm(bl_tensor *a, bl_tensor *b);
/* As bl_mm, but also for vectors: (M,K) x (K) -> (M), (K) x (K,N) -> (N), (K) x (K) -> a scalar. */
bl_tensor *bl_matmul(bl_tensor *a, bl_tensor *b);
/* x (N,I), w (O,I), b (O) or NULL -> (N,O) = x w^T + b */
bl_tensor *bl_linear(bl_tensor *x, bl_tensor *w, bl_tensor *b);

/*
 * Reductions along dim.  The result has size 1 in dim if keepdim is set; otherwise dim is removed.  dim = BL_ALL
 * reduces all dimensions to a scalar.  unbiased: the divisor is n - 1 instead of n.
 */
enum { BL_ALL = 1000 };
bl_tensor *bl_sum(bl_tensor *a, int dim, bool keepdim);
bl_tensor *bl_mean(bl_tensor *a, int dim, bool keepdim);
bl_tensor *bl_var(bl_tensor *a, int dim, bool keepdim, bool unbiased);
bl_tensor *bl_std(bl_tensor *a, int dim, bool keepdim, bool unbiased);
bl_tensor *bl_max(bl_tensor *a, int dim, bool keepdim); /* the first of several largest elements gets the gradient */
bl_tensor *bl_min(bl_tensor *a, int dim, bool keepdim);

bl_tensor *bl_cumsum(bl_tensor *a, int dim); /* cumulative sums along dim; the result has a's shape */
/* (sum |x|^p)^(1/p) for p > 0; p = INFINITY: the largest |x|.  For p = 2 the gradient at 0 is 0. */
bl_tensor *bl_norm(bl_tensor *a, double p, int dim, bool keepdim);

/*
 * bl_sort sorts along dim in ascending or descending order.  *places becomes a new tensor of the result's shape with
 * the index that each element had in a.  The sort is stable, and NaN counts as the largest value.  bl_topk returns the
 * first k elements of the descending order (`largest`) or of the ascending order, and their indices.
 */
bl_tensor *bl_sort(bl_tensor *a, int dim, bool descend, bl_tensor **places);
bl_tensor *bl_topk(bl_tensor *a, int64_t k, int dim, bool largest, bl_tensor **places);

/*
 * Linear algebra, computed in double precision.  It is an error if a matrix has elements that are not finite, or does
 * not have a property that the function needs: symmetry (it may differ from its transpose by at most 1e-4 of its
 * largest element), positive definiteness, or invertibility.
 */
bl_tensor *bl_linalg_solve(bl_tensor *a, bl_tensor *b); /* a (N,N), b (N) or (N,M) -> x of b's shape, a x = b */
bl_tensor *bl_linalg_inverse(bl_tensor *a);             /* (N,N) -> (N,N) */
bl_tensor *bl_linalg_cholesky(bl_tensor *a);            /* L (N,N), lower triangular, with a = L L^T */
/*
 * The eigenvalues (N) of a symmetric matrix (N,N), in ascending order.  Unless vectors is NULL, *vectors becomes a new
 * tensor (N,N) without gradient, whose column k is the eigenvector of eigenvalue k.
 */
bl_tensor *bl_linalg_eigh(bl_tensor *a, bl_tensor **vectors);
/*
 * The singular values s (K) of a (M,N), in descending order: a = u diag(s) vt with K = min(M,N).  Unless u or vt is
 * NULL, *u becomes a new tensor (M,K), and *vt a new tensor (K,N), without gradients.
 */
bl_tensor *bl_linalg_svd(bl_tensor *a, bl_tensor **u, bl_tensor **vt);

/* Shapes.  From bl_transpose to bl_expand, the result is a view of a if a's strides allow it, otherwise a copy. */
bl_tensor *bl_transpose(bl_tensor *a, int d0, int d1);
bl_tensor *bl_permute(bl_tensor *a, const int *order);               /* dimension d is a's dimension order[d] */
bl_tensor *bl_reshape(bl_tensor *a, int ndim, const int64_t *shape); /* one size may be -1, and is computed then */
bl_tensor *bl_flatten(bl_tensor *a); /* (N,...) -> (N,-1); a channels-last image, too, in the order (C,H,W) */
bl_tensor *bl_narrow(bl_tensor *a, int dim, int64_t start, int64_t length); /* indices start..start+length-1 of dim */
bl_tensor *bl_select(bl_tensor *a, int dim, int64_t index);                 /* one index of dim, which is removed */
bl_tensor *bl_expand(bl_tensor *a, int ndim, const int64_t *shape);         /* broadcasts a to that shape */
bl_tensor *bl_index_rows(bl_tensor *a, const int64_t *rows, int64_t n);     /* (R,...) -> (n,...) */
/*
 * y[i,j,k] = a[i,places[i,j,k],k] if dim is 1, and accordingly for other dims.  y is a copy and has the shape of
 * places, which may be smaller than a in the dimensions other than dim.
 */
bl_tensor *bl_gather(bl_tensor *a, int dim, bl_tensor *places);
bl_tensor *bl_masked_select(bl_tensor *a, const bl_tensor *mask); /* (n): the elements of a where mask is not 0 */
bl_tensor *bl_cat(bl_tensor *const *parts, int n, int dim);       /* along dim; the other sizes have to be equal */
bl_tensor *bl_stack(bl_tensor *const *parts, int n, int dim);     /* of equal shapes, along a new dimension dim */
bl_tensor *bl_flip(bl_tensor *a, int dim);                        /* a copy, with dim in reverse order */
bl_tensor *bl_diag(bl_tensor *a);                                 /* (N,N) -> (N): the diagonal; or (N) -> (N,N) */

/* Operations of networks.  Images are (N,C,H,W). */
typedef struct bl_conv_shape {
	int stride, padding, groups; /* stride and padding in pixels, equal for height and width */
	int dilation;                /* distance between adjacent taps of the kernel in pixels; 0 counts as 1 */
} bl_conv_shape;
/*
 * x (N,C,H,W), w (K,C/groups,R,S), b (K) or NULL -> (N,K,P,Q), P = (H + 2 padding - dilation (R - 1) - 1) / stride + 1,
 * rounded down, and Q likewise from W and S.
 */
bl_tensor *bl_conv2d(bl_tensor *x, bl_tensor *w, bl_tensor *b, bl_conv_shape s);
/*
 * As bl_conv2d, but computed with this algorithm in all directions.  Another algorithm is used if this one does not
 * support the shape, or if bl_conv_force forces another one.
 */
bl_tensor *bl_conv2d_by(bl_tensor *x, bl_tensor *w, bl_tensor *b, bl_conv_shape s, bl_conv_algorithm algorithm);

typedef struct bl_norm_args {
	bl_tensor *gamma, *beta;               /* (C) each; both NULL: no affine part */
	bl_tensor *running_mean, *running_var; /* (C) each, updated if training; both NULL: no running statistics */
	bool training;                         /* true: normalise by batch statistics; false: by running statistics */
	float momentum, eps;                   /* in PyTorch .1 and 1e-5; running_var uses the unbiased variance */
	bl_tensor *residual;                   /* of x's shape, added after the affine part; or NULL */
	bool relu;                             /* apply max(0, x) last */
} bl_norm_args;
/*
 * Batch normalisation (Ioffe and Szegedy 2015, arXiv 1502.03167) of x (N,C) or (N,C,H,W) over all dimensions except C.
 * The residual is added, and ReLU applied, in the same passes over memory.
 */
bl_tensor *bl_batchnorm(bl_tensor *x, const bl_norm_args *args);

/*
 * (N,C,H,W) -> (N,C,P,Q), P = (H + 2 padding - kernel) / stride + 1, rounded down; padding is at most half the
 * kernel.
 */
bl_tensor *bl_maxpool2d(bl_tensor *x, int kernel, int stride, int padding);
/* The shapes are those of bl_maxpool2d.  The mean includes the padding as zeros, which is PyTorch's default. */
bl_tensor *bl_avgpool2d(bl_tensor *x, int kernel, int stride, int padding);
bl_tensor *bl_global_avgpool(bl_tensor *x); /* (N,C,H,W) -> (N,C,1,1) */

/* A scalar: the mean of -log softmax(logits)[label] over the rows.  logits (N,K), labels (N) in 0..K-1. */
bl_tensor *bl_cross_entropy(bl_tensor *logits, const int32_t *labels);

/*
 * Records an operation that the caller has computed: out is its result, and inputs are its n arguments.  The callback
 * `backward` receives dout, the gradient with respect to out, and calls bl_grad_add for each input that requires a
 * gradient; it returns 0, or negative with bl_error.  release(ctx), unless NULL, is called when the node is freed, or
 * before this function returns if it fails or nothing has to be recorded.  name has to outlive the graph.  0, or
 * negative with bl_error.
 */
typedef int bl_backward_fn(void *ctx, bl_tensor *const *inputs, const bl_tensor *out, const bl_tensor *dout);
int bl_grad_record(bl_tensor *out, const char *name, bl_tensor *const *inputs, int n, bl_backward_fn *backward, void *ctx,
                   void (*release)(void *));
/* Is recording on, and does at least one of these inputs require a gradient? */
bool bl_grad_wanted(bl_tensor *const *inputs, int n);
/* Adds g, of t's shape, to t's gradient, or does nothing if t requires none.  0, or negative with bl_error. */
int bl_grad_add(bl_tensor *t, const bl_tensor *g);

/*
 * Checks gradients.  f computes a new tensor from the n inputs.  The gradient of sum(f(inputs) * fixed random weights)
 * with respect to every input that requires a gradient is compared, element by element, with the central difference of
 * step h. Returns the largest |analytic - numeric| / max(1, |analytic|, |numeric|), or a negative number with bl_error.
 */
typedef bl_tensor *bl_gradcheck_fn(void *ctx, bl_tensor *const *inputs);
double bl_gradcheck(bl_gradcheck_fn *f, void *ctx, bl_tensor *const *inputs, int n, float h);

/* The names of the operations, NULL-terminated, static. */
const char *const *bl_op_names(void);

#endif
