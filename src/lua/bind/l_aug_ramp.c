/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_aug_ramp.c: aug.ramp(from, to, epochs), which may replace a number of an operator. */
#include "lua/bind/face.h"

#include <barlow/number.h>

#include <string.h>

#define TYPE "ramp"
#define FOUND "barlow.ramps" /* registry: the ramps of the call that is being read, by names of fields */

typedef struct ramp {
	double from[BL_LIST_MOST], to[BL_LIST_MOST];
	int n_from, n_to; /* 0: a number, not a list */
	int64_t epochs;
} ramp;

/* --- the object --- */

/* Reads the number or list of numbers at `arg`; returns the length of the list, 0 for a number. */
static int take_numbers(lua_State *L, int arg, double *v)
{
	if (!lua_istable(L, arg)) {
		v[0] = luaL_checknumber(L, arg);
		return 0;
	}
	int n = (int)lua_rawlen(L, arg);
	luaL_argcheck(L, n >= 1 && n <= BL_LIST_MOST, arg, "expected a number, or a list of 1 to 64 numbers");
	for (int i = 0; i < n; i++) {
		luaL_argcheck(L, lua_rawgeti(L, arg, i + 1) == LUA_TNUMBER, arg, "expected a number, or a list of numbers");
		v[i] = lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
	return n;
}

static int ramp_new(lua_State *L)
{
	ramp r = { .n_from = take_numbers(L, 1, r.from), .n_to = take_numbers(L, 2, r.to), .epochs = luaL_checkinteger(L, 3) };
	luaL_argcheck(L, r.epochs >= 2 && r.epochs <= BL_RAMP_MOST, 3, "expected 2 to 100000 epochs");
	*(ramp *)bl_lua_new(L, TYPE, sizeof r) = r;
	return 1;
}

static void push_numbers(lua_State *L, const double *v, int n)
{
	if (n == 0) {
		lua_pushnumber(L, v[0]);
		return;
	}
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_pushnumber(L, v[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

static void add_numbers(luaL_Buffer *b, const double *v, int n)
{
	char number[BL_NUMBER_TEXT];
	luaL_addstring(b, n ? "{" : "");
	for (int i = 0; i < (n ? n : 1); i++) {
		luaL_addstring(b, i ? ", " : "");
		luaL_addstring(b, bl_number_text(v[i], false, number, sizeof number));
		luaL_addstring(b, strpbrk(number, ".en") ? "" : ".0");
	}
	luaL_addstring(b, n ? "}" : "");
}

static int ramp_tostring(lua_State *L)
{
	const ramp *r = bl_lua_check(L, 1, TYPE);
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	luaL_addstring(&b, "aug.ramp(");
	add_numbers(&b, r->from, r->n_from);
	luaL_addstring(&b, ", ");
	add_numbers(&b, r->to, r->n_to);
	lua_pushfstring(L, ", %I)", (LUAI_UACINT)r->epochs);
	luaL_addvalue(&b);
	luaL_pushresult(&b);
	return 1;
}

static bool same(const double *a, int n, const double *b, int m)
{
	return n == m && memcmp(a, b, (size_t)(n ? n : 1) * sizeof *a) == 0;
}

static int ramp_equal(lua_State *L)
{
	const ramp *r = bl_lua_test(L, 1, TYPE), *s = bl_lua_test(L, 2, TYPE);
	lua_pushboolean(L, r && s && r->epochs == s->epochs && same(r->from, r->n_from, s->from, s->n_from) &&
	                           same(r->to, r->n_to, s->to, s->n_to));
	return 1;
}

/* --- ramps among settings --- */

/* Returns the field of that key or, if it is NULL, of the argument at that position; NULL if there is none. */
static const bl_field *find(const bl_field *fields, const char *key, lua_Integer position)
{
	for (const bl_field *f = fields; f->name; f++)
		if (key ? strcmp(f->name, key) == 0 : position > 0 && f->position == position)
			return f;
	return NULL;
}

/* Stores the ramp on top as the ramp of the field, and replaces it by its first value. */
static void note(lua_State *L, const bl_field *f)
{
	const ramp *r = lua_touserdata(L, -1);
	const char *what = lua_tostring(L, lua_upvalueindex(BL_LUA_UP_NAME));
	if (f->kind >= BL_FIELD_TEXT || f->kind == BL_FIELD_BOOL || f->kind == BL_FIELD_CHOICE)
		luaL_error(L, "%s: '%s' is no number, so it cannot be a ramp", what, f->name);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, FOUND);
	lua_pushvalue(L, -2);
	lua_setfield(L, -2, f->name);
	lua_pop(L, 2);
	push_numbers(L, r->from, r->n_from);
}

/* Replaces the table at `index` by a copy without ramps. */
static void replace_in_table(lua_State *L, int index, const bl_field *fields)
{
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, index);) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
		const bl_field *f = bl_lua_test(L, -1, TYPE) ? find(fields, key, key ? 0 : lua_tointeger(L, -2)) : NULL;
		if (f)
			note(L, f);
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -4);
	}
	lua_replace(L, index);
}

