/* SPDX-License-Identifier: GPL-3.0-or-later */
/* describe.c: runs a recipe's text in a state where constructors only record their calls. */
#include "lua/bind/describe.h"
#include "lua/bind/face.h"
#include "lua/kit/states.h"
#include "lua/kit/tame.h"
#include "lua/kit/texts.h"

#include <barlow/file.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define READING "recipe that is read"          /* metatable of a reading */
#define LOADED_TENSORS "barlow.recipe.tensors" /* registry of the state: name -> tensor */

enum { TEXT_MAX = 4 << 20, LABELS_MAX = 1000 };

typedef struct reading {
	const char *path;
	const char *const *makers; /* names of constructors; NULL at the end */
	char *text;
	size_t n;
	char *folder;
	lua_State *S;
	bl_plain result;
} reading;

/* --- the state: functions that a recipe may call --- */

/* Constructors that recipes cannot call, since they start threads; no part of a trainer needs them. */
static const char *const withheld[] = { "data.loader", NULL };
/* Methods that change the object that a constructor made. */
static const char *const changing[] = { "init", "load", "set_statistics", NULL };
/* Constructors with two results. */
static const char *const pairs[] = { ":split", NULL };

static bool is_among(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

/* Pushes a node: the description of a call, as result number `result` of `results`, with the n arguments on the stack. */
static void push_node(lua_State *L, int n, int result, int results)
{
	lua_newuserdatauv(L, 0, 1);
	luaL_setmetatable(L, BL_T_CALL);
	lua_createtable(L, n, 4);
	for (int i = 1; i <= n; i++) {
		lua_pushvalue(L, i);
		lua_rawseti(L, -2, i);
	}
	lua_pushinteger(L, n);
	lua_setfield(L, -2, "n");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_setfield(L, -2, "call");
	lua_pushinteger(L, result);
	lua_setfield(L, -2, "result");
	lua_pushinteger(L, results);
	lua_setfield(L, -2, "results");
	lua_setiuservalue(L, -2, 1);
}

/* Records a call of a constructor; upvalue: its name. */
static int note_call(lua_State *L)
{
	const char *name = lua_tostring(L, lua_upvalueindex(1));
	int n = lua_gettop(L), results = is_among(name, pairs) ? 2 : 1;
	if (*name == ':')
		luaL_checkudata(L, 1, BL_T_CALL);
	luaL_checkstack(L, 12, "arguments");
	for (int i = 1; i <= results; i++)
		push_node(L, n, i, results);
	return results;
}

/* Records a call of a method that changes a node; upvalue: its name. */
static int note_change(lua_State *L)
{
	luaL_checkudata(L, 1, BL_T_CALL);
	lua_settop(L, 2);
	lua_getiuservalue(L, 1, 1);
	luaL_getsubtable(L, -1, "after");
	lua_createtable(L, 2, 0);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_rawseti(L, -2, 1);
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, 2);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	lua_settop(L, 1);
	return 1;
}

/* __index for unknown names; upvalue 1: the known names, upvalue 2: the table's name. */
static int refuse_name(lua_State *L)
{
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	return luaL_error(L, "a recipe cannot use '%s' of %s: it may only call constructors", luaL_tolstring(L, 2, NULL),
	                  lua_tostring(L, lua_upvalueindex(2)));
}

static void push_noting(lua_State *L, lua_CFunction note, const char *name)
{
	lua_pushstring(L, name);
	lua_pushcclosure(L, note, 1);
}

/* Sets the table on top as __index of the metatable below it; `what` is the table's name in messages. */
static void set_names(lua_State *L, const char *what)
{
	lua_pushstring(L, what);
	lua_pushcclosure(L, refuse_name, 2);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
}

/* Defines the class of nodes, with the methods that recipes may call. */
static void define_node(lua_State *L, const char *const *makers)
{
	luaL_newmetatable(L, BL_T_CALL);
	lua_newtable(L);
	for (; *makers; makers++)
		if (**makers == ':') {
			push_noting(L, note_call, *makers);
			lua_setfield(L, -2, *makers + 1);
		}
	for (const char *const *name = changing; *name; name++) {
		push_noting(L, note_change, *name);
		lua_setfield(L, -2, *name);
	}
	set_names(L, "an object");
	lua_pop(L, 1);
}

/* Adds a constructor, "nn.linear", to the table `nn` in the table on top. */
static void add_maker(lua_State *L, const char *name)
{
	const char *dot = strchr(name, '.');
	lua_pushlstring(L, name, dot ? (size_t)(dot - name) : 0);
	if (dot && (lua_pushvalue(L, -1), lua_rawget(L, -3)) != LUA_TTABLE) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_pushvalue(L, -2);
		lua_pushvalue(L, -2);
		lua_rawset(L, -5);
	}
	if (!dot)
		lua_pushvalue(L, -2);
	push_noting(L, note_call, name);
	lua_setfield(L, -2, dot ? dot + 1 : name);
	lua_pop(L, 2);
}

/* Makes every table in the table on top raise an error for unknown names. */
static void close_modules(lua_State *L)
{
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (!lua_istable(L, -1))
			continue;
		lua_createtable(L, 0, 2);
		lua_pushvalue(L, -2);
		set_names(L, lua_tostring(L, -4));
		lua_setmetatable(L, -2);
		bl_lua_close_library(L, lua_tostring(L, -2));
		lua_pushvalue(L, -2);
		lua_pushvalue(L, -2);
		lua_rawset(L, -5);
	}
}

