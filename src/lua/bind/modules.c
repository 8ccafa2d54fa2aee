/* SPDX-License-Identifier: GPL-3.0-or-later */
/* modules.c: the Lua files that are embedded in the binary, and calls of their functions. */
#include "lua/bind/face.h"
#include "lua/embed.h"

#include <string.h>

/* Loads one of barlow's Lua files, as an entry of package.preload; upvalue 1: the file. */
static int load_embedded(lua_State *L)
{
	const bl_lua_file *f = lua_touserdata(L, lua_upvalueindex(1));
	const char *name = lua_pushfstring(L, "=%s", f->name);
	if (luaL_loadbufferx(L, (const char *)f->text, f->length, name, "t") != LUA_OK)
		return lua_error(L);
	lua_call(L, 0, 1);
	return 1;
}

void bl_lua_preload(lua_State *L, const char *module)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	for (const bl_lua_file *f = bl_lua_files; f->name; f++)
		if (!module || strcmp(f->name, module) == 0) {
			lua_pushlightuserdata(L, (void *)(uintptr_t)f);
			lua_pushcclosure(L, load_embedded, 1);
			lua_setfield(L, -2, f->name);
		}
	lua_pop(L, 1);
}

/* Pushes one of barlow's own modules, like `require`, which sandboxed states lack. */
static void push_module(lua_State *L, const char *module)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	if (lua_getfield(L, -1, module) == LUA_TNIL) {
		lua_pop(L, 1);
		luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
		lua_getfield(L, -1, module);
		lua_remove(L, -2);
		lua_pushstring(L, module);
		lua_call(L, 1, 1);
		lua_pushvalue(L, -1);
		lua_setfield(L, -3, module);
	}
	lua_remove(L, -2);
}

int bl_lua_call_module(lua_State *L, const char *module, const char *name, int nargs)
{
	int base = lua_gettop(L) - nargs;
	push_module(L, module);
	lua_getfield(L, -1, name);
	lua_replace(L, -2);
	lua_insert(L, base + 1);
	lua_call(L, nargs, LUA_MULTRET);
	return lua_gettop(L) - base;
}

void bl_lua_call_maker(lua_State *L, const char *module, const char *name, int nargs)
{
	push_module(L, "barlow");
	lua_getfield(L, -1, module);
	lua_getfield(L, -1, name);
	lua_insert(L, -nargs - 3);
	lua_pop(L, 2);
	lua_call(L, nargs, 1);
}
