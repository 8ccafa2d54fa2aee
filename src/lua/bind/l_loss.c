/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_loss.c: `loss`: losses as callable objects, and the matrix C of Barlow Twins. */
#include "lua/bind/face.h"

#include <string.h>

/* (source, settings) -> the source of a loss with these settings */
static int source_with(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.run", "loss_source", 2);
}

int bl_lua_give_loss_with(lua_State *L, const double settings[BL_LOSS_ROOM])
{
	int base = lua_gettop(L);
	bl_loss *l = bl_loss_with(bl_lua_loss(L, base), settings);
	bl_lua_give_loss(L, l);
	bl_lua_source(L, base);
	if (lua_isnil(L, -1))
		return lua_settop(L, base + 1), 1;
	lua_pushcfunction(L, source_with);
	lua_insert(L, -2);
	lua_newtable(L);
	for (const bl_field *f = bl_loss_ops_of(l)->fields; f->name; f++)
		if (f->settable) {
			bl_lua_push_value(L, f, settings);
			lua_setfield(L, -2, f->name);
		}
	lua_call(L, 2, 1);
	lua_setiuservalue(L, base + 1, 1);
	return 1;
}

/* --- constructors, one for each kind --- */

static int make(lua_State *L)
{
	double settings[BL_LOSS_ROOM] = { 0 };
	bl_lua_take(L, settings);
	return bl_lua_give_loss(L, bl_loss_new(bl_lua_running(L)->context, settings, NULL));
}

/* Adds a constructor for each kind.  Descriptions live as long as the state. */
static void add_kinds(lua_State *L)
{
	for (int i = 0; bl_loss_kind(i); i++) {
		const bl_loss_ops *ops = bl_loss_kind(i);
		bl_lua_function *list = lua_newuserdatauv(L, 2 * sizeof *list, 0);
		luaL_ref(L, LUA_REGISTRYINDEX);
		const char *example = lua_pushfstring(L, "loss.%s{}(tensor.randn(8, 4), tensor.randn(8, 4))", ops->name);
		luaL_ref(L, LUA_REGISTRYINDEX);
		list[0] = (bl_lua_function)BL_LUA(ops->name, make, ": loss", ops->help, example, .fields = ops->fields,
		                                  .context = ops);
		list[1] = (bl_lua_function)BL_LUA_END;
		bl_lua_makers(L, "loss", list);
	}
}

/* --- methods of losses --- */

static void set_number(lua_State *L, const char *name, double v)
{
	lua_pushnumber(L, v);
	lua_setfield(L, -2, name);
}

/* loss(za, zb, ...): the scalar with its graph, and {invariance =, redundancy =, total =, floor =} */
static int l_call(lua_State *L)
{
	bl_loss *l = bl_lua_loss(L, 1);
	bl_tensor *z[BL_LOSS_VIEWS];
	int views = lua_gettop(L) - 1;
	bl_loss_result r;
	if (views > BL_LOSS_VIEWS)
		return luaL_error(L, "a loss of %d views: expected at most %d", views, BL_LOSS_VIEWS);
	for (int i = 0; i < views; i++)
		z[i] = bl_lua_tensor(L, i + 2);
	bl_lua_enter(L);
	bl_lua_give_tensor(L, bl_loss_forward(l, NULL, z, views, NULL, &r));
	lua_createtable(L, 0, BL_LOSS_TERMS + 2);
	for (int i = 0; i < bl_loss_terms(l); i++)
		set_number(L, bl_loss_ops_of(l)->terms[i].name, r.term[i]);
	set_number(L, "total", r.total);
	set_number(L, "floor", r.floor);
	return 2;
}

/* __eq: two losses are equal if kind and settings are; losses of functions, if code, upvalues, parameters and names are. */
static int l_equal(lua_State *L)
{
	bl_loss **at = bl_lua_test(L, 1, BL_T_LOSS), **other = bl_lua_test(L, 2, BL_T_LOSS);
	bool of_functions = false, same = at && other;
	if (same) {
		same = bl_lua_func_loss_same(*at, *other, &of_functions);
		if (!of_functions)
			same = bl_loss_ops_of(*at) == bl_loss_ops_of(*other) &&
			       bl_fields_same(bl_loss_ops_of(*at)->fields, bl_loss_settings(*at), bl_loss_settings(*other));
	}
	lua_pushboolean(L, same);
	return 1;
}

/* Returns Lua code that makes an equal loss; for a function only if the object has its source. */
static int l_tostring(lua_State *L)
{
	const bl_loss *l = bl_lua_loss(L, 1);
	char text[512];
	bool of_function;
	bl_lua_func_loss_same(l, l, &of_function);
	if (of_function && bl_lua_as_recipe(L, 1))
		return 1;
	lua_pushfstring(L, "loss.%s{%s}", bl_loss_ops_of(l)->name,
	                bl_fields_text(bl_loss_ops_of(l)->fields, bl_loss_settings(l), text, sizeof text));
	return 1;
}

static int l_gc(lua_State *L)
{
	bl_loss **at = bl_lua_check(L, 1, BL_T_LOSS), *gone = *at;
	*at = NULL;
	bl_lua_enter(L);
	bl_loss_unref(gone);
	return 0;
}

/* l.lambda: any of its settings */
static int l_element(lua_State *L)
{
	const bl_loss *l = bl_lua_loss(L, 1);
	const bl_field *fields = bl_loss_ops_of(l)->fields;
	const bl_field *f = lua_type(L, 2) == LUA_TSTRING ? bl_field_find(fields, lua_tostring(L, 2)) : NULL;
	if (!f)
		return 0;
	bl_lua_push_value(L, f, bl_loss_settings(l));
	return 1;
}

