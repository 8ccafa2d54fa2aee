/* SPDX-License-Identifier: GPL-3.0-or-later */
/* complete.c: completes words on Tab, with candidates from lua/complete.lua.  Completion never runs the user's code. */
#include "cli/prompt.h"

#include "lua/bind/face.h"

#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

static lua_State *state;

/* Readline expects the longest common prefix of all matches as the first element. */
static void share_beginning(char **list, size_t count)
{
	size_t n = strlen(list[1]);
	for (size_t i = 2; i <= count; i++)
		for (size_t k = 0; k < n; k++)
			if (list[i][k] != list[1][k])
				n = k;
	list[0] = strndup(list[1], n);
	if (count == 1) { /* a single match is the only element */
		free(list[1]);
		list[1] = NULL;
	}
}

/* Converts a candidate, which begins at `at` in the line, to Readline's word, which begins at `from`. */
static char *as_word(const char *candidate, int at, int from)
{
	if (at < from) {
		size_t skip = (size_t)(from - at), n = strlen(candidate);
		return strdup(candidate + (skip < n ? skip : n));
	}
	size_t before = (size_t)(at - from);
	char *out = malloc(before + strlen(candidate) + 1);
	if (out) {
		memcpy(out, rl_line_buffer + from, before);
		strcpy(out + before, candidate);
	}
	return out;
}

/* Converts the list of candidates at stack index 1 to Readline's list of matches; at, from: as for as_word. */
static char **matches(lua_State *L, int at, int from)
{
	lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
	char **list = n > 0 ? calloc((size_t)n + 2, sizeof *list) : NULL;
	size_t count = 0;
	for (lua_Integer i = 1; list && i <= n; i++) {
		lua_rawgeti(L, 1, i);
		char *word = lua_isstring(L, -1) ? as_word(lua_tostring(L, -1), at, from) : NULL;
		if (word)
			list[++count] = word;
		lua_pop(L, 1);
	}
	if (count)
		share_beginning(list, count);
	else
		free(list);
	return count ? list : NULL;
}

static int candidates(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.complete", "candidates", 1);
}

static char **complete(const char *word, int from, int to)
{
	(void)word;
	lua_State *L = state;
	char **list = NULL;
	rl_attempted_completion_over = 1;
	rl_completion_append_character = 0;
	rl_completion_suppress_quote = 1;
	lua_settop(L, 0);
	lua_pushcfunction(L, candidates);
	lua_pushlstring(L, rl_line_buffer, (size_t)to);
	if (lua_pcall(L, 1, 3, 0) == LUA_OK && lua_istable(L, 1)) { /* list, position (from 1), closing character */
		list = matches(L, (int)lua_tointeger(L, 2) - 1, from);
		const char *close = lua_tostring(L, 3);
		if (list && !list[1] && close)
			rl_completion_append_character = close[0];
	}
	lua_settop(L, 0);
	return list;
}

void bl_complete_install(lua_State *L)
{
	state = L;
	rl_basic_word_break_characters = " \t\n\"'><=;+-*/%^~#{}()[],&|.:$?";
	rl_attempted_completion_function = complete;
}
