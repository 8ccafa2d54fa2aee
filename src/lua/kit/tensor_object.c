/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tensor_object.c: tensors as Lua objects; their methods are bound in bind/. */
#include "lua/kit/kit.h"
#include "lua/kit/states.h"

/* Bytes of tensors passed to Lua after which garbage is collected, as Lua itself counts only the small handles. */
enum { COLLECT_BYTES = 96 << 20 };

static int64_t bytes_of(const bl_tensor *t)
{
	return bl_tensor_count(t) * (int64_t)sizeof(float);
}

/* Counts the tensor's bytes, and collects garbage if many bytes were passed to Lua since the last time. */
static void collect_if_many(lua_State *L, const bl_tensor *t)
{
	lua_getfield(L, LUA_REGISTRYINDEX, "barlow.pending");
	lua_Integer pending = lua_tointeger(L, -1) + (lua_Integer)bytes_of(t);
	lua_pop(L, 1);
	if (pending > COLLECT_BYTES) {
		lua_gc(L, LUA_GCCOLLECT);
		pending = 0;
	}
	lua_pushinteger(L, pending);
	lua_setfield(L, LUA_REGISTRYINDEX, "barlow.pending");
}

/* (n): pushes n tensor objects that are still empty */
static int new_objects(lua_State *L)
{
	int n = (int)lua_tointeger(L, 1);
	luaL_checkstack(L, n + 1, "tensors");
	for (int i = 0; i < n; i++)
		bl_lua_new(L, BL_T_TENSOR, sizeof(bl_tensor *));
	return n;
}

static int release_all(int n, bl_tensor *const *t)
{
	for (int i = 0; i < n; i++)
		bl_tensor_unref(t[i]);
	return 0;
}

int bl_lua_give_tensors(lua_State *L, int n, bl_tensor *const *t)
{
	for (int i = 0; i < n; i++)
		if (!t[i])
			return release_all(n, t), bl_lua_fail(L);
	lua_pushcfunction(L, new_objects);
	lua_pushinteger(L, n);
	if (lua_pcall(L, 1, n, 0) != LUA_OK)
		return release_all(n, t), lua_error(L);
	for (int i = 0; i < n; i++)
		*(bl_tensor **)lua_touserdata(L, i - n) = t[i];
	for (int i = 0; i < n; i++) {
		bl_lua_state_charge(L, bytes_of(t[i])); /* may raise an error; the objects own the tensors by now */
		collect_if_many(L, t[i]);
	}
	return n;
}

int bl_lua_give_tensor(lua_State *L, bl_tensor *t)
{
	return bl_lua_give_tensors(L, 1, &t);
}

int bl_lua_interrupt_give(lua_State *L, const volatile int *before, bl_tensor *t)
{
	if (!bl_lua_interrupt_end(before))
		return bl_lua_give_tensor(L, t);
	bl_tensor_unref(t);
	return luaL_error(L, "interrupted");
}

bl_tensor *bl_lua_tensor(lua_State *L, int arg)
{
	return *(bl_tensor **)bl_lua_check(L, arg, BL_T_TENSOR);
}

void bl_lua_drop_tensor(lua_State *L, bl_tensor **t)
{
	if (!*t)
		return;
	bl_lua_state_charge(L, -bytes_of(*t));
	bl_tensor_unref(*t);
	*t = NULL;
}
