/* SPDX-License-Identifier: GPL-3.0-or-later */
/* func.c: modules that are Lua functions, callable from any thread (kit/function.h says where they run). */
#include "lua/bind/face.h"

#include <stdlib.h>
#include <string.h>

typedef struct func {
	bl_function *function;
	char name[64];
} func;

typedef struct call {
	bl_tensor *x, *y;
} call;

static int push_argument(lua_State *L, void *ctx)
{
	call *c = ctx;
	bl_lua_give_tensor(L, bl_tensor_ref(c->x));
	return 1;
}

static void take_result(lua_State *L, void *ctx)
{
	call *c = ctx;
	bl_tensor **y = bl_lua_test(L, -1, BL_T_TENSOR);
	if (!y)
		luaL_error(L, "the function returned %s instead of a tensor", bl_lua_describe(L, lua_gettop(L)));
	c->y = bl_tensor_ref(*y);
}

static bl_tensor *call_func(void *ctx, bl_tensor *x)
{
	func *f = ctx;
	call c = { .x = x };
	if (bl_function_call(f->function, push_argument, 1, take_result, &c) < 0)
		bl_fail_prefix("%s: ", f->name);
	return c.y;
}

static void forget(void *ctx)
{
	func *f = ctx;
	bl_function_unref(f->function);
	free(f);
}

bl_module *bl_lua_func(lua_State *L, int index, const char *name)
{
	func *f = calloc(1, sizeof *f);
	if (!f)
		return bl_fail_null("no memory for a function");
	strncpy(f->name, name, sizeof f->name - 1);
	bl_lua_enter(L);
	if (bl_function_make(L, index, &f->function) == 0)
		return bl_nn_func(name, call_func, f, forget);
	forget(f);
	return NULL;
}
