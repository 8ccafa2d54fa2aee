/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_gradcheck.c: the gradient of every operation, compared with central differences.
 *
 * There is one test for each name of bl_op_names(); a name without a case fails.
 *
 * The step h of the differences: numbers of size 1 have a rounding error of 6e-8 in float32, so a difference quotient has an
 * error of about 6e-8 / h from rounding, and of h^2 / 6 times the third derivative from truncation.  Both are about 1e-5 at
 * h = 1e-2.
 */
#include "support.h"

#include "tensor/conv/conv.h"

#include <barlow/error.h>
#include <barlow/grad.h>
#include <barlow/loss.h>
#include <barlow/random.h>

#include <math.h>
#include <string.h>

static const float STEP = 1e-2f;
static const float WIDE_STEP = .5f; /* for functions that are linear in each input, which have no truncation error */
static const double BOUND = 1e-3;

enum { INPUTS = 4, MOST = 4096 /* elements of an input */ };

/* The numbers of an input; their distance from kinks (of abs, relu, max ...) must be larger than a step. */
enum numbers {
	NONE,      /* no further input */
	SMOOTH,    /* -1 .. 1 */
	POSITIVE,  /* .5 .. 2 */
	SPREAD,    /* odd multiples of .05 in random order: distinct, not 0, and not multiples of .1 */
	SPREAD_TOO /* like SPREAD, but .025 higher, so that no number is in both */
};

/* The layout of an input in memory. */
enum layout {
	ROWS,
	TURNED, /* the last two dimensions swapped */
	GAPS,   /* part of a larger array */
	PIXELS  /* channels-last */
};

typedef struct input {
	enum numbers numbers;
	enum layout layout;
	int ndim;
	int64_t shape[BL_MAXDIM];
} input;

#define NDIM(...) (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))
#define IN(numbers, layout, ...) \
	{ \
		numbers, layout, NDIM(__VA_ARGS__), \
		{ \
			__VA_ARGS__ \
		} \
	}
#define SCALAR(numbers) \
	{ \
		numbers, ROWS, 0, \
		{ \
			0 \
		} \
	}

typedef struct gradient_case {
	const char *op, *what;
	bl_gradcheck_fn *f;
	input in[INPUTS];
} gradient_case;

/* name(x) is an expression of the inputs; STEPS declares an intermediate tensor t. */
#define F(name, ...) \
	static bl_tensor *name(void *ctx, bl_tensor *const *x) \
	{ \
		(void)ctx; \
		return __VA_ARGS__; \
	}
#define STEPS(name, first, ...) \
	static bl_tensor *name(void *ctx, bl_tensor *const *x) \
	{ \
		(void)ctx; \
		bl_tensor *t = first, *y = t ? __VA_ARGS__ : NULL; \
		bl_tensor_unref(t); \
		return y; \
	}
#define SHAPE(...) \
	NDIM(__VA_ARGS__), (int64_t[]) \
	{ \
		__VA_ARGS__ \
	}

F(f_add, bl_add(x[0], x[1]))
F(f_add_self, bl_add(x[0], x[0]))
F(f_sub, bl_sub(x[0], x[1]))
F(f_sub_self, bl_sub(x[0], x[0]))
F(f_mul, bl_mul(x[0], x[1]))
F(f_mul_self, bl_mul(x[0], x[0]))
STEPS(f_mul_turned_self, bl_transpose(x[0], 0, 1), bl_mul(x[0], t))
F(f_div, bl_div(x[0], x[1]))
F(f_affine, bl_affine(x[0], -1.5f, .25f))
F(f_square, bl_pow(x[0], 2))
F(f_cube, bl_pow(x[0], 3))
F(f_inverse, bl_pow(x[0], -1))
F(f_root, bl_pow(x[0], .5f))
F(f_first_power, bl_pow(x[0], 1))
F(f_zeroth_power, bl_pow(x[0], 0))
F(f_exp, bl_exp(x[0]))
F(f_log, bl_log(x[0]))
F(f_sqrt, bl_sqrt(x[0]))
F(f_abs, bl_abs(x[0]))
F(f_tanh, bl_tanh(x[0]))
F(f_sigmoid, bl_sigmoid(x[0]))
F(f_relu, bl_relu(x[0]))
F(f_clamp, bl_clamp(x[0], -.3f, .4f))
F(f_maximum, bl_maximum(x[0], x[1]))
F(f_minimum, bl_minimum(x[0], x[1]))
F(f_mm, bl_mm(x[0], x[1]))
F(f_mm_self, bl_mm(x[0], x[0]))
STEPS(f_gram, bl_transpose(x[0], 0, 1), bl_mm(t, x[0]))
F(f_linear, bl_linear(x[0], x[1], x[2]))
F(f_linear_bare, bl_linear(x[0], x[1], NULL))
F(f_sum_all, bl_sum(x[0], BL_ALL, false))
F(f_sum_0, bl_sum(x[0], 0, false))
F(f_sum_1_keep, bl_sum(x[0], 1, true))
F(f_sum_last, bl_sum(x[0], -1, false))
F(f_mean_all, bl_mean(x[0], BL_ALL, true))
F(f_mean_0, bl_mean(x[0], 0, true))
F(f_mean_1, bl_mean(x[0], 1, false))
F(f_var_all, bl_var(x[0], BL_ALL, false, true))
F(f_var_0, bl_var(x[0], 0, false, true))
F(f_var_1_biased, bl_var(x[0], 1, true, false))
F(f_std_all, bl_std(x[0], BL_ALL, true, false))
F(f_std_0, bl_std(x[0], 0, true, true))
F(f_std_1, bl_std(x[0], 1, false, false))
F(f_max_all, bl_max(x[0], BL_ALL, false))
F(f_max_all_keep, bl_max(x[0], BL_ALL, true))
F(f_max_0, bl_max(x[0], 0, false))
F(f_max_1_keep, bl_max(x[0], 1, true))
F(f_min_all, bl_min(x[0], BL_ALL, false))
F(f_min_all_keep, bl_min(x[0], BL_ALL, true))
F(f_min_0, bl_min(x[0], 0, false))
F(f_min_1_keep, bl_min(x[0], 1, true))
F(f_transpose, bl_transpose(x[0], 0, -1))
F(f_permute, bl_permute(x[0], (int[]){ 2, 0, 1 }))
F(f_narrow, bl_narrow(x[0], 1, 1, 2))
F(f_select, bl_select(x[0], 1, 2))
STEPS(f_part_of_turned, bl_transpose(x[0], 0, 1), bl_narrow(t, 0, 1, 2))
F(f_reshape, bl_reshape(x[0], SHAPE(2, -1)))
F(f_reshape_scalar, bl_reshape(x[0], 0, NULL))
STEPS(f_reshape_turned, bl_transpose(x[0], 0, 1), bl_reshape(t, SHAPE(-1)))
STEPS(f_reshape_square, bl_reshape(x[0], SHAPE(-1)), bl_mul(t, t))
F(f_flatten, bl_flatten(x[0]))
F(f_expand, bl_expand(x[0], SHAPE(2, 3, 4)))
F(f_index_rows, bl_index_rows(x[0], (int64_t[]){ 2, 0, 2, 2 }, 4))
F(f_cat_0, bl_cat(x, 2, 0))
F(f_cat_1, bl_cat(x, 3, 1))
F(f_cat_self, bl_cat((bl_tensor *[]){ x[0], x[1], x[0], x[1], x[0] }, 5, -1))
F(f_diag, bl_diag(x[0]))
F(f_flip, bl_flip(x[0], -1))
F(f_flip_0, bl_flip(x[0], 0))
/* The indices are a constant. */
static bl_tensor *gathered(bl_tensor *a, int dim, int64_t n, int64_t m, const float *places)
{
	bl_tensor *p = bl_tensor_from(2, (int64_t[]){ n, m }, places), *y = bl_gather(a, dim, p);
	bl_tensor_unref(p);
	return y;
}
F(f_gather_0, gathered(x[0], 0, 2, 3, (float[]){ 2, 0, 2, 2, 1, 0 }))
F(f_gather_1, gathered(x[0], 1, 3, 5, (float[]){ 0, 0, 3, 1, 0, 2, 2, 2, 2, 2, 1, 0, 3, 2, 1 }))

