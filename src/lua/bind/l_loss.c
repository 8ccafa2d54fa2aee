/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_loss.c: `loss`: the Barlow Twins loss as an object that is called, and its matrix. */
#include "lua/bind/face.h"

static const char *const forms[] = { "auto", "direct", "gram", NULL };
static const char *const dialects[] = { "paper", "algorithm1", "hsic", NULL };

typedef struct args { double lambda, scale; int form, dialect; } args;

static const bl_field barlow_fields[] = {
	BL_FIELD(DOUBLE, args, lambda, BL_DEFAULT(.0051), BL_AT_LEAST(0), .settable = true,
	         .help = "weight of the redundancy term, the sum of C_ij^2 beside the diagonal"),
	BL_FIELD(DOUBLE, args, scale, BL_DEFAULT(1), BL_ABOVE(0), .help = "factor on the whole loss"),
	BL_FIELD(CHOICE, args, form, BL_DEFAULT(BL_FORM_AUTO), .choices = forms,
	         .help = "direct makes C (D x D); gram never does, O(N^2 D); auto takes the cheaper: the same loss"),
	BL_FIELD(CHOICE, args, dialect, BL_DEFAULT(BL_DIALECT_PAPER), .choices = dialects,
	         .help = "paper: biased variance; algorithm1: unbiased, as its code; hsic: target -1 beside the diagonal"),
	BL_FIELD_END,
};

static int loss_barlow(lua_State *L)
{
	args a;
	bl_lua_take(L, &a);
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
static const bl_lua_function methods[] = {
	BL_LUA("()", NULL, "(za: tensor, zb: tensor): tensor, table",
	       "The loss of two embeddings (N, D): a scalar to go backward from, and its terms.",
	       "loss.barlow{lambda = .005}(tensor.randn(8, 4), tensor.randn(8, 4))"),
	BL_LUA("floor", lower_bound, "(n: integer, d: integer): number",
	       "What the loss of n embeddings of width d cannot go below.", "loss.barlow{}:floor(256, 8192)"),
	BL_LUA_END,
};
static const bl_lua_function properties[] = {
	BL_LUA("lambda", p_lambda, ": number", "As it was given.", "loss.barlow{}.lambda"),
	BL_LUA("scale", p_scale, ": number", "As it was given.", "loss.barlow{}.scale"),
	BL_LUA("form", p_form, ": string", "As it was given.", "loss.barlow{}.form"),
	BL_LUA("dialect", p_dialect, ": string", "As it was given.", "loss.barlow{}.dialect"),
	BL_LUA_END,
};
static const bl_lua_function constructors[] = {
	BL_LUA("barlow", loss_barlow, ": loss", "The Barlow Twins loss: call it with two embeddings (N, D).",
	       "loss.barlow{lambda = .005}(tensor.randn(8, 4), tensor.randn(8, 4))", .fields = barlow_fields),
	BL_LUA_END,
};
static const bl_lua_function functions[] = {
	BL_LUA("correlation", loss_correlation, "(za: tensor, zb: tensor, dialect?: string): tensor",
	       "The cross-correlation matrix C (D, D).", "loss.correlation(tensor.randn(8, 4), tensor.randn(8, 4))"),
	BL_LUA("cross_entropy", loss_cross_entropy, "(logits: tensor, labels: integer[]|tensor): tensor",
	       "Mean of -log softmax at the labels, which count from 1.", "loss.cross_entropy(tensor.randn(2, 3), {1, 3})"),
	BL_LUA_END,
};

int bl_lua_open_loss(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ BL_T_LOSS, "l", meta, methods, properties, NULL });
	bl_lua_module_new(L, "loss");
	bl_lua_functions(L, "loss", functions);
	bl_lua_makers(L, "loss", constructors);
	return 1;
}
