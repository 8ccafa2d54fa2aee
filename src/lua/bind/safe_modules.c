/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * safe_modules.c: the modules for an untrusted script (barlow --safe): Lua's harmless functions, and barlow's modules that
 * compute and construct; functions that access files check their paths first.
 *
 * A function receives the resolved path that was checked, so that links and ".." cannot lead out of the allowed folders.
 */
#define _GNU_SOURCE
#include "lua/bind/safe_modules.h"
#include "lua/bind/face.h"
#include "lua/kit/states.h"
#include "lua/kit/tame.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bl_lua_gate *gate_of(lua_State *L)
{
	return lua_touserdata(L, lua_upvalueindex(2));
}

/* --- paths --- */

static bool lies_below(const char *path, const char *folder)
{
	size_t n = folder ? strlen(folder) : 0;
	return folder && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0' || (n == 1 && *folder == '/'));
}

/* Resolves the path of a file.  If the file does not exist yet, resolves the path of its folder, and appends the file's name. */
static bool find_real(const char *path, char real[PATH_MAX])
{
	if (realpath(path, real))
		return true;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char folder[PATH_MAX], into[PATH_MAX];
	if (errno != ENOENT || !*name || !strcmp(name, "..") || !strcmp(name, "."))
		return false;
	int n = snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	errno = ENAMETOOLONG;
	if (n >= (int)sizeof folder || !realpath(folder, into))
		return false;
	errno = ENAMETOOLONG;
	return snprintf(real, PATH_MAX, "%s/%s", strcmp(into, "/") ? into : "", name) < PATH_MAX;
}

/* Checks the path at `arg`, and replaces it by the real path. */
static void check_path(lua_State *L, int arg, bool writes)
{
	const bl_lua_gate *g = gate_of(L);
	const char *path = lua_type(L, arg) == LUA_TSTRING ? lua_tostring(L, arg) : NULL;
	const char *name = lua_tostring(L, lua_upvalueindex(3));
	char real[PATH_MAX];
	if (!path || strlen(path) != lua_rawlen(L, arg))
		luaL_error(L, "%s: expected a path, got %s", name, path ? "a text with zero bytes" : luaL_typename(L, arg));
	if (writes && !g->both)
		luaL_error(L, "%s: a script run with --safe may not write files; --below FOLDER names a folder where it may", name);
	if (!find_real(path, real))
		luaL_error(L, "%s: %s: %s", name, path, strerror(errno));
	if (lies_below(real, g->both) || (!writes && lies_below(real, g->read)))
		lua_pushstring(L, real);
	else
		luaL_error(L, "%s: %s is refused: it lies outside of what a script run with --safe may %s (%s)", name, path,
		           writes ? "write" : "read",
		           g->both && (writes || !g->read) ? g->both
		           : g->read                       ? g->read
		                                           : "nothing");
	lua_replace(L, arg);
}

/* Checks the path, then calls the real function.  Upvalues: the real function, the gate, the name, which argument is the path. */
static int call_checked(lua_State *L, bool writes)
{
	check_path(L, (int)lua_tointeger(L, lua_upvalueindex(4)), writes);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

static int read_file(lua_State *L)
{
	return call_checked(L, false);
}

static int write_file(lua_State *L)
{
	return call_checked(L, true);
}

/* Opens a set of many files, which may be links or named in a table, so that only the kernel can confine the access. */
static int open_files(lua_State *L)
{
	const bl_lua_gate *g = gate_of(L);
	const char *name = lua_tostring(L, lua_upvalueindex(3));
	if (!g->kernel)
		return luaL_error(L, "%s is refused: data sets of files need a kernel with Landlock in a script run with --safe",
		                  name);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	if (lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0) == LUA_OK)
		return lua_gettop(L);
	const char *why = lua_tostring(L, -1);
	if (why && strstr(why, strerror(EACCES)))
		return luaL_error(L, "%s (a script run with --safe may read below %s only)", why,
		                  g->read   ? g->read
		                  : g->both ? g->both
		                            : "no folder");
	return lua_error(L);
}

/* --- names --- */

static const struct guarded {
	const char *module, *type, *name;
	lua_CFunction by;
	int path;
} guarded[] = {
	{ "tensor", NULL, "load", read_file, 1 },         { "tensor", NULL, "save", write_file, 1 },
	{ "tensor", BL_T_TENSOR, "save", write_file, 2 }, { "nn", BL_T_MODULE, "save", write_file, 2 },
	{ "nn", BL_T_MODULE, "load", read_file, 2 },
};

/* Replaces the function in that field of the table on top by one that checks its path first. */
static void guard(lua_State *L, const bl_lua_gate *g, const char *field, const char *shown, lua_CFunction by, int path)
{
	if (lua_getfield(L, -1, field) != LUA_TFUNCTION) {
		lua_pop(L, 1);
		return;
	}
	lua_pushlightuserdata(L, (void *)(uintptr_t)g);
	lua_pushstring(L, shown);
	lua_pushinteger(L, path);
	lua_pushcclosure(L, by, 4);
	lua_setfield(L, -2, field);
}

