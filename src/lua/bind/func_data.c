/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * func_data.c: data sets whose images are made, or changed, by Lua functions.
 *
 *     data.func(n, function(i, rng) return image, label end)       ds:map(function(image, rng, info) return image end)
 *
 * As with aug.func, the function always runs sandboxed and keeps no state, so that an image is the same on any
 * thread and at any time.
 */
#include "lua/bind/face.h"

#include <stdlib.h>
#include <string.h>

typedef struct func_data {
	bl_function *function;
	bl_lua_limits limits;
} func_data;

static void release(void *ctx)
{
	func_data *f = ctx;
	bl_function_unref(f->function);
	free(f);
}

/* --- calling --- */

/* A call that fills in an image or, if c->out is NULL, only its shape. */
typedef struct making {
	bl_data_call *c;
	int shape[3];
} making;

static int push(lua_State *L, void *ctx)
{
	const bl_data_call *c = ((making *)ctx)->c;
	luaL_checkstack(L, 8, "arguments");
	int taken = bl_function_arguments(L);
	if (c->in)
		bl_lua_push_image(L, c->in);
	else
		lua_pushinteger(L, (lua_Integer)c->row + 1);
	if (taken < 2)
		return 1;
	bl_lua_push_rng(L);
	if (taken < 3 || !c->in)
		return 2;
	lua_createtable(L, 0, 2);
	lua_pushinteger(L, (lua_Integer)c->row + 1);
	lua_setfield(L, -2, "sample");
	if (c->label >= 0) {
		lua_pushinteger(L, c->label + 1);
		lua_setfield(L, -2, "label");
	}
	return 3;
}

static void take_label(lua_State *L, making *m, int index)
{
	int whole;
	lua_Integer label = lua_tointegerx(L, index, &whole);
	if (!whole || label < 1 || label > INT32_MAX)
		luaL_error(L, "the function returned %s as the label, expected a number from 1", bl_lua_describe(L, index));
	m->c->label = (int)label - 1;
}

/* Takes the image and the label, the two results on top. */
static void take(lua_State *L, void *ctx)
{
	making *m = ctx;
	const bl_data_call *c = m->c;
	char shape[BL_SHAPE_TEXT];
	int image = lua_gettop(L) - 1;
	bl_tensor **t = bl_lua_test(L, image, BL_T_TENSOR);
	if (!t)
		luaL_error(L, "the function returned %s instead of an image tensor", bl_lua_describe(L, image));
	bool image_shaped = bl_tensor_ndim(*t) == 3 && bl_tensor_count(*t) > 0 && bl_tensor_count(*t) <= INT32_MAX;
	for (int i = 0; i < 3 && image_shaped; i++)
		m->shape[i] = (int)bl_tensor_size(*t, i);
	if (!c->out && image_shaped)
		return;
	if (!c->out)
		luaL_error(L, "the function returned a tensor %s, expected (channels, height, width)", bl_tensor_text(*t, shape));
	if (!image_shaped || m->shape[0] != c->channels || m->shape[1] != c->height || m->shape[2] != c->width)
		luaL_error(L, "the function returned a tensor %s, expected (%d, %d, %d)", bl_tensor_text(*t, shape), c->channels,
		           c->height, c->width);
	bl_tensor_read(*t, c->out);
	if (c->labelled && !lua_isnil(L, image + 1))
		take_label(L, m, image + 1);
}

static int call(const func_data *f, making *m)
{
	bl_rng *before = bl_ambient_here()->stream;
	bl_ambient_here()->stream = m->c->rng;
	int rc = bl_function_call_within(f->function, &f->limits, push, 2, take, m);
	bl_ambient_here()->stream = before;
	return rc;
}

static int apply(void *ctx, bl_data_call *c)
{
	return call(ctx, &(making){ .c = c });
}

/* --- settings --- */

typedef struct arguments {
	int64_t n, seed;
	float size[2];
	int channels, memory;
	double seconds;
} arguments;

/* clang-format off */
#define COMMON_FIELDS \
	BL_FIELD(INT64, arguments, seed, BL_DEFAULT(0), .help = "seed of the function's random numbers: rng, math.random, tensor.rand"), \
	BL_FIELD(DOUBLE, arguments, seconds, BL_DEFAULT(5), BL_WITHIN(1e-3, 3600), \
	         .help = "limit on the time of a call; for functions of a loaded recipe 60 at most"), \
	BL_FIELD(INT, arguments, memory, BL_DEFAULT(256), BL_WITHIN(1, 65536), \
	         .help = "limit on the memory of a call, MiB, for Lua and tensors; for functions of a loaded recipe 4096 at most")
/* clang-format on */

const bl_field bl_lua_func_data_fields[] = {
	BL_FIELD(INT64, arguments, n, BL_REQUIRED, BL_WITHIN(1, 4e9), .position = 1, .help = "number of images"),
	BL_FIELD_UNREAD(
		"f", "a function of the image's number", BL_REQUIRED, .position = 2,
		.help = "called with i from 1 and an rng; returns image i as a tensor (C, H, W), values 0..1, and its label from 1 if "
			"there are classes"),
	BL_FIELD(FLOATS, arguments, size, BL_OTHERWISE("the first image's"), BL_WITHIN(1, 16384), .count = 2,
	         .help = "side, or {height, width}, of every image"),
	BL_FIELD(INT, arguments, channels, BL_OTHERWISE("the first image's"), BL_WITHIN(1, 64), .help = "channels of every image"),
	BL_FIELD_UNREAD(
		"classes", "a number, or a list of names", BL_OTHERWISE("no labels"),
		.help = "number of classes, or their names; without 'labels' the function is called for all images when the set is "
			"made, to get their labels"),
	BL_FIELD_UNREAD("labels", "a list or tensor of integers", BL_OTHERWISE("returned by the function"),
	                .help = "all labels, from 1"),
	COMMON_FIELDS,
	BL_FIELD_END,
};
const bl_field bl_lua_map_fields[] = {
	BL_FIELD_UNREAD(
		"f", "a function of an image", BL_REQUIRED, .position = 1,
		.help = "called with an image (C, H, W), values 0..1, an rng, and a table of sample and label; returns the changed image"),
	BL_FIELD(FLOATS, arguments, size, BL_OTHERWISE("unchanged"), BL_WITHIN(1, 16384), .count = 2,
	         .help = "side, or {height, width}, of the changed image"),
	BL_FIELD(INT, arguments, channels, BL_OTHERWISE("unchanged"), BL_WITHIN(1, 64), .help = "channels of the changed image"),
	COMMON_FIELDS,
	BL_FIELD_END,
};

