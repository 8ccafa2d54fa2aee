/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_rng.c: `rng`, which draws from the random stream of the current call of a function. */
#include "lua/bind/face.h"

#include <math.h>

#define TYPE "rng"
#define ONLY "barlow.rng" /* registry: the one rng object of a state */

void bl_lua_push_rng(lua_State *L)
{
	if (lua_getfield(L, LUA_REGISTRYINDEX, ONLY) != LUA_TNIL)
		return;
	lua_pop(L, 1);
	bl_lua_new(L, TYPE, 1);
	lua_pushvalue(L, -1);
	lua_setfield(L, LUA_REGISTRYINDEX, ONLY);
}

static void check(lua_State *L)
{
	bl_lua_check(L, 1, TYPE);
	if (!bl_ambient_here()->stream)
		luaL_error(L, "rng: the call that it belongs to has ended");
}

/* Returns a uniform number in [0, 1), with 53 random bits. */
static double uniform(void)
{
	return (double)(bl_lua_stream_bits() >> 11) * 0x1p-53;
}

static double number(lua_State *L, int arg, double otherwise)
{
	double v = luaL_optnumber(L, arg, otherwise);
	luaL_argcheck(L, isfinite(v), arg, "expected a finite number");
	return v;
}

static int r_uniform(lua_State *L)
{
	check(L);
	double low = number(L, 2, 0), high = number(L, 3, 1);
	if (lua_gettop(L) == 2)
		luaL_argerror(L, 3, "expected the upper bound as well");
	luaL_argcheck(L, low <= high, 3, "the upper bound is below the lower one");
	lua_pushnumber(L, low + (high - low) * uniform());
	return 1;
}

static int r_normal(lua_State *L)
{
	check(L);
	double mean = number(L, 2, 0), std = number(L, 3, 1);
	luaL_argcheck(L, std >= 0, 3, "a standard deviation below 0");
	lua_pushnumber(L, mean + std * (double)bl_rng_normal(bl_ambient_here()->stream));
	return 1;
}

/* integer(n): 1 to n; integer(low, high) */
static int r_integer(lua_State *L)
{
	check(L);
	bool one = lua_isnoneornil(L, 3);
	lua_Integer low = one ? 1 : luaL_checkinteger(L, 2), high = luaL_checkinteger(L, one ? 2 : 3);
	luaL_argcheck(L, low <= high, one ? 2 : 3, "there is no integer between the bounds");
	lua_pushinteger(L, bl_lua_stream_integer(low, high));
	return 1;
}

static int r_bernoulli(lua_State *L)
{
	check(L);
	double p = number(L, 2, .5);
	luaL_argcheck(L, p >= 0 && p <= 1, 2, "expected a probability from 0 to 1");
	lua_pushboolean(L, uniform() < p);
	return 1;
}

static double weight(lua_State *L, int arg, lua_Integer i)
{
	lua_geti(L, arg, i);
	double w = lua_tonumber(L, -1);
	luaL_argcheck(L, lua_isnumber(L, -1) && w >= 0 && isfinite(w), arg, "expected numbers of 0 and above");
	lua_pop(L, 1);
	return w;
}

/* choice(list[, weights]) */
static int r_choice(lua_State *L)
{
	check(L);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_Integer n = luaL_len(L, 2), i = 1;
	luaL_argcheck(L, n > 0, 2, "there is nothing to choose from");
	if (lua_isnoneornil(L, 3)) {
		lua_geti(L, 2, bl_lua_stream_integer(1, n));
		return 1;
	}
	double sum = 0;
	luaL_checktype(L, 3, LUA_TTABLE);
	luaL_argcheck(L, luaL_len(L, 3) == n, 3, "expected as many weights as items");
	for (lua_Integer k = 1; k <= n; k++)
		sum += weight(L, 3, k);
	luaL_argcheck(L, sum > 0 && isfinite(sum), 3, "the weights' sum must be above 0");
	double left = uniform() * sum - weight(L, 3, 1);
	while (i < n && left >= 0)
		left -= weight(L, 3, ++i);
	lua_geti(L, 2, i);
	return 1;
}

