/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * travel.c: a Lua function made ready to run in another Lua state: its bytecode, and plain copies of its upvalues.
 *
 * Numbers, strings, booleans, tables of these, tensors (shared, not copied)
 * and barlow's own modules can go; _ENV becomes the other state's globals.
 * Bytecode is only ever what this process dumped.
 */
#include "lua/bind/face.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16 };

typedef enum plain_kind { NIL, BOOLEAN, INTEGER, NUMBER, STRING, TABLE, TENSOR, MODULE, GLOBALS } plain_kind;

typedef struct plain {
	plain_kind kind;
	bool boolean;
	lua_Integer integer;
	lua_Number number;
	char *bytes;          /* STRING, MODULE (its name) */
	size_t length;        /* of bytes; TABLE: items */
	struct plain *items;  /* TABLE: key, value, key, value ... */
	bl_tensor *tensor;
} plain;

struct bl_cargo {
	char *code;
	size_t size;
	plain *upvalues;
	int n;
};

static void plain_clear(plain *p)
{
	for (size_t i = 0; p->kind == TABLE && i < p->length; i++)
		plain_clear(&p->items[i]);
	free(p->items);
	free(p->bytes);
	bl_tensor_unref(p->tensor);
}

void bl_cargo_free(bl_cargo *c)
{
	if (!c)
		return;
	for (int i = 0; i < c->n; i++)
		plain_clear(&c->upvalues[i]);
	free(c->upvalues);
	free(c->code);
	free(c);
}

/* --- packing --- */

static int no_memory(void)
{
	return bl_fail("no memory to copy a function");
}

static int pack_bytes(plain *p, plain_kind kind, const char *s, size_t n)
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

static int pack_value(lua_State *L, plain *p, const char *name, int depth);

static int pack_items(lua_State *L, plain *p, const char *name, int depth)
{
	size_t room = 0;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		room += 2;
	p->kind = TABLE;
	p->items = calloc(room + 1, sizeof *p->items);
	if (!p->items)
		return no_memory();
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		plain *key = &p->items[p->length++], *value = &p->items[p->length++];
		lua_pushvalue(L, -2);
		int bad = pack_value(L, key, name, depth);
		lua_pop(L, 1);
		if (bad || pack_value(L, value, name, depth) < 0)
			return -1;
	}
	return 0;
}

/* Is the table on top one of barlow's modules?  Then p says which. */
static int pack_module(lua_State *L, plain *p)
{
	int found = 0;
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	if (lua_getfield(L, -1, "barlow") == LUA_TTABLE) {
		if (lua_rawequal(L, -1, -3))
			found = pack_bytes(p, MODULE, "", 0) == 0;
		for (lua_pushnil(L); !found && lua_next(L, -2);) {
			size_t n = 0;
			const char *name = lua_tolstring(L, -2, &n);
			found = lua_rawequal(L, -1, -5) && pack_bytes(p, MODULE, name, n) == 0;
			lua_pop(L, found ? 2 : 1);
		}
	}
	lua_pop(L, 2);
	return found;
}

static int pack_table(lua_State *L, plain *p, const char *name, int depth)
{
	if (pack_module(L, p))
		return 0;
	if (depth == DEPTH_MAX)
		return bl_fail("upvalue '%s': tables nested deeper than %d (does one contain itself?)", name,
			       DEPTH_MAX);
	luaL_checkstack(L, 6, "nested tables");
	return pack_items(L, p, name, depth + 1);
}

/* The value on top. */
static int pack_value(lua_State *L, plain *p, const char *name, int depth)
{
	bl_tensor **t;
	size_t n;
	switch (lua_type(L, -1)) {
	case LUA_TNIL: return 0;
	case LUA_TBOOLEAN: p->kind = BOOLEAN; p->boolean = lua_toboolean(L, -1); return 0;
	case LUA_TNUMBER:
		p->kind = lua_isinteger(L, -1) ? INTEGER : NUMBER;
		p->integer = lua_tointeger(L, -1);
		p->number = lua_tonumber(L, -1);
		return 0;
	case LUA_TSTRING: {
		const char *s = lua_tolstring(L, -1, &n);
		return pack_bytes(p, STRING, s, n);
	}
	case LUA_TTABLE: return pack_table(L, p, name, depth);
	default:
		t = bl_lua_test(L, -1, BL_T_TENSOR);
		if (!t)
			return bl_fail(
				"upvalue '%s' %s a %s, which cannot go to another thread (numbers, strings, booleans, "
				"tables of these and tensors can)",
				name, depth ? "contains" : "is", luaL_typename(L, -1));
		p->kind = TENSOR;
		p->tensor = bl_tensor_ref(*t);
		return 0;
	}
}

