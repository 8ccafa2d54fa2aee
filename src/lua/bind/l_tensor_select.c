/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_tensor_select.c: tensor methods that compare, select and sort elements.
 *
 * Masks are tensors of 1 and 0; any value other than 0 is true.  Indices count from 1, as everywhere in Lua.
 */
#include "lua/bind/face.h"

/* Returns the tensor at arg; replaces a number there by a tensor. */
static bl_tensor *operand(lua_State *L, int arg)
{
	if (lua_type(L, arg) == LUA_TNUMBER) {
		bl_lua_give_tensor(L, bl_tensor_scalar((float)lua_tonumber(L, arg)));
		lua_replace(L, arg);
	}
	return bl_lua_tensor(L, arg);
}

static int compare(lua_State *L, bl_comparison how)
{
	bl_tensor *a = operand(L, 1), *b = operand(L, 2);
	return bl_lua_give_tensor(L, bl_compare(how, a, b));
}

#define COMPARISON(name, how) \
	static int t_##name(lua_State *L) \
	{ \
		return compare(L, how); \
	}
COMPARISON(lt, BL_LT)
COMPARISON(le, BL_LE)
COMPARISON(gt, BL_GT)
COMPARISON(ge, BL_GE)
COMPARISON(eq, BL_EQ)
COMPARISON(ne, BL_NE)
COMPARISON(logical_and, BL_LOGICAL_AND)
COMPARISON(logical_or, BL_LOGICAL_OR)
COMPARISON(logical_xor, BL_LOGICAL_XOR)
#undef COMPARISON

static int t_logical_not(lua_State *L)
{
	lua_settop(L, 1);
	lua_pushinteger(L, 0);
	return compare(L, BL_EQ);
}

/* where(mask, a, b) */
int bl_lua_tensor_where(lua_State *L)
{
	bl_tensor *mask = bl_lua_tensor(L, 1), *a = operand(L, 2), *b = operand(L, 3);
	return bl_lua_give_tensor(L, bl_where(mask, a, b));
}

static int t_masked_fill(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1), *mask = bl_lua_tensor(L, 2), *value = operand(L, 3);
	return bl_lua_give_tensor(L, bl_where(mask, value, t));
}

static int t_masked_select(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_masked_select(bl_lua_tensor(L, 1), bl_lua_tensor(L, 2)));
}

/* --- order --- */

/* Returns the dimension at arg, by default the last one. */
static int dim_or_last(lua_State *L, int arg, const bl_tensor *t)
{
	return lua_isnoneornil(L, arg) ? -1 : bl_lua_dim(L, arg, t);
}

static int give_ordered(lua_State *L, bl_tensor *values, bl_tensor *places)
{
	if (!values)
		return bl_lua_fail(L);
	bl_tensor *from_one = bl_affine(places, 1, 1);
	bl_tensor_unref(places);
	return bl_lua_give_tensors(L, 2, (bl_tensor *[]){ values, from_one });
}

static int t_sort(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1), *places = NULL;
	int dim = dim_or_last(L, 2, t);
	bl_tensor *values = bl_sort(t, dim, lua_toboolean(L, 3), &places);
	return give_ordered(L, values, places);
}

static int t_argsort(lua_State *L)
{
	t_sort(L);
	return 1; /* returns the indices, which are on top of the values */
}

static int t_topk(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1), *places = NULL;
	int64_t k = luaL_checkinteger(L, 2);
	int dim = dim_or_last(L, 3, t);
	bl_tensor *values = bl_topk(t, k, dim, lua_isnoneornil(L, 4) || lua_toboolean(L, 4), &places);
	return give_ordered(L, values, places);
}

/* gather(dim, places) */
static int t_gather(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int dim = bl_lua_dim(L, 2, t);
	int64_t n = bl_tensor_size(t, dim);
	bl_tensor *places = bl_lua_tensor(L, 3);
	char buf[BL_SHAPE_TEXT];
	float *v = lua_newuserdatauv(L, sizeof *v * (size_t)(bl_tensor_count(places) + 1), 0);
	bl_tensor_read(places, v);
	for (int64_t i = 0; i < bl_tensor_count(places); i++, v[i - 1] -= 1)
		if (!(v[i] >= 1 && v[i] <= (float)n) || v[i] != (float)(int64_t)v[i])
			return luaL_error(L, "gather: index %f is not an integer in 1..%I, for dimension %d of %s",
			                  (lua_Number)v[i], (lua_Integer)n, dim + 1, bl_tensor_text(t, buf));
	bl_tensor *from_zero = bl_tensor_from(bl_tensor_ndim(places), bl_tensor_shape(places), v);
	bl_tensor *out = from_zero ? bl_gather(t, dim, from_zero) : NULL;
	bl_tensor_unref(from_zero);
	return bl_lua_give_tensor(L, out);
}

