/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tame.h: what library functions in sandboxed states ask. */
#ifndef BARLOW_LUA_KIT_TAME_H
#define BARLOW_LUA_KIT_TAME_H

#include <lua.h>

#include <stdbool.h>

/* Where the value at `arg` is a table that cannot be written to, the real one takes its place on the stack. */
bool bl_lua_constant_real(lua_State *L, int arg);
/* In the place of the library on top comes a table that reads from it and cannot be written to: a call leaves nothing there. */
void bl_lua_close_library(lua_State *L, const char *name);

/* math.random of a script's own state draws, while a function is called in a run, from that call's stream. */
void bl_lua_wrap_random(lua_State *L);

#endif
