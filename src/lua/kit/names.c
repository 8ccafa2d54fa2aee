/* SPDX-License-Identifier: GPL-3.0-or-later */
/* names.c: values that every state has under the same name: libraries and their functions. */
#include "lua/kit/kit.h"
#include "lua/kit/tame.h"
#include "lua/kit/travel.h"

#define NAMES "barlow.names" /* registry: value -> name, name -> value */

static void note(lua_State *L, int names, const char *name)
{
	lua_pushvalue(L, -1);
	lua_pushstring(L, name);
	lua_rawset(L, names);
	lua_pushvalue(L, -1);
	lua_setfield(L, names, name);
}

void bl_lua_name(lua_State *L, const char *name, bool functions)
{
	int value = lua_gettop(L), names = value + 1;
	luaL_getsubtable(L, LUA_REGISTRYINDEX, NAMES);
	lua_pushvalue(L, value);
	note(L, names, name);
	lua_settop(L, names);
	lua_pushvalue(L, value);
	int real = lua_gettop(L);
	if (lua_istable(L, real))
		bl_lua_constant_real(L, real);
	for (lua_pushnil(L); functions && lua_next(L, real); lua_pop(L, 1))
		if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1)) {
			const char *full = lua_pushfstring(L, "%s.%s", name, lua_tostring(L, -2));
			lua_insert(L, -2);
			note(L, names, full);
			lua_remove(L, -2);
		}
	lua_settop(L, value);
}

const char *bl_lua_name_of(lua_State *L, int index)
{
	const char *name = NULL;
	index = lua_absindex(L, index);
	if (!lua_istable(L, index) && !lua_isfunction(L, index) && lua_type(L, index) != LUA_TUSERDATA)
		return NULL;
	luaL_getsubtable(L, LUA_REGISTRYINDEX, NAMES);
	lua_pushvalue(L, index);
	if (lua_rawget(L, -2) == LUA_TSTRING)
		name = lua_tostring(L, -1); /* the table keeps it */
	lua_pop(L, 2);
	return name;
}

void bl_lua_push_named(lua_State *L, const char *name)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, NAMES);
	if (lua_getfield(L, -1, name) == LUA_TNIL)
		luaL_error(L, "a copied function refers to '%s', which does not exist where it runs", name);
	lua_remove(L, -2);
}
