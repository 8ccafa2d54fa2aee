/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run.h: a Lua state for the program, and scripts in it. */
#ifndef BARLOW_CLI_RUN_H
#define BARLOW_CLI_RUN_H

#include "cli/command.h"

#include <lua.h>

/* Ends the program, saying why, where the address space is limited to less than the engine needs for so many threads. */
void bl_run_need_room(int threads);
/* Libraries, barlow's globals, `arg` (a script and its arguments, or NULL), and the hook for Ctrl-C.  NULL: no memory. */
lua_State *bl_run_state_new(const bl_texts *script);
/*
 * Closes the state.  Returns the program's exit status: `status`, but never success where a run's end was not saved, which
 * is said.
 */
int bl_run_close(lua_State *L, int status);
/* A chunk's text; or a file ("-", or none: standard input) with arguments.  An error is printed with a traceback: EXIT_FAILURE. */
int bl_run_code(lua_State *L, const char *code);
int bl_run_script(lua_State *L, const bl_texts *script);
/* Says the error on top on standard error, in the name of the command and without a traceback.  EXIT_FAILURE. */
int bl_run_failed(lua_State *L, const char *command);
/* Message handler: the message with a traceback. */
int bl_run_traceback(lua_State *L);

/* text_only.c: from here on the state loads no bytecode. */
void bl_run_text_only(lua_State *L);

#endif
