/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_checkpoint.c: saves and loads a trainer's checkpoints, and finds runs that can be resumed; see also
 * lua/resume.lua.
 */
#include "lua/bind/face.h"

#include <barlow/checkpoint.h>
#include <barlow/runs.h>

#include <stdlib.h>

/* checkpoint([path]): saves all that the run needs to be resumed; the default path is in the run's folder */
int bl_lua_checkpoint(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	bl_place *p = bl_lua_place(L, 1);
	const char *path = luaL_optstring(L, 2, NULL);
	if (!path && !bl_place_folder(p))
		return luaL_error(L, "checkpoint: this run has no folder: expected a path");
	if ((path ? bl_checkpoint_save(path, t) : bl_place_save(p)) < 0)
		return bl_lua_fail(L);
	lua_settop(L, 1);
	return 1;
}

/* load_checkpoint(path): restores a new trainer's state from a checkpoint or the folder of a run */
int bl_lua_load_checkpoint(lua_State *L)
{
	if (bl_place_load(bl_lua_place(L, 1), luaL_checkstring(L, 2)) < 0)
		return bl_lua_fail(L);
	bl_lua_report_trouble(bl_lua_trainer(L, 1));
	lua_settop(L, 1);
	return 1;
}

/* resumable([run]): the folder of the run, by default the newest that was stopped early; raises an error if it cannot be resumed */
int bl_lua_run_resumable(lua_State *L)
{
	char *folder = bl_runs_resumable(luaL_optstring(L, 1, NULL));
	if (!folder)
		return bl_lua_fail(L);
	lua_pushstring(L, folder);
	free(folder);
	return 1;
}

/* run_checkpoint(folder, step): the path of the checkpoint of that step */
int bl_lua_run_checkpoint(lua_State *L)
{
	char *path = bl_runs_checkpoint(luaL_checkstring(L, 1), luaL_checkinteger(L, 2));
	if (!path)
		return bl_lua_fail(L);
	lua_pushstring(L, path);
	free(path);
	return 1;
}

/* may_set(trainer, name, value): whether the setting may get this value while the run trains */
int bl_lua_may_set(lua_State *L)
{
	lua_pushboolean(L, bl_trainer_may_set(bl_lua_trainer(L, 1), luaL_checkstring(L, 2), luaL_checknumber(L, 3)) == 0);
	return 1;
}
