/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tame.c: the part of Lua's libraries that untrusted code may call.
 *
 * The hook counts Lua's instructions, but not the work of a library function within one of them.  So functions whose time
 * can grow without bound (repeated empty strings, patterns that backtrack, moves over more items than a table has) are
 * called only if their work is bounded.
 */
#include "lua/kit/kit.h"
#include "lua/kit/states.h"
#include "lua/kit/tame.h"
#include "lua/kit/travel.h"

#include <stdio.h>
#include <string.h>

/* The most work that is allowed: about a second. */
static const double MOST_STEPS = 1e9;
enum { MOST_ITEMS = 10 * 1000 * 1000 };

static const char *const base_names[] = {
	"assert",   "error",    "ipairs", "pairs",        "pcall", "rawequal", "select",
	"tonumber", "tostring", "type",   "getmetatable", "_G",    "_VERSION", NULL,
};
static const char *const raw_names[] = { "rawget", "rawlen", NULL };
static const char *const string_names[] = {
	"byte", "char", "format", "len", "lower", "pack", "packsize", "reverse", "sub", "unpack", "upper", NULL,
};
static const char *const matching_names[] = { "find", "match", "gmatch", "gsub", NULL };
static const char *const table_names[] = { "pack", NULL };
static const char *const reading_table_names[] = { "concat", "unpack", NULL };
static const char *const writing_table_names[] = { "insert", "remove", "sort", NULL };

/* --- strings --- */

/* Returns the index of the last byte of the character set that begins at byte i of the pattern p. */
static size_t set_end(const char *p, size_t i, size_t lp)
{
	i += p[i + 1] == '^' ? 2 : 1;
	do
		i += p[i] == '%' ? 2 : 1;
	while (i < lp && p[i] != ']');
	return i;
}

/* Returns an upper bound on the steps of matching: each repetition tries all lengths, from each starting position. */
static double cost(const char *p, size_t lp, size_t ls)
{
	double steps = (double)(lp + 1) * (double)(ls + 1) * (*p == '^' ? 1 / (double)(ls + 1) : 1);
	for (size_t i = 0; i < lp; i++) {
		if (p[i] == '[')
			i = set_end(p, i, lp);
		else if (p[i] == '%')
			steps *= p[++i] == 'b' || (p[i] >= '0' && p[i] <= '9') ? (double)(ls + 1) : 1;
		else if (p[i] == '*' || p[i] == '+' || p[i] == '-')
			steps *= (double)(ls + 1);
		else if (p[i] == '?')
			steps *= 2;
	}
	return steps;
}

/*
 * Calls the real function, upvalue 1, if the time of matching argument 1 against the pattern, argument 2, is bounded.  Upvalue
 * 2: whether the function has a fourth argument that makes the pattern plain text.
 */
