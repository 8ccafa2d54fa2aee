/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json.c: JSON texts and plain Lua values, by jansson. */
#include "lua/bind/json.h"
#include "lua/bind/face.h"
#include <barlow/json_text.h>
#include <barlow/text.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 64, TEXT_MOST = 64 << 20 };

/* --- to Lua --- */

/* Pushes v.  null is left out of objects, as nil would be; in lists it becomes false, so that later items keep their index. */
static void push_value(lua_State *L, const json_t *v)
{
	luaL_checkstack(L, 6, "JSON nested too deeply");
	switch (json_typeof(v)) {
	case JSON_OBJECT: {
		const char *key;
		json_t *item;
		lua_createtable(L, 0, (int)json_object_size(v));
		json_object_foreach((json_t *)(uintptr_t)v, key, item)
		{
			if (json_is_null(item))
				continue;
			push_value(L, item);
			lua_setfield(L, -2, key);
		}
		break;
	}
	case JSON_ARRAY: {
		size_t i;
		json_t *item;
		lua_createtable(L, (int)json_array_size(v), 0);
		json_array_foreach(v, i, item)
		{
			if (json_is_null(item))
				lua_pushboolean(L, 0);
			else
				push_value(L, item);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
		break;
	}
	case JSON_STRING: lua_pushlstring(L, json_string_value(v), json_string_length(v)); break;
	case JSON_INTEGER: lua_pushinteger(L, json_integer_value(v)); break;
	case JSON_REAL: lua_pushnumber(L, json_real_value(v)); break;
	case JSON_TRUE: lua_pushboolean(L, 1); break;
	case JSON_FALSE: lua_pushboolean(L, 0); break;
	case JSON_NULL: lua_pushnil(L); break;
	}
}

/* Releases the parsed values when an error is raised. */
static int free_json(lua_State *L)
{
	json_t **v = lua_touserdata(L, 1);
	json_decref(*v);
	*v = NULL;
	return 0;
}

static json_t **new_holder(lua_State *L)
{
	json_t **v = lua_newuserdatauv(L, sizeof *v, 0);
	*v = NULL;
	if (luaL_newmetatable(L, "JSON value")) {
		lua_pushcfunction(L, free_json);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return v;
}

int bl_lua_json_read(lua_State *L)
{
	size_t n;
	json_error_t why;
	const char *text = luaL_checklstring(L, 1, &n);
	if (n > TEXT_MOST)
		return lua_pushnil(L), lua_pushliteral(L, "a JSON text of more than 64 MB"), 2;
	json_t **v = new_holder(L);
	*v = json_loadb(text, n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
	if (!*v) {
		lua_pushnil(L);
		lua_pushfstring(L, "not JSON: line %d: %s", why.line, why.text);
		return 2;
	}
	push_value(L, *v);
	return 1;
}

/* --- from Lua --- */

static json_t *value_of(lua_State *L, int index, int depth);

static bool is_list(lua_State *L, int index)
{
	lua_Integer n = (lua_Integer)lua_rawlen(L, index), count = 0;
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 || lua_tointeger(L, -2) > n) {
			lua_pop(L, 2);
			return false;
		}
		count++;
	}
	return count == n && n > 0;
}

static bool fill_list(lua_State *L, int index, int depth, json_t *out)
{
	bool fine = true;
	for (lua_Integer i = 1; fine && i <= (lua_Integer)lua_rawlen(L, index); i++, lua_pop(L, 1)) {
		lua_rawgeti(L, index, i);
		fine = json_array_append_new(out, value_of(L, lua_gettop(L), depth + 1)) == 0;
	}
	return fine;
}

/* Adds the fields of the table at `index` to `out`, without keys that are not valid UTF-8; false: out of memory. */
static bool fill_object(lua_State *L, int index, int depth, json_t *out)
{
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		lua_pushvalue(L, -2); /* a number among the keys must not be changed in place */
		const char *key = luaL_tolstring(L, -1, NULL);
		if (json_object_set_new(out, key, value_of(L, lua_gettop(L) - 2, depth + 1)) != 0 && bl_text_is_utf8(key))
			return false;
		lua_pop(L, 2);
	}
	return true;
}

static json_t *table_of(lua_State *L, int index, int depth)
{
	bool list = is_list(L, index);
	json_t *out = list ? json_array() : json_object();
	if (out && (list ? fill_list : fill_object)(L, index, depth, out))
		return out;
	json_decref(out);
	return NULL;
}

/* Values that JSON cannot represent (functions, NaN) become null.  NULL: no memory. */
static json_t *value_of(lua_State *L, int index, int depth)
{
	luaL_checkstack(L, 8, "tables nested too deeply for JSON");
	switch (lua_type(L, index)) {
	case LUA_TBOOLEAN: return json_boolean(lua_toboolean(L, index));
	case LUA_TNUMBER:
		if (lua_isinteger(L, index))
			return json_integer(lua_tointeger(L, index));
		return isfinite(lua_tonumber(L, index)) ? json_real(lua_tonumber(L, index)) : json_null();
	case LUA_TSTRING: {
		size_t n;
		const char *s = lua_tolstring(L, index, &n);
		json_t *text = json_stringn(s, n);
		if (text || (strlen(s) == n && bl_text_is_utf8(s)))
			return text;           /* NULL: no memory */
		bl_lua_push_clean(L, s, true); /* it is not UTF-8 */
		text = json_string(lua_tostring(L, -1));
		lua_pop(L, 1);
		return text ? text : json_null();
	}
	case LUA_TTABLE: return depth < DEPTH_MOST ? table_of(L, index, depth) : json_null();
	default: return json_null();
	}
}

int bl_lua_json_text(lua_State *L)
{
	luaL_checkany(L, 1);
	lua_settop(L, 1);
	json_t **v = new_holder(L);
	*v = value_of(L, 1, 0);
	char *text = !*v ? NULL : bl_json_text(*v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
	if (!text)
		return luaL_error(L, "no memory for a JSON text");
	lua_pushstring(L, text);
	free(text);
	return 1;
}
