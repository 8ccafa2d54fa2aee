/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fields.c: reads constructor tables by the fields that describe them: unknown keys are refused with a suggestion,
 * values are checked, missing ones get their defaults.
 */
#include "lua/kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bl_lua_function *bl_lua_running(lua_State *L)
{
	return lua_touserdata(L, lua_upvalueindex(BL_LUA_UP_ENTRY));
}

static const char *running_name(lua_State *L)
{
	return lua_tostring(L, lua_upvalueindex(BL_LUA_UP_NAME));
}

/* --- one value, on top of the stack --- */

static int refuse(lua_State *L, const char *what, const bl_field *f, const char *got)
{
	char expected[512];
	return luaL_error(L, "%s: '%s' must be %s, got %s", what, f->name, bl_field_expected(f, expected, sizeof expected), got);
}

static int refuse_top(lua_State *L, const char *what, const bl_field *f)
{
	return refuse(L, what, f, bl_lua_describe(L, lua_gettop(L)));
}

static void set(lua_State *L, const char *what, const bl_field *f, void *out, const double *v, int n)
{
	if (bl_field_set(f, out, v, n) < 0)
		luaL_error(L, "%s: %s", what, bl_error());
}

static void take_choice(lua_State *L, const char *what, const bl_field *f, void *out)
{
	if (lua_type(L, -1) != LUA_TSTRING)
		refuse_top(L, what, f);
	const char *word = lua_tostring(L, -1);
	for (int i = 0; f->choices[i]; i++)
		if (strcmp(f->choices[i], word) == 0) {
			*(int *)(void *)((char *)out + f->offset) = i;
			return;
		}
	const char *near = bl_nearest(word, f->choices), *got = bl_lua_describe(L, lua_gettop(L));
	refuse(L, what, f, near ? lua_pushfstring(L, "%s (did you mean '%s'?)", got, near) : got);
}

/* Stores all 64 bits, which a double cannot represent: a seed may be any integer. */
static void take_int64(lua_State *L, const char *what, const bl_field *f, void *out)
{
	int whole;
	lua_Integer v = lua_tointegerx(L, -1, &whole);
	if (!whole || lua_type(L, -1) != LUA_TNUMBER)
		refuse_top(L, what, f);
	if (f->min != 0 || f->max != 0)
		set(L, what, f, out, &(double){ (double)v }, 1);
	*(int64_t *)(void *)((char *)out + f->offset) = v;
}

static bool is_list(bl_field_kind kind)
{
	return kind == BL_FIELD_PAIR || kind == BL_FIELD_FLOATS || kind == BL_FIELD_LIST || kind == BL_FIELD_INTS;
}

static void take_numbers(lua_State *L, const char *what, const bl_field *f, void *out)
{
	double v[BL_LIST_MOST];
	bool list = lua_istable(L, -1) && is_list(f->kind);
	int n = list ? (int)lua_rawlen(L, -1) : 1;
	if (!list && (lua_type(L, -1) != LUA_TNUMBER || f->kind == BL_FIELD_INTS))
		refuse_top(L, what, f);
	if (n > BL_LIST_MOST)
		refuse(L, what, f, lua_pushfstring(L, "%d of them", n));
	for (int i = 0; list && i < n; i++) {
		if (lua_rawgeti(L, -1, i + 1) != LUA_TNUMBER)
			refuse(L, what, f, lua_pushfstring(L, "a list with %s in it", bl_lua_describe(L, lua_gettop(L))));
		v[i] = lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
	if (!list)
		v[0] = lua_tonumber(L, -1);
	set(L, what, f, out, v, n);
}

/* Stores the value on top in the field's member of `out`. */
static void take(lua_State *L, const char *what, const bl_field *f, void *out)
{
	void *at = (char *)out + f->offset;
	switch (f->kind) {
	case BL_FIELD_ANY: break;
	case BL_FIELD_CHOICE: take_choice(L, what, f, out); break;
	case BL_FIELD_INT64: take_int64(L, what, f, out); break;
	case BL_FIELD_BOOL:
		if (!lua_isboolean(L, -1))
			refuse_top(L, what, f);
		*(bool *)at = lua_toboolean(L, -1);
		break;
	case BL_FIELD_TEXT:
		if (lua_type(L, -1) != LUA_TSTRING)
			refuse_top(L, what, f);
		if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
			luaL_error(L, "%s: '%s' contains a zero byte, which is not allowed", what, f->name);
		*(const char **)at = lua_tostring(L, -1);
		break;
	case BL_FIELD_OBJECT:
		if (!bl_lua_test(L, -1, f->type))
			refuse_top(L, what, f);
		*(void **)at = lua_touserdata(L, -1);
		break;
	default: take_numbers(L, what, f, out);
	}
}

/* --- the table --- */

static int unknown_key(lua_State *L, const char *what, const bl_field *fields)
{
	const char *names[64];
	int n = 0, positions = 0;
	for (const bl_field *f = fields; f->name && n < 63; f++) {
		names[n++] = f->name;
		positions += f->position > 0;
	}
	names[n] = NULL;
	if (lua_type(L, -2) == LUA_TSTRING)
		return bl_lua_unknown(L, what, "key", lua_tostring(L, -2), names);
	lua_pushvalue(L, -2);
	return luaL_error(L, "%s: argument %s is one too many: at most %d can be given without their names", what,
	                  luaL_tolstring(L, -1, NULL), positions);
}

/* Returns the field that the key below the top names, by name or by position; NULL if there is none. */
static const bl_field *find(lua_State *L, const bl_field *fields)
{
	int position = lua_isinteger(L, -2) ? (int)lua_tointeger(L, -2) : 0;
	if (!position)
		return lua_type(L, -2) == LUA_TSTRING ? bl_field_find(fields, lua_tostring(L, -2)) : NULL;
	for (const bl_field *f = fields; f->name; f++)
		if (f->position == position)
			return f;
	return NULL;
}

static bool plain_table(lua_State *L, int index)
{
	if (!lua_istable(L, index))
		return false;
	bool special = lua_getmetatable(L, index);
	lua_settop(L, lua_gettop(L) - special);
	return !special;
}

/* Replaces a plain table on top, and those in it, by copies, since the caller may change the tables afterwards. */
static void copy_deep(lua_State *L, int depth)
{
	if (depth == 0 || !plain_table(L, -1))
		return;
	luaL_checkstack(L, 6, "nested tables");
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, -3);) {
		copy_deep(L, depth - 1);
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -4);
	}
	lua_replace(L, -2);
}

