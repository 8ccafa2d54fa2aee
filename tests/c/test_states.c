/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_states.c: sandboxed Lua states: their content, and their limits of time and memory. */
#include "lua/bind/face.h"
#include "lua/kit/states.h"
#include "support.h"

#include <barlow/parallel.h>

#include <string.h>

static lua_State *new_state(void)
{
	lua_State *L = bl_lua_state_new(&(bl_lua_state_config){
		.what = "the text",
		.open = bl_lua_open_sandbox,
		.bytes = 64 << 20,
		.instructions = 10 * 1000 * 1000,
		.seconds = 5,
		.every = 100,
	});
	assert_non_null(L);
	return L;
}

static int run(lua_State *L, const char *text)
{
	if (luaL_loadbufferx(L, text, strlen(text), "=text", "t") != LUA_OK)
		fail_msg("%s", lua_tostring(L, -1));
	return bl_lua_state_call(L, 0, 0);
}

static void test_content(void **state)
{
	(void)state;
	static const char *const fine[] = {
		"assert(math.sqrt(4) == 2 and ('x'):rep(3) == 'xxx' and table.concat{1, 2} == '12' and utf8.char(65) == 'A')",
		"assert((' a b '):match '^%s*(.-)%s*$' == 'a b' and ('a.b'):find('.', 1, true) == 2)",
		"assert(('k = v, l = w'):gsub('%w+', string.upper) == 'K = V, L = W')",
		"local n = 0 for k in ('a,b,c'):gmatch '[^,]+' do n = n + 1 end assert(n == 3)",
		"assert(tensor.ones(2, 2):sum():item() == 4 and nn.linear(2, 3):count() == 9)",
		"assert(tostring(tensor.ones(2)):find 'tensor')",
		"local t = setmetatable({}, {__index = function() return 3 end}) assert(t.x == 3)",
		"assert(select('#', pcall(error, 'x')) == 2)",
		"local t = {3, 1, 2} table.sort(t) assert(t[1] == 1 and table.remove(t) == 3 and #table.move(t, 1, 2, 2) == 3)",
		"assert(loss.barlow{} and aug.flip(.5) and optim.sgd{lr = .1} and eval.rankme(tensor.randn(4, 2)) > 0)",
	};
	static const char *const absent[] = {
		"io",          "os",      "debug",          "package",    "require", "load", "loadstring",
		"loadfile",    "dofile",  "collectgarbage", "coroutine",  "xpcall",  "warn", "arg",
		"string.dump", "trainer", "runs",           "plot",       "data",    "help", "interruptible",
		"math.os",     "_G.os",   "_G.io",          "_G._G.load",
	};
	static const char *const withheld[] = {
		"tensor.ones(2).save", "nn.relu().save",        "nn.relu().load",   "assert(tensor.load)",
		"assert(tensor.save)", "assert(eval.features)", "assert(eval.knn)", "assert(eval.linear)",
	};
	char text[128];
	lua_State *L = new_state();
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		if (run(L, fine[i]) < 0)
			fail_msg("%s: %s", fine[i], bl_error());
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
		snprintf(text, sizeof text, "assert(%s == nil)", absent[i]);
		if (run(L, text) < 0)
			fail_msg("%s: %s", text, bl_error());
	}
	for (size_t i = 0; i < sizeof withheld / sizeof *withheld; i++) {
		snprintf(text, sizeof text, "local x = %s", withheld[i]);
		assert_int_equal(run(L, text), -1);
	}
	bl_lua_state_close(L);
}

