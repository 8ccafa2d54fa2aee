/* SPDX-License-Identifier: GPL-3.0-or-later */
/* states.c: sandboxed states: an allocator with a limit, and a hook that counts instructions, time and interruptions. */
#include "lua/kit/states.h"
#include "lua/kit/kit.h"

#include <barlow/parallel.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "barlow.sandbox" /* registry: true in states that this file made */

/* The main thread of every state and its coroutines have a pointer to this in their extra space. */
typedef struct budget {
	bl_lua_state_config c;
	size_t used;    /* by Lua */
	size_t tensors; /* bytes of the tensors that it holds; views count with their own size */
	size_t fresh;   /* bytes of tensors since the last collection */
	size_t limit;   /* limit on what this call allocates, for messages ... */
	size_t most;    /* ... and limit on used + tensors */
	double seconds; /* of this call */
	int depth;      /* of calls */
	size_t printed; /* bytes, by this call */
	bool over;      /* this call has used up its budget */
	bool given_up;  /* it was interrupted since another thread waits, not by the budget */
	int64_t left;   /* instructions */
	double began;
} budget;

enum { PATIENCE = 1 }; /* seconds that a call may take while another thread waits */

static atomic_int hurried;
static _Atomic double end_at; /* when all calls are interrupted; 0: never */

void bl_lua_states_hurry(bool on)
{
	hurried += on ? 1 : -1;
}

void bl_lua_states_end(void)
{
	end_at = bl_now() + PATIENCE;
}

static bool awaited(double began, double now)
{
	return (hurried > 0 && now - began > PATIENCE) || (end_at > 0 && now > end_at);
}

static budget *budget_of(lua_State *L)
{
	return *(budget **)lua_getextraspace(L);
}

static size_t room(const budget *b)
{
	size_t all = b->used + b->tensors;
	return all < b->most ? b->most - all : 0;
}

static void *allocate(void *ctx, void *block, size_t old, size_t size)
{
	budget *b = ctx;
	if (!block)
		old = 0; /* it says which type then */
	if (size == 0) {
		free(block);
		b->used -= old;
		return NULL;
	}
	if (size > old && size - old > room(b))
		return NULL;
	void *moved = realloc(block, size);
	if (moved)
		b->used += size - old;
	return moved;
}

static void look(lua_State *L, lua_Debug *ar);

/* Raises an error where the budget is exceeded, and then again at every instruction, so that pcall cannot stop it. */
static void check(lua_State *L, budget *b)
{
	double now = bl_now();
	bool interrupted = b->c.interruptible && bl_lua_interrupted;
	bool late = now - b->began > b->seconds, hurry = awaited(b->began, now);
	if (b->left >= 0 && !late && !hurry && !interrupted && !b->over)
		return;
	b->over = true;
	b->given_up |= interrupted || hurry;
	lua_sethook(L, look, LUA_MASKCOUNT, 1);
	if (b->given_up)
		luaL_error(L, "interrupted");
	if (late)
		luaL_error(L, "%s ran for more than %f s", b->c.what, b->seconds);
	luaL_error(L, "%s ran for more than %I instructions", b->c.what, (lua_Integer)b->c.instructions);
}

static void look(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	budget *b = budget_of(L);
	b->left -= lua_gethookcount(L);
	check(L, b);
}

static int open_state(lua_State *L)
{
	budget *b = lua_touserdata(L, 1);
	bl_lua_open_tame(L);
	lua_pushboolean(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, MARK);
	lua_pushcfunction(L, b->c.open);
	lua_pushlightuserdata(L, b->c.ctx);
	lua_call(L, 1, 0);
	return 0;
}

lua_State *bl_lua_state_new(const bl_lua_state_config *c)
{
	budget *b = calloc(1, sizeof *b);
	if (!b)
		return bl_fail_null("no memory for a Lua state");
	b->c = *c;
	b->limit = b->most = c->bytes;
	lua_State *L = lua_newstate(allocate, b);
	if (!L) {
		free(b);
		return bl_fail_null("no memory for a Lua state");
	}
	*(budget **)lua_getextraspace(L) = b;
	lua_pushcfunction(L, open_state);
	lua_pushlightuserdata(L, b);
	if (lua_pcall(L, 1, 0, 0) == LUA_OK)
		return L;
	bl_fail("cannot open a Lua state: %s", lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no memory");
	bl_lua_state_close(L);
	return NULL;
}

void bl_lua_state_close(lua_State *L)
{
	budget *b = budget_of(L);
	lua_close(L);
	free(b);
}

bool bl_lua_state_is_sandbox(lua_State *L)
{
	bool is = lua_getfield(L, LUA_REGISTRYINDEX, MARK) == LUA_TBOOLEAN;
	lua_pop(L, 1);
	return is;
}

enum { COLLECT_PART = 8 }; /* tensors of this part of the budget cause a collection */

void bl_lua_state_charge(lua_State *L, int64_t bytes)
{
	if (!bl_lua_state_is_sandbox(L))
		return;
	budget *b = budget_of(L);
	if (bytes < 0) {
		b->tensors -= (size_t)-bytes < b->tensors ? (size_t)-bytes : b->tensors;
		return;
	}
	b->tensors += (size_t)bytes;
	b->fresh += (size_t)bytes;
	if (b->depth > 0)
		check(L, b); /* products of large matrices take long, and few instructions */
	if (b->fresh <= (b->most - b->used) / COLLECT_PART && b->used + b->tensors <= b->most)
		return;
	lua_gc(L, LUA_GCCOLLECT);
	b->fresh = 0;
	if (b->used + b->tensors > b->most)
		luaL_error(L, "%s needs more than %I MiB of memory", b->c.what, (lua_Integer)(b->limit >> 20));
}

bool bl_lua_state_may_print(lua_State *L, size_t bytes)
{
	budget *b = budget_of(L);
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

static void keep_message(lua_State *L, const budget *b, int status)
{
	const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that is no text";
	if (status == LUA_ERRMEM) {
		bl_fail("%s needs more than %zu MiB of memory", b->c.what, b->limit >> 20);
		return;
	}
	if (b->given_up)
		bl_fail_interrupted("%s", message);
	else
		bl_fail("%s", message);
}

static void begin(lua_State *L, budget *b, const bl_lua_limits *limits)
{
	b->over = b->given_up = false;
	b->printed = 0;
	b->left = limits ? INT64_MAX : b->c.instructions;
	b->seconds = limits ? limits->seconds : b->c.seconds;
	b->limit = limits ? limits->bytes : b->c.bytes;
	b->most = limits ? b->used + b->tensors + limits->bytes : b->c.bytes;
	b->began = bl_now();
	lua_sethook(L, look, LUA_MASKCOUNT, b->c.every);
}

static int call(lua_State *L, int nargs, int nresults, const bl_lua_limits *limits, int handler)
{
	budget *b = budget_of(L);
	if (b->depth++ == 0)
		begin(L, b, limits);
	int status = lua_pcall(L, nargs, nresults, handler);
	if (--b->depth == 0)
		lua_sethook(L, NULL, 0, 0);
	if (status == LUA_OK)
		return 0;
	keep_message(L, b, status);
	lua_pop(L, 1);
	return -1;
}

int bl_lua_state_call(lua_State *L, int nargs, int nresults)
{
	return call(L, nargs, nresults, NULL, 0);
}

/* Lua's traceback, without the calls from C around the function. */
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
