/* SPDX-License-Identifier: GPL-3.0-or-later */
/* open.c: the table that `require "barlow"` returns, and the same names as globals. */
#include "lua/bind/face.h"
#include "lua/kit/tame.h"

#include <barlow/parallel.h>

static const luaL_Reg modules[] = {
	{ "tensor", bl_lua_open_tensor },   { "nn", bl_lua_open_nn },
	{ "aug", bl_lua_open_aug },         { "data", bl_lua_open_data },
	{ "loss", bl_lua_open_loss },       { "optim", bl_lua_open_optim },
	{ "trainer", bl_lua_open_trainer }, { "eval", bl_lua_open_eval },
	{ "plot", bl_lua_open_plot },       { NULL, NULL },
};

/* barlow.help(name); its module is loaded on the first call */
static int help(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.help", "show", lua_gettop(L));
}

static int clock_now(lua_State *L)
{
	lua_pushnumber(L, bl_now());
	return 1;
}

static const bl_lua_function functions[] = {
	BL_LUA("help", help, "(name?: string|table|function)",
	       "Lists all names, or describes the one given; at the prompt also ?name.", "help \"tensor.zeros\""),
	BL_LUA("interruptible", bl_lua_interruptible, "(f: function, ...: any): boolean, any",
	       "Calls f; returns true and its results, or false if Ctrl-C interrupted it. Other errors are raised.",
	       "interruptible(function() return 1 end)"),
	BL_LUA("clock", clock_now, "(): number",
	       "Seconds of a monotonic clock, with fractions, to measure elapsed time (os.clock counts processor time).",
	       "local before = clock(); tensor.randn(64, 64):sum(); print(clock() - before >= 0)"),
	BL_LUA_END,
};

int luaopen_barlow(lua_State *L)
{
	luaL_checkversion(L);
	if (bl_kernel_check() < 0)
		bl_lua_fail(L);
	bl_lua_tuned();
	bl_lua_preload(L, NULL);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	lua_pushcfunction(L, bl_lua_open_native);
	lua_setfield(L, -2, "barlow.native");
	lua_pop(L, 1);
	bl_lua_thread_states(bl_lua_open_sandbox);
	bl_lua_wrap_random(L);
	bl_lua_define_function(L);
	lua_newtable(L);
	for (const luaL_Reg *m = modules; m->name; m++) {
		m->func(L);
		lua_setfield(L, -2, m->name);
	}
	bl_lua_functions(L, "", functions);
	bl_lua_push_runs(L);
	lua_setfield(L, -2, "runs");
	bl_lua_push_sweep(L);
	lua_setfield(L, -2, "sweep");
	bl_lua_name_modules(L);
	return 1;
}

/*
 * print: calls Lua's own print, upvalue 1.  A table whose metatable has neither __tostring nor __name is formatted as at the
 * prompt.
 */
static int print(lua_State *L)
{
	for (int i = 1, n = lua_gettop(L); i <= n; i++) {
		if (lua_type(L, i) != LUA_TTABLE || luaL_getmetafield(L, i, "__tostring") != LUA_TNIL ||
		    luaL_getmetafield(L, i, "__name") != LUA_TNIL) {
			lua_settop(L, n);
			continue;
		}
		lua_pushvalue(L, i);
		bl_lua_call_module(L, "barlow.show", "result", 1);
		lua_replace(L, i);
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, 0);
	return 0;
}

void bl_lua_open_globals(lua_State *L)
{
	bl_lua_interruptible_library(L);
	lua_getglobal(L, "print");
	lua_pushcclosure(L, print, 1);
	lua_setglobal(L, "print");
	luaL_requiref(L, "barlow", luaopen_barlow, 0);
	for (lua_pushnil(L); lua_next(L, -2);)
		lua_setglobal(L, lua_tostring(L, -2)); /* pops the value; the key stays for lua_next */
	lua_pop(L, 1);
}
