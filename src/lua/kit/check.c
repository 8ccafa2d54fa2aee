/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check.c: constructor tables, shapes and dimensions as Lua gives them. */
#include "lua/kit/kit.h"

#include <stdio.h>
#include <string.h>

int bl_lua_bad(lua_State *L, const char *what, const char *key, const char *expected, int index)
{
	const char *got = bl_lua_describe(L, lua_absindex(L, index));
	return luaL_error(L, "%s: '%s' must be %s, got %s", what, key, expected, got);
}

int bl_lua_missing(lua_State *L, const char *what, const char *key, const char *expected)
{
	return luaL_error(L, "%s: '%s' is missing: give %s", what, key, expected);
}

static void push_names(lua_State *L, const char *const *names)
{
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	for (int i = 0; names[i]; i++) {
		luaL_addstring(&b, i ? ", " : "");
		luaL_addstring(&b, names[i]);
	}
	luaL_pushresult(&b);
}

int bl_lua_unknown(lua_State *L, const char *what, const char *thing, const char *word, const char *const *known)
{
	const char *near = bl_nearest(word, known);
	if (near)
		return luaL_error(L, "%s: unknown %s '%s' (did you mean '%s'?)", what, thing, word, near);
	push_names(L, known);
	return luaL_error(L, "%s: unknown %s '%s' (known: %s)", what, thing, word, lua_tostring(L, -1));
}

static int unknown_key(lua_State *L, const char *what, const bl_key *keys)
{
	const char *names[64];
	int n = 0, positions = 0;
	for (const bl_key *k = keys; k->name && n < 63; k++) {
		names[n++] = k->name;
		positions += k->position > 0;
	}
	names[n] = NULL;
	if (lua_type(L, -2) == LUA_TSTRING)
		return bl_lua_unknown(L, what, "key", lua_tostring(L, -2), names);
	lua_pushvalue(L, -2);
	return luaL_error(L, "%s: argument %s is one too many, it takes %d without a name", what,
	                  luaL_tolstring(L, -1, NULL), positions);
}

