/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_aug_change.c: operators made of pipelines; comparing pipelines, removing and replacing operators. */
#include "lua/bind/face.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_PARTS = 16 };

#define IMAGE "(data.shapes{n = 1, size = 16}[1].image)"

static bl_pipeline *pipeline(lua_State *L, int arg)
{
	return *(bl_pipeline **)bl_lua_check(L, arg, BL_T_PIPELINE);
}

/* --- made of pipelines --- */

/* Pushes a pipeline of one operator made of pipelines; r: the ramp of its p or its weights, or NULL. */
static int give_group(lua_State *L, bl_group_kind kind, bl_pipeline *const *parts, int n, const float *weights, float p,
                      const bl_lua_ramp *r)
{
	bl_aug *a = bl_aug_new_group(kind, parts, n, weights, p);
	bool fine = a && (!r || bl_aug_ramp(a, r->field->name, r->to, r->n, r->epochs) == 0);
	bl_pipeline *made = fine ? bl_pipeline_new(&a, 1) : NULL;
	bl_aug_unref(a);
	if (!made)
		return luaL_error(L, "aug.%s", bl_error());
	return bl_lua_give_pipeline(L, made);
}

/* random_apply(pipeline[, p]) */
static int random_apply(lua_State *L)
{
	static const bl_field chance = { .name = "p", .kind = BL_FIELD_FLOAT, BL_DEFAULT(.5), BL_WITHIN(0, 1) };
	bl_pipeline *part = pipeline(L, 1);
	bl_lua_ramp r;
	bool ramp = bl_lua_ramp_of(L, 2, "aug.random_apply", &chance, &r);
	return give_group(L, BL_GROUP_APPLY, &part, 1, NULL, (float)luaL_optnumber(L, 2, .5), ramp ? &r : NULL);
}

/* Reads the pipelines of the list at 1, borrowed; returns their number. */
static int take_parts(lua_State *L, const char *what, bl_pipeline **parts)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	int n = (int)lua_rawlen(L, 1);
	if (n < 1 || n > MOST_PARTS)
		return luaL_error(L, "%s: %d pipelines, expected a list of 1 to %d", what, n, MOST_PARTS);
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, 1, i + 1);
		bl_pipeline **one = bl_lua_test(L, -1, BL_T_PIPELINE);
		if (!one)
			return luaL_error(L, "%s: item %d must be a pipeline, got %s", what, i + 1,
			                  bl_lua_describe(L, lua_gettop(L)));
		parts[i] = *one;
		lua_pop(L, 1);
	}
	return n;
}

/* Raises an error for keys that are neither list indices nor `key`. */
static void check_keys(lua_State *L, const char *what, const char *key)
{
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
		if (lua_type(L, -2) == LUA_TSTRING && !(key && strcmp(lua_tostring(L, -2), key) == 0))
			luaL_error(L, "%s: unknown key '%s'%s%s%s", what, lua_tostring(L, -2), key ? " (known: " : "",
			           key ? key : "", key ? ")" : "");
}

