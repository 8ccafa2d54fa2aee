/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_tensor_ops.c: tensor arithmetic: operators (with numbers too), functions of elements, products, reductions. */
#include "lua/bind/face.h"

#include <math.h>
#include <stdlib.h>

typedef bl_tensor *binary(bl_tensor *a, bl_tensor *b);

static bool is_number(lua_State *L, int arg)
{
	return lua_type(L, arg) == LUA_TNUMBER;
}

static float value(lua_State *L, int arg)
{
	return (float)lua_tonumber(L, arg);
}

static bl_tensor *operand(lua_State *L, int arg)
{
	bl_tensor **t = bl_lua_test(L, arg, BL_T_TENSOR);
	if (!t)
		luaL_error(L, "arithmetic on a tensor and %s", bl_lua_describe(L, arg));
	return *t;
}

/* Calls fn; a number on either side becomes a scalar tensor. */
static int with_scalars(lua_State *L, binary *fn)
{
	for (int i = 1; i <= 2; i++) {
		if (!is_number(L, i))
			continue;
		bl_lua_give_tensor(L, bl_tensor_scalar(value(L, i)));
		lua_replace(L, i);
	}
	return bl_lua_give_tensor(L, fn(operand(L, 1), operand(L, 2)));
}

static int t_add(lua_State *L)
{
	if (is_number(L, 1))
		return bl_lua_give_tensor(L, bl_affine(operand(L, 2), 1, value(L, 1)));
	if (is_number(L, 2))
		return bl_lua_give_tensor(L, bl_affine(operand(L, 1), 1, value(L, 2)));
	return with_scalars(L, bl_add);
}

static int t_sub(lua_State *L)
{
	if (is_number(L, 1))
		return bl_lua_give_tensor(L, bl_affine(operand(L, 2), -1, value(L, 1)));
	if (is_number(L, 2))
		return bl_lua_give_tensor(L, bl_affine(operand(L, 1), 1, -value(L, 2)));
	return with_scalars(L, bl_sub);
}

static int t_mul(lua_State *L)
{
	if (is_number(L, 1))
		return bl_lua_give_tensor(L, bl_affine(operand(L, 2), value(L, 1), 0));
	if (is_number(L, 2))
		return bl_lua_give_tensor(L, bl_affine(operand(L, 1), value(L, 2), 0));
	return with_scalars(L, bl_mul);
}

static int t_div(lua_State *L)
{
	return with_scalars(L, bl_div);
}

static int t_unm(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_affine(operand(L, 1), -1, 0));
}

/* b^x = exp(x log b) */
static bl_tensor *power(bl_tensor *base, bl_tensor *exponent)
{
	bl_tensor *l = bl_log(base);
	bl_tensor *p = l ? bl_mul(l, exponent) : NULL;
	bl_tensor *out = p ? bl_exp(p) : NULL;
	bl_tensor_unref(l);
	bl_tensor_unref(p);
	return out;
}

static int t_pow(lua_State *L)
{
	if (is_number(L, 2))
		return bl_lua_give_tensor(L, bl_pow(operand(L, 1), value(L, 2)));
	return with_scalars(L, power);
}

static int t_maximum(lua_State *L)
{
	return with_scalars(L, bl_maximum);
}

static int t_minimum(lua_State *L)
{
	return with_scalars(L, bl_minimum);
}

#define UNARY(name) \
	static int t_##name(lua_State *L) \
	{ \
		return bl_lua_give_tensor(L, bl_##name(bl_lua_tensor(L, 1))); \
	}
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(abs)
UNARY(tanh)
UNARY(sigmoid)
UNARY(relu)
#undef UNARY

/* clamp(lo, hi); nil is no limit */
static int t_clamp(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	return bl_lua_give_tensor(L, bl_clamp(t, (float)luaL_optnumber(L, 2, -INFINITY), (float)luaL_optnumber(L, 3, INFINITY)));
}

static int product(lua_State *L, binary *fn, bl_tensor *a, bl_tensor *b)
{
	const volatile int *before = bl_lua_interrupt_begin(L);
	return bl_lua_interrupt_give(L, before, fn(a, b));
}

static int t_mm(lua_State *L)
{
	return product(L, bl_mm, bl_lua_tensor(L, 1), bl_lua_tensor(L, 2));
}

static int t_matmul(lua_State *L)
{
	return product(L, bl_matmul, bl_lua_tensor(L, 1), bl_lua_tensor(L, 2));
}

static int t_dot(lua_State *L)
{
	bl_tensor *a = bl_lua_tensor(L, 1), *b = bl_lua_tensor(L, 2);
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(a) != 1 || !bl_tensor_same_shape(a, b))
		return luaL_error(L, "dot: expected two vectors of one length, got %s and %s", bl_tensor_text(a, at),
		                  bl_tensor_text(b, bt));
	return product(L, bl_matmul, a, b);
}

/* norm([p[, dim[, keepdim]]]) */
static int t_norm(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	double p = luaL_optnumber(L, 2, 2);
	int dim = lua_isnoneornil(L, 3) ? BL_ALL : bl_lua_dim(L, 3, t);
	return bl_lua_give_tensor(L, bl_norm(t, p, dim, lua_toboolean(L, 4)));
}

