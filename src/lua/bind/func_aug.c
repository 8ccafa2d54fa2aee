/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * func_aug.c: image operators that are Lua functions.
 *
 *     f(image[, rng[, info]]) -> image
 *
 * An operator makes the same view on any thread: the function always runs sandboxed, its random draws are
 * keyed by the view, and it cannot keep state between calls.
 */
#include "lua/bind/face.h"

#include "lua/kit/globals.h"

#include <stdlib.h>
#include <string.h>

#define IMAGE "barlow.image" /* registry: the tensor of the last call's image */

typedef struct func_aug {
	bl_function *function;
	bl_lua_limits limits;
} func_aug;

static void release(void *ctx)
{
	func_aug *f = ctx;
	bl_function_unref(f->function);
	free(f);
}

static bool equal(const void *p, const void *q)
{
	const func_aug *f = p, *g = q;
	return f->limits.seconds == g->limits.seconds && f->limits.bytes == g->limits.bytes &&
	       bl_function_same(f->function, g->function);
}

/* --- calling --- */

static _Thread_local int calls; /* number of active calls of apply on this thread: a function may apply a pipeline */

/* Pushes the image.  Calls keep no state, so the tensor of the last call, whose memory is in the cache, is reused. */
static void push_image(lua_State *L, const bl_aug_call *c)
{
	lua_getfield(L, LUA_REGISTRYINDEX, IMAGE);
	bl_tensor **last = bl_lua_test(L, -1, BL_T_TENSOR);
	bool fits = last && bl_tensor_ndim(*last) == 3 && bl_tensor_size(*last, 0) == c->channels &&
	            bl_tensor_size(*last, 1) == c->height && bl_tensor_size(*last, 2) == c->width &&
	            bl_tensor_is_contiguous(*last) && !bl_tensor_requires_grad(*last);
	if (calls > 1 || !fits) {
		lua_pop(L, 1);
		bl_lua_give_tensor(L, bl_tensor_new(3, (int64_t[]){ c->channels, c->height, c->width }));
		lua_pushvalue(L, -1);
		lua_setfield(L, LUA_REGISTRYINDEX, IMAGE);
		last = lua_touserdata(L, -1);
	}
	memcpy(bl_tensor_data(*last), c->in, (size_t)bl_tensor_count(*last) * sizeof(float));
}

static void set_integer(lua_State *L, const char *name, lua_Integer v)
{
	lua_pushinteger(L, v);
	lua_setfield(L, -2, name);
}

static int push(lua_State *L, void *ctx)
{
	const bl_aug_call *c = ctx;
	int taken = bl_function_arguments(L);
	luaL_checkstack(L, 8, "arguments");
	push_image(L, c);
	if (taken < 2)
		return 1;
	bl_lua_push_rng(L);
	if (taken < 3)
		return 2;
	const bl_view_key *key = c->key;
	lua_createtable(L, 0, 5); /* the table `info`, in which numbers count from 1, as in Lua */
	set_integer(L, "sample", (lua_Integer)key->sample + 1);
	set_integer(L, "epoch", (lua_Integer)key->epoch + 1);
	set_integer(L, "step", (lua_Integer)key->step + 1);
	set_integer(L, "view", key->view < BL_VIEWS_MOST ? (lua_Integer)key->view + 1 : 1);
	if (key->label)
		set_integer(L, "label", key->label);
	return 3;
}

static bool is_finite(const float *v, size_t n)
{
	int32_t bad = 0, bits;
	for (size_t i = 0; i < n; i++) {
		memcpy(&bits, v + i, sizeof bits);
		bad |= (bits & 0x7fffffff) >= 0x7f800000;
	}
	return !bad;
}

/* Copies the values; returns false if one is not finite.  A contiguous tensor is checked in pieces that stay in the cache. */
static bool take_values(const bl_tensor *t, float *out)
{
	enum { PIECE = 2048 };
	size_t n = (size_t)bl_tensor_count(t), at = 0;
	bool plain = bl_tensor_is_contiguous(t), fine = true;
	const float *in = bl_tensor_data((bl_tensor *)(uintptr_t)t);
	if (!plain)
		bl_tensor_read(t, out);
	for (; at < n && fine; at += PIECE) {
		size_t piece = n - at < PIECE ? n - at : PIECE;
		if (plain)
			memcpy(out + at, in + at, piece * sizeof *out);
		fine = is_finite(out + at, piece);
	}
	return fine;
}

