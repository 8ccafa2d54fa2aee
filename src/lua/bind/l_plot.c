/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_plot.c: `plot`: constructors and methods of figures; most of them call lua/figure.lua. */
#include "lua/bind/face.h"

#include <barlow/figure.h>
#include <barlow/view.h>

#include <stdlib.h>
#include <string.h>

enum { SERIES_MAX = 32 };

/* Calls the function of lua/figure.lua that has the same name as the running function. */
static int through(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.figure", bl_lua_running(L)->name, lua_gettop(L));
}

typedef struct heatmap {
	const char *title;
	int batch;
} heatmap;
static const bl_field heatmap_fields[] = {
	BL_FIELD(TEXT, heatmap, title, BL_TEXT(""), .help = "title above the figure"),
	BL_FIELD(
		INT, heatmap, batch, BL_DEFAULT(0), BL_WITHIN(0, 1e9),
		.help = "number of images in C's batch: values that chance explains have the background colour; 0: only zero has it"),
	BL_FIELD_END,
};

/* heatmap(matrix[, {title = "", batch = 0}]), heatmap(run ...) */
static int plot_heatmap(lua_State *L)
{
	bl_lua_check_options(L, 2);
	lua_settop(L, 2);
	return through(L);
}

/* Replaces the list or tensor on top by a userdata with its *n numbers; `what` and `name` appear in error messages. */
static double *numbers(lua_State *L, const char *what, const char *name, int64_t *n)
{
	bl_tensor **t = bl_lua_test(L, -1, BL_T_TENSOR);
	if (!t && !lua_istable(L, -1))
		bl_lua_bad(L, what, name, "a list of numbers or a tensor", lua_gettop(L));
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
			luaL_error(L, "%s: '%s' must be numbers, got %s at %I", what, name, bl_lua_describe(L, lua_gettop(L)),
			           (lua_Integer)i + 1);
		v[i] = lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
	lua_replace(L, -2);
	return v;
}

/* Reads list `name` of the series at `index`: an interval's end for each of n points, kept on the stack.  NULL: no such list. */
static const double *interval_end(lua_State *L, int index, const char *what, const char *name, int64_t n)
{
	int64_t many;
	if (lua_getfield(L, index, name) == LUA_TNIL)
		return NULL;
	const double *v = numbers(L, what, name, &many);
	if (many != n)
		luaL_error(L, "%s: %I values of %s for %I of y", what, (lua_Integer)many, name, (lua_Integer)n);
	return v;
}

static void check_series_keys(lua_State *L, int index, const char *what)
{
	static const char *const known[] = { "x", "y", "label", "low", "high", NULL };
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		bool fine = lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= 2;
		if (lua_type(L, -2) == LUA_TSTRING)
			for (int i = 0; known[i] && !fine; i++)
				fine = strcmp(known[i], lua_tostring(L, -2)) == 0;
		if (fine)
			continue;
		lua_pushvalue(L, -2);
		bl_lua_unknown(L, what, "key", luaL_tolstring(L, -1, NULL), known);
	}
}

/* Reads {x = list, y = list, label = "", low = list, high = list} or {x, y} on top; its numbers stay on the stack below it. */
static bl_series series(lua_State *L, int place)
{
	bl_series s = { .label = "" };
	int64_t nx, ny;
	int item = lua_gettop(L);
	const char *what = lua_pushfstring(L, "plot.lines: series %d", place);
	if (!lua_istable(L, item))
		luaL_error(L, "%s must be a table {x, y, label = \"\"}, got %s", what, bl_lua_describe(L, item));
	check_series_keys(L, item, what);
	if (lua_getfield(L, item, "label") == LUA_TSTRING)
		s.label = lua_tostring(L, -1);
	else if (!lua_isnil(L, -1))
		bl_lua_bad(L, what, "label", "a string", lua_gettop(L));
	if (lua_getfield(L, item, "x") == LUA_TNIL)
		lua_rawgeti(L, item, 1);
	s.x = numbers(L, what, "x", &nx);
	if (lua_getfield(L, item, "y") == LUA_TNIL)
		lua_rawgeti(L, item, 2);
	s.y = numbers(L, what, "y", &ny);
	if (nx != ny)
		luaL_error(L, "%s: %I values of x for %I of y", what, (lua_Integer)nx, (lua_Integer)ny);
	s.n = nx;
	s.low = interval_end(L, item, what, "low", nx);
	s.high = interval_end(L, item, what, "high", nx);
	if (!s.low != !s.high)
		luaL_error(L, "%s: the ends of intervals are 'low' and 'high', of which one is missing", what);
	return s;
}

