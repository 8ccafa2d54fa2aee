/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_run_file.c: for lua/runs.lua: reads run.json, changes tags and notes, measures and removes folders of runs. */
#include "lua/bind/face.h"

#include <barlow/file.h>
#include <barlow/run_file.h>
#include <barlow/runs.h>

#include <stdlib.h>
#include <string.h>

static void set_text(lua_State *L, const char *name, const char *text)
{
	if (!*text)
		return;
	lua_pushstring(L, text);
	lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double v)
{
	if (!(v > 0))
		return;
	lua_pushnumber(L, v);
	lua_setfield(L, -2, name);
}

static void set_whole(lua_State *L, const char *name, int64_t v)
{
	lua_pushinteger(L, v);
	lua_setfield(L, -2, name);
}

static void set_facts(lua_State *L, const char *name, const bl_facts *f)
{
	lua_createtable(L, 0, f->n);
	for (int i = 0; i < f->n; i++) {
		if (f->at[i].text)
			lua_pushstring(L, f->at[i].text);
		else
			lua_pushnumber(L, f->at[i].number);
		lua_setfield(L, -2, f->at[i].name);
	}
	lua_setfield(L, -2, name);
}

static void push_file(lua_State *L, const bl_run_file *f)
{
	lua_createtable(L, 0, 32);
	set_text(L, "barlow", f->barlow);
	set_text(L, "name", f->name);
	set_text(L, "state", f->state);
	set_text(L, "reason", f->reason);
	set_whole(L, "seed", f->seed);
	set_whole(L, "step", f->step);
	set_whole(L, "steps", f->steps);
	set_number(L, "created", f->created);
	set_number(L, "began", f->started);
	set_number(L, "ended", f->ended);
	set_text(L, "host", f->host);
	set_text(L, "boot", f->boot);
	set_whole(L, "pid", f->pid);
	set_text(L, "cpu", f->cpu);
	set_text(L, "blas", f->blas);
	set_whole(L, "threads", f->threads);
	set_whole(L, "beat", f->beat);
	set_text(L, "notes", f->notes);
	if (f->parent[0]) {
		lua_createtable(L, 0, 2);
		set_text(L, "folder", f->parent);
		set_whole(L, "step", f->parent_step);
		lua_setfield(L, -2, "parent");
	}
	lua_createtable(L, f->tags, 0);
	for (int i = 0; i < f->tags; i++) {
		lua_pushstring(L, f->tag[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "tags");
	set_facts(L, "data", &f->data);
	set_facts(L, "convolution", &f->convolution);
	set_facts(L, "recipe", &f->recipe);
	set_facts(L, "metrics", &f->metrics);
}

/* __gc of a userdata that owns a bl_run_file, which is thus freed also if an error is raised. */
static int free_file(lua_State *L)
{
	bl_run_file_free(lua_touserdata(L, 1));
	return 0;
}

/* run_file(folder): the content of run.json, nil if there is none, or nil and the reason if it cannot be read */
int bl_lua_run_file(lua_State *L)
{
	const char *folder = luaL_checkstring(L, 1);
	bl_run_file *f = lua_newuserdatauv(L, sizeof *f, 0);
	memset(f, 0, sizeof *f);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, free_file);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	int rc = bl_run_file_read(folder, f);
	if (rc == 0) {
		push_file(L, f);
		return 1;
	}
	lua_pushnil(L);
	if (rc > 0)
		return 1;
	lua_pushstring(L, bl_error());
	return 2;
}

/* --- changing --- */

/* Copies the list of strings at `index` into `out`; the list keeps them alive. */
static int take_tags(lua_State *L, int index, const char *out[BL_RUN_TAGS])
{
	int n = 0;
	luaL_checktype(L, index, LUA_TTABLE);
	for (; lua_rawgeti(L, index, n + 1) != LUA_TNIL; lua_pop(L, 1)) {
		if (lua_type(L, -1) != LUA_TSTRING || n == BL_RUN_TAGS)
			return luaL_error(L, "expected at most %d tags as texts", BL_RUN_TAGS);
		out[n++] = lua_tostring(L, -1);
	}
	lua_pop(L, 1);
	return n;
}

/* run_change(folder, {tag to add, ...}, {tag to remove, ...}[, notes]) */
int bl_lua_run_change(lua_State *L)
{
	const char *add[BL_RUN_TAGS], *drop[BL_RUN_TAGS];
	bl_run_edit e = { .add = add, .drop = drop, .notes = luaL_optstring(L, 4, NULL) };
	e.adds = take_tags(L, 2, add);
	e.drops = take_tags(L, 3, drop);
	return bl_runs_edit(luaL_checkstring(L, 1), &e) < 0 ? bl_lua_fail(L) : 0;
}

/* run_remove(folder[, forever]): returns the folder in the trash; nothing if it was deleted */
int bl_lua_run_remove(lua_State *L)
{
	const char *folder = luaL_checkstring(L, 1);
	if (lua_toboolean(L, 2))
		return bl_runs_delete(folder) != 0 ? bl_lua_fail(L) : 0;
	char *there = bl_runs_to_trash(folder);
	if (!there)
		return bl_lua_fail(L);
	lua_pushstring(L, there);
	free(there);
	return 1;
}

/* run_size(folder): bytes that its files take on disk */
int bl_lua_run_size(lua_State *L)
{
	lua_pushinteger(L, bl_runs_size(luaL_checkstring(L, 1)));
	return 1;
}

/*
 * run_tidy(folder[, dry]): removes half-written files of killed saves, or only counts them if `dry`; returns their number and
 * bytes, 0 and 0 for an active run
 */
int bl_lua_run_tidy(lua_State *L)
{
	bl_leftovers removed;
	bl_runs_tidy(luaL_checkstring(L, 1), lua_toboolean(L, 2), &removed);
	lua_pushinteger(L, removed.files);
	lua_pushinteger(L, removed.bytes);
	return 2;
}

/* run_records(folder): {step = {...}, total = {...}, ...} */
int bl_lua_run_records(lua_State *L)
{
	bl_live *l = bl_live_open_whole(lua_pushfstring(L, "%s/%s", luaL_checkstring(L, 1), BL_RUN_LIVE), false);
	return l ? bl_lua_give_records(L, l) : bl_lua_fail(L);
}

/* write_file(path, text[, private]): writes atomically */
int bl_lua_write_file(lua_State *L)
{
	size_t n;
	const char *text = luaL_checklstring(L, 2, &n);
	bl_file_writer *write = lua_toboolean(L, 3) ? bl_file_write_private : bl_file_write_atomic;
	return write(luaL_checkstring(L, 1), text, n) != 0 ? bl_lua_fail(L) : 0;
}

/* write_array(path, tensor): writes a tensor beside a run's recipe */
int bl_lua_write_array(lua_State *L)
{
	return bl_npy_save_private(luaL_checkstring(L, 1), bl_lua_tensor(L, 2)) != 0 ? bl_lua_fail(L) : 0;
}