/*
 * The logarithm of a gamma variate of shape a and scale 1 (Marsaglia and Tsang 2000); for a small shape the variate itself
 * often underflows to 0.
 */
static double log_gamma_draw(double a)
{
	if (a < 1)
		return log_gamma_draw(a + 1) + log(1 - uniform()) / a;
	double d = a - 1 / 3., c = 1 / sqrt(9 * d);
	for (;;) {
		double x = (double)bl_rng_normal(bl_ambient_here()->stream), v = 1 + c * x;
		if (v <= 0)
			continue;
		v = v * v * v;
		if (log(1 - uniform()) < x * x / 2 + d - d * v + d * log(v))
			return log(d) + log(v);
	}
}

/* beta(a[, b]) */
static int r_beta(lua_State *L)
{
	check(L);
	double a = luaL_checknumber(L, 2), b = luaL_optnumber(L, 3, a);
	luaL_argcheck(L, a > 0 && a <= 1e6, 2, "expected a number above 0, at most 1e6");
	luaL_argcheck(L, b > 0 && b <= 1e6, 3, "expected a number above 0, at most 1e6");
	double x = log_gamma_draw(a), y = log_gamma_draw(b);
	lua_pushnumber(L, 1 / (1 + exp(y - x)));
	return 1;
}

/* permutation(n): 1 to n in a random order */
static int r_permutation(lua_State *L)
{
	check(L);
	lua_Integer n = luaL_checkinteger(L, 2);
	luaL_argcheck(L, n >= 0 && n <= 1000 * 1000, 2, "expected 0 to 1000000");
	lua_createtable(L, (int)n, 0);
	/* Inside-out shuffle: item i is put at a drawn index, and the item that was there moves to the end. */
	for (lua_Integer i = 1; i <= n; i++) {
		lua_Integer to = bl_lua_stream_integer(1, i);
		lua_rawgeti(L, -1, to);
		lua_rawseti(L, -2, i);
		lua_pushinteger(L, i);
		lua_rawseti(L, -2, to);
	}
	return 1;
}

#define EXAMPLE(draw) "aug.func(function(img, rng) local x = " draw " return img end)(data.shapes{n = 1, size = 8}[1].image)"
static const bl_lua_function methods[] = {
	BL_LUA("uniform", r_uniform, "(low?: number, high?: number): number", "Uniform in [0, 1), or between two numbers.",
	       EXAMPLE("rng:uniform(.5, 1)")),
	BL_LUA("normal", r_normal, "(mean?: number, std?: number): number",
	       "Normally distributed, by default with mean 0 and standard deviation 1.", EXAMPLE("rng:normal(0, .1)")),
	BL_LUA("integer", r_integer, "(low: integer, high?: integer): integer",
	       "A uniform integer from 1 to n, or from the first to the second.", EXAMPLE("rng:integer(8)")),
	BL_LUA("bernoulli", r_bernoulli, "(p?: number): boolean", "True with probability p (0.5).", EXAMPLE("rng:bernoulli(.2)")),
	BL_LUA("choice", r_choice, "(list: any[], weights?: number[]): any", "An item of a list, chosen uniformly or by weights.",
	       EXAMPLE("rng:choice({1, 2, 3}, {.5, .25, .25})")),
	BL_LUA("permutation", r_permutation, "(n: integer): integer[]", "The integers 1 to n in a random order.",
	       EXAMPLE("rng:permutation(4)")),
	BL_LUA("beta", r_beta, "(a: number, b?: number): number", "Beta distributed, in [0, 1]; b is a by default.",
	       EXAMPLE("rng:beta(.4)")),
	BL_LUA_END,
};

void bl_lua_define_rng(lua_State *L)
{
	static const luaL_Reg meta[] = { { NULL, NULL } };
	bl_lua_define_type(L, &(bl_lua_type){ .name = TYPE, .self = "rng", .meta = meta, .methods = methods });
}
