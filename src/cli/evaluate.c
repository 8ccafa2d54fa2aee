/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evaluate.c: evaluates an entry of the prompt: an expression to print, statements to run, ?name, a %command, or a word
 * that other prompts have as a command.  lua/prompt.lua prints and stores the values.
 */
#include "lua/bind/face.h"
#include "lua/kit/texts.h"
#include "cli/prompt.h"
#include "cli/run.h"
#include "cli/signals.h"

#include <barlow/parallel.h>
#include <barlow/view.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROMPT "barlow.prompt"
#define TRACEBACK "barlow.prompt.traceback" /* in the registry: the traceback of the last error */

/* Message handler: stores the traceback, and adds a hint to a message that is a text or can be converted to one. */
static int note_traceback(lua_State *L)
{
	luaL_traceback(L, L, "", 1);
	lua_setfield(L, LUA_REGISTRYINDEX, TRACEBACK);
	if (lua_type(L, 1) == LUA_TSTRING || luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
		lua_settop(L, 1);
		luaL_tolstring(L, 1, NULL);
		lua_replace(L, 1);
		bl_lua_hint(L, 1);
	}
	return 1;
}

/* Does the input end with a colon, as in Python's "for i in range(3):"?  Further lines would not make it valid Lua. */
static bool ends_with_colon(const char *input)
{
	size_t n = strlen(input);
	while (n > 0 && isspace((unsigned char)input[n - 1]))
		n--;
	return n > 0 && input[n - 1] == ':';
}

/* Is the input incomplete, according to the message of the failed load at the top of the stack? */
static bool wants_more(lua_State *L, int status, const char *input)
{
	size_t n;
	const char *message = lua_tolstring(L, -1, &n);
	return status == LUA_ERRSYNTAX && !ends_with_colon(input) && n >= 5 && strcmp(message + n - 5, "<eof>") == 0 &&
	       !strstr(message, "function arguments expected"); /* t:watch without () is an error, not an incomplete input */
}

static int split(lua_State *L)
{
	return bl_lua_call_module(L, PROMPT, "split", 1);
}

/*
 * If the input is statements followed by an expression, pushes Lua code that returns the values of the expression.
 * Otherwise returns NULL, and pushes nothing.
 */
static const char *push_split(lua_State *L, const char *input)
{
	lua_pushcfunction(L, split);
	lua_pushstring(L, input);
	if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING)
		return lua_tostring(L, -1);
	lua_pop(L, 1);
	return NULL;
}

/* Loads the input as an expression, if it is one or the beginning of one; otherwise as statements, maybe with one at the end. */
static int load(lua_State *L, const char *input)
{
	const char *expression = lua_pushfstring(L, "return %s", input);
	int status = bl_lua_load_text(L, expression, strlen(expression), "=stdin");
	if (status != LUA_OK && !wants_more(L, status, input)) {
		lua_pop(L, 1);
		status = bl_lua_load_text(L, input, strlen(input), "=stdin");
		const char *text = push_split(L, input);
		if (text) { /* the function of `text` replaces the result of loading the input unchanged */
			status = bl_lua_load_text(L, text, strlen(text), "=stdin");
			lua_replace(L, -3);
			lua_pop(L, 1);
		}
	}
	lua_remove(L, -2);
	return status;
}

/* Does the input end with ';', apart from comments? */
static bool is_silenced(const char *input)
{
	bool silenced = false;
	for (size_t n; *input; input += n)
		if (bl_token_of(input, &n) != BL_TOKEN_COMMENT && !isspace((unsigned char)*input))
			silenced = *input == ';';
	return silenced;
}

/* --- errors --- */

static int error_text(lua_State *L)
{
	if (lua_type(L, 2) == LUA_TSTRING) {
		bl_lua_push_message(L, 2);
		lua_replace(L, 2);
	}
	lua_getfield(L, LUA_REGISTRYINDEX, TRACEBACK);
	return bl_lua_call_module(L, PROMPT, "error_text", 3);
}

