/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_no_memory_lua.c: runs the examples of the help with memory that fails once, at each of several allocations.  An example
 * then raises an error that speaks of memory, or does the same as otherwise; nothing crashes, and no wrong result is returned.
 *
 *     NO_MEMORY=n       allocations that fail for each example (4); 0: each one fails once
 *     NO_MEMORY_SEED=n  chooses among them (1)
 *     NO_MEMORY_NAMES=  a Lua pattern: only examples of names that it matches
 *
 * The linker replaces the calls of barlow's own code (--wrap in local.mk); libraries such as Lua are not affected.
 */
#include "lua/bind/face.h"
#include "support.h"

#include <barlow/error.h>

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The number of allocations until one fails, which is then negative; 0: none fails. */
static _Atomic long fails;

static bool fails_now(void)
{
	if (atomic_load(&fails) == 0 || atomic_fetch_sub(&fails, 1) != 1)
		return false;
	errno = ENOMEM;
	return true;
}

/* clang-format off */
#define REPLACE(type, name, parameters, arguments, none) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters { return fails_now() ? (none) : __real_##name arguments; }
REPLACE(void *, malloc, (size_t n), (n), NULL)
REPLACE(void *, calloc, (size_t n, size_t size), (n, size), NULL)
REPLACE(void *, realloc, (void *p, size_t n), (p, n), NULL)
REPLACE(char *, strdup, (const char *text), (text), NULL)
REPLACE(void *, aligned_alloc, (size_t alignment, size_t n), (alignment, n), NULL)
REPLACE(void *, bl_scratch, (int slot, size_t n), (slot, n), bl_fail_null("no memory: %zu bytes", n))
/* clang-format on */

/* The block is full of NaN: what is returned without having been computed differs from an earlier result there. */
void *__real_bl_block_take(size_t n);
void *__wrap_bl_block_take(size_t n);
void *__wrap_bl_block_take(size_t n)
{
	void *block = fails_now() ? bl_fail_null("no memory: %zu bytes", n) : __real_bl_block_take(n);
	return block ? memset(block, 0xff, n) : NULL;
}

/* begin(n): the n-th allocation from now on fails; 0: none. */
static int begin(lua_State *L)
{
	long n = (long)luaL_checkinteger(L, 1);
	atomic_store(&fails, n);
	return 0;
}

/* finish(n) returns the number of allocations since begin(n). */
static int finish(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)(luaL_checkinteger(L, 1) - atomic_exchange(&fails, 0)));
	return 1;
}

static void test_examples(void **state)
{
	(void)state;
	if (!getenv("BARLOW"))
		skip_because("BARLOW does not name the program that examples start");
	lua_State *L = luaL_newstate();
	luaL_openlibs(L);
	bl_lua_open_globals(L);
	lua_register(L, "begin_failure", begin);
	lua_register(L, "finish_failure", finish);
	if (luaL_dofile(L, support_source("tests/c/no_memory.lua")) != LUA_OK)
		fail_msg("%s", lua_tostring(L, -1));
	lua_close(L);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_examples) };
	return cmocka_run_group_tests_name("no_memory_lua", tests, NULL, NULL);
}
