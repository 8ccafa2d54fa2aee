/* SPDX-License-Identifier: GPL-3.0-or-later */
/* object.c: userdata with methods, properties, and a source: the constructor call that made the object. */
#include "lua/kit/kit.h"

#include <barlow/text.h>

#include <stdlib.h>
#include <string.h>

void *bl_lua_new(lua_State *L, const char *type, size_t size)
{
	void *p = lua_newuserdatauv(L, size, 2);
	memset(p, 0, size);
	luaL_setmetatable(L, type);
	return p;
}

/* Argument 1 is not the object.  If a method is running, raises the error for t.size() instead of t:size(). */
static int refuse_no_self(lua_State *L, const char *type)
{
	const char *got = lua_isnone(L, 1) ? "no value" : bl_lua_describe(L, 1);
	const char *name = lua_tostring(L, lua_upvalueindex(BL_LUA_UP_NAME)), *method = name ? strchr(name, ':') : NULL;
	const char *self = method && luaL_getmetatable(L, type) && lua_getfield(L, -1, "__self") ? lua_tostring(L, -1) : NULL;
	if (!self)
		return 0;
	return luaL_argerror(L, 1,
	                     lua_pushfstring(L, "%s expected, got %s; a method is called with ':', as %s%s()", type, got, self,
	                                     method));
}

void *bl_lua_check(lua_State *L, int arg, const char *type)
{
	if (arg == 1 && !luaL_testudata(L, 1, type))
		refuse_no_self(L, type);
	return luaL_checkudata(L, arg, type);
}

int bl_lua_fail(lua_State *L)
{
	return luaL_error(L, "%s", bl_error());
}

void bl_lua_push_clean(lua_State *L, const char *text, bool lines)
{
	luaL_Buffer b;
	size_t n = bl_text_clean(NULL, 0, text, lines);
	char *out = luaL_buffinitsize(L, &b, n + 1);
	bl_text_clean(out, n + 1, text, lines);
	luaL_pushresultsize(&b, n);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void bl_lua_sort(const char **names, size_t n)
{
	qsort(names, n, sizeof *names, by_name);
}

/* Raises the error for an unknown field; its suggestion is one of the methods, properties and settings. */
static int missing_field(lua_State *L)
{
	const char *names[256];
	int n = 0;
	for (int u = 1; u <= 2; u++) {
		lua_pushnil(L);
		while (lua_next(L, lua_upvalueindex(u))) {
			if (n < 255)
				names[n++] = lua_tostring(L, -2); /* the table keeps it alive */
			lua_pop(L, 1);
		}
	}
	lua_CFunction fields = lua_tocfunction(L, lua_upvalueindex(4));
	if (fields && fields(L) == 1)
		for (const bl_field *f = lua_touserdata(L, -1); f && f->name && n < 255; f++)
			names[n++] = f->name;
	luaL_getmetafield(L, 1, "__name");
	const char *type = lua_tostring(L, -1);
	if (lua_type(L, 2) != LUA_TSTRING)
		return luaL_error(L, "%s: expected %sthe name of a field, got %s", type,
		                  lua_isnil(L, lua_upvalueindex(3)) ? "" : "an index or ", bl_lua_describe(L, 2));
	bl_lua_sort(names, (size_t)n);
	int kept = 0; /* a property may be a setting, too */
	for (int i = 0; i < n; i++)
		if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	names[kept] = NULL;
	return bl_lua_unknown(L, type, "field", lua_tostring(L, 2), names);
}

/* __index: upvalues are methods, properties, element, fields. */
static int object_index(lua_State *L)
{
	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	lua_pushvalue(L, 2);
	lua_CFunction property = lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL ? NULL : lua_tocfunction(L, -1);
	lua_settop(L, property ? 1 : 2);
	if (property)
		return property(L);
	lua_CFunction element = lua_tocfunction(L, lua_upvalueindex(3));
	if (element && element(L) > 0)
		return 1;
	return missing_field(L);
}

/*
 * __gc: upvalue 1 is the type's own finalizer.  A script could get this function (debug.getmetatable), call it twice, and use
 * the object afterwards, so the object has no type any more once it is finalized.
 */
static int end_object(lua_State *L)
{
	lua_CFunction end = lua_tocfunction(L, lua_upvalueindex(1));
	lua_settop(L, 1);
	end(L);
	lua_settop(L, 1);
	lua_pushnil(L);
	lua_setmetatable(L, 1);
	return 0;
}

void bl_lua_define(lua_State *L, const bl_lua_class *c)
{
	luaL_newmetatable(L, c->type);
	luaL_setfuncs(L, c->meta, 0);
	if (lua_getfield(L, -1, "__gc") == LUA_TFUNCTION) {
		lua_pushcclosure(L, end_object, 1);
		lua_setfield(L, -2, "__gc");
	} else {
		lua_pop(L, 1);
	}
	lua_newtable(L); /* methods, and properties */
	lua_newtable(L);
	if (c->element)
		lua_pushcfunction(L, c->element);
	else
		lua_pushnil(L);
	if (c->fields)
		lua_pushcfunction(L, c->fields);
	else
		lua_pushnil(L);
	lua_pushvalue(L, -4);
	lua_setfield(L, -6, "__methods"); /* read by completion; further methods are added here */
	lua_pushvalue(L, -3);
	lua_setfield(L, -6, "__properties");
	lua_pushcclosure(L, object_index, 4);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

static void push_copy(lua_State *L, int table)
{
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, table);) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -4);
	}
}