static void take(lua_State *L, void *ctx)
{
	const bl_aug_call *c = ctx;
	char shape[BL_SHAPE_TEXT];
	bl_tensor **t = bl_lua_test(L, -1, BL_T_TENSOR);
	if (!t)
		luaL_error(L, "the function returned %s instead of an image tensor", bl_lua_describe(L, lua_gettop(L)));
	if (bl_tensor_ndim(*t) != 3 || bl_tensor_size(*t, 0) != c->channels || bl_tensor_size(*t, 1) != c->out_height ||
	    bl_tensor_size(*t, 2) != c->out_width)
		luaL_error(L, "the function returned a tensor %s, expected (%d, %d, %d)%s", bl_tensor_text(*t, shape), c->channels,
		           c->out_height, c->out_width,
		           bl_tensor_ndim(*t) == 3 && bl_tensor_size(*t, 0) == c->channels
		                   ? ": for another size, set aug.func's 'size'"
		                   : "");
	if (!take_values(*t, c->out))
		luaL_error(L, "the function returned an image with a value that is not finite");
}

static int apply(void *ctx, const bl_aug_call *c)
{
	const func_aug *f = ctx;
	const bl_view_key *key = c->key;
	bl_rng *before = bl_ambient_here()->stream;
	bl_ambient_here()->stream = c->rng;
	calls++;
	int rc = bl_function_call_within(f->function, &f->limits, push, 1, take, (void *)(uintptr_t)c);
	calls--;
	bl_ambient_here()->stream = before;
	if (rc == 0)
		return 0;
	return bl_fail_prefix("aug.func, sample %u of epoch %u: ", (unsigned)key->sample + 1, (unsigned)key->epoch + 1);
}

/* --- aug.func --- */

typedef struct arguments {
	int size, memory;
	double seconds;
} arguments;

const bl_field bl_lua_func_aug_fields[] = {
	BL_FIELD_UNREAD(
		"f", "a function of an image", BL_REQUIRED, .position = 1,
		.help = "called with an image (C, H, W), values 0..1, an rng, and a table of sample, epoch, step, view and label (nil: "
			"none); returns the changed image. Its upvalues are copied when the pipeline is made; tables and tensors among "
			"them are read-only"),
	BL_FIELD(INT, arguments, size, BL_OTHERWISE("unchanged"), BL_WITHIN(1, 16384),
	         .help = "side of the returned image, pixels"),
	BL_FIELD(DOUBLE, arguments, seconds, BL_DEFAULT(5), BL_WITHIN(1e-3, 3600),
	         .help = "limit on the time of a call; for functions of a loaded recipe 60 at most"),
	BL_FIELD(INT, arguments, memory, BL_DEFAULT(256), BL_WITHIN(1, 65536),
	         .help = "limit on the memory of a call, MiB, for Lua and tensors; for functions of a loaded recipe 4096 at most"),
	BL_FIELD_END,
};

bl_function *bl_lua_constant_function(lua_State *L, int index)
{
	bl_function *f = NULL, *copy = NULL;
	bl_lua_enter(L);
	if (bl_lua_check_surroundings(L, index) == 0)
		copy = bl_function_make(L, index, &f) == 0 ? bl_function_constant(f) : NULL;
	bl_function_unref(f);
	return copy;
}

int bl_lua_make_func_aug(lua_State *L)
{
	arguments a = { 0 };
	bl_lua_take(L, &a);
	lua_getfield(L, 1, "f");
	func_aug *f = calloc(1, sizeof *f);
	if (!f)
		return luaL_error(L, "aug.func: no memory for a function");
	f->limits = bl_function_limits(L, -1, a.seconds, a.memory);
	f->function = bl_lua_constant_function(L, lua_gettop(L));
	if (!f->function) {
		free(f);
		return luaL_error(L, "aug.func: %s", bl_error());
	}
	bl_aug *op = bl_aug_new_function(&(bl_aug_function){ "func", apply, release, f, a.size, a.size, equal });
	bl_pipeline *p = op ? bl_pipeline_new(&op, 1) : NULL;
	bl_aug_unref(op);
	return p ? bl_lua_give_pipeline(L, p) : luaL_error(L, "aug.func: %s", bl_error());
}
