/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_jobs.c: the runs of this process, for the prompt's `jobs`. */
#include "lua/bind/face.h"

#include <math.h>

enum { JOBS_MOST = 64 };

static void set_number(lua_State *L, const char *name, double v)
{
	if (isnan(v))
		return;
	lua_pushnumber(L, v);
	lua_setfield(L, -2, name);
}

/* Newest record: its time of training and total; and the newest kNN. */
static void set_values(lua_State *L, const bl_live *l)
{
	bl_columns columns;
	bl_record r;
	bl_live_columns(l, &columns);
	int64_t n = bl_live_length(l);
	if (n > 0 && bl_live_record(l, n - 1, &r)) {
		set_number(L, "total", bl_record_value(&r, &columns, "total"));
		set_number(L, "time", bl_record_value(&r, &columns, "time"));
	}
	double knn = NAN;
	for (int64_t i = n - 1; i >= 0 && isnan(knn) && bl_live_record(l, i, &r); i--)
		knn = bl_record_value(&r, &columns, "knn");
	set_number(L, "knn", knn);
}

static void push_job(lua_State *L, const bl_standing *s)
{
	lua_createtable(L, 0, 8);
	bl_lua_push_clean(L, s->info.name, false);
	lua_setfield(L, -2, "name");
	lua_pushstring(L, bl_run_state_name(s->info.state));
	lua_setfield(L, -2, "state");
	bl_lua_push_clean(L, s->info.message, false);
	lua_setfield(L, -2, "message");
	lua_pushinteger(L, s->info.step);
	lua_setfield(L, -2, "step");
	lua_pushinteger(L, s->info.steps);
	lua_setfield(L, -2, "steps");
	lua_pushinteger(L, s->info.steps_per_epoch);
	lua_setfield(L, -2, "steps_per_epoch");
	set_values(L, s->live);
}

int bl_lua_jobs(lua_State *L)
{
	bl_standing *s = lua_newuserdatauv(L, sizeof *s * JOBS_MOST, 0);
	int n = bl_trainers_standing(s, JOBS_MOST);
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		push_job(L, &s[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}