/* random_choice{a, b, weights = {1, 2}} */
static int random_choice(lua_State *L)
{
	static const bl_field list = { .name = "weights", .kind = BL_FIELD_LIST, BL_REQUIRED, BL_WITHIN(0, 1e6) };
	bl_pipeline *parts[MOST_PARTS];
	float weights[MOST_PARTS];
	bl_lua_ramp r;
	int n = take_parts(L, "aug.random_choice", parts);
	check_keys(L, "aug.random_choice", "weights");
	bool given = lua_getfield(L, 1, "weights") != LUA_TNIL,
	     ramp = bl_lua_ramp_of(L, lua_gettop(L), "aug.random_choice", &list, &r);
	if (given && (!lua_istable(L, -1) || (int)lua_rawlen(L, -1) != n))
		return luaL_error(L, "aug.random_choice: 'weights' must be a list of %d numbers, got %s", n,
		                  lua_istable(L, -1) ? "a list of another length" : bl_lua_describe(L, lua_gettop(L)));
	for (int i = 0; given && i < n; i++) {
		lua_rawgeti(L, -1, i + 1);
		if (lua_type(L, -1) != LUA_TNUMBER)
			return luaL_error(L, "aug.random_choice: weight %d must be a number, got %s", i + 1,
			                  bl_lua_describe(L, lua_gettop(L)));
		weights[i] = (float)lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
	return give_group(L, BL_GROUP_CHOICE, parts, n, given ? weights : NULL, 1, ramp ? &r : NULL);
}

/* random_order{a, b, c} */
static int random_order(lua_State *L)
{
	bl_pipeline *parts[MOST_PARTS];
	int n = take_parts(L, "aug.random_order", parts);
	check_keys(L, "aug.random_order", NULL);
	return give_group(L, BL_GROUP_ORDER, parts, n, NULL, 1, NULL);
}

/* --- comparing --- */

int bl_lua_pipelines_equal(lua_State *L)
{
	bl_pipeline **p = bl_lua_test(L, 1, BL_T_PIPELINE), **q = bl_lua_test(L, 2, BL_T_PIPELINE);
	bl_pipelines *v = bl_lua_test(L, 1, BL_T_VIEWS), *w = bl_lua_test(L, 2, BL_T_VIEWS);
	bool same = p && q && bl_pipeline_equal(*p, *q);
	if (v && w) {
		same = v->n == w->n && bl_batch_aug_equal(v->batch_aug, w->batch_aug);
		for (int i = 0; same && i < v->n; i++)
			same = bl_pipeline_equal(v->view[i], w->view[i]);
	}
	lua_pushboolean(L, same);
	return 1;
}

/* --- changing --- */

/* Raises the error that no pipeline has an operator of that name, with the most similar name. */
static void fail_unknown(lua_State *L, const char *what, const char *name, bl_pipeline *const *views, int n)
{
	const char *names[BL_VIEWS_MOST * 64 + 1];
	int k = 0;
	for (int v = 0; v < n; v++)
		for (int i = 0; i < bl_pipeline_length(views[v]); i++)
			names[k++] = bl_aug_name(bl_pipeline_op(views[v], i));
	names[k] = NULL;
	const char *near = bl_nearest(name, names);
	if (near)
		luaL_error(L, "%s: there is no operator '%s' in it (did you mean '%s'?)", what, name, near);
	luaL_error(L, "%s: there is no operator '%s' in it", what, name);
}

/* Pushes the pipeline or pipelines at 1 with operators of that name replaced by `by`. */
static int change(lua_State *L, const char *what, const bl_pipeline *by)
{
	bl_pipelines *several = bl_lua_test(L, 1, BL_T_VIEWS);
	bl_pipeline *one = several ? NULL : pipeline(L, 1), **views = several ? several->view : &one, *made = NULL;
	const char *name = luaL_checkstring(L, 2);
	int n = several ? several->n : 1, all = 0;
	bl_pipelines *to = bl_lua_push_views(L);
	for (int i = 0; i < n; i++) {
		int found;
		made = bl_pipeline_replace(views[i], name, by, &found);
		if (!made)
			return luaL_error(L, "%s: %s", what, bl_error());
		to->view[to->n++] = made;
		all += found;
	}
	if (all == 0)
		fail_unknown(L, what, name, views, n);
	if (several) {
		to->batch_aug = several->batch_aug ? bl_batch_aug_ref(several->batch_aug) : NULL;
		return 1;
	}
	return bl_lua_give_pipeline(L, bl_pipeline_ref(made));
}

/* without(p, "blur") */
static int aug_without(lua_State *L)
{
	return change(L, "aug.without", NULL);
}

/* replace(p, "blur", aug.noise{}) */
static int aug_replace(lua_State *L)
{
	return change(L, "aug.replace", pipeline(L, 3));
}

const bl_lua_function bl_lua_aug_change[] = {
	BL_LUA("random_apply", random_apply, "(T: pipeline, p?: number): pipeline", "Applies a pipeline with probability p (0.5).",
	       "aug.random_apply(aug.rotate{p = 1}, .3)" IMAGE),
	BL_LUA("random_choice", random_choice, "(pipelines: table): pipeline",
	       "Applies one pipeline of a list, chosen uniformly, or by weights: {a, b, weights = {1, 2}}.",
	       "aug.random_choice{aug.invert{p = 1}, aug.equalize{p = 1}, weights = {1, 3}}" IMAGE),
	BL_LUA("random_order", random_order, "(pipelines: table): pipeline", "Applies all pipelines of a list in random order.",
	       "aug.random_order{aug.blur{}, aug.solarize{}}" IMAGE),
	BL_LUA("without", aug_without, "(T: pipeline|pipelines, name: string): pipeline|pipelines",
	       "Removes operators of that name; the random draws of the others do not change.",
	       "aug.without(aug.paper{size = 8}, 'blur')" IMAGE),
	BL_LUA("replace", aug_replace, "(T: pipeline|pipelines, name: string, by: pipeline): pipeline|pipelines",
	       "Replaces operators of that name by another pipeline.",
	       "aug.replace(aug.paper{size = 8}, 'blur', aug.noise{})" IMAGE),
	BL_LUA_END,
};
