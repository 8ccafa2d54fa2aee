/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sandbox.c: the modules in sandboxed states: those of barlow that compute and construct.
 *
 * Nothing here accesses files or starts a run: no data sets, trainers, runs or figures, and no methods that save or load.
 */
#include "lua/bind/face.h"
#include "lua/kit/tame.h"

#include <string.h>

static const struct {
	const char *name;
	lua_CFunction open;
} modules[] = {
	{ "tensor", bl_lua_open_tensor }, { "nn", bl_lua_open_nn },       { "aug", bl_lua_open_aug },
	{ "loss", bl_lua_open_loss },     { "optim", bl_lua_open_optim }, { "eval", bl_lua_open_eval },
};
enum { MODULES = sizeof modules / sizeof modules[0] };

/* Functions that access files or go through whole data sets. */
static const struct {
	const char *module;
	const char *names[4];
} withheld[] = {
	{ "tensor", { "load", "save" } },
	{ "aug", { "preview", "stats" } },
	{ "eval", { "features", "knn", "linear" } },
};
static const struct {
	const char *module, *type;
	const char *names[3];
} withheld_methods[] = {
	{ "tensor", BL_T_TENSOR, { "save" } },
	{ "nn", BL_T_MODULE, { "save", "load" } },
};

static void remove_names(lua_State *L, const char *const *names)
{
	for (; *names; names++) {
		lua_pushnil(L);
		lua_setfield(L, -2, *names);
	}
}

/* Removes the functions withheld from sandboxed states; the module's table is on top. */
void bl_lua_withhold(lua_State *L, const char *module)
{
	for (size_t i = 0; i < sizeof withheld / sizeof withheld[0]; i++)
		if (strcmp(withheld[i].module, module) == 0)
			remove_names(L, withheld[i].names);
	for (size_t i = 0; i < sizeof withheld_methods / sizeof withheld_methods[0]; i++) {
		if (strcmp(withheld_methods[i].module, module) != 0)
			continue;
		luaL_getmetatable(L, withheld_methods[i].type);
		lua_getfield(L, -1, "__methods");
		remove_names(L, withheld_methods[i].names);
		lua_pop(L, 2);
	}
}

void bl_lua_name_modules(lua_State *L)
{
	bl_lua_name_libraries(L);
	bl_lua_name(L, "barlow", false);
	for (int i = 0; i < MODULES; i++) {
		if (lua_getfield(L, -1, modules[i].name) != LUA_TNIL)
			bl_lua_name(L, modules[i].name, true);
		lua_pop(L, 1);
	}
}

int bl_lua_open_sandbox(lua_State *L)
{
	lua_settop(L, 0);
	bl_lua_define_function(L);
	lua_createtable(L, 0, MODULES);
	for (int i = 0; i < MODULES; i++) {
		modules[i].open(L);
		bl_lua_withhold(L, modules[i].name);
		bl_lua_close_library(L, modules[i].name);
		lua_pushvalue(L, -1);
		lua_setglobal(L, modules[i].name);
		lua_setfield(L, 1, modules[i].name);
	}
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	lua_pushvalue(L, 1);
	lua_setfield(L, -2, "barlow");
	lua_settop(L, 1);
	bl_lua_preload(L, "barlow.show"); /* tensors print by it */
	bl_lua_name_modules(L);
	return 0;
}
