/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * safe_modules.h: the Lua modules for untrusted scripts (--safe): all functions that compute, and access to files
 * that is restricted to given folders.
 */
#ifndef BARLOW_LUA_BIND_SAFE_MODULES_H
#define BARLOW_LUA_BIND_SAFE_MODULES_H

#include <lua.h>

#include <stdbool.h>

/*
 * Real paths (without symbolic links) of two folders, or NULL.  Files below either may be read, below `both` also
 * written.
 */
typedef struct bl_lua_gate {
	const char *read, *both;
	bool kernel; /* the kernel enforces this, too (Landlock): then data sets of many files may be opened */
} bl_lua_gate;

int bl_lua_open_safe(lua_State *L); /* takes a light userdata, a bl_lua_gate that must outlive L; sets globals */

#endif
