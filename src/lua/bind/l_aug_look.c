/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_aug_look.c: functions for lua/look.lua, which shows views and measures pipelines. */
#include "lua/bind/face.h"

#include <barlow/figure.h>
#include <barlow/parallel.h>

#include <string.h>

static bl_pipeline *pipeline(lua_State *L, int arg)
{
	return *(bl_pipeline **)bl_lua_check(L, arg, BL_T_PIPELINE);
}

/* Returns the image of row `row` (from 1), owned by the thread; completes the key, whose seed, epoch and view are set. */
static bl_image open_row(lua_State *L, bl_dataset *d, lua_Integer row, bl_view_key *key)
{
	bl_image im;
	key->sample = (uint32_t)(row - 1);
	key->label = 1 + bl_dataset_label(d, row - 1);
	if (bl_dataset_image(d, row - 1, &im) < 0)
		bl_lua_fail(L);
	return im;
}

/* look_draw(pipeline, data, row, seed, epoch, view): the view that a run with that seed makes of a row, and the drawn parameters */
int bl_lua_look_draw(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 2);
	bl_view_key key = { .seed = (uint64_t)luaL_checkinteger(L, 4),
		            .epoch = (uint32_t)luaL_checkinteger(L, 5) - 1,
		            .view = (uint32_t)luaL_checkinteger(L, 6) - 1 };
	bl_plan plan;
	char text[512];
	int h, w;
	bl_lua_give_pipeline(L, bl_pipeline_at(pipeline(L, 1), key.epoch));
	bl_pipeline *p = pipeline(L, -1);
	if (bl_dataset_check_pipeline(d, p) < 0)
		return bl_lua_fail(L);
	bl_image im = open_row(L, d, luaL_checkinteger(L, 3), &key);
	bl_pipeline_output(p, im.height, im.width, &h, &w);
	float *out = lua_newuserdatauv(L, sizeof *out * (size_t)h * (size_t)w * (size_t)im.channels + 1, 0);
	bl_pipeline_plan(p, &key, im.height, im.width, im.channels, &plan);
	if (bl_pipeline_apply(p, &plan, &im, out) < 0)
		return bl_lua_fail(L);
	bl_lua_push_image(L,
	                  &(bl_image){ .type = BL_PIXEL_FLOAT32, .values = out, .height = h, .width = w, .channels = im.channels });
	lua_pushstring(L, bl_pipeline_describe(p, &plan, text, sizeof text));
	return 2;
}

/* look_time(pipeline, n, data, views): seconds per view of its first n operators, the least of a few rounds */
int bl_lua_look_time(lua_State *L)
{
	enum { ROUNDS = 3, MOST = 64 };
	bl_pipeline *p = pipeline(L, 1);
	bl_dataset *d = bl_lua_dataset(L, 3);
	int n = (int)luaL_checkinteger(L, 2), views = (int)luaL_checkinteger(L, 4), h, w;
	bl_aug *ops[MOST];
	double best = 0;
	for (int i = 0; i < n; i++)
		ops[i] = bl_pipeline_op(p, i);
	if (bl_lua_give_pipeline(L, bl_pipeline_new(ops, n)), bl_dataset_check_pipeline(d, p) < 0)
		return bl_lua_fail(L);
	p = pipeline(L, -1);
	for (int round = 0; round < ROUNDS; round++) {
		double spent = 0;
		for (int i = 0; i < views; i++) {
			bl_lua_interrupt_check(L);
			bl_view_key key = { .epoch = (uint32_t)round };
			bl_plan plan;
			bl_image im = open_row(L, d, 1 + i % bl_dataset_length(d), &key);
			bl_pipeline_output(p, im.height, im.width, &h, &w);
			float *out = lua_newuserdatauv(L, sizeof *out * (size_t)h * (size_t)w * (size_t)im.channels + 1, 0);
			double began = bl_now();
			bl_pipeline_plan(p, &key, im.height, im.width, im.channels, &plan);
			if (bl_pipeline_apply(p, &plan, &im, out) < 0)
				return bl_lua_fail(L);
			spent += bl_now() - began;
			lua_pop(L, 1);
		}
		best = round == 0 || spent < best ? spent : best;
	}
	lua_pushnumber(L, best / views);
	return 1;
}

/* look_text(pipeline, i): the name of operator i, and the operator as Lua */
int bl_lua_look_text(lua_State *L)
{
	char text[4096];
	bl_aug *a = bl_pipeline_op(pipeline(L, 1), (int)luaL_checkinteger(L, 2) - 1);
	lua_pushstring(L, bl_aug_name(a));
	lua_pushstring(L, bl_aug_text(a, text, sizeof text));
	return 2;
}

/* --- contact sheets --- */

typedef struct sheet {
	uint8_t *rgb;
	int width, height;
} sheet;