#define WORDS(field, of) BL_FIELD(TEXT, bl_axes, field, BL_TEXT(""), .help = of)
static const bl_field lines_fields[] = {
	WORDS(title, "title above the figure"),
	WORDS(xlabel, "label of the x axis"),
	WORDS(ylabel, "label of the y axis"),
	BL_FIELD(BOOL, bl_axes, logx, BL_DEFAULT(false), .help = "logarithmic x axis"),
	BL_FIELD(BOOL, bl_axes, logy, BL_DEFAULT(false), .help = "logarithmic y axis"),
	BL_FIELD(BOOL, bl_axes, points, BL_DEFAULT(false), .help = "draws points that are not joined by lines"),
	BL_FIELD(BOOL, bl_axes, equal, BL_DEFAULT(false), .help = "a unit has the same length on both axes"),
	BL_FIELD_END,
};

/* lines{ {x, y, label = "a"}, ..., title = "", xlabel = "", ylabel = "", logx = false, logy = false } */
static int plot_lines(lua_State *L)
{
	bl_axes axes = { .title = NULL };
	bl_series all[SERIES_MAX];
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argcheck(L, lua_isnoneornil(L, 2), 2, "title, labels and other settings must be in the same table as the series");
	lua_settop(L, 1);
	int n = (int)lua_rawlen(L, 1);
	luaL_argcheck(L, n >= 1 && n <= SERIES_MAX, 1, "expected 1 to 32 series");
	luaL_checkstack(L, 16 * n + 20, "series");
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, 1);) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		if (lua_type(L, -2) == LUA_TSTRING)
			lua_rawset(L, 2);
		else
			lua_pop(L, 2);
	}
	bl_lua_take_options(L, 2, &axes);
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, 1, i + 1);
		all[i] = series(L, i + 1);
	}
	return bl_lua_give_figure(L, bl_figure_lines(all, n, &axes));
}

static const char *const widths[] = { [BL_FIGURE_TEXT] = "text", [BL_FIGURE_COLUMN] = "column", NULL };
typedef struct saving {
	int width;
	bool record;
} saving;
static const bl_field save_fields[] = {
	BL_FIELD(CHOICE, saving, width, BL_DEFAULT(BL_FIGURE_TEXT), .choices = widths,
	         .help = "width of the figure: that of a paper's text (7 inches) or of one of its columns (3.35 inches)"),
	BL_FIELD(BOOL, saving, record, BL_DEFAULT(true),
	         .help = "stores runs, recipes (with the paths of data), seeds and data in the file, for barlow verify"),
	BL_FIELD_END,
};

/* figure:save(path[, {width = "text", record = true}]) */
static int f_save(lua_State *L)
{
	bl_lua_figure(L, 1);
	luaL_checkstring(L, 2);
	bl_lua_check_options(L, 3);
	lua_settop(L, 3);
	return bl_lua_call_module(L, "barlow.figure", "save", 3);
}

static const char *const shapes[] = {
	[BL_SHOW_AUTO] = "auto", [BL_SHOW_SIXEL] = "sixel", [BL_SHOW_BRAILLE] = "braille", [BL_SHOW_ASCII] = "ascii", NULL
};
typedef struct showing {
	int as, columns, rows;
} showing;
static const bl_field show_fields[] = {
	BL_FIELD(CHOICE, showing, as, BL_DEFAULT(BL_SHOW_AUTO), .choices = shapes,
	         .help = "auto: sixels if the terminal reports that it supports them, else braille; ASCII without a terminal"),
	BL_FIELD(INT, showing, columns, BL_DEFAULT(0), BL_WITHIN(0, 1000), .help = "width in characters; 0: the terminal's, or 80"),
	BL_FIELD(INT, showing, rows, BL_DEFAULT(0), BL_WITHIN(0, 1000),
	         .help = "height in characters; 0: the terminal's less two, or 24"),
	BL_FIELD_END,
};

/* figure:show{as = "auto", columns = 0, rows = 0} */
static int f_show(lua_State *L)
{
	showing s;
	bl_figure *f = bl_lua_figure(L, 1);
	bl_lua_take_options(L, 2, &s);
	if (bl_figure_show(f, &(bl_show){ (bl_show_as)s.as, s.columns, s.rows }) < 0)
		return bl_lua_fail(L);
	lua_settop(L, 1);
	return 0;
}

static int f_gc(lua_State *L)
{
	bl_figure **f = bl_lua_check(L, 1, BL_T_FIGURE);
	if (*f)
		bl_figure_free(*f);
	*f = NULL;
	return 0;
}

