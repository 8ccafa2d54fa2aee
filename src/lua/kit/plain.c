/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plain.c: Lua values as C data. */
#include "lua/kit/function.h"
#include "lua/kit/kit.h"
#include "lua/kit/packing.h"
#include "lua/kit/tame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 48, ITEMS_MAX = 1000 * 1000 };

void bl_plain_clear(bl_plain *p)
{
	bool has_items = p->kind == BL_PLAIN_TABLE || p->kind == BL_PLAIN_CALL;
	for (size_t i = 0; has_items && i < p->length; i++)
		bl_plain_clear(&p->items[i]);
	free(p->items);
	free(p->bytes);
	bl_tensor_unref(p->tensor);
	bl_function_unref(p->function);
	*p = (bl_plain){ .kind = BL_PLAIN_NIL };
}

/* --- packing --- */

static int no_memory(void)
{
	return bl_fail("no memory to copy a value");
}

static int pack_bytes(bl_plain *p, bl_plain_kind kind, const char *s, size_t n)
{
	p->bytes = malloc(n + 1);
	if (!p->bytes)
		return no_memory();
	memcpy(p->bytes, s, n);
	p->bytes[n] = 0;
	p->length = n;
	p->kind = kind;
	return 0;
}

/*
 * Refuses tables whose copy would differ: those with a metatable, and those that are reached twice, since a recipe's text
 * constructs each upvalue by itself.  Two functions may share one variable, which has the same name in both.
 */
static int check_table(packing *c)
{
	lua_State *L = c->L;
	if (lua_getmetatable(L, -1)) {
		lua_pop(L, 1);
		return bl_fail(
			"%s is or holds a table with a metatable, which a copy of the function would not have: give it plain "
			"tables, and functions as locals",
			c->where);
	}
	lua_pushvalue(L, -1);
	lua_rawget(L, c->tables);
	int before = (int)lua_tointeger(L, -1);
	lua_rawgeti(L, c->tables, before);
	lua_rawgeti(L, c->tables, c->upvalue);
	bool shared = before && (before == c->upvalue || !lua_rawequal(L, -1, -2));
	const char *name = lua_tostring(L, -2);
	int rc = !shared ? 0
	         : before == c->upvalue
	                 ? bl_fail("%s holds one table twice, or one that contains itself: a copy of the function would have two",
	                           c->where)
	                 : bl_fail("%s and '%s' hold the same table: a copy of the function would have two; use one of them",
	                           c->where, name);
	lua_pop(L, 3);
	lua_pushvalue(L, -1);
	lua_pushinteger(L, c->upvalue);
	lua_rawset(L, c->tables);
	return rc;
}

/* Packs the keys and values of the table on top. */
static int pack_table(packing *c, bl_plain *p, bl_plain_kind kind, int depth)
{
	luaL_checkstack(c->L, 8, "nested tables");
	if (c->cargo && kind == BL_PLAIN_TABLE && check_table(c) < 0)
		return -1;
	if (depth == DEPTH_MAX)
		return bl_fail("%s: tables nested deeper than %d (does one contain itself?)", c->where, DEPTH_MAX);
	lua_State *L = c->L;
	size_t room = 0;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		room += 2;
	c->items += room;
	if (c->items > ITEMS_MAX)
		return bl_fail("%s is too large: more than %d values", c->where, ITEMS_MAX / 2);
	p->items = calloc(room + 1, sizeof *p->items);
	if (!p->items)
		return no_memory();
	p->kind = kind;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		bl_plain *key = &p->items[p->length++], *value = &p->items[p->length++];
		lua_pushvalue(L, -2);
		int bad = bl_packing_value(c, key, depth + 1);
		lua_pop(L, 1);
		if (bad || bl_packing_value(c, value, depth + 1) < 0)
			return -1;
	}
	return 0;
}

static int pack_function(packing *c, bl_plain *p)
{
	bl_function **f = bl_lua_test(c->L, -1, BL_T_FUNCTION);
	if (!f && lua_iscfunction(c->L, -1))
		return bl_fail("%s: a function that is not written in Lua cannot be copied", c->where);
	if (c->cargo)
		return bl_packing_inner(c, p);
	p->kind = BL_PLAIN_FUNCTION;
	p->function = f ? bl_function_ref(*f) : NULL;
	return f || bl_function_make(c->L, -1, &p->function) == 0 ? 0 : bl_fail_prefix("%s: ", c->where);
}

