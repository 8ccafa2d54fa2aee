/* SPDX-License-Identifier: GPL-3.0-or-later */
/* globals.h: finds from a function's bytecode, before it is called, which globals and upvalues it reads and writes. */
#ifndef BARLOW_LUA_KIT_GLOBALS_H
#define BARLOW_LUA_KIT_GLOBALS_H

#include <lua.h>

/*
 * Checks that calls of the function at `index`, and of those that it refers to, keep no state, and that a sandboxed
 * state has all globals that they read.  Negative with bl_error, naming an upvalue or global that is written to, or a
 * global that is read and does not exist there.  Functions that are not written in Lua are not checked.  May raise an
 * error of L (out of memory).
 */
int bl_lua_check_surroundings(lua_State *L, int index);
/*
 * Checks that the function at `index` sets no local of an enclosing scope, whose value a run would not save, and that the
 * globals that it reads exist in this state or are set by it or by the functions that it refers to.  Negative with bl_error,
 * naming one and the most similar existing global.  For functions that also run in the script's own state.
 */
int bl_lua_check_globals(lua_State *L, int index);

#endif
