/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_data_parts.c: data sets made of data sets.  Recipes contain the calls that made them, with all settings. */
#include "lua/bind/face.h"

typedef struct per_class {
	int64_t per_class, seed;
} per_class;

static const bl_field few_fields[] = {
	BL_FIELD(INT64, per_class, per_class, BL_REQUIRED, BL_WITHIN(1, 1e9), .position = 1,
	         .help = "number of images of each class; it is an error if a class has fewer"),
	BL_FIELD(INT64, per_class, seed, BL_DEFAULT(0),
	         .help = "seed of the draw; of two draws with the same seed, the smaller one is a part of the larger one"),
	BL_FIELD_END,
};

static int d_few(lua_State *L)
{
	per_class s = { 0 };
	bl_dataset *d = bl_lua_dataset(L, 1);
	bl_lua_take_method(L, &s);
	return bl_lua_give_dataset(L, bl_dataset_few(d, s.per_class, (uint64_t)s.seed));
}

static const bl_field balance_fields[] = {
	BL_FIELD(INT64, per_class, per_class, BL_OTHERWISE("as many as the largest class has"), BL_WITHIN(1, 1e9), .position = 1,
	         .help = "number of images of each class; if a class has fewer, its images are repeated"),
	BL_FIELD(INT64, per_class, seed, BL_DEFAULT(0),
	         .help = "seed of the draw, which chooses the images that are left out or repeated once more than others"),
	BL_FIELD_END,
};

static int d_balance(lua_State *L)
{
	per_class s = { 0 };
	bl_dataset *d = bl_lua_dataset(L, 1);
	bl_lua_take_method(L, &s);
	return bl_lua_give_dataset(L, bl_dataset_balance(d, s.per_class, (uint64_t)s.seed));
}

/* concat(other, ...) */
static int d_concat(lua_State *L)
{
	int n = lua_gettop(L);
	if (n < 2)
		return luaL_error(L, "concat: expected another data set");
	bl_dataset **parts = lua_newuserdatauv(L, sizeof(*parts) * (size_t)n, 0);
	for (int i = 0; i < n; i++)
		parts[i] = bl_lua_dataset(L, i + 1);
	return bl_lua_give_dataset(L, bl_dataset_concat(parts, n));
}

const bl_lua_function bl_lua_data_parts[] = {
	BL_LUA("few", d_few, ": dataset", "A given number of images of each class, drawn by a seed.",
	       "data.shapes{n = 200, size = 8}:few{per_class = 3, seed = 1}", .fields = few_fields),
	BL_LUA("balance", d_balance, ": dataset",
	       "The same number of images of each class: those of small classes are repeated, those of large ones left out.",
	       "data.shapes{n = 50, size = 8}:balance()", .fields = balance_fields),
	BL_LUA("concat", d_concat, "(other: dataset, ...: dataset): dataset",
	       "Several sets as one; classes of the same name are merged. It has labels if all of the sets have labels.",
	       "data.shapes{n = 50, size = 8}:concat(data.shapes{n = 9, size = 8, seed = 1})"),
	BL_LUA("map", bl_lua_make_map, ": dataset",
	       "Images changed by a Lua function, for training and evaluation; aug.func changes views only.",
	       "data.shapes{n = 50, size = 8}:map(function(img) return 1 - img end)", .fields = bl_lua_map_fields),
	BL_LUA_END,
};
