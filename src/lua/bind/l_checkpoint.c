/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_checkpoint.c: a trainer's checkpoints, and which runs can go on from theirs; see lua/resume.lua, too. */
#include "lua/bind/face.h"

#include <barlow/checkpoint.h>
#include <barlow/runs.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* checkpoint([path]): all that the run needs to go on, into its folder when no path is given */
int bl_lua_checkpoint(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	const char *path = luaL_optstring(L, 2, NULL);
	lua_settop(L, 2);
	lua_getiuservalue(L, 1, 2);
	if (!path && lua_getfield(L, 3, "place") == LUA_TNIL)
		return luaL_error(L, "checkpoint: this run has no folder: expected a path");
	if (!path && bl_live_replaced(bl_trainer_live(t)))
		return luaL_error(L, "checkpoint: the folder is somebody else's by now: the run was resumed there, or removed");
	if (!path)
		path = lua_pushfstring(L, "%s/%s", lua_tostring(L, 4), BL_RUN_CHECKPOINT);
	if (bl_checkpoint_save(path, t) < 0)
		return bl_lua_fail(L);
	lua_settop(L, 1);
	return 1;
}

/* Of a run's folder or a checkpoint, the folder. */
static void push_folder(lua_State *L, const char *path)
{
	struct stat s;
	const char *slash = strrchr(path, '/');
	if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
		lua_pushstring(L, path);
	else if (slash)
		lua_pushlstring(L, path, slash == path ? 1 : (size_t)(slash - path));
	else
		lua_pushstring(L, ".");
}

/* load_checkpoint(path): the new trainer stands where the run of that file, or in that folder, was */
int bl_lua_load_checkpoint(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	const char *path = luaL_checkstring(L, 2);
	if (bl_checkpoint_load(path, t) < 0)
		return bl_lua_fail(L);
	lua_getiuservalue(L, 1, 2);
	push_folder(L, path);
	lua_setfield(L, -2, "resumed");
	lua_settop(L, 1);
	return 1;
}

/* resumable([run]): its folder; an error where it cannot go on */
int bl_lua_run_resumable(lua_State *L)
{
	char *folder = bl_runs_resumable(luaL_optstring(L, 1, NULL));
	if (!folder)
		return bl_lua_fail(L);
	lua_pushstring(L, folder);
	free(folder);
	return 1;
}