static int l_fields(lua_State *L)
{
	lua_pushlightuserdata(L, (void *)(uintptr_t)bl_loss_ops_of(bl_lua_loss(L, 1))->fields);
	return 1;
}

/* floor(n, d[, views = 2]): a lower bound of the loss of n embeddings of width d; NaN: none is known */
static int lower_bound(lua_State *L)
{
	int views = (int)luaL_optinteger(L, 4, 2);
	luaL_argcheck(L, views >= 2 && views <= BL_LOSS_VIEWS, 4, "a loss has 2 to 16 views");
	lua_pushnumber(L, bl_loss_floor(bl_lua_loss(L, 1), NULL, views, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3)));
	return 1;
}

static int p_kind(lua_State *L)
{
	return lua_pushstring(L, bl_loss_ops_of(bl_lua_loss(L, 1))->name), 1;
}

/* --- functions --- */

static const char *const dialects[] = { "paper", "algorithm1", "hsic", "unbiased", NULL };

/* correlation(za, zb[, dialect]): C (D,D) */
static int loss_correlation(lua_State *L)
{
	int dialect = 0;
	const char *word = luaL_optstring(L, 3, dialects[0]);
	while (dialects[dialect] && strcmp(dialects[dialect], word) != 0)
		dialect++;
	if (!dialects[dialect])
		return bl_lua_unknown(L, "loss.correlation", "dialect", word, dialects);
	return bl_lua_give_tensor(L, bl_loss_correlation((bl_loss_dialect)dialect, bl_lua_tensor(L, 1), bl_lua_tensor(L, 2)));
}

/* cross_entropy(logits (N,K), labels): labels count from 1 */
static int loss_cross_entropy(lua_State *L)
{
	bl_tensor *logits = bl_lua_tensor(L, 1);
	int64_t n, *v = bl_lua_integers(L, 2, "cross_entropy: labels", &n);
	int64_t classes = bl_tensor_ndim(logits) == 2 ? bl_tensor_size(logits, 1) : 0;
	char buf[BL_SHAPE_TEXT];
	if (!classes || n != bl_tensor_size(logits, 0))
		return luaL_error(L, "cross_entropy: %I labels for logits %s", (lua_Integer)n, bl_tensor_text(logits, buf));
	int32_t *labels = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *labels, 0);
	for (int64_t i = 0; i < n; i++) {
		if (v[i] < 1 || v[i] > classes)
			return luaL_error(L, "cross_entropy: label %I is %I, outside of 1..%I", (lua_Integer)i + 1,
			                  (lua_Integer)v[i], (lua_Integer)classes);
		labels[i] = (int32_t)(v[i] - 1);
	}
	return bl_lua_give_tensor(L, bl_cross_entropy(logits, labels));
}

static const bl_lua_function makers[] = {
	BL_LUA("func", bl_lua_make_func_loss, ": loss",
	       "A Lua function as a loss. Threads of a run call copies of it, so its upvalues must be plain values.",
	       "loss.func{ function(za, zb, p) return p.mu * ((za - zb) ^ 2):mean() end, parameters = { mu = 25 } }",
	       .fields = bl_lua_func_loss_fields),
	BL_LUA_END,
};

static const luaL_Reg meta[] = {
	{ "__call", l_call }, { "__tostring", l_tostring }, { "__eq", l_equal }, { "__gc", l_gc }, { NULL, NULL }
};
static const bl_lua_function methods[] = {
	BL_LUA("()", NULL, "(za: tensor, zb: tensor, ...: tensor): tensor, table",
	       "The loss of the views' embeddings (N, D): a scalar, on which :backward() can be called, and a table of its terms.",
	       "loss.barlow{}(tensor.randn(8, 4), tensor.randn(8, 4))"),
	BL_LUA("floor", lower_bound, "(n: integer, d: integer, views?: integer): number",
	       "A lower bound of the loss of n embeddings of width d; NaN: none is known.", "loss.barlow{}:floor(256, 8192)"),
	BL_LUA_END,
};
static const bl_lua_function properties[] = {
	BL_LUA("kind", p_kind, ": string",
	       "The name of its kind, such as \"barlow\". Its settings are read by their names: l.lambda.", "loss.barlow{}.kind"),
	BL_LUA_END,
};
static const bl_lua_function functions[] = {
	BL_LUA("correlation", loss_correlation, "(za: tensor, zb: tensor, dialect?: string): tensor",
	       "The cross-correlation matrix C (D, D).", "loss.correlation(tensor.randn(8, 4), tensor.randn(8, 4))"),
	BL_LUA("cross_entropy", loss_cross_entropy, "(logits: tensor, labels: integer[]|tensor): tensor",
	       "Mean of -log softmax(logits) at the labels, which count from 1.", "loss.cross_entropy(tensor.randn(2, 3), {1, 3})"),
	BL_LUA_END,
};

int bl_lua_open_loss(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ .name = BL_T_LOSS,
	                                      .self = "l",
	                                      .meta = meta,
	                                      .methods = methods,
	                                      .properties = properties,
	                                      .element = l_element,
	                                      .fields = l_fields });
	bl_lua_module_new(L, "loss");
	bl_lua_functions(L, "loss", functions);
	add_kinds(L);
	bl_lua_makers(L, "loss", makers);
	return 1;
}
