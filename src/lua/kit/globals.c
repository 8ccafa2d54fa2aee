/* SPDX-License-Identifier: GPL-3.0-or-later */
/* globals.c: the instructions of a function that reach upvalues and globals, read from a dump of Lua 5.4. */
#include "lua/kit/globals.h"
#include "lua/kit/kit.h"
#include "lua/kit/travel.h"

#include <stdio.h>
#include <string.h>

enum {
	OP_SETUPVAL = 10,
	OP_GETTABUP = 11,
	OP_SETTABUP = 15, /* lopcodes.h of Lua 5.4 */
	MOST_UPVALUES = 255,
	MOST_CONSTANTS = 256, /* that these instructions can name */
	DEPTH = 100,
	HEAD = 4 + 1 + 1 + 6 + 3 + 8 + 8 + 1, /* of a dump: signature, version, format, data, sizes, two numbers, upvalues */
	SHORT_STRING = 4,
	LONG_STRING = 20,
	INTEGER = 3,
	FLOAT = 19,
	INNER = -1, /* stands for an upvalue that is a local of an enclosing function within the dump */
};

/*
 * The checks of a function.  CONSTANT: its calls keep no state; KEEPS: they set no local of an enclosing scope; SETS:
 * collects the globals that it sets; READS: the globals that it reads exist.
 */
typedef enum question { CONSTANT, KEEPS, SETS, READS } question;

typedef struct reader {
	lua_State *L;
	const unsigned char *at, *end;
	int env; /* which upvalue of the main function is _ENV; INNER: none is */
	question question;
	int set; /* stack index of the table of globals that functions set; for SETS and READS */
} reader;

typedef struct text {
	const char *s;
	size_t n;
} text;

/* --- reading; beyond the end of the dump everything reads as 0 --- */

static unsigned byte(reader *r)
{
	return r->at < r->end ? *r->at++ : 0;
}

static size_t size(reader *r)
{
	size_t n = 0;
	while (r->at < r->end) {
		unsigned b = *r->at++;
		n = n << 7 | (b & 127);
		if (b & 128)
			break;
	}
	return n;
}

static const unsigned char *skip(reader *r, size_t n)
{
	const unsigned char *from = r->at;
	r->at = n <= (size_t)(r->end - r->at) ? r->at + n : r->end;
	return from;
}

static text string(reader *r)
{
	size_t n = size(r);
	n = n ? n - 1 : 0;
	const char *s = (const char *)skip(r, n);
	return (text){ s, (size_t)((const char *)r->at - s) };
}

static text constant(reader *r)
{
	unsigned kind = byte(r);
	if (kind == SHORT_STRING || kind == LONG_STRING)
		return string(r);
	if (kind == INTEGER || kind == FLOAT)
		skip(r, 8);
	return (text){ NULL, 0 };
}

/* --- checks --- */

static int missing(lua_State *L, const char *name)
{
	bl_lua_push_near_global(L, name);
	int rc = lua_isnil(L, -1)
	                 ? bl_fail("it uses the global '%s', which does not exist", name)
	                 : bl_fail("it uses the global '%s', which does not exist (did you mean '%s'?)", name, lua_tostring(L, -1));
	lua_pop(L, 1);
	return rc;
}

/* Checks a global that is read; in a sandboxed state those exist whose value is passed between states by its name. */
static int check_read(const reader *r, const char *name)
{
	lua_State *L = r->L;
	lua_pushglobaltable(L);
	lua_pushstring(L, name);
	lua_rawget(L, -2);
	bool none = lua_isnil(L, -1), there = lua_rawequal(L, -1, -2) || bl_lua_name_of(L, -1);
	const char *kind = luaL_typename(L, -1);
	lua_pop(L, 2);
	if (r->question == CONSTANT && strcmp(name, "_G") == 0)
		return bl_fail(
			"it uses _G, the table of globals: calls run on several threads, each with a copy, and none may see what "
			"another one did");
	if (none)
		return missing(L, name);
	if (there || r->question == READS)
		return 0;
	return bl_fail(
		"it uses the global '%s' (a %s), which does not exist in the state where the function runs: make it a local above "
		"the function",
		name, kind);
}

