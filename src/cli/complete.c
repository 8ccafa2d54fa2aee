/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * complete.c: names after what is typed: globals, fields of tables, methods and properties of objects, and, in the braces
 * of a call, the settings of what is called.
 *
 * The path before the last dot or colon is followed by raw access only:
 * completion never runs code of the user's.
 */
#include "cli/prompt.h"

#include "lua/bind/face.h"

#include <ctype.h>
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

/* Adds the two words as one. */
static void add_match(const char *word, const char *end, char ***list, size_t *count)
{
	char **longer = realloc(*list, sizeof **list * (*count + 3));
	char *match = malloc(strlen(word) + strlen(end) + 1);
	if (longer)
		*list = longer;
	if (!longer || !match) {
		free(match);
		return;
	}
	strcpy(match, word);
	strcat(match, end);
	(*list)[1 + (*count)++] = match;
}

/* Adds the string keys of the table on top that begin with `name`, behind `before`. */
static void add_keys(lua_State *L, const char *before, size_t n, const char *name, char ***list, size_t *count)
{
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
		if (!key || strncmp(key, name, strlen(name)) != 0)
			continue;
		char *front = strndup(before, n);
		if (front)
			add_match(front, key, list, count);
		free(front);
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

/* --- settings --- */

/* The last of `open` before `at` that is not closed, or -1. */
static int opened(const char *line, int at, char open, char close)
{
	int depth = 0;
	while (--at >= 0) {
		if (line[at] == close)
			depth++;
		else if (line[at] == open && depth-- == 0)
			return at;
	}
	return -1;
}

/* Where what stands before `at` ends, without blanks. */
static int before(const char *line, int at)
{
	while (at > 0 && strchr(" \t", line[at - 1]))
		at--;
	return at;
}

/* Pushes the method or property `name` of the object on top, in its place; nil where it has none. */
static void follow_method(lua_State *L, const char *name)
{
	if (!lua_isuserdata(L, -1) || !lua_getmetatable(L, -1)) {
		follow(L, name, strlen(name));
		return;
	}
	lua_pushstring(L, "__methods");
	lua_rawget(L, -2);
	lua_replace(L, -3);
	lua_pop(L, 1);
	follow(L, name, strlen(name));
}

/* The settings of the call in whose braces the word at `from` begins one; NULL: it does not. */
static const bl_field *settings_at(lua_State *L, const char *line, int from)
{
	char path[128];
	int brace = opened(line, from, '{', '}'), last = before(line, from);
	if (brace < 0 || last < 1 || !strchr("{,", line[last - 1]))
		return NULL;
	int end = before(line, brace);
	if (end > 0 && strchr("(,", line[end - 1]))
		end = before(line, opened(line, end, '(', ')'));
	int begin = end;
	while (begin > 0 && (strchr(".:_", line[begin - 1]) || isalnum((unsigned char)line[begin - 1])))
		begin--;
	if (begin >= end || end - begin >= (int)sizeof path)
		return NULL;
	memcpy(path, line + begin, (size_t)(end - begin));
	path[end - begin] = 0;
	size_t name = resolve(L, path);
	follow_method(L, path + name);
	const bl_lua_function *f = bl_lua_described(L, -1);
	return f ? f->fields : NULL;
}

/* "batch = " for those that begin with the word. */
static void add_settings(const bl_field *f, const char *word, char ***list, size_t *count)
{
	for (; f->name; f++)
		if (strncmp(f->name, word, strlen(word)) == 0)
			add_match(f->name, " = ", list, count);
}

static char **complete(const char *word, int from, int to)
{
	(void)to;
	lua_State *L = state;
	char **list = NULL;
	size_t count = 0;
	int top = lua_gettop(L);
	rl_attempted_completion_over = 1;
	rl_completion_append_character = 0;
	const bl_field *settings = settings_at(L, rl_line_buffer, from);
	lua_settop(L, top);
	if (settings)
		add_settings(settings, word, &list, &count);
	if (count)
		return finish(list, count);
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
