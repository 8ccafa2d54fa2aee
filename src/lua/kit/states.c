/* SPDX-License-Identifier: GPL-3.0-or-later */
/* states.c: sandboxed states: an allocator with a limit; a hook that checks instructions, time and interruptions. */
#include "lua/kit/states.h"
#include "lua/kit/budget.h"
#include "lua/kit/kit.h"

#include <barlow/ambient.h>
#include <barlow/parallel.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(void *ctx, void *block, size_t old, size_t size)
{
	bl_budget *b = ctx;
	if (!block)
		old = 0; /* for a new block, Lua passes the type of the object as `old` */
	if (size == 0) {
		free(block);
		b->used -= old;
		return NULL;
	}
	size_t all = b->used + b->tensors, room = all < b->most ? b->most - all : 0;
	if (size > old && size - old > room)
		return NULL;
	void *moved = realloc(block, size);
	if (moved)
		b->used += size - old;
	return moved;
}

static int open_state(lua_State *L)
{
	bl_budget *b = lua_touserdata(L, 1);
	bl_lua_open_tame(L);
	lua_pushboolean(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, BL_SANDBOX_MARK);
	lua_pushcfunction(L, b->c.open);
	lua_pushlightuserdata(L, b->c.ctx);
	lua_call(L, 1, 0);
	return 0;
}

lua_State *bl_lua_state_new(const bl_lua_state_config *c)
{
	bl_budget *b = calloc(1, sizeof *b);
	if (!b)
		return bl_fail_null("no memory for a Lua state");
	b->c = *c;
	b->limit = b->most = c->bytes;
	lua_State *L = lua_newstate(allocate, b);
	if (!L) {
		free(b);
		return bl_fail_null("no memory for a Lua state");
	}
	*(bl_budget **)lua_getextraspace(L) = b;
	lua_pushcfunction(L, open_state);
	lua_pushlightuserdata(L, b);
	if (lua_pcall(L, 1, 0, 0) == LUA_OK)
		return L;
	bl_fail("cannot open a Lua state: %s", lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no memory");
	bl_lua_state_close(L);
	return NULL;
}

/* Finalizers may enter the state (bl_lua_enter), and so may have what was called in it before. */
void bl_lua_state_close(lua_State *L)
{
	bl_budget *b = bl_budget_of(L);
	lua_State *was = bl_ambient_here()->lua;
	bool own = was && lua_topointer(was, LUA_REGISTRYINDEX) == lua_topointer(L, LUA_REGISTRYINDEX);
	lua_close(L);
	bl_ambient_here()->lua = own ? NULL : was;
	free(b);
}

/* Starts the budget of an outermost call: the state's own, or the given limits. */
static void begin(lua_State *L, bl_budget *b, const bl_lua_limits *limits)
{
	b->over = b->given_up = false;
	b->printed = 0;
	b->left = limits ? INT64_MAX : b->c.instructions;
	b->seconds = limits ? limits->seconds : b->c.seconds;
	b->limit = limits ? limits->bytes : b->c.bytes;
	b->most = limits ? b->used + b->tensors + limits->bytes : b->c.bytes;
	b->began = bl_now();
	lua_sethook(L, bl_budget_hook, LUA_MASKCOUNT, b->c.every);
}

static int call(lua_State *L, int nargs, int nresults, const bl_lua_limits *limits, int handler)
{
	bl_budget *b = bl_budget_of(L);
	if (b->depth++ == 0)
		begin(L, b, limits);
	int status = lua_pcall(L, nargs, nresults, handler);
	if (--b->depth == 0)
		lua_sethook(L, NULL, 0, 0);
	if (status == LUA_OK)
		return 0;
	const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error value that is not a string";
	if (status == LUA_ERRMEM)
		bl_fail("%s needs more than %zu MiB of memory", b->c.what, b->limit >> 20);
	else if (b->given_up)
		bl_fail_interrupted("%s", message);
	else
		bl_fail("%s", message);
	lua_pop(L, 1);
	return -1;
}

int bl_lua_state_call(lua_State *L, int nargs, int nresults)
{
	return call(L, nargs, nresults, NULL, 0);
}

/* Message handler: adds Lua's traceback to the message, without the lines of C functions. */
static int trace(lua_State *L)
{
	if (lua_type(L, 1) != LUA_TSTRING)
		return 1;
	luaL_traceback(L, L, NULL, 1);
	const char *lines = lua_tostring(L, -1);
	lua_pushvalue(L, 1);
	for (const char *at = strchr(lines, '\n'); at; at = strchr(at + 1, '\n')) {
		const char *end = strchr(at + 1, '\n');
		size_t n = end ? (size_t)(end - at) : strlen(at);
		if (n > 5 && strncmp(at, "\n\t[C]", 5) == 0)
			continue;
		lua_pushlstring(L, at, n);
		lua_concat(L, 2);
	}
	return 1;
}

int bl_lua_state_call_within(lua_State *L, int nargs, int nresults, const bl_lua_limits *limits)
{
	int handler = lua_gettop(L) - nargs;
	lua_pushcfunction(L, trace);
	lua_insert(L, handler);
	int rc = call(L, nargs, nresults, limits, handler);
	lua_remove(L, handler);
	return rc;
}
