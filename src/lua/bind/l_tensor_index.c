/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_tensor_index.c: t[i], t[{i, j}], t[{{from, to}, {}}], t[mask], and assignment to them.
 *
 * An integer removes its dimension, {from, to} keeps a part of it, {} all of it.  If all dimensions are removed, the value
 * is a number.
 */
#include "lua/bind/face.h"

/* Converts the item on top to an index from 0 to n - 1. */
static int64_t place(lua_State *L, int64_t n)
{
	int ok;
	lua_Integer i = lua_tointegerx(L, -1, &ok);
	if (!ok || lua_type(L, -1) != LUA_TNUMBER)
		luaL_error(L, "tensor index: expected an integer, got %s", bl_lua_describe(L, lua_absindex(L, -1)));
	if (i < 0)
		i += n + 1;
	if (i < 1 || i > n)
		luaL_error(L, "tensor index %I is outside of 1..%I", lua_tointeger(L, -1), (lua_Integer)n);
	return i - 1;
}

static int64_t range_end(lua_State *L, int item, int64_t n)
{
	lua_rawgeti(L, -1, item);
	int64_t i = place(L, n);
	lua_pop(L, 1);
	return i;
}

/* Applies one index item (on top) to dimension *dim of t; advances *dim if the dimension stays. */
static bl_tensor *apply_item(lua_State *L, bl_tensor *t, int *dim)
{
	int64_t n = bl_tensor_size(t, *dim);
	if (!lua_istable(L, -1))
		return bl_select(t, *dim, place(L, n));
	int d = (*dim)++;
	if (lua_rawlen(L, -1) == 0)
		return bl_tensor_ref(t);
	int64_t from = range_end(L, 1, n), to = range_end(L, 2, n);
	if (to < from)
		luaL_error(L, "tensor index: an empty range {%I, %I}", (lua_Integer)from + 1, (lua_Integer)to + 1);
	return bl_narrow(t, d, from, to - from + 1);
}

/* Pushes the view of the tensor at 1 that the index at 2 selects. */
static bl_tensor *indexed(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int n = lua_istable(L, 2) ? (int)lua_rawlen(L, 2) : 1, dim = 0;
	char buf[BL_SHAPE_TEXT];
	if (n > bl_tensor_ndim(t))
		luaL_error(L, "tensor index: %d indices for a tensor %s", n, bl_tensor_text(t, buf));
	lua_pushvalue(L, 1);
	for (int i = 1; i <= n; i++) {
		if (lua_istable(L, 2))
			lua_rawgeti(L, 2, i);
		else
			lua_pushvalue(L, 2);
		bl_tensor *part = apply_item(L, t, &dim);
		lua_pop(L, 1);
		bl_lua_give_tensor(L, part);
		lua_replace(L, -2);
		t = part;
	}
	return t;
}

int bl_lua_tensor_element(lua_State *L)
{
	bl_tensor **mask = bl_lua_test(L, 2, BL_T_TENSOR);
	if (mask)
		return bl_lua_give_tensor(L, bl_masked_select(bl_lua_tensor(L, 1), *mask));
	if (lua_type(L, 2) != LUA_TNUMBER && !lua_istable(L, 2))
		return 0;
	bl_tensor *t = indexed(L);
	if (bl_tensor_ndim(t) == 0)
		lua_pushnumber(L, (lua_Number)*bl_tensor_data(t));
	return 1;
}

/* Returns the tensor or table at 3 as a tensor of `like`'s shape, to which it is broadcast; it is kept alive on the stack. */
static bl_tensor *assigned(lua_State *L, const bl_tensor *like)
{
	if (!bl_lua_test(L, 3, BL_T_TENSOR) && !lua_istable(L, 3))
		luaL_error(L, "tensor assignment: expected a number, a table or a tensor, got %s", bl_lua_describe(L, 3));
	bl_tensor *v = lua_istable(L, 3) ? bl_lua_tensor_from_table(L, 3) : bl_lua_tensor(L, 3);
	if (bl_tensor_same_shape(v, like))
		return v;
	bl_lua_give_tensor(L, bl_expand(v, bl_tensor_ndim(like), bl_tensor_shape(like)));
	return bl_lua_tensor(L, -1);
}

/* t[mask] = number, without recording */
static int assign_masked(lua_State *L, bl_tensor *mask)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	char at[BL_SHAPE_TEXT], bt[BL_SHAPE_TEXT];
	if (lua_type(L, 3) != LUA_TNUMBER)
		return luaL_error(L, "t[mask] = value: expected a number, got %s; tensor.where chooses between tensors",
		                  bl_lua_describe(L, 3));
	if (!bl_tensor_same_shape(t, mask))
		return luaL_error(L, "t[mask] = value: a mask of shape %s for shape %s", bl_tensor_text(mask, bt),
		                  bl_tensor_text(t, at));
	bl_tensor *value = bl_tensor_scalar((float)lua_tonumber(L, 3));
	bool was = bl_grad_enable(false);
	bl_tensor *out = value ? bl_where(mask, value, t) : NULL;
	bl_grad_enable(was);
	int rc = out ? bl_tensor_copy(t, out) : -1;
	bl_tensor_unref(value);
	bl_tensor_unref(out);
	return rc < 0 ? bl_lua_fail(L) : 0;
}

int bl_lua_tensor_assign(lua_State *L)
{
	bl_tensor **mask = bl_lua_test(L, 2, BL_T_TENSOR);
	bl_lua_writable_tensor(L, 1, "tensor assignment");
	if (mask)
		return assign_masked(L, *mask);
	if (lua_type(L, 2) == LUA_TSTRING)
		return luaL_error(L, "tensor: field '%s' cannot be assigned", lua_tostring(L, 2));
	bl_tensor *t = indexed(L);
	if (lua_type(L, 3) == LUA_TNUMBER)
		bl_tensor_fill(t, (float)lua_tonumber(L, 3));
	else if (bl_tensor_copy(t, assigned(L, t)) < 0)
		return bl_lua_fail(L);
	return 0;
}
