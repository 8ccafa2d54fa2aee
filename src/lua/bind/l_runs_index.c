/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_runs_index.c: the index of runs, for lua/runs.lua. */
#include "lua/bind/face.h"

#include <barlow/index.h>
#include <barlow/runs.h>

#include <stdlib.h>

#define INDEX "index of runs"

/* index(): the updated index of all runs */
int bl_lua_index(lua_State *L)
{
	bl_index **x = lua_newuserdatauv(L, sizeof *x, 0);
	*x = NULL;
	luaL_setmetatable(L, INDEX);
	char *root = bl_runs_root();
	*x = root ? bl_index_open(root) : NULL;
	free(root);
	return *x ? 1 : bl_lua_fail(L);
}

static int free_index(lua_State *L)
{
	bl_index **x = luaL_checkudata(L, 1, INDEX);
	bl_index_close(*x);
	*x = NULL;
	return 0;
}

static void push_cell(lua_State *L, const bl_cell *c)
{
	switch (c->kind) {
	case BL_CELL_NOTHING: lua_pushnil(L); return;
	case BL_CELL_NUMBER: lua_pushnumber(L, c->number); return;
	case BL_CELL_WHOLE: lua_pushinteger(L, c->whole); return;
	case BL_CELL_TEXT: lua_pushstring(L, c->text); return;
	}
}

/* A row that is passed to Lua in a protected call, since an out-of-memory error must not jump through SQLite. */
struct delivery {
	const bl_cell *cell;
	int64_t row;
	int n;
};

/* (list, names, delivery): appends the row, a table by the names of columns, to the list; row -1 fills in the names */
static int deliver(lua_State *L)
{
	const struct delivery *d = lua_touserdata(L, 3);
	if (d->row >= 0)
		lua_createtable(L, 0, d->n);
	for (int i = 0; i < d->n; i++) {
		if (d->row >= 0)
			lua_rawgeti(L, 2, i + 1);
		push_cell(L, &d->cell[i]);
		if (d->row >= 0)
			lua_rawset(L, -3);
		else
			lua_rawseti(L, 2, i + 1);
	}
	if (d->row >= 0)
		lua_rawseti(L, 1, d->row + 1);
	return 0;
}

/* Takes a row of the query; the list and the names are on top of the stack. */
static int take_row(void *ctx, int64_t row, int n, const bl_cell *cell)
{
	lua_State *L = ctx;
	struct delivery d = { cell, row, n };
	lua_pushcfunction(L, deliver);
	lua_pushvalue(L, -3);
	lua_pushvalue(L, -3);
	lua_pushlightuserdata(L, &d);
	if (lua_pcall(L, 3, 0, 0) == LUA_OK)
		return 0;
	bl_fail("%s", lua_tostring(L, -1));
	lua_pop(L, 1);
	return -1;
}

/* Pushes a userdata with the items of the list at `index` as cells. */
static bl_cell *take_values(lua_State *L, int index, int *n)
{
	*n = lua_istable(L, index) ? (int)lua_rawlen(L, index) : 0;
	bl_cell *cell = lua_newuserdatauv(L, (size_t)(*n + 1) * sizeof *cell, 0);
	for (int i = 0; i < *n; i++) {
		int type = lua_rawgeti(L, index, i + 1);
		if (type == LUA_TNUMBER && lua_isinteger(L, -1))
			cell[i] = (bl_cell){ .kind = BL_CELL_WHOLE, .whole = lua_tointeger(L, -1) };
		else if (type == LUA_TNUMBER)
			cell[i] = (bl_cell){ .kind = BL_CELL_NUMBER, .number = lua_tonumber(L, -1) };
		else if (type == LUA_TSTRING)
			cell[i] = (bl_cell){ .kind = BL_CELL_TEXT, .text = lua_tostring(L, -1) }; /* the list keeps it alive */
		else
			luaL_error(L, "value %d must be a number or a text, got %s", i + 1, bl_lua_describe(L, -1));
		lua_pop(L, 1);
	}
	return cell;
}

/* index_query(index, sql[, values[, seconds]]): rows, which are tables by the names of their columns, and these names */
int bl_lua_index_query(lua_State *L)
{
	bl_index **x = luaL_checkudata(L, 1, INDEX);
	const char *sql = luaL_checkstring(L, 2);
	double seconds = luaL_optnumber(L, 4, 0);
	int n;
	bl_cell *value = take_values(L, 3, &n);
	lua_newtable(L);
	lua_newtable(L);
	bl_query q = {
		.sql = sql, .value = value, .values = n, .seconds = seconds, .stop = &bl_lua_interrupted, .row = take_row, .ctx = L
	};
	if (bl_index_query(*x, &q) != 0)
		return bl_lua_fail(L);
	return 2;
}

/* index_problem(index): why the index is in memory only, or nil if it is in its file */
int bl_lua_index_problem(lua_State *L)
{
	bl_index **x = luaL_checkudata(L, 1, INDEX);
	if (!*bl_index_problem(*x))
		return 0;
	lua_pushstring(L, bl_index_problem(*x));
	return 1;
}

void bl_lua_define_index(lua_State *L)
{
	if (luaL_newmetatable(L, INDEX)) {
		lua_pushcfunction(L, free_index);
		lua_setfield(L, -2, "__gc");
	}
	lua_pop(L, 1);
}
