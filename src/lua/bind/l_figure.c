/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_figure.c: functions for lua/figure.lua: figures of plain values, their data, and runs' records and snapshots. */
#include "lua/bind/face.h"

#include <barlow/figure.h>
#include <barlow/hash.h>
#include <barlow/live.h>
#include <barlow/number.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SERIES_MOST = 64, PANELS_MOST = 16, NAMES_MOST = 64 };

bl_figure *bl_lua_figure(lua_State *L, int index)
{
	return *(bl_figure **)bl_lua_check(L, index, BL_T_FIGURE);
}

int bl_lua_give_figure(lua_State *L, bl_figure *f)
{
	if (!f)
		return bl_lua_fail(L);
	*(bl_figure **)bl_lua_new(L, BL_T_FIGURE, sizeof f) = f;
	return 1;
}

/* --- Runs ------------------------------------------------------------------------------- */

/* Opens the live file of a trainer, or the live file at a path; the caller closes it. */
static bl_live *open_live(lua_State *L, int index)
{
	if (bl_lua_test(L, index, BL_T_TRAINER))
		return bl_live_ref(bl_trainer_live(bl_lua_trainer(L, index)));
	bl_live *l = bl_live_open_whole(luaL_checkstring(L, index), false);
	if (!l)
		bl_lua_fail(L);
	return l;
}

/* figure_curves(live, records): the curves of the first `records` records */
static int figure_curves(lua_State *L)
{
	lua_Integer records = luaL_checkinteger(L, 2);
	bl_live *l = open_live(L, 1);
	bl_figure *f = bl_figure_curves_until(l, records);
	bl_live_close(l);
	return bl_lua_give_figure(L, f);
}

/* live_records(live): {step = {...}, total = {...}, ...} */
static int live_records(lua_State *L)
{
	return bl_lua_give_records(L, open_live(L, 1));
}

static int is_trainer(lua_State *L)
{
	lua_pushboolean(L, bl_lua_test(L, 1, BL_T_TRAINER) != NULL);
	return 1;
}

static int is_tensor(lua_State *L)
{
	lua_pushboolean(L, bl_lua_test(L, 1, BL_T_TENSOR) != NULL);
	return 1;
}

/* is_regular(path): whether it is a regular file, which can be read without blocking */
static int is_regular(lua_State *L)
{
	struct stat st;
	lua_pushboolean(L, stat(luaL_checkstring(L, 1), &st) == 0 && S_ISREG(st.st_mode));
	return 1;
}

/* live_length(live): how many records it has */
static int live_length(lua_State *L)
{
	bl_live *l = open_live(L, 1);
	lua_pushinteger(L, bl_live_length(l));
	bl_live_close(l);
	return 1;
}

/* Returns whether a column has times, which differ between runs with the same results. */
static bool is_timing(const bl_column *c)
{
	size_t n = strlen(c->unit);
	return c->kind == BL_COLUMN_TIME || (n > 2 && !strcmp(c->unit + n - 2, "/s"));
}

/* live_hash(live, records): a hash of the steps and values, without times, of the first `records` records */
static int live_hash(lua_State *L)
{
	lua_Integer records = luaL_checkinteger(L, 2);
	bl_live *l = open_live(L, 1);
	bl_columns *columns = malloc(sizeof *columns);
	char out[BL_HASH_TEXT];
	bl_record r;
	bl_hash h;
	if (!columns) {
		bl_live_close(l);
		return luaL_error(L, "no memory for a run's columns");
	}
	bl_live_columns(l, columns);
	bl_hash_begin(&h);
	for (lua_Integer i = 0; i < records && bl_live_record(l, i, &r); i++) {
		bl_hash_add(&h, &r.step, sizeof r.step);
		for (int k = 0; k < columns->n; k++)
			if (!isnan(r.value[k]) && !is_timing(&columns->column[k])) {
				bl_hash_add(&h, columns->column[k].name, strlen(columns->column[k].name));
				bl_hash_add(&h, &r.value[k], sizeof r.value[k]);
			}
	}
	bl_hash_end(&h, out);
	free(columns);
	bl_live_close(l);
	return lua_pushstring(L, out), 1;
}

