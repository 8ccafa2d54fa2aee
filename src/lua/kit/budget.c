/* SPDX-License-Identifier: GPL-3.0-or-later */
/* budget.c: the budget of a call in a sandboxed state: its time and instructions, tensors, and what is printed. */
#include "lua/kit/budget.h"
#include "lua/kit/kit.h"

#include <barlow/parallel.h>

#include <stdatomic.h>
#include <stdio.h>

enum { PATIENCE = 1 }; /* seconds that a call may take while another thread waits */

static atomic_int hurried;    /* number of threads that wait for functions to end */
static _Atomic double end_at; /* when all calls are interrupted; 0: never */

void bl_lua_states_hurry(bool on)
{
	hurried += on ? 1 : -1;
}

void bl_lua_states_end(void)
{
	end_at = bl_now() + PATIENCE;
}

bl_budget *bl_budget_of(lua_State *L)
{
	return *(bl_budget **)lua_getextraspace(L);
}

bool bl_lua_state_is_sandbox(lua_State *L)
{
	bool is = lua_getfield(L, LUA_REGISTRYINDEX, BL_SANDBOX_MARK) == LUA_TBOOLEAN;
	lua_pop(L, 1);
	return is;
}

/* Raises an error if the budget is exceeded or the call is interrupted, and then again at every instruction, so that pcall cannot stop it. */
static void check(lua_State *L, bl_budget *b)
{
	double now = bl_now();
	bool interrupted = b->c.interruptible && bl_lua_interrupted;
	bool late = now - b->began > b->seconds;
	bool hurry = (hurried > 0 && now - b->began > PATIENCE) || (end_at > 0 && now > end_at);
	if (b->left >= 0 && !late && !hurry && !interrupted && !b->over)
		return;
	b->over = true;
	b->given_up |= interrupted || hurry;
	lua_sethook(L, bl_budget_hook, LUA_MASKCOUNT, 1);
	if (b->given_up)
		luaL_error(L, "interrupted");
	if (late)
		luaL_error(L, "%s ran for more than %f s", b->c.what, b->seconds);
	luaL_error(L, "%s ran for more than %I instructions", b->c.what, (lua_Integer)b->c.instructions);
}

void bl_budget_hook(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	bl_budget *b = bl_budget_of(L);
	b->left -= lua_gethookcount(L);
	check(L, b);
}

enum { COLLECT_PART = 8 }; /* new tensors of 1/8 of the free budget cause a collection */

void bl_lua_state_charge(lua_State *L, int64_t bytes)
{
	if (!bl_lua_state_is_sandbox(L))
		return;
	bl_budget *b = bl_budget_of(L);
	if (bytes < 0) {
		b->tensors -= (size_t)-bytes < b->tensors ? (size_t)-bytes : b->tensors;
		return;
	}
	b->tensors += (size_t)bytes;
	b->fresh += (size_t)bytes;
	if (b->depth > 0)
		check(L, b); /* products of large matrices take long, but few instructions, which the hook counts */
	if (b->fresh <= (b->most - b->used) / COLLECT_PART && b->used + b->tensors <= b->most)
		return;
	lua_gc(L, LUA_GCCOLLECT);
	b->fresh = 0;
	if (b->used + b->tensors > b->most)
		luaL_error(L, "%s needs more than %I MiB of memory", b->c.what, (lua_Integer)(b->limit >> 20));
}

bool bl_lua_state_may_print(lua_State *L, size_t bytes)
{
	bl_budget *b = bl_budget_of(L);
	size_t most = b->c.prints ? b->c.prints : 64 << 10;
	if (b->printed <= most && bytes <= most - b->printed) {
		b->printed += bytes;
		return true;
	}
	if (b->printed <= most)
		fprintf(stderr, "barlow: %s prints more than %zu KiB: the rest is left out\n", b->c.what, most >> 10);
	b->printed = most + 1;
	return false;
}
