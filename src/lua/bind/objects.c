/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * objects.c: data sets, pipelines, losses and tensors as Lua objects: pushing them, and reading them from arguments.
 *
 * Their constructors and methods are in l_data.c, l_aug.c, l_loss.c and l_tensor.c, which call these functions.
 */
#include "lua/bind/face.h"

#include <barlow/text.h>

int bl_lua_give_dataset(lua_State *L, bl_dataset *d)
{
	if (!d)
		return bl_lua_fail(L);
	*(bl_dataset **)bl_lua_new(L, BL_T_DATASET, sizeof d) = d;
	return 1;
}

bl_dataset *bl_lua_dataset(lua_State *L, int arg)
{
	return *(bl_dataset **)bl_lua_check(L, arg, BL_T_DATASET);
}

int32_t *bl_lua_labels(lua_State *L, int index, int64_t expected)
{
	int64_t n, *v = bl_lua_integers(L, index, "labels", &n);
	if (n != expected)
		luaL_error(L, "%I %s for %I %s", (lua_Integer)n, bl_text_plural(n, "label", "labels"), (lua_Integer)expected,
		           bl_text_plural(expected, "image", "images"));
	int32_t *labels = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *labels, 0);
	for (int64_t i = 0; i < n; i++) {
		if (v[i] < 1 || v[i] > INT32_MAX)
			luaL_error(L, "label %I is %I: labels count from 1", (lua_Integer)i + 1, (lua_Integer)v[i]);
		labels[i] = (int32_t)(v[i] - 1);
	}
	return labels;
}

int bl_lua_give_pipeline(lua_State *L, bl_pipeline *p)
{
	if (!p)
		return bl_lua_fail(L);
	*(bl_pipeline **)bl_lua_new(L, BL_T_PIPELINE, sizeof p) = p;
	return 1;
}

bl_pipelines *bl_lua_push_views(lua_State *L)
{
	return bl_lua_new(L, BL_T_VIEWS, sizeof(bl_pipelines));
}

bl_loss *bl_lua_loss(lua_State *L, int arg)
{
	return *(bl_loss **)bl_lua_check(L, arg, BL_T_LOSS);
}

/* Takes ownership of the reference l; raises bl_error() if l is NULL. */
int bl_lua_give_loss(lua_State *L, bl_loss *l)
{
	if (!l)
		return bl_lua_fail(L);
	bl_loss **at = bl_lua_new(L, BL_T_LOSS, sizeof *at);
	*at = l;
	return 1;
}

bl_tensor *bl_lua_writable_tensor(lua_State *L, int arg, const char *what)
{
	bl_tensor *t = bl_lua_tensor(L, arg);
	if (bl_tensor_is_constant(t))
		luaL_error(
			L,
			"%s: a tensor among the function's upvalues cannot be written to, as all threads share it: write to its :clone()",
			what);
	return t;
}

/* --- images --- */

void bl_lua_push_image(lua_State *L, const bl_image *im)
{
	bl_tensor *t = bl_tensor_new(3, (int64_t[]){ im->channels, im->height, im->width });
	bl_lua_give_tensor(L, t);
	size_t plane = (size_t)im->height * (size_t)im->width, channels = (size_t)im->channels;
	float *v = bl_tensor_data(t);
	for (size_t k = 0; k < plane * channels; k++)
		v[k % channels * plane + k / channels] = im->type == BL_PIXEL_UINT8 ? im->pixels[k] / 255.f : im->values[k];
}

/* --- nested tables --- */

/* Finds the shape of the nested tables on top by following the first item of each.  The outermost table stays on top. */
static int nested_shape(lua_State *L, int64_t shape[BL_MAXDIM])
{
	int n = 0, depth = 0;
	lua_pushvalue(L, -1);
	while (lua_istable(L, -1)) {
		if (n == BL_MAXDIM)
			luaL_error(L, "tensor: tables nested deeper than %d", BL_MAXDIM);
		shape[n++] = (int64_t)lua_rawlen(L, -1);
		depth++;
		luaL_checkstack(L, 4, "nested tables");
		lua_rawgeti(L, -1, 1);
	}
	lua_pop(L, depth + 1);
	return n;
}

static float *fill_nested(lua_State *L, int depth, int ndim, const int64_t *shape, float *out)
{
	if (depth == ndim) {
		if (lua_type(L, -1) != LUA_TNUMBER)
			luaL_error(L, "tensor: expected a number, got %s", bl_lua_describe(L, lua_absindex(L, -1)));
		*out = (float)lua_tonumber(L, -1);
		return out + 1;
	}
	if (!lua_istable(L, -1) || (int64_t)lua_rawlen(L, -1) != shape[depth])
		luaL_error(L, "tensor: a ragged table: expected rows of %I items at depth %d, got %s of %I",
		           (lua_Integer)shape[depth], depth + 1, luaL_typename(L, -1),
		           (lua_Integer)(lua_istable(L, -1) ? lua_rawlen(L, -1) : 1));
	for (int64_t i = 0; i < shape[depth]; i++) {
		lua_rawgeti(L, -1, i + 1);
		out = fill_nested(L, depth + 1, ndim, shape, out);
		lua_pop(L, 1);
	}
	return out;
}

bl_tensor *bl_lua_tensor_from_table(lua_State *L, int index)
{
	int64_t shape[BL_MAXDIM];
	lua_pushvalue(L, index);
	int ndim = nested_shape(L, shape);
	bl_tensor *t = bl_tensor_new(ndim, shape);
	bl_lua_give_tensor(L, t); /* Lua frees it if a row is ragged */
	lua_insert(L, -2);
	fill_nested(L, 0, ndim, shape, bl_tensor_data(t));
	lua_pop(L, 1);
	return t;
}
