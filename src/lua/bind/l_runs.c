/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_runs.c: where a trainer's run is kept, and the runs there are.  What is easier said in Lua is in lua/runs.lua. */
#include "lua/bind/face.h"

#include <barlow/checkpoint.h>
#include <barlow/runs.h>
#include <barlow/view.h>
#include <barlow/weights.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- weights --- */

static bl_module *module_kept(lua_State *L, int table, const char *name)
{
	bl_module *m = lua_getfield(L, table, name) == LUA_TUSERDATA ? bl_lua_module(L, -1) : NULL;
	lua_pop(L, 1);
	return m;
}

bl_lua_saver bl_lua_saver_of(lua_State *L, int index, const char *path)
{
	bl_lua_saver s = { .path = path };
	lua_getiuservalue(L, index, 2);
	s.roots[0] = module_kept(L, lua_gettop(L), "encoder");
	s.roots[1] = module_kept(L, lua_gettop(L), "projector");
	s.n = s.roots[1] ? 2 : 1;
	lua_pop(L, 1);
	return s;
}

int bl_lua_save_weights(void *saver)
{
	bl_lua_saver *s = saver;
	return bl_weights_save(s->path, s->roots, (const char *[]){ "encoder", "projector" }, s->n);
}

/* --- a place --- */

/* Once a process: a sweep's hundred runs have one reason. */
static void say_in_memory(void)
{
	static bool said;
	if (!said)
		fprintf(stderr, "barlow: %s; training goes on, kept in memory only\n", bl_error());
	said = true;
}

/* A new string: the folder that was chosen, or a new one; NULL with bl_error. */
static char *make_folder(lua_State *L, bl_trainer *t, const char *chosen)
{
	bl_live_info info;
	bl_live_info_get(bl_trainer_live(t), &info);
	if (!chosen)
		return bl_runs_folder_new(info.name);
	int taken = bl_runs_folder_take(chosen);
	if (taken > 0)
		bl_lua_fail(L);
	return taken < 0 ? NULL : strdup(chosen);
}

/* What the trainer's thread saves by: it lives as long as the trainer, in its table of what it keeps. */
typedef struct keeper {
	bl_trainer *trainer;
	const char *checkpoint;
	bl_lua_saver weights;
} keeper;

static const char *keep_path(lua_State *L, int kept, const char *folder, const char *file)
{
	const char *path = lua_pushfstring(L, "%s/%s", folder, file);
	lua_setfield(L, kept, file);
	return path;
}

static keeper *new_keeper(lua_State *L, int index, int kept, const char *folder)
{
	const char *weights = keep_path(L, kept, folder, BL_RUN_WEIGHTS);
	keeper *k = lua_newuserdatauv(L, sizeof *k, 0);
	*k = (keeper){ bl_lua_trainer(L, index), keep_path(L, kept, folder, BL_RUN_CHECKPOINT),
	               bl_lua_saver_of(L, index, weights) };
	lua_setfield(L, kept, "keeper");
	return k;
}

/* The checkpoint first: it has the weights too. */
static int save_run(void *ctx, bl_save_why why)
{
	keeper *k = ctx;
	if (bl_checkpoint_save(k->checkpoint, k->trainer) != 0)
		return -1;
	return why == BL_SAVE_REGULAR ? 0 : bl_lua_save_weights(&k->weights);
}

static int write_recipe(lua_State *L, int index, const char *folder)
{
	size_t n;
	bl_lua_recipe(L, index);
	bl_lua_call_module(L, "barlow.recipe", "file_text", 1);
	const char *text = lua_tolstring(L, -1, &n);
	char *path = bl_runs_path(folder, BL_RUN_RECIPE);
	int rc = path ? bl_file_write_atomic(path, text, n) : -1;
	free(path);
	return rc;
}

void bl_lua_push_start(lua_State *L, int index)
{
	lua_getiuservalue(L, index, 2);
	if (lua_getfield(L, -1, "start") != LUA_TSTRING) {
		lua_pop(L, 1);
		lua_pushboolean(L, bl_trainer_warm(bl_lua_trainer(L, index)));
	}
	lua_remove(L, -2);
}

