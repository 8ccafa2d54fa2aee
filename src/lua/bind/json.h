/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json.h: JSON texts and plain Lua values, for the Lua part. */
#ifndef BARLOW_LUA_BIND_JSON_H
#define BARLOW_LUA_BIND_JSON_H

#include <lua.h>

/* json_read(text): its value, objects and arrays as tables; or nil and the reason */
int bl_lua_json_read(lua_State *L);
/* json_text(value): one line with sorted keys; NaN, infinity and other values without JSON are null; an empty table is {} */
int bl_lua_json_text(lua_State *L);

#endif