/* --- Snapshots ----------------------------------------------------------------------------- */

static const char *const parts[] = { "matrix", "spectrum", "points", NULL };

static bool fits(const bl_snapshot *s, int which, int64_t step)
{
	int64_t is = which == 2 ? s->points_step : s->step;
	bool has = which == 0 ? s->grid > 0 : which == 1 ? s->spectrum > 0 : s->points > 0;
	return has && (step < 0 || is == step);
}

/* Finds the newest snapshot with that part or, if step is not negative, the one of that step. */
static bool find(const bl_live *l, int which, int64_t step, bl_snapshot *s)
{
	if (bl_live_snapshot(l, s) >= 0 && fits(s, which, step))
		return true;
	for (int i = bl_live_snapshot_count(l) - 1; i >= 0; i--)
		if (bl_live_snapshot_at(l, i, s) >= 0 && fits(s, which, step))
			return true;
	return false;
}

static void set_integer(lua_State *L, const char *name, int64_t v)
{
	lua_pushinteger(L, v);
	lua_setfield(L, -2, name);
}

static void set_floats(lua_State *L, const char *name, const float *v, int n)
{
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_pushnumber(L, (lua_Number)v[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, name);
}

/*
 * Returns the value of a cell.  A cell of several elements has the mean of its elements on C's diagonal or, off the
 * diagonal, their root mean square; without root mean squares in the snapshot, the mean of all its elements.
 */
static float cell(const bl_snapshot *s, int row, int col)
{
	if (s->grid == s->d || !(s->rms_share > 0))
		return s->mean[row * s->grid + col];
	return row == col ? s->cell_diagonal[row] : s->rms[row * s->grid + col];
}

static void push_points(lua_State *L, const bl_snapshot *s)
{
	lua_createtable(L, s->points, 0);
	for (int i = 0; i < s->points; i++) {
		lua_createtable(L, 3, 0);
		lua_pushnumber(L, (lua_Number)s->point[i][0]);
		lua_rawseti(L, -2, 1);
		lua_pushnumber(L, (lua_Number)s->point[i][1]);
		lua_rawseti(L, -2, 2);
		lua_pushinteger(L, s->point_label[i]);
		lua_rawseti(L, -2, 3);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "points");
	lua_createtable(L, s->classes, 0);
	for (int i = 0; i < s->classes && i < BL_CLASSES_MAX; i++) {
		lua_pushstring(L, s->class_name[i]);
		lua_rawseti(L, -2, i);
	}
	lua_setfield(L, -2, "classes");
	set_floats(L, "explained", s->explained, 2);
}

static void push_snapshot(lua_State *L, const bl_snapshot *s, int which)
{
	lua_newtable(L);
	set_integer(L, "step", which == 2 ? s->points_step : s->step);
	set_integer(L, "n", s->n);
	set_integer(L, "d", s->d);
	if (which == 0) {
		bl_tensor *t = bl_tensor_new(2, (int64_t[]){ s->grid, s->grid });
		for (int k = 0; t && k < s->grid * s->grid; k++)
			bl_tensor_data(t)[k] = cell(s, k / s->grid, k % s->grid);
		bl_lua_give_tensor(L, t);
		lua_setfield(L, -2, "matrix");
		lua_pushboolean(L, s->grid < s->d);
		lua_setfield(L, -2, "pooled");
	}
	if (which == 1) {
		set_floats(L, "eigenvalues", s->eigenvalues, s->spectrum);
		set_floats(L, "singular", s->singular, s->spectrum);
	}
	if (which == 2)
		push_points(L, s);
}

/* run_moment(live, "matrix" | "spectrum" | "points"[, step]): that part of a snapshot, or nil */
static int run_moment(lua_State *L)
{
	int which = luaL_checkoption(L, 2, NULL, parts);
	int64_t step = luaL_optinteger(L, 3, -1);
	bl_snapshot *s = lua_newuserdatauv(L, sizeof *s, 0);
	bl_live *l = open_live(L, 1);
	bool found = find(l, which, step, s);
	bl_live_close(l);
	if (!found)
		return lua_pushnil(L), 1;
	push_snapshot(L, s, which);
	return 1;
}

/* ask_points(trainer): requests points in the next snapshots, in addition to other viewers' requests */
static int ask_points(lua_State *L)
{
	bl_region r;
	bl_live *l = open_live(L, 1);
	if (!bl_live_requested(l, &r))
		r = (bl_region){ .matrix = BL_MATRIX_C };
	r.points = 1;
	int rc = bl_live_request(l, &r);
	bl_live_close(l);
	return rc < 0 ? bl_lua_fail(L) : 0;
}

/*
 * figure_matrix(tensor, title, batch[, d, elements]).  If the cells are pooled, d is the number of dimensions that the rows
 * stand for, and elements the number of elements of C in a cell.
 */
static int figure_matrix(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	const char *title = luaL_checkstring(L, 2);
	lua_Integer batch = luaL_checkinteger(L, 3);
	if (lua_isnoneornil(L, 4))
		return bl_lua_give_figure(L, bl_figure_heatmap(t, title, batch));
	double d = luaL_checknumber(L, 4), elements = luaL_checknumber(L, 5);
	return bl_lua_give_figure(L, bl_figure_heatmap_of(t, title, &(bl_extent){ 1, d, 1, d },
	                                                  bl_scale_of_chance((double)batch, elements, false)));
}

/* --- Panels ---------------------------------------------------------------------------------- */

static bool flag(lua_State *L, int index, const char *name)
{
	lua_getfield(L, index, name);
	bool is = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return is;
}

static const char *text(lua_State *L, int index, const char *name)
{
	const char *t = lua_getfield(L, index, name) == LUA_TSTRING ? lua_tostring(L, -1) : "";
	lua_pop(L, 1); /* the table keeps it alive */
	return t;
}

static double number(lua_State *L, int index, const char *name)
{
	double v = lua_getfield(L, index, name) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
	lua_pop(L, 1);
	return v;
}

/* Returns the numbers of the list `name`, in a userdata that stays on the stack; NULL: there is no such list. */
static const double *numbers(lua_State *L, int index, const char *name, int64_t *n)
{
	if (lua_getfield(L, index, name) != LUA_TTABLE)
		return NULL;
	*n = (int64_t)lua_rawlen(L, -1);
	double *v = lua_newuserdatauv(L, sizeof *v * (size_t)(*n + 1), 0);
	for (int64_t i = 0; i < *n; i++) {
		lua_rawgeti(L, -2, i + 1);
		v[i] = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : (double)NAN;
		lua_pop(L, 1);
	}
	return v;
}

/* Reads the series at the top of the stack: {x =, y =, label =, low =, high =, ink = 1.., marks = "all" | "none", dashed =}. */
static bl_series take_series(lua_State *L)
{
	int item = lua_gettop(L);
	int64_t n = 0, ny = 0, low = 0, high = 0;
	luaL_checktype(L, item, LUA_TTABLE);
	const char *marks = text(L, item, "marks");
	bl_series s = { .label = text(L, item, "label"), .ink = (int)number(L, item, "ink"), .dashed = flag(L, item, "dashed") };
	if (s.ink < 0 || s.ink > BL_INKS)
		s.ink = 0;
	s.marks = !strcmp(marks, "all") ? BL_MARKS_ALL : !strcmp(marks, "none") ? BL_MARKS_NONE : BL_MARKS_OF_FEW;
	s.x = numbers(L, item, "x", &n);
	s.y = numbers(L, item, "y", &ny);
	s.low = numbers(L, item, "low", &low);
	s.high = numbers(L, item, "high", &high);
	if (!s.x || !s.y || n != ny || (s.low && low != n) || (s.high && high != n))
		luaL_error(L, "a series of a figure has lists of different lengths");
	s.n = n;
	return s;
}

static void take_axes(lua_State *L, int item, bl_axes *a)
{
	*a = (bl_axes){ .title = text(L, item, "title"),
		        .xlabel = text(L, item, "xlabel"),
		        .ylabel = text(L, item, "ylabel"),
		        .logx = flag(L, item, "logx"),
		        .logy = flag(L, item, "logy"),
		        .points = flag(L, item, "points"),
		        .equal = flag(L, item, "equal"),
		        .across = flag(L, item, "across"),
		        .from = number(L, item, "from"),
		        .to = number(L, item, "to"),
		        .low = number(L, item, "low"),
		        .high = number(L, item, "high") };
	if (lua_getfield(L, item, "names") != LUA_TTABLE) {
		lua_pop(L, 1);
		return;
	}
	int n = (int)lua_rawlen(L, -1);
	luaL_argcheck(L, n <= NAMES_MOST, 1, "too many names");
	const char **names = lua_newuserdatauv(L, sizeof *names * (size_t)(n + 1), 0);
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, -2, i + 1);
		names[i] = luaL_checkstring(L, -1);
		lua_pop(L, 1);
	}
	a->names = names;
	a->named = n;
}