/* flip(dim...) */
static int t_flip(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int n = lua_gettop(L);
	luaL_argcheck(L, n > 1, 2, "expected the dimensions to reverse");
	lua_pushvalue(L, 1);
	for (int i = 2; i <= n; i++) {
		bl_lua_give_tensor(L, bl_flip(bl_lua_tensor(L, -1), bl_lua_dim(L, i, t)));
		lua_remove(L, -2);
	}
	return 1;
}

static int t_cumsum(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	return bl_lua_give_tensor(L, bl_cumsum(t, bl_lua_dim(L, 2, t)));
}

const bl_lua_function bl_lua_tensor_selects[] = {
	BL_LUA("lt", t_lt, "(other: tensor|number): tensor", "A mask: 1 where t < other, else 0. Masks have no gradients.",
	       "tensor{1, 2, 3}:lt(2)"),
	BL_LUA("le", t_le, "(other: tensor|number): tensor", "1 where t <= other, else 0.", "tensor{1, 2, 3}:le(2)"),
	BL_LUA("gt", t_gt, "(other: tensor|number): tensor", "1 where t > other, else 0.", "tensor{1, 2, 3}:gt(2)"),
	BL_LUA("ge", t_ge, "(other: tensor|number): tensor", "1 where t >= other, else 0.", "tensor{1, 2, 3}:ge(2)"),
	BL_LUA("eq", t_eq, "(other: tensor|number): tensor",
	       "1 where they are equal, else 0; t == other says whether both are the same tensor.", "tensor{1, 2, 3}:eq(2)"),
	BL_LUA("ne", t_ne, "(other: tensor|number): tensor", "1 where they are not equal, else 0; t:ne(t) marks NaN.",
	       "tensor{1, 2, 0 / 0}:ne(2)"),
	BL_LUA("logical_and", t_logical_and, "(other: tensor|number): tensor", "1 where neither is 0, else 0.",
	       "local x = tensor{1, 2, 3}; return x:gt(1):logical_and(x:lt(3))"),
	BL_LUA("logical_or", t_logical_or, "(other: tensor|number): tensor", "1 where at least one is not 0, else 0.",
	       "tensor{0, 1}:logical_or(tensor{0, 0})"),
	BL_LUA("logical_xor", t_logical_xor, "(other: tensor|number): tensor", "1 where exactly one of the two is 0, else 0.",
	       "tensor{0, 1}:logical_xor(1)"),
	BL_LUA("logical_not", t_logical_not, "(): tensor", "1 where t is 0, else 0.", "tensor{0, 2}:logical_not()"),
	BL_LUA("masked_fill", t_masked_fill, "(mask: tensor, value: number|tensor): tensor",
	       "A copy in which elements where the mask is not 0 are replaced by the value.",
	       "local x = tensor{1, -2}; return x:masked_fill(x:lt(0), 0)"),
	BL_LUA("masked_select", t_masked_select, "(mask: tensor): tensor", "The elements where the mask is not 0, as a vector.",
	       "local x = tensor{3, -2, 5}; return x:masked_select(x:gt(0))"),
	BL_LUA("sort", t_sort, "(dim?: integer, descending?: boolean): tensor, tensor",
	       "Sorts along a dimension (the last); returns values and their indices. Equal elements keep their order; NaN is the largest.",
	       "tensor{3, 1, 2}:sort()"),
	BL_LUA("argsort", t_argsort, "(dim?: integer, descending?: boolean): tensor", "Only the indices that sort returns.",
	       "tensor{3, 1, 2}:argsort()"),
	BL_LUA("topk", t_topk, "(k: integer, dim?: integer, largest?: boolean): tensor, tensor",
	       "The k largest along a dimension (the last), largest first, and their indices; largest = false: the smallest.",
	       "tensor{3, 1, 2}:topk(2)"),
	BL_LUA("gather", t_gather, "(dim: integer, places: tensor): tensor",
	       "Elements by their indices along a dimension, as sort returns them.",
	       "tensor{{1, 2}, {3, 4}}:gather(2, tensor{{2}, {1}})"),
	BL_LUA("flip", t_flip, "(dims...: integer): tensor", "A copy with the elements reversed along dimensions.",
	       "tensor{{1, 2}, {3, 4}}:flip(2)"),
	BL_LUA("cumsum", t_cumsum, "(dim: integer): tensor", "Cumulative sums along a dimension.", "tensor{1, 2, 3}:cumsum(1)"),
	BL_LUA_END,
};
