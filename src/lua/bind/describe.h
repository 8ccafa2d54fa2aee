/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * describe.h: turns the text of a recipe into a description: which constructors it calls with which arguments.
 *
 * The text runs in a sandboxed state of its own, where barlow's constructors only record their calls.  The calls
 * may then be made in the caller's state; nothing else of the text gets there.  Functions in it become function
 * values, which run in sandboxed states on every thread.
 */
#ifndef BARLOW_LUA_BIND_DESCRIBE_H
#define BARLOW_LUA_BIND_DESCRIBE_H

#include <lua.h>

/*
 * describe(path): runs the recipe in that file, which must be a regular one, and returns the value of its text and the text
 * itself, or nil, nil and a message.  Calls in the value are tables
 * {call = "nn.linear", n = 2, 3, 4, result = 1, results = 1, after = {{"init", 7}}} whose metatable is native.described.
 * tensor.load in it reads NumPy files of the same folder only.
 */
int bl_lua_describe_recipe(lua_State *L);

/* Pushes that metatable, which marks the tables that are calls. */
void bl_lua_push_described(lua_State *L);

#endif
