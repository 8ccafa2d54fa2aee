/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * complete.c: names after what is typed: globals, fields of tables, methods and properties of objects.
 *
 * The path before the last dot or colon is followed by raw access only:
 * completion never runs code of the user's.
 */
#include "cli/prompt.h"

#include "lua/bind/face.h"

#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

static lua_State *state;

/* Pushes field `name` of the value on top, or nil, in its place. */
static void follow(lua_State *L, const char *name, size_t n)
{
	if (lua_istable(L, -1)) {
		lua_pushlstring(L, name, n);
		lua_rawget(L, -2);
	} else {
		lua_pushnil(L);
	}
	lua_replace(L, -2);
}

/* Pushes what the path before `word`'s last separator names; returns where the last name starts. */
static size_t resolve(lua_State *L, const char *word)
{
	size_t start = 0;
	lua_pushglobaltable(L);
	for (size_t i = 0; word[i]; i++) {
		if (word[i] != '.' && word[i] != ':')
			continue;
		follow(L, word + start, i - start);
		start = i + 1;
	}
	return start;
}

/* Adds the string keys of the table on top that begin with `name`, behind `before`. */
static void add_keys(lua_State *L, const char *before, size_t n, const char *name, char ***list, size_t *count)
{
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
		if (!key || strncmp(key, name, strlen(name)) != 0)
			continue;
		char **longer = realloc(*list, sizeof **list * (*count + 3));
		char *match = malloc(n + strlen(key) + 1);
		if (longer)
			*list = longer;
		if (!longer || !match) {
			free(match);
			continue;
		}
		memcpy(match, before, n);
		strcpy(match + n, key);
		(*list)[1 + (*count)++] = match;
	}
}

/* Methods and properties of the object on top. */
static void add_members(lua_State *L, const char *before, size_t n, const char *name, char ***list, size_t *count)
{
	static const char *const parts[] = { "__methods", "__properties" };
	if (!lua_getmetatable(L, -1))
		return;
	for (int i = 0; i < 2; i++) {
		lua_pushstring(L, parts[i]);
		lua_rawget(L, -2);
		if (lua_istable(L, -1))
			add_keys(L, before, n, name, list, count);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

/* The longest beginning that all matches share goes first, as Readline wants it. */
static char **finish(char **list, size_t count)
{
	if (count == 0)
		return NULL;
	size_t n = strlen(list[1]);
	for (size_t i = 2; i <= count; i++)
		for (size_t k = 0; k < n; k++)
			if (list[i][k] != list[1][k])
				n = k;
	list[0] = strndup(list[1], n);
	list[count + 1] = NULL;
	if (count == 1) { /* a single match is given alone */
		free(list[1]);
		list[1] = NULL;
	}
	return list;
}

static char **complete(const char *word, int from, int to)
{
	(void)from, (void)to;
	lua_State *L = state;
	char **list = NULL;
	size_t count = 0;
	int top = lua_gettop(L);
	rl_attempted_completion_over = 1;
	rl_completion_append_character = 0;
	size_t start = resolve(L, word);
	if (lua_istable(L, -1))
		add_keys(L, word, start, word + start, &list, &count);
	else if (lua_isuserdata(L, -1))
		add_members(L, word, start, word + start, &list, &count);
	lua_settop(L, top);
	return finish(list, count);
}

void bl_complete_install(lua_State *L)
{
	state = L;
	rl_basic_word_break_characters = " \t\n\"'><=;+-*/%^~#{}()[],&|";
	rl_attempted_completion_function = complete;
}
