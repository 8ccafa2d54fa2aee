/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text_only.c: load, loadfile, dofile and require that take Lua text, and no bytecode.
 *
 * Bytecode made by hand can break the interpreter; who loads a file means text.
 */
#include "cli/run.h"

#include <lauxlib.h>

/* load(chunk[, name[, mode[, env]]]) and loadfile(name[, mode[, env]]), upvalues: the real one, where mode stands. */
static int load_text(lua_State *L)
{
	int mode = (int)lua_tointeger(L, lua_upvalueindex(2)), n = lua_gettop(L);
	if (n < mode)
		lua_settop(L, mode);
	lua_pushliteral(L, "t");
	lua_replace(L, mode);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

static void wrap(lua_State *L, const char *name, int mode)
{
	lua_getglobal(L, name);
	lua_pushinteger(L, mode);
	lua_pushcclosure(L, load_text, 2);
	lua_setglobal(L, name);
}

static int dofile_text(lua_State *L)
{
	const char *path = luaL_optstring(L, 1, NULL);
	lua_settop(L, 1);
	if (luaL_loadfilex(L, path, "t") != LUA_OK)
		return lua_error(L);
	lua_call(L, 0, LUA_MULTRET);
	return lua_gettop(L) - 1;
}

/* The searcher for Lua files. */
static int search_text(lua_State *L)
{
	luaL_checkstring(L, 1);
	lua_getfield(L, lua_upvalueindex(1), "searchpath");
	lua_pushvalue(L, 1);
	lua_getfield(L, lua_upvalueindex(1), "path");
	lua_call(L, 2, 2);
	if (lua_isnil(L, -2))
		return 1; /* where it was looked for */
	lua_pop(L, 1);
	const char *path = lua_tostring(L, -1);
	if (luaL_loadfilex(L, path, "t") != LUA_OK)
		return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", lua_tostring(L, 1), path,
		                  lua_tostring(L, -1));
	lua_insert(L, -2);
	return 2;
}

void bl_run_text_only(lua_State *L)
{
	wrap(L, "load", 3);
	wrap(L, "loadfile", 2);
	lua_pushcfunction(L, dofile_text);
	lua_setglobal(L, "dofile");
	lua_getglobal(L, "package");
	lua_getfield(L, -1, "searchers");
	lua_pushvalue(L, -2);
	lua_pushcclosure(L, search_text, 1);
	lua_rawseti(L, -2, 2);
	lua_pop(L, 2);
}