/* Only the values of sort (descending) and of topk. */
static bl_tensor *ordered(bl_tensor *a, int64_t k, int dim, bool descend)
{
	bl_tensor *places = NULL, *y = k ? bl_topk(a, k, dim, descend, &places) : bl_sort(a, dim, descend, &places);
	bl_tensor_unref(places);
	return y;
}
F(f_sort, ordered(x[0], 0, -1, false))
F(f_sort_0, ordered(x[0], 0, 0, true))
F(f_topk, ordered(x[0], 2, 1, true))
F(f_topk_least, ordered(x[0], 3, 0, false))
STEPS(f_masked_select, bl_compare(BL_GT, x[0], x[1]), bl_masked_select(x[0], t))
STEPS(f_where, bl_compare(BL_LT, x[0], x[1]), bl_where(t, x[0], x[1]))
F(f_cumsum, bl_cumsum(x[0], -1))
F(f_cumsum_0, bl_cumsum(x[0], 0))
STEPS(f_cumsum_twice, bl_cumsum(x[0], 1), bl_mul(t, x[0]))
F(f_norm_all, bl_norm(x[0], 2, BL_ALL, false))
F(f_norm_all_keep, bl_norm(x[0], 2, BL_ALL, true))
F(f_norm_0, bl_norm(x[0], 2, 0, false))
F(f_norm_1_keep, bl_norm(x[0], 2, 1, true))
STEPS(f_normalised, bl_norm(x[0], 2, 1, true), bl_div(x[0], t))
F(f_norm_one, bl_norm(x[0], 1, 1, false))
F(f_norm_three, bl_norm(x[0], 3, BL_ALL, false))
F(f_norm_most, bl_norm(x[0], INFINITY, 0, false))
F(f_matmul, bl_matmul(x[0], x[1]))
F(f_stack, bl_stack(x, 2, 1))
F(f_stack_last, bl_stack((bl_tensor *[]){ x[0], x[1], x[0], x[1], x[0] }, 5, -1))
/* x + 3 I, which is well conditioned, and x x^T + I, which is symmetric and positive definite. */
static bl_tensor *with_diagonal(bl_tensor *x, float d)
{
	bl_tensor *v = bl_tensor_full(1, (int64_t[]){ bl_tensor_size(x, 0) }, d), *m = bl_diag(v), *y = bl_add(x, m);
	bl_tensor_unref(v);
	bl_tensor_unref(m);
	return y;
}
static bl_tensor *positive(bl_tensor *x)
{
	bl_tensor *turned = bl_transpose(x, 0, 1), *m = bl_mm(x, turned), *y = with_diagonal(m, 1);
	bl_tensor_unref(turned);
	bl_tensor_unref(m);
	return y;
}
STEPS(f_solve, with_diagonal(x[0], 3), bl_linalg_solve(t, x[1]))
STEPS(f_matrix_inverse, with_diagonal(x[0], 3), bl_linalg_inverse(t))
STEPS(f_cholesky, positive(x[0]), bl_linalg_cholesky(t))
STEPS(f_eigh, positive(x[0]), bl_linalg_eigh(t, NULL))
F(f_svd, bl_linalg_svd(x[0], NULL, NULL))
F(f_conv, bl_conv2d(x[0], x[1], x[2], (bl_conv_shape){ 1, 1, 1, 1 }))
F(f_conv_bare, bl_conv2d(x[0], x[1], NULL, (bl_conv_shape){ 1, 0, 1, 1 }))
F(f_conv_strided, bl_conv2d(x[0], x[1], x[2], (bl_conv_shape){ 2, 1, 1, 1 }))
F(f_conv_stride_3, bl_conv2d(x[0], x[1], NULL, (bl_conv_shape){ 3, 2, 1, 1 }))
F(f_conv_groups, bl_conv2d(x[0], x[1], x[2], (bl_conv_shape){ 1, 1, 2, 1 }))
F(f_conv_dilated, bl_conv2d(x[0], x[1], x[2], (bl_conv_shape){ 1, 2, 1, 2 }))
F(f_conv_dilated_groups, bl_conv2d(x[0], x[1], NULL, (bl_conv_shape){ 2, 2, 2, 3 }))
F(f_conv_depthwise, bl_conv2d(x[0], x[1], NULL, (bl_conv_shape){ 2, 1, 4, 1 }))
F(f_maxpool, bl_maxpool2d(x[0], 2, 2, 0))
F(f_maxpool_overlap, bl_maxpool2d(x[0], 3, 2, 1))
F(f_avgpool, bl_avgpool2d(x[0], 2, 2, 0))
F(f_avgpool_overlap, bl_avgpool2d(x[0], 3, 2, 1))
F(f_global, bl_global_avgpool(x[0]))
F(f_cross_entropy, bl_cross_entropy(x[0], (int32_t[]){ 3, 0, 1 }))
STEPS(f_cross_entropy_scaled, bl_cross_entropy(x[0], (int32_t[]){ 0, 0, 4 }), bl_affine(t, -2, 0))

