/* SPDX-License-Identifier: GPL-3.0-or-later */
/* views.c: the views that a trainer or a loader makes of an image, normalised. */
#include "lua/bind/face.h"

#include <string.h>

enum { OPS_MAX = 64 };

static bl_aug *find_normalize(const bl_pipeline *p)
{
	for (int i = 0; i < bl_pipeline_length(p); i++)
		if (strcmp(bl_aug_name(bl_pipeline_op(p, i)), "normalize") == 0)
			return bl_pipeline_op(p, i);
	return NULL;
}

/* Sets the operator's field to n floats. */
static int set(bl_aug *a, const char *field, const float *v, int n)
{
	double values[BL_LIST_MOST];
	for (int i = 0; i < n; i++)
		values[i] = (double)v[i];
	return bl_aug_set(a, field, values, n);
}

/* Returns a copy of p that ends with a normalisation by the data's statistics; NULL with bl_error. */
static bl_pipeline *with_statistics(const bl_pipeline *p, const bl_lua_views *v, int channels)
{
	bl_aug *ops[OPS_MAX];
	bl_pipeline *made = NULL;
	int n = bl_pipeline_length(p);
	for (int i = 0; i < n; i++)
		ops[i] = bl_pipeline_op(p, i);
	ops[n] = bl_aug_new("normalize");
	if (ops[n] && set(ops[n], "mean", v->mean, channels) == 0 && set(ops[n], "std", v->std, channels) == 0)
		made = bl_pipeline_new(ops, n + 1);
	bl_aug_unref(ops[n]);
	return made;
}

/* Reads the field's numbers, one per channel; the last one is repeated. */
static void spread(const bl_aug *a, const char *field, float *out, int channels)
{
	double v[BL_LIST_MOST];
	int n = bl_aug_get(a, field, v);
	for (int i = 0; i < channels; i++)
		out[i] = (float)v[i < n ? i : n - 1];
}

/* Pushes the default pipelines: aug.paper at the images' size, or aug.features for vectors. */
static void push_default(lua_State *L, bl_dataset *d)
{
	bool vectors = bl_dataset_is_vectors(d);
	lua_createtable(L, 0, 1);
	if (!vectors) {
		lua_pushinteger(L, bl_dataset_height(d));
		lua_setfield(L, -2, "size");
	}
	bl_lua_call_maker(L, "aug", vectors ? "features" : "paper", 1);
}

/* Reads the pipelines on top; a single pipeline makes two views. */
static void take_pipelines(lua_State *L, bl_lua_views *v, const char *what)
{
	bl_pipelines *several = bl_lua_test(L, -1, BL_T_VIEWS);
	bl_pipeline **one = bl_lua_test(L, -1, BL_T_PIPELINE);
	if (!several && !one)
		bl_lua_bad(L, what, "views", BL_LUA_VIEWS, -1);
	v->n = several ? several->n : 2;
	for (int i = 0; i < v->n; i++)
		v->view[i] = several ? several->view[i] : *one;
	if (several && several->batch_aug)
		v->batch_aug = several->batch_aug;
}

bl_lua_views bl_lua_views_of(lua_State *L, int table, const char *what, bl_dataset *d)
{
	bl_lua_views v = { .std = { 1, 1, 1, 1 } };
	if (lua_getfield(L, table, "views") == LUA_TNIL) {
		lua_pop(L, 1);
		push_default(L, d);
		lua_pushvalue(L, -1);
		lua_setfield(L, table, "views"); /* the recipe states the views even if they were not given */
	}
	take_pipelines(L, &v, what);
	if (v.n == 0) {
		push_default(L, d);
		take_pipelines(L, &v, what);
	}
	for (int i = 0; i < v.n; i++)
		if (bl_dataset_check_pipeline(d, v.view[i]) < 0)
			luaL_error(L, "%s: %s, view %d: %s", what, bl_dataset_name(d), i + 1, bl_error());
	if (bl_dataset_statistics(d, v.mean, v.std) < 0)
		bl_lua_fail(L);
	int channels = bl_dataset_channels(d);
	luaL_checkstack(L, v.n + 4, "views");
	for (int i = 0; i < v.n; i++) { /* what is pushed keeps the views alive */
		bool done = find_normalize(v.view[i]);
		if (!done && bl_pipeline_length(v.view[i]) >= OPS_MAX)
			luaL_error(L, "%s: view %d has %d operators and no 'normalize', which has to be added: expected at most %d",
			           what, i + 1, OPS_MAX, OPS_MAX - 1);
		bl_lua_give_pipeline(L, done ? bl_pipeline_ref(v.view[i]) : with_statistics(v.view[i], &v, channels));
		v.view[i] = *(bl_pipeline **)lua_touserdata(L, -1);
	}
	const bl_aug *own = find_normalize(v.view[0]);
	if (own) { /* evaluation normalises like the first view */
		spread(own, "mean", v.mean, channels);
		spread(own, "std", v.std, channels);
	}
	return v;
}
