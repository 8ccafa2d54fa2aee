/* SPDX-License-Identifier: GPL-3.0-or-later */
/* elementwise.c: elementwise operations with NumPy's broadcasting, which two tables define. */
#include "grad/dims.h"
#include "grad/node.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef struct params {
	float p, q;
	bool add; /* backward: add to the gradient instead of overwriting it */
} params;

/*
 * The loops are written once and inlined with constant steps if the operands are contiguous (step 1) or one number for
 * the whole run (step 0), so that these cases are vectorised.
 */
typedef float unary_y(float x, params c);
typedef float unary_dx(float g, float x, float y, params c);
typedef float binary_y(float a, float b);
typedef float binary_dx(float g, float a, float b);

INLINE void map1(int64_t n, float *restrict y, const float *x, int64_t sy, int64_t sx, unary_y *f, params c)
{
	for (int64_t i = 0; i < n; i++)
		y[i * sy] = f(x[i * sx], c);
}

INLINE void unary_forward(const params *c, int64_t n, float *const *v, const int64_t *s, unary_y *f)
{
	if (s[0] == 1 && s[1] == 1)
		map1(n, v[0], v[1], 1, 1, f, *c);
	else
		map1(n, v[0], v[1], s[0], s[1], f, *c);
}

INLINE void slope1(int64_t n, float *const *v, int64_t sd, int64_t sg, int64_t sx, int64_t sy, unary_dx *f, params c)
{
	float *restrict dx = v[0];
	const float *g = v[1], *x = v[2], *y = v[3];
	for (int64_t i = 0; c.add && i < n; i++)
		dx[i * sd] += f(g[i * sg], x[i * sx], y[i * sy], c);
	for (int64_t i = 0; !c.add && i < n; i++)
		dx[i * sd] = f(g[i * sg], x[i * sx], y[i * sy], c);
}

INLINE void unary_backward(const params *c, int64_t n, float *const *v, const int64_t *s, unary_dx *f)
{
	if (s[0] == 1 && s[1] == 1 && s[2] == 1 && s[3] == 1)
		slope1(n, v, 1, 1, 1, 1, f, *c);
	else
		slope1(n, v, s[0], s[1], s[2], s[3], f, *c);
}

INLINE void map2(int64_t n, float *restrict y, const float *a, const float *b, int64_t sy, int64_t sa, int64_t sb, binary_y *f)
{
	for (int64_t i = 0; i < n; i++)
		y[i * sy] = f(a[i * sa], b[i * sb]);
}

INLINE void binary_forward(int64_t n, float *const *v, const int64_t *s, binary_y *f)
{
	if (s[0] == 1 && s[1] == 1 && s[2] == 1)
		map2(n, v[0], v[1], v[2], 1, 1, 1, f);
	else if (s[0] == 1 && s[1] == 1 && s[2] == 0)
		map2(n, v[0], v[1], v[2], 1, 1, 0, f);
	else if (s[0] == 1 && s[1] == 0 && s[2] == 1)
		map2(n, v[0], v[1], v[2], 1, 0, 1, f);
	else
		map2(n, v[0], v[1], v[2], s[0], s[1], s[2], f);
}

INLINE void slope2(int64_t n, float *const *v, int64_t sx, int64_t sg, int64_t sa, int64_t sb, binary_dx *f, bool add)
{
	float *restrict dx = v[0];
	const float *g = v[1], *a = v[2], *b = v[3];
	for (int64_t i = 0; add && i < n; i++)
		dx[i * sx] += f(g[i * sg], a[i * sa], b[i * sb]);
	for (int64_t i = 0; !add && i < n; i++)
		dx[i * sx] = f(g[i * sg], a[i * sa], b[i * sb]);
}