static int pack_object(packing *c, bl_plain *p, int depth)
{
	lua_State *L = c->L;
	bl_tensor **t = bl_lua_test(L, -1, BL_T_TENSOR);
	if (bl_lua_test(L, -1, BL_T_FUNCTION))
		return pack_function(c, p);
	if (!c->cargo && bl_lua_test(L, -1, BL_T_CALL)) {
		lua_getiuservalue(L, -1, 1); /* the table of a described call */
		int rc = pack_table(c, p, BL_PLAIN_CALL, depth);
		lua_pop(L, 1);
		return rc;
	}
	if (!t)
		return bl_fail(
			"%s %s %s, which cannot be passed to another thread (numbers, strings, booleans, tables of these, "
			"tensors and functions can)",
			c->where, depth ? "contains" : "is", bl_lua_describe(L, lua_gettop(L)));
	p->kind = BL_PLAIN_TENSOR;
	p->tensor = bl_tensor_ref(*t);
	return 0;
}

static bool is_globals(lua_State *L)
{
	lua_pushglobaltable(L);
	bool is = lua_rawequal(L, -1, -2);
	lua_pop(L, 1);
	return is;
}

int bl_packing_value(packing *c, bl_plain *p, int depth)
{
	lua_State *L = c->L;
	const char *name = bl_lua_name_of(L, -1);
	if (name)
		return pack_bytes(p, BL_PLAIN_NAME, name, strlen(name));
	switch (lua_type(L, -1)) {
	case LUA_TNIL: return 0;
	case LUA_TBOOLEAN:
		p->kind = BL_PLAIN_BOOLEAN;
		p->boolean = lua_toboolean(L, -1);
		return 0;
	case LUA_TNUMBER:
		p->kind = lua_isinteger(L, -1) ? BL_PLAIN_INTEGER : BL_PLAIN_NUMBER;
		p->integer = lua_tointeger(L, -1);
		p->number = lua_tonumber(L, -1);
		return 0;
	case LUA_TSTRING: return pack_bytes(p, BL_PLAIN_STRING, lua_tostring(L, -1), lua_rawlen(L, -1));
	case LUA_TTABLE:
		if (is_globals(L) && c->cargo && !c->env)
			return bl_fail(
				"%s is or holds _G, the table of globals: use the globals that the function needs by their names",
				c->where);
		if (is_globals(L))
			return p->kind = BL_PLAIN_GLOBALS, 0;
		return pack_table(c, p, BL_PLAIN_TABLE, depth);
	case LUA_TFUNCTION: return pack_function(c, p);
	case LUA_TUSERDATA: return pack_object(c, p, depth);
	default: return bl_fail("%s is a %s, which cannot be copied", c->where, luaL_typename(L, -1));
	}
}

int bl_plain_pack(lua_State *L, int index, bl_plain *p, const char *where)
{
	packing c = { .L = L };
	snprintf(c.where, sizeof c.where, "%s", where);
	luaL_checkstack(L, 8, "values");
	lua_pushvalue(L, index);
	int rc = bl_packing_value(&c, p, 0);
	lua_pop(L, 1);
	return rc;
}

/* --- unpacking --- */

void bl_packing_push(lua_State *L, const bl_plain *p, int functions, bool constant)
{
	luaL_checkstack(L, 8, "nested tables");
	switch (p->kind) {
	case BL_PLAIN_NIL: lua_pushnil(L); break;
	case BL_PLAIN_BOOLEAN: lua_pushboolean(L, p->boolean); break;
	case BL_PLAIN_INTEGER: lua_pushinteger(L, p->integer); break;
	case BL_PLAIN_NUMBER: lua_pushnumber(L, p->number); break;
	case BL_PLAIN_STRING: lua_pushlstring(L, p->bytes, p->length); break;
	case BL_PLAIN_TENSOR: bl_lua_give_tensor(L, bl_tensor_ref(p->tensor)); break;
	case BL_PLAIN_GLOBALS: lua_pushglobaltable(L); break;
	case BL_PLAIN_NAME: bl_lua_push_named(L, p->bytes); break;
	case BL_PLAIN_INNER: lua_rawgeti(L, functions, p->integer + 1); break;
	case BL_PLAIN_FUNCTION: bl_lua_give_function(L, bl_function_ref(p->function)); break;
	case BL_PLAIN_TABLE:
	case BL_PLAIN_CALL:
		lua_createtable(L, 0, (int)(p->length / 2));
		for (size_t i = 0; i < p->length; i += 2) {
			bl_packing_push(L, &p->items[i], functions, constant);
			bl_packing_push(L, &p->items[i + 1], functions, constant);
			lua_rawset(L, -3);
		}
		if (p->kind == BL_PLAIN_CALL)
			luaL_setmetatable(L, BL_T_CALL);
		else if (constant)
			bl_lua_push_constant(L);
		break;
	}
}

void bl_plain_push(lua_State *L, const bl_plain *p)
{
	bl_packing_push(L, p, 0, false);
}
