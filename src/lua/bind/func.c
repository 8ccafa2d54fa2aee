/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * func.c: modules that are Lua functions, callable from any thread.
 *
 * On a thread that is inside Lua the function runs right there.  On another
 * (the trainer's) it runs in a Lua state of that thread's own, into which it
 * has travelled.  Each state keeps the functions it has met by their number.
 */
#include "lua/bind/face.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS "barlow.functions" /* registry: number -> function */

typedef struct func {
	bl_cargo *cargo;
	lua_Integer number;
	char name[64];
} func;

static _Thread_local lua_State *current; /* the coroutine this thread is in; NULL: not in Lua */
static pthread_key_t own_key;            /* the thread's own state */
static pthread_once_t own_once = PTHREAD_ONCE_INIT;
static atomic_llong numbers;

void bl_lua_enter(lua_State *L)
{
	current = L;
}

/* --- the thread's own state --- */

static void close_own(void *L)
{
	current = L;
	lua_close(L);
}

static void make_key(void)
{
	pthread_key_create(&own_key, close_own);
}

static int open_own(lua_State *L)
{
	luaL_openlibs(L);
	bl_lua_open_globals(L);
	return 0;
}

static lua_State *own_state(void)
{
	pthread_once(&own_once, make_key);
	lua_State *L = pthread_getspecific(own_key);
	if (L)
		return L;
	L = luaL_newstate();
	if (!L)
		return bl_fail_null("no memory for a Lua state");
	lua_pushcfunction(L, open_own);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK || pthread_setspecific(own_key, L) != 0) {
		bl_fail("cannot open a Lua state: %s", lua_gettop(L) ? lua_tostring(L, -1) : "no memory");
		lua_close(L);
		return NULL;
	}
	return L;
}

/* --- calling --- */

typedef struct call { func *f; bl_tensor *x, *y; } call;

static void push_function(lua_State *L, const func *f)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, FUNCTIONS);
	if (lua_rawgeti(L, -1, f->number) != LUA_TNIL)
		return;
	lua_pop(L, 1);
	if (bl_cargo_unpack(f->cargo, L) < 0)
		bl_lua_fail(L);
	lua_pushvalue(L, -1);
	lua_rawseti(L, -3, f->number);
}

static int protected_call(lua_State *L)
{
	call *c = lua_touserdata(L, 1);
	push_function(L, c->f);
	bl_lua_give_tensor(L, bl_tensor_ref(c->x));
	lua_call(L, 1, 1);
	bl_tensor **y = bl_lua_test(L, -1, BL_T_TENSOR);
	if (!y)
		return luaL_error(L, "the function returned %s instead of a tensor", bl_lua_describe(L, lua_gettop(L)));
	c->y = bl_tensor_ref(*y);
	return 0;
}

static bl_tensor *call_func(void *ctx, bl_tensor *x)
{
	call c = { .f = ctx, .x = x };
	lua_State *was = current, *L = was ? was : own_state();
	if (!L || !lua_checkstack(L, 3))
		return L ? bl_fail_null("the Lua stack is full") : NULL;
	current = L;
	lua_pushcfunction(L, protected_call);
	lua_pushlightuserdata(L, &c);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		const char *message = lua_tostring(L, -1);
		bl_fail("%s: %s", c.f->name, message ? message : "an error that is no text");
		lua_pop(L, 1);
	}
	current = was;
	return c.y;
}

static void forget(void *ctx)
{
	func *f = ctx;
	if (current && lua_checkstack(current, 3) &&
	    lua_getfield(current, LUA_REGISTRYINDEX, FUNCTIONS) == LUA_TTABLE) {
		lua_pushnil(current);
		lua_rawseti(current, -2, f->number);
		lua_pop(current, 1);
	}
	bl_cargo_free(f->cargo);
	free(f);
}

static func *func_new(lua_State *L, int index, const char *name)
{
	func *f = calloc(1, sizeof *f);
	if (!f)
		return bl_fail_null("no memory for a function");
	f->number = ++numbers;
	strncpy(f->name, name, sizeof f->name - 1);
	f->cargo = bl_cargo_pack(L, index);
	if (f->cargo)
		return f;
	free(f);
	return NULL;
}

bl_module *bl_lua_func(lua_State *L, int index, const char *name)
{
	index = lua_absindex(L, index);
	func *f = func_new(L, index, name);
	if (!f)
		return NULL;
	luaL_getsubtable(L, LUA_REGISTRYINDEX, FUNCTIONS);
	lua_pushvalue(L, index);
	lua_rawseti(L, -2, f->number);
	lua_pop(L, 1);
	bl_lua_enter(L);
	return bl_nn_func(name, call_func, f, forget);
}
