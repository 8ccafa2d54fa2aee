/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_tensor_shape.c: tensor methods that change the shape, take parts, concatenate, or read and make diagonals. */
#include "lua/bind/face.h"

static int t_t(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	char buf[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(t) != 2)
		return luaL_error(L, "t: expected a matrix, got %s; for other shapes :transpose(d1, d2)", bl_tensor_text(t, buf));
	return bl_lua_give_tensor(L, bl_transpose(t, 0, 1));
}

static int t_transpose(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int a = bl_lua_dim(L, 2, t), b = bl_lua_dim(L, 3, t);
	return bl_lua_give_tensor(L, bl_transpose(t, a, b));
}

/* permute(2, 3, 1): dimension i of the result is dimension order[i] of the tensor */
static int t_permute(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int order[BL_MAXDIM], n = bl_tensor_ndim(t);
	if (lua_istable(L, 2)) {
		lua_settop(L, 2);
		for (int i = 0; i < n; i++)
			lua_rawgeti(L, 2, i + 1);
		lua_remove(L, 2);
	}
	for (int i = 0; i < n; i++)
		order[i] = bl_lua_dim(L, 2 + i, t);
	return bl_lua_give_tensor(L, bl_permute(t, order));
}

static int t_reshape(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int64_t shape[BL_MAXDIM];
	int n = bl_lua_shape(L, 2, shape);
	return bl_lua_give_tensor(L, bl_reshape(t, n, shape));
}

static int t_expand(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int64_t shape[BL_MAXDIM];
	int n = bl_lua_shape(L, 2, shape);
	return bl_lua_give_tensor(L, bl_expand(t, n, shape));
}

static int t_flatten(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_flatten(bl_lua_tensor(L, 1)));
}

/* Returns the index at `arg` (1-based, negative from the end) of n elements, counted from 0. */
static int64_t place(lua_State *L, int arg, int64_t n)
{
	lua_Integer i = luaL_checkinteger(L, arg);
	if (i < 0)
		i += n + 1;
	if (i < 1 || i > n)
		luaL_argerror(L, arg, lua_pushfstring(L, "index outside of 1..%I", (lua_Integer)n));
	return i - 1;
}

/* narrow(dim, start, length) */
static int t_narrow(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int dim = bl_lua_dim(L, 2, t);
	int64_t start = place(L, 3, bl_tensor_size(t, dim));
	return bl_lua_give_tensor(L, bl_narrow(t, dim, start, luaL_checkinteger(L, 4)));
}

/* select(dim, index) */
static int t_select(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int dim = bl_lua_dim(L, 2, t);
	return bl_lua_give_tensor(L, bl_select(t, dim, place(L, 3, bl_tensor_size(t, dim))));
}

/* rows{3, 1, 4} */
static int t_rows(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int64_t n, all = bl_tensor_ndim(t) ? bl_tensor_size(t, 0) : 0;
	int64_t *rows = bl_lua_integers(L, 2, "rows", &n);
	for (int64_t i = 0; i < n; i++)
		if (--rows[i] < 0 || rows[i] >= all)
			return luaL_error(L, "rows: %I is outside of 1..%I", (lua_Integer)rows[i] + 1, (lua_Integer)all);
	return bl_lua_give_tensor(L, bl_index_rows(t, rows, n));
}

/* a:cat(b[, dim]) */
static int t_cat(lua_State *L)
{
	bl_tensor *parts[2] = { bl_lua_tensor(L, 1), bl_lua_tensor(L, 2) };
	return bl_lua_give_tensor(L, bl_cat(parts, 2, lua_isnoneornil(L, 3) ? 0 : bl_lua_dim(L, 3, parts[0])));
}

static int t_diag(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_diag(bl_lua_tensor(L, 1)));
}

static int t_squeeze(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int64_t shape[BL_MAXDIM];
	int n = 0;
	for (int i = 0; i < bl_tensor_ndim(t); i++)
		if (bl_tensor_size(t, i) != 1)
			shape[n++] = bl_tensor_size(t, i);
	return bl_lua_give_tensor(L, bl_reshape(t, n, shape));
}

/* unsqueeze(dim): inserts a dimension of size 1, which becomes dimension `dim` of the result */
static int t_unsqueeze(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int64_t shape[BL_MAXDIM];
	int n = bl_tensor_ndim(t);
	lua_Integer at = luaL_checkinteger(L, 2);
	at = at < 0 ? at + n + 1 : at - 1;
	luaL_argcheck(L, at >= 0 && at <= n && n < BL_MAXDIM, 2, "expected a position of a new dimension in the tensor");
	for (int i = 0; i <= n; i++)
		shape[i] = i == at ? 1 : bl_tensor_size(t, i > at ? i - 1 : i);
	return bl_lua_give_tensor(L, bl_reshape(t, n + 1, shape));
}

const bl_lua_function bl_lua_tensor_shapes[] = {
	BL_LUA("t", t_t, "(): tensor", "Transposes a matrix.", "tensor{{1, 2}, {3, 4}}:t()"),
	BL_LUA("transpose", t_transpose, "(d1: integer, d2: integer): tensor", "Exchanges two dimensions.",
	       "tensor.zeros(2, 3, 4):transpose(1, 3)"),
	BL_LUA("permute", t_permute, "(order...: integer): tensor", "Reorders the dimensions.",
	       "tensor.zeros(2, 3, 4):permute(3, 1, 2)"),
	BL_LUA("view", t_reshape, "(sizes...: integer): tensor",
	       "The same elements in another shape; one size may be -1, which is computed.", "tensor.arange(6):view(2, -1)"),
	BL_LUA("reshape", t_reshape, "(sizes...: integer): tensor", "The same as view.", "tensor.arange(6):reshape(3, 2)"),
	BL_LUA("expand", t_expand, "(sizes...: integer): tensor", "Repeats dimensions of size 1.",
	       "tensor.ones(2, 1):expand(2, 3)"),
	BL_LUA("flatten", t_flatten, "(): tensor", "Reshapes (N, ...) to (N, F), where F is the product of the other sizes.",
	       "tensor.zeros(2, 3, 4):flatten()"),
	BL_LUA("narrow", t_narrow, "(dim: integer, start: integer, length: integer): tensor",
	       "The part of that length along a dimension, from index start.", "tensor.arange(6):narrow(1, 2, 3)"),
	BL_LUA("select", t_select, "(dim: integer, index: integer): tensor",
	       "The slice at an index of a dimension, which is removed.", "tensor.eye(3):select(2, 1)"),
	BL_LUA("rows", t_rows, "(rows: integer[]): tensor", "A copy of the given rows, in that order.", "tensor.eye(3):rows{3, 1}"),
	BL_LUA("cat", t_cat, "(other: tensor, dim?: integer): tensor", "Appends another tensor along a dimension (default: 1).",
	       "tensor.ones(2):cat(tensor.zeros(2))"),
	BL_LUA("diag", t_diag, "(): tensor", "The diagonal of a matrix, or the matrix with that diagonal.", "tensor.eye(3):diag()"),
	BL_LUA("squeeze", t_squeeze, "(): tensor", "Removes all dimensions of size 1.", "tensor.zeros(1, 3, 1):squeeze()"),
	BL_LUA("unsqueeze", t_unsqueeze, "(dim: integer): tensor", "Inserts a dimension of size 1.",
	       "tensor.zeros(3):unsqueeze(1)"),
	BL_LUA_END,
};