static int match(lua_State *L)
{
	size_t ls, lp;
	luaL_checklstring(L, 1, &ls);
	const char *p = luaL_checklstring(L, 2, &lp);
	bool plain = lua_toboolean(L, lua_upvalueindex(2)) && lua_toboolean(L, 4);
	double steps = plain ? (double)(ls + 1) * (double)(lp + 1) : cost(p, lp, ls);
	if (steps > MOST_STEPS)
		return luaL_error(L, "the pattern could take too long on a text of %I bytes", (lua_Integer)ls);
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int rep(lua_State *L)
{
	size_t l, lsep;
	luaL_checklstring(L, 1, &l);
	luaL_optlstring(L, 3, "", &lsep);
	if (l + lsep > 0)
		return lua_tocfunction(L, lua_upvalueindex(1))(L);
	lua_pushliteral(L, "");
	return 1;
}

/* --- tables --- */

/* Checks that there is a plain table, or a shape, at `arg`, and that its length is real: # may be far beyond its items. */
static void check_table(lua_State *L, int arg)
{
	luaL_checktype(L, arg, LUA_TTABLE);
	if (lua_getmetatable(L, arg)) {
		luaL_getmetatable(L, BL_T_SHAPE); /* it has no metamethods that these functions call */
		if (!lua_rawequal(L, -1, -2))
			luaL_argerror(L, arg, "expected a table without a metatable");
		lua_pop(L, 2);
	}
	luaL_argcheck(L, lua_rawlen(L, arg) <= MOST_ITEMS, arg, "the table is too long");
}

static int refuse_constant(lua_State *L)
{
	return luaL_error(L, "a table among the function's upvalues cannot be written to");
}

/* Calls the real function, upvalue 1, on the table at 1.  Upvalue 2: whether the function only reads the table. */
static int on_table(lua_State *L)
{
	if (lua_istable(L, 1) && bl_lua_constant_real(L, 1) && !lua_toboolean(L, lua_upvalueindex(2)))
		return refuse_constant(L);
	check_table(L, 1);
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int move(lua_State *L)
{
	lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
	int to = lua_isnoneornil(L, 5) ? 1 : 5;
	if (lua_istable(L, to) && bl_lua_constant_real(L, to))
		return refuse_constant(L);
	if (to == 5 && lua_istable(L, 1))
		bl_lua_constant_real(L, 1);
	check_table(L, 1);
	check_table(L, to);
	luaL_argcheck(L, last < first || (lua_Unsigned)last - (lua_Unsigned)first < MOST_ITEMS, 3, "too many items");
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* --- random numbers --- */

uint64_t bl_lua_stream_bits(void)
{
	bl_rng *stream = bl_ambient_here()->stream;
	uint64_t high = bl_rng_u32(stream);
	return high << 32 | bl_rng_u32(stream);
}

lua_Integer bl_lua_stream_integer(lua_Integer low, lua_Integer high)
{
	lua_Unsigned n = (lua_Unsigned)high - (lua_Unsigned)low + 1, v, rest = n ? -n % n : 0; /* 2^64 mod n */
	do
		v = bl_lua_stream_bits();
	while (v < rest);
	return (lua_Integer)((lua_Unsigned)low + (n ? v % n : v));
}

/* Calls the real function, upvalue 1, as Lua would: its own upvalue is the generator's state. */
static int call_real(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* math.random: uses the call's stream, if it has one. */
static int random_number(lua_State *L)
{
	int n = lua_gettop(L);
	luaL_argcheck(L, n <= 2, n, "wrong number of arguments");
	lua_Integer low = n < 2 ? 1 : luaL_checkinteger(L, 1), high = n == 0 ? 1 : luaL_checkinteger(L, n);
	bool any = n == 1 && high == 0; /* all bits of an integer */
	luaL_argcheck(L, low <= high || any, n, "interval is empty");
	if (!bl_ambient_here()->stream)
		return call_real(L);
	if (n == 0)
		lua_pushnumber(L, (lua_Number)(bl_lua_stream_bits() >> 11) * 0x1p-53);
	else
		lua_pushinteger(L, any ? (lua_Integer)bl_lua_stream_bits() : bl_lua_stream_integer(low, high));
	return 1;
}

static int random_seed(lua_State *L)
{
	if (bl_ambient_here()->stream)
		return luaL_error(
			L,
			"math.randomseed: in functions that a run calls, random numbers are derived from the run's seed and the "
			"step or the image, so that the run can be repeated");
	if (bl_lua_state_is_sandbox(L))
		luaL_checknumber(L, 1); /* without an argument the seed would be the time */
	return call_real(L);
}

void bl_lua_wrap_random(lua_State *L)
{
	static const luaL_Reg with[] = { { "random", random_number }, { "randomseed", random_seed }, { NULL, NULL } };
	if (lua_getglobal(L, "math") != LUA_TTABLE) {
		lua_pop(L, 1);
		return;
	}
	for (const luaL_Reg *f = with; f->name; f++) {
		if (lua_getfield(L, -1, f->name) == LUA_TFUNCTION && lua_tocfunction(L, -1) != f->func)
			lua_pushcclosure(L, f->func, 1);
		lua_setfield(L, -2, f->name);
	}
	lua_pop(L, 1);
}

/* --- the base --- */

/* next, rawget and rawlen: calls the real function, upvalue 1, on the real table. */
static int read_raw(lua_State *L)
{
	if (lua_istable(L, 1))
		bl_lua_constant_real(L, 1);
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int raw_set(lua_State *L)
{
	if (lua_istable(L, 1) && bl_lua_name_of(L, 1))
		return luaL_error(L, "rawset: %s is a library's table, which cannot be written to", bl_lua_name_of(L, 1));
	if (lua_istable(L, 1) && bl_lua_constant_real(L, 1))
		return refuse_constant(L);
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Refuses __gc: finalizers run without the hook, and when the state is closed. */
static int set_metatable(lua_State *L)
{
	if (lua_istable(L, 2)) {
		lua_pushliteral(L, "__gc");
		luaL_argcheck(L, lua_rawget(L, 2) == LUA_TNIL, 2, "a metatable of a sandboxed state cannot have __gc");
		lua_pop(L, 1);
	}
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Prints to standard error, without control bytes, since standard output belongs to the user's script. */
static int print(lua_State *L)
{
	int n = lua_gettop(L);
	for (int i = 1; i <= n; i++) {
		bl_lua_push_clean(L, luaL_tolstring(L, i, NULL), true);
		if (bl_lua_state_may_print(L, lua_rawlen(L, -1) + 1))
			fprintf(stderr, "%s%s%s", i > 1 ? "\t" : "", lua_tostring(L, -1), i == n ? "\n" : "");
		lua_pop(L, 2);
	}
	if (n == 0 && bl_lua_state_may_print(L, 1))
		fputc('\n', stderr);
	return 0;
}

/* --- opening --- */

/* Copies the named functions of the table below the top into the table on top. */
static void copy_names(lua_State *L, const char *const *names)
{
	for (; *names; names++) {
		lua_getfield(L, -2, *names);
		lua_setfield(L, -2, *names);
	}
}

/* Copies a function from the table below the top into the table on top, as upvalue 1 of `with`; takes_plain: upvalue 2. */
static void bound(lua_State *L, const char *name, lua_CFunction with, bool takes_plain)
{
	lua_getfield(L, -2, name);
	lua_pushboolean(L, takes_plain);
	lua_pushcclosure(L, with, 2);
	lua_setfield(L, -2, name);
}

/* Pushes the library's table and an empty one. */
static void begin(lua_State *L, lua_CFunction library)
{
	lua_pushcfunction(L, library);
	lua_call(L, 0, 1);
	lua_newtable(L);
}

/* Makes the table on top read-only, sets it as the global `name`, and pops the library's own table. */
static void end(lua_State *L, const char *name)
{
	bl_lua_close_library(L, name);
	lua_setglobal(L, name);
	lua_pop(L, 1);
}

static void open_string(lua_State *L)
{
	begin(L, luaopen_string);
	copy_names(L, string_names);
	for (const char *const *name = matching_names; *name; name++)
		bound(L, *name, match, strcmp(*name, "find") == 0);
	bound(L, "rep", rep, false);
	lua_pushliteral(L, ""); /* strings have these methods, which cannot be changed */
	lua_getmetatable(L, -1);
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
	end(L, "string");
}

static void open_table(lua_State *L)
{
	begin(L, luaopen_table);
	copy_names(L, table_names);
	for (const char *const *name = reading_table_names; *name; name++)
		bound(L, *name, on_table, true);
	for (const char *const *name = writing_table_names; *name; name++)
		bound(L, *name, on_table, false);
	bound(L, "move", move, false);
	end(L, "table");
}

/* The random seed is fixed, so that the result depends on the text only. */
static void open_math(lua_State *L)
{
	lua_pushcfunction(L, luaopen_math);
	lua_call(L, 0, 1);
	lua_getfield(L, -1, "randomseed");
	lua_pushinteger(L, 0);
	lua_call(L, 1, 0);
	lua_pushvalue(L, -1);
	bound(L, "random", random_number, false);
	bound(L, "randomseed", random_seed, false);
	lua_pop(L, 1);
	bl_lua_close_library(L, "math");
	lua_setglobal(L, "math");
}

/* luaopen_base sets globals; a new table of globals has only those named here. */
static void open_base(lua_State *L)
{
	lua_pushcfunction(L, luaopen_base);
	lua_call(L, 0, 1);
	lua_newtable(L);
	copy_names(L, base_names);
	bound(L, "setmetatable", set_metatable, false);
	for (const char *const *name = raw_names; *name; name++)
		bound(L, *name, read_raw, false);
	bound(L, "rawset", raw_set, false);
	bound(L, "next", read_raw, false);
	lua_pushcfunction(L, print);
	lua_setfield(L, -2, "print");
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "_G");
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	lua_pop(L, 1);
}

void bl_lua_open_tame(lua_State *L)
{
	open_base(L);
	open_string(L);
	open_table(L);
	open_math(L);
	lua_pushcfunction(L, luaopen_utf8);
	lua_call(L, 0, 1);
	bl_lua_close_library(L, "utf8");
	lua_setglobal(L, "utf8");
}

/* --- names --- */

static void name_all(lua_State *L, const char *library, const char *const *names)
{
	for (; *names; names++) {
		if (lua_getfield(L, -1, *names) == LUA_TFUNCTION) {
			const char *full = lua_pushfstring(L, "%s%s", library, *names);
			lua_insert(L, -2);
			bl_lua_name(L, full, false);
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
	}
}

void bl_lua_name_libraries(lua_State *L)
{
	static const char *const more[] = { "rep", NULL }, *const moving[] = { "move", NULL };
	static const char *const own[] = { "print", "setmetatable", "next", "rawset", NULL };
	int top = lua_gettop(L);
	lua_pushglobaltable(L);
	name_all(L, "", base_names);
	name_all(L, "", own);
	name_all(L, "", raw_names);
	if (lua_getglobal(L, "string") == LUA_TTABLE) {
		bl_lua_name(L, "string", false);
		name_all(L, "string.", string_names);
		name_all(L, "string.", matching_names);
		name_all(L, "string.", more);
	}
	if (lua_getglobal(L, "table") == LUA_TTABLE) {
		bl_lua_name(L, "table", false);
		name_all(L, "table.", table_names);
		name_all(L, "table.", reading_table_names);
		name_all(L, "table.", writing_table_names);
		name_all(L, "table.", moving);
	}
	if (lua_getglobal(L, "math") == LUA_TTABLE)
		bl_lua_name(L, "math", true);
	if (lua_getglobal(L, "utf8") == LUA_TTABLE)
		bl_lua_name(L, "utf8", true);
	lua_settop(L, top);
}
