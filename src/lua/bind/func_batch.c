/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * func_batch.c: Lua functions that change whole batches of views.
 *
 *     f(views[, rng[, info]]) -> views
 *
 * They are called like functions of images (func_aug.c), once for each batch, in one of the loader's threads.
 */
#include "lua/bind/face.h"

#include <stdlib.h>

typedef struct func_batch {
	bl_function *function;
	bl_lua_limits limits;
} func_batch;

static void release(void *ctx)
{
	func_batch *f = ctx;
	bl_function_unref(f->function);
	free(f);
}

static bool equal(const void *p, const void *q)
{
	const func_batch *f = p, *g = q;
	return f->limits.seconds == g->limits.seconds && f->limits.bytes == g->limits.bytes &&
	       bl_function_same(f->function, g->function);
}

/* Sets the list "samples" (rows) or "labels", whose numbers start at 1. */
static void set_list(lua_State *L, const char *name, const bl_batch_call *c)
{
	lua_createtable(L, (int)c->n, 0);
	for (int64_t i = 0; i < c->n; i++) {
		lua_pushinteger(L, 1 + (name[0] == 'l' ? (lua_Integer)c->labels[i] : (lua_Integer)c->rows[i]));
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, name);
}

static int push(lua_State *L, void *ctx)
{
	const bl_batch_call *c = ctx;
	int taken = bl_function_arguments(L);
	luaL_checkstack(L, 8, "arguments");
	lua_createtable(L, c->n_views, 0);
	for (int v = 0; v < c->n_views; v++) {
		bl_lua_give_tensor(L, bl_tensor_ref(c->view[v]));
		lua_rawseti(L, -2, v + 1);
	}
	if (taken < 2)
		return 1;
	bl_lua_push_rng(L);
	if (taken < 3)
		return 2;
	lua_createtable(L, 0, 4); /* the table `info`, in which all numbers start at 1, as in Lua */
	lua_pushinteger(L, c->step + 1);
	lua_setfield(L, -2, "step");
	lua_pushinteger(L, c->epoch + 1);
	lua_setfield(L, -2, "epoch");
	set_list(L, "samples", c);
	if (c->labels)
		set_list(L, "labels", c);
	return 3;
}

static void take(lua_State *L, void *ctx)
{
	const bl_batch_call *c = ctx;
	if (lua_istable(L, -1) && lua_rawlen(L, -1) != (size_t)c->n_views)
		luaL_error(L, "the function returned a list of %d instead of a list of %d views", (int)lua_rawlen(L, -1),
		           c->n_views);
	if (!lua_istable(L, -1))
		luaL_error(L, "the function returned %s instead of a list of %d views", bl_lua_describe(L, lua_gettop(L)),
		           c->n_views);
	for (int v = 0; v < c->n_views; v++) {
		lua_rawgeti(L, -1, v + 1);
		bl_tensor **t = bl_lua_test(L, -1, BL_T_TENSOR);
		if (!t)
			luaL_error(L, "view %d of what the function returned is %s instead of a tensor", v + 1,
			           bl_lua_describe(L, lua_gettop(L)));
		bl_tensor *before = c->view[v];
		c->view[v] = bl_tensor_ref(*t);
		bl_tensor_unref(before);
		lua_pop(L, 1);
	}
}

static int apply(void *ctx, const bl_batch_call *c)
{
	const func_batch *f = ctx;
	bl_rng *before = bl_ambient_here()->stream;
	bl_ambient_here()->stream = c->rng;
	int rc = bl_function_call_within(f->function, &f->limits, push, 1, take, (void *)(uintptr_t)c);
	bl_ambient_here()->stream = before;
	return rc == 0 ? 0 : bl_fail_prefix("aug.batch, step %lld: ", (long long)c->step + 1);
}

bl_batch_aug *bl_lua_func_batch(lua_State *L, int index, const bl_lua_limits *limits)
{
	func_batch *f = calloc(1, sizeof *f);
	if (!f)
		return bl_fail_null("no memory for a function");
	f->limits = *limits;
	f->function = bl_lua_constant_function(L, index);
	if (!f->function) {
		free(f);
		return NULL;
	}
	bl_batch_aug *a = bl_batch_aug_new(apply, release, f);
	if (a)
		bl_batch_aug_set_equal(a, equal);
	return a;
}
