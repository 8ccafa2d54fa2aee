/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check.c: types of values, error messages, and arguments that are shapes, dimensions and lists of integers. */
#include "lua/kit/kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Returns whether it is the chunk name of one of barlow's own Lua files, such as "barlow.run". */
static bool is_ours(const char *name)
{
	return strncmp(name, "barlow.", 7) == 0;
}

/* Pushes "script.lua:5: ", or "" if no script made the call. */
static void push_place(lua_State *L)
{
	lua_Debug d;
	bool ours = false;
	for (int level = 1; lua_getstack(L, level, &d); level++) {
		lua_getinfo(L, "Sl", &d);
		bool script = d.currentline > 0 && !(*d.source == '=' && is_ours(d.short_src));
		if (script) {
			lua_pushfstring(L, "%s:%d: ", d.short_src, d.currentline);
			return;
		}
		ours = ours || d.currentline > 0;
		if (!ours)
			break; /* called by C */
	}
	lua_pushliteral(L, "");
}

int bl_lua_error(lua_State *L, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	push_place(L);
	lua_pushvfstring(L, format, args);
	va_end(args);
	lua_concat(L, 2);
	return lua_error(L);
}

void bl_lua_push_message(lua_State *L, int index)
{
	const char *text = luaL_tolstring(L, index, NULL);
	const char *at = is_ours(text) ? text + strcspn(text, ":\n") : "";
	size_t digits = *at == ':' ? strspn(at + 1, "0123456789") : 0;
	if (digits > 0 && strncmp(at + 1 + digits, ": ", 2) == 0) {
		lua_pushstring(L, at + digits + 3);
		lua_remove(L, -2);
	}
}

void *bl_lua_test(lua_State *L, int arg, const char *type)
{
	return luaL_testudata(L, arg, type);
}

const char *bl_lua_describe(lua_State *L, int index)
{
	bl_tensor **t = bl_lua_test(L, index, BL_T_TENSOR);
	char buf[BL_SHAPE_TEXT];
	if (t)
		return lua_pushfstring(L, "tensor %s", bl_tensor_text(*t, buf));
	switch (lua_type(L, index)) {
	case LUA_TSTRING: return lua_pushfstring(L, "string '%s'", lua_tostring(L, index));
	case LUA_TNUMBER: lua_pushvalue(L, index); return lua_pushfstring(L, "number %s", lua_tostring(L, -1));
	case LUA_TBOOLEAN: return lua_toboolean(L, index) ? "true" : "false";
	case LUA_TNONE: return "nothing";
	default: return luaL_getmetafield(L, index, "__name") == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, index);
	}
}

int bl_lua_bad(lua_State *L, const char *what, const char *key, const char *expected, int index)
{
	const char *got = bl_lua_describe(L, lua_absindex(L, index));
	return luaL_error(L, "%s: '%s' must be %s, got %s", what, key, expected, got);
}

int bl_lua_missing(lua_State *L, const char *what, const char *key, const char *expected)
{
	return luaL_error(L, "%s: '%s' is missing: give %s", what, key, expected);
}

int bl_lua_unknown(lua_State *L, const char *what, const char *thing, const char *word, const char *const *known)
{
	const char *near = bl_nearest(word, known);
	if (near)
		return luaL_error(L, "%s: unknown %s '%s' (did you mean '%s'?)", what, thing, word, near);
	if (!known[0])
		return luaL_error(L, "%s: unknown %s '%s' (there are none)", what, thing, word);
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	for (int i = 0; known[i]; i++) {
		luaL_addstring(&b, i ? ", " : "");
		luaL_addstring(&b, known[i]);
	}
	luaL_pushresult(&b);
	return luaL_error(L, "%s: unknown %s '%s' (known: %s)", what, thing, word, lua_tostring(L, -1));
}

int bl_lua_dim(lua_State *L, int arg, const bl_tensor *t)
{
	lua_Integer d = luaL_checkinteger(L, arg);
	int n = bl_tensor_ndim(t);
	char buf[BL_SHAPE_TEXT];
	if (d >= 1 && d <= n)
		return (int)d - 1;
	if (d < 0 && d >= -n)
		return (int)d + n;
	return luaL_argerror(L, arg,
	                     lua_pushfstring(L, "no dimension %I in %s (1 is the first, -1 the last)", d, bl_tensor_text(t, buf)));
}

/* __tostring: "(2, 3)"; a single size is "(2)". */
static int shape_text(lua_State *L)
{
	luaL_Buffer b;
	int n = (int)lua_rawlen(L, 1);
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_buffinit(L, &b);
	luaL_addchar(&b, '(');
	for (int i = 1; i <= n; i++) {
		luaL_addstring(&b, i > 1 ? ", " : "");
		lua_rawgeti(L, 1, i);
		luaL_tolstring(L, -1, NULL);
		lua_remove(L, -2);
		luaL_addvalue(&b);
	}
	luaL_addchar(&b, ')');
	luaL_pushresult(&b);
	return 1;
}

