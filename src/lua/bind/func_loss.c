/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * func_loss.c: losses that are Lua functions (kit/function.h says where they run).
 *
 *     f(z1, ..., zV[, p[, at]]) -> a scalar, or {name = scalar, ...}, whose sum is the loss
 * p is a table of the current parameters; at is a table of the batch's step, epoch, seed, rows and labels.
 */
#include "lua/bind/face.h"

#include "lua/kit/function.h"
#include "lua/kit/globals.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMETERS = BL_LOSS_ROOM / 2 };

/* What the script sets: names, parameters and terms. */
typedef struct spec {
	char name[BL_LOSS_NAME], turn[BL_LOSS_NAME]; /* turn: the parameter that the keys + and - change; "": the first */
	char parameter[PARAMETERS][BL_LOSS_NAME], help[PARAMETERS][64];
	bl_field fields[PARAMETERS + 1];
	char term[BL_LOSS_TERMS][BL_LOSS_NAME]; /* "" after the last; all "": the first call names the terms */
	bool named;                             /* `term` was given when the loss was made */
} spec;

typedef struct func_loss {
	bl_function *function;
	spec spec;
	bl_loss_term terms[BL_LOSS_TERMS + 1];
	bl_loss_ops ops;
} func_loss;

static void release(void *ctx)
{
	func_loss *f = ctx;
	bl_function_unref(f->function);
	free(f);
}

/*
 * Fills the table of terms from their names.  The first term is stored last: if it is set, the table is complete.
 * Terms are named when the loss is made, or by its first call, which happens when a trainer is constructed: no two
 * threads do it at once.
 */
static void list_terms(func_loss *f)
{
	for (int i = BL_LOSS_TERMS - 1; i >= 0; i--)
		f->terms[i].name = f->spec.term[i][0] ? f->spec.term[i] : NULL;
}

/* --- calling --- */

typedef struct call {
	func_loss *f;
	const double *settings;
	bl_tensor *const *z;
	int views;
	const bl_loss_batch *at;
	bl_loss_result *out;
	bl_tensor *y;
} call;

static void set_integer(lua_State *L, const char *name, int64_t v)
{
	lua_pushinteger(L, v);
	lua_setfield(L, -2, name);
}

/* Pushes the table about the batch.  Step, epoch, rows and labels count from 1, as in Lua; label 0: none. */
static void push_batch(lua_State *L, const call *c)
{
	int64_t n = bl_tensor_size(c->z[0], 0);
	lua_createtable(L, 0, 5);
	set_integer(L, "step", c->at->step + 1);
	set_integer(L, "epoch", c->at->epoch + 1);
	set_integer(L, "seed", (int64_t)c->at->seed);
	for (int k = 0; k < 2; k++) {
		if (!(k ? (const void *)c->at->labels : (const void *)c->at->rows))
			continue;
		lua_createtable(L, (int)n, 0);
		for (int64_t i = 0; i < n; i++) {
			lua_pushinteger(L, 1 + (k ? c->at->labels[i] : c->at->rows[i]));
			lua_rawseti(L, -2, i + 1);
		}
		lua_setfield(L, -2, k ? "labels" : "rows");
	}
}

static int push_arguments(lua_State *L, void *ctx)
{
	const call *c = ctx;
	int taken = bl_function_arguments(L);
	luaL_checkstack(L, c->views + 8, "views");
	for (int v = 0; v < c->views; v++)
		bl_lua_give_tensor(L, bl_tensor_ref(c->z[v]));
	lua_newtable(L);
	for (const bl_field *p = c->f->spec.fields; p->name; p++) {
		bl_lua_push_value(L, p, c->settings);
		lua_setfield(L, -2, p->name);
	}
	if (taken <= c->views + 1) /* the table about the batch would be ignored */
		return c->views + 1;
	push_batch(L, c);
	return c->views + 2;
}

/* Returns the value on top, borrowed.  If the value is not a scalar, raises an error that names the term. */
static bl_tensor *scalar(lua_State *L, const char *term)
{
	char shape[BL_SHAPE_TEXT];
	bl_tensor **t = bl_lua_test(L, -1, BL_T_TENSOR);
	if (!t)
		luaL_error(L, "term '%s' is %s: expected a tensor of one number", term, bl_lua_describe(L, lua_gettop(L)));
	if (bl_tensor_count(*t) != 1)
		luaL_error(L, "term '%s' is %s: expected one number; take its sum or mean", term, bl_tensor_text(*t, shape));
	return *t;
}

