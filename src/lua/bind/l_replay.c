/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_replay.c: functions for lua/replay.lua: files of tensors, conditions of t:break_when, whether a run can be replayed here. */
#include "lua/bind/face.h"

#include <barlow/runs.h>
#include <barlow/weights.h>

/* check_replay(folder): raises an error if another machine or version made the run */
static int check_replay(lua_State *L)
{
	return bl_runs_check_replay(luaL_checkstring(L, 1)) != 0 ? bl_lua_fail(L) : 0;
}

/* tensor_facts(path): the metadata of a safetensors file as a table, or nil if it cannot be read */
static int tensor_facts(lua_State *L)
{
	char **facts = bl_safetensors_metadata(luaL_checkstring(L, 1));
	if (!facts)
		return 0;
	lua_newtable(L);
	for (int i = 0; facts[i]; i += 2) {
		lua_pushstring(L, facts[i + 1]);
		lua_setfield(L, -2, facts[i]);
	}
	bl_metadata_free(facts);
	return 1;
}

/* tensors(path): the tensors of a safetensors file, by name */
static int read_tensors(lua_State *L)
{
	bl_named *items;
	int n;
	if (bl_safetensors_load(luaL_checkstring(L, 1), &items, &n) != 0)
		return bl_lua_fail(L);
	lua_createtable(L, 0, n);
	for (int i = 0; i < n; i++) {
		bl_lua_give_tensor(L, bl_tensor_ref(items[i].tensor));
		lua_setfield(L, -2, items[i].name);
	}
	bl_named_free(items, n);
	return 1;
}

typedef struct request {
	bl_trainer *trainer;
	bl_tensor *z[2];
} request;

static void take_embeddings(void *ctx)
{
	request *a = ctx;
	for (int i = 0; i < 2; i++)
		a->z[i] = bl_trainer_embeddings(a->trainer, i);
}

/* embeddings(trainer): the newest embeddings {z1, z2}; {} before the first step */
static int embeddings(lua_State *L)
{
	request a = { bl_lua_trainer(L, 1), { NULL } };
	bl_trainer_between_steps(a.trainer, take_embeddings, &a);
	lua_createtable(L, 2, 0);
	for (int i = 0; i < 2 && a.z[i]; i++) {
		bl_lua_give_tensor(L, a.z[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

void bl_lua_add_replay(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "check_replay", check_replay },
		{ "tensor_facts", tensor_facts },
		{ "tensors", read_tensors },
		{ "embeddings", embeddings },
		{ "at_break", bl_lua_at_break },
		{ "write_journal", bl_lua_write_journal },
		{ NULL, NULL },
	};
	luaL_setfuncs(L, functions, 0);
}
