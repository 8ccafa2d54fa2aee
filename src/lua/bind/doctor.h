/* SPDX-License-Identifier: GPL-3.0-or-later */
/* doctor.h: facts about the machine for lua/doctor.lua. */
#ifndef BARLOW_LUA_BIND_DOCTOR_H
#define BARLOW_LUA_BIND_DOCTOR_H

#include <lua.h>

void bl_lua_add_doctor(lua_State *L); /* adds its functions to the table on top, barlow.native */

#endif
