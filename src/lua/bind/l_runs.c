/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_runs.c: folders of runs, and lists of runs, for lua/runs.lua. */
#include "lua/bind/face.h"

#include <barlow/place.h>
#include <barlow/runs.h>
#include <barlow/text.h>
#include <barlow/view.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints bl_error and the consequence, only once in a process, since all runs of a sweep would give the same reason. */
static void complain(const char *consequence)
{
	static bool printed;
	if (!printed)
		fprintf(stderr, "barlow: %s; training continues, %s\n", bl_error(), consequence);
	printed = true;
}

void bl_lua_push_start(lua_State *L, int index)
{
	const char *start = bl_place_start(bl_lua_place(L, index));
	if (start)
		lua_pushstring(L, start);
	else
		lua_pushboolean(L, bl_trainer_warm(bl_lua_trainer(L, index)));
}

/* (recipe, folder): the recipe's text for that folder, where its tensors are written */
static int call_file_text(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.recipe", "file_text", 2);
}

/* (recipe): numbers and strings by path */
static int call_facts(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.recipe", "facts", 1);
}

/* Pushes the trainer's arguments as a table that prints as Lua, with the run's choices of algorithms. */
void bl_lua_recipe(lua_State *L, int index)
{
	bl_trainer *t = bl_lua_trainer(L, index);
	bl_lua_source(L, index);
	bl_lua_push_choices(L, bl_trainer_choices(t));
	bl_lua_push_start(L, index);
	bl_lua_call_module(L, "barlow.recipe", "of_source", 3);
}

/* Writes the recipe of the trainer at `index` and its facts to the run's folder; prints a problem to standard error. */
static void write_recipe(lua_State *L, int index)
{
	size_t n;
	bl_place *p = bl_lua_place(L, index);
	lua_pushcfunction(L, call_file_text);
	bl_lua_recipe(L, index);
	bl_facts facts = { 0 }; /* of the recipe, for run.json; facts that do not fit there are left out */
	lua_pushcfunction(L, call_facts);
	lua_pushvalue(L, -2);
	if (lua_pcall(L, 1, 1, 0) == LUA_OK)
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
			bool number = lua_type(L, -1) == LUA_TNUMBER;
			bl_facts_set(&facts, lua_tostring(L, -2), number ? lua_tonumber(L, -1) : 0,
			             number ? NULL : lua_tostring(L, -1));
		}
	lua_pop(L, 1);
	bl_place_recipe(p, &facts);
	lua_pushstring(L, bl_place_folder(p));
	int rc = lua_pcall(L, 2, 1, 0) == LUA_OK ? 0 : bl_fail("%s", luaL_tolstring(L, -1, NULL));
	const char *text = lua_tolstring(L, -1, &n);
	if (rc != 0 || bl_place_write_recipe(p, text, n) != 0)
		complain("but the run cannot be resumed from its folder");
}

void bl_lua_place_run(lua_State *L, int index)
{
	bl_place *p = bl_lua_place(L, index);
	int top = lua_gettop(L);
	lua_getiuservalue(L, index, 2);
	int type = lua_getfield(L, top + 1, "folder");
	if (bl_place_settled(p) || type == LUA_TBOOLEAN) {
		lua_settop(L, top);
		return;
	}
	int rc = bl_place_settle(p, lua_tostring(L, -1));
	if (rc == BL_PLACE_REFUSED)
		bl_lua_fail(L);
	if (rc == 0)
		write_recipe(L, index);
	else
		complain("kept in memory only");
	lua_settop(L, top);
}

/* --- runs whose end was not saved --- */

void bl_lua_report_unsaved(void)
{
	for (char *m; (m = bl_trainers_unsaved_message()); free(m)) {
		fflush(stdout);
		fprintf(stderr, "barlow: %s\n", m);
	}
}

/* --- all runs --- */

static void set_number(lua_State *L, const char *name, double v)
{
	if (isnan(v))
		return;
	lua_pushnumber(L, v);
	lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, int64_t v)
{
	lua_pushinteger(L, v);
	lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text);
	lua_setfield(L, -2, name);
}

