/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * constant.c: read-only tables: upvalues of functions, and libraries.
 *
 * A read-only table is an empty table in front of the real one: indexing, #, pairs, ipairs, next, table.unpack and
 * table.concat access the real one, and writing raises an error.
 */
#include "lua/kit/kit.h"
#include "lua/kit/packing.h"
#include "lua/kit/tame.h"

#define REAL "barlow.real" /* registry: read-only table -> the real one, weak keys */

static void push_reals(lua_State *L)
{
	if (luaL_getsubtable(L, LUA_REGISTRYINDEX, REAL))
		return;
	lua_createtable(L, 0, 1);
	lua_pushliteral(L, "k");
	lua_setfield(L, -2, "__mode");
	lua_setmetatable(L, -2);
}

bool bl_lua_constant_real(lua_State *L, int arg)
{
	push_reals(L);
	lua_pushvalue(L, arg);
	bool is = lua_rawget(L, -2) == LUA_TTABLE;
	if (is)
		lua_replace(L, arg);
	lua_pop(L, is ? 1 : 2);
	return is;
}

static int refuse(lua_State *L)
{
	return luaL_error(
		L,
		"a table among the function's upvalues cannot be written to: calls run on several threads, each with a copy, "
		"and none may see what another one did");
}

static int length(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
	return 1;
}

static int all_pairs(lua_State *L)
{
	lua_getglobal(L, "next");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushnil(L);
	return 3;
}

static void set_closure(lua_State *L, int real, lua_CFunction f, const char *name)
{
	lua_pushvalue(L, real);
	lua_pushcclosure(L, f, 1);
	lua_setfield(L, -2, name);
}

/* Upvalue 1: the library's name. */
static int refuse_name(lua_State *L)
{
	const char *name = lua_tostring(L, lua_upvalueindex(1));
	return luaL_error(
		L, "%s is a library's table, which cannot be written to: the next call would still find the '%s' of this one", name,
		luaL_tolstring(L, 2, NULL));
}

/* Copies the fields of the metatable of the value at `index`, if it has one, into the table on top. */
static void copy_metatable(lua_State *L, int index)
{
	if (!lua_getmetatable(L, index))
		return;
	for (lua_pushnil(L); lua_next(L, -2);) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -5);
	}
	lua_pop(L, 1);
}

/* Replaces the table on top by an empty one in front of it; library: its name, or NULL. */
static void put_in_front(lua_State *L, const char *library)
{
	luaL_checkstack(L, 10, "tables");
	int real = lua_gettop(L);
	lua_newtable(L);
	lua_createtable(L, 0, 5);
	copy_metatable(L, real);
	lua_pushvalue(L, real);
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, library);
	lua_pushcclosure(L, library ? refuse_name : refuse, 1);
	lua_setfield(L, -2, "__newindex");
	set_closure(L, real, length, "__len");
	set_closure(L, real, all_pairs, "__pairs");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	push_reals(L);
	lua_pushvalue(L, -2);
	lua_pushvalue(L, real);
	lua_rawset(L, -3);
	lua_pop(L, 1);
	lua_remove(L, real);
}

void bl_lua_push_constant(lua_State *L)
{
	put_in_front(L, NULL);
}

void bl_lua_close_library(lua_State *L, const char *name)
{
	put_in_front(L, name);
}
