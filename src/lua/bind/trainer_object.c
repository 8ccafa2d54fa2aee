/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trainer_object.c: trainers as Lua objects: reading them from arguments, their folder, records and messages. */
#include "lua/bind/face.h"

#include <barlow/text.h>

#include <stdio.h>

bl_trainer *bl_lua_trainer(lua_State *L, int arg)
{
	bl_trainer **t = bl_lua_check(L, arg, BL_T_TRAINER);
	if (!*t)
		luaL_error(L, "the trainer was closed");
	return *t;
}

void bl_lua_report_trouble(bl_trainer *t)
{
	char what[1024];
	if (!bl_trainer_trouble(t, what, sizeof what))
		return;
	fflush(stdout);
	fprintf(stderr, "barlow: %s\n", what);
}

bool bl_lua_report_over(bl_trainer *t, const char *what)
{
	bl_live_info i;
	char name[256];
	bl_live_info_get(bl_trainer_live(t), &i);
	if (i.state != BL_RUN_DONE && i.state != BL_RUN_FAILED)
		return false;
	bl_text_clean(name, sizeof name, i.name, false);
	fflush(stdout);
	fprintf(stderr, "barlow: %s: the run '%s' is over (%s), and no step is left that this could change\n", what, name,
	        bl_run_state_name(i.state));
	return true;
}

void bl_lua_push_record(lua_State *L, const bl_live *l, const bl_record *r)
{
	bl_columns c;
	bl_live_columns(l, &c);
	lua_createtable(L, 0, c.n + 1);
	lua_pushinteger(L, r->step);
	lua_setfield(L, -2, "step");
	for (int k = 0; k < c.n; k++) {
		lua_pushnumber(L, r->value[k]);
		lua_setfield(L, -2, c.column[k].name);
	}
}

/* Pushes all records, a list for each column: {step = {...}, invariance = {...}, ...} */
int bl_lua_push_records(lua_State *L, const bl_live *l)
{
	int64_t n = bl_live_length(l);
	bl_columns c;
	bl_record r;
	bl_live_columns(l, &c);
	luaL_checkstack(L, c.n + 4, NULL);
	lua_createtable(L, 0, c.n + 1);
	int first = lua_gettop(L) + 1;
	for (int k = 0; k <= c.n; k++)
		lua_createtable(L, (int)n, 0);
	for (int64_t i = 0; i < n && bl_live_record(l, i, &r); i++) {
		lua_pushinteger(L, r.step);
		lua_rawseti(L, first + c.n, i + 1);
		for (int k = 0; k < c.n; k++) {
			lua_pushnumber(L, r.value[k]);
			lua_rawseti(L, first + k, i + 1);
		}
	}
	lua_setfield(L, first - 1, "step");
	for (int k = c.n - 1; k >= 0; k--)
		lua_setfield(L, first - 1, c.column[k].name);
	return 1;
}

static int push_records(lua_State *L)
{
	return bl_lua_push_records(L, lua_touserdata(L, 1));
}

/* As bl_lua_push_records; closes the live file, also if Lua has no memory for the records. */
int bl_lua_give_records(lua_State *L, bl_live *l)
{
	lua_pushcfunction(L, push_records);
	lua_pushlightuserdata(L, l);
	int rc = lua_pcall(L, 1, 1, 0);
	bl_live_close(l);
	return rc == LUA_OK ? 1 : lua_error(L);
}

bl_place *bl_lua_place(lua_State *L, int index)
{
	bl_lua_trainer(L, index);
	return ((bl_lua_run *)lua_touserdata(L, index))->place;
}
