/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_sweep_face.c: the table `sweep`, linspace and geomspace; their functions are in lua/sweep.lua and related files. */
#include "lua/bind/face.h"

/* barlow.sweep{...}: Lua passes the called table as argument 1, which is removed */
static int new_sweep(lua_State *L)
{
	lua_remove(L, 1);
	luaL_checktype(L, 1, LUA_TTABLE);
	bl_lua_call_module(L, "barlow.sweep", "new", lua_gettop(L));
	return bl_lua_call_module(L, "barlow.driver", "with_methods", 1);
}

/* open(sweep): a folder, a name, or an entry of sweep.list(), whose folder is opened */
static int open_sweep(lua_State *L)
{
	if (lua_istable(L, 1)) {
		lua_getfield(L, 1, "folder");
		lua_replace(L, 1);
	}
	luaL_checkstring(L, 1);
	lua_settop(L, 1);
	bl_lua_call_module(L, "barlow.sweep", "open", lua_gettop(L));
	return bl_lua_call_module(L, "barlow.driver", "with_methods", 1);
}

static int list_sweeps(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.sweep_list", "list", 0);
}

/* Calls the function of lua/space.lua that has the same name as the running function. */
static int through(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.space", bl_lua_running(L)->name, lua_gettop(L));
}

static const bl_lua_function functions[] = {
	BL_LUA("open", open_sweep, "(sweep: string|table): sweep",
	       "An existing sweep, by its folder, by the beginning of its name among all sweeps, or as an entry of sweep.list().",
	       "pcall(sweep.open, \"lambda\")"),
	BL_LUA("list", list_sweeps, "(): table",
	       "All sweeps in the default folder: {name, folder, trials, complete, failed, pruned, skipped, metric, best or problem}.",
	       "print(sweep.list())"),
	BL_LUA("uniform", through, "(low: number, high: number): table",
	       "An axis of a sweep's space: uniform numbers in [low, high).", "sweep.uniform(0, .5)"),
	BL_LUA("loguniform", through, "(low: number, high: number): table",
	       "An axis: numbers in [low, high) whose logarithms are uniform.", "sweep.loguniform(1e-4, 1e-1)"),
	BL_LUA("integer", through, "(low: integer, high: integer): table", "An axis: uniform integers from low to high.",
	       "sweep.integer(1, 4)"),
	BL_LUA("choice", through, "(values: table): table", "An axis: one of the values; a plain list means the same.",
	       "sweep.choice{64, 256}"),
	BL_LUA_END,
};

static const bl_lua_function numbers[] = {
	BL_LUA("geomspace", through, "(from: number, to: number, n: integer): table",
	       "A list of n numbers from the first to the last with a constant ratio.", "geomspace(1e-4, 1e-1, 4)"),
	BL_LUA("linspace", through, "(from: number, to: number, n: integer): table",
	       "A list of n numbers from the first to the last with a constant difference.", "linspace(0, 1, 5)"),
	BL_LUA_END,
};

void bl_lua_push_sweep(lua_State *L)
{
	bl_lua_functions(L, "", numbers);
	bl_lua_module_new(L, "sweep");
	bl_lua_functions(L, "sweep", functions);
	lua_getmetatable(L, -1);
	lua_pushcfunction(L, new_sweep);
	lua_setfield(L, -2, "__call");
	lua_pop(L, 1);
}