/* Arguments (dim, keepdim) or (dim, {keepdim =, unbiased =}); without a dim all elements are reduced. */
typedef struct reduction {
	bl_tensor *t;
	int dim;
	bool keepdim, unbiased;
} reduction;

static const bl_field reduction_fields[] = {
	BL_FIELD(BOOL, reduction, keepdim, BL_DEFAULT(false), .help = "keeps the dimension, with size 1"),
	BL_FIELD(BOOL, reduction, unbiased, BL_DEFAULT(true), .help = "divides by n - 1 instead of n"),
	BL_FIELD_END,
};

static const bl_field keepdim_fields[] = {
	BL_FIELD(BOOL, reduction, keepdim, BL_DEFAULT(false), .help = "keeps the dimension, with size 1"),
	BL_FIELD_END,
};

static reduction reduction_args(lua_State *L)
{
	reduction r = { .t = bl_lua_tensor(L, 1), .dim = BL_ALL, .unbiased = true };
	int options = lua_istable(L, 2) ? 2 : 3;
	if (options == 3 && !lua_isnoneornil(L, 2))
		r.dim = bl_lua_dim(L, 2, r.t);
	if (lua_istable(L, options))
		bl_lua_take_options(L, options, &r);
	else
		r.keepdim = lua_toboolean(L, options);
	return r;
}

static int t_sum(lua_State *L)
{
	reduction r = reduction_args(L);
	return bl_lua_give_tensor(L, bl_sum(r.t, r.dim, r.keepdim));
}

static int t_mean(lua_State *L)
{
	reduction r = reduction_args(L);
	return bl_lua_give_tensor(L, bl_mean(r.t, r.dim, r.keepdim));
}

static int t_max(lua_State *L)
{
	reduction r = reduction_args(L);
	return bl_lua_give_tensor(L, bl_max(r.t, r.dim, r.keepdim));
}

static int t_min(lua_State *L)
{
	reduction r = reduction_args(L);
	return bl_lua_give_tensor(L, bl_min(r.t, r.dim, r.keepdim));
}

static int t_var(lua_State *L)
{
	reduction r = reduction_args(L);
	return bl_lua_give_tensor(L, bl_var(r.t, r.dim, r.keepdim, r.unbiased));
}

static int t_std(lua_State *L)
{
	reduction r = reduction_args(L);
	return bl_lua_give_tensor(L, bl_std(r.t, r.dim, r.keepdim, r.unbiased));
}

/* Pushes a userdata with a row-major copy of the numbers. */
static float *read_all(lua_State *L, const bl_tensor *t)
{
	float *v = lua_newuserdatauv(L, sizeof *v * (size_t)(bl_tensor_count(t) + 1), 0);
	bl_tensor_read(t, v);
	return v;
}

