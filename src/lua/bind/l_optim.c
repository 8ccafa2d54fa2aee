/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_optim.c: `optim`: optimisers, as settings for a trainer or bound to parameters for a loop of one's own.
 *
 *     optim.adamw{lr = 1e-3}                    settings: trainer{optim = ...}
 *     optim.adamw(net, {lr = 1e-3})             bound: opt:zero_grad() ... loss:backward() ... opt:step()
 *     optim.adamw{params = {w, b}, lr = 1e-3}   bound; params is a module, or a list of modules and tensors
 */
#include "lua/bind/face.h"

#include <stdlib.h>

typedef struct optimiser {
	bl_optim_config config;
	bl_params *params; /* NULL: settings only */
	bl_optim *optim;
} optimiser;

static optimiser *check(lua_State *L)
{
	return bl_lua_check(L, 1, BL_T_OPTIM);
}

const bl_optim_config *bl_lua_optim(lua_State *L, int arg)
{
	const optimiser *o = bl_lua_check(L, arg, BL_T_OPTIM);
	return o->optim ? bl_optim_settings(o->optim) : &o->config;
}

/* --- what is optimised --- */

static bl_tensor *never_called(void *ctx, bl_tensor *x)
{
	(void)ctx, (void)x;
	return bl_fail_null("this module only holds parameters");
}

/* A module around the one tensor on top, pushed in its place. */
static bl_module *hold_tensor(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, -1);
	bl_module *m = bl_nn_func("tensor", never_called, NULL, NULL);
	bl_lua_give_module(L, m);
	lua_replace(L, -2);
	if (bl_nn_func_parameter(m, "value", t) < 0)
		bl_lua_fail(L);
	return m;
}

/* The module or tensor on top as a module. */
static bl_module *root(lua_State *L, const char *what)
{
	if (bl_lua_test(L, -1, BL_T_TENSOR))
		return hold_tensor(L);
	if (!bl_lua_test(L, -1, BL_T_MODULE))
		bl_lua_bad(L, what, "params", "a module, or a list of modules and tensors", -1);
	return bl_lua_module(L, -1);
}

/* Binds o to what is on top; what the parameters belong to is kept alive in o's second user value. */
static void bind(lua_State *L, const char *what, optimiser *o, int self)
{
	enum { MOST = 256 };
	bl_module *roots[MOST];
	const char *prefixes[MOST];
	if (!lua_istable(L, -1)) {
		lua_createtable(L, 1, 0);
		lua_insert(L, -2);
		lua_rawseti(L, -2, 1);
	}
	int n = (int)lua_rawlen(L, -1), list = lua_gettop(L);
	if (n < 1 || n > MOST)
		luaL_error(L, "%s: 'params' has %d items, expected 1 to %d", what, n, MOST);
	lua_createtable(L, 2 * n, 0);
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, list, i + 1);
		roots[i] = root(L, what);
		lua_rawseti(L, -2, i + 1);
		prefixes[i] = n == 1 ? "" : lua_pushfstring(L, "%d", i + 1);
		if (n > 1)
			lua_rawseti(L, -2, n + i + 1);
	}
	lua_setiuservalue(L, self, 2);
	o->params = bl_params_new(roots, prefixes, n);
	o->optim = o->params ? bl_optim_new(&o->config, o->params) : NULL;
	if (!o->optim)
		bl_lua_fail(L);
}

/* --- constructors --- */

#define FIELD(field) { .name = #field, .kind = BL_KEY_DOUBLE, .offset = offsetof(bl_optim_config, field), .max = 1e30 }
#define COMMON FIELD(lr), FIELD(lr_bias), FIELD(weight_decay), { .name = "params", .kind = BL_KEY_ANY, .position = 1 }
#define FLAG(field) { .name = #field, .kind = BL_KEY_BOOL, .offset = offsetof(bl_optim_config, field) }

static int make(lua_State *L, const char *what, bl_optim_kind kind, const bl_key *keys)
{
	bl_optim_config c = bl_optim_default(kind);
	bl_lua_arguments(L, what, keys, &c);
	optimiser *o = bl_lua_new(L, BL_T_OPTIM, sizeof *o);
	o->config = c;
	if (lua_getfield(L, 1, "params") == LUA_TNIL)
		lua_rawgeti(L, 1, 1);
	if (!lua_isnil(L, -1))
		bind(L, what, o, 2);
	lua_settop(L, 2);
	return 1;
}

static int optim_sgd(lua_State *L)
{
	static const bl_key keys[] = { COMMON, FIELD(momentum), FLAG(nesterov), BL_KEY_END };
	return make(L, "optim.sgd", BL_OPTIM_SGD, keys);
}

static int optim_lars(lua_State *L)
{
	static const bl_key keys[] = { COMMON, FIELD(momentum), FIELD(eta), BL_KEY_END };
	return make(L, "optim.lars", BL_OPTIM_LARS, keys);
}

