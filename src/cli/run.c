/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.c: runs scripts, with their arguments in `arg`.  They are loaded as text only, not as bytecode.  Errors are printed
 * with a traceback to standard error.
 */
#include "cli/output.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"
#include "lua/kit/texts.h"

#include <barlow/live.h>
#include <barlow/parallel.h>
#include <barlow/tensor.h>
#include <barlow/train.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int bl_run_traceback(lua_State *L)
{
	bl_lua_hint(L, 1);
	luaL_traceback(L, L, lua_tostring(L, -1), 1);
	return 1;
}

static int clean_message(lua_State *L)
{
	bl_lua_push_message(L, 1);
	bl_lua_push_clean(L, lua_tostring(L, -1), true);
	return 1;
}

/* Replaces the error on the stack by the string to be printed, and returns it. */
static const char *push_error(lua_State *L)
{
	lua_pushcfunction(L, clean_message);
	lua_insert(L, -2);
	lua_pcall(L, 1, 1, 0); /* if that fails, for example without memory, its own error is printed */
	return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that cannot be shown";
}

static int report(lua_State *L, int status)
{
	if (status == LUA_OK)
		return EXIT_SUCCESS;
	bl_signals_yield();
	fflush(stdout);
	fprintf(stderr, "barlow: %s\n", push_error(L));
	lua_pop(L, 1);
	bl_lua_interrupted = 0;
	return EXIT_FAILURE;
}

/* If a Lua function has the command's name, its messages begin with that name, which is then not printed twice. */
int bl_run_failed(lua_State *L, const char *command)
{
	size_t n = strlen(command);
	bl_signals_yield();
	fflush(stdout);
	const char *message = push_error(L);
	if (strncmp(message, command, n) == 0 && strncmp(message + n, ": ", 2) == 0)
		message += n + 2;
	fprintf(stderr, "barlow %s: %s\n", command, message);
	return EXIT_FAILURE;
}

/* Runs the chunk that is on the stack below its n arguments. */
static int run_chunk(lua_State *L, int n)
{
	int base = lua_gettop(L) - n;
	lua_pushcfunction(L, bl_run_traceback);
	lua_insert(L, base);
	int status = lua_pcall(L, n, 0, base);
	lua_remove(L, base);
	return report(L, status);
}

int bl_run_code(lua_State *L, const char *code)
{
	int status = bl_lua_load_text(L, code, strlen(code), "=(command line)");
	return status == LUA_OK ? run_chunk(L, 0) : report(L, status);
}

int bl_run_script(lua_State *L, const bl_texts *script)
{
	const char *path = script->n && strcmp(script->text[0], "-") != 0 ? script->text[0] : NULL;
	int status = bl_lua_load_file(L, path);
	if (status != LUA_OK)
		return report(L, status);
	luaL_checkstack(L, script->n, "too many arguments");
	for (int i = 1; i < script->n; i++)
		lua_pushstring(L, script->text[i]);
	return run_chunk(L, script->n ? script->n - 1 : 0);
}

/* Prints a message for each run that is still running: the run stops because the program ends. */
static int report_running(lua_State *L)
{
	lua_settop(L, 0);
	bl_lua_trainers(L);
	for (lua_Integer i = 1; lua_rawgeti(L, 1, i) == LUA_TUSERDATA; i++, lua_settop(L, 1)) {
		bl_live_info info;
		bl_live_info_get(bl_trainer_live(bl_lua_trainer(L, -1)), &info);
		if (info.state != BL_RUN_RUNNING)
			continue; /* such as a paused run, which the program trains by single steps */
		fflush(stdout);
		bl_lua_push_clean(L, info.name, false);
		fprintf(stderr,
		        "%s: the program ends at step %lld of %lld of this run, which is stopped (t:wait() waits for its end)\n",
		        lua_tostring(L, -1), (long long)info.step, (long long)info.steps);
	}
	return 0;
}

int bl_run_close(lua_State *L, int status)
{
	bl_signals_yield();
	bl_lua_interrupt_guard(NULL);
	lua_pushcfunction(L, report_running);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK) /* no memory: runs are stopped and saved nevertheless */
		fprintf(stderr, "barlow: %s\n", push_error(L));
	lua_close(L); /* stops and saves runs that are still running */
	bl_lua_report_unsaved();
	return status == EXIT_SUCCESS && bl_trainers_unsaved() ? EXIT_FAILURE : status;
}

/*
 * Ends the process without the destructors of libraries, which exit() would call: the threads of runs are still active,
 * and the libraries that they use, such as OpenBLAS, must not be closed before these threads end.
 */
_Noreturn static void exit_at_once(int code)
{
	bl_signals_yield();
	bl_output_check();
	fflush(NULL);
	_exit(code);
}

/* os.exit([code[, close]]): as in Lua, but it closes the state unless `close` is false, so that runs are stopped and saved. */
static int os_exit(lua_State *L)
{
	bool failed = lua_isboolean(L, 1) && !lua_toboolean(L, 1);
	int code = failed ? EXIT_FAILURE : lua_isboolean(L, 1) ? EXIT_SUCCESS : (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
	if (lua_isboolean(L, 2) && !lua_toboolean(L, 2))
		exit_at_once(code);
	exit(bl_run_close(L, code));
}

/* Opens all libraries in a new state; argument: the script and its arguments, or NULL. */
static int open_all(lua_State *L)
{
	const bl_texts *script = lua_touserdata(L, 1);
	luaL_openlibs(L);
	lua_getglobal(L, "os");
	lua_pushcfunction(L, os_exit);
	lua_setfield(L, -2, "exit");
	lua_pop(L, 1);
	bl_run_text_only(L);
	bl_lua_open_globals(L);
	lua_newtable(L);
	for (int i = 0; script && i < script->n; i++) { /* arg[0] is the script */
		lua_pushstring(L, script->text[i]);
		lua_rawseti(L, -2, i);
	}
	lua_setglobal(L, "arg");
	return 0;
}

void bl_run_need_room(int threads)
{
	if (bl_blas_room(threads) == 0)
		return;
	fprintf(stderr, "barlow: %s\n", bl_error());
	fflush(NULL);
	_exit(EXIT_FAILURE); /* exit() would wait for OpenBLAS's threads, which may try endlessly to get memory */
}

/* Called for an error outside of any pcall, such as no memory for a call.  Runs are not saved; only checkpoints remain. */
static int panic(lua_State *L)
{
	const char *why = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that cannot be shown";
	bl_signals_yield();
	fprintf(stderr, "barlow: %s\n", why);
	fflush(NULL);
	_exit(EXIT_FAILURE);
}

lua_State *bl_run_state_new(const bl_texts *script)
{
	bl_run_need_room(bl_threads());
	lua_State *L = luaL_newstate();
	if (!L) {
		fputs("barlow: no memory to start\n", stderr);
		return NULL;
	}
	lua_atpanic(L, panic);
	lua_pushcfunction(L, open_all);
	lua_pushlightuserdata(L, (void *)(uintptr_t)script);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		report(L, LUA_ERRRUN);
		lua_close(L);
		return NULL;
	}
	bl_lua_interrupt_guard(L);
	return L;
}