/* Draws the image (C,H,W) in a cell of that side, enlarged by a whole factor, or reduced. */
static void put(sheet *s, const bl_tensor *t, int left, int top, int side)
{
	int channels = (int)bl_tensor_size(t, 0), h = (int)bl_tensor_size(t, 1), w = (int)bl_tensor_size(t, 2);
	const float *v = bl_tensor_data((bl_tensor *)(uintptr_t)t);
	size_t plane = (size_t)h * (size_t)w;
	int longer = h > w ? h : w;
	for (int y = 0; y < side * h / longer; y++)
		for (int x = 0; x < side * w / longer; x++) {
			uint8_t *out = s->rgb + 3 * ((size_t)(top + y) * (size_t)s->width + (size_t)(left + x));
			size_t at = (size_t)(y * longer / side) * (size_t)w + (size_t)(x * longer / side);
			for (int k = 0; k < 3; k++) {
				float one = v[(channels >= 3 ? (size_t)k : 0) * plane + at];
				out[k] = (uint8_t)(255 * (one < 0 ? 0 : one > 1 ? 1 : one) + .5f);
			}
		}
}

/* look_sheet(rows, side, notes, title, path): rows of images in 0..1, in cells of that side, with lines of text below */
int bl_lua_look_sheet(lua_State *L)
{
	enum { GAP = 4, MOST = 65536 };
	int rows = (int)lua_rawlen(L, 1), side = (int)luaL_checkinteger(L, 2), notes = (int)lua_rawlen(L, 3);
	lua_rawgeti(L, 1, 1);
	int columns = (int)lua_rawlen(L, -1);
	sheet s = { .width = columns * (side + GAP) + GAP, .height = rows * (side + GAP) + GAP };
	if (side < 1 || s.width > MOST || s.height > MOST)
		return luaL_error(L, "aug.preview: a sheet of %d x %d pixels", s.width, s.height);
	s.rgb = memset(lua_newuserdatauv(L, 3 * (size_t)s.width * (size_t)s.height, 0), 128,
	               3 * (size_t)s.width * (size_t)s.height);
	for (int i = 0; i < rows; i++) {
		lua_rawgeti(L, 1, i + 1);
		for (int k = 0; k < columns; k++) {
			lua_rawgeti(L, -1, k + 1);
			put(&s, bl_lua_tensor(L, -1), GAP + k * (side + GAP), GAP + i * (side + GAP), side);
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
	}
	const char **lines = lua_newuserdatauv(L, sizeof *lines * (size_t)(notes + 1), 0);
	luaL_checkstack(L, notes, "notes");
	for (int i = 0; i < notes; i++) {
		lua_rawgeti(L, 3, i + 1);
		lines[i] = lua_tostring(L, -1);
	}
	bl_figure *f = bl_figure_image(s.rgb, s.width, s.height, luaL_checkstring(L, 4), lines, notes);
	int rc = f ? bl_figure_save(f, luaL_checkstring(L, 5)) : -1;
	if (f)
		bl_figure_free(f);
	return rc < 0 ? bl_lua_fail(L) : 0;
}

/* --- in aug --- */

typedef struct look {
	int n, epoch;
	int64_t seed;
} look;

static const bl_field preview_fields[] = {
	BL_FIELD(INT, look, n, BL_DEFAULT(8), BL_WITHIN(1, 1000), .help = "number of images, the first of the set"),
	BL_FIELD(INT64, look, seed, BL_DEFAULT(0), .help = "seed of the run whose views are shown"),
	BL_FIELD(INT, look, epoch, BL_DEFAULT(1), BL_WITHIN(1, 1e9), .help = "epoch of that run"),
	BL_FIELD_END,
};
static const bl_field stats_fields[] = {
	BL_FIELD(INT, look, n, BL_DEFAULT(256), BL_WITHIN(1, 1e6), .help = "number of images, the first of the set"),
	BL_FIELD(INT64, look, seed, BL_DEFAULT(0), .help = "seed of the run whose views are measured"),
	BL_FIELD_END,
};

/* Checks the arguments and calls f(data, views, settings) of lua/look.lua. */
static int look_at(lua_State *L, const char *f)
{
	bl_lua_dataset(L, 1);
	if (!bl_lua_test(L, 2, BL_T_VIEWS))
		pipeline(L, 2);
	lua_settop(L, 3);
	bl_lua_check_options(L, 3);
	return bl_lua_call_module(L, "barlow.look", f, 3);
}

static int aug_preview(lua_State *L)
{
	return look_at(L, "preview");
}
static int aug_stats(lua_State *L)
{
	return look_at(L, "stats");
}

const bl_lua_function bl_lua_aug_look[] = {
	BL_LUA("preview", aug_preview, "(data: dataset, views: pipeline|pipelines, settings?: table): table",
	       "Shows images and their views in the terminal; :save \"sheet.png\" writes them with the drawn parameters.",
	       "aug.preview(data.shapes{n = 4, size = 8}, aug.paper(8), {n = 2})", .fields = preview_fields),
	BL_LUA("stats", aug_stats, "(data: dataset, views: pipeline|pipelines, settings?: table): table",
	       "Views per second by operator, and how similar two views of an image are (mean correlation).",
	       "aug.stats(data.shapes{n = 4, size = 8}, aug.weak(8), {n = 4})", .fields = stats_fields),
	BL_LUA_END,
};