/* Without limits, each of these texts would run endlessly or use all memory. */
static void test_budget(void **state)
{
	(void)state;
	static const char *const endless[] = {
		"while true do end",
		"while true do pcall(function() while true do end end) end",
		"local function f() return f() end f()",
		"local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
		"for i = 1, 1e18 do end",
		"setmetatable({}, {__gc = function() while true do end end})",
		"local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return t[1]",
		"table.sort({1, 2, 3, 4, 5}, function() while true do end end)",
		"(''):gsub('', function() while true do end end)",
		"string.rep('', 1e18) for i = 1, 1e18 do string.rep('', 1e18) end",
		"string.find(('a'):rep(1000), ('a*'):rep(20) .. 'b')",
		"string.find(('a'):rep(10000), ('a?'):rep(60) .. 'b')",
		"string.match(('a'):rep(1e6), ('%b()'):rep(3))",
		"string.find(('a'):rep(3e7), ('a'):rep(1e7) .. 'b', 1, true)",
		"string.gsub(('x'):rep(3000), ('.-'):rep(9) .. 'y', '')",
		"for w in ('x'):rep(3000):gmatch(('[x]*'):rep(9) .. 'y') do end",
		"table.move({}, 1, 1e15, 2)",
		"table.move({}, math.mininteger, -1, 2)",
		"table.insert(setmetatable({}, {__len = function() return 1e15 end}), 1, 1)",
		"table.concat(setmetatable({}, {__index = function() return '' end}), '', 1, 1e15)",
		"table.unpack({}, 1, 1e8)",
		"local s = 'x' while true do s = s .. s end",
		"local t = {} while true do t[#t + 1] = {} end",
		"local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end",
		"('x'):rep(1e10)",
		"('x'):rep(1e18)",
		"local s = ('x'):rep(3e7) while true do s = s:reverse() end",
		"local function f() return 1 + f() end f()",
		"local f f = function() return pcall(f) or f() end f()",
		"error(setmetatable({}, {__tostring = function() while true do end end}))",
		"while true do tensor.zeros(10) end",
		"while true do nn.linear(10, 10) end",
		"tensor.zeros(1 << 40, 1 << 20)",
		"return #tostring(setmetatable({}, {__name = ('x'):rep(1e9)}))",
	};
	for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
		/* The first text may run without an error, since the length of its table is undefined in Lua. */
		lua_State *L = new_state();
		assert_int_equal(run(L, "local t = {} for i = 0, 40 do t[1 << i] = 1 end pcall(table.insert, t, 1, 1)"), 0);
		double began = bl_now();
		if (run(L, endless[i]) == 0)
			fail_msg("%s: no error", endless[i]);
		assert_true(bl_error()[0] != '\0');
		double took = bl_now() - began;
		if (took > 20)
			fail_msg("%s: %g s", endless[i], took);
		assert_int_equal(run(L, "return 1"), 0); /* the next call has a budget of its own */
		assert_int_equal(lua_gettop(L), 0);
		bl_lua_state_close(L);
	}
}

static void test_messages(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "while true do end", "the text ran for more than 10000000 instructions" },
		{ "('x'):rep(1e9)", "the text needs more than 64 MiB of memory" },
		{ "error '\\27[2J\\n\\0hidden'", "text:1: \\x1b[2J\n" },
		{ "error{}", "an error value that is not a string" },
	};
	lua_State *L = new_state();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(run(L, cases[i].text), -1);
		if (!strstr(bl_error(), cases[i].message))
			fail_msg("%s: %s", cases[i].text, bl_error());
	}
	bl_lua_state_close(L);
}

static int hurry(lua_State *L)
{
	(void)L;
	bl_lua_states_hurry(true);
	return 0;
}

/* A call that does not end does not block its caller. */
static void test_hurry(void **state)
{
	(void)state;
	lua_State *L = bl_lua_state_new(&(bl_lua_state_config){
		.what = "the text",
		.open = bl_lua_open_sandbox,
		.bytes = 64 << 20,
		.instructions = INT64_MAX / 2,
		.seconds = 60,
		.every = 100,
	});
	lua_pushcfunction(L, hurry);
	lua_setglobal(L, "hurry");
	double began = bl_now();
	assert_int_equal(run(L, "hurry() while true do end"), -1);
	bl_lua_states_hurry(false);
	assert_non_null(strstr(bl_error(), "interrupted"));
	assert_true(bl_now() - began < 20);
	bl_lua_state_close(L);
}

static int interrupt_here(lua_State *L)
{
	bl_lua_interrupted = 1;
	lua_pushboolean(L, bl_given_up());
	bl_lua_interrupted = 0;
	return 1;
}

/* Ctrl-C ends a forward pass, but does not interrupt a function in the network, which may itself make training steps. */
static void test_function_in_a_network(void **state)
{
	static const char text[] =
		"nn.func(function(x) assert(not interrupt_here(), 'its work was given up') return x end)(tensor.ones(1))";
	(void)state;
	lua_State *L = luaL_newstate();
	assert_non_null(L);
	luaL_openlibs(L);
	bl_lua_open_globals(L);
	lua_register(L, "interrupt_here", interrupt_here);
	bl_lua_interrupt_guard(L);
	if (luaL_dostring(L, text) != LUA_OK)
		fail_msg("%s", lua_tostring(L, -1));
	bl_lua_interrupt_guard(NULL);
	lua_close(L);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_hurry),
		cmocka_unit_test(test_function_in_a_network),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