/* Upvalue n (from 1) of the function on top; 0 after the last, negative: it cannot go. */
static int pack_upvalue(lua_State *L, bl_cargo *c, int n)
{
	const char *name = lua_getupvalue(L, -1, n);
	if (!name)
		return 0;
	plain *longer = realloc(c->upvalues, sizeof *longer * (size_t)n), *p = longer ? &longer[n - 1] : NULL;
	int status = -1;
	if (longer) {
		c->upvalues = longer;
		c->n = n;
		*p = (plain){ .kind = NIL };
		status = strcmp(name, "_ENV") == 0 ? (p->kind = GLOBALS, 0) : pack_value(L, p, name, 0);
	} else {
		no_memory();
	}
	lua_pop(L, 1);
	return status < 0 ? -1 : 1;
}

static int write_code(lua_State *L, const void *bytes, size_t n, void *cargo)
{
	(void)L;
	bl_cargo *c = cargo;
	char *longer = realloc(c->code, c->size + n);
	if (!longer)
		return -1;
	memcpy(longer + c->size, bytes, n);
	c->code = longer;
	c->size += n;
	return 0;
}

bl_cargo *bl_cargo_pack(lua_State *L, int index)
{
	if (!lua_isfunction(L, index) || lua_iscfunction(L, index))
		return bl_fail_null("expected a function written in Lua, got %s", luaL_typename(L, index));
	bl_cargo *c = calloc(1, sizeof *c);
	if (!c)
		return no_memory(), NULL;
	lua_pushvalue(L, index);
	int status = lua_dump(L, write_code, c, 0) ? no_memory() : 1;
	for (int i = 1; status > 0; i++)
		status = pack_upvalue(L, c, i);
	lua_pop(L, 1);
	if (status == 0)
		return c;
	bl_cargo_free(c);
	return NULL;
}

/* --- unpacking --- */

static void push_module(lua_State *L, const char *name)
{
	luaL_requiref(L, "barlow", luaopen_barlow, 0);
	if (!*name)
		return;
	lua_getfield(L, -1, name);
	lua_remove(L, -2);
}

static void push_plain(lua_State *L, const plain *p)
{
	luaL_checkstack(L, 6, "nested tables");
	switch (p->kind) {
	case NIL: lua_pushnil(L); break;
	case BOOLEAN: lua_pushboolean(L, p->boolean); break;
	case INTEGER: lua_pushinteger(L, p->integer); break;
	case NUMBER: lua_pushnumber(L, p->number); break;
	case STRING: lua_pushlstring(L, p->bytes, p->length); break;
	case TENSOR: bl_lua_give_tensor(L, bl_tensor_ref(p->tensor)); break;
	case GLOBALS: lua_pushglobaltable(L); break;
	case MODULE: push_module(L, p->bytes); break;
	case TABLE:
		lua_createtable(L, 0, (int)(p->length / 2));
		for (size_t i = 0; i < p->length; i += 2) {
			push_plain(L, &p->items[i]);
			push_plain(L, &p->items[i + 1]);
			lua_rawset(L, -3);
		}
		break;
	}
}

int bl_cargo_unpack(const bl_cargo *c, lua_State *L)
{
	if (luaL_loadbufferx(L, c->code, c->size, "=function", "b") != LUA_OK) {
		bl_fail("%s", lua_tostring(L, -1));
		lua_pop(L, 1);
		return -1;
	}
	for (int i = 0; i < c->n; i++) {
		push_plain(L, &c->upvalues[i]);
		lua_setupvalue(L, -2, i + 1);
	}
	return 0;
}
