/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_tune.c: choices of convolution algorithms as Lua tables, and their measurement; see lua/tune.lua. */
#include "lua/bind/face.h"

#include <barlow/tuned.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* --- choices as a table: {["64x32x32-128:3x3s2p1"] = "gather", ...} --- */

static int choices_gc(lua_State *L)
{
	bl_choices **t = lua_touserdata(L, 1);
	bl_choices_free(*t);
	*t = NULL;
	return 0;
}

/* Pushes a userdata that owns the new choices, so that they are freed if an error is raised. */
static bl_choices *new_choices(lua_State *L)
{
	bl_choices **t = lua_newuserdatauv(L, sizeof *t, 0);
	*t = NULL;
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, choices_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	*t = bl_choices_new();
	if (!*t)
		bl_lua_fail(L);
	return *t;
}

/* Adds the pair on top of the stack, a shape and the name of an algorithm, to t. */
static void add_choice(lua_State *L, const char *what, bl_choices *t)
{
	bl_choice c;
	if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "%s: 'convolution' must have names of algorithms by shape, got %s", what,
		           bl_lua_describe(L, lua_gettop(L)));
	if (bl_conv_key_parse(lua_tostring(L, -2), &c.key) < 0 || bl_choice_parse(lua_tostring(L, -1), &c) < 0)
		luaL_error(L, "%s: convolution['%s']: %s", what, lua_tostring(L, -2), bl_error());
	if (bl_choices_set(t, &c) < 0)
		bl_lua_fail(L);
}

const bl_choices *bl_lua_choices_of(lua_State *L, int table, const char *what)
{
	if (lua_getfield(L, table, "convolution") == LUA_TNIL)
		return NULL;
	if (!lua_istable(L, -1))
		bl_lua_bad(L, what, "convolution", "a table of algorithms by shape", -1);
	bl_choices *t = new_choices(L);
	lua_insert(L, -2);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		add_choice(L, what, t);
	lua_pop(L, 1);
	return t;
}

void bl_lua_push_choices(lua_State *L, const bl_choices *t)
{
	char key[BL_CONV_KEY_TEXT], text[BL_CHOICE_TEXT];
	int n = bl_choices_count(t);
	if (n == 0) {
		lua_pushnil(L);
		return;
	}
	lua_createtable(L, 0, n);
	for (int i = 0; i < n; i++) {
		const bl_choice *c = bl_choices_at(t, i);
		lua_pushstring(L, bl_choice_text(c, text));
		lua_setfield(L, -2, bl_conv_key_text(&c->key, key));
	}
}

/* --- shapes, in the order in which a network uses them --- */

static int push_shapes(lua_State *L, const bl_choices *t)
{
	char key[BL_CONV_KEY_TEXT];
	int n = bl_choices_count(t);
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_pushstring(L, bl_conv_key_text(&bl_choices_at(t, i)->key, key));
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* (trainer): the shapes of its convolutions */
int bl_lua_tune_trainer(lua_State *L)
{
	return push_shapes(L, bl_trainer_choices(bl_lua_trainer(L, 1)));
}

/* (module, channels, height, width): the shapes of its convolutions for such images */
int bl_lua_tune_module(lua_State *L)
{
	bl_module *m = bl_lua_module(L, 1);
	int64_t c = luaL_checkinteger(L, 2), h = luaL_checkinteger(L, 3), w = luaL_checkinteger(L, 4);
	bl_choices *t = new_choices(L);
	bl_lua_enter(L);
	bl_choices_record(t);
	int64_t width = bl_module_features(m, c, h, w);
	bl_choices_record(NULL);
	return width < 0 ? bl_lua_fail(L) : push_shapes(L, t);
}

/* (trainer): chooses its algorithms again from what has been tuned by now, if the trainer has not started */
int bl_lua_tune_renew(lua_State *L)
{
	bl_trainer_choose_again(bl_lua_trainer(L, 1));
	return 0;
}

/* --- measuring --- */

/* {gather = ms, ..., best = "gather"} */
static void push_direction(lua_State *L, const bl_tuning *r, int d)
{
	const char *const *names = bl_conv_algorithms();
	lua_createtable(L, 0, BL_CONV_ALGORITHMS);
	for (int a = 1; names[a]; a++) {
		if (r->ms[d][a] <= 0)
			continue;
		lua_pushnumber(L, r->ms[d][a]);
		lua_setfield(L, -2, names[a]);
	}
	lua_pushstring(L, names[r->best.by[d]]);
	lua_setfield(L, -2, "best");
}

/* (shape, images): measures {forward = {...}, ["data-gradient"] = {...}, ...}, and stores the best in the file of choices */
int bl_lua_tune_measure(lua_State *L)
{
	bl_tuning r;
	bl_conv_key key;
	int64_t n = luaL_checkinteger(L, 2);
	luaL_argcheck(L, n >= 1, 2, "expected at least one image");
	if (bl_conv_key_parse(luaL_checkstring(L, 1), &key) < 0 || bl_conv_tune(&key, n, &r) < 0 || bl_tuned_save(&r.best) < 0)
		return bl_lua_fail(L);
	lua_createtable(L, 0, BL_CONV_DIRECTIONS);
	for (int d = 0; d < BL_CONV_DIRECTIONS; d++) {
		push_direction(L, &r, d);
		lua_setfield(L, -2, bl_conv_directions()[d]);
	}
	return 1;
}

static int push_names(lua_State *L, const char *const *names)
{
	lua_newtable(L);
	for (int i = 0; names[i]; i++) {
		lua_pushstring(L, names[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* (): the names of directions and of algorithms, without "auto" */
int bl_lua_tune_names(lua_State *L)
{
	return push_names(L, bl_conv_directions()) + push_names(L, bl_conv_algorithms() + 1);
}

/* (): the path of the file of choices */
int bl_lua_tune_path(lua_State *L)
{
	char *path = bl_tuned_path();
	if (!path)
		return bl_lua_fail(L);
	lua_pushstring(L, path);
	free(path);
	return 1;
}

/* (): reads the file of choices, which apply from now on */
int bl_lua_tune_load(lua_State *L)
{
	return bl_tuned_load() < 0 ? bl_lua_fail(L) : 0;
}

void bl_lua_tuned(void)
{
	static atomic_flag done = ATOMIC_FLAG_INIT;
	if (atomic_flag_test_and_set(&done))
		return;
	if (bl_conv_environment() < 0)
		fprintf(stderr, "barlow: %s; it is ignored\n", bl_error());
	if (bl_tuned_load() < 0)
		fprintf(stderr, "barlow: %s; the file is ignored (barlow tune measures anew, barlow tune --forget removes it)\n",
		        bl_error());
}
