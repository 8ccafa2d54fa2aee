/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_tensor_shape.c: tensor methods that only look at the numbers in another shape. */
#include "lua/bind/face.h"

static int t_t(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	char buf[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(t) != 2)
		return luaL_error(L, "t: expected a matrix, got %s; for other shapes :transpose(d1, d2)",
				  bl_tensor_text(t, buf));
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

/* 1-based, negative from the end, as 0-based */
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
			return luaL_error(L, "rows: %I is outside of 1..%I", (lua_Integer)rows[i] + 1,
					  (lua_Integer)all);
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

/* unsqueeze(dim): a dimension of size 1 before `dim`, or at the end for dim + 1 */
static int t_unsqueeze(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int64_t shape[BL_MAXDIM];
	int n = bl_tensor_ndim(t);
	lua_Integer at = luaL_checkinteger(L, 2);
	at = at < 0 ? at + n + 1 : at - 1;
	luaL_argcheck(L, at >= 0 && at <= n && n < BL_MAXDIM, 2, "no such place for a dimension");
	for (int i = 0; i <= n; i++)
		shape[i] = i == at ? 1 : bl_tensor_size(t, i > at ? i - 1 : i);
	return bl_lua_give_tensor(L, bl_reshape(t, n + 1, shape));
}

const luaL_Reg bl_lua_tensor_shapes[] = {
	{ "t", t_t }, { "transpose", t_transpose }, { "permute", t_permute }, { "view", t_reshape },
	{ "reshape", t_reshape }, { "expand", t_expand }, { "flatten", t_flatten }, { "narrow", t_narrow },
	{ "select", t_select }, { "rows", t_rows }, { "cat", t_cat }, { "diag", t_diag }, { "squeeze", t_squeeze },
	{ "unsqueeze", t_unsqueeze }, { NULL, NULL },
};
