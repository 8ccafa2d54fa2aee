/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_runs_face.c: the table `runs`: what can be called, which lua/runs.lua and its kin do. */
#include "lua/bind/face.h"

/* barlow.runs(): the call of a table, whose first argument is itself */
static int all_runs(lua_State *L)
{
	lua_remove(L, 1);
	return bl_lua_call_module(L, "barlow.runs", "all", lua_gettop(L));
}

static int resume(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.resume", "load", lua_gettop(L));
}

/* The function of lua/runs.lua that has the name of the one that runs. */
static int through(lua_State *L)
{
	const bl_lua_function *f = bl_lua_running(L);
	if (f->fields)
		bl_lua_check_options(L, 1);
	return bl_lua_call_module(L, "barlow.runs", f->name, lua_gettop(L));
}

static const bl_field list_fields[] = {
	BL_FIELD_UNREAD("where", "a function of a run, or a table of settings and what they must be", BL_OTHERWISE("all"),
	                .help = "which runs: function(r) return r.metrics.knn end, or {state = \"finished\", [\"loss.lambda\"] = .02}"),
	BL_FIELD_UNREAD("sort", "the name of a column, metric or recipe's key; \"-\" before it: the largest first",
	                BL_OTHERWISE("newest first"), .help = "by what the list is in order"),
	BL_FIELD_UNREAD("tags", "a tag, or a list of them", BL_OTHERWISE("any or none"), .help = "all of which a run has"),
	BL_FIELD_END,
};

static const bl_lua_function itself = BL_LUA("runs", NULL, "(): table",
	"All runs that were kept, live and past, newest first.", "runs()");
static const bl_lua_function functions[] = {
	BL_LUA("resume", resume, "(run?: string): trainer",
	       "A trainer that stands where the run did: by name or folder, or the newest that was stopped before its end.",
	       "pcall(runs.resume, \"no such run\")"),
	BL_LUA("list", through, ": table",
	       "Runs with all that is known of them: state (running, stopped, finished, failed, killed), metrics, recipe, tags ...",
	       "print(runs.list{where = {state = \"finished\"}, sort = \"-knn\"})", .fields = list_fields),
	BL_LUA_END,
};

void bl_lua_push_runs(lua_State *L)
{
	bl_lua_module_new(L, "runs");
	bl_lua_describe_function(L, "", &itself);
	bl_lua_functions(L, "runs", functions);
	lua_getmetatable(L, -1);
	lua_pushcfunction(L, all_runs);
	lua_setfield(L, -2, "__call");
	lua_pop(L, 1);
}
