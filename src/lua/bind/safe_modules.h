/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safe_modules.h: what a stranger's script finds: all that computes, and files through a gate. */
#ifndef BARLOW_LUA_BIND_SAFE_MODULES_H
#define BARLOW_LUA_BIND_SAFE_MODULES_H

#include <lua.h>

#include <stdbool.h>

/* Real paths of folders, NULL: none.  What lies below them may be read, and below `both` written as well. */
typedef struct bl_lua_gate {
	const char *read, *both;
	bool kernel; /* the kernel holds to it, too: then whole data sets of files may be opened */
} bl_lua_gate;

int bl_lua_open_safe(lua_State *L); /* (light userdata: bl_lua_gate, which outlives the state): sets globals */

#endif
