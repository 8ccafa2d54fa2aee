/* SPDX-License-Identifier: GPL-3.0-or-later */
/* native.c: "barlow.native": functions that the Lua part of the workbench needs and Lua's libraries lack. */
#include "lua/bind/describe.h"
#include "lua/bind/doctor.h"
#include "lua/bind/face.h"
#include "lua/kit/texts.h"
#include "lua/bind/json.h"
#include "lua/bind/sweep.h"
#include "lua/bind/written.h"

#include <barlow/number.h>
#include <barlow/parallel.h>

#include <config.h>
#include <math.h>

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* source(object): {call = "nn.linear", n = 2, 3, 4}, or nil */
static int native_source(lua_State *L)
{
	luaL_checkany(L, 1);
	bl_lua_source(L, 1);
	return 1;
}

/* schedules(): the names of all kinds of schedules */
static int native_schedules(lua_State *L)
{
	const char *name;
	lua_newtable(L);
	for (int i = 0; (name = bl_schedule_name(i)); i++) {
		lua_pushstring(L, name);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* type_name(value): the name of a barlow object's type; nil for other values */
static int native_type_name(lua_State *L)
{
	if (lua_type(L, 1) != LUA_TUSERDATA || luaL_getmetafield(L, 1, "__name") == LUA_TNIL)
		lua_pushnil(L);
	return 1;
}

/* interrupted(): whether Ctrl-C was pressed and is not handled yet, or a signal ends the program */
static int is_interrupted(lua_State *L)
{
	lua_pushboolean(L, bl_lua_interrupted || bl_lua_ending);
	return 1;
}

/*
 * interruptible(f, ...): true and f's results, or false if Ctrl-C interrupted it, which is then handled.  Other errors are
 * passed on.  This is not written in Lua, since the hook would raise the error again between a Lua function's pcall and
 * its next instruction.
 */
int bl_lua_interruptible(lua_State *L)
{
	luaL_checkany(L, 1);
	int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
	if (status == LUA_OK) {
		lua_pushboolean(L, 1);
		lua_insert(L, 1);
		return lua_gettop(L);
	}
	if (!bl_lua_interrupted || bl_lua_ending)
		return lua_error(L);
	bl_lua_interrupted = 0;
	lua_pushboolean(L, 0);
	return 1;
}

/* unsaved(trainer): why the run's end was not saved, or nil */
static int native_unsaved(lua_State *L)
{
	if (bl_trainer_saved(bl_lua_trainer(L, 1)) == 0)
		lua_pushnil(L);
	else
		lua_pushstring(L, bl_error());
	return 1;
}

/* tell_unsaved(): prints to standard error which runs' ends were not saved, each once */
static int native_tell_unsaved(lua_State *L)
{
	(void)L;
	bl_lua_report_unsaved();
	return 0;
}

static int native_now(lua_State *L)
{
	lua_pushnumber(L, bl_now());
	return 1;
}

static int native_is_terminal(lua_State *L)
{
	lua_pushboolean(L, isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
	return 1;
}

/* width(): columns of the terminal, or 80 without one */
static int native_width(lua_State *L)
{
	struct winsize w;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0;
	lua_pushinteger(L, known ? w.ws_col : 80);
	return 1;
}

/*
 * number_text(v): Lua text that evaluates to v, including its type: "1.5", "2.0", "1/0".  Lua's own tostring and
 * string.format depend on the locale, and use 14 digits.
 */
static int native_number_text(lua_State *L)
{
	char text[BL_NUMBER_TEXT];
	double v = luaL_checknumber(L, 1);
	if (lua_isinteger(L, 1)) {
		/* The least integer has no decimal: a minus in Lua is an operator. */
		bool least = lua_tointeger(L, 1) == LUA_MININTEGER;
		lua_pushfstring(L, least ? "0x8000000000000000" : "%I", lua_tointeger(L, 1));
		return 1;
	}
	if (!isfinite(v)) {
		lua_pushstring(L, isnan(v) ? "0/0" : v > 0 ? "1/0" : "-1/0");
		return 1;
	}
	bl_number_text(v, false, text, sizeof text);
	lua_pushfstring(L, strpbrk(text, ".e") ? "%s" : "%s.0", text);
	return 1;
}

/* exists(path): checks without opening the file, which would block on a FIFO */
static int native_exists(lua_State *L)
{
	lua_pushboolean(L, access(luaL_checkstring(L, 1), F_OK) == 0);
	return 1;
}

/* registry(): all public names with their descriptions; see lua/registry.lua */
static int native_registry(lua_State *L)
{
	bl_lua_registry(L);
	return 1;
}

/* note_method(name): registers a method of objects written in Lua, for "did you mean" */
static int native_note_method(lua_State *L)
{
	bl_lua_note_method(L, luaL_checkstring(L, 1));
	return 0;
}

/* nearest(word, names): the name that is most similar to word, or nil */
static int native_nearest(lua_State *L)
{
	const char *word = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	size_t n = 0, most = lua_rawlen(L, 2);
	const char **names = lua_newuserdatauv(L, (most + 1) * sizeof *names, 0);
	for (; n < most && lua_rawgeti(L, 2, (lua_Integer)n + 1) == LUA_TSTRING; lua_pop(L, 1))
		names[n++] = lua_tostring(L, -1); /* the table keeps it alive */
	names[n] = NULL;
	lua_pushstring(L, bl_nearest(word, names));
	return 1;
}

/* clean(text[, lines = false]): the text without control bytes, as it may be shown; lines: newlines and tabs stay */
static int native_clean(lua_State *L)
{
	bl_lua_push_clean(L, luaL_checkstring(L, 1), lua_toboolean(L, 2));
	return 1;
}

/* One on each line, sorted by name. */
static const luaL_Reg functions[] = {
	{ "board_blank", bl_lua_board_blank },
	{ "board_open", bl_lua_board_open },
	{ "clean", native_clean },
	{ "content", bl_lua_content },
	{ "data_found", bl_lua_data_found },
	{ "describe", bl_lua_describe_recipe },
	{ "exists", native_exists },
	{ "index", bl_lua_index },
	{ "index_query", bl_lua_index_query },
	{ "index_problem", bl_lua_index_problem },
	{ "interrupted", is_interrupted },
	{ "interruptible", bl_lua_interruptible },
	{ "is_terminal", native_is_terminal },
	{ "journal", bl_lua_read_journal },
	{ "json_read", bl_lua_json_read },
	{ "json_text", bl_lua_json_text },
	{ "look_draw", bl_lua_look_draw },
	{ "look_sheet", bl_lua_look_sheet },
	{ "look_text", bl_lua_look_text },
	{ "look_time", bl_lua_look_time },
	{ "may_set", bl_lua_may_set },
	{ "module_layers", bl_lua_module_layers },
	{ "module_origin", bl_lua_module_origin },
	{ "nearest", native_nearest },
	{ "note_method", native_note_method },
	{ "now", native_now },
	{ "number_text", native_number_text },
	{ "origin", bl_lua_origin },
	{ "profile_ceiling", bl_lua_profile_ceiling },
	{ "profile_rows", bl_lua_profile_rows },
	{ "profile_start", bl_lua_profile_start },
	{ "profile_stop", bl_lua_profile_stop },
	{ "registry", native_registry },
	{ "resumable", bl_lua_run_resumable },
	{ "run_change", bl_lua_run_change },
	{ "run_checkpoint", bl_lua_run_checkpoint },
	{ "run_file", bl_lua_run_file },
	{ "run_records", bl_lua_run_records },
	{ "run_remove", bl_lua_run_remove },
	{ "run_size", bl_lua_run_size },
	{ "run_tidy", bl_lua_run_tidy },
	{ "run_watch", bl_lua_run_watch },
	{ "runs", bl_lua_runs },
	{ "runs_root", bl_lua_runs_root },
	{ "schedules", native_schedules },
	{ "source", native_source },
	{ "tell_unsaved", native_tell_unsaved },
	{ "trainers", bl_lua_trainers },
	{ "tune_load", bl_lua_tune_load },
	{ "tune_measure", bl_lua_tune_measure },
	{ "tune_module", bl_lua_tune_module },
	{ "tune_names", bl_lua_tune_names },
	{ "tune_path", bl_lua_tune_path },
	{ "tune_renew", bl_lua_tune_renew },
	{ "tune_trainer", bl_lua_tune_trainer },
	{ "type_name", native_type_name },
	{ "unsaved", native_unsaved },
	{ "width", native_width },
	{ "write_array", bl_lua_write_array },
	{ "write_file", bl_lua_write_file },
	{ NULL, NULL },
};

int bl_lua_open_native(lua_State *L)
{
	bl_lua_define_index(L);
	luaL_newlib(L, functions);
	bl_lua_add_replay(L);
	lua_pushliteral(L, PACKAGE_VERSION);
	lua_setfield(L, -2, "version");
	bl_lua_add_written(L);
	bl_lua_add_sweep(L);
	bl_lua_add_doctor(L);
	bl_lua_add_figure(L);
	bl_lua_push_described(L);
	lua_setfield(L, -2, "described");
	return 1;
}
