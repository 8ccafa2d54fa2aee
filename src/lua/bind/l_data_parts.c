/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_data_parts.c: data sets made of data sets.  Recipes contain how, with every setting. */
#include "lua/bind/face.h"

typedef struct per_class {
	int64_t per_class, seed;
} per_class;

static const bl_field few_fields[] = {
	BL_FIELD(INT64, per_class, per_class, BL_REQUIRED, BL_WITHIN(1, 1e9), .position = 1,
	         .help = "images of each class; a class that has fewer is an error"),
	BL_FIELD(INT64, per_class, seed, BL_DEFAULT(0), .help = "which of them; of one seed, fewer are a part of more"),
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
	         .help = "images of each class; those of a class that has fewer come several times"),
	BL_FIELD(INT64, per_class, seed, BL_DEFAULT(0), .help = "which images are left out, or come once more than others"),
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
	BL_LUA("few", d_few, ": dataset", "So many images of each class, drawn by seed.",
	       "data.shapes{n = 200, size = 8}:few{per_class = 3, seed = 1}", .fields = few_fields),
	BL_LUA("balance", d_balance, ": dataset", "As many images of each class: small classes several times, large ones in part.",
	       "data.shapes{n = 50, size = 8}:balance()", .fields = balance_fields),
	BL_LUA("concat", d_concat, "(other: dataset, ...: dataset): dataset",
	       "Several sets as one; classes of one name are one. It has labels where all of them have.",
	       "data.shapes{n = 50, size = 8}:concat(data.shapes{n = 9, size = 8, seed = 1})"),
	BL_LUA("map", bl_lua_make_map, ": dataset",
	       "Images as a Lua function changes them, in training and evaluation alike; aug.func changes views only.",
	       "data.shapes{n = 50, size = 8}:map(function(img) return 1 - img end)", .fields = bl_lua_map_fields),
	BL_LUA_END,
};
