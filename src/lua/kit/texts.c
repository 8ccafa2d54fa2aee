/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * texts.c: the texts of chunks, stored by name in a queue from which the oldest are removed.
 *
 * Lines of the prompt all have the same name, and a file may be loaded again after a change, so code that cuts a
 * function out of such texts compares the bytecode.
 */
#include "lua/kit/texts.h"
#include "lua/kit/kit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXTS "barlow.texts" /* registry: {first =, last =, bytes =, [i] = {name, text}} */

enum { BYTES_MAX = 32 << 20 };

static lua_Integer field(lua_State *L, int table, const char *name)
{
	lua_getfield(L, table, name);
	lua_Integer v = lua_tointeger(L, -1);
	lua_pop(L, 1);
	return v;
}

static void set_field(lua_State *L, int table, const char *name, lua_Integer v)
{
	lua_pushinteger(L, v);
	lua_setfield(L, table, name);
}

/* Removes the oldest texts until the queue is small enough. */
static void trim(lua_State *L, int queue)
{
	lua_Integer first = field(L, queue, "first"), last = field(L, queue, "last"), bytes = field(L, queue, "bytes");
	for (; bytes > BYTES_MAX && first < last; first++) {
		lua_rawgeti(L, queue, first);
		lua_rawgeti(L, -1, 2);
		bytes -= (lua_Integer)lua_rawlen(L, -1);
		lua_pop(L, 2);
		lua_pushnil(L);
		lua_rawseti(L, queue, first);
	}
	set_field(L, queue, "first", first);
	set_field(L, queue, "bytes", bytes);
}

void bl_lua_store_text(lua_State *L, const char *text, size_t n, const char *name)
{
	luaL_checkstack(L, 8, "texts");
	if (!luaL_getsubtable(L, LUA_REGISTRYINDEX, TEXTS))
		set_field(L, lua_gettop(L), "first", 1);
	int queue = lua_gettop(L);
	lua_Integer last = field(L, queue, "last") + 1;
	lua_createtable(L, 2, 0);
	lua_pushstring(L, name);
	lua_rawseti(L, -2, 1);
	lua_pushlstring(L, text, n);
	lua_rawseti(L, -2, 2);
	lua_rawseti(L, queue, last);
	set_field(L, queue, "last", last);
	set_field(L, queue, "bytes", field(L, queue, "bytes") + (lua_Integer)n);
	trim(L, queue);
	lua_pop(L, 1);
}

void bl_lua_push_texts(lua_State *L, const char *name)
{
	lua_newtable(L);
	int list = lua_gettop(L), queue = list + 1;
	lua_Integer n = 0;
	luaL_getsubtable(L, LUA_REGISTRYINDEX, TEXTS);
	for (lua_Integer i = field(L, queue, "last"); i >= field(L, queue, "first") && i > 0; i--) {
		lua_rawgeti(L, queue, i);
		lua_rawgeti(L, -1, 1);
		if (strcmp(lua_tostring(L, -1), name) == 0) {
			lua_rawgeti(L, -2, 2);
			lua_rawseti(L, list, ++n);
		}
		lua_pop(L, 2);
	}
	lua_settop(L, list);
}

int bl_lua_load_text(lua_State *L, const char *text, size_t n, const char *name)
{
	int status = luaL_loadbufferx(L, text, n, name, "t");
	if (status == LUA_OK)
		bl_lua_store_text(L, text, n, name);
	return status;
}

/* --- files --- */

static int refuse(lua_State *L, const char *what, const char *name)
{
	lua_pushfstring(L, "cannot %s %s: %s", what, name, strerror(errno));
	return LUA_ERRFILE;
}

/* Pushes the content of the file; returns false, with errno set, if a part could not be read. */
static bool push_all(lua_State *L, FILE *f)
{
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	while (!feof(f) && !ferror(f))
		luaL_addsize(&b, fread(luaL_prepbuffer(&b), 1, LUAL_BUFFERSIZE, f));
	bool fine = !ferror(f);
	luaL_pushresult(&b);
	return fine;
}

/* Skips a byte order mark and a first line that begins with #, but not its line end, so that line numbers stay. */
static const char *skip_head(const char *text, size_t *n)
{
	const char *at = *n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text, *end = text + *n;
	if (at < end && *at == '#')
		while (at < end && *at != '\n')
			at++;
	*n = (size_t)(end - at);
	return at;
}

int bl_lua_load_file(lua_State *L, const char *path)
{
	size_t n;
	FILE *f = path ? fopen(path, "rb") : stdin;
	if (!f)
		return refuse(L, "open", path);
	const char *name = path ? lua_pushfstring(L, "@%s", path) : lua_pushstring(L, "=stdin");
	bool fine = push_all(L, f);
	int why = errno;
	if (path)
		fclose(f);
	errno = why;
	if (!fine) {
		lua_pop(L, 2);
		return refuse(L, "read", path ? path : "stdin");
	}
	const char *text = lua_tolstring(L, -1, &n);
	text = skip_head(text, &n);
	int status;
	if (n > 0 && text[0] == LUA_SIGNATURE[0]) {
		lua_pushfstring(L, "%s: attempt to load a binary chunk: expected the text of a Lua script", path ? path : "stdin");
		status = LUA_ERRSYNTAX;
	} else {
		status = bl_lua_load_text(L, text, n, name);
	}
	lua_insert(L, -3);
	lua_pop(L, 2);
	return status;
}