static void add_term(lua_State *L, call *c, int k, bl_tensor *t)
{
	bl_tensor *one = bl_tensor_ndim(t) ? bl_sum(t, BL_ALL, false) : bl_tensor_ref(t);
	bl_tensor *sum = one && c->y ? bl_add(c->y, one) : bl_tensor_ref(one);
	float value = 0;
	if (one)
		bl_tensor_read(one, &value);
	bl_tensor_unref(one);
	bl_tensor_unref(c->y);
	c->y = sum;
	if (!sum)
		bl_lua_fail(L);
	c->out->term[k] = (double)value;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Checks the name of a term or parameter. */
static void check_name(lua_State *L, const char *what, const char *name)
{
	size_t n = strlen(name);
	if (n == 0 || n >= BL_LOSS_NAME || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != n ||
	    (*name >= '0' && *name <= '9'))
		luaL_error(L, "%s '%s': expected a name of letters, digits and _, a letter first, shorter than %d", what, name,
		           BL_LOSS_NAME);
}

/* Checks the name of a term.  No parameter may have the same name, since records have a column for each. */
static void check_term(lua_State *L, const char *what, const spec *s, const char *name)
{
	check_name(L, "term", name);
	for (int k = 0; k < PARAMETERS && s->parameter[k][0]; k++)
		if (strcmp(s->parameter[k], name) == 0)
			luaL_error(
				L,
				"%sa term and a parameter are both called '%s': give one of them another name, since records have a "
				"column for each",
				what, name);
}

/* Names the terms as the keys of the table on top, in alphabetical order. */
static void name_terms(lua_State *L, func_loss *f)
{
	char names[BL_LOSS_TERMS][BL_LOSS_NAME] = { { 0 } };
	int n = 0;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "the function returned a table with the key %s: expected names of terms",
			           bl_lua_describe(L, lua_gettop(L) - 1));
		check_term(L, "", &f->spec, lua_tostring(L, -2));
		if (n == BL_LOSS_TERMS)
			luaL_error(L, "the function returned more than %d terms", BL_LOSS_TERMS);
		strcpy(names[n++], lua_tostring(L, -2));
	}
	if (n == 0)
		luaL_error(L, "the function returned no terms");
	qsort(names, (size_t)n, sizeof names[0], by_name);
	memcpy(f->spec.term, names, sizeof names);
	list_terms(f);
}

static void take_table(lua_State *L, call *c)
{
	int left = 0;
	if (!c->f->terms[0].name)
		name_terms(L, c->f);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		left++;
	for (int k = 0; c->f->terms[k].name; k++, left--) {
		if (lua_getfield(L, -1, c->f->terms[k].name) == LUA_TNIL)
			luaL_error(L, "the function returned no term '%s'", c->f->terms[k].name);
		add_term(L, c, k, scalar(L, c->f->terms[k].name));
		lua_pop(L, 1);
	}
	if (left > 0)
		luaL_error(L, "the function returned %d terms that it had not named before", left);
}

static void take_result(lua_State *L, void *ctx)
{
	call *c = ctx;
	if (lua_istable(L, -1)) {
		take_table(L, c);
		return;
	}
	if (!bl_lua_test(L, -1, BL_T_TENSOR))
		luaL_error(L, "the function returned %s: expected a scalar tensor, or a table of them by the names of terms",
		           bl_lua_describe(L, lua_gettop(L)));
	lua_createtable(L, 0, 1);
	lua_insert(L, -2);
	lua_setfield(L, -2, "loss");
	take_table(L, c);
}

static bl_tensor *forward(void *ctx, const void *settings, bl_tensor *const *z, int views, const bl_loss_batch *at,
                          bl_loss_result *out)
{
	call c = { ctx, settings, z, views, at, out, NULL };
	float total = 0;
	if (bl_function_call(c.f->function, push_arguments, 1, take_result, &c) < 0) {
		bl_tensor_unref(c.y);
		return NULL;
	}
	bl_tensor_read(c.y, &total);
	out->total = (double)total;
	return c.y;
}

/* --- comparing --- */

static bool same_parameters(const spec *s, const spec *r)
{
	for (int k = 0; k < PARAMETERS; k++) {
		const bl_field *f = &s->fields[k], *g = &r->fields[k];
		if (strcmp(s->parameter[k], r->parameter[k]) != 0 || strcmp(s->help[k], r->help[k]) != 0 ||
		    f->preset[0] != g->preset[0] || f->min != g->min || f->max != g->max || f->settable != g->settable)
			return false;
	}
	return true;
}

