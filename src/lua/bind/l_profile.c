/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_profile.c: the profile as Lua tables, and the machine's peak rate; lua/profile.lua formats them. */
#include "lua/bind/face.h"

#include <barlow/parallel.h>
#include <barlow/profile.h>

int bl_lua_profile_start(lua_State *L)
{
	(void)L;
	bl_profile_start();
	return 0;
}

int bl_lua_profile_stop(lua_State *L)
{
	(void)L;
	bl_profile_stop();
	return 0;
}

static void set_pair(lua_State *L, const char *forward, const char *backward, const double v[2])
{
	lua_pushnumber(L, v[0]);
	lua_setfield(L, -2, forward);
	lua_pushnumber(L, v[1]);
	lua_setfield(L, -2, backward);
}

/* profile_rows(): the list of rows, slowest first, and the total seconds */
int bl_lua_profile_rows(lua_State *L)
{
	bl_profile_row *rows = lua_newuserdatauv(L, BL_PROFILE_ROWS * sizeof *rows, 0);
	int n = bl_profile_read(rows, BL_PROFILE_ROWS);
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_createtable(L, 0, 7);
		lua_pushstring(L, rows[i].module);
		lua_setfield(L, -2, "module");
		lua_pushstring(L, rows[i].op);
		lua_setfield(L, -2, "op");
		lua_pushinteger(L, rows[i].calls);
		lua_setfield(L, -2, "calls");
		set_pair(L, "forward", "backward", rows[i].seconds);
		set_pair(L, "flops_forward", "flops_backward", rows[i].flops);
		lua_rawseti(L, -2, i + 1);
	}
	lua_pushnumber(L, bl_profile_wall());
	return 2;
}

/* profile_ceiling(): the peak rate in operations per second: the best of a few products of large square matrices */
int bl_lua_profile_ceiling(lua_State *L)
{
	enum { N = 1024, TURNS = 5 };
	double best = 0;
	bl_tensor *a = bl_tensor_full(2, (int64_t[]){ N, N }, 1);
	for (int i = 0; a && i < TURNS; i++) {
		double start = bl_now();
		bl_tensor *c = bl_mm(a, a);
		double speed = 2. * N * N * N / (bl_now() - start);
		best = c && speed > best ? speed : best;
		bl_tensor_unref(c);
	}
	bl_tensor_unref(a);
	lua_pushnumber(L, best);
	return 1;
}