/* Copies the function at `index` for calls on any thread; raises errors. */
static func_data *make_function(lua_State *L, int index, const arguments *a, const char *what)
{
	func_data *f = calloc(1, sizeof *f);
	if (f) {
		f->limits = bl_function_limits(L, index, a->seconds, a->memory);
		f->function = bl_lua_constant_function(L, index);
		if (f->function)
			return f;
	}
	free(f);
	luaL_error(L, "%s: %s", what, f ? bl_error() : "no memory for a function");
	return NULL;
}

static int side(lua_State *L, const char *what, float v)
{
	if (v != (float)(int)v)
		luaL_error(L, "%s: 'size' must be a number of pixels or {height, width}, got %f", what, (double)v);
	return (int)v;
}

/* --- data.func --- */

/* Takes size and channels, if the settings leave them out, from the first image.  Negative with bl_error. */
static int ask_shape(const func_data *f, const arguments *a, bl_data_function *d)
{
	bl_rng r;
	bl_rng_init(&r, (uint64_t)a->seed, 0, 0, BL_STREAM_USER);
	bl_rng_narrow(&r, d->name, 0);
	making m = { .c = &(bl_data_call){ .label = -1, .rng = &r } };
	if (d->height && d->channels)
		return 0;
	if (call(f, &m) < 0)
		return bl_fail_prefix("%s, image 1: ", d->name);
	d->channels = d->channels ? d->channels : m.shape[0];
	if (!d->height) {
		d->height = m.shape[1];
		d->width = m.shape[2];
	}
	return 0;
}

/* Reads key `classes` of the table at 1: a number, or names, which are pushed. */
static void take_classes(lua_State *L, bl_data_function *d)
{
	int whole;
	if (lua_getfield(L, 1, "classes") == LUA_TNIL)
		return;
	lua_Integer n = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : lua_tointegerx(L, -1, &whole);
	if (n < 1 || n > INT32_MAX || (lua_type(L, -1) != LUA_TNUMBER && !lua_istable(L, -1)))
		bl_lua_bad(L, "data.func", "classes", "a number from 1, or a list of names", -1);
	d->classes = (int)n;
	if (!lua_istable(L, -1))
		return;
	const char **names = lua_newuserdatauv(L, sizeof *names * (size_t)n, 0);
	luaL_checkstack(L, 4, "classes");
	for (int i = 0; i < (int)n; i++) {
		if (lua_rawgeti(L, -2, i + 1) != LUA_TSTRING)
			luaL_error(L, "data.func: the name of class %d is %s", i + 1, bl_lua_describe(L, lua_gettop(L)));
		names[i] = lua_tostring(L, -1); /* the table keeps it alive */
		lua_pop(L, 1);
	}
	d->class_names = names;
}

int bl_lua_make_func_data(lua_State *L)
{
	arguments a = { 0 };
	bl_lua_take(L, &a);
	bl_data_function d = { .name = "data.func",
		               .n = a.n,
		               .channels = a.channels,
		               .height = side(L, "data.func", a.size[0]),
		               .width = side(L, "data.func", a.size[1]),
		               .seed = (uint64_t)a.seed,
		               .apply = apply,
		               .release = release };
	take_classes(L, &d);
	if (lua_getfield(L, 1, "labels") != LUA_TNIL) {
		if (d.classes == 0)
			return luaL_error(L, "data.func: 'labels' without 'classes': give the number of classes, or their names");
		d.labels = bl_lua_labels(L, lua_gettop(L), d.n);
	}
	lua_getfield(L, 1, "f");
	func_data *f = make_function(L, lua_gettop(L), &a, "data.func");
	if (ask_shape(f, &a, &d) < 0) {
		release(f);
		return bl_lua_fail(L);
	}
	d.context = f;
	lua_createtable(L, 2, 0); /* recipes state the shape even if it was not given */
	lua_pushinteger(L, d.height);
	lua_rawseti(L, -2, 1);
	lua_pushinteger(L, d.width);
	lua_rawseti(L, -2, 2);
	lua_setfield(L, 1, "size");
	lua_pushinteger(L, d.channels);
	lua_setfield(L, 1, "channels");
	return bl_lua_give_dataset(L, bl_dataset_function(&d));
}

/* --- ds:map --- */

int bl_lua_make_map(lua_State *L)
{
	arguments a = { 0 };
	bl_dataset *of = bl_lua_dataset(L, 1);
	bl_lua_take_method(L, &a);
	bl_data_function d = { .name = "ds:map",
		               .channels = a.channels,
		               .height = side(L, "map", a.size[0]),
		               .width = side(L, "map", a.size[1]),
		               .seed = (uint64_t)a.seed,
		               .apply = apply,
		               .release = release };
	lua_getfield(L, 2, "f");
	d.context = make_function(L, lua_gettop(L), &a, "map");
	return bl_lua_give_dataset(L, bl_dataset_map(of, &d));
}
