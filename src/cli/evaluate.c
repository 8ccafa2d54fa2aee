/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate.c: what is typed at the prompt: an expression to print, a statement to run, or ?name. */
#include "lua/bind/face.h"
#include "lua/kit/texts.h"
#include "cli/prompt.h"
#include "cli/run.h"
#include "cli/signals.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Message handler: the message and the script's own lines, without C frames and the prompt's. */
static int short_traceback(lua_State *L)
{
	luaL_Buffer b;
	bl_lua_hint(L, 1);
	const char *message = lua_tostring(L, -1);
	luaL_traceback(L, L, NULL, 1);
	const char *line = strchr(lua_tostring(L, -1), '\n');
	luaL_buffinit(L, &b);
	luaL_addstring(&b, message);
	while (line) {
		const char *end = strchr(line + 1, '\n');
		size_t n = end ? (size_t)(end - line) : strlen(line);
		if (strncmp(line, "\n\t[C]", 5) != 0 && strncmp(line, "\n\tstdin:", 8) != 0)
			luaL_addlstring(&b, line, n);
		line = end;
	}
	luaL_pushresult(&b);
	return 1;
}

static bool wants_more(lua_State *L, int status)
{
	size_t n;
	const char *message = lua_tolstring(L, -1, &n);
	return status == LUA_ERRSYNTAX && n >= 5 && strcmp(message + n - 5, "<eof>") == 0;
}

/* As an expression, else as a statement. */
static int load(lua_State *L, const char *input)
{
	const char *expression = lua_pushfstring(L, "return %s", input);
	int status = bl_lua_load_text(L, expression, strlen(expression), "=stdin");
	if (status != LUA_OK) {
		lua_pop(L, 1);
		status = bl_lua_load_text(L, input, strlen(input), "=stdin");
	}
	lua_remove(L, -2);
	return status;
}

/* Prints the arguments, and keeps the first as `_`. */
static int print_values(lua_State *L)
{
	int n = lua_gettop(L);
	for (int i = 1; i <= n; i++) {
		lua_pushvalue(L, i);
		bl_lua_call_module(L, "barlow.show", "value", 1);
		printf("%s\n", luaL_tolstring(L, -1, NULL));
		lua_settop(L, n);
	}
	return 0;
}

static bool is_silenced(const char *input)
{
	size_t n = strlen(input);
	while (n > 0 && isspace((unsigned char)input[n - 1]))
		n--;
	return n > 0 && input[n - 1] == ';';
}

static void print_error(lua_State *L)
{
	bl_signals_yield();
	fflush(stdout);
	bl_lua_push_message(L, -1);
	bl_lua_push_clean(L, lua_tostring(L, -1), true);
	fprintf(stderr, "%s%s\n", bl_lua_interrupted ? "\n" : "", lua_tostring(L, -1)); /* behind "^C" */
	lua_pop(L, 2);
}

/* The chunk on top, its values printed unless silenced. */
static void run(lua_State *L, bool silent)
{
	int base = lua_gettop(L);
	lua_pushcfunction(L, short_traceback);
	lua_insert(L, base);
	int status = lua_pcall(L, 0, LUA_MULTRET, base);
	if (status == LUA_OK && lua_gettop(L) > base) {
		lua_pushvalue(L, base + 1);
		lua_setglobal(L, "_");
		lua_pushcfunction(L, print_values);
		lua_insert(L, base + 1);
		status = silent ? LUA_OK : lua_pcall(L, lua_gettop(L) - base - 1, 0, base);
	}
	if (status != LUA_OK)
		print_error(L);
}

/* ?name */
static void run_help(lua_State *L, const char *name)
{
	lua_getglobal(L, "require");
	lua_pushliteral(L, "barlow");
	if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_getfield(L, -1, "help") == LUA_TFUNCTION) {
		while (isspace((unsigned char)*name))
			name++;
		size_t n = strlen(name);
		while (n > 0 && isspace((unsigned char)name[n - 1]))
			n--;
		lua_pushlstring(L, name, n);
		if (lua_pcall(L, 1, 0, 0) == LUA_OK)
			return;
	}
	print_error(L);
}

bl_evaluated bl_evaluate(lua_State *L, const char *input)
{
	while (isspace((unsigned char)*input))
		input++;
	lua_settop(L, 0);
	if (*input == '?') {
		run_help(L, input + 1);
	} else if (*input) {
		int status = load(L, input);
		if (wants_more(L, status))
			return BL_INCOMPLETE;
		if (status == LUA_OK)
			run(L, is_silenced(input));
		else
			print_error(L);
	}
	lua_settop(L, 0);
	return BL_EVALUATED;
}
