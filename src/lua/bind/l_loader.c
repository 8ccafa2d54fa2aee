/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_loader.c: data.loader{...}: batches of views, for training loops written in Lua.
 *
 *     for step, ya, yb in data.loader{data = ds, views = T, batch = 256, epochs = 2} do ... end
 *     for step, ya, yb, labels in data.loader{data = ds, labels = true} do ... end
 */
#include "lua/bind/face.h"

#define TYPE "loader"

typedef struct loader {
	bl_loader *l;
	bl_dataset *data; /* borrowed: the loader has a reference; NULL: labels are not requested */
	int views, batch;
	int64_t step, steps;
} loader;

typedef struct args {
	bl_dataset **data;
	int batch, workers;
	double epochs;
	int64_t seed, steps;
	bool labels;
} args;

static const bl_field fields[] = {
	BL_FIELD(OBJECT, args, data, BL_REQUIRED, .type = BL_T_DATASET,
	         .help = "the images; their mean and deviation normalise the views, unless the pipelines do"),
	BL_FIELD_UNREAD("views", BL_LUA_VIEWS, BL_OTHERWISE("aug.paper at the images' size"),
	                .help = "a pipeline for each view, or one for two views"),
	BL_FIELD(INT, args, batch, BL_DEFAULT(256), BL_WITHIN(1, 1e9), .help = "images in a batch"),
	BL_FIELD(DOUBLE, args, epochs, BL_DEFAULT(1), BL_WITHIN(1e-9, 1e9), .help = "length in epochs; may be a fraction"),
	BL_FIELD(INT64, args, steps, BL_OTHERWISE("computed from epochs"), BL_WITHIN(1, 1e15),
	         .help = "length in batches, instead of epochs"),
	BL_FIELD(INT64, args, seed, BL_DEFAULT(0), .help = "seed of the order of images and of the views"),
	BL_FIELD(BOOL, args, labels, BL_DEFAULT(false),
	         .help = "returns the images' labels after the views, a tensor (N) of numbers from 1"),
	BL_FIELD(INT, args, workers, BL_DEFAULT(0), BL_WITHIN(0, 256), .help = "threads that make views; 0: one per core"),
	BL_FIELD_END,
};

static int loader_new(lua_State *L)
{
	args a = { 0 };
	bl_lua_take(L, &a);
	if (a.labels && bl_dataset_classes(*a.data) == 0)
		return luaL_error(L, "data.loader: labels = true, but %s has no labels", bl_dataset_name(*a.data));
	bl_lua_views v = bl_lua_views_of(L, 1, "data.loader", *a.data);
	loader *l = bl_lua_new(L, TYPE, sizeof *l);
	bl_loader_config c = {
		.data = *a.data,
		.n_views = v.n,
		.batch_aug = v.batch_aug,
		.batch = a.batch,
		.seed = (uint64_t)a.seed,
		.threads = a.workers,
	};
	for (int i = 0; i < v.n; i++)
		c.views[i] = v.view[i];
	l->l = bl_loader_new(&c);
	l->views = v.n;
	l->batch = a.batch;
	l->data = a.labels ? *a.data : NULL;
	if (!l->l)
		return bl_lua_fail(L);
	l->steps = a.steps ? a.steps : (int64_t)(a.epochs * (double)bl_loader_steps(l->l) + .5);
	return 1;
}

/* The iterator returns the step (from 1), a batch of each view, and the labels (from 1) if requested; nil after the last step. */
static int l_call(lua_State *L)
{
	loader *l = bl_lua_check(L, 1, TYPE);
	bl_tensor *out[BL_VIEWS_MOST + 1];
	int n = l->views;
	if (!l->l || l->step >= l->steps)
		return lua_pushnil(L), 1;
	int64_t *rows = l->data ? lua_newuserdatauv(L, sizeof *rows * (size_t)l->batch, 0) : NULL;
	luaL_checkstack(L, n + 2, "views");
	if (bl_loader_next(l->l, out, rows) < 0)
		return bl_lua_fail(L);
	if (rows) {
		bl_tensor *labels = out[n++] = bl_tensor_new(1, (int64_t[]){ l->batch });
		for (int i = 0; labels && i < l->batch; i++)
			bl_tensor_data(labels)[i] = (float)(bl_dataset_label(l->data, rows[i]) + 1);
	}
	lua_pushinteger(L, ++l->step);
	return 1 + bl_lua_give_tensors(L, n, out);
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

const bl_lua_function bl_lua_loader[] = {
	BL_LUA("loader", loader_new, ": loader", "Iterates over step, a normalised batch of each view, and the labels on request.",
	       "for step, a, b in data.loader{data = data.shapes{n = 8, size = 8}, batch = 4} do print(step, a:size(1)) end",
	       .fields = fields),
	BL_LUA_END,
};

void bl_lua_define_loader(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ .name = TYPE, .self = "loader", .meta = meta });
}