/* __eq: the lists have equal items. */
static int shape_equal(lua_State *L)
{
	bool same = lua_istable(L, 1) && lua_istable(L, 2) && lua_rawlen(L, 1) == lua_rawlen(L, 2);
	for (lua_Integer i = 1; same && i <= (lua_Integer)lua_rawlen(L, 1); i++) {
		lua_rawgeti(L, 1, i);
		lua_rawgeti(L, 2, i);
		same = lua_rawequal(L, -1, -2);
		lua_pop(L, 2);
	}
	lua_pushboolean(L, same);
	return 1;
}

void bl_lua_push_shape(lua_State *L, int n, const int64_t *sizes)
{
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_pushinteger(L, sizes[i]);
		lua_rawseti(L, -2, i + 1);
	}
	if (luaL_newmetatable(L, BL_T_SHAPE)) {
		lua_pushcfunction(L, shape_text);
		lua_setfield(L, -2, "__tostring");
		lua_pushcfunction(L, shape_equal);
		lua_setfield(L, -2, "__eq");
		lua_createtable(L, 0, 1); /* the result of getmetatable, which keeps scripts from changing the real one */
		lua_pushcfunction(L, shape_text);
		lua_setfield(L, -2, "__tostring");
		lua_setfield(L, -2, "__metatable");
	}
	lua_setmetatable(L, -2);
}

int bl_lua_shape(lua_State *L, int first, int64_t shape[BL_MAXDIM])
{
	bool table = lua_istable(L, first);
	int n = table ? (int)lua_rawlen(L, first) : lua_gettop(L) - first + 1;
	luaL_argcheck(L, n <= BL_MAXDIM, first, "too many dimensions");
	for (int i = 0; i < n; i++) {
		if (table)
			lua_rawgeti(L, first, i + 1);
		int ok, at = table ? -1 : first + i;
		shape[i] = lua_type(L, at) == LUA_TNUMBER ? lua_tointegerx(L, at, &ok) : (ok = 0);
		if (!ok)
			luaL_argerror(L, table ? first : at,
			              lua_pushfstring(L, "sizes are integers, not %s", bl_lua_describe(L, lua_absindex(L, at))));
		if (table)
			lua_pop(L, 1);
	}
	return n < 0 ? 0 : n;
}

/* Copies the elements of a tensor of one dimension into a userdata, which it pushes. */
static int64_t *tensor_integers(lua_State *L, const bl_tensor *t, const char *what, int64_t *n)
{
	char buf[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(t) != 1)
		luaL_error(L, "%s: expected a list or a tensor of one dimension, got %s", what, bl_tensor_text(t, buf));
	*n = bl_tensor_count(t);
	int64_t *v = lua_newuserdatauv(L, sizeof *v * (size_t)(*n + 1), 0);
	float *numbers = lua_newuserdatauv(L, sizeof *numbers * (size_t)(*n + 1), 0);
	bl_tensor_read(t, numbers);
	for (int64_t i = 0; i < *n; i++) {
		if (!(numbers[i] > -16777217.f && numbers[i] < 16777217.f) || numbers[i] != (float)(int64_t)numbers[i])
			luaL_error(L, "%s: item %I must be an integer, got %f", what, (lua_Integer)i + 1, (lua_Number)numbers[i]);
		v[i] = (int64_t)numbers[i];
	}
	lua_pop(L, 1);
	return v;
}

int64_t *bl_lua_integers(lua_State *L, int index, const char *what, int64_t *n)
{
	index = lua_absindex(L, index);
	bl_tensor **t = bl_lua_test(L, index, BL_T_TENSOR);
	if (t)
		return tensor_integers(L, *t, what, n);
	if (!lua_istable(L, index))
		luaL_error(L, "%s: expected a list or a tensor of integers, got %s", what, bl_lua_describe(L, index));
	*n = (int64_t)lua_rawlen(L, index);
	int64_t *v = lua_newuserdatauv(L, sizeof *v * (size_t)(*n + 1), 0);
	for (int64_t i = 0; i < *n; i++) {
		int ok;
		lua_rawgeti(L, index, i + 1);
		v[i] = lua_tointegerx(L, -1, &ok);
		if (!ok)
			luaL_error(L, "%s: item %I must be an integer, got %s", what, (lua_Integer)i + 1, bl_lua_describe(L, -1));
		lua_pop(L, 1);
	}
	return v;
}
