/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tame.h: helpers of library functions in sandboxed states. */
#ifndef BARLOW_LUA_KIT_TAME_H
#define BARLOW_LUA_KIT_TAME_H

#include <lua.h>

#include <stdbool.h>

/* If the value at `arg` is a read-only table, it is replaced on the stack by the real one. */
bool bl_lua_constant_real(lua_State *L, int arg);
/* Replaces the library on top by a read-only table in front of it, so that calls cannot leave anything there. */
void bl_lua_close_library(lua_State *L, const char *name);

/* Makes math.random of the script's own state draw from the call's stream while a run calls a function. */
void bl_lua_wrap_random(lua_State *L);

#endif
