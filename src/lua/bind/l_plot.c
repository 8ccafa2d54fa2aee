/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_plot.c: `plot`: figures, saved through gnuplot. */
#include "lua/bind/face.h"

#include <barlow/figure.h>

enum { SERIES_MAX = 32 };

static int give(lua_State *L, bl_figure *f)
{
	if (!f)
		return bl_lua_fail(L);
	*(bl_figure **)bl_lua_new(L, BL_T_FIGURE, sizeof f) = f;
	return 1;
}

/* curves(trainer) */
static int plot_curves(lua_State *L)
{
	return give(L, bl_figure_curves(bl_trainer_live(bl_lua_trainer(L, 1))));
}

/* heatmap(matrix[, {title = ""}]) */
static int plot_heatmap(lua_State *L)
{
	const char *title = "";
	const bl_key keys[] = { { .name = "title", .kind = BL_KEY_TEXT }, BL_KEY_END };
	bl_tensor *t = bl_lua_tensor(L, 1);
	if (!lua_isnoneornil(L, 2))
		bl_lua_fields(L, 2, "plot.heatmap", keys, &title);
	return give(L, bl_figure_heatmap(t, title));
}

/* Numbers of a list or a vector on top, in a userdata that is pushed in its place. */
static double *numbers(lua_State *L, int64_t *n)
{
	bl_tensor **t = bl_lua_test(L, -1, BL_T_TENSOR);
	*n = t ? bl_tensor_count(*t) : (int64_t)luaL_len(L, -1);
	double *v = lua_newuserdatauv(L, sizeof *v * (size_t)(*n + 1), 0);
	if (t) {
		float *f = lua_newuserdatauv(L, sizeof *f * (size_t)(*n + 1), 0);
		bl_tensor_read(*t, f);
		for (int64_t i = 0; i < *n; i++)
			v[i] = (double)f[i];
		lua_pop(L, 1);
	}
	for (int64_t i = 0; !t && i < *n; i++) {
		lua_rawgeti(L, -2, i + 1);
		if (lua_type(L, -1) != LUA_TNUMBER)
			luaL_error(L, "plot.lines: expected numbers, got %s", bl_lua_describe(L, lua_gettop(L)));
		v[i] = lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
	lua_replace(L, -2);
	return v;
}

/* {x = list, y = list, label = ""} or {x, y} on top; what it needs stays on the stack below it. */
static bl_series series(lua_State *L)
{
	bl_series s = { "", NULL, NULL, 0 };
	int64_t nx, ny;
	int item = lua_gettop(L);
	luaL_checktype(L, item, LUA_TTABLE);
	if (lua_getfield(L, item, "label") == LUA_TSTRING)
		s.label = lua_tostring(L, -1);
	if (lua_getfield(L, item, "x") == LUA_TNIL)
		lua_rawgeti(L, item, 1);
	s.x = numbers(L, &nx);
	if (lua_getfield(L, item, "y") == LUA_TNIL)
		lua_rawgeti(L, item, 2);
	s.y = numbers(L, &ny);
	if (nx != ny)
		luaL_error(L, "plot.lines: %I values of x for %I of y", (lua_Integer)nx, (lua_Integer)ny);
	s.n = nx;
	return s;
}

/* lines{ {x, y, label = "a"}, ..., title = "", xlabel = "", ylabel = "", logx = false, logy = false } */
static int plot_lines(lua_State *L)
{
	static const bl_key keys[] = {
		BL_KEY(TEXT, bl_axes, title),
		BL_KEY(TEXT, bl_axes, xlabel),
		BL_KEY(TEXT, bl_axes, ylabel),
		BL_KEY(BOOL, bl_axes, logx),
		BL_KEY(BOOL, bl_axes, logy),
		BL_KEY(BOOL, bl_axes, points), BL_KEY_END,
	};
	bl_axes axes = { .title = "", .xlabel = "", .ylabel = "" };
	bl_series all[SERIES_MAX];
	luaL_checktype(L, 1, LUA_TTABLE);
	int n = (int)lua_rawlen(L, 1);
	luaL_argcheck(L, n >= 1 && n <= SERIES_MAX, 1, "expected 1 to 32 series");
	luaL_checkstack(L, 10 * n + 10, "series");
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, 1);) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		if (lua_type(L, -2) == LUA_TSTRING)
			lua_rawset(L, 2);
		else
			lua_pop(L, 2);
	}
	bl_lua_fields(L, 2, "plot.lines", keys, &axes);
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, 1, i + 1);
		all[i] = series(L);
	}
	return give(L, bl_figure_lines(all, n, &axes));
}

/* figure:save(path) */
static int f_save(lua_State *L)
{
	bl_figure **f = bl_lua_check(L, 1, BL_T_FIGURE);
	if (bl_figure_save(*f, luaL_checkstring(L, 2)) < 0)
		return bl_lua_fail(L);
	lua_settop(L, 1);
	return 1;
}

static int f_gc(lua_State *L)
{
	bl_figure **f = bl_lua_check(L, 1, BL_T_FIGURE);
	if (*f)
		bl_figure_free(*f);
	*f = NULL;
	return 0;
}

static const luaL_Reg meta[] = { { "__gc", f_gc }, { NULL, NULL } };
static const luaL_Reg methods[] = { { "save", f_save }, { NULL, NULL } };
static const luaL_Reg functions[] = {
	{ "curves", plot_curves }, { "heatmap", plot_heatmap }, { "lines", plot_lines }, { NULL, NULL },
};

int bl_lua_open_plot(lua_State *L)
{
	bl_lua_define(L, &(bl_lua_class){ .type = BL_T_FIGURE, .meta = meta, .methods = methods });
	luaL_newlib(L, functions);
	return 1;
}
