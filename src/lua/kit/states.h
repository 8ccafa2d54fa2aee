/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * states.h: sandboxed Lua states, in which untrusted code may run; only states.c makes them.
 *
 * Such a state has Lua's harmless functions (listed in tame.c) and what `open` adds.  It has no io, os, package, debug,
 * load, dofile, require, coroutine, xpcall or collectgarbage, and no finalizers written in Lua: each of these reaches
 * files, programs or other code, or works without being counted by the instruction hook.  Library functions whose time
 * is not proportional to the number of instructions (patterns, string.rep, table.move, ...) refuse arguments that would
 * take long.  Every call has a budget of instructions and of time, and the state has a budget of memory; exceeding a
 * budget raises an error that pcall cannot stop.
 *
 * Values pass between such a state and another one only as C data (travel.h).
 */
#ifndef BARLOW_LUA_KIT_STATES_H
#define BARLOW_LUA_KIT_STATES_H

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bl_lua_state_config {
	const char *what;   /* what runs there, for messages: "the recipe"; must outlive the state */
	lua_CFunction open; /* called once with `ctx` as its argument: sets globals.  It runs without a budget. */
	void *ctx;
	size_t bytes;         /* limit on the bytes of Lua's own memory and of the tensors that it holds */
	int64_t instructions; /* limit for one call */
	double seconds;       /* limit for one call */
	size_t prints;        /* bytes that a call may print; 0: 64 KiB */
	int every;            /* instructions between two checks of the budget: 100 to 1000 */
	bool interruptible;   /* Ctrl-C raises an error: for states of the main thread */
} bl_lua_state_config;

/* Returns a new state, or NULL with bl_error.  Only one thread at a time may use it. */
lua_State *bl_lua_state_new(const bl_lua_state_config *c);
void bl_lua_state_close(lua_State *L);
/*
 * Calls the function below its nargs arguments on the stack, like lua_pcall, within the budget.  On failure the result
 * is negative, bl_error is one line without control bytes (bl_error_interrupted: the call was interrupted), and nothing
 * is left on the stack.  A nested call shares the budget of the outer call.
 */
int bl_lua_state_call(lua_State *L, int nargs, int nresults);

/* The budget of one call, which replaces the state's. */
typedef struct bl_lua_limits {
	double seconds;
	size_t bytes; /* that the call may allocate, for Lua and tensors */
} bl_lua_limits;
/* Like bl_lua_state_call, within these limits; an error message ends with a traceback. */
int bl_lua_state_call_within(lua_State *L, int nargs, int nresults, const bl_lua_limits *limits);
/* budget.c: returns whether this call may print so many more bytes; if not, a notice is printed once. */
bool bl_lua_state_may_print(lua_State *L, size_t bytes);
/*
 * Adds `bytes`, which may be negative, to the bytes of tensors that L holds, and raises an error if they exceed the budget.
 * Without effect for states that are not sandboxed.
 */
void bl_lua_state_charge(lua_State *L, int64_t bytes);
/* Returns whether L is a sandboxed state, which runs untrusted text; others run the user's own script. */
bool bl_lua_state_is_sandbox(lua_State *L);

/* true: a thread waits for functions to end, so calls that take long are interrupted; false: it no longer waits.  Calls nest. */
void bl_lua_states_hurry(bool on);
/* The process is about to end: after a second all calls are interrupted, also later ones.  Not reversible. */
void bl_lua_states_end(void);

/* Sets Lua's harmless functions as globals (tame.c); for states.c. */
void bl_lua_open_tame(lua_State *L);

#endif