/* Prints the error at the top of the stack, which the input caused, and pops it. */
static void print_error(lua_State *L, const char *input)
{
	const char *before = bl_lua_interrupted ? "\n" : ""; /* the cursor is after "^C" */
	bl_signals_yield();
	bl_lua_interrupted = 0;
	fflush(stdout);
	lua_pushcfunction(L, error_text);
	lua_pushstring(L, input);
	lua_pushvalue(L, -3);
	if (lua_pcall(L, 2, 1, 0) != LUA_OK)
		bl_lua_push_clean(L, luaL_tolstring(L, -1, NULL), true);
	bl_lua_push_clean(L, luaL_tolstring(L, -1, NULL), true);
	bool red = isatty(STDERR_FILENO) && !bl_prompt_in_emacs() && bl_colours_wanted(true);
	fprintf(stderr, "%s%s%s%s\n", before, red ? "\033[31m" : "", lua_tostring(L, -1), red ? "\033[m" : "");
	lua_pushnil(L);
	lua_setfield(L, LUA_REGISTRYINDEX, TRACEBACK);
}

/* --- running --- */

/* prompt.values(silent, values...) */
static int print_values(lua_State *L)
{
	bl_lua_call_module(L, PROMPT, "values", lua_gettop(L));
	return 0;
}

/*
 * Calls the function that is below its n arguments.  lua/prompt.lua stores its values, and prints them unless silent.
 * Returns -1 if there was an error, which was printed.
 */
static int run(lua_State *L, int n, const char *input, bool silent)
{
	int base = lua_gettop(L) - n;
	lua_pushcfunction(L, note_traceback);
	lua_insert(L, base);
	int status = lua_pcall(L, n, LUA_MULTRET, base);
	if (status == LUA_OK && lua_gettop(L) > base) {
		lua_pushcfunction(L, print_values);
		lua_insert(L, base + 1);
		lua_pushboolean(L, silent);
		lua_insert(L, base + 2);
		status = lua_pcall(L, lua_gettop(L) - base - 1, 0, base);
	}
	if (status != LUA_OK)
		print_error(L, input);
	lua_settop(L, base - 1);
	return status == LUA_OK ? 0 : -1;
}

static int command(lua_State *L)
{
	return bl_lua_call_module(L, PROMPT, "command", 1);
}

/* Prints the help of a name, or its source (second argument). */
static int help(lua_State *L)
{
	bool source = lua_toboolean(L, 2);
	lua_settop(L, 1);
	return bl_lua_call_module(L, "barlow.help", source ? "source" : "show", 1);
}

static int ran(lua_State *L)
{
	bl_lua_call_module(L, PROMPT, "ran", lua_gettop(L));
	return 0;
}

/* Tells lua/prompt.lua which input has run, for how long, and whether it failed. */
static void note_run(lua_State *L, const char *input, double seconds, int failed)
{
	lua_pushcfunction(L, ran);
	lua_pushstring(L, input);
	lua_pushnumber(L, seconds);
	lua_pushboolean(L, failed);
	if (lua_pcall(L, 3, 0, 0) != LUA_OK)
		print_error(L, input);
}

/* ?name, or ??name for its source */
static int run_help(lua_State *L, const char *input)
{
	bool source = input[1] == '?';
	const char *name = input + 1 + source;
	while (isspace((unsigned char)*name))
		name++;
	size_t n = strlen(name);
	while (n > 0 && (isspace((unsigned char)name[n - 1]) || name[n - 1] == '?'))
		n--;
	lua_pushcfunction(L, help);
	lua_pushlstring(L, name, n);
	lua_pushboolean(L, source);
	return run(L, 2, input, false);
}

/* --- words that are not Lua --- */

/* Is the input only this word, or a call of it without arguments, and is there no global of that name? */
static bool is_word(lua_State *L, const char *input, const char *word)
{
	size_t n = strlen(word);
	if (strncmp(input, word, n) != 0 || input[n + strspn(input + n, " \t\r\n();")])
		return false;
	lua_pushglobaltable(L);
	lua_pushstring(L, word);
	lua_rawget(L, -2);
	bool none = lua_isnil(L, -1);
	lua_pop(L, 2);
	return none;
}

/* The command for a word that is typed without %, as in IPython, or NULL. */
static const char *bare_command(lua_State *L, const char *input)
{
	static const char *const words[][2] = { { "jobs", "%jobs" },   { "ls", "%ls" },   { "pwd", "%pwd" },
		                                { "clear", "%clear" }, { "who", "%who" }, { "whos", "%who" } };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (is_word(L, input, words[i][0]))
			return words[i][1];
	return NULL;
}

static bool is_help(const char *input)
{
	return strncmp(input, "help", 4) == 0 && !input[4 + strspn(input + 4, " \t\r\n")];
}

