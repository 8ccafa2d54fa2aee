/* SPDX-License-Identifier: GPL-3.0-or-later */
/* written.h: functions for the files of lua/ that write functions and tensors into recipes. */
#ifndef BARLOW_LUA_BIND_WRITTEN_H
#define BARLOW_LUA_BIND_WRITTEN_H

#include <lua.h>

void bl_lua_add_written(lua_State *L); /* adds its functions to the table on top, barlow.native */

#endif