/* Batch norm.  Each case has its own statistics for evaluation, and running statistics that are updated. */
static bl_tensor *norm(bl_tensor *const *x, bool affine, bool running, bl_norm_args a)
{
	int64_t channels = bl_tensor_size(x[0], 1);
	a.eps = 1e-5f;
	a.momentum = .1f;
	a.gamma = affine ? x[1] : NULL;
	a.beta = affine ? x[2] : NULL;
	a.running_mean = running ? bl_tensor_full(1, &channels, .1f) : NULL;
	a.running_var = running ? bl_tensor_full(1, &channels, .7f) : NULL;
	bl_tensor *y = bl_batchnorm(x[0], &a);
	bl_tensor_unref(a.running_mean);
	bl_tensor_unref(a.running_var);
	return y;
}

F(f_norm, norm(x, true, false, (bl_norm_args){ .training = true }))
F(f_norm_running, norm(x, true, true, (bl_norm_args){ .training = true }))
F(f_norm_plain, norm(x, false, false, (bl_norm_args){ .training = true }))
F(f_norm_eval, norm(x, true, true, (bl_norm_args){ .training = false }))
F(f_norm_eval_plain, norm(x, false, true, (bl_norm_args){ .training = false }))
F(f_norm_relu, norm(x, true, true, (bl_norm_args){ .training = true, .relu = true }))
F(f_norm_eval_relu, norm(x, true, true, (bl_norm_args){ .training = false, .relu = true }))
F(f_norm_residual, norm(x, true, false, (bl_norm_args){ .training = true, .residual = x[3] }))
F(f_norm_residual_relu, norm(x, true, false, (bl_norm_args){ .training = true, .residual = x[3], .relu = true }))
F(f_norm_residual_self, norm(x, false, false, (bl_norm_args){ .training = true, .residual = x[0] }))
/* The input is not a leaf: its gradient may be written over the gradient of the result, unless that is used elsewhere. */
STEPS(f_norm_between, bl_affine(x[0], -1.5f, .25f),
      norm((bl_tensor *[]){ t, x[1], x[2] }, true, false, (bl_norm_args){ .training = true }))
STEPS(f_norm_between_self, bl_affine(x[0], -1.5f, .25f), norm(&t, false, false, (bl_norm_args){ .training = true, .residual = t }))

/* The sum of two norms; both receive the same gradient. */
static bl_tensor *two_norms(bl_tensor *t, bl_tensor *u)
{
	bl_tensor *a = norm(&t, false, false, (bl_norm_args){ .training = true });
	bl_tensor *b = norm(&u, false, false, (bl_norm_args){ .training = true, .residual = u });
	bl_tensor *sum = a && b ? bl_add(a, b) : NULL;
	bl_tensor_unref(a);
	bl_tensor_unref(b);
	return sum;
}
STEPS(f_norm_twice, bl_affine(x[0], -1.5f, .25f), two_norms(t, t))
STEPS(f_norm_two, bl_affine(x[0], -1.5f, .25f), two_norms(t, x[1]))
F(f_norm_eval_residual, norm(x, true, true, (bl_norm_args){ .residual = x[3], .relu = true }))

/* The loss, in all its forms. */
/* clang-format off */
#define LOSS(name, form, dialect)                                                                   \
	F(name, bl_barlow(&(bl_barlow_config){ .1, .5, form, dialect, 1 }, x[0], x[1], NULL))
/* clang-format on */
LOSS(f_loss_direct, BL_FORM_DIRECT, BL_DIALECT_PAPER)
LOSS(f_loss_direct_1, BL_FORM_DIRECT, BL_DIALECT_ALGORITHM1)
LOSS(f_loss_direct_unbiased, BL_FORM_DIRECT, BL_DIALECT_UNBIASED)
LOSS(f_loss_direct_hsic, BL_FORM_DIRECT, BL_DIALECT_HSIC)
LOSS(f_loss_gram, BL_FORM_GRAM, BL_DIALECT_PAPER)
LOSS(f_loss_gram_1, BL_FORM_GRAM, BL_DIALECT_ALGORITHM1)
LOSS(f_loss_gram_unbiased, BL_FORM_GRAM, BL_DIALECT_UNBIASED)
F(f_loss_direct_weighted, bl_barlow(&(bl_barlow_config){ .1, .5, BL_FORM_DIRECT, BL_DIALECT_PAPER, 2.5 }, x[0], x[1], NULL))
F(f_loss_gram_weighted, bl_barlow(&(bl_barlow_config){ .1, .5, BL_FORM_GRAM, BL_DIALECT_HSIC, 2.5 }, x[0], x[1], NULL))
LOSS(f_loss_gram_hsic, BL_FORM_GRAM, BL_DIALECT_HSIC)

/* A custom operation: x^3, whose derivative is `factor` times x^2. */
static int cube_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	(void)out;
	bl_tensor *square = bl_pow(in[0], 2), *slope = bl_affine(square, *(float *)ctx, 0);
	bl_tensor *g = bl_mul(slope, (bl_tensor *)dout);
	int rc = bl_grad_add(in[0], g);
	bl_tensor_unref(square);
	bl_tensor_unref(slope);
	bl_tensor_unref(g);
	return rc;
}

static bl_tensor *cube(bl_tensor *const *x, float *factor)
{
	bool was = bl_grad_enable(false);
	bl_tensor *y = bl_pow(x[0], 3);
	bl_grad_enable(was);
	assert_int_equal(bl_grad_record(y, "cube", x, 1, cube_back, factor, NULL), 0);
	return y;
}

static float three = 3, wrong = 3.1f;
F(f_custom, cube(x, &three))
F(f_custom_wrong, cube(x, &wrong))

