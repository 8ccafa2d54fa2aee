/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_break.c: t:break_when(f): after each step, the thread that made it calls f (kit/function.h) with a view of the run.
 *
 *     f(view) -> true to pause      view.terms, view.iteration, ...; view.C, view.z and view.weights are computed on access
 */
#include "lua/bind/face.h"

#include "lua/kit/globals.h"

#include <barlow/live.h>
#include <barlow/random.h>

#include <string.h>

static _Thread_local bl_trainer *evaluated; /* the trainer whose condition this thread evaluates; NULL: none */

typedef struct evaluation {
	bl_trainer *trainer;
	bool holds;
} evaluation;

/* --- the view --- */

static int64_t step_of(bl_trainer *t)
{
	return bl_trainer_progress(t).step;
}

typedef struct named {
	lua_State *L;
	const char *prefix;
} named;

static int add_weight(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	(void)kind;
	named *n = ctx;
	lua_pushfstring(n->L, "%s.%s", n->prefix, name);
	bl_lua_give_tensor(n->L, bl_tensor_clone(t));
	lua_settable(n->L, -3);
	return 0;
}

/* Pushes copies of the weights by name, since the next step overwrites the parameters. */
static int push_weights(lua_State *L, bl_trainer *t)
{
	const bl_trainer_config *c = bl_trainer_settings(t);
	lua_newtable(L);
	bl_module_each(c->encoder, add_weight, &(named){ L, "encoder" });
	if (c->projector)
		bl_module_each(c->projector, add_weight, &(named){ L, "projector" });
	return 1;
}

static int push_embeddings(lua_State *L, bl_trainer *t)
{
	lua_createtable(L, 2, 0);
	for (int i = 0; i < 2; i++) {
		bl_lua_give_tensor(L, bl_trainer_embeddings(t, i));
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* __index of a view: values that are computed on access, while the condition is called; upvalue 1: the view's step. */
static int view_index(lua_State *L)
{
	static const char *const names[] = { "C", "z", "weights", NULL };
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
	int which = 0;
	while (names[which] && strcmp(names[which], name) != 0)
		which++;
	if (!names[which] && strcmp(name, "terms") == 0)
		return 0; /* no step has been recorded yet */
	if (!names[which])
		return luaL_error(
			L,
			"a view has no '%s': what was measured is in terms, as v.terms.total; it has C, batch, iteration, "
			"name, steps, steps_per_epoch, terms, weights and z",
			name);
	if (!evaluated || step_of(evaluated) != lua_tointeger(L, lua_upvalueindex(1)))
		return luaL_error(L, "the view of step %I is over: '%s' can only be computed while the condition is called",
		                  lua_tointeger(L, lua_upvalueindex(1)), name);
	if (which == 0)
		bl_lua_give_tensor(L, bl_trainer_correlation(evaluated));
	else if (which == 1)
		push_embeddings(L, evaluated);
	else
		push_weights(L, evaluated);
	lua_pushvalue(L, -1);
	lua_setfield(L, 1, name);
	return 1;
}

static void set_integer(lua_State *L, const char *name, int64_t v)
{
	lua_pushinteger(L, v);
	lua_setfield(L, -2, name);
}

static int push_view(lua_State *L, void *ctx)
{
	const evaluation *q = ctx;
	bl_live_info info;
	bl_record r;
	const bl_live *l = bl_trainer_live(q->trainer);
	bl_live_info_get(l, &info);
	lua_createtable(L, 0, 8);
	set_integer(L, "iteration", step_of(q->trainer));
	set_integer(L, "steps", info.steps);
	set_integer(L, "steps_per_epoch", info.steps_per_epoch);
	set_integer(L, "batch", info.batch);
	lua_pushstring(L, info.name);
	lua_setfield(L, -2, "name");
	if (bl_live_record(l, bl_live_length(l) - 1, &r)) {
		bl_lua_push_record(L, l, &r);
		lua_setfield(L, -2, "terms");
	}
	lua_createtable(L, 0, 1);
	lua_pushinteger(L, step_of(q->trainer));
	lua_pushcclosure(L, view_index, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	return 1;
}

/* --- the condition --- */

static void take_answer(lua_State *L, void *ctx)
{
	((evaluation *)ctx)->holds = lua_toboolean(L, -1);
}

static int holds(void *ctx, bl_trainer *t)
{
	evaluation q = { t, false };
	bl_trainer *before = evaluated;
	bl_rng_scope outside = bl_rng_enter(bl_trainer_settings(t)->seed, step_of(t), "break", 0);
	evaluated = t;
	int rc = bl_function_call(ctx, push_view, 1, take_answer, &q);
	evaluated = before;
	bl_rng_leave(outside);
	return rc < 0 ? -1 : q.holds;
}

static void release(void *ctx)
{
	bl_function_unref(ctx);
}

/* break_when(f), or break_when(nil) */
int bl_lua_break_when(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	bl_function *f = NULL;
	bool given = !lua_isnil(L, 2);
	if (given && !lua_isfunction(L, 2) && !bl_lua_test(L, 2, BL_T_FUNCTION))
		return luaL_error(
			L, "break_when: expected a function of a view of the run, or nil, which removes the condition; got %s",
			bl_lua_describe(L, 2));
	bl_lua_report_over(t, "break_when");
	bl_lua_enter(L);
	if (given && (bl_lua_check_globals(L, 2) != 0 || bl_function_make(L, 2, &f) != 0)) {
		bl_function_unref(f);
		bl_fail_prefix("break_when: ");
		return bl_lua_fail(L);
	}
	bl_trainer_break_when(t, given ? &(bl_condition){ holds, release, f } : NULL);
	lua_settop(L, 1);
	return 1;
}

/* at_break(trainer): whether its condition was true after the last step */
int bl_lua_at_break(lua_State *L)
{
	lua_pushboolean(L, bl_trainer_at_break(bl_lua_trainer(L, 1)));
	return 1;
}
