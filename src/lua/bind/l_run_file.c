/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_run_file.c: run.json as a table, and its tags and notes changed; for lua/runs.lua. */
#include "lua/bind/face.h"

#include <barlow/run_file.h>

#include <stdio.h>
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

/* An error on the way does not lose it. */
static int free_file(lua_State *L)
{
	bl_run_file_free(lua_touserdata(L, 1));
	return 0;
}

static bl_run_file *new_file(lua_State *L)
{
	bl_run_file *f = lua_newuserdatauv(L, sizeof *f, 0);
	memset(f, 0, sizeof *f);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, free_file);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	return f;
}

/* run_file(folder): what run.json there says; nil where there is none; nil and why where it cannot be read */
int bl_lua_run_file(lua_State *L)
{
	const char *folder = luaL_checkstring(L, 1);
	bl_run_file *f = new_file(L);
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

/* --- changes --- */

typedef struct change {
	const char *notes; /* NULL: they stay */
	const char *tag[2 * BL_RUN_TAGS];
	bool on[2 * BL_RUN_TAGS];
	int tags;
} change;

static int make_changes(void *ctx, bl_run_file *f)
{
	const change *c = ctx;
	if (!f->state[0])
		return bl_fail("there is no " BL_RUN_FILE " in its folder, as of a run of an earlier version");
	for (int i = 0; i < c->tags; i++)
		if (bl_run_file_tag(f, c->tag[i], c->on[i]) < 0)
			return -1;
	if (c->notes && strlen(c->notes) >= BL_RUN_NOTES)
		return bl_fail("notes of %zu bytes: expected less than %d", strlen(c->notes), BL_RUN_NOTES);
	if (c->notes)
		snprintf(f->notes, sizeof f->notes, "%s", c->notes);
	return 0;
}

/* run_change(folder, {tag, ...}, {tag that goes, ...}[, notes]) */
int bl_lua_run_change(lua_State *L)
{
	change c = { .notes = luaL_optstring(L, 4, NULL) };
	for (int list = 2; list <= 3; list++) {
		luaL_checktype(L, list, LUA_TTABLE);
		for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
			if (lua_type(L, -1) != LUA_TSTRING || c.tags == 2 * BL_RUN_TAGS)
				return luaL_error(L, "expected at most %d tags as texts", 2 * BL_RUN_TAGS);
			c.tag[c.tags] = lua_tostring(L, -1); /* the list keeps it alive */
			c.on[c.tags++] = list == 2;
		}
		lua_pop(L, 1);
	}
	return bl_run_file_change(luaL_checkstring(L, 1), make_changes, &c) < 0 ? bl_lua_fail(L) : 0;
}