/* figure_panels{{{series}, ..., title =, names = ...}, ...}, or {{series = {...}, ...}, ...} */
static int figure_panels(lua_State *L)
{
	bl_panel panel[PANELS_MOST];
	int n = (int)luaL_len(L, 1);
	luaL_argcheck(L, n >= 1 && n <= PANELS_MOST, 1, "expected 1 to 16 panels");
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, 1, i + 1);
		int item = lua_gettop(L);
		luaL_checktype(L, item, LUA_TTABLE);
		bool named = lua_getfield(L, item, "series") == LUA_TTABLE;
		int list = named ? lua_gettop(L) : item, many = (int)lua_rawlen(L, list);
		luaL_argcheck(L, many <= SERIES_MOST, 1, "expected at most 64 series");
		bl_series *s = lua_newuserdatauv(L, sizeof *s * (size_t)(many + 1), 0);
		luaL_checkstack(L, 10 * many + 20, "series");
		for (int k = 0; k < many; k++) {
			lua_rawgeti(L, list, k + 1);
			s[k] = take_series(L);
		}
		panel[i] = (bl_panel){ .series = s, .n = many };
		take_axes(L, item, &panel[i].axes);
	}
	return bl_lua_give_figure(L, bl_figure_panels(panel, n));
}

/* --- The data of a figure ---------------------------------------------------------------------- */