static bl_evaluated run_lua(lua_State *L, const char *input)
{
	double begin = bl_now();
	int status = load(L, input);
	if (wants_more(L, status, input))
		return BL_INCOMPLETE;
	if (status != LUA_OK)
		print_error(L, input);
	else
		status = run(L, 0, input, is_silenced(input));
	note_run(L, input, bl_now() - begin, status != 0);
	return BL_EVALUATED;
}

/* name?, as in IPython */
static bool is_question(const char *input)
{
	size_t n = 0;
	while (isalnum((unsigned char)input[n]) || (input[n] && strchr("_.:", input[n])))
		n++;
	return n > 0 && input[n] == '?' && !input[n + strspn(input + n, "? \t\r\n")];
}

static bl_evaluated run_question(lua_State *L, const char *input)
{
	char text[256];
	snprintf(text, sizeof text, "?%.*s", (int)strcspn(input, "?"), input);
	double begin = bl_now();
	int failed = run_help(L, text);
	note_run(L, text, bl_now() - begin, failed);
	return BL_EVALUATED;
}

static bl_evaluated evaluate(lua_State *L, const char *input)
{
	if (is_word(L, input, "exit") || is_word(L, input, "quit"))
		return BL_LEAVE;
	if (is_question(input))
		return run_question(L, input);
	if (*input == '=') /* as in Lua 5.1's prompt */
		return run_lua(L, input + 1);
	const char *bare = bare_command(L, input);
	if (!strchr("?%$!", *input) && !is_help(input) && !bare)
		return run_lua(L, input);
	double begin = bl_now();
	int failed = 0;
	if (is_help(input))
		failed = run_help(L, "?");
	else if (*input == '?') {
		failed = run_help(L, input);
	} else {
		lua_pushcfunction(L, command);
		lua_pushstring(L, bare ? bare : input);
		failed = run(L, 1, input, false);
	}
	note_run(L, bare ? bare : input, bl_now() - begin, failed);
	return BL_EVALUATED;
}

static int entries_in(lua_State *L)
{
	return bl_lua_call_module(L, PROMPT, "entries_in", 1);
}

static bl_evaluated evaluate_trimmed(lua_State *L, const char *input)
{
	input += strspn(input, " \t\r\n");
	bl_signals_running(input);
	bl_evaluated out = *input ? evaluate(L, input) : BL_EVALUATED;
	bl_signals_running(NULL);
	return out;
}

/* Evaluates the list of entries at the top of the stack in order; they come from a text that was copied with its prompts. */
static bl_evaluated evaluate_copied(lua_State *L)
{
	bl_evaluated out = BL_EVALUATED;
	int list = lua_gettop(L);
	lua_Integer n = (lua_Integer)lua_rawlen(L, list);
	for (lua_Integer i = 1; i <= n && out != BL_LEAVE && !bl_lua_interrupted; i++) {
		lua_rawgeti(L, list, i);
		char *entry = strdup(lua_tostring(L, -1));
		if (entry)
			out = evaluate_trimmed(L, entry);
		free(entry);
		lua_settop(L, list);
	}
	return out == BL_INCOMPLETE ? BL_EVALUATED : out;
}

bl_evaluated bl_evaluate(lua_State *L, const char *input)
{
	lua_settop(L, 0);
	lua_pushcfunction(L, entries_in);
	lua_pushstring(L, input);
	bool copied = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1);
	bl_evaluated out = copied ? evaluate_copied(L) : evaluate_trimmed(L, input);
	lua_settop(L, 0);
	return out;
}

bool bl_wants_more(lua_State *L, const char *input)
{
	input += strspn(input, " \t\r\n");
	input += *input == '=';
	if (!*input || strchr("?%$!", *input))
		return false;
	int top = lua_gettop(L);
	const char *expression = lua_pushfstring(L, "return %s", input);
	int status = luaL_loadbufferx(L, expression, strlen(expression), "=stdin", "t");
	bool more = wants_more(L, status, input) ||
	            (status != LUA_OK && wants_more(L, luaL_loadbufferx(L, input, strlen(input), "=stdin", "t"), input) &&
	             !push_split(L, input));
	lua_settop(L, top);
	return more;
}

static int begin(lua_State *L)
{
	lua_pushcfunction(L, bl_history_list);
	bl_lua_call_module(L, PROMPT, "begin", 1);
	return 0;
}

void bl_evaluate_begin(lua_State *L)
{
	lua_pushcfunction(L, begin);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK)
		print_error(L, "");
}
