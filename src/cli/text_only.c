/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text_only.c: load, loadfile, dofile and require, which store the text that they load (kit/texts.h), and refuse bytecode,
 * since manipulated bytecode can crash the interpreter.
 */
#include "cli/run.h"

#include "lua/kit/texts.h"

#include <lauxlib.h>

#include <stdbool.h>

/*
 * load(chunk[, name[, mode[, env]]]); upvalue: Lua's function.  Without a name, Lua uses the text as the chunk's name, and
 * the text is not stored.
 */
static int load_text(lua_State *L)
{
	size_t n;
	bool named = lua_type(L, 1) == LUA_TSTRING && lua_type(L, 2) == LUA_TSTRING;
	if (lua_gettop(L) < 3)
		lua_settop(L, 3);
	lua_pushliteral(L, "t");
	lua_replace(L, 3);
	int top = lua_gettop(L);
	lua_pushvalue(L, lua_upvalueindex(1));
	for (int i = 1; i <= top; i++)
		lua_pushvalue(L, i);
	lua_call(L, top, LUA_MULTRET);
	if (named && lua_isfunction(L, top + 1)) {
		const char *text = lua_tolstring(L, 1, &n);
		bl_lua_store_text(L, text, n, lua_tostring(L, 2));
	}
	return lua_gettop(L) - top;
}

/* loadfile([name[, mode[, env]]]) */
static int loadfile_text(lua_State *L)
{
	const char *path = luaL_optstring(L, 1, NULL);
	bool has_env = !lua_isnone(L, 3);
	if (bl_lua_load_file(L, path) != LUA_OK) {
		lua_pushnil(L);
		lua_insert(L, -2);
		return 2;
	}
	if (has_env) {
		lua_pushvalue(L, 3);
		if (!lua_setupvalue(L, -2, 1))
			lua_pop(L, 1);
	}
	return 1;
}

static int dofile_text(lua_State *L)
{
	const char *path = luaL_optstring(L, 1, NULL);
	lua_settop(L, 1);
	if (bl_lua_load_file(L, path) != LUA_OK)
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
		return 1; /* the message with the paths that were searched */
	lua_pop(L, 1);
	const char *path = lua_tostring(L, -1);
	if (bl_lua_load_file(L, path) != LUA_OK)
		return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", lua_tostring(L, 1), path,
		                  lua_tostring(L, -1));
	lua_insert(L, -2);
	return 2;
}

void bl_run_text_only(lua_State *L)
{
	lua_getglobal(L, "load");
	lua_pushcclosure(L, load_text, 1);
	lua_setglobal(L, "load");
	lua_pushcfunction(L, loadfile_text);
	lua_setglobal(L, "loadfile");
	lua_pushcfunction(L, dofile_text);
	lua_setglobal(L, "dofile");
	lua_getglobal(L, "package");
	lua_getfield(L, -1, "searchers");
	lua_pushvalue(L, -2);
	lua_pushcclosure(L, search_text, 1);
	lua_rawseti(L, -2, 2);
	lua_pop(L, 2);
}