static const gradient_case cases[] = {
	{ "add", "same shape", f_add, { IN(SMOOTH, ROWS, 3, 4), IN(SMOOTH, ROWS, 3, 4) } },
	{ "add", "a row", f_add, { IN(SMOOTH, ROWS, 3, 4), IN(SMOOTH, ROWS, 4) } },
	{ "add", "a column first", f_add, { IN(SMOOTH, ROWS, 3, 1), IN(SMOOTH, TURNED, 3, 4) } },
	{ "add", "a scalar", f_add, { SCALAR(SMOOTH), IN(SMOOTH, GAPS, 2, 5) } },
	{ "add", "a scalar second", f_add, { IN(SMOOTH, PIXELS, 2, 2, 1, 2), SCALAR(SMOOTH) } },
	{ "add", "outer", f_add, { IN(SMOOTH, ROWS, 3, 1), IN(SMOOTH, ROWS, 1, 4) } },
	{ "add", "itself", f_add_self, { IN(SMOOTH, TURNED, 3, 4) } },
	{ "add", "images of both orders", f_add, { IN(SMOOTH, PIXELS, 2, 3, 2, 2), IN(SMOOTH, ROWS, 2, 3, 2, 2) } },
	{ "sub", "same shape", f_sub, { IN(SMOOTH, ROWS, 3, 4), IN(SMOOTH, TURNED, 3, 4) } },
	{ "sub", "a row", f_sub, { IN(SMOOTH, ROWS, 3, 4), IN(SMOOTH, ROWS, 1, 4) } },
	{ "sub", "from a column", f_sub, { IN(SMOOTH, ROWS, 3, 1), IN(SMOOTH, ROWS, 3, 4) } },
	{ "sub", "itself", f_sub_self, { IN(SMOOTH, ROWS, 3) } },
	{ "mul", "same shape", f_mul, { IN(SMOOTH, ROWS, 3, 4), IN(SMOOTH, GAPS, 3, 4) } },
	{ "mul", "a row", f_mul, { IN(SMOOTH, ROWS, 5, 3), IN(SMOOTH, ROWS, 3) } },
	{ "mul", "a column", f_mul, { IN(SMOOTH, ROWS, 5, 3), IN(SMOOTH, ROWS, 5, 1) } },
	{ "mul", "channels", f_mul, { IN(SMOOTH, PIXELS, 2, 3, 2, 2), IN(SMOOTH, ROWS, 1, 3, 1, 1) } },
	{ "mul", "middle and ends", f_mul, { IN(SMOOTH, ROWS, 2, 1, 3), IN(SMOOTH, ROWS, 1, 4, 1) } },
	{ "mul", "itself", f_mul_self, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "mul", "itself turned", f_mul_turned_self, { IN(SMOOTH, ROWS, 3, 3) } },
	{ "div", "same shape", f_div, { IN(SMOOTH, ROWS, 3, 4), IN(POSITIVE, ROWS, 3, 4) } },
	{ "div", "by a row", f_div, { IN(SMOOTH, ROWS, 3, 4), IN(POSITIVE, ROWS, 4) } },
	{ "div", "by a scalar", f_div, { IN(SMOOTH, ROWS, 3, 2), SCALAR(POSITIVE) } },
	{ "div", "a column by a row", f_div, { IN(SMOOTH, ROWS, 3, 1), IN(POSITIVE, ROWS, 2) } },
	{ "affine", "matrix", f_affine, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "affine", "strided", f_affine, { IN(SMOOTH, GAPS, 3, 4) } },
	{ "pow", "2", f_square, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "pow", "3", f_cube, { IN(SMOOTH, TURNED, 3, 4) } },
	{ "pow", "-1", f_inverse, { IN(POSITIVE, ROWS, 3, 4) } },
	{ "pow", "1/2", f_root, { IN(POSITIVE, ROWS, 3, 4) } },
	{ "pow", "1", f_first_power, { IN(SMOOTH, ROWS, 3) } },
	{ "pow", "0", f_zeroth_power, { IN(SMOOTH, ROWS, 3) } },
	{ "exp", "matrix", f_exp, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "exp", "strided", f_exp, { IN(SMOOTH, TURNED, 3, 4) } },
	{ "log", "matrix", f_log, { IN(POSITIVE, ROWS, 3, 4) } },
	{ "sqrt", "matrix", f_sqrt, { IN(POSITIVE, ROWS, 3, 4) } },
	{ "abs", "matrix", f_abs, { IN(SPREAD, ROWS, 3, 4) } },
	{ "tanh", "matrix", f_tanh, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "sigmoid", "matrix", f_sigmoid, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "relu", "matrix", f_relu, { IN(SPREAD, ROWS, 3, 4) } },
	{ "relu", "images", f_relu, { IN(SPREAD, PIXELS, 2, 3, 2, 2) } },
	{ "clamp", "matrix", f_clamp, { IN(SPREAD, ROWS, 3, 5) } },
	{ "maximum", "same shape", f_maximum, { IN(SPREAD, ROWS, 3, 5), IN(SPREAD_TOO, ROWS, 3, 5) } },
	{ "maximum", "of a row", f_maximum, { IN(SPREAD, ROWS, 5), IN(SPREAD_TOO, ROWS, 3, 5) } },
	{ "minimum", "same shape", f_minimum, { IN(SPREAD, ROWS, 3, 5), IN(SPREAD_TOO, ROWS, 3, 5) } },
	{ "minimum", "of a row", f_minimum, { IN(SPREAD, ROWS, 5), IN(SPREAD_TOO, ROWS, 3, 5) } },
	{ "mm", "plain", f_mm, { IN(SMOOTH, ROWS, 3, 4), IN(SMOOTH, ROWS, 4, 2) } },
	{ "mm", "turned", f_mm, { IN(SMOOTH, TURNED, 3, 4), IN(SMOOTH, TURNED, 4, 2) } },
	{ "mm", "gaps", f_mm, { IN(SMOOTH, GAPS, 3, 4), IN(SMOOTH, TURNED, 4, 5) } },
	{ "mm", "row by column", f_mm, { IN(SMOOTH, ROWS, 1, 5), IN(SMOOTH, ROWS, 5, 1) } },
	{ "mm", "column by row", f_mm, { IN(SMOOTH, TURNED, 4, 1), IN(SMOOTH, GAPS, 1, 3) } },
	{ "mm", "itself", f_mm_self, { IN(SMOOTH, ROWS, 3, 3) } },
	{ "mm", "its own transpose", f_gram, { IN(SMOOTH, ROWS, 4, 3) } },
	{ "linear", "with bias", f_linear, { IN(SMOOTH, ROWS, 4, 3), IN(SMOOTH, ROWS, 2, 3), IN(SMOOTH, ROWS, 2) } },
	{ "linear", "without", f_linear_bare, { IN(SMOOTH, TURNED, 4, 3), IN(SMOOTH, GAPS, 5, 3) } },
	{ "sum", "all", f_sum_all, { IN(SMOOTH, TURNED, 2, 3, 4) } },
	{ "sum", "first", f_sum_0, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "sum", "second, kept", f_sum_1_keep, { IN(SMOOTH, PIXELS, 2, 3, 2, 2) } },
	{ "sum", "last", f_sum_last, { IN(SMOOTH, GAPS, 2, 3, 4) } },
	{ "mean", "all, kept", f_mean_all, { IN(SMOOTH, ROWS, 2, 3, 4) } },
	{ "mean", "first", f_mean_0, { IN(SMOOTH, TURNED, 3, 4) } },
	{ "mean", "second", f_mean_1, { IN(SMOOTH, ROWS, 2, 3, 4) } },
	{ "var", "all", f_var_all, { IN(SMOOTH, TURNED, 3, 4) } },
	{ "var", "first", f_var_0, { IN(SMOOTH, ROWS, 5, 3) } },
	{ "var", "second, biased, kept", f_var_1_biased, { IN(SMOOTH, PIXELS, 2, 3, 2, 2) } },
	{ "std", "all, biased, kept", f_std_all, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "std", "first, kept", f_std_0, { IN(SMOOTH, ROWS, 5, 3) } },
	{ "std", "second, biased", f_std_1, { IN(SMOOTH, TURNED, 3, 5) } },
	{ "max", "all", f_max_all, { IN(SPREAD, TURNED, 3, 4) } },
	{ "max", "all, kept", f_max_all_keep, { IN(SPREAD, ROWS, 2, 3) } },
	{ "max", "first", f_max_0, { IN(SPREAD, ROWS, 4, 3) } },
	{ "max", "second, kept", f_max_1_keep, { IN(SPREAD, PIXELS, 2, 3, 2, 2) } },
	{ "min", "all", f_min_all, { IN(SPREAD, TURNED, 3, 4) } },
	{ "min", "all, kept", f_min_all_keep, { IN(SPREAD, ROWS, 2, 3) } },
	{ "min", "first", f_min_0, { IN(SPREAD, ROWS, 4, 3) } },
	{ "min", "second, kept", f_min_1_keep, { IN(SPREAD, PIXELS, 2, 3, 2, 2) } },
	{ "view", "transpose", f_transpose, { IN(SMOOTH, ROWS, 2, 3, 4) } },
	{ "view", "permute", f_permute, { IN(SMOOTH, TURNED, 2, 3, 4) } },
	{ "view", "narrow", f_narrow, { IN(SMOOTH, PIXELS, 2, 4, 2, 2) } },
	{ "view", "select", f_select, { IN(SMOOTH, ROWS, 2, 3, 4) } },
	{ "view", "narrow of a transpose", f_part_of_turned, { IN(SMOOTH, ROWS, 2, 4) } },
	{ "reshape", "a view", f_reshape, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "reshape", "a view of gaps", f_reshape, { IN(SMOOTH, GAPS, 2, 2, 3) } },
	{ "reshape", "a copy", f_reshape_turned, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "reshape", "to a scalar", f_reshape_scalar, { IN(SMOOTH, ROWS, 1, 1) } },
	{ "reshape", "used twice", f_reshape_square, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "reshape", "flatten", f_flatten, { IN(SMOOTH, ROWS, 2, 3, 2, 2) } },
	{ "reshape", "flatten, channels-last", f_flatten, { IN(SMOOTH, PIXELS, 2, 3, 2, 2) } },
	{ "expand", "in front", f_expand, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "expand", "inside", f_expand, { IN(SMOOTH, ROWS, 2, 1, 4) } },
	{ "expand", "a scalar", f_expand, { SCALAR(SMOOTH) } },
	{ "index_rows", "matrix", f_index_rows, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "index_rows", "strided", f_index_rows, { IN(SMOOTH, TURNED, 3, 4) } },
	{ "index_rows", "images", f_index_rows, { IN(SMOOTH, PIXELS, 3, 2, 2, 2) } },
	{ "index_rows", "vector", f_index_rows, { IN(SMOOTH, ROWS, 3) } },
	{ "cat", "rows", f_cat_0, { IN(SMOOTH, ROWS, 2, 3), IN(SMOOTH, TURNED, 4, 3) } },
	{ "cat", "columns", f_cat_1, { IN(SMOOTH, ROWS, 3, 2), IN(SMOOTH, ROWS, 3, 1), IN(SMOOTH, GAPS, 3, 4) } },
	{ "cat",
	  "channels",
	  f_cat_1,
	  { IN(SMOOTH, PIXELS, 2, 2, 2, 2), IN(SMOOTH, ROWS, 2, 1, 2, 2), IN(SMOOTH, PIXELS, 2, 2, 2, 2) } },
	{ "cat", "itself, five parts", f_cat_self, { IN(SMOOTH, ROWS, 3, 2), IN(SMOOTH, ROWS, 3, 1) } },
	{ "diag", "of a matrix", f_diag, { IN(SMOOTH, ROWS, 4, 4) } },
	{ "diag", "of a strided matrix", f_diag, { IN(SMOOTH, GAPS, 3, 3) } },
	{ "diag", "of a vector", f_diag, { IN(SMOOTH, GAPS, 4) } },
	{ "flip", "columns", f_flip, { IN(SMOOTH, GAPS, 3, 4) } },
	{ "flip", "rows", f_flip_0, { IN(SMOOTH, TURNED, 3, 2) } },
	{ "flip", "images", f_flip, { IN(SMOOTH, PIXELS, 2, 3, 2, 3) } },
	{ "gather", "rows", f_gather_0, { IN(SMOOTH, GAPS, 3, 4) } },
	{ "gather", "columns", f_gather_1, { IN(SMOOTH, TURNED, 3, 4) } },
	{ "gather", "sort", f_sort, { IN(SPREAD, GAPS, 3, 5) } },
	{ "gather", "sort, descending columns", f_sort_0, { IN(SPREAD, TURNED, 4, 3) } },
	{ "gather", "topk", f_topk, { IN(SPREAD, PIXELS, 2, 4, 2, 2) } },
	{ "gather", "least", f_topk_least, { IN(SPREAD, ROWS, 6) } },
	{ "index_rows", "masked_select", f_masked_select, { IN(SPREAD, TURNED, 3, 4), IN(SPREAD_TOO, ROWS, 3, 4) } },
	{ "where", "the smaller", f_where, { IN(SPREAD, TURNED, 3, 4), IN(SPREAD_TOO, ROWS, 3, 4) } },
	{ "where", "of a row and a column", f_where, { IN(SPREAD, ROWS, 4), IN(SPREAD_TOO, ROWS, 3, 1) } },
	{ "cumsum", "rows", f_cumsum, { IN(SMOOTH, GAPS, 3, 4) } },
	{ "cumsum", "columns", f_cumsum_0, { IN(SMOOTH, TURNED, 3, 4) } },
	{ "cumsum", "images, used twice", f_cumsum_twice, { IN(SMOOTH, PIXELS, 2, 3, 2, 2) } },
	{ "norm", "all", f_norm_all, { IN(SMOOTH, TURNED, 2, 3, 4) } },
	{ "norm", "all, kept", f_norm_all_keep, { IN(SMOOTH, GAPS, 3, 4) } },
	{ "norm", "first", f_norm_0, { IN(SMOOTH, GAPS, 3, 4) } },
	{ "norm", "second, kept", f_norm_1_keep, { IN(SMOOTH, PIXELS, 2, 3, 2, 2) } },
	{ "norm", "of length 1", f_normalised, { IN(SMOOTH, TURNED, 3, 4) } },
	{ "norm", "sum of magnitudes", f_norm_one, { IN(SPREAD, ROWS, 3, 4) } },
	{ "norm", "third", f_norm_three, { IN(SPREAD, ROWS, 3, 4) } },
	{ "norm", "largest magnitude", f_norm_most, { IN(SPREAD, ROWS, 5, 2) } },
	{ "mm", "matrix by vector", f_matmul, { IN(SMOOTH, TURNED, 3, 4), IN(SMOOTH, GAPS, 4) } },
	{ "mm", "vector by matrix", f_matmul, { IN(SMOOTH, ROWS, 3), IN(SMOOTH, GAPS, 3, 4) } },
	{ "mm", "vector by vector", f_matmul, { IN(SMOOTH, ROWS, 5), IN(SMOOTH, ROWS, 5) } },
	{ "cat", "stacked", f_stack, { IN(SMOOTH, ROWS, 2, 3), IN(SMOOTH, TURNED, 2, 3) } },
	{ "cat", "five stacked at the end", f_stack_last, { IN(SMOOTH, ROWS, 3), IN(SMOOTH, GAPS, 3) } },
	{ "solve", "vector", f_solve, { IN(SMOOTH, TURNED, 3, 3), IN(SMOOTH, GAPS, 3) } },
	{ "solve", "matrix", f_solve, { IN(SMOOTH, ROWS, 3, 3), IN(SMOOTH, TURNED, 3, 2) } },
	{ "solve", "inverse", f_matrix_inverse, { IN(SMOOTH, GAPS, 3, 3) } },
	{ "cholesky", "of a product", f_cholesky, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "eigh", "of a product", f_eigh, { IN(SPREAD, TURNED, 3, 3) } },
	{ "svd", "wide", f_svd, { IN(SPREAD, GAPS, 2, 4) } },
	{ "svd", "tall", f_svd, { IN(SPREAD, ROWS, 4, 3) } },
	{ "conv2d", "3x3, bias", f_conv, { IN(SMOOTH, PIXELS, 2, 3, 5, 4), IN(SMOOTH, ROWS, 4, 3, 3, 3), IN(SMOOTH, ROWS, 4) } },
	{ "conv2d", "3x3, row-major", f_conv, { IN(SMOOTH, ROWS, 1, 2, 4, 4), IN(SMOOTH, ROWS, 3, 2, 3, 3), IN(SMOOTH, ROWS, 3) } },
	{ "conv2d", "1x1", f_conv_bare, { IN(SMOOTH, PIXELS, 2, 3, 3, 3), IN(SMOOTH, ROWS, 4, 3, 1, 1) } },
	{ "conv2d", "3x3, 16 channels", f_conv_bare, { IN(SMOOTH, PIXELS, 1, 16, 5, 4), IN(SMOOTH, ROWS, 16, 16, 3, 3) } },
	{ "conv2d", "one channel", f_conv_bare, { IN(SMOOTH, ROWS, 2, 1, 5, 5), IN(SMOOTH, ROWS, 3, 1, 3, 3) } },
	{ "conv2d", "oblong kernel", f_conv_bare, { IN(SMOOTH, PIXELS, 1, 2, 4, 5), IN(SMOOTH, ROWS, 2, 2, 2, 3) } },
	{ "conv2d",
	  "dilation 2",
	  f_conv_dilated,
	  { IN(SMOOTH, PIXELS, 2, 2, 5, 6), IN(SMOOTH, ROWS, 3, 2, 3, 3), IN(SMOOTH, ROWS, 3) } },
	{ "conv2d",
	  "oblong kernel, dilation 3, stride 2, groups",
	  f_conv_dilated_groups,
	  { IN(SMOOTH, PIXELS, 1, 4, 7, 6), IN(SMOOTH, ROWS, 2, 2, 2, 3) } },
	{ "conv2d",
	  "stride 2",
	  f_conv_strided,
	  { IN(SMOOTH, PIXELS, 2, 2, 5, 6), IN(SMOOTH, ROWS, 3, 2, 3, 3), IN(SMOOTH, ROWS, 3) } },
	{ "conv2d",
	  "1x1, stride 2, padded",
	  f_conv_strided,
	  { IN(SMOOTH, PIXELS, 2, 2, 4, 4), IN(SMOOTH, ROWS, 3, 2, 1, 1), IN(SMOOTH, ROWS, 3) } },
	{ "conv2d", "5x5, stride 3", f_conv_stride_3, { IN(SMOOTH, ROWS, 1, 2, 6, 7), IN(SMOOTH, ROWS, 2, 2, 5, 5) } },
	{ "conv2d",
	  "2 groups",
	  f_conv_groups,
	  { IN(SMOOTH, PIXELS, 1, 4, 3, 4), IN(SMOOTH, ROWS, 6, 2, 3, 3), IN(SMOOTH, ROWS, 6) } },
	{ "conv2d", "depthwise", f_conv_depthwise, { IN(SMOOTH, PIXELS, 1, 4, 4, 4), IN(SMOOTH, ROWS, 4, 1, 3, 3) } },
	{ "batchnorm", "vectors", f_norm, { IN(SMOOTH, ROWS, 6, 3), IN(SMOOTH, ROWS, 3), IN(SMOOTH, ROWS, 3) } },
	{ "batchnorm",
	  "images, running statistics",
	  f_norm_running,
	  { IN(SMOOTH, PIXELS, 2, 3, 2, 3), IN(SMOOTH, ROWS, 3), IN(SMOOTH, ROWS, 3) } },
	{ "batchnorm", "row-major images", f_norm, { IN(SMOOTH, ROWS, 2, 3, 2, 3), IN(SMOOTH, ROWS, 3), IN(SMOOTH, ROWS, 3) } },
	{ "batchnorm", "no affine part", f_norm_plain, { IN(SMOOTH, TURNED, 5, 3) } },
	{ "batchnorm", "evaluation", f_norm_eval, { IN(SMOOTH, PIXELS, 2, 3, 2, 2), IN(SMOOTH, ROWS, 3), IN(SMOOTH, ROWS, 3) } },
	{ "batchnorm", "evaluation, no affine part", f_norm_eval_plain, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "batchnorm", "relu", f_norm_relu, { IN(SPREAD, ROWS, 6, 2), IN(POSITIVE, ROWS, 2), IN(SPREAD, ROWS, 2) } },
	{ "batchnorm",
	  "evaluation, relu",
	  f_norm_eval_relu,
	  { IN(SPREAD, PIXELS, 2, 2, 2, 2), IN(POSITIVE, ROWS, 2), IN(SPREAD, ROWS, 2) } },
	{ "batchnorm",
	  "residual",
	  f_norm_residual,
	  { IN(SMOOTH, PIXELS, 2, 3, 2, 2), IN(SMOOTH, ROWS, 3), IN(SMOOTH, ROWS, 3), IN(SMOOTH, PIXELS, 2, 3, 2, 2) } },
	{ "batchnorm",
	  "residual, relu",
	  f_norm_residual_relu,
	  { IN(SPREAD, PIXELS, 2, 2, 2, 2), IN(POSITIVE, ROWS, 2), IN(SPREAD, ROWS, 2), IN(SPREAD, ROWS, 2, 2, 2, 2) } },
	{ "batchnorm", "itself as residual", f_norm_residual_self, { IN(SMOOTH, ROWS, 5, 3) } },
	{ "batchnorm", "of a result", f_norm_between, { IN(SMOOTH, ROWS, 5, 3), IN(SMOOTH, ROWS, 3), IN(SMOOTH, ROWS, 3) } },
	{ "batchnorm", "of a result, itself as residual", f_norm_between_self, { IN(SMOOTH, ROWS, 5, 3) } },
	{ "batchnorm", "two of a result, added", f_norm_twice, { IN(SMOOTH, ROWS, 5, 3) } },
	{ "batchnorm", "two, added", f_norm_two, { IN(SMOOTH, ROWS, 5, 3), IN(SMOOTH, ROWS, 5, 3) } },
	{ "batchnorm",
	  "evaluation, residual, relu",
	  f_norm_eval_residual,
	  { IN(SPREAD, ROWS, 4, 3), IN(POSITIVE, ROWS, 3), IN(SPREAD, ROWS, 3), IN(SPREAD, ROWS, 4, 3) } },
	{ "maxpool2d", "2x2", f_maxpool, { IN(SPREAD, PIXELS, 2, 2, 4, 4) } },
	{ "maxpool2d", "3x3, overlapping, padded", f_maxpool_overlap, { IN(SPREAD, ROWS, 1, 2, 5, 6) } },
	{ "avgpool2d", "2x2", f_avgpool, { IN(SMOOTH, PIXELS, 2, 2, 4, 5) } },
	{ "avgpool2d", "3x3, overlapping, padded", f_avgpool_overlap, { IN(SMOOTH, ROWS, 1, 2, 5, 6) } },
	{ "global_avgpool", "channels-last", f_global, { IN(SMOOTH, PIXELS, 2, 3, 2, 3) } },
	{ "global_avgpool", "row-major", f_global, { IN(SMOOTH, ROWS, 2, 3, 2, 3) } },
	{ "cross_entropy", "plain", f_cross_entropy, { IN(SMOOTH, ROWS, 3, 5) } },
	{ "cross_entropy", "scaled, strided", f_cross_entropy_scaled, { IN(SMOOTH, TURNED, 3, 5) } },
	{ "custom", "cube", f_custom, { IN(SMOOTH, ROWS, 3, 4) } },
	{ "correlation_loss", "direct, N > D", f_loss_direct, { IN(SMOOTH, ROWS, 6, 3), IN(SMOOTH, ROWS, 6, 3) } },
	{ "correlation_loss", "direct, N < D", f_loss_direct, { IN(SMOOTH, ROWS, 6, 8), IN(SMOOTH, TURNED, 6, 8) } },
	{ "correlation_loss", "direct, algorithm1", f_loss_direct_1, { IN(SMOOTH, ROWS, 8, 4), IN(SMOOTH, ROWS, 8, 4) } },
	{ "correlation_loss", "direct, unbiased", f_loss_direct_unbiased, { IN(SMOOTH, ROWS, 6, 3), IN(SMOOTH, ROWS, 6, 3) } },
	{ "correlation_loss", "direct, weighted", f_loss_direct_weighted, { IN(SMOOTH, ROWS, 6, 3), IN(SMOOTH, ROWS, 6, 3) } },
	{ "correlation_loss", "gram, unbiased", f_loss_gram_unbiased, { IN(SMOOTH, ROWS, 6, 8), IN(SMOOTH, ROWS, 6, 8) } },
	{ "correlation_loss", "gram, hsic, weighted", f_loss_gram_weighted, { IN(SMOOTH, ROWS, 6, 3), IN(SMOOTH, ROWS, 6, 3) } },
	{ "correlation_loss", "direct, hsic", f_loss_direct_hsic, { IN(SMOOTH, ROWS, 6, 3), IN(SMOOTH, ROWS, 6, 3) } },
	{ "correlation_loss", "gram, N > D", f_loss_gram, { IN(SMOOTH, ROWS, 6, 3), IN(SMOOTH, ROWS, 6, 3) } },
	{ "correlation_loss", "gram, N < D", f_loss_gram, { IN(SMOOTH, TURNED, 6, 8), IN(SMOOTH, ROWS, 6, 8) } },
	{ "correlation_loss", "gram, algorithm1", f_loss_gram_1, { IN(SMOOTH, ROWS, 8, 8), IN(SMOOTH, ROWS, 8, 8) } },
	{ "correlation_loss", "gram, hsic", f_loss_gram_hsic, { IN(SMOOTH, ROWS, 6, 3), IN(SMOOTH, ROWS, 6, 3) } },
};