static int check_name(const reader *r, const char *name, bool written)
{
	if (r->question == KEEPS)
		return 0;
	if (written && r->question == CONSTANT)
		return bl_fail(
			"it sets the global '%s': calls run on several threads, each with a copy, and none may see what "
			"another one did",
			name);
	if (written) {
		lua_pushboolean(r->L, 1);
		lua_setfield(r->L, r->set, name);
		return 0;
	}
	if (r->question == CONSTANT)
		return check_read(r, name);
	bool set = lua_getfield(r->L, r->set, name) != LUA_TNIL;
	lua_pop(r->L, 1);
	return set || r->question == SETS ? 0 : check_read(r, name);
}

static int check_global(reader *r, text name, bool written)
{
	lua_pushlstring(r->L, name.s, name.n);
	int rc = check_name(r, lua_tostring(r->L, -1), written);
	lua_pop(r->L, 1);
	return rc;
}

static int check_upvalue(reader *r, int at, int function)
{
	bool asked = r->question == CONSTANT || r->question == KEEPS;
	const char *name = at == INNER || !asked ? NULL : lua_getupvalue(r->L, function, at + 1);
	if (!name)
		return 0;
	lua_pop(r->L, 1);
	if (r->question == KEEPS)
		return bl_fail(
			"it sets '%s', a local around it: a run calls a copy of the function, and values that calls store there are "
			"lost when the run is resumed",
			name);
	return bl_fail(
		"it sets '%s', a local around it: calls run on several threads, each with a copy, and none may see what "
		"another one did",
		name);
}

/* Checks one instruction; up: for each upvalue of this function, which upvalue of the main function it is, or INNER. */
static int check_instruction(reader *r, uint32_t code, const int *up, const text *constants, int function)
{
	unsigned op = code & 127, a = code >> 7 & 255, b = code >> 16 & 255, c = code >> 24;
	if (op == OP_SETUPVAL)
		return check_upvalue(r, up[b], function);
	if (r->env == INNER)
		return 0;
	if (op == OP_GETTABUP && up[b] == r->env && constants[c].s)
		return check_global(r, constants[c], false);
	if (op == OP_SETTABUP && up[a] == r->env && constants[b].s)
		return check_global(r, constants[b], true);
	return 0;
}

static void read_upvalues(reader *r, const int *outer, int *up)
{
	size_t n = size(r);
	for (size_t i = 0; i < n && r->at < r->end; i++) {
		unsigned in_stack = byte(r), index = byte(r);
		byte(r);
		if (i < MOST_UPVALUES)
			up[i] = !outer ? (int)i : in_stack ? INNER : outer[index < MOST_UPVALUES ? index : MOST_UPVALUES];
	}
}

static void skip_debug(reader *r)
{
	skip(r, size(r));
	for (size_t n = size(r); n > 0 && r->at < r->end; n--)
		size(r), size(r);
	for (size_t n = size(r); n > 0 && r->at < r->end; n--)
		string(r), size(r), size(r);
	for (size_t n = size(r); n > 0 && r->at < r->end; n--)
		string(r);
}

