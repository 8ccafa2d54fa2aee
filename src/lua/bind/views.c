/* SPDX-License-Identifier: GPL-3.0-or-later */
/* views.c: the two views that a trainer or a loader makes of an image, normalised. */
#include "lua/bind/face.h"

#include <string.h>

enum { OPS_MAX = 64 };

static const bl_aug *find_normalize(const bl_pipeline *p)
{
	for (int i = 0; i < bl_pipeline_length(p); i++)
		if (bl_pipeline_op(p, i)->kind == BL_AUG_NORMALIZE)
			return bl_pipeline_op(p, i);
	return NULL;
}

/* p, with the data's statistics at its end where it does not normalise; pushes it. */
static bl_pipeline *normalized(lua_State *L, bl_pipeline *p, const bl_lua_views *v)
{
	bl_aug ops[OPS_MAX];
	int n = bl_pipeline_length(p);
	if (find_normalize(p) || n >= OPS_MAX) {
		bl_lua_give_pipeline(L, bl_pipeline_ref(p));
		return p;
	}
	for (int i = 0; i < n; i++)
		ops[i] = *bl_pipeline_op(p, i);
	ops[n] = bl_aug_default(BL_AUG_NORMALIZE);
	memcpy(ops[n].mean, v->mean, sizeof v->mean);
	memcpy(ops[n].stddev, v->std, sizeof v->std);
	p = bl_pipeline_new(ops, n + 1);
	bl_lua_give_pipeline(L, p);
	return p;
}

/* Evaluation normalises as the views do. */
static void adopt_statistics(bl_lua_views *v)
{
	const bl_aug *a = find_normalize(v->first);
	if (!a)
		return;
	memcpy(v->mean, a->mean, sizeof v->mean);
	memcpy(v->std, a->stddev, sizeof v->std);
}

static void push_paper(lua_State *L, bl_dataset *d)
{
	lua_createtable(L, 0, 1);
	lua_pushinteger(L, bl_dataset_height(d));
	lua_setfield(L, -2, "size");
	bl_lua_call_maker(L, "aug", "paper", 1);
}

bl_lua_views bl_lua_views_of(lua_State *L, int table, const char *what, bl_dataset *d)
{
	bl_lua_views v = { .std = { 1, 1, 1, 1 } };
	if (lua_getfield(L, table, "views") == LUA_TNIL)
		push_paper(L, d);
	bl_twin *pair = bl_lua_test(L, -1, BL_T_TWIN);
	bl_pipeline **one = bl_lua_test(L, -1, BL_T_PIPELINE);
	if (!pair && !one)
		bl_lua_bad(L, what, "views", "a pipeline or a pair of them (aug.twin, aug.paper)", -1);
	if (bl_dataset_statistics(d, v.mean, v.std) < 0)
		bl_lua_fail(L);
	v.first = normalized(L, pair ? pair->first : *one, &v);
	v.second = normalized(L, pair ? pair->second : *one, &v);
	adopt_statistics(&v);
	return v;
}
