/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * function.h: Lua functions as values in C: callable from any thread, and known by their source text.
 *
 * A function from the user's own script runs unchanged on the script's thread, sharing its upvalues there.  On any
 * other thread a copy of it runs, with the upvalues at the time when it was passed, in a sandboxed state of that thread.
 * A function from a recipe, or from another sandboxed state, runs in a sandboxed state on every thread.
 *
 *     bl_function *f = NULL;
 *     if (bl_function_make(L, index, &f) < 0) ...                      the Lua function, or value of one, at `index`
 *     bl_function_call(f, push, 1, take, ctx)                          on any thread; negative with bl_error
 *     bl_function_unref(f)
 */
#ifndef BARLOW_LUA_KIT_FUNCTION_H
#define BARLOW_LUA_KIT_FUNCTION_H

#include "lua/kit/states.h"
#include "lua/kit/travel.h"

#define BL_T_FUNCTION "function value" /* userdata: bl_function *; user value 2: the Lua function, where it is known */
#define BL_T_CALL "described call"     /* metatable of functions that a recipe's text constructs */

/*
 * Stores a reference in *out, which the caller releases, also after a failure.  0, or negative with bl_error; may raise an
 * error.
 */
int bl_function_make(lua_State *L, int index, bl_function **out);
bl_function *bl_function_ref(bl_function *f);
void bl_function_unref(bl_function *f); /* NULL is allowed */
/* Pushes f as a Lua value, taking the reference. */
void bl_lua_give_function(lua_State *L, bl_function *f);
/*
 * Pushes the value by which recipes contain the Lua function at `index`: the one that bl_function_make made of it last,
 * or a new one.  Negative with bl_error, and nothing pushed, if an upvalue cannot be copied.
 */
int bl_function_value(lua_State *L, int index);

/*
 * Calls f: push(L, ctx) pushes its arguments and returns their number; take(L, ctx) reads `results` results on top.
 * Both may raise errors.  Negative with bl_error.  In a run (bl_rng_enter) f draws from a stream of this call.
 */
int bl_function_call(bl_function *f, int (*push)(lua_State *L, void *ctx), int results, void (*take)(lua_State *L, void *ctx),
                     void *ctx);
/* To be called in push: the number of parameters of the function on top; 255 if it takes any number. */
int bl_function_arguments(lua_State *L);
/*
 * Like bl_function_call; if the call is sandboxed, these limits, unless NULL, replace the state's, and messages end with a
 * traceback.
 */
int bl_function_call_within(bl_function *f, const bl_lua_limits *limits, int (*push)(lua_State *L, void *ctx), int results,
                            void (*take)(lua_State *L, void *ctx), void *ctx);

/*
 * Returns the limits for calls of the function that is the value at `index`.  Those from the user's own script are
 * unlimited; those from a recipe, which is not trusted, are capped at 60 s and 4 GiB.
 */
bl_lua_limits bl_function_limits(lua_State *L, int index, double seconds, int mebibytes);

/*
 * Returns a copy of f with tensors to[i] instead of from[i] (0 <= i < n) among its upvalues, which runs sandboxed on every
 * thread: a new reference, or NULL with bl_error.
 */
bl_function *bl_function_with(bl_function *f, bl_tensor *const *from, bl_tensor *const *to, int n);

/*
 * Returns a copy of f that keeps no state between calls: it runs sandboxed on every thread, and tables among its
 * upvalues are read-only.  A new reference, or NULL with bl_error.
 */
bl_function *bl_function_constant(bl_function *f);

/* Returns whether both have the same code and equal upvalues, even if their source texts are in different places. */
bool bl_function_same(const bl_function *f, const bl_function *g);

/* Returns the function's cargo, owned by f, from which its source text can be found. */
bl_cargo *bl_function_cargo(bl_function *f);

/* Notes which coroutine of a state this thread runs; must be called before functions may be called. */
void bl_lua_enter(lua_State *L);
/* Sets the function that opens the sandboxed states of threads; called once in a process, before any call of a function. */
void bl_lua_thread_states(lua_CFunction open);

void bl_lua_define_function(lua_State *L); /* the class, in every state */

#endif
