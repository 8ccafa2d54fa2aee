/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_optim.c: `optim`: optimisers, as settings for a trainer or bound to parameters for a training loop in Lua.
 *
 *     optim.adamw{lr = 1e-3}                    settings: trainer{optim = ...}
 *     optim.adamw(net, {lr = 1e-3})             bound: opt:zero_grad() ... loss:backward() ... opt:step()
 *     optim.adamw{params = {w, b}, lr = 1e-3}   bound; params is a module, or a list of modules and tensors
 */
#include "lua/bind/face.h"

#include <string.h>

typedef struct optimiser {
	bl_optim_config config;
	bl_params *params; /* NULL: settings only */
	bl_optim *optim;
	bool stepped;
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

/* --- parameters --- */

static bl_tensor *never_called(void *ctx, bl_tensor *x)
{
	(void)ctx, (void)x;
	return bl_fail_null("this module only holds parameters");
}

/* Returns the module or tensor on top as a module; replaces a tensor by a module with this one parameter. */
static bl_module *root(lua_State *L, const char *what)
{
	if (bl_lua_test(L, -1, BL_T_TENSOR)) {
		bl_tensor *t = bl_lua_writable_tensor(L, -1, "params");
		bl_module *m = bl_nn_func("tensor", never_called, NULL, NULL);
		bl_lua_give_module(L, m);
		lua_replace(L, -2);
		if (bl_nn_func_parameter(m, "value", t) < 0)
			bl_lua_fail(L);
		return m;
	}
	if (!bl_lua_test(L, -1, BL_T_MODULE))
		bl_lua_bad(L, what, "params", "a module, or a list of modules and tensors", -1);
	return bl_lua_module(L, -1);
}

/* Binds o, the userdata at `self`, to the parameters of the module or list on top; o's user value 2 keeps the modules alive. */
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

/* Makes the optimiser whose kind is the context of the running constructor. */
static int make(lua_State *L)
{
	const char *kind = bl_lua_running(L)->context, *what = lua_tostring(L, lua_upvalueindex(BL_LUA_UP_NAME));
	bl_optim_config c = bl_optim_default(kind);
	bl_lua_take(L, &c);
	optimiser *o = bl_lua_new(L, BL_T_OPTIM, sizeof *o);
	o->config = c;
	if (lua_getfield(L, 1, "params") != LUA_TNIL)
		bind(L, what, o, 2);
	lua_settop(L, 2);
	return 1;
}

/* Adds a constructor for each kind, with the kind's fields and `params`.  Descriptions live as long as the state. */
static void add_kinds(lua_State *L)
{
	enum { MOST = 24 };
	typedef struct maker {
		bl_lua_function list[2];
		bl_field fields[MOST];
	} maker;
	for (int i = 0; bl_optim_name(i); i++) {
		const bl_field *own = bl_optim_fields(bl_optim_name(i));
		maker *m = lua_newuserdatauv(L, sizeof *m, 0);
		luaL_ref(L, LUA_REGISTRYINDEX);
		memset(m, 0, sizeof *m);
		m->fields[0] = (bl_field)BL_FIELD_UNREAD("params", "a module, or a list of modules and tensors", .position = 1,
		                                         BL_OTHERWISE("settings only, for a trainer"),
		                                         .help = "the parameters that are optimised");
		for (int k = 0; own[k].name && k < MOST - 2; k++) {
			m->fields[k + 1] = own[k];
			m->fields[k + 1].offset += offsetof(bl_optim_config, room);
		}
		const char *example = lua_pushfstring(L, "optim.%s(nn.linear(3, 4), {lr = .1})", bl_optim_name(i));
		luaL_ref(L, LUA_REGISTRYINDEX);
		m->list[0] = (bl_lua_function)BL_LUA(bl_optim_name(i), make, ": optimiser", bl_optim_help(bl_optim_name(i)),
		                                     example, .fields = m->fields, .context = bl_optim_name(i));
		bl_lua_makers(L, "optim", m->list);
	}
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
	optimiser *o = bound(L);
	bl_optim_step(o->optim, luaL_optnumber(L, 2, 1));
	if (o->stepped)
		return 0;
	/* The modules have been trained: a run on them does not start from freshly drawn weights. */
	bl_provenance *p = bl_provenance_new("a loop of a script", false);
	if (!p)
		return bl_lua_fail(L);
	lua_getiuservalue(L, 1, 2);
	for (int i = 1; lua_rawgeti(L, -1, i) == LUA_TUSERDATA; i++, lua_pop(L, 1))
		bl_module_set_provenance(bl_lua_module(L, -1), p);
	bl_provenance_unref(p);
	o->stepped = true;
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

/* Returns the number of trained values, without padding. */
static int64_t count(const bl_params *p)
{
	int64_t n = 0;
	for (int i = 0; i < bl_params_length(p); i++)
		n += bl_params_get(p, i)->count;
	return n;
}

/* Returns Lua code that makes equal settings. */
static int o_tostring(lua_State *L)
{
	const bl_optim_config *c = bl_lua_optim(L, 1);
	const optimiser *o = check(L);
	char text[512];
	lua_pushfstring(L, "optim.%s{%s}", bl_optim_kind(c),
	                bl_fields_text(bl_optim_fields(bl_optim_kind(c)), c->room, text, sizeof text));
	if (o->optim)
		lua_pushfstring(L, "%s --[[ bound to %I parameters ]]", lua_tostring(L, -1), (LUAI_UACINT)count(o->params));
	return 1;
}

/* Settings are compared by value; an optimiser that is bound to parameters equals only itself, as it has their state. */
static int o_equal(lua_State *L)
{
	const optimiser *o = bl_lua_test(L, 1, BL_T_OPTIM), *p = bl_lua_test(L, 2, BL_T_OPTIM);
	bool same = o && p && !o->optim && !p->optim && strcmp(bl_optim_kind(&o->config), bl_optim_kind(&p->config)) == 0;
	lua_pushboolean(L, same && bl_fields_same(bl_optim_fields(bl_optim_kind(&o->config)), o->config.room, p->config.room));
	return 1;
}

/* clang-format off */
static int p_lr(lua_State *L) { return lua_pushnumber(L, bl_lua_optim(L, 1)->lr), 1; }
static int p_weight_decay(lua_State *L) { return lua_pushnumber(L, bl_lua_optim(L, 1)->weight_decay), 1; }
static int p_kind(lua_State *L) { return lua_pushstring(L, bl_optim_kind(bl_lua_optim(L, 1))), 1; }
/* clang-format on */

/* opt.lr = x; also changes the object's source, from which recipes are written. */
static int o_assign(lua_State *L)
{
	optimiser *o = check(L);
	bl_optim_config *c = o->optim ? bl_optim_settings(o->optim) : &o->config;
	const char *names[32] = { NULL }, *name = luaL_checkstring(L, 2);
	const bl_field *fields = bl_optim_fields(bl_optim_kind(c)), *f = bl_field_find(fields, name);
	for (int i = 0; i < 31 && fields[i].name; i++)
		names[i] = fields[i].name;
	if (!f)
		return bl_lua_unknown(L, bl_optim_kind(c), "key", name, names);
	bl_lua_take_value(L, 3, bl_optim_kind(c), f, c->room);
	if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE && lua_rawgeti(L, -1, 1) == LUA_TTABLE) {
		bl_lua_push_value(L, f, c->room);
		lua_setfield(L, -2, f->name);
	}
	return 0;
}

/* opt.momentum: any of its settings */
static int o_element(lua_State *L)
{
	const bl_optim_config *c = bl_lua_optim(L, 1);
	const bl_field *f =
		lua_type(L, 2) == LUA_TSTRING ? bl_field_find(bl_optim_fields(bl_optim_kind(c)), lua_tostring(L, 2)) : NULL;
	if (!f)
		return 0;
	bl_lua_push_value(L, f, c->room);
	return 1;
}

static int o_fields(lua_State *L)
{
	lua_pushlightuserdata(L, (void *)(uintptr_t)bl_optim_fields(bl_optim_kind(bl_lua_optim(L, 1))));
	return 1;
}

/* --- schedules --- */

/* Returns a schedule, with default settings, of the kind that the table at `index` names; cosine if it names none. */
static bl_schedule schedule_kind(lua_State *L, int index, const char *what)
{
	const char *names[32] = { NULL };
	lua_getfield(L, index, "kind");
	const char *kind = luaL_optstring(L, -1, "cosine");
	bl_schedule s = bl_schedule_default(kind);
	for (int i = 0; i < 31 && bl_schedule_name(i); i++)
		names[i] = bl_schedule_name(i);
	if (!s.ops)
		bl_lua_unknown(L, what, "schedule", kind, names);
	lua_pop(L, 1);
	return s;
}

enum { SCHEDULE_FIELDS = 16 };

/* Appends the fields of s's kind of schedule. */
static void add_schedule_fields(bl_field *fields, const bl_schedule *s)
{
	const bl_field *own = bl_schedule_fields(bl_schedule_kind(s));
	int n = 0;
	while (fields[n].name)
		n++;
	for (; own->name && n < SCHEDULE_FIELDS - 1; own++) {
		fields[n] = *own;
		fields[n++].offset += offsetof(bl_schedule, room);
	}
}

#define KIND \
	BL_FIELD_UNREAD("kind", "the name of a schedule", BL_OTHERWISE("cosine"), \
	                .help = "constant, or cosine, which falls to `last`")
/* clang-format off */
#define SCHEDULE_COMMON \
	KIND, \
	BL_FIELD(INT64, bl_schedule, steps, BL_REQUIRED, BL_WITHIN(1, 1e15), .help = "the length of the run"), \
	BL_FIELD(INT64, bl_schedule, warmup, BL_DEFAULT(0), BL_WITHIN(0, 1e15), .help = "steps in which the factor rises linearly from 0")
/* clang-format on */

/* Returns the schedule at `index`: a name, or a table {kind = "cosine", last = .01}; nil: cosine. */
bl_schedule bl_lua_schedule(lua_State *L, int index, const char *what)
{
	bl_field fields[SCHEDULE_FIELDS] = { KIND };
	index = lua_absindex(L, index);
	if (lua_isnil(L, index))
		return bl_schedule_default("cosine");
	if (lua_type(L, index) == LUA_TSTRING) {
		lua_createtable(L, 0, 1);
		lua_pushvalue(L, index);
		lua_setfield(L, -2, "kind");
		lua_replace(L, index);
	} else if (!lua_istable(L, index)) {
		bl_lua_bad(L, what, "schedule", "the name of a schedule, or a table {kind = \"cosine\", ...}", index);
	}
	bl_schedule s = schedule_kind(L, index, what);
	add_schedule_fields(fields, &s);
	bl_lua_take_table(L, index, what, fields, &s);
	lua_pop(L, 1);
	return s;
}

/* schedule{kind = "cosine", steps = 1000, warmup = 0, last = .001}: for training loops in Lua */
static int optim_schedule(lua_State *L)
{
	bl_field fields[SCHEDULE_FIELDS] = { SCHEDULE_COMMON };
	luaL_argexpected(L, lua_istable(L, 1), 1, "table");
	bl_schedule s = schedule_kind(L, 1, "optim.schedule");
	add_schedule_fields(fields, &s);
	bl_lua_take_table(L, 1, "optim.schedule", fields, &s);
	*(bl_schedule *)bl_lua_new(L, BL_T_SCHEDULE, sizeof s) = s;
	return 1;
}

/* schedule(step): the factor on the learning rate for the step that follows after `step` steps */
static int s_call(lua_State *L)
{
	lua_pushnumber(L, bl_schedule_at(bl_lua_check(L, 1, BL_T_SCHEDULE), luaL_checkinteger(L, 2)));
	return 1;
}

static const luaL_Reg meta[] = {
	{ "__gc", o_gc }, { "__tostring", o_tostring }, { "__newindex", o_assign }, { "__eq", o_equal }, { NULL, NULL },
};
static const bl_lua_function methods[] = {
	BL_LUA("step", o_step, "(factor?: number)",
	       "Updates the parameters by their gradients, with the learning rate times factor (1).",
	       "local net = nn.linear(3, 4); local opt = optim.sgd(net, {lr = .1}); net(tensor.ones(1, 3)):sum():backward(); opt:step()"),
	BL_LUA("zero_grad", o_zero_grad, "()", "Clears the gradients.", "optim.sgd(nn.linear(3, 4), {lr = .1}):zero_grad()"),
	BL_LUA_END,
};
static const bl_lua_function properties[] = {
	BL_LUA("kind", p_kind, ": string", "\"sgd\", \"lars\" or \"adamw\".", "optim.sgd{lr = .1}.kind"),
	BL_LUA("lr", p_lr, ": number", "The learning rate; may be set.",
	       "local opt = optim.sgd{lr = .1}; opt.lr = .2; print(opt.lr)"),
	BL_LUA("weight_decay", p_weight_decay, ": number", "The weight decay; may be set.", "optim.sgd{lr = .1}.weight_decay"),
	BL_LUA_END,
};
static const bl_lua_function schedule_methods[] = {
	BL_LUA("()", NULL, "(step: integer): number", "The factor on the learning rate for the step after that many steps.",
	       "optim.schedule{steps = 100, warmup = 10}(5)"),
	BL_LUA_END,
};
/* Returns Lua code that makes an equal schedule. */
static int s_tostring(lua_State *L)
{
	const bl_schedule *s = bl_lua_check(L, 1, BL_T_SCHEDULE);
	const bl_field *own = bl_schedule_fields(bl_schedule_kind(s));
	char text[512];
	bl_fields_text(own, s->room, text, sizeof text);
	lua_pushfstring(L, "optim.schedule{kind = \"%s\", steps = %I, warmup = %I%s%s}", bl_schedule_kind(s), (lua_Integer)s->steps,
	                (lua_Integer)s->warmup, own && own->name ? ", " : "", text);
	return 1;
}

static int s_equal(lua_State *L)
{
	const bl_schedule *s = bl_lua_test(L, 1, BL_T_SCHEDULE), *r = bl_lua_test(L, 2, BL_T_SCHEDULE);
	bool same = s && r && s->ops == r->ops && s->steps == r->steps && s->warmup == r->warmup;
	lua_pushboolean(L, same && bl_fields_same(bl_schedule_fields(bl_schedule_kind(s)), s->room, r->room));
	return 1;
}

static const luaL_Reg schedule_meta[] = {
	{ "__call", s_call },
	{ "__tostring", s_tostring },
	{ "__eq", s_equal },
	{ NULL, NULL },
};

/* Adds optim.schedule, with the fields of all kinds.  Its description lives as long as the state. */
static void add_schedule(lua_State *L)
{
	typedef struct maker {
		bl_lua_function list[2];
		bl_field fields[SCHEDULE_FIELDS];
	} maker;
	maker *m = lua_newuserdatauv(L, sizeof *m, 0);
	luaL_ref(L, LUA_REGISTRYINDEX);
	*m = (maker){ .fields = { SCHEDULE_COMMON } };
	for (int i = 0; bl_schedule_name(i); i++) {
		bl_schedule s = bl_schedule_default(bl_schedule_name(i));
		add_schedule_fields(m->fields, &s);
	}
	m->list[0] = (bl_lua_function)
		BL_LUA("schedule", optim_schedule, ": schedule",
	               "A schedule, which returns the factor on the learning rate when it is called with a number of steps.",
	               "optim.schedule{steps = 100, warmup = 10}(5)", .fields = m->fields);
	bl_lua_makers(L, "optim", m->list);
}

int bl_lua_open_optim(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ BL_T_OPTIM, "opt", meta, methods, properties, o_element, o_fields });
	bl_lua_define_type(L,
	                   &(bl_lua_type){
				   .name = BL_T_SCHEDULE, .self = "schedule", .meta = schedule_meta, .methods = schedule_methods });
	bl_lua_module_new(L, "optim");
	add_kinds(L);
	add_schedule(L);
	bl_lua_functions(L, "optim", bl_lua_optim_recipes);
	return 1;
}
