/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json.h: converts between JSON texts and plain Lua values, for lua/. */
#ifndef BARLOW_LUA_BIND_JSON_H
#define BARLOW_LUA_BIND_JSON_H

#include <lua.h>

/* json_read(text): its value, with objects and arrays as tables; or nil and the reason */
int bl_lua_json_read(lua_State *L);
/* json_text(value): one line with sorted keys; NaN, infinity and values that JSON does not have are null, {} is an object */
int bl_lua_json_text(lua_State *L);

#endif