enum { CASES = sizeof cases / sizeof cases[0] };

/* Inputs. */
static void fill_spread(float *v, int64_t n, bl_rng *r, float shift)
{
	int64_t order[MOST];
	assert_true(n <= MOST);
	for (int64_t i = 0; i < n; i++)
		order[i] = i;
	bl_rng_shuffle(r, order, n);
	for (int64_t i = 0; i < n; i++)
		v[i] = .1f * (float)(order[i] - n / 2) + .05f + shift;
}

static void fill(float *v, int64_t n, enum numbers numbers, bl_rng *r)
{
	if (numbers == SPREAD || numbers == SPREAD_TOO) {
		fill_spread(v, n, r, numbers == SPREAD ? 0 : .025f);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		v[i] = numbers == POSITIVE ? bl_rng_between(r, .5f, 2) : bl_rng_between(r, -1, 1);
}

/* A leaf with the input's shape and layout in memory. */
static bl_tensor *room_for(const input *in)
{
	int64_t shape[BL_MAXDIM];
	int last = in->ndim - 1;
	memcpy(shape, in->shape, sizeof shape);
	if (in->layout == ROWS)
		return bl_tensor_new(in->ndim, shape);
	if (in->layout == PIXELS)
		return bl_tensor_new_image(shape[0], shape[1], shape[2], shape[3]);
	if (in->layout == TURNED) {
		shape[last] = in->shape[last - 1];
		shape[last - 1] = in->shape[last];
	} else {
		shape[last] += 2;
	}
	bl_tensor *whole = bl_tensor_full(in->ndim, shape, 100);
	bool turned = in->layout == TURNED;
	bl_tensor *part = turned ? bl_transpose(whole, -1, -2) : bl_narrow(whole, last, 1, in->shape[last]);
	bl_tensor_unref(whole);
	return part;
}

static bl_tensor *input_new(const input *in, bl_rng *r)
{
	float v[MOST];
	bl_tensor *x = room_for(in);
	int64_t n = bl_tensor_count(x);
	assert_true(n <= MOST);
	fill(v, n, in->numbers, r);
	bl_tensor *values = bl_tensor_from(in->ndim, in->shape, v);
	assert_int_equal(bl_tensor_copy(x, values), 0);
	bl_tensor_unref(values);
	bl_tensor_set_requires_grad(x, true);
	return x;
}

static int inputs_of(const gradient_case *c)
{
	int n = 1;
	while (n < INPUTS && c->in[n].numbers != NONE)
		n++;
	return n;
}

/* Computes the case's function twice, of inputs that are results of an operation, so that gradients are added to existing ones. */
static bl_tensor *twice(void *ctx, bl_tensor *const *x)
{
	const gradient_case *c = ctx;
	bl_tensor *inner[INPUTS] = { NULL };
	int n = inputs_of(c);
	for (int i = 0; i < n; i++)
		inner[i] = bl_affine(x[i], 1, 0);
	bl_tensor *a = c->f(NULL, inner), *b = c->f(NULL, inner), *y = a && b ? bl_add(a, b) : NULL;
	for (int i = 0; i < n; i++)
		bl_tensor_unref(inner[i]);
	bl_tensor_unref(a);
	bl_tensor_unref(b);
	return y;
}

/* A hash of the case's name (FNV-1a), so that a case keeps its numbers when others are added or removed. */
static uint32_t stream_of(const gradient_case *c)
{
	uint32_t hash = 2166136261u;
	for (const char *p = c->op; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	for (const char *p = c->what; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	return hash;
}

static double check(const gradient_case *c, bl_gradcheck_fn *f)
{
	bl_tensor *x[INPUTS] = { NULL };
	bl_rng r;
	int n = inputs_of(c);
	bl_rng_init(&r, 7, 0, stream_of(c), BL_STREAM_USER);
	for (int i = 0; i < n; i++)
		x[i] = input_new(&c->in[i], &r);
	double worst = bl_gradcheck(f, (void *)c, x, n, strcmp(c->op, "conv2d") ? STEP : WIDE_STEP);
	for (int i = 0; i < n; i++)
		bl_tensor_unref(x[i]);
	return worst;
}

/* Computes the largest error of a case, and ends the test if it is too large. */
static double held(const gradient_case *c)
{
	double plain = check(c, c->f), added = plain < 0 ? plain : check(c, twice);
	if (plain < 0 || added < 0)
		fail_msg("%s, %s: %s", c->op, c->what, bl_error());
	if (plain > BOUND || added > BOUND)
		fail_msg("%s, %s: off by %.2g, added twice by %.2g", c->op, c->what, plain, added);
	return fmax(plain, added);
}

/* Tests a convolution with every algorithm; for a shape that an algorithm does not support, another one is used. */
static double held_each_way(const gradient_case *c)
{
	double worst = 0;
	if (strcmp(c->op, "conv2d"))
		return held(c);
	for (int a = 0; bl_conv_algorithms()[a]; a++) {
		bl_conv_force((bl_conv_algorithm)a);
		worst = fmax(worst, held(c));
	}
	bl_conv_force(BL_CONV_AUTO);
	return worst;
}

static void gradient_holds(void **state)
{
	const char *op = *state;
	double worst = 0;
	int n = 0;
	for (int i = 0; i < CASES; i++) {
		if (strcmp(cases[i].op, op))
			continue;
		worst = fmax(worst, held_each_way(&cases[i]));
		n++;
	}
	if (n == 0)
		fail_msg("%s has no gradient check", op);
	print_message("# %-16s worst relative error %.1e in %d cases\n", op, worst, n);
}

static void all_cases_are_of_listed_operations(void **state)
{
	(void)state;
	for (int i = 0; i < CASES; i++) {
		const char *const *name = bl_op_names();
		while (*name && strcmp(*name, cases[i].op))
			name++;
		assert_non_null(*name);
	}
}

static void a_wrong_gradient_is_detected(void **state)
{
	(void)state;
	bl_tensor *x = bl_tensor_full(1, (int64_t[]){ 3 }, 1);
	bl_tensor_set_requires_grad(x, true);
	assert_true(bl_gradcheck(f_custom_wrong, NULL, &x, 1, STEP) > BOUND);
	assert_true(bl_gradcheck(f_custom, NULL, &x, 1, STEP) < BOUND);
	bl_tensor_unref(x);
}

static void not_a_number_is_an_error(void **state)
{
	(void)state;
	bl_tensor *x = bl_tensor_full(1, (int64_t[]){ 3 }, -1);
	bl_tensor_set_requires_grad(x, true);
	assert_true(bl_gradcheck(f_log, NULL, &x, 1, STEP) < 0);
	assert_error("a value or a gradient is NaN");
	bl_tensor_unref(x);
}

int main(void)
{
	struct CMUnitTest tests[256] = {
		cmocka_unit_test(all_cases_are_of_listed_operations),
		cmocka_unit_test(a_wrong_gradient_is_detected),
		cmocka_unit_test(not_a_number_is_an_error),
	};
	size_t n = 3;
	for (const char *const *op = bl_op_names(); *op; op++) {
		assert_true(n < sizeof tests / sizeof tests[0]);
		tests[n++] = (struct CMUnitTest){ .name = *op, .test_func = gradient_holds, .initial_state = (void *)*op };
	}
	return _cmocka_run_group_tests("gradcheck", tests, n, NULL, NULL);
}