INLINE void binary_backward(bool add, int64_t n, float *const *v, const int64_t *s, binary_dx *f)
{
	bool unit = s[0] == 1 && s[1] == 1;
	if (unit && s[2] == 1 && s[3] == 1)
		slope2(n, v, 1, 1, 1, 1, f, add);
	else if (unit && s[2] == 1 && s[3] == 0)
		slope2(n, v, 1, 1, 1, 0, f, add);
	else if (unit && s[2] == 0 && s[3] == 1)
		slope2(n, v, 1, 1, 0, 1, f, add);
	else
		slope2(n, v, s[0], s[1], s[2], s[3], f, add);
}

/*
 * X(kernel, operation, y as a function of x, dx as a function of g = dL/dy, x and y).  c.p and c.q are the parameters
 * of the operation.  The comparisons are written so that NaN is propagated.
 */
/* clang-format off */
#define UNARIES(X)                                                                                  \
	X(affine, BL_OP_affine, c.p * x + c.q, g * c.p)                                             \
	X(power, BL_OP_pow, powf(x, c.p), c.p == 0 ? 0 : g * c.p * powf(x, c.p - 1))                \
	X(square, BL_OP_pow, x * x, 2 * g * x)                                                      \
	X(reciprocal, BL_OP_pow, 1 / x, -g * y * y)                                                 \
	X(exp, BL_OP_exp, expf(x), g * y)                                                           \
	X(log, BL_OP_log, logf(x), g / x)                                                           \
	X(sqrt, BL_OP_sqrt, sqrtf(x), g / (2 * y))                                                  \
	X(abs, BL_OP_abs, fabsf(x), x > 0 ? g : x < 0 ? -g : 0)                                     \
	X(tanh, BL_OP_tanh, tanhf(x), g * (1 - y * y))                                              \
	X(sigmoid, BL_OP_sigmoid, 1 / (1 + expf(-x)), g * y * (1 - y))                              \
	X(relu, BL_OP_relu, x < 0 ? 0 : x, x > 0 ? g : 0)                                           \
	X(clamp, BL_OP_clamp, x < c.p ? c.p : x > c.q ? c.q : x, x >= c.p && x <= c.q ? g : 0)

/* X(name, operation, y as a function of a and b, da, db) */
#define BINARIES(X)                                                                                 \
	X(add, BL_OP_add, a + b, g, g)                                                              \
	X(sub, BL_OP_sub, a - b, g, -g)                                                             \
	X(mul, BL_OP_mul, a * b, g * b, g * a)                                                      \
	X(div, BL_OP_div, a / b, g / b, -g * a / (b * b))                                           \
	X(maximum, BL_OP_maximum, a >= b || a != a ? a : b, a >= b ? g : 0, a >= b ? 0 : g)         \
	X(minimum, BL_OP_minimum, a <= b || a != a ? a : b, a <= b ? g : 0, a <= b ? 0 : g)
/* clang-format on */

typedef struct unary {
	enum bl_op op;
	bl_walk_fn *forward;  /* y, x */
	bl_walk_fn *backward; /* dx, dy, x, y */
} unary;