static int optim_adamw(lua_State *L)
{
	static const bl_key keys[] = { COMMON, FIELD(beta1), FIELD(beta2), FIELD(eps), FLAG(decay_all), BL_KEY_END };
	return make(L, "optim.adamw", BL_OPTIM_ADAMW, keys);
}

/* --- methods --- */

static optimiser *bound(lua_State *L)
{
	optimiser *o = check(L);
	if (!o->optim)
		luaL_error(L, "the optimiser has no parameters: make it as optim.sgd(net, {...})");
	return o;
}

/* step([factor = 1]): one step with lr * factor */
static int o_step(lua_State *L)
{
	bl_optim_step(bound(L)->optim, luaL_optnumber(L, 2, 1));
	return 0;
}

static int o_zero_grad(lua_State *L)
{
	bl_params_zero_grad(bound(L)->params);
	return 0;
}

static int o_gc(lua_State *L)
{
	optimiser *o = check(L);
	if (o->optim)
		bl_optim_free(o->optim);
	if (o->params)
		bl_params_free(o->params);
	o->optim = NULL;
	o->params = NULL;
	return 0;
}

static const char *const kinds[] = { "sgd", "lars", "adamw" };

static int o_tostring(lua_State *L)
{
	const bl_optim_config *c = bl_lua_optim(L, 1);
	lua_pushfstring(L, "optim.%s{lr = %f, weight_decay = %f}", kinds[c->kind], c->lr, c->weight_decay);
	return 1;
}

static int p_kind(lua_State *L) { return lua_pushstring(L, kinds[bl_lua_optim(L, 1)->kind]), 1; }
static int p_lr(lua_State *L) { return lua_pushnumber(L, bl_lua_optim(L, 1)->lr), 1; }
static int p_weight_decay(lua_State *L) { return lua_pushnumber(L, bl_lua_optim(L, 1)->weight_decay), 1; }

/* opt.lr = x */
static int o_assign(lua_State *L)
{
	static const bl_key keys[] = { FIELD(lr), FIELD(lr_bias), FIELD(weight_decay), FIELD(momentum), BL_KEY_END };
	optimiser *o = check(L);
	luaL_checkstring(L, 2);
	lua_newtable(L);
	lua_pushvalue(L, 2);
	lua_pushvalue(L, 3);
	lua_rawset(L, -3);
	bl_lua_fields(L, -1, kinds[o->config.kind], keys, o->optim ? bl_optim_settings(o->optim) : &o->config);
	return 0;
}

/* --- schedules for loops of one's own --- */

static const char *const schedules[] = { "constant", "cosine", NULL };

/* schedule{kind = "cosine", steps = 1000, warmup = 0, last = .001} */
static int optim_schedule(lua_State *L)
{
	typedef struct args { int kind; int64_t steps, warmup; double last; } args;
	static const bl_key keys[] = {
		BL_KEY(CHOICE, args, kind, .choices = schedules),
		BL_KEY(INT64, args, steps, .min = 1, .max = 1e15),
		BL_KEY(INT64, args, warmup, .min = 0, .max = 1e15),
		BL_KEY(DOUBLE, args, last, .min = 0, .max = 1), BL_KEY_END,
	};
	args a = { .kind = BL_SCHEDULE_COSINE, .last = .001 };
	bl_lua_arguments(L, "optim.schedule", keys, &a);
	if (!a.steps)
		return bl_lua_missing(L, "optim.schedule", "steps", "the length of the run");
	bl_schedule *s = bl_lua_new(L, BL_T_SCHEDULE, sizeof *s);
	*s = (bl_schedule){ (bl_schedule_kind)a.kind, a.warmup, a.steps, a.last };
	return 1;
}

/* schedule(step): the factor for the step after `step` steps */
static int s_call(lua_State *L)
{
	lua_pushnumber(L, bl_schedule_at(bl_lua_check(L, 1, BL_T_SCHEDULE), luaL_checkinteger(L, 2)));
	return 1;
}

static const luaL_Reg meta[] = {
	{ "__gc", o_gc }, { "__tostring", o_tostring }, { "__newindex", o_assign }, { NULL, NULL },
};
static const luaL_Reg methods[] = { { "step", o_step }, { "zero_grad", o_zero_grad }, { NULL, NULL } };
static const luaL_Reg properties[] = {
	{ "kind", p_kind }, { "lr", p_lr }, { "weight_decay", p_weight_decay }, { NULL, NULL },
};
static const luaL_Reg schedule_meta[] = { { "__call", s_call }, { NULL, NULL } };
static const luaL_Reg constructors[] = {
	{ "sgd", optim_sgd }, { "lars", optim_lars }, { "adamw", optim_adamw }, { "schedule", optim_schedule },
	{ NULL, NULL },
};

int bl_lua_open_optim(lua_State *L)
{
	bl_lua_define(L, &(bl_lua_class){ BL_T_OPTIM, meta, methods, properties, NULL });
	bl_lua_define(L, &(bl_lua_class){ .type = BL_T_SCHEDULE, .meta = schedule_meta });
	lua_newtable(L);
	bl_lua_constructors(L, "optim", constructors);
	return 1;
}
