/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stock.c: replacements of functions of Lua's own library that could run for long without checking for Ctrl-C.
 *
 * They call the library's functions in their own stack frame, so that the error messages are the same.
 */
#include "lua/kit/kit.h"

#include <limits.h>
#include <string.h>

enum {
	LARGE_TABLE = 100000, /* elements, which are sorted within 0.1 s */
	LARGE_TEXT = 1 << 26,
	PIECE = 1 << 20,
};

static int library_function(lua_State *L)
{
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* --- table.sort --- */

static int less(lua_State *L)
{
	bl_lua_interrupt_check(L);
	lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
	return 1;
}

static int sort(lua_State *L)
{
	if (lua_istable(L, 1) && lua_isnoneornil(L, 2) && lua_rawlen(L, 1) > LARGE_TABLE) {
		lua_settop(L, 1);
		lua_pushcfunction(L, less);
	}
	return library_function(L);
}

/* --- string.rep --- */

/* Fills `out` with copies of its first `period` bytes, by copying pieces from its beginning behind the filled part. */
static void repeat(lua_State *L, char *out, size_t period, size_t size)
{
	size_t most = period < PIECE ? PIECE / period * period : period;
	for (size_t done = period, n; done < size; done += n) {
		n = done < most ? done : most;
		n = n < size - done ? n : size - done;
		memcpy(out + done, out, n);
		bl_lua_interrupt_check(L);
	}
}

static int rep(lua_State *L)
{
	size_t l, lsep;
	const char *s = luaL_checklstring(L, 1, &l);
	lua_Integer n = luaL_checkinteger(L, 2);
	const char *sep = luaL_optlstring(L, 3, "", &lsep);
	double size = (double)n * ((double)l + (double)lsep);
	if (n < 2 || size < LARGE_TEXT || size > INT_MAX) /* the library raises the error for a text that is too large */
		return library_function(L);
	luaL_Buffer b;
	size_t all = (size_t)n * l + (size_t)(n - 1) * lsep;
	char *out = luaL_buffinitsize(L, &b, all);
	memcpy(out, s, l);
	memcpy(out + l, sep, lsep);
	repeat(L, out, l + lsep, all);
	luaL_pushresultsize(&b, all);
	return 1;
}

/* --- replacing them --- */

static void replace(lua_State *L, const char *library, const char *name, lua_CFunction ours)
{
	lua_getglobal(L, library);
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, ours, 1);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

void bl_lua_interruptible_library(lua_State *L)
{
	replace(L, "table", "sort", sort);
	replace(L, "string", "rep", rep);
}