/* argmax() of a vector: an index from 1; of a matrix: a table with one for each row */
static int t_argmax(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int n = bl_tensor_ndim(t);
	luaL_argcheck(L, n == 1 || n == 2, 1, "expected a vector or a matrix");
	int64_t rows = n == 2 ? bl_tensor_size(t, 0) : 1, width = bl_tensor_size(t, -1);
	luaL_argcheck(L, width > 0, 1, "expected at least one column");
	const float *v = read_all(L, t);
	lua_createtable(L, (int)rows, 0);
	for (int64_t i = 0; i < rows; i++, v += width) {
		int64_t best = 0;
		for (int64_t j = 1; j < width; j++)
			best = v[j] > v[best] ? j : best;
		lua_pushinteger(L, best + 1);
		if (n == 1)
			return 1;
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* allclose(other[, rtol = 1e-5[, atol = 1e-8]]): whether all are close, and the largest difference */
static int t_allclose(lua_State *L)
{
	bl_tensor *a = bl_lua_tensor(L, 1), *b = bl_lua_tensor(L, 2);
	double rtol = luaL_optnumber(L, 3, 1e-5), atol = luaL_optnumber(L, 4, 1e-8), worst = 0;
	bool close = bl_tensor_same_shape(a, b);
	const float *u = read_all(L, a), *v = read_all(L, b);
	for (int64_t i = 0, n = close ? bl_tensor_count(a) : 0; i < n; i++) {
		double d = u[i] == v[i] ? 0 : fabs((double)u[i] - (double)v[i]); /* infinities are close if they are equal */
		close = close && isfinite(d) && d <= atol + rtol * fabs((double)v[i]);
		worst = fmax(worst, d);
	}
	lua_pushboolean(L, close);
	lua_pushnumber(L, worst);
	return 2;
}

/* The index, from 1 in row-major order, of the first element that is NaN or infinite, or nil. */
static int t_find_nonfinite(lua_State *L)
{
	int64_t at = bl_tensor_find_nonfinite(bl_lua_tensor(L, 1));
	if (at < 0)
		lua_pushnil(L);
	else
		lua_pushinteger(L, at + 1);
	return 1;
}

const luaL_Reg bl_lua_tensor_meta[] = {
	{ "__add", t_add }, { "__sub", t_sub }, { "__mul", t_mul }, { "__div", t_div },
	{ "__pow", t_pow }, { "__unm", t_unm }, { NULL, NULL },
};

const bl_lua_function bl_lua_tensor_ops[] = {
	BL_LUA("exp", t_exp, "(): tensor", "e to the power of each element.", "tensor.rand(3):exp()"),
	BL_LUA("log", t_log, "(): tensor", "Natural logarithm.", "tensor.rand(3):log()"),
	BL_LUA("sqrt", t_sqrt, "(): tensor", "Square root.", "tensor.rand(3):sqrt()"),
	BL_LUA("abs", t_abs, "(): tensor", "Absolute value.", "tensor.rand(3):abs()"),
	BL_LUA("tanh", t_tanh, "(): tensor", "Hyperbolic tangent.", "tensor.rand(3):tanh()"),
	BL_LUA("sigmoid", t_sigmoid, "(): tensor", "1 / (1 + exp(-x)).", "tensor.rand(3):sigmoid()"),
	BL_LUA("relu", t_relu, "(): tensor", "max(0, x).", "tensor.rand(3):relu()"),
	BL_LUA("pow", t_pow, "(exponent: number|tensor): tensor", "Raises each element to a power; the same as t ^ exponent.",
	       "tensor{1, 2, 3}:pow(2)"),
	BL_LUA("clamp", t_clamp, "(lowest: number?, highest: number?): tensor",
	       "Limits each element to a range; a bound that is nil does not limit. An element at a bound has the gradient 1.",
	       "tensor{1, 2, 3}:clamp(nil, 2)"),
	BL_LUA("maximum", t_maximum, "(other: tensor|number): tensor", "The larger of two, element by element.",
	       "tensor{1, 5}:maximum(tensor{3, 4})"),
	BL_LUA("minimum", t_minimum, "(other: tensor|number): tensor", "The smaller of two, element by element.",
	       "tensor{1, 5}:minimum(tensor{3, 4})"),
	BL_LUA("mm", t_mm, "(other: tensor): tensor", "The matrix product.", "tensor.eye(2):mm(tensor{{1, 2}, {3, 4}})"),
	BL_LUA("matmul", t_matmul, "(other: tensor): tensor",
	       "The product of matrices or vectors: the left one is (M, K) or (K), the right one (K, N) or (K).",
	       "tensor{{1, 2}, {3, 4}}:matmul(tensor{1, 1})"),
	BL_LUA("dot", t_dot, "(other: tensor): tensor", "The scalar product of two vectors.", "tensor{1, 2}:dot(tensor{3, 4})"),
	BL_LUA("norm", t_norm, "(p?: number, dim?: integer, keepdim?: boolean): tensor",
	       "The p-norm (sum |x|^p)^(1/p) of all elements or along a dimension; p is 2 by default, and math.huge gives the largest |x|.",
	       "tensor{3, 4}:norm()"),
	BL_LUA("sum", t_sum, "(dim?: integer, keepdim?: boolean): tensor", "Sum of all elements, or along a dimension.",
	       "tensor.eye(3):sum(1)", .fields = keepdim_fields),
	BL_LUA("mean", t_mean, "(dim?: integer, keepdim?: boolean): tensor", "Mean of all elements, or along a dimension.",
	       "tensor.eye(3):mean(1, true)", .fields = keepdim_fields),
	BL_LUA("max", t_max, "(dim?: integer, keepdim?: boolean): tensor", "Largest of all elements, or along a dimension.",
	       "tensor.eye(3):max()", .fields = keepdim_fields),
	BL_LUA("min", t_min, "(dim?: integer, keepdim?: boolean): tensor", "Smallest of all elements, or along a dimension.",
	       "tensor.eye(3):min(1)", .fields = keepdim_fields),
	BL_LUA("var", t_var, "(dim?: integer, settings?: table): tensor", "Variance of all elements, or along a dimension.",
	       "tensor.randn(9):var()", .fields = reduction_fields),
	BL_LUA("std", t_std, "(dim?: integer, settings?: table): tensor",
	       "Standard deviation of all elements, or along a dimension.", "tensor.randn(9, 2):std(1, {unbiased = false})",
	       .fields = reduction_fields),
	BL_LUA("argmax", t_argmax, "(): integer|integer[]",
	       "Index of the largest element, from 1; for a matrix, a table with an index for each row.",
	       "tensor{{1, 3}, {4, 2}}:argmax()"),
	BL_LUA("allclose", t_allclose, "(other: tensor, rtol?: number, atol?: number): boolean, number",
	       "Whether all elements are equal within tolerances, |t - other| <= atol + rtol |other|; also the largest difference.",
	       "tensor.ones(2):allclose(tensor.ones(2))"),
	BL_LUA("find_nonfinite", t_find_nonfinite, "(): integer?",
	       "Index, in row-major order from 1, of the first NaN or infinity, or nil.", "tensor{1, 0 / 0}:find_nonfinite()"),
	BL_LUA_END,
};