/* Appends {kind =, name =, label =, value =} to the list on top. */
static void add_column(lua_State *L, const bl_run *r, int k)
{
	const bl_column *c = &r->columns.column[k];
	lua_createtable(L, 0, 4);
	set_text(L, "kind", c->kind == BL_COLUMN_SCORE ? "score" : c->kind == BL_COLUMN_OWN ? "own" : "parameter");
	set_text(L, "name", c->name);
	set_text(L, "label", c->kind == BL_COLUMN_SCORE ? bl_column_brief(c) : c->name);
	set_number(L, "value", r->measured.value[k]);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* Pushes the columns that a table of runs shows beside the total: measured scores, own columns, the loss's first parameter. */
static void push_columns(lua_State *L, const bl_run *r)
{
	static const bl_column_kind kinds[] = { BL_COLUMN_SCORE, BL_COLUMN_OWN };
	const bl_columns *c = &r->columns;
	lua_newtable(L);
	for (int i = 0; i < 2; i++)
		for (int k = bl_columns_next(c, kinds[i], 0); k >= 0; k = bl_columns_next(c, kinds[i], k + 1))
			if (!isnan(r->measured.value[k]))
				add_column(L, r, k);
	int first = bl_columns_next(c, BL_COLUMN_PARAMETER, 0);
	if (first >= 0)
		add_column(L, r, first);
}

static void push_run(lua_State *L, const bl_run *r)
{
	lua_createtable(L, 0, 16);
	push_columns(L, r);
	lua_setfield(L, -2, "columns");
	set_text(L, "id", r->id);
	set_text(L, "folder", r->folder);
	set_text(L, "name", r->info.name);
	set_text(L, "state", bl_run_state_text(r));
	set_text(L, "message", r->info.message);
	set_integer(L, "step", r->info.step);
	set_integer(L, "steps", r->info.steps);
	set_integer(L, "d", r->info.d);
	set_integer(L, "pid", r->info.pid);
	set_number(L, "started", r->info.started);
	const bl_columns *c = &r->columns;
	set_number(L, "total", bl_record_value(&r->last, c, "total"));
	for (int k = bl_columns_next(c, BL_COLUMN_PARAMETER, 0); k >= 0; k = bl_columns_next(c, BL_COLUMN_PARAMETER, k + 1))
		set_number(L, c->column[k].name, r->last.value[k]);
	set_number(L, "knn", r->knn);
	lua_pushboolean(L, bl_run_going(r));
	lua_setfield(L, -2, "alive");
}

/* __gc of a userdata that owns a list of runs, which is thus freed also if an error is raised. */
static int free_list(lua_State *L)
{
	bl_runs **list = lua_touserdata(L, 1);
	bl_runs_free(*list);
	*list = NULL;
	return 0;
}

int bl_lua_runs_root(lua_State *L)
{
	char *root = bl_runs_root();
	if (!root)
		return bl_lua_fail(L);
	lua_pushstring(L, root);
	free(root);
	return 1;
}

int bl_lua_runs(lua_State *L)
{
	const char *given = luaL_optstring(L, 1, NULL);
	bl_runs **list = lua_newuserdatauv(L, sizeof *list, 0);
	*list = NULL;
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, free_list);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	char *root = given ? bl_text_copy(given) : bl_runs_root();
	*list = root ? bl_runs_list(root, NULL) : NULL;
	free(root);
	if (!*list)
		return bl_lua_fail(L);
	lua_createtable(L, (*list)->n, 0);
	for (int i = 0; i < (*list)->n; i++) {
		push_run(L, &(*list)->run[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

int bl_lua_run_watch(lua_State *L)
{
	bool commands = !lua_toboolean(L, 2);
	bl_live *l = bl_runs_open(luaL_checkstring(L, 1), &commands);
	if (!l)
		return bl_lua_fail(L);
	bl_watch_config c = { .stay = true, .read_only = !commands, .interrupted = &bl_lua_interrupted };
	int end = bl_watch(l, &c);
	bl_live_close(l);
	bl_lua_interrupted = 0;
	return end < 0 ? bl_lua_fail(L) : 0;
}
