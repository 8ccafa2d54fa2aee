/* SPDX-License-Identifier: GPL-3.0-or-later */
/* globals.h: finds from a function's bytecode, before it is called, which globals and upvalues it reads and writes. */
#ifndef BARLOW_LUA_KIT_GLOBALS_H
#define BARLOW_LUA_KIT_GLOBALS_H

#include <lua.h>

/*
 * Whether calls of the function at `index`, and of those that it refers to, leave nothing behind and find in a sandboxed
 * state what they need: negative with bl_error naming an upvalue or global that is written to, or a global that is read and
 * does not exist there.  What is not written in Lua is not looked at.  May raise an error of L (out of memory).
 */
int bl_lua_check_surroundings(lua_State *L, int index);
/*
 * Whether it sets no local around it, which a run would not keep, and the globals that it reads exist in this state or are
 * set by itself or what it refers to: negative with bl_error naming one, and the nearest global that exists.  For functions
 * that also run where the script does.
 */
int bl_lua_check_globals(lua_State *L, int index);

#endif