bool bl_lua_func_loss_same(const bl_loss *l, const bl_loss *k, bool *of_functions)
{
	bool first = bl_loss_ops_of(l)->forward == forward, second = bl_loss_ops_of(k)->forward == forward;
	*of_functions = first || second;
	if (!first || !second)
		return false;
	const func_loss *f = bl_loss_ctx(l), *g = bl_loss_ctx(k);
	return strcmp(f->spec.name, g->spec.name) == 0 && strcmp(f->spec.turn, g->spec.turn) == 0 &&
	       f->spec.named == g->spec.named && (!f->spec.named || memcmp(f->spec.term, g->spec.term, sizeof f->spec.term) == 0) &&
	       same_parameters(&f->spec, &g->spec) && bl_function_same(f->function, g->function);
}

/* --- making --- */

typedef struct parameter {
	double preset, min, max;
	bool settable;
	const char *help;
} parameter;

static const bl_field parameter_fields[] = {
	{ .name = "default", .kind = BL_FIELD_DOUBLE, .offset = offsetof(parameter, preset), BL_REQUIRED, .help = "initial value" },
	BL_FIELD(DOUBLE, parameter, min, BL_OTHERWISE("any"), .help = "smallest allowed value"),
	BL_FIELD(DOUBLE, parameter, max, BL_OTHERWISE("any"), .help = "largest allowed value"),
	BL_FIELD(BOOL, parameter, settable, BL_DEFAULT(true), .help = "may be changed while a run trains"),
	BL_FIELD(TEXT, parameter, help, BL_TEXT(""), .help = "what it does"),
	BL_FIELD_END,
};

static bool has(lua_State *L, const char *key)
{
	bool there = lua_getfield(L, -1, key) != LUA_TNIL;
	lua_pop(L, 1);
	return there;
}

/* Reads parameter k, whose name is in s, from the value on top: a number, or {default = 25, min = 0}. */
static void add_parameter(lua_State *L, spec *s, int k)
{
	const char *name = s->parameter[k], *what = lua_pushfstring(L, "loss.func: parameter '%s'", name);
	parameter p = { .min = -DBL_MAX, .max = INFINITY, .settable = true, .help = "" };
	bool ranged = false;
	lua_insert(L, -2);
	if (lua_type(L, -1) == LUA_TNUMBER) {
		p.preset = lua_tonumber(L, -1);
	} else if (lua_istable(L, -1)) {
		ranged = has(L, "min") || has(L, "max");
		bl_lua_take_table(L, -1, what, parameter_fields, &p);
		lua_pop(L, 1);
	} else {
		luaL_error(L, "%s is %s: expected a number, or {default = 25, min = 0}", what, bl_lua_describe(L, lua_gettop(L)));
	}
	strncpy(s->help[k], p.help, sizeof s->help[k] - 1);
	s->fields[k] = (bl_field){ .kind = BL_FIELD_DOUBLE,
		                   .offset = (size_t)k * sizeof(double),
		                   .presets = 1,
		                   .preset = { p.preset },
		                   .min = ranged ? p.min : 0,
		                   .max = ranged ? p.max : 0,
		                   .settable = p.settable };
	s->fields[k].name = name;
	if (bl_field_set(&s->fields[k], (double[PARAMETERS]){ 0 }, &p.preset, 1) != 0)
		luaL_error(L, "loss.func: the default of %s", bl_error());
	lua_pop(L, 2);
}

/* Reads the table on top.  Parameters are sorted by name: a table has no order, and equal losses must have equal specs. */
static void take_parameters(lua_State *L, spec *s)
{
	int n = 0, table = lua_gettop(L);
	if (lua_isnil(L, table))
		return;
	if (!lua_istable(L, table))
		bl_lua_bad(L, "loss.func", "parameters", "a table, as in {mu = {default = 25, min = 0}}", table);
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		if (n == PARAMETERS)
			luaL_error(L, "loss.func: more than %d parameters", PARAMETERS);
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "loss.func: parameters: expected names, as in {mu = {default = 25}}, got %s",
			           bl_lua_describe(L, lua_gettop(L) - 1));
		check_name(L, "parameter", lua_tostring(L, -2));
		strcpy(s->parameter[n++], lua_tostring(L, -2));
	}
	qsort(s->parameter, (size_t)n, sizeof s->parameter[0], by_name);
	for (int k = 0; k < n; k++) {
		lua_getfield(L, table, s->parameter[k]);
		add_parameter(L, s, k);
	}
}