static int check_function(reader *r, const int *outer, int function, int depth)
{
	int up[MOST_UPVALUES + 1];
	text constants[MOST_CONSTANTS] = { { NULL, 0 } };
	for (int i = 0; i <= MOST_UPVALUES; i++)
		up[i] = INNER;
	if (depth == DEPTH)
		return bl_fail("functions within functions, more than %d deep", DEPTH);
	string(r);
	size(r), size(r);
	skip(r, 3);
	size_t n = size(r);
	const unsigned char *code = skip(r, 4 * n);
	size_t k = size(r);
	for (size_t i = 0; i < k && r->at < r->end; i++) {
		text one = constant(r);
		if (i < MOST_CONSTANTS)
			constants[i] = one;
	}
	read_upvalues(r, outer, up);
	for (size_t i = 0; i < n; i++) {
		uint32_t one;
		memcpy(&one, code + 4 * i, 4);
		if (check_instruction(r, one, up, constants, function) < 0)
			return -1;
	}
	for (size_t inner = size(r); inner > 0 && r->at < r->end; inner--)
		if (check_function(r, up, function, depth + 1) < 0)
			return -1;
	skip_debug(r);
	return 0;
}

typedef struct dump {
	bool begun; /* the buffer is initialised; it uses the stack above the function */
	luaL_Buffer b;
} dump;

static int append(lua_State *L, const void *bytes, size_t n, void *ctx)
{
	dump *d = ctx;
	if (!d->begun)
		luaL_buffinit(L, &d->b);
	d->begun = true;
	luaL_addlstring(&d->b, bytes, n);
	return 0;
}

/* Checks the function at `function`.  The dump of another version of Lua passes unchecked: its errors come when it runs. */
static int check_one(const reader *asked, int function)
{
	lua_State *L = asked->L;
	dump d = { .begun = false };
	size_t n;
	reader r = *asked;
	r.env = INNER;
	for (int i = 1; i <= MOST_UPVALUES; i++) {
		const char *name = lua_getupvalue(L, function, i);
		if (!name)
			break;
		lua_pop(L, 1);
		if (strcmp(name, "_ENV") == 0)
			r.env = i - 1;
	}
	lua_pushvalue(L, function);
	lua_dump(L, append, &d, 0);
	luaL_pushresult(&d.b);
	lua_remove(L, -2);
	r.at = (const unsigned char *)lua_tolstring(L, -1, &n);
	r.end = r.at + n;
	bool known = n > HEAD && memcmp(r.at, "\x1bLua\x54", 5) == 0;
	r.at += known ? HEAD : n;
	int rc = known ? check_function(&r, NULL, function, 0) : 0;
	lua_pop(L, 1);
	return rc;
}

/* Checks the function and those among its upvalues, each once; seen: stack index of the set of those already checked. */
static int check_all(const reader *asked, int function, int seen, int depth)
{
	lua_State *L = asked->L;
	luaL_checkstack(L, 8, "functions");
	lua_pushvalue(L, function);
	bool again = lua_rawget(L, seen) != LUA_TNIL;
	lua_pop(L, 1);
	if (again || depth == DEPTH)
		return 0;
	lua_pushvalue(L, function);
	lua_pushboolean(L, 1);
	lua_rawset(L, seen);
	int rc = check_one(asked, function);
	for (int i = 1; rc == 0 && lua_getupvalue(L, function, i); i++) {
		if (lua_isfunction(L, -1) && !lua_iscfunction(L, -1) && !bl_lua_name_of(L, -1))
			rc = check_all(asked, lua_gettop(L), seen, depth + 1);
		lua_pop(L, 1);
	}
	return rc;
}

static int ask(lua_State *L, int index, question q, int set)
{
	if (!lua_isfunction(L, index) || lua_iscfunction(L, index))
		return 0;
	lua_newtable(L);
	int rc = check_all(&(reader){ .L = L, .question = q, .set = set }, index, lua_gettop(L), 0);
	lua_pop(L, 1);
	return rc;
}

int bl_lua_check_surroundings(lua_State *L, int index)
{
	return ask(L, lua_absindex(L, index), CONSTANT, 0);
}

int bl_lua_check_globals(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	lua_newtable(L);
	int set = lua_gettop(L), rc = ask(L, index, KEEPS, 0);
	rc = rc == 0 ? ask(L, index, SETS, set) : rc;
	rc = rc == 0 ? ask(L, index, READS, set) : rc;
	lua_pop(L, 1);
	return rc;
}
