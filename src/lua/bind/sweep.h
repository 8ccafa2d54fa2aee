/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep.h: functions for the files of lua/ that run sweeps. */
#ifndef BARLOW_LUA_BIND_SWEEP_H
#define BARLOW_LUA_BIND_SWEEP_H

#include <lua.h>

void bl_lua_add_sweep(lua_State *L); /* adds its functions to the table on top, barlow.native */

#endif
