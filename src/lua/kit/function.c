/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * function.c: functions as values, and the states in which threads call them.
 *
 * Each state stores by number the functions that were called in it.  A thread's own state is made when the thread first
 * calls a function, and closed when the thread ends.
 */
#include "lua/kit/function.h"
#include "lua/kit/kit.h"
#include "lua/kit/states.h"

#include <barlow/parallel.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define FUNCTIONS "barlow.functions" /* registry: number -> function */
#define VALUES "barlow.values"       /* registry: function -> its userdata (BL_T_FUNCTION), weak keys */

/*
 * `refs` counts all references, `holders` those of C code.  States store the function by its number only while C code
 * has a reference, so that unused functions can be collected.
 */
struct bl_function {
	atomic_int refs, holders;
	bl_cargo *cargo;
	lua_Integer number;
	bool foreign;  /* not from the user's own script: runs sandboxed on every thread */
	bool constant; /* tables and tensors among its upvalues cannot be written to */
};

static pthread_key_t own_key; /* the thread's own state */
static pthread_once_t own_once = PTHREAD_ONCE_INIT;
static atomic_llong numbers;
static lua_CFunction opener;

/* L may be a coroutine; the registry keeps it from being collected while it is the thread's current state. */
void bl_lua_enter(lua_State *L)
{
	static const char entered;
	lua_pushthread(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &entered);
	bl_ambient_here()->lua = L;
}

void bl_lua_thread_states(lua_CFunction open)
{
	opener = open;
}

/* --- the thread's own state --- */

static void close_own(void *L)
{
	bl_ambient_here()->lua = L;
	bl_lua_state_close(L);
	bl_ambient_here()->lua = NULL;
}

static void make_key(void)
{
	pthread_key_create(&own_key, close_own);
}

static lua_State *own_state(void)
{
	pthread_once(&own_once, make_key);
	lua_State *L = pthread_getspecific(own_key);
	if (L)
		return L;
	L = bl_lua_state_new(&(bl_lua_state_config){
		.what = "the function",
		.open = opener,
		.bytes = (size_t)1 << 30,
		.instructions = 300 * 1000 * 1000,
		.seconds = 60,
		.every = 1000,
		.interruptible = bl_ambient_here()->lua != NULL,
	});
	if (L)
		pthread_setspecific(own_key, L);
	return L;
}

/* --- values --- */

static void share(bl_function *f)
{
	f->refs++;
}

static void unshare(bl_function *f)
{
	if (--f->refs > 0)
		return;
	bl_cargo_free(f->cargo);
	free(f);
}

bl_function *bl_function_ref(bl_function *f)
{
	share(f);
	f->holders++;
	return f;
}

/* Removes f from the functions that L stores; L may be NULL. */
static void forget(lua_State *L, const bl_function *f)
{
	if (!L || !lua_checkstack(L, 3))
		return;
	if (lua_getfield(L, LUA_REGISTRYINDEX, FUNCTIONS) == LUA_TTABLE) {
		lua_pushnil(L);
		lua_rawseti(L, -2, f->number);
	}
	lua_pop(L, 1);
}

void bl_function_unref(bl_function *f)
{
	if (!f)
		return;
	if (--f->holders == 0) {
		pthread_once(&own_once, make_key);
		lua_State *own = pthread_getspecific(own_key), *current = bl_ambient_here()->lua;
		forget(current, f);
		if (own != current)
			forget(own, f);
	}
	unshare(f);
}

bl_cargo *bl_function_cargo(bl_function *f)
{
	return f->cargo;
}

bool bl_function_same(const bl_function *f, const bl_function *g)
{
	return f == g || bl_cargo_same(f->cargo, g->cargo);
}

/* Pushes a userdata for f.  function: stack index of the Lua function; 0: it is not known. */
static void push_value(lua_State *L, bl_function *f, int function)
{
	bl_function **value = bl_lua_new(L, BL_T_FUNCTION, sizeof f);
	share(*value = f);
	if (!function)
		return;
	lua_pushvalue(L, function);
	lua_setiuservalue(L, -2, 2);
}

/* Pushes this state's table VALUES. */
static void push_values(lua_State *L)
{
	if (luaL_getsubtable(L, LUA_REGISTRYINDEX, VALUES))
		return;
	lua_createtable(L, 0, 1);
	lua_pushliteral(L, "k");
	lua_setfield(L, -2, "__mode");
	lua_setmetatable(L, -2);
}

/* Pops the function on top and stores it under the number of f: calls of f in this state run it, and not a copy. */
static void store(lua_State *L, const bl_function *f)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, FUNCTIONS);
	lua_insert(L, -2);
	lua_rawseti(L, -2, f->number);
	lua_pop(L, 1);
}

int bl_function_make(lua_State *L, int index, bl_function **out)
{
	index = lua_absindex(L, index);
	bl_function **value = bl_lua_test(L, index, BL_T_FUNCTION);
	if (value) {
		*out = bl_function_ref(*value);
		if (lua_getiuservalue(L, index, 2) == LUA_TFUNCTION)
			store(L, *value);
		else
			lua_pop(L, 1);
		return 0;
	}
	bl_function *f = *out = calloc(1, sizeof *f);
	if (!f)
		return bl_fail("no memory for a function");
	f->refs = f->holders = 1;
	f->number = ++numbers;
	f->foreign = bl_lua_state_is_sandbox(L);
	if (bl_cargo_pack(L, index, &f->cargo) < 0)
		return -1;
	if (f->foreign)
		return 0;
	lua_pushvalue(L, index);
	store(L, f);
	push_values(L);
	lua_pushvalue(L, index);
	push_value(L, f, index);
	lua_rawset(L, -3);
	lua_pop(L, 1);
	return 0;
}

