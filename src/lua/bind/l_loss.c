/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_loss.c: `loss`: the Barlow Twins loss as an object that is called, and its matrix. */
#include "lua/bind/face.h"

static const char *const forms[] = { "auto", "direct", "gram", NULL };
static const char *const dialects[] = { "paper", "algorithm1", "hsic", NULL };

/* barlow{lambda = .0051, scale = 1, form = "auto", dialect = "paper"} */
static int loss_barlow(lua_State *L)
{
	typedef struct args { double lambda, scale; int form, dialect; } args;
	static const bl_key keys[] = {
		BL_KEY(DOUBLE, args, lambda, .max = 1e30),
		BL_KEY(DOUBLE, args, scale, .min = 1e-30, .max = 1e30),
		BL_KEY(CHOICE, args, form, .choices = forms),
		BL_KEY(CHOICE, args, dialect, .choices = dialects),
		BL_KEY_END,
	};
	args a = { BL_LOSS_DEFAULT.lambda, BL_LOSS_DEFAULT.scale, BL_FORM_AUTO, BL_DIALECT_PAPER };
	bl_lua_arguments(L, "loss.barlow", keys, &a);
	bl_loss_config *c = bl_lua_new(L, BL_T_LOSS, sizeof *c);
	*c = (bl_loss_config){ a.lambda, a.scale, (bl_loss_form)a.form, (bl_loss_dialect)a.dialect };
	return 1;
}

static bl_loss_config *config(lua_State *L)
{
	return bl_lua_check(L, 1, BL_T_LOSS);
}

static void push_terms(lua_State *L, const bl_loss_terms *t)
{
	lua_createtable(L, 0, 5);
	lua_pushnumber(L, t->invariance);
	lua_setfield(L, -2, "invariance");
	lua_pushnumber(L, t->redundancy);
	lua_setfield(L, -2, "redundancy");
	lua_pushnumber(L, t->total);
	lua_setfield(L, -2, "total");
	lua_pushnumber(L, t->floor);
	lua_setfield(L, -2, "floor");
}

/* loss(za, zb): the scalar to go backward from, and its terms */
static int l_call(lua_State *L)
{
	bl_loss_terms terms;
	bl_lua_give_tensor(L, bl_loss_barlow(config(L), bl_lua_tensor(L, 2), bl_lua_tensor(L, 3), &terms));
	push_terms(L, &terms);
	return 2;
}

static int l_tostring(lua_State *L)
{
	const bl_loss_config *c = config(L);
	lua_pushfstring(L, "loss.barlow{lambda = %f, scale = %f, form = \"%s\", dialect = \"%s\"}", c->lambda, c->scale,
	                forms[c->form], dialects[c->dialect]);
	return 1;
}

/* floor(n, d): what the loss of n embeddings of width d cannot go below */
static int lower_bound(lua_State *L)
{
	lua_pushnumber(L, bl_loss_floor(config(L), luaL_checkinteger(L, 2), luaL_checkinteger(L, 3)));
	return 1;
}

static int p_lambda(lua_State *L) { return lua_pushnumber(L, config(L)->lambda), 1; }
static int p_scale(lua_State *L) { return lua_pushnumber(L, config(L)->scale), 1; }
static int p_form(lua_State *L) { return lua_pushstring(L, forms[config(L)->form]), 1; }
static int p_dialect(lua_State *L) { return lua_pushstring(L, dialects[config(L)->dialect]), 1; }

/* correlation(za, zb[, dialect]): C (D,D) */
static int loss_correlation(lua_State *L)
{
	int dialect = luaL_checkoption(L, 3, "paper", dialects);
	return bl_lua_give_tensor(L, bl_loss_correlation((bl_loss_dialect)dialect, bl_lua_tensor(L, 1),
	                                                 bl_lua_tensor(L, 2)));
}

/* cross_entropy(logits (N,K), labels): labels count from 1 */
static int loss_cross_entropy(lua_State *L)
{
	bl_tensor *logits = bl_lua_tensor(L, 1);
	int64_t n, *v = bl_lua_integers(L, 2, "cross_entropy: labels", &n);
	int64_t classes = bl_tensor_ndim(logits) == 2 ? bl_tensor_size(logits, 1) : 0;
	char buf[BL_SHAPE_TEXT];
	if (!classes || n != bl_tensor_size(logits, 0))
		return luaL_error(L, "cross_entropy: %I labels for logits %s", (lua_Integer)n,
				  bl_tensor_text(logits, buf));
	int32_t *labels = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *labels, 0);
	for (int64_t i = 0; i < n; i++) {
		if (v[i] < 1 || v[i] > classes)
			return luaL_error(L, "cross_entropy: label %I is %I, outside of 1..%I", (lua_Integer)i + 1,
					  (lua_Integer)v[i], (lua_Integer)classes);
		labels[i] = (int32_t)(v[i] - 1);
	}
	return bl_lua_give_tensor(L, bl_cross_entropy(logits, labels));
}

static const luaL_Reg meta[] = { { "__call", l_call }, { "__tostring", l_tostring }, { NULL, NULL } };
static const luaL_Reg methods[] = { { "floor", lower_bound }, { NULL, NULL } };
static const luaL_Reg properties[] = {
	{ "lambda", p_lambda }, { "scale", p_scale }, { "form", p_form }, { "dialect", p_dialect }, { NULL, NULL },
};
static const luaL_Reg constructors[] = { { "barlow", loss_barlow }, { NULL, NULL } };
static const luaL_Reg functions[] = {
	{ "correlation", loss_correlation }, { "cross_entropy", loss_cross_entropy }, { NULL, NULL },
};

int bl_lua_open_loss(lua_State *L)
{
	bl_lua_define(L, &(bl_lua_class){ BL_T_LOSS, meta, methods, properties, NULL });
	luaL_newlib(L, functions);
	bl_lua_constructors(L, "loss", constructors);
	return 1;
}