/* Guards the functions of the module whose table is on top, and the methods of its objects. */
static void guard_all(lua_State *L, const bl_lua_gate *g, const char *module)
{
	char shown[64];
	for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
		const struct guarded *f = &guarded[i];
		if (strcmp(f->module, module) != 0)
			continue;
		snprintf(shown, sizeof shown, "%s%c%s", f->type ? f->type : module, f->type ? ':' : '.', f->name);
		int top = lua_gettop(L);
		if (f->type) {
			luaL_getmetatable(L, f->type);
			lua_getfield(L, -1, "__methods");
		}
		guard(L, g, f->name, shown, f->by, f->path);
		lua_settop(L, top);
	}
}

static void guard_data(lua_State *L, const bl_lua_gate *g)
{
	const bl_data_kind *k;
	char shown[64];
	for (int i = 0; (k = bl_data_kind_at(i)) != NULL; i++) {
		if (!k->paths[0])
			continue;
		snprintf(shown, sizeof shown, "data.%s", k->name);
		guard(L, g, k->name, shown, open_files, 0);
	}
}

/* Functions that are removed: they show pictures in the terminal, for which they need Lua files that are not loaded here. */
static const struct {
	const char *module, *type, *name;
} withheld[] = {
	{ "aug", NULL, "preview" },
	{ "aug", NULL, "stats" },
	{ "data", BL_T_DATASET, "show" },
};

static void withhold(lua_State *L, const char *module)
{
	for (size_t i = 0; i < sizeof withheld / sizeof withheld[0]; i++) {
		if (strcmp(withheld[i].module, module) != 0)
			continue;
		int top = lua_gettop(L);
		if (withheld[i].type) {
			luaL_getmetatable(L, withheld[i].type);
			lua_getfield(L, -1, "__methods");
		}
		lua_pushnil(L);
		lua_setfield(L, -2, withheld[i].name);
		lua_settop(L, top);
	}
}

/* --- globals --- */

#define FILES "it gives access to the user's files and programs"
#define LIMITS "it runs code for which the limits of time and memory do not hold"

/* Globals that scripts have without --safe and that are refused here, with the reason, or what to use instead. */
static const struct {
	const char *name, *why;
} refused[] = {
	{ "io", FILES "; tensor.load, tensor.save, net:load and net:save take paths" },
	{ "os", FILES },
	{ "require", FILES "; barlow's modules are globals" },
	{ "package", FILES },
	{ "loadfile", FILES },
	{ "dofile", FILES },
	{ "debug", "it gives access to the sandbox itself" },
	{ "load", "it also loads bytecode, which is not checked" },
	{ "coroutine", LIMITS },
	{ "xpcall", LIMITS },
	{ "collectgarbage", LIMITS },
	{ "warn", "its output is not limited; that of print is" },
	{ "rawequal", "it distinguishes the read-only tables of libraries from the real ones; use ==" },
	{ "trainer",
	  "saving a run and its recipe needs io and os, and its threads outlive an interrupted script; train in a loop with "
	  "data.loader, loss and optim" },
	{ "plot", "it starts a program, gnuplot; write numbers with tensor.save and draw them outside" },
	{ "runs", "the user's runs lie outside of the folders that the script may read" },
	{ "sweep", "it starts other processes" },
	{ "help", "it needs texts that are not loaded here" },
	{ "interruptible", LIMITS },
};

static int missing_global(lua_State *L)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (strcmp(refused[i].name, name) == 0)
			return luaL_error(L, "'%s' is refused: a script run with --safe has no access to it, as %s", name,
			                  refused[i].why);
	return 0;
}

/* Prints to standard output, like a script's print, but without control bytes. */
static int print(lua_State *L)
{
	int n = lua_gettop(L);
	for (int i = 1; i <= n; i++) {
		bl_lua_push_clean(L, luaL_tolstring(L, i, NULL), true);
		if (bl_lua_state_may_print(L, lua_rawlen(L, -1) + 1))
			printf("%s%s", i > 1 ? "\t" : "", lua_tostring(L, -1));
		lua_pop(L, 2);
	}
	if (bl_lua_state_may_print(L, 1))
		putchar('\n');
	return 0;
}

static const struct {
	const char *name;
	lua_CFunction open;
} modules[] = {
	{ "tensor", bl_lua_open_tensor }, { "nn", bl_lua_open_nn },     { "aug", bl_lua_open_aug },   { "loss", bl_lua_open_loss },
	{ "optim", bl_lua_open_optim },   { "data", bl_lua_open_data }, { "eval", bl_lua_open_eval },
};

int bl_lua_open_safe(lua_State *L)
{
	const bl_lua_gate *g = lua_touserdata(L, 1);
	lua_settop(L, 0);
	bl_lua_thread_states(bl_lua_open_sandbox);
	bl_lua_define_function(L);
	lua_newtable(L);
	for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
		modules[i].open(L);
		withhold(L, modules[i].name);
		guard_all(L, g, modules[i].name);
		if (!strcmp(modules[i].name, "data"))
			guard_data(L, g);
		bl_lua_close_library(L, modules[i].name);
		lua_pushvalue(L, -1);
		lua_setglobal(L, modules[i].name);
		lua_setfield(L, 1, modules[i].name);
	}
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	lua_pushvalue(L, 1);
	lua_setfield(L, -2, "barlow");
	lua_settop(L, 1);
	bl_lua_preload(L, "barlow.show");
	bl_lua_name_modules(L);
	lua_settop(L, 0);
	lua_pushcfunction(L, print);
	lua_setglobal(L, "print");
	lua_pushglobaltable(L);
	lua_createtable(L, 0, 2);
	lua_pushcfunction(L, missing_global);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	return 0;
}