/* No recipe can draw these weights again.  A run that goes on has kept them already. */
static int keep_start(lua_State *L, bl_trainer *t, int kept, const char *folder)
{
	char *path = realpath(folder, NULL);
	if (!path)
		return bl_fail("%s: %s", folder, strerror(errno));
	const char *start = lua_pushfstring(L, "%s/%s", path, BL_RUN_START);
	free(path);
	if (!bl_trainer_warm(t))
		return 0;
	lua_setfield(L, kept, "start");
	return access(start, F_OK) == 0 ? 0 : bl_start_save(start, t);
}

static int move_in(lua_State *L, int index, int kept, const char *folder)
{
	bl_trainer *t = bl_lua_trainer(L, index);
	char *live = bl_runs_path(folder, BL_RUN_LIVE);
	int rc = live ? bl_trainer_keep(t, live, save_run, new_keeper(L, index, kept, folder)) : -1;
	free(live);
	if (rc == 0)
		rc = keep_start(L, t, kept, folder);
	return rc == 0 ? write_recipe(L, index, folder) : rc;
}

static bool same_place(const char *a, const char *b)
{
	char *x = realpath(a, NULL), *y = realpath(b, NULL);
	bool same = x && y && strcmp(x, y) == 0;
	free(x);
	free(y);
	return same;
}

/* Is the folder that was chosen that of the checkpoint?  Then the run goes on there. */
static bool goes_on_in(lua_State *L, int kept, const char *folder)
{
	bool same = lua_getfield(L, kept, "resumed") == LUA_TSTRING && folder && same_place(folder, lua_tostring(L, -1));
	lua_pop(L, 1);
	return same;
}

/* Here a failure is the user's to know: without its place the run would begin to be two. */
static void take_over(lua_State *L, int index, int kept, const char *folder)
{
	bl_live_info info;
	bl_live_info_get(bl_trainer_live(bl_lua_trainer(L, index)), &info);
	int claim = info.step < info.steps ? bl_runs_claim(folder) : bl_fail("%s: the run is over", folder);
	if (claim < 0)
		bl_lua_fail(L);
	int rc = move_in(L, index, kept, folder);
	bl_runs_release(claim);
	if (rc != 0)
		bl_lua_fail(L);
	lua_pushstring(L, folder);
	lua_setfield(L, kept, "place");
}

static void find_place(lua_State *L, int index, int kept, const char *chosen)
{
	char *made = make_folder(L, bl_lua_trainer(L, index), chosen);
	if (!made) {
		say_in_memory();
		return;
	}
	const char *folder = lua_pushstring(L, made);
	free(made);
	if (move_in(L, index, kept, folder) == 0) {
		lua_pushstring(L, folder);
		lua_setfield(L, kept, "place");
		return;
	}
	say_in_memory();
	rmdir(folder); /* only if it is empty */
}

void bl_lua_place_run(lua_State *L, int index)
{
	int top = lua_gettop(L);
	lua_getiuservalue(L, index, 2);
	bool asked = lua_getfield(L, top + 1, "placed") != LUA_TNIL;
	int type = lua_getfield(L, top + 1, "folder");
	const char *chosen = lua_tostring(L, -1);
	if (!asked && goes_on_in(L, top + 1, chosen))
		take_over(L, index, top + 1, chosen);
	else if (!asked && type != LUA_TBOOLEAN)
		find_place(L, index, top + 1, chosen);
	lua_pushboolean(L, 1);
	lua_setfield(L, top + 1, "placed");
	lua_settop(L, top);
}

/* --- ends that were not saved --- */

void bl_lua_tell_unsaved(void)
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

static void push_run(lua_State *L, const bl_run *r)
{
	lua_createtable(L, 0, 16);
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
	set_number(L, "total", r->last.step > 0 ? r->last.total : NAN);
	set_number(L, "lambda", r->last.step > 0 ? r->last.lambda : NAN);
	set_number(L, "knn", r->knn);
	lua_pushboolean(L, bl_run_going(r));
	lua_setfield(L, -2, "alive");
}

/* Kept by a userdata, so that an error on the way does not lose it. */
static int free_list(lua_State *L)
{
	bl_runs **list = lua_touserdata(L, 1);
	bl_runs_free(*list);
	*list = NULL;
	return 0;
}

static bl_runs **new_list(lua_State *L)
{
	bl_runs **list = lua_newuserdatauv(L, sizeof *list, 0);
	*list = NULL;
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, free_list);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	return list;
}

int bl_lua_runs(lua_State *L)
{
	bl_runs **list = new_list(L);
	char *root = bl_runs_root();
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