/* "figure of curves: its title" */
static int f_tostring(lua_State *L)
{
	const bl_panel *panel;
	bl_figure *f = bl_lua_figure(L, 1);
	int panels = bl_figure_panels_of(f, &panel);
	bl_lua_push_clean(L, bl_figure_title(f), false);
	const char *title = lua_tostring(L, -1), *colon = *title ? ": " : "";
	if (bl_figure_parts(f) > 1)
		lua_pushfstring(L, "figure of %d matrices", bl_figure_parts(f));
	else if (panels == 0)
		lua_pushfstring(L, "figure of a matrix%s%s", colon, title);
	else if (panels == 1)
		lua_pushfstring(L, "figure of %d series%s%s", panel->n, colon, title);
	else
		lua_pushfstring(L, "figure of %d panels%s%s", panels, colon, title);
	return 1;
}

static const luaL_Reg meta[] = { { "__gc", f_gc }, { "__tostring", f_tostring }, { NULL, NULL } };
static const bl_lua_function methods[] = {
	BL_LUA("save", f_save, "(path: string, settings?: table): figure",
	       "Draws it with gnuplot: .svg, .png, .pdf, .tex (\\input) or .gp (a script with its data).",
	       "plot.heatmap(tensor.eye(4))", .fields = save_fields),
	BL_LUA("show", f_show, "(settings?: table)",
	       "Shows it on the terminal: as sixels, or in braille and blocks; in ASCII without a terminal.",
	       "plot.heatmap(tensor.eye(4)):show{rows = 10}", .fields = show_fields),
	BL_LUA_END,
};
/* Settings that lua/figure.lua reads; they may also be items of the list of runs. */
static const bl_field curves_fields[] = {
	BL_FIELD_UNREAD("metric", "the name of a column of the records",
	                BL_OTHERWISE("loss, scores and own columns of one run, the total of several"),
	                .help = "the column that is drawn"),
	BL_FIELD_END,
};
static const bl_field compare_fields[] = {
	BL_FIELD_UNREAD("metric", "the name of a column, of a sweep's trials too", BL_OTHERWISE("\"knn\", of a sweep its metric"),
	                .help = "the column that is compared"),
	BL_FIELD_END,
};
static const bl_field embedding_fields[] = {
	BL_FIELD_UNREAD("labels", "a list or a tensor", BL_OTHERWISE("no classes"),
	                .help = "classes of points or features that are given as a tensor"),
	BL_FIELD_UNREAD("title", "a text", BL_OTHERWISE("none"), .help = "title above a figure of a tensor"),
	BL_FIELD_END,
};

static const bl_lua_function functions[] = {
	BL_LUA("curves", through, "(run: trainer|string|table, settings?: table): figure",
	       "Loss terms, floor and kNN of a trainer or a saved run; for {run, run, ..., metric = \"total\"}, one metric of several runs.",
	       "plot.curves(" BL_EXAMPLE_RUN ":step(2))", .fields = curves_fields),
	BL_LUA("heatmap", plot_heatmap, "(matrix: tensor|trainer|string|table, settings?: table): figure",
	       "A matrix, with colours fixed to [-1, 1]; for a large one, root mean squares of blocks; for runs, the newest C of each.",
	       "plot.heatmap(tensor.eye(4), {batch = 16})", .fields = heatmap_fields),
	BL_LUA("spectrum", through, "(run: tensor|trainer|string|table): figure",
	       "Eigenvalues of the embeddings' covariance and singular values of C, for one run or several; or for features (N, D).",
	       "plot.spectrum(tensor.randn(32, 8))"),
	BL_LUA("embedding", through, "(run: tensor|trainer|string|table, settings?: table): figure",
	       "The embeddings as points, by class: of a run that trains or whose screen has shown them; or of features (N, D), or points (N, 2).",
	       "plot.embedding(tensor.randn(32, 8))", .fields = embedding_fields),
	BL_LUA("compare", through, "(runs: table|sweep, metric?: string|table): figure",
	       "A metric of runs; those with the same recipe are one row with mean and interval; for a sweep, differences from its base.",
	       "pcall(plot.compare, {metric = \"knn\"})", .fields = compare_fields),
	BL_LUA("lines", plot_lines, "(settings: table): figure",
	       "A figure of curves, or of points without lines; low and high of a series are the intervals of its points.",
	       "plot.lines{{{1, 2, 3}, {1, 4, 9}, label = \"squares\"}}", .fields = lines_fields),
	BL_LUA("sweep", through, "(sweep: sweep, path?: string, metric?: string): figure",
	       "A sweep's metric, or the given one, over an axis of its space (the only one), with intervals; a curve for each "
	       "combination of the others.",
	       "pcall(plot.sweep, s, \"loss.lambda\", \"knn\")"),
	BL_LUA_END,
};

int bl_lua_open_plot(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ .name = BL_T_FIGURE, .self = "figure", .meta = meta, .methods = methods });
	bl_lua_module_new(L, "plot");
	bl_lua_functions(L, "plot", functions);
	return 1;
}
