/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_journal.c: changes during a run as tables, and their replay. */
#include "lua/bind/face.h"

#include <barlow/journal.h>
#include <barlow/runs.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- as tables --- */

static void set_number(lua_State *L, const char *name, double v)
{
	if (isnan(v))
		return;
	lua_pushnumber(L, v);
	lua_setfield(L, -2, name);
}

/* {step =, name =, old =, new =, who =, time =, text =} */
static void push_change(lua_State *L, const bl_change *c)
{
	lua_createtable(L, 0, 7);
	lua_pushinteger(L, c->step);
	lua_setfield(L, -2, "step");
	lua_pushstring(L, c->name);
	lua_setfield(L, -2, "name");
	set_number(L, "old", c->old);
	set_number(L, "new", c->value);
	lua_pushstring(L, c->who);
	lua_setfield(L, -2, "who");
	set_number(L, "time", c->time);
	if (!c->text[0])
		return;
	lua_pushstring(L, c->text);
	lua_setfield(L, -2, "text");
}

/* trainer.journal */
int bl_lua_journal(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	bl_change c;
	lua_newtable(L);
	for (int64_t i = 0; bl_trainer_change(t, i, &c); i++) {
		push_change(L, &c);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* Pushes a userdata with the changes of a journal: `path` is its file, or the folder of its run. */
static bl_change *read_file(lua_State *L, const char *path, int64_t *n)
{
	struct stat s;
	bl_change *read;
	if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
		path = lua_pushfstring(L, "%s/%s", path, BL_RUN_JOURNAL);
	if (bl_journal_read(path, &read, n) != 0)
		bl_lua_fail(L);
	bl_change *copy = lua_newuserdatauv(L, (size_t)(*n + 1) * sizeof *copy, 0);
	if (*n)
		memcpy(copy, read, (size_t)*n * sizeof *copy);
	free(read);
	return copy;
}

/* journal(path): for lua/runs.lua */
int bl_lua_read_journal(lua_State *L)
{
	int64_t n;
	bl_change *c = read_file(L, luaL_checkstring(L, 1), &n);
	lua_createtable(L, (int)n, 0);
	for (int64_t i = 0; i < n; i++) {
		push_change(L, &c[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* write_journal(path, trainer) */
int bl_lua_write_journal(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 2);
	int64_t n = bl_trainer_changes(t);
	bl_change *c = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *c, 0);
	for (int64_t i = 0; i < n; i++)
		bl_trainer_change(t, i, &c[i]);
	return bl_journal_write(luaL_checkstring(L, 1), c, n) != 0 ? bl_lua_fail(L) : 0;
}

/* --- replay --- */

/* Returns the number in that field of the table on top; NaN if it is missing and not needed. */
static double number_of(lua_State *L, int64_t i, const char *key, bool needed)
{
	int type = lua_getfield(L, -1, key);
	if (type != LUA_TNUMBER && (needed || type != LUA_TNIL))
		luaL_error(L, "replay: change %I: '%s' must be a number, got %s", (lua_Integer)i, key, bl_lua_describe(L, -1));
	double v = type == LUA_TNUMBER ? lua_tonumber(L, -1) : NAN;
	lua_pop(L, 1);
	return v;
}

/* Pushes a userdata with the changes in the list at `index`, tables as in trainer.journal. */
static bl_change *take_tables(lua_State *L, int index, int64_t *n)
{
	*n = (int64_t)lua_rawlen(L, index);
	bl_change *c = lua_newuserdatauv(L, (size_t)(*n + 1) * sizeof *c, 0);
	for (int64_t i = 0; i < *n; i++) {
		if (lua_rawgeti(L, index, i + 1) != LUA_TTABLE)
			luaL_error(L, "replay: change %I must be a table, got %s", (lua_Integer)i + 1, bl_lua_describe(L, -1));
		c[i] = (bl_change){ .value = number_of(L, i + 1, "new", false) };
		double step = number_of(L, i + 1, "step", true);
		if (!(step >= 0 && step < 1e15))
			luaL_error(L, "replay: change %I: 'step' must be from 0 to below 1e15, got %f", (lua_Integer)i + 1, step);
		c[i].step = (int64_t)step;
		if (lua_getfield(L, -1, "name") != LUA_TSTRING)
			luaL_error(L, "replay: change %I: 'name' must be a text, got %s", (lua_Integer)i + 1,
			           bl_lua_describe(L, -1));
		strncpy(c[i].name, lua_tostring(L, -1), sizeof c[i].name - 1);
		lua_pop(L, 2);
	}
	return c;
}

/* replay(journal[, from[, to]]): repeats its changes of settings between these steps, each at its step */
int bl_lua_replay(lua_State *L)
{
	int64_t n, from = luaL_optinteger(L, 3, 0), to = luaL_optinteger(L, 4, INT64_MAX);
	bl_trainer *t = bl_lua_trainer(L, 1);
	if (lua_type(L, 2) != LUA_TSTRING && !lua_istable(L, 2))
		return luaL_error(L, "replay: expected a journal (t.journal), or the path of one or of its run's folder, got %s",
		                  bl_lua_describe(L, 2));
	bl_change *c = lua_istable(L, 2) ? take_tables(L, 2, &n) : read_file(L, lua_tostring(L, 2), &n);
	if (bl_trainer_replay(t, c, n, from, to) < 0)
		return bl_lua_fail(L);
	lua_settop(L, 1);
	return 1;
}