/* Pushes {call = name, n = nargs, ...}, with tables copied one level deep, since the caller may change its tables afterwards. */
static void pack_source(lua_State *L, int name)
{
	int n = lua_gettop(L);
	lua_createtable(L, n, 2);
	for (int i = 1; i <= n; i++) {
		if (lua_istable(L, i))
			push_copy(L, i);
		else
			lua_pushvalue(L, i);
		lua_rawseti(L, n + 1, i);
	}
	lua_pushinteger(L, n);
	lua_setfield(L, -2, "n");
	lua_pushvalue(L, name);
	lua_setfield(L, -2, "call");
}

/* Stores a copy of upvalue SOURCE as the source of each of the results on top. */
static void give_source(lua_State *L, int results)
{
	for (int i = 1; i <= results; i++) {
		push_copy(L, lua_upvalueindex(BL_LUA_UP_SOURCE));
		lua_pushinteger(L, i);
		lua_setfield(L, -2, "result");
		lua_pushinteger(L, results);
		lua_setfield(L, -2, "results");
		lua_setiuservalue(L, -results + i - 2, 1);
	}
	lua_pushnil(L);
	lua_replace(L, lua_upvalueindex(BL_LUA_UP_SOURCE));
}

/*
 * The wrapper of constructors.  The constructor runs in this stack frame, so that messages name it.  The source of its
 * results is the list of its arguments or, if it reads settings (bl_lua_take), the table of all settings.
 */
static int construct(lua_State *L)
{
	const bl_lua_function *f = bl_lua_running(L);
	pack_source(L, lua_upvalueindex(BL_LUA_UP_NAME));
	lua_replace(L, lua_upvalueindex(BL_LUA_UP_SOURCE));
	int results = f->call(L);
	give_source(L, results);
	return results;
}

/* --- what recipes may call --- */

#define MAKERS "barlow.makers" /* registry: the names as keys */

const char *const *bl_lua_push_makers(lua_State *L)
{
	size_t n = 0;
	luaL_getsubtable(L, LUA_REGISTRYINDEX, MAKERS);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		n++;
	const char **names = lua_newuserdatauv(L, sizeof *names * (n + 1), 0);
	n = 0;
	for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1))
		names[n++] = lua_tostring(L, -2); /* the registry keeps it */
	names[n] = NULL;
	lua_remove(L, -2);
	return names;
}

void bl_lua_push_maker(lua_State *L, const bl_lua_function *f, const char *name)
{
	lua_pushlightuserdata(L, (void *)(uintptr_t)f);
	if (strchr(name, ':'))
		lua_pushfstring(L, ":%s", f->name); /* recipes call it as a method of its first argument */
	else
		lua_pushstring(L, name);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, MAKERS);
	lua_pushvalue(L, -2);
	lua_pushboolean(L, 1);
	lua_rawset(L, -3);
	lua_pop(L, 1);
	lua_pushnil(L);
	lua_pushcclosure(L, construct, BL_LUA_UP_SOURCE);
}

void bl_lua_source(lua_State *L, int index)
{
	if (lua_type(L, index) != LUA_TUSERDATA)
		lua_pushnil(L);
	else
		lua_getiuservalue(L, index, 1);
}