static void take_terms(lua_State *L, spec *s)
{
	int list = lua_gettop(L);
	if (lua_isnil(L, list))
		return;
	if (!lua_istable(L, list) || lua_rawlen(L, list) < 1 || lua_rawlen(L, list) > BL_LOSS_TERMS)
		bl_lua_bad(L, "loss.func", "terms", "a list of 1 to 8 names", list);
	s->named = true;
	for (int k = 0; k < (int)lua_rawlen(L, list); k++) {
		if (lua_rawgeti(L, list, k + 1) != LUA_TSTRING)
			bl_lua_bad(L, "loss.func", "terms", "a list of names", -1);
		check_term(L, "loss.func: ", s, lua_tostring(L, -1));
		for (int i = 0; i < k; i++)
			if (strcmp(s->term[i], lua_tostring(L, -1)) == 0)
				luaL_error(L, "loss.func: 'terms' has '%s' twice", s->term[i]);
		strcpy(s->term[k], lua_tostring(L, -1));
		lua_pop(L, 1);
	}
}

static bl_loss *make(lua_State *L, int function, const spec *s)
{
	func_loss *f = calloc(1, sizeof *f);
	if (!f)
		return bl_fail_null("no memory for a loss");
	f->spec = *s;
	for (int k = 0; k < PARAMETERS && f->spec.parameter[k][0]; k++) { /* pointers to the copied names */
		f->spec.fields[k].name = f->spec.parameter[k];
		f->spec.fields[k].help = f->spec.help[k];
	}
	list_terms(f);
	f->ops = (bl_loss_ops){ .name = f->spec.name,
		                .help = "a Lua function",
		                .fields = f->spec.fields,
		                .terms = f->terms,
		                .turn = f->spec.turn[0] ? f->spec.turn : NULL,
		                .labels = true,
		                .forward = forward,
		                .release = release };
	bl_lua_enter(L);
	if (bl_lua_check_globals(L, function) == 0 && bl_function_make(L, function, &f->function) == 0)
		return bl_loss_new(&f->ops, NULL, f);
	release(f);
	return NULL;
}

bl_loss *bl_lua_func_loss(lua_State *L, int index)
{
	return make(L, lua_absindex(L, index), &(spec){ .name = "func" });
}

/* --- loss.func --- */

typedef struct func_arguments {
	const char *name, *turn;
} func_arguments;

const bl_field bl_lua_func_loss_fields[] = {
	BL_FIELD_UNREAD(
		"f", "a function of the views' embeddings", BL_REQUIRED, .position = 1,
		.help = "called with the embeddings (N, D) of each view, a table of the parameters, and a table about the "
			"batch (step, epoch, seed, rows, labels); returns a scalar, or a table of named terms, whose sum is "
			"the loss. In a run, random numbers (math.random, tensor.rand) are derived from the run's seed and "
			"the step, and what calls store in tables or globals is lost when the run is resumed"),
	BL_FIELD_UNREAD("parameters", "a table of {default =, min =, max =, settable = true, help =} by name", BL_OTHERWISE("none"),
	                .help = "numbers that are passed to the function by name and that t:set{} may change"),
	BL_FIELD_UNREAD("terms", "a list of 1 to 8 names", BL_OTHERWISE("as the first call names them, in alphabetical order"),
	                .help = "the names of the terms in the order in which they are shown"),
	BL_FIELD(TEXT, func_arguments, turn, BL_TEXT(""), .help = "the parameter that the keys + and - change; empty: the first"),
	BL_FIELD(TEXT, func_arguments, name, BL_TEXT("func"), .help = "its name in messages"),
	BL_FIELD_END,
};

int bl_lua_make_func_loss(lua_State *L)
{
	func_arguments a;
	spec s = { .name = "" };
	bl_lua_take(L, &a);
	check_name(L, "loss.func:", a.name);
	strcpy(s.name, a.name);
	lua_getfield(L, 1, "parameters");
	take_parameters(L, &s);
	lua_getfield(L, 1, "terms");
	take_terms(L, &s);
	const bl_field *turn = bl_field_find(s.fields, a.turn);
	if (*a.turn && !(turn && turn->settable))
		return luaL_error(L, "loss.func: 'turn' is '%s', which is not a settable parameter", a.turn);
	strncpy(s.turn, a.turn, sizeof s.turn - 1);
	lua_getfield(L, 1, "f");
	bl_loss *l = make(L, lua_gettop(L), &s);
	return l ? bl_lua_give_loss(L, l) : luaL_error(L, "loss.func: %s", bl_error());
}
