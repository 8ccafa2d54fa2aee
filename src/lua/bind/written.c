/* SPDX-License-Identifier: GPL-3.0-or-later */
/* written.c: functions for lua/source.lua and lua/recipe.lua, which write Lua functions and tensors as text. */
#include "lua/bind/face.h"
#include "lua/bind/written.h"
#include "lua/kit/cargo.h"
#include "lua/kit/texts.h"

#include <barlow/file.h>

#include <stdlib.h>

#define PIECE "piece of a function"

/*
 * texts(chunk): the texts that were loaded under that chunk name; for a file that barlow did not load, its current text.  A name
 * that begins with neither '@' nor '=' is the text itself.
 */
static int written_texts(lua_State *L)
{
	size_t n;
	const char *chunk = luaL_checkstring(L, 1);
	if (*chunk != '@' && *chunk != '=') {
		lua_createtable(L, 1, 0);
		lua_pushvalue(L, 1);
		lua_rawseti(L, -2, 1);
		return 1;
	}
	bl_lua_push_texts(L, chunk);
	if (*chunk == '=' || lua_rawlen(L, -1) > 0)
		return 1;
	char *text = bl_file_read(chunk + 1, &n);
	if (text) {
		lua_pushlstring(L, text, n);
		free(text);
		lua_rawseti(L, -2, 1);
	}
	return 1;
}

/* name_of(v): the name by which v is passed between states, or nil */
static int written_name_of(lua_State *L)
{
	luaL_checkany(L, 1);
	lua_pushstring(L, bl_lua_name_of(L, 1));
	return 1;
}

/* function_value(f): the value by which recipes contain the Lua function, or nil and the reason why they cannot */
static int written_function_value(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	if (bl_function_value(L, 1) == 0)
		return 1;
	lua_pushnil(L);
	lua_pushstring(L, bl_error());
	return 2;
}

/* is_function(v): whether v is a function value, as function_value returns */
static int written_is_function(lua_State *L)
{
	lua_pushboolean(L, bl_lua_test(L, 1, BL_T_FUNCTION) != NULL);
	return 1;
}

/* Pushes the list of f's upvalues, {name =, value =}; the value of a function is its table in the list at `pieces`. */
static void push_upvalues(lua_State *L, const bl_cargo_piece *f, int pieces)
{
	lua_createtable(L, f->n, 0);
	for (int i = 0; i < f->n; i++) {
		lua_createtable(L, 0, 2);
		lua_pushstring(L, f->upvalue[i].name);
		lua_setfield(L, -2, "name");
		bl_packing_push(L, f->upvalue[i].value, pieces, false);
		lua_setfield(L, -2, "value");
		lua_rawseti(L, -2, i + 1);
	}
}

/*
 * function_pieces(value): {chunk =, first =, last =, bare = stripped bytecode, upvalues = {{name =, value =}, ...}}, whose
 * metatable is native.piece; functions among the upvalues are tables of this form as well
 */
static int written_pieces(lua_State *L)
{
	bl_function **f = bl_lua_check(L, 1, BL_T_FUNCTION);
	const bl_cargo *c = bl_function_cargo(*f);
	lua_createtable(L, c->n, 0);
	int pieces = lua_gettop(L);
	for (int i = 0; i < c->n; i++) {
		lua_createtable(L, 0, 6);
		luaL_setmetatable(L, PIECE);
		lua_rawseti(L, pieces, i + 1);
	}
	for (int i = 0; i < c->n; i++) {
		const bl_cargo_piece *p = &c->piece[i];
		lua_rawgeti(L, pieces, i + 1);
		lua_pushstring(L, p->chunk);
		lua_setfield(L, -2, "chunk");
		lua_pushinteger(L, p->first);
		lua_setfield(L, -2, "first");
		lua_pushinteger(L, p->last);
		lua_setfield(L, -2, "last");
		lua_pushlstring(L, p->bare.bytes, p->bare.n);
		lua_setfield(L, -2, "bare");
		push_upvalues(L, p, pieces);
		lua_setfield(L, -2, "upvalues");
		lua_pop(L, 1);
	}
	lua_rawgeti(L, pieces, 1);
	return 1;
}

/* identity(tensor): a value that is equal for two Lua objects if and only if they refer to the same tensor */
static int written_identity(lua_State *L)
{
	lua_pushlightuserdata(L, bl_lua_tensor(L, 1));
	return 1;
}

/* is_tensor(v) */
static int written_is_tensor(lua_State *L)
{
	lua_pushboolean(L, bl_lua_test(L, 1, BL_T_TENSOR) != NULL);
	return 1;
}

void bl_lua_add_written(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "texts", written_texts },
		{ "name_of", written_name_of },
		{ "function_value", written_function_value },
		{ "is_function", written_is_function },
		{ "function_pieces", written_pieces },
		{ "identity", written_identity },
		{ "is_tensor", written_is_tensor },
		{ NULL, NULL },
	};
	luaL_setfuncs(L, functions, 0);
	luaL_newmetatable(L, PIECE);
	lua_setfield(L, -2, "piece");
}