/* tensor.load(name): loads from the recipe's folder; upvalue: the reading. */
static int load_beside(lua_State *L)
{
	const reading *r = lua_touserdata(L, lua_upvalueindex(1));
	const char *name = luaL_checkstring(L, 1);
	struct stat st;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-' && (*c != '.' || c == name))
			return luaL_error(L, "tensor.load: a recipe loads files of its own folder only, by their names");
	/* The same name gives the same tensor, which a function and its parameters then share. */
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LOADED_TENSORS);
	if (lua_getfield(L, -1, name) != LUA_TNIL)
		return 1;
	const char *path = lua_pushfstring(L, "%s/%s", r->folder, name);
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return luaL_error(L, "tensor.load: there is no regular file '%s' beside the recipe", name);
	bl_lua_give_tensor(L, bl_npy_load(path));
	lua_pushvalue(L, -1);
	lua_setfield(L, -5, name);
	return 1;
}

static int open_describing(lua_State *L)
{
	reading *r = lua_touserdata(L, 1);
	define_node(L, r->makers);
	bl_lua_define_function(L);
	lua_newtable(L);
	for (const char *const *name = r->makers; *name; name++)
		if (**name != ':' && !is_among(*name, withheld))
			add_maker(L, *name);
	close_modules(L);
	bl_lua_open_tensor(L);
	bl_lua_withhold(L, "tensor");
	lua_pushlightuserdata(L, r);
	lua_pushcclosure(L, load_beside, 1);
	lua_setfield(L, -2, "load");
	bl_lua_close_library(L, "tensor");
	lua_setfield(L, -2, "tensor");
	for (lua_pushnil(L); lua_next(L, -2);)
		lua_setglobal(L, lua_tostring(L, -2));
	bl_lua_close_library(L, "barlow");
	lua_pushvalue(L, -1);
	lua_setglobal(L, "barlow");
	bl_lua_preload(L, "barlow.show");
	bl_lua_name_modules(L);
	return 0;
}

/* --- running it --- */

static int run_text(lua_State *L)
{
	reading *r = lua_touserdata(L, 1);
	if (luaL_loadbufferx(L, r->text, r->n, lua_pushfstring(L, "@%s", r->path), "t") != LUA_OK)
		return lua_error(L);
	lua_call(L, 0, 1);
	if (bl_plain_pack(L, -1, &r->result, "the recipe") < 0)
		return luaL_error(L, "%s", bl_error());
	return 0;
}

static int describe(reading *r)
{
	r->S = bl_lua_state_new(&(bl_lua_state_config){
		.what = "the recipe",
		.open = open_describing,
		.ctx = r,
		.bytes = 64 << 20,
		.prints = 4 << 10,
		.instructions = 10 * 1000 * 1000,
		.seconds = 10,
		.every = 100,
		.interruptible = true,
	});
	if (!r->S)
		return -1;
	lua_pushcfunction(r->S, run_text);
	lua_pushlightuserdata(r->S, r);
	return bl_lua_state_call(r->S, 1, 0);
}

static int read_text(reading *r)
{
	struct stat st;
	if (stat(r->path, &st) == 0 && st.st_size > TEXT_MAX)
		return bl_fail("%s: %lld bytes are too many for a recipe", r->path, (long long)st.st_size);
	r->text = bl_file_read(r->path, &r->n);
	const char *slash = strrchr(r->path, '/');
	r->folder = !slash ? strdup(".") : strndup(r->path, slash == r->path ? 1 : (size_t)(slash - r->path));
	if (!r->text || !r->folder)
		return r->text ? bl_fail("no memory for a recipe") : -1;
	/* The number of labels is limited, since the time of Lua's compiler grows with its square. */
	int labels = 0;
	for (size_t i = 0; i + 1 < r->n; i++)
		labels += r->text[i] == ':' && r->text[i + 1] == ':';
	return labels <= LABELS_MAX ? 0 : bl_fail("%s: too many labels for a recipe", r->path);
}

static int reading_gc(lua_State *L)
{
	reading *r = lua_touserdata(L, 1);
	bl_plain_clear(&r->result);
	if (r->S)
		bl_lua_state_close(r->S);
	free(r->text);
	free(r->folder);
	*r = (reading){ .path = NULL };
	return 0;
}

void bl_lua_push_described(lua_State *L)
{
	luaL_newmetatable(L, BL_T_CALL);
}

int bl_lua_describe_recipe(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	reading *r = lua_newuserdatauv(L, sizeof *r, 0);
	*r = (reading){ .path = path };
	if (luaL_newmetatable(L, READING)) {
		lua_pushcfunction(L, reading_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	r->makers = bl_lua_push_makers(L);
	bl_lua_push_described(L);
	if (read_text(r) < 0 || describe(r) < 0)
		return lua_pushnil(L), lua_pushnil(L), lua_pushstring(L, bl_error()), 3;
	/* The text is stored, since its functions may be written into another recipe later. */
	bl_lua_store_text(L, r->text, r->n, lua_pushfstring(L, "@%s", path));
	bl_plain_push(L, &r->result);
	lua_pushlstring(L, r->text, r->n);
	return 2;
}