/* Replaces the ramps among the arguments, by position and by name, by their first values. */
static void replace_ramps(lua_State *L, const bl_field *fields)
{
	int n = lua_gettop(L);
	luaL_checkstack(L, 8, "arguments");
	for (int i = 1; i <= n; i++) {
		bool object = lua_getmetatable(L, i);
		lua_settop(L, n);
		if (bl_lua_test(L, i, TYPE) && find(fields, NULL, i)) {
			lua_pushvalue(L, i);
			note(L, find(fields, NULL, i));
			lua_replace(L, i);
		} else if (i == n && lua_istable(L, i) && !object) { /* settings by name */
			replace_in_table(L, i, fields);
		}
	}
}

/* Describes a ramp of the field in *out; raises an error that begins with `what` if its last values are out of range. */
static void read_ramp(lua_State *L, const char *what, const bl_field *f, const ramp *r, bl_lua_ramp *out)
{
	_Alignas(16) unsigned char last[4096] = { 0 };
	if (bl_field_set(f, last, r->to, r->n_to ? r->n_to : 1) < 0)
		luaL_error(L, "%s: %s", what, bl_error());
	*out = (bl_lua_ramp){ .field = f, .epochs = r->epochs };
	out->n = bl_field_get(f, last, out->to);
}

/* Moves the stored ramps to `out`, and puts them into the object's source. */
static void collect(lua_State *L, const bl_field *fields, bl_lua_ramps *out)
{
	lua_getfield(L, LUA_REGISTRYINDEX, FOUND);
	for (const bl_field *f = fields; f->name && out->n < BL_LUA_RAMPS_MOST; f++) {
		lua_getfield(L, -1, f->name);
		const ramp *r = bl_lua_test(L, -1, TYPE);
		if (r) {
			read_ramp(L, lua_tostring(L, lua_upvalueindex(BL_LUA_UP_NAME)), f, r, &out->ramp[out->n++]);
			lua_pushvalue(L, -1);
			lua_setfield(L, 1, f->name);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

void bl_lua_take_ramps(lua_State *L, void *out, bl_lua_ramps *ramps)
{
	const bl_field *fields = bl_lua_running(L)->fields;
	ramps->n = 0;
	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, FOUND);
	replace_ramps(L, fields);
	bl_lua_take(L, out);
	collect(L, fields, ramps);
}

int bl_lua_set_ramps(bl_aug *a, const bl_lua_ramps *ramps)
{
	for (int i = 0; i < ramps->n; i++)
		if (bl_aug_ramp(a, ramps->ramp[i].field->name, ramps->ramp[i].to, ramps->ramp[i].n, ramps->ramp[i].epochs) < 0)
			return -1;
	return 0;
}

bool bl_lua_ramp_of(lua_State *L, int index, const char *what, const bl_field *f, bl_lua_ramp *out)
{
	const ramp *r = bl_lua_test(L, index, TYPE);
	if (!r)
		return false;
	read_ramp(L, what, f, r, out);
	push_numbers(L, r->from, r->n_from);
	lua_replace(L, index);
	return true;
}

static const luaL_Reg meta[] = { { "__tostring", ramp_tostring }, { "__eq", ramp_equal }, { NULL, NULL } };

const bl_lua_function bl_lua_aug_ramp[] = {
	BL_LUA("ramp", ramp_new, "(from: number|table, to: number|table, epochs: integer): ramp",
	       "Replaces a number of an operator, also a size: goes from the first value in epoch 1 to the second in epoch `epochs`, then stays.",
	       "aug.compose{aug.crop(aug.ramp(14, 28, 10)), aug.jitter{brightness = aug.ramp(0, .8, 10)}}"),
	BL_LUA_END,
};

void bl_lua_define_ramp(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ .name = TYPE, .self = "ramp", .meta = meta });
}
