/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * interrupt.c: raises an error in the script on Ctrl-C.
 *
 * A permanent count hook, which every coroutine made later inherits, checks the flag.  While the flag is set, the hook runs
 * at every instruction, so that an error that a pcall has caught is raised again at once.  The signal handler itself makes
 * the hook run at once, as Lua's own program does, since each of EVERY instructions may be a long product of matrices.
 */
#include "lua/kit/kit.h"

#include <barlow/parallel.h>

enum { EVERY = 1000 };

volatile int bl_lua_interrupted, bl_lua_ending;

static void check_hook(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	int every = bl_lua_interrupted || bl_lua_ending ? 1 : EVERY;
	if (lua_gethookcount(L) != every)
		lua_sethook(L, check_hook, LUA_MASKCOUNT, every);
	bl_lua_interrupt_check(L);
}

static lua_State *volatile guarded;

void bl_lua_interrupt_guard(lua_State *L)
{
	guarded = L;
	bl_give_up_on(NULL); /* a Lua error may have skipped the call that resets it */
	if (L)
		lua_sethook(L, check_hook, LUA_MASKCOUNT, EVERY);
}

void bl_lua_interrupt(void)
{
	bl_lua_interrupted++;
	if (guarded)
		lua_sethook(guarded, check_hook, LUA_MASKCOUNT, 1);
}

const volatile int *bl_lua_interrupt_begin(lua_State *L)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	bool here = guarded && lua_tothread(L, -1) == guarded;
	lua_pop(L, 1);
	return bl_give_up_on(here ? &bl_lua_interrupted : NULL);
}

bool bl_lua_interrupt_end(const volatile int *before)
{
	bool given_up = bl_given_up();
	bl_give_up_on(before);
	return given_up;
}

void bl_lua_interrupt_check(lua_State *L)
{
	if (bl_lua_interrupted || bl_lua_ending)
		luaL_error(L, "interrupted");
}
