/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_loader.c: data.loader{...}: batches of two views, for a training loop of one's own.
 *
 *     for step, ya, yb in data.loader{data = ds, views = T, batch = 256, epochs = 2} do ... end
 */
#include "lua/bind/face.h"

#define TYPE "loader"

typedef struct loader {
	bl_loader *l;
	int64_t step, steps;
} loader;

typedef struct args {
	bl_dataset **data;
	int batch, workers;
	double epochs;
	int64_t seed, steps;
} args;

static const bl_key keys[] = {
	BL_KEY(OBJECT, args, data, .type = BL_T_DATASET),
	BL_KEY_UNREAD(views),
	BL_KEY(INT, args, batch),
	BL_KEY(DOUBLE, args, epochs, .min = 1e-9, .max = 1e9),
	BL_KEY(INT64, args, steps, .min = 1, .max = 1e15),
	BL_KEY(INT64, args, seed),
	BL_KEY(INT, args, workers, .min = 0, .max = 256),
	BL_KEY_END,
};

static int loader_new(lua_State *L)
{
	args a = { .batch = 256, .epochs = 1 };
	bl_lua_arguments(L, "data.loader", keys, &a);
	if (!a.data)
		return bl_lua_missing(L, "data.loader", "data", "a dataset");
	bl_lua_views v = bl_lua_views_of(L, 1, "data.loader", *a.data);
	loader *l = bl_lua_new(L, TYPE, sizeof *l);
	l->l = bl_loader_new(&(bl_loader_config){
		.data = *a.data, .views = { v.first, v.second }, .n_views = 2, .batch = a.batch, .seed = (uint64_t)a.seed,
		.threads = a.workers,
	});
	if (!l->l)
		return bl_lua_fail(L);
	l->steps = a.steps ? a.steps : (int64_t)(a.epochs * (double)bl_loader_steps(l->l) + .5);
	return 1;
}

/* The iterator: step (from 1), first views, second views; nil after the last. */
static int l_call(lua_State *L)
{
	loader *l = bl_lua_check(L, 1, TYPE);
	bl_tensor *views[BL_VIEWS_MOST];
	if (!l->l || l->step >= l->steps)
		return lua_pushnil(L), 1;
	if (bl_loader_next(l->l, views, NULL) < 0)
		return bl_lua_fail(L);
	lua_pushinteger(L, ++l->step);
	bl_lua_give_tensor(L, views[0]);
	bl_lua_give_tensor(L, views[1]);
	return 3;
}

static int l_gc(lua_State *L)
{
	loader *l = bl_lua_check(L, 1, TYPE);
	if (l->l)
		bl_loader_free(l->l);
	l->l = NULL;
	return 0;
}

static int l_len(lua_State *L)
{
	loader *l = bl_lua_check(L, 1, TYPE);
	lua_pushinteger(L, l->steps);
	return 1;
}

static const luaL_Reg meta[] = { { "__gc", l_gc }, { "__call", l_call }, { "__len", l_len }, { NULL, NULL } };

void bl_lua_define_loader(lua_State *L)
{
	bl_lua_define(L, &(bl_lua_class){ .type = TYPE, .meta = meta });
	bl_lua_constructor(L, "data.loader", loader_new);
}