/* Copies the pairs of the table at `from` into the one at `to`; keys must be names, and values are checked. */
static void move(lua_State *L, const char *what, const bl_field *fields, int from, int to, void *out)
{
	for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
		const bl_field *f = find(L, fields);
		if (!f)
			unknown_key(L, what, fields);
		if (lua_getfield(L, to, f->name) != LUA_TNIL)
			luaL_error(L, "%s: '%s' is given twice", what, f->name);
		lua_pop(L, 1);
		copy_deep(L, 4);
		take(L, what, f, out);
		lua_pushvalue(L, -1);
		lua_setfield(L, to, f->name);
	}
}

static void push_list(lua_State *L, const bl_field *f)
{
	lua_createtable(L, f->presets, 0);
	for (int i = 0; i < f->presets; i++) {
		if (f->kind == BL_FIELD_INTS)
			lua_pushinteger(L, (lua_Integer)f->preset[i]);
		else
			lua_pushnumber(L, f->preset[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

/* Pushes the default, or nil if there is no fixed one. */
static void push_default(lua_State *L, const bl_field *f)
{
	if (f->kind == BL_FIELD_TEXT)
		lua_pushstring(L, f->text);
	else if (!f->presets)
		lua_pushnil(L);
	else if (f->kind == BL_FIELD_BOOL)
		lua_pushboolean(L, f->preset[0] != 0);
	else if (f->kind == BL_FIELD_CHOICE)
		lua_pushstring(L, f->choices[(int)f->preset[0]]);
	else if (f->kind == BL_FIELD_INT || f->kind == BL_FIELD_INT64)
		lua_pushinteger(L, (lua_Integer)f->preset[0]);
	else if (is_list(f->kind))
		push_list(L, f);
	else
		lua_pushnumber(L, f->preset[0]);
}

/* Reads the table at `index` into `out`, and pushes a copy of it; both are completed by defaults. */
static void read_table(lua_State *L, const char *what, const bl_field *fields, int index, void *out)
{
	index = lua_absindex(L, index);
	bl_fields_default(fields, out);
	lua_newtable(L);
	int copy = lua_gettop(L);
	move(L, what, fields, index, copy, out);
	for (const bl_field *f = fields; f->name; f++) {
		char expected[512];
		bool given = lua_getfield(L, copy, f->name) != LUA_TNIL;
		lua_pop(L, 1);
		if (given)
			continue;
		if (f->required)
			luaL_error(L, "%s: '%s' is missing: give %s: %s", what, f->name,
			           bl_field_expected(f, expected, sizeof expected), f->help);
		push_default(L, f);
		lua_setfield(L, copy, f->name);
	}
}

/* Returns whether the value at `index` is a table of settings.  A table with an item 1 is a list, which is itself a value. */
static bool named_ones(lua_State *L, int index)
{
	bool named = plain_table(L, index) && lua_rawgeti(L, index, 1) == LUA_TNIL;
	lua_settop(L, lua_gettop(L) - plain_table(L, index));
	return named;
}

/* Pushes one table with the positional arguments from `first` on and, if the last one is a table of settings, its pairs. */
static void gather(lua_State *L, int first)
{
	int n = lua_gettop(L);
	lua_createtable(L, n, 0);
	for (int i = first; i <= n; i++) {
		if (i == n && i > first && named_ones(L, i)) {
			for (lua_pushnil(L); lua_next(L, i);) {
				lua_pushvalue(L, -2);
				lua_insert(L, -2);
				lua_rawset(L, n + 1);
			}
		} else if (!lua_isnil(L, i)) {
			lua_pushvalue(L, i);
			lua_rawseti(L, n + 1, i - first + 1);
		}
	}
}

void bl_lua_take(lua_State *L, void *out)
{
	if (!(lua_gettop(L) == 1 && lua_istable(L, 1)))
		gather(L, 1);
	read_table(L, running_name(L), bl_lua_running(L)->fields, -1, out);
	lua_replace(L, 1);
	lua_settop(L, 1);
	lua_pushnil(L);
	bool empty = lua_next(L, 1) == 0;
	lua_settop(L, 1);
	if (empty || lua_isnone(L, lua_upvalueindex(BL_LUA_UP_SOURCE))) /* the function makes no object */
		return;
	lua_createtable(L, 1, 2);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, 1);
	lua_pushinteger(L, 1);
	lua_setfield(L, -2, "n");
	lua_pushvalue(L, lua_upvalueindex(BL_LUA_UP_NAME));
	lua_setfield(L, -2, "call");
	lua_replace(L, lua_upvalueindex(BL_LUA_UP_SOURCE));
}

void bl_lua_take_method(lua_State *L, void *out)
{
	if (!(lua_gettop(L) == 2 && lua_istable(L, 2)))
		gather(L, 2);
	read_table(L, lua_pushfstring(L, ":%s", bl_lua_running(L)->name), bl_lua_running(L)->fields, -2, out);
	lua_replace(L, 2);
	lua_settop(L, 2);
	lua_pushvalue(L, lua_upvalueindex(BL_LUA_UP_SOURCE));
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, 2);
	lua_pushinteger(L, 2);
	lua_setfield(L, -2, "n");
	lua_pop(L, 1);
}

void bl_lua_state_integer(lua_State *L, int index, lua_Integer v)
{
	lua_pushvalue(L, lua_upvalueindex(BL_LUA_UP_SOURCE));
	lua_pushinteger(L, v);
	lua_rawseti(L, -2, index);
	lua_pushinteger(L, index);
	lua_setfield(L, -2, "n");
	lua_pop(L, 1);
}

void bl_lua_take_value(lua_State *L, int index, const char *what, const bl_field *f, void *out)
{
	lua_pushvalue(L, index);
	take(L, what, f, out);
	lua_pop(L, 1);
}

/* Pushes a value of the field's type, as a default is pushed. */
void bl_lua_push_value(lua_State *L, const bl_field *f, const void *settings)
{
	bl_field now = *f;
	double v[BL_LIST_MOST];
	now.presets = bl_field_get(f, settings, v);
	if (now.presets > BL_FIELD_PRESETS)
		now.presets = BL_FIELD_PRESETS;
	memcpy(now.preset, v, (size_t)now.presets * sizeof *v);
	push_default(L, &now);
}

void bl_lua_take_table(lua_State *L, int index, const char *what, const bl_field *fields, void *out)
{
	if (lua_isnoneornil(L, index)) {
		lua_newtable(L);
		read_table(L, what, fields, -1, out);
		lua_replace(L, -2);
	} else if (lua_istable(L, index)) {
		read_table(L, what, fields, index, out);
	} else {
		luaL_error(L, "%s: expected a table of settings, got %s", what, bl_lua_describe(L, lua_absindex(L, index)));
	}
}

void bl_lua_take_options(lua_State *L, int index, void *out)
{
	if (lua_gettop(L) < index)
		lua_settop(L, index);
	bl_lua_take_table(L, index, running_name(L), bl_lua_running(L)->fields, out);
	lua_replace(L, index);
}

void bl_lua_check_options(lua_State *L, int index)
{
	enum { ROOM = 4096 };
	if (lua_gettop(L) < index)
		lua_settop(L, index);
	void *out = lua_newuserdatauv(L, ROOM, 0);
	size_t end = 0;
	for (const bl_field *f = bl_lua_running(L)->fields; f->name; f++)
		end = f->offset > end ? f->offset : end;
	if (end + sizeof(bl_list) > ROOM)
		luaL_error(L, "%s: its settings are too many", running_name(L));
	bl_lua_take_table(L, index, running_name(L), bl_lua_running(L)->fields, out);
	lua_replace(L, index);
	lua_settop(L, index);
}