void bl_lua_give_function(lua_State *L, bl_function *f)
{
	push_value(L, f, 0);
	bl_function_unref(f);
}

int bl_function_value(lua_State *L, int index)
{
	bl_function *f = NULL;
	index = lua_absindex(L, index);
	push_values(L);
	lua_pushvalue(L, index);
	bool known = lua_rawget(L, -2) == LUA_TUSERDATA;
	lua_remove(L, -2);
	if (known)
		return 0;
	lua_pop(L, 1);
	int rc = bl_function_make(L, index, &f);
	if (rc == 0)
		push_value(L, f, index);
	bl_function_unref(f);
	return rc;
}

bl_lua_limits bl_function_limits(lua_State *L, int index, double seconds, int mebibytes)
{
	enum { MOST_SECONDS = 60, MOST_MEBIBYTES = 4096 };
	bl_function **value = bl_lua_test(L, index, BL_T_FUNCTION);
	bool foreign = value && (*value)->foreign;
	seconds = foreign && seconds > MOST_SECONDS ? MOST_SECONDS : seconds;
	mebibytes = foreign && mebibytes > MOST_MEBIBYTES ? MOST_MEBIBYTES : mebibytes;
	return (bl_lua_limits){ seconds, (size_t)mebibytes << 20 };
}

bl_function *bl_function_with(bl_function *f, bl_tensor *const *from, bl_tensor *const *to, int n)
{
	bl_function *copy = calloc(1, sizeof *copy);
	if (!copy)
		return bl_fail_null("no memory for a function");
	copy->refs = copy->holders = 1;
	copy->number = ++numbers;
	copy->foreign = true;
	copy->constant = f->constant;
	if (bl_cargo_copy(f->cargo, from, to, n, &copy->cargo) == 0)
		return copy;
	bl_function_unref(copy);
	return NULL;
}

bl_function *bl_function_constant(bl_function *f)
{
	bl_function *copy = bl_function_with(f, NULL, NULL, 0);
	if (!copy)
		return NULL;
	copy->constant = true;
	if (bl_cargo_freeze(copy->cargo) == 0)
		return copy;
	bl_function_unref(copy);
	return NULL;
}

/* --- calling --- */

typedef struct call {
	bl_function *f;
	int (*push)(lua_State *L, void *ctx);
	int results;
	void (*take)(lua_State *L, void *ctx);
	void *ctx;
} call;

int bl_function_arguments(lua_State *L)
{
	lua_Debug d;
	lua_pushvalue(L, -1);
	lua_getinfo(L, ">u", &d);
	return d.isvararg ? 255 : d.nparams;
}

static int protected_call(lua_State *L)
{
	call *c = lua_touserdata(L, 1);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, FUNCTIONS);
	if (lua_rawgeti(L, -1, c->f->number) == LUA_TNIL) {
		lua_pop(L, 1);
		bl_cargo_push(L, c->f->cargo, c->f->constant);
		lua_pushvalue(L, -1);
		lua_rawseti(L, -3, c->f->number);
	}
	lua_call(L, c->push(L, c->ctx), c->results);
	c->take(L, c->ctx);
	return 0;
}

static int call_in(lua_State *L)
{
	if (lua_pcall(L, 1, 0, 0) == LUA_OK)
		return 0;
	const char *message = lua_tostring(L, -1), *text = message ? message : "an error value that is not a string";
	if (bl_lua_interrupted || bl_lua_ending)
		bl_fail_interrupted("%s", text);
	else
		bl_fail("%s", text);
	lua_pop(L, 1);
	return -1;
}

int bl_function_call_within(bl_function *f, const bl_lua_limits *limits, int (*push)(lua_State *L, void *ctx), int results,
                            void (*take)(lua_State *L, void *ctx), void *ctx)
{
	call c = { f, push, results, take, ctx };
	lua_State *was = bl_ambient_here()->lua, *own = was && !f->foreign ? NULL : own_state(), *L = own ? own : was;
	if (!L)
		return -1;
	if (!lua_checkstack(L, 8))
		return bl_fail("the Lua stack is full");
	bool sandboxed = own || bl_lua_state_is_sandbox(L);
	bl_ambient_here()->lua = L;
	lua_pushcfunction(L, protected_call);
	lua_pushlightuserdata(L, &c);
	const volatile int *outside = bl_give_up_on(NULL); /* training steps in the function must not be interrupted */
	int rc = !sandboxed ? call_in(L) : limits ? bl_lua_state_call_within(L, 1, 0, limits) : bl_lua_state_call(L, 1, 0);
	bl_give_up_on(outside);
	bl_ambient_here()->lua = was;
	return rc;
}

int bl_function_call(bl_function *f, int (*push)(lua_State *L, void *ctx), int results, void (*take)(lua_State *L, void *ctx),
                     void *ctx)
{
	bl_rng stream, *before = bl_ambient_here()->stream;
	if (bl_rng_of_call(&stream))
		bl_ambient_here()->stream = &stream;
	int rc = bl_function_call_within(f, NULL, push, results, take, ctx);
	bl_ambient_here()->stream = before;
	return rc;
}

/* --- the class --- */

static int f_gc(lua_State *L)
{
	bl_function **f = luaL_checkudata(L, 1, BL_T_FUNCTION), *gone = *f;
	*f = NULL;
	if (gone)
		unshare(gone);
	return 0;
}

void bl_lua_define_function(lua_State *L)
{
	static const luaL_Reg meta[] = { { "__gc", f_gc }, { NULL, NULL } };
	bl_lua_define(L, &(bl_lua_class){ .type = BL_T_FUNCTION, .meta = meta });
}
