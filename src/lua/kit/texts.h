/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * texts.h: loads Lua text and stores it, so that the source text of a function can be cut out of its chunk.
 *
 * Only text is loaded, since crafted bytecode can break the interpreter.
 */
#ifndef BARLOW_LUA_KIT_TEXTS_H
#define BARLOW_LUA_KIT_TEXTS_H

#include <lua.h>

#include <stddef.h>

/* Like luaL_loadbufferx and luaL_loadfilex for text; path NULL: standard input.  The text is stored under its name. */
int bl_lua_load_text(lua_State *L, const char *text, size_t n, const char *name);
int bl_lua_load_file(lua_State *L, const char *path);
/* Stores a text that was loaded elsewhere under that name. */
void bl_lua_store_text(lua_State *L, const char *text, size_t n, const char *name);
/* Pushes the list of texts that were loaded under a name, the newest first. */
void bl_lua_push_texts(lua_State *L, const char *name);

#endif