static const bl_key *find_key(lua_State *L, const bl_key *keys)
{
	int position = lua_isinteger(L, -2) ? (int)lua_tointeger(L, -2) : 0;
	const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
	for (const bl_key *k = keys; k->name; k++)
		if (position ? k->position == position : strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static void check_range(lua_State *L, const char *what, const bl_key *k, double v)
{
	if (k->min == k->max || (v >= k->min && v <= k->max))
		return;
	char text[96];
	if (k->max < 1e9)
		snprintf(text, sizeof text, "between %g and %g", k->min, k->max);
	else
		snprintf(text, sizeof text, "at least %g", k->min);
	bl_lua_bad(L, what, k->name, text, -1);
}

static double number(lua_State *L, const char *what, const bl_key *k)
{
	if (lua_type(L, -1) != LUA_TNUMBER)
		bl_lua_bad(L, what, k->name, "a number", -1);
	double v = lua_tonumber(L, -1);
	check_range(L, what, k, v);
	return v;
}

static lua_Integer integer(lua_State *L, const char *what, const bl_key *k)
{
	int ok = 0;
	lua_Integer v = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &ok) : 0;
	if (!ok)
		bl_lua_bad(L, what, k->name, "an integer", -1);
	if (k->kind == BL_KEY_INT && (v < INT32_MIN || v > INT32_MAX))
		bl_lua_bad(L, what, k->name, "an integer of 32 bits", -1);
	check_range(L, what, k, (double)v);
	return v;
}

static int choice(lua_State *L, const char *what, const bl_key *k)
{
	if (lua_type(L, -1) != LUA_TSTRING)
		bl_lua_bad(L, what, k->name, "a string", -1);
	for (int i = 0; k->choices[i]; i++)
		if (strcmp(k->choices[i], lua_tostring(L, -1)) == 0)
			return i;
	push_names(L, k->choices);
	const char *names = lua_pushfstring(L, "one of %s", lua_tostring(L, -1));
	return bl_lua_bad(L, what, k->name, names, -3);
}

static void floats(lua_State *L, const char *what, const bl_key *k, float *out)
{
	bool one = lua_type(L, -1) == LUA_TNUMBER;
	if (!one && !lua_istable(L, -1))
		bl_lua_bad(L, what, k->name, "a number or a list of numbers", -1);
	int n = one ? k->count : (int)lua_rawlen(L, -1);
	if (n < 1 || n > k->count)
		luaL_error(L, "%s: '%s' has %d numbers, at most %d fit", what, k->name, n, k->count);
	for (int i = 0; i < k->count; i++) {
		if (one)
			lua_pushvalue(L, -1);
		else
			lua_rawgeti(L, -1, i < n ? i + 1 : n); /* a short list repeats its last */
		out[i] = (float)number(L, what, k);
		lua_pop(L, 1);
	}
}

static void list(lua_State *L, const char *what, const bl_key *k, bl_list *out)
{
	const int most = (int)(sizeof out->v / sizeof out->v[0]);
	if (lua_type(L, -1) == LUA_TNUMBER) {
		out->n = 1;
		out->v[0] = number(L, what, k);
		return;
	}
	if (!lua_istable(L, -1))
		bl_lua_bad(L, what, k->name, "a list of numbers", -1);
	if (lua_rawlen(L, -1) > (lua_Unsigned)most)
		luaL_error(L, "%s: '%s' is longer than %d", what, k->name, most);
	out->n = (int)lua_rawlen(L, -1);
	for (int i = 0; i < out->n; i++) {
		lua_rawgeti(L, -1, i + 1);
		out->v[i] = number(L, what, k);
		lua_pop(L, 1);
	}
}

/* The value on top into its field. */
static void store(lua_State *L, const char *what, const bl_key *k, void *field)
{
	switch (k->kind) {
	case BL_KEY_INT: *(int *)field = (int)integer(L, what, k); break;
	case BL_KEY_INT64: *(int64_t *)field = integer(L, what, k); break;
	case BL_KEY_FLOAT: *(float *)field = (float)number(L, what, k); break;
	case BL_KEY_DOUBLE: *(double *)field = number(L, what, k); break;
	case BL_KEY_CHOICE: *(int *)field = choice(L, what, k); break;
	case BL_KEY_FLOATS: floats(L, what, k, field); break;
	case BL_KEY_LIST: list(L, what, k, field); break;
	case BL_KEY_ANY: break;
	case BL_KEY_BOOL:
		if (!lua_isboolean(L, -1))
			bl_lua_bad(L, what, k->name, "true or false", -1);
		*(bool *)field = lua_toboolean(L, -1);
		break;
	case BL_KEY_TEXT:
		if (lua_type(L, -1) != LUA_TSTRING)
			bl_lua_bad(L, what, k->name, "a string", -1);
		*(const char **)field = lua_tostring(L, -1);
		break;
	case BL_KEY_OBJECT:
		if (!bl_lua_test(L, -1, k->type))
			bl_lua_bad(L, what, k->name, lua_pushfstring(L, "a %s", k->type), -2);
		*(void **)field = lua_touserdata(L, -1);
		break;
	}
}

void bl_lua_fields(lua_State *L, int index, const char *what, const bl_key *keys, void *out)
{
	index = lua_absindex(L, index);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		const bl_key *k = find_key(L, keys);
		if (!k)
			unknown_key(L, what, keys);
		else
			store(L, what, k, (char *)out + k->offset);
	}
}

/* Positional arguments and a last table of named ones, as one table at 1. */
static void gather(lua_State *L)
{
	int n = lua_gettop(L);
	lua_createtable(L, n, 0);
	for (int i = 1; i <= n; i++) {
		if (i == n && i > 1 && lua_istable(L, i)) {
			for (lua_pushnil(L); lua_next(L, i);) {
				lua_pushvalue(L, -2);
				lua_insert(L, -2);
				lua_rawset(L, n + 1);
			}
		} else if (!lua_isnil(L, i)) {
			lua_pushvalue(L, i);
			lua_rawseti(L, n + 1, i);
		}
	}
	lua_insert(L, 1);
}