#define DEFINE_UNARY(name, operation, y_expr, dx_expr) \
	INLINE float name##_y(float x, params c) \
	{ \
		(void)c; \
		return y_expr; \
	} \
	INLINE float name##_dx(float g, float x, float y, params c) \
	{ \
		(void)x, (void)y, (void)c; \
		return dx_expr; \
	} \
	static void name##_forward(void *ctx, int64_t n, float *const *v, const int64_t *s) \
	{ \
		unary_forward(ctx, n, v, s, name##_y); \
	} \
	static void name##_backward(void *ctx, int64_t n, float *const *v, const int64_t *s) \
	{ \
		unary_backward(ctx, n, v, s, name##_dx); \
	} \
	static const unary name##_op = { operation, name##_forward, name##_backward };
UNARIES(DEFINE_UNARY)

typedef struct binary {
	enum bl_op op;
	bl_walk_fn *forward;     /* y, a, b */
	bl_walk_fn *backward[2]; /* dx, dy, a, b */
} binary;

#define DEFINE_BINARY(name, operation, y_expr, da_expr, db_expr) \
	INLINE float name##_y(float a, float b) \
	{ \
		return y_expr; \
	} \
	INLINE float name##_da(float g, float a, float b) \
	{ \
		(void)a, (void)b; \
		return da_expr; \
	} \
	INLINE float name##_db(float g, float a, float b) \
	{ \
		(void)a, (void)b; \
		return db_expr; \
	} \
	static void name##_forward(void *ctx, int64_t n, float *const *v, const int64_t *s) \
	{ \
		(void)ctx; \
		binary_forward(n, v, s, name##_y); \
	} \
	static void name##_backward_a(void *ctx, int64_t n, float *const *v, const int64_t *s) \
	{ \
		binary_backward(*(bool *)ctx, n, v, s, name##_da); \
	} \
	static void name##_backward_b(void *ctx, int64_t n, float *const *v, const int64_t *s) \
	{ \
		binary_backward(*(bool *)ctx, n, v, s, name##_db); \
	} \
	static const binary name##_op = { operation, name##_forward, { name##_backward_a, name##_backward_b } };
BINARIES(DEFINE_BINARY)

typedef struct unary_node {
	const unary *u;
	params c;
} unary_node;

static int unary_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	unary_node *nd = ctx;
	bl_tensor *sink = bl_grad_sink(in[0], &nd->c.add);
	bl_walk w;
	if (!sink)
		return -1;
	bl_walk_init(&w, 4, (bl_tensor *[]){ sink, (bl_tensor *)dout, in[0], (bl_tensor *)out });
	bl_walk_run(&w, nd->u->backward, &nd->c);
	return 0;
}

static bl_tensor *unary_new(const unary *u, bl_tensor *a, float p, float q)
{
	unary_node nd = { u, { p, q, false } };
	bl_tensor *y = bl_tensor_like(a);
	bl_walk w;
	if (!y)
		return NULL;
	bl_walk_init(&w, 2, (bl_tensor *[]){ y, a });
	bl_walk_run(&w, u->forward, &nd.c);
	return bl_node_attach(y, u->op, 1, &a, unary_back, &nd, sizeof nd, NULL);
}

bl_tensor *bl_affine(bl_tensor *a, float scale, float shift)
{
	return unary_new(&affine_op, a, scale, shift);
}

bl_tensor *bl_pow(bl_tensor *a, float exponent)
{
	const unary *u = exponent == 2 ? &square_op : exponent == -1 ? &reciprocal_op : &power_op;
	return unary_new(u, a, exponent, 0);
}

bl_tensor *bl_exp(bl_tensor *a)
{
	return unary_new(&exp_op, a, 0, 0);
}

bl_tensor *bl_log(bl_tensor *a)
{
	return unary_new(&log_op, a, 0, 0);
}

bl_tensor *bl_sqrt(bl_tensor *a)
{
	return unary_new(&sqrt_op, a, 0, 0);
}

bl_tensor *bl_abs(bl_tensor *a)
{
	return unary_new(&abs_op, a, 0, 0);
}

bl_tensor *bl_tanh(bl_tensor *a)
{
	return unary_new(&tanh_op, a, 0, 0);
}

bl_tensor *bl_sigmoid(bl_tensor *a)
{
	return unary_new(&sigmoid_op, a, 0, 0);
}

bl_tensor *bl_relu(bl_tensor *a)
{
	return unary_new(&relu_op, a, 0, 0);
}

bl_tensor *bl_clamp(bl_tensor *a, float lo, float hi)
{
	if (!(lo <= hi))
		return bl_fail_null("clamp: the lower bound %g is not at most the upper bound %g", lo, hi);
	return unary_new(&clamp_op, a, lo, hi);
}

static void binary_slope(const binary *b, int side, bl_tensor *const *in, const bl_tensor *dout, bl_tensor *dx, bool add)
{
	bl_tensor x = bl_broadcast_view(in[0], dout->ndim, dout->shape);
	bl_tensor y = bl_broadcast_view(in[1], dout->ndim, dout->shape);
	bl_walk w;
	bl_walk_init(&w, 4, (bl_tensor *[]){ dx, (bl_tensor *)dout, &x, &y });
	bl_walk_run(&w, b->backward[side], &add);
}

/* Is the gradient of each operand dout or -dout? */
static bool is_linear(const binary *b)
{
	return b == &add_op || b == &sub_op;
}

/* Adds the gradient of an input that was broadcast: the sum over the dimensions in which it was broadcast. */
static int stretched_back(const binary *b, int side, bl_tensor *const *in, const bl_tensor *dout)
{
	if (is_linear(b))
		return bl_broadcast_grad(in[side], dout, b == &sub_op && side == 1 ? -1 : 1);
	bl_tensor *whole = bl_tensor_like(dout);
	if (!whole)
		return -1;
	binary_slope(b, side, in, dout, whole, false);
	int rc = bl_broadcast_grad(in[side], whole, 1);
	bl_tensor_unref(whole);
	return rc;
}

static int side_back(const binary *b, int side, bl_tensor *const *in, const bl_tensor *dout)
{
	bool add;
	if (!bl_grad_wants(in[side]))
		return 0;
	if (!bl_tensor_same_shape(in[side], dout))
		return stretched_back(b, side, in, dout);
	if (is_linear(b) && !(b == &sub_op && side == 1))
		return bl_grad_pass(in[side], (bl_tensor *)dout);
	bl_tensor *sink = bl_grad_sink(in[side], &add);
	if (!sink)
		return -1;
	binary_slope(b, side, in, dout, sink, add);
	return 0;
}

static int binary_back(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const binary *b = *(const binary **)ctx;
	(void)out;
	if (side_back(b, 0, in, dout))
		return -1;
	return side_back(b, 1, in, dout);
}

/* A new tensor with the memory order of the first operand that has the result's shape; row-major if there is none. */
static bl_tensor *binary_result(const bl_tensor *a, const bl_tensor *b, int ndim, const int64_t *shape)
{
	bl_tensor model = { .ndim = ndim };
	memcpy(model.shape, shape, sizeof model.shape);
	if (bl_tensor_same_shape(a, &model) && bl_tensor_is_dense(a))
		return bl_tensor_like(a);
	if (bl_tensor_same_shape(b, &model) && bl_tensor_is_dense(b))
		return bl_tensor_like(b);
	return bl_tensor_new(ndim, shape);
}

static bl_tensor *binary_new(const binary *op, bl_tensor *a, bl_tensor *b)
{
	int64_t shape[BL_MAXDIM] = { 0 };
	int ndim = bl_broadcast_shape(bl_op_name(op->op), a, b, shape);
	bl_tensor *y = ndim < 0 ? NULL : binary_result(a, b, ndim, shape);
	bl_walk w;
	if (!y)
		return NULL;
	bl_tensor x = bl_broadcast_view(a, ndim, shape), z = bl_broadcast_view(b, ndim, shape);
	bl_walk_init(&w, 3, (bl_tensor *[]){ y, &x, &z });
	bl_walk_run(&w, op->forward, NULL);
	return bl_node_attach(y, op->op, 2, (bl_tensor *[]){ a, b }, binary_back, &op, sizeof op, NULL);
}

bl_tensor *bl_add(bl_tensor *a, bl_tensor *b)
{
	return binary_new(&add_op, a, b);
}

bl_tensor *bl_sub(bl_tensor *a, bl_tensor *b)
{
	return binary_new(&sub_op, a, b);
}

bl_tensor *bl_mul(bl_tensor *a, bl_tensor *b)
{
	return binary_new(&mul_op, a, b);
}

bl_tensor *bl_div(bl_tensor *a, bl_tensor *b)
{
	return binary_new(&div_op, a, b);
}

bl_tensor *bl_maximum(bl_tensor *a, bl_tensor *b)
{
	return binary_new(&maximum_op, a, b);
}

bl_tensor *bl_minimum(bl_tensor *a, bl_tensor *b)
{
	return binary_new(&minimum_op, a, b);
}