/* Rounds to nine digits, as gnuplot's script does; NaN and infinities become strings. */
static void push_number(lua_State *L, double v)
{
	char digits[BL_NUMBER_TEXT];
	if (!isfinite(v)) {
		lua_pushstring(L, isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
		return;
	}
	bl_point *before = bl_number_point();
	snprintf(digits, sizeof digits, "%.9g", v);
	lua_pushnumber(L, strtod(digits, NULL));
	bl_number_unpoint(before);
}

static void set_numbers(lua_State *L, const char *name, const double *v, int64_t n)
{
	if (!v)
		return;
	lua_createtable(L, (int)n, 0);
	for (int64_t i = 0; i < n; i++) {
		push_number(L, v[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	bl_lua_push_clean(L, text, false);
	lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool on)
{
	if (!on)
		return;
	lua_pushboolean(L, true);
	lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double v)
{
	push_number(L, v);
	lua_setfield(L, -2, name);
}

static void set_axes(lua_State *L, const bl_axes *a)
{
	set_text(L, "title", a->title);
	set_text(L, "xlabel", a->xlabel);
	set_text(L, "ylabel", a->ylabel);
	const struct {
		const char *name;
		bool on;
	} flags[] = {
		{ "logx", a->logx }, { "logy", a->logy }, { "points", a->points }, { "equal", a->equal }, { "across", a->across },
	};
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		set_flag(L, flags[i].name, flags[i].on);
	if (a->to > a->from) {
		set_number(L, "from", a->from);
		set_number(L, "to", a->to);
	}
	if (a->high > a->low) {
		set_number(L, "low", a->low);
		set_number(L, "high", a->high);
	}
	if (!a->named)
		return;
	lua_createtable(L, a->named, 0);
	for (int i = 0; i < a->named; i++) {
		bl_lua_push_clean(L, a->names[i], false);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "names");
}

static void push_panel(lua_State *L, const bl_panel *p)
{
	lua_createtable(L, 0, 8);
	lua_createtable(L, p->n, 0);
	for (int k = 0; k < p->n; k++) {
		const bl_series *s = &p->series[k];
		lua_createtable(L, 0, 8);
		set_text(L, "label", s->label);
		set_text(L, "marks", s->marks == BL_MARKS_ALL ? "all" : s->marks == BL_MARKS_NONE ? "none" : NULL);
		set_flag(L, "dashed", s->dashed);
		set_numbers(L, "x", s->x, s->n);
		set_numbers(L, "y", s->y, s->n);
		set_numbers(L, "low", s->low, s->n);
		set_numbers(L, "high", s->high, s->n);
		if (s->ink)
			set_integer(L, "ink", s->ink);
		lua_rawseti(L, -2, k + 1);
	}
	lua_setfield(L, -2, "series");
	set_axes(L, &p->axes);
}

static void set_dots(lua_State *L, const bl_figure *f)
{
	int64_t rows, cols;
	bl_extent dims;
	bl_scale scale;
	const float *dot = bl_figure_dots(f, &rows, &cols, &dims, &scale);
	lua_createtable(L, (int)rows, 0);
	for (int64_t i = 0; dot && i < rows; i++) {
		lua_createtable(L, (int)cols, 0);
		for (int64_t j = 0; j < cols; j++) {
			push_number(L, (double)dot[i * cols + j]);
			lua_rawseti(L, -2, j + 1);
		}
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "matrix");
	set_numbers(L, "dims", (const double[]){ dims.row, dims.rows, dims.col, dims.cols }, 4);
	set_number(L, "floor", scale.chance); /* records of figures call the level of chance `floor` */
}

/*
 * figure_beside(list): a figure of the list's matrices side by side, with one colour scale.  It takes over their figures; the
 * objects of the list are empty afterwards.
 */
static int figure_beside(lua_State *L)
{
	enum { MOST = 16 };
	bl_figure *part[MOST] = { 0 };
	lua_Integer n = luaL_len(L, 1);
	if (n > MOST)
		return luaL_error(L, "heatmap: %I matrices in a figure, expected %d at most", n, (int)MOST);
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, 1, i + 1);
		part[i] = bl_lua_figure(L, -1);
		*(bl_figure **)lua_touserdata(L, -1) = NULL;
		lua_pop(L, 1);
	}
	return bl_lua_give_figure(L, bl_figure_beside(part, (int)n));
}

/*
 * figure_data(figure): {panels = {{series = {...}, title =, ...}, ...}}, as figure_panels takes them; or {matrix = rows,
 * ...}, or {matrices = list}
 */
static int figure_data(lua_State *L)
{
	const bl_panel *panel;
	bl_figure *f = bl_lua_figure(L, 1);
	int n = bl_figure_panels_of(f, &panel);
	int matrices = n == 0 ? bl_figure_parts(f) : 0;
	lua_newtable(L);
	if (matrices == 1) {
		set_dots(L, f);
		return 1;
	}
	lua_createtable(L, n + matrices, 0);
	for (int i = 0; i < n; i++) {
		push_panel(L, &panel[i]);
		lua_rawseti(L, -2, i + 1);
	}
	for (int i = 0; i < matrices; i++) {
		const bl_figure *part = bl_figure_part(f, i);
		lua_newtable(L);
		set_dots(L, part);
		lua_pushstring(L, bl_figure_title(part));
		lua_setfield(L, -2, "title");
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, n ? "panels" : "matrices");
	return 1;
}

/* figure_dots(tensor, title, dims, chance): a figure of a matrix, from the values that figure_data returned */
static int figure_dots(lua_State *L)
{
	double d[4];
	for (int i = 0; i < 4; i++) {
		lua_rawgeti(L, 3, i + 1);
		d[i] = luaL_checknumber(L, -1);
		luaL_argcheck(L, fabs(d[i]) < 1e9 && (i % 2 == 0 || d[i] >= 1), 3, "dims out of range");
	}
	double chance = luaL_checknumber(L, 4);
	luaL_argcheck(L, chance >= 0 && chance <= .9, 4, "expected a level of chance from 0 to .9");
	return bl_lua_give_figure(L, bl_figure_heatmap_of(bl_lua_tensor(L, 1), luaL_checkstring(L, 2),
	                                                  &(bl_extent){ d[0], d[1], d[2], d[3] }, (bl_scale){ chance, false }));
}

/* figure_title(figure) */
static int figure_title(lua_State *L)
{
	bl_lua_push_clean(L, bl_figure_title(bl_lua_figure(L, 1)), false);
	return 1;
}

/* figure_origin(figure[, origin]): gets or sets the table of its origin */
static int figure_origin(lua_State *L)
{
	bl_lua_figure(L, 1);
	if (lua_gettop(L) > 1) {
		lua_settop(L, 2);
		lua_setiuservalue(L, 1, 2);
		return 1;
	}
	lua_getiuservalue(L, 1, 2);
	return 1;
}

/* figure_save(figure, path, column[, record]): saves at the width of a column, or else of a page's text */
static int figure_save(lua_State *L)
{
	bl_figure_style style = { .width = lua_toboolean(L, 3) ? BL_FIGURE_COLUMN : BL_FIGURE_TEXT,
		                  .record = luaL_optstring(L, 4, NULL) };
	if (bl_figure_save_as(bl_lua_figure(L, 1), luaL_checkstring(L, 2), &style) < 0)
		return bl_lua_fail(L);
	return 0;
}

/* figure_record(path): the record's text and the picture's hash, or nil and the reason */
static int figure_record(lua_State *L)
{
	char picture[BL_FIGURE_HASH];
	char *record = bl_figure_record(luaL_checkstring(L, 1), picture);
	if (!record)
		return lua_pushnil(L), lua_pushstring(L, bl_error()), 2;
	lua_pushstring(L, record);
	free(record);
	lua_pushstring(L, picture);
	return 2;
}

/* sha256(text) */
static int sha256(lua_State *L)
{
	size_t n;
	char out[BL_HASH_TEXT];
	const char *bytes = luaL_checklstring(L, 1, &n);
	bl_hash_of(bytes, n, out);
	return lua_pushstring(L, out), 1;
}

int bl_lua_add_figure(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "figure_curves", figure_curves },
		{ "figure_matrix", figure_matrix },
		{ "figure_panels", figure_panels },
		{ "figure_data", figure_data },
		{ "figure_title", figure_title },
		{ "figure_origin", figure_origin },
		{ "figure_save", figure_save },
		{ "figure_record", figure_record },
		{ "live_length", live_length },
		{ "live_hash", live_hash },
		{ "run_moment", run_moment },
		{ "ask_points", ask_points },
		{ "sha256", sha256 },
		{ "figure_dots", figure_dots },
		{ "figure_beside", figure_beside },
		{ "live_records", live_records },
		{ "is_trainer", is_trainer },
		{ "is_tensor", is_tensor },
		{ "is_regular", is_regular },
		{ NULL, NULL },
	};
	luaL_setfuncs(L, functions, 0);
	return 0;
}