void bl_lua_arguments(lua_State *L, const char *what, const bl_key *keys, void *out)
{
	if (!(lua_istable(L, 1) && lua_gettop(L) == 1))
		gather(L);
	lua_settop(L, 1);
	bl_lua_fields(L, 1, what, keys, out);
}

int bl_lua_dim(lua_State *L, int arg, const bl_tensor *t)
{
	lua_Integer d = luaL_checkinteger(L, arg);
	int n = bl_tensor_ndim(t);
	char buf[BL_SHAPE_TEXT];
	if (d >= 1 && d <= n)
		return (int)d - 1;
	if (d < 0 && d >= -n)
		return (int)d + n;
	return luaL_argerror(L, arg, lua_pushfstring(L, "no dimension %I in %s (1 is the first, -1 the last)", d,
	                                              bl_tensor_text(t, buf)));
}

int bl_lua_shape(lua_State *L, int first, int64_t shape[BL_MAXDIM])
{
	bool table = lua_istable(L, first);
	int n = table ? (int)lua_rawlen(L, first) : lua_gettop(L) - first + 1;
	luaL_argcheck(L, n <= BL_MAXDIM, first, "too many dimensions");
	for (int i = 0; i < n; i++) {
		if (table)
			lua_rawgeti(L, first, i + 1);
		int ok, at = table ? -1 : first + i;
		shape[i] = lua_type(L, at) == LUA_TNUMBER ? lua_tointegerx(L, at, &ok) : (ok = 0);
		if (!ok)
			luaL_argerror(L, table ? first : at, lua_pushfstring(L, "sizes are integers, not %s",
			                                                     bl_lua_describe(L, lua_absindex(L, at))));
		if (table)
			lua_pop(L, 1);
	}
	return n < 0 ? 0 : n;
}

/* The elements of a vector, in a userdata that is pushed. */
static int64_t *tensor_integers(lua_State *L, const bl_tensor *t, const char *what, int64_t *n)
{
	char buf[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(t) != 1)
		luaL_error(L, "%s: expected a list or a tensor of one dimension, got %s", what, bl_tensor_text(t, buf));
	*n = bl_tensor_count(t);
	int64_t *v = lua_newuserdatauv(L, sizeof *v * (size_t)(*n + 1), 0);
	float *numbers = lua_newuserdatauv(L, sizeof *numbers * (size_t)(*n + 1), 0);
	bl_tensor_read(t, numbers);
	for (int64_t i = 0; i < *n; i++) {
		if (!(numbers[i] > -16777217.f && numbers[i] < 16777217.f) || numbers[i] != (float)(int64_t)numbers[i])
			luaL_error(L, "%s: item %I must be an integer, got %f", what, (lua_Integer)i + 1,
				   (lua_Number)numbers[i]);
		v[i] = (int64_t)numbers[i];
	}
	lua_pop(L, 1);
	return v;
}

int64_t *bl_lua_integers(lua_State *L, int index, const char *what, int64_t *n)
{
	index = lua_absindex(L, index);
	bl_tensor **t = bl_lua_test(L, index, BL_T_TENSOR);
	if (t)
		return tensor_integers(L, *t, what, n);
	if (!lua_istable(L, index))
		luaL_error(L, "%s: expected a list or a tensor of integers, got %s", what, bl_lua_describe(L, index));
	*n = (int64_t)lua_rawlen(L, index);
	int64_t *v = lua_newuserdatauv(L, sizeof *v * (size_t)(*n + 1), 0);
	for (int64_t i = 0; i < *n; i++) {
		int ok;
		lua_rawgeti(L, index, i + 1);
		v[i] = lua_tointegerx(L, -1, &ok);
		if (!ok)
			luaL_error(L, "%s: item %I must be an integer, got %s", what, (lua_Integer)i + 1,
				   bl_lua_describe(L, -1));
		lua_pop(L, 1);
	}
	return v;
}
